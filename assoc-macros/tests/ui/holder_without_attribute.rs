use assoc_core::{BelongsTo, HasMany};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    posts: HasMany<Post>,
    company: assoc_core::BelongsTo<Option<Post>>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
