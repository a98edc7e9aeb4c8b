use assoc_core::{BelongsTo, HasMany};
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(table = "a.b.c", colour = "red")]
struct User {
    id: i64,
    def: String,
    posts: HasMany<Post>,
    #[belongs_to]
    company: BelongsTo<Post>,
    #[has_one(dependent = "destroy")]
    address: HasMany<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
