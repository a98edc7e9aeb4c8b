use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many(extend)]
    posts: HasMany<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
