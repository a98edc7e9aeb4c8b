use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many]
    posts: HasMany<Post>,
    #[has_many(accessor = false)]
    articles: HasMany<Post>,
    #[has_many(accessor = false)]
    drafts: HasMany<Post>,
}

impl User {
    fn posts(&self) -> usize {
        self.posts.loaded().map_or(0, <[Post]>::len)
    }

    fn articles(&self) -> usize {
        self.articles.loaded().map_or(0, <[Post]>::len)
    }
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}

fn read(user: &User) -> usize {
    let _ = user.drafts();
    user.articles()
}
