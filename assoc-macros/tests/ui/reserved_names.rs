use assoc_core::{BelongsTo, HasMany, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    def: String,
    build_id: i64,
    #[belongs_to]
    build: BelongsTo<Post>,
    #[has_many]
    change: HasMany<Post>,
    #[has_one]
    primary_key: HasOne<Post>,
    #[has_many(accessor = false)]
    clone: HasMany<Post>,
    // Columns have no method, so these are fine.
    value: String,
    key: String,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
