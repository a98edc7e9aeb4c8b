use assoc_core::{BelongsTo, HasMany};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    email: String,
    #[has_many]
    posts: HasMany<Post>,
    #[has_many(foreign_key = "author", primary_key = "email")]
    authored: HasMany<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: String,
    author: Option<i64>,
    #[belongs_to]
    user: BelongsTo<User>,
    #[belongs_to(foreign_key = "author", primary_key = "email")]
    writer: BelongsTo<User>,
}

fn main() {}
