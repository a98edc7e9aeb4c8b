use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Clone)]
struct Post {
    user_id: i64,
}

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many]
    posts: HasMany<Post>,
}

fn main() {}
