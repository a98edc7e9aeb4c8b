use assoc_core::{BelongsTo, HasMany, HasOne};
use assoc_macros::Model;

#[derive(Clone)]
struct Post {
    user_id: i64,
}

#[derive(Model, Clone)]
struct User {
    id: i64,
    post_id: i64,
    #[has_many]
    posts: HasMany<Post>,
    #[belongs_to]
    post: BelongsTo<Post>,
    #[has_one]
    first: HasOne<Option<Post>>,
}

fn main() {}
