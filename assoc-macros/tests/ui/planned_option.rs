use assoc_core::{BelongsTo, HasMany, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many(counter_cache)]
    posts: HasMany<Post>,
    #[has_one(touch)]
    first: HasOne<Post>,
    #[belongs_to(counter_cache)]
    company: BelongsTo<User>,
    company_id: i64,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
