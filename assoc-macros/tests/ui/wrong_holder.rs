use assoc_core::{HasMany, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many]
    posts: HasOne<Post>,
    #[has_one]
    first: Option<Post>,
    #[has_many]
    all: Vec<Post>,
    #[has_many]
    some: HasMany<Option<Post>>,
    #[has_many]
    none: HasMany,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
