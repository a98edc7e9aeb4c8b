// What an accessor gives is a `Result`, because the association may not be loaded.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_one]
    pub address: HasOne<Option<Address>>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    #[belongs_to]
    pub user: BelongsTo<User>,
}

#[derive(Model, Debug, Clone)]
pub struct Address {
    pub id: i64,
    pub user_id: i64,
    pub city: String,
}

fn read(user: &User, post: &Post) -> Result<()> {
    // Right.
    for post in user.posts()? {
        println!("{}", post.title);
    }
    // A loop over a `Result` runs once, over the list.
    for post in user.posts() {
        println!("{}", post.title);
    }
    let _ = user.posts().len();
    let _ = post.user().id;
    // A field of what may be missing.
    let _ = user.address()?.city;
    // The field is not the list.
    for post in &user.posts {
        println!("{}", post.title);
    }
    let _ = user.posts.len();
    let _ = post.user.id;
    Ok(())
}

// A function that returns no `Result`.
fn titles(user: &User) -> Vec<&str> {
    user.posts()?.iter().map(|post| &*post.title).collect()
}

fn main() {}
