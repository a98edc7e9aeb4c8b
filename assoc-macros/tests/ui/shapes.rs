use assoc_core::{BelongsTo, HasMany, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(tag = "x", default_scope = 1)]
struct User {
    id: i64,
    #[has_many(scope = 1, limit = "3", offset = many, filter, readonly = true)]
    posts: HasMany<Post>,
    #[has_many(distinct, inverse_of = true)]
    drafts: HasMany<Post>,
    #[has_one(limit = 1, distinct)]
    first: HasOne<Post>,
    #[belongs_to(limit = 1, offset = 1, optional, foreign_key = "id")]
    other: BelongsTo<User>,
    #[has_many(scope = "not a path", scope_by_owner)]
    wrong: HasMany<Post>,
}

#[derive(Model, Clone)]
#[model(discriminator = "knd")]
struct Post {
    id: i64,
    user_id: i64,
    kind: String,
}

fn main() {}
