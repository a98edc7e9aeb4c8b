// What cannot be preloaded.
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    #[belongs_to]
    pub user: BelongsTo<User>,
}

async fn load(repo: &Repo, user: User, users: &[User]) -> Result<()> {
    // Another model's association, a column, and a name.
    let _ = Query::<User>::preload(Post::USER);
    let _ = Query::preload(User::POSTS.with(User::POSTS));
    let _ = Query::<User>::preload(User::NAME);
    let _ = Query::<User>::preload("posts");
    // More than a tuple holds.
    let posts = User::POSTS;
    let _ = Query::<User>::preload((
        posts, posts, posts, posts, posts, posts, posts, posts, posts, posts, posts, posts, posts,
    ));
    // Rows that cannot be written to.
    repo.preload(&user, User::POSTS).await?;
    repo.preload(user, User::POSTS).await?;
    repo.preload(users, User::POSTS).await?;
    // A query that loads nothing into a variable.
    let _: Vec<User> = Query::preload(User::POSTS);
    Ok(())
}

fn main() {}
