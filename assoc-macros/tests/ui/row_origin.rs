use assoc_core::{HasMany, RowOrigin};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    origin: RowOrigin,
    again: RowOrigin,
    #[column(name = "source")]
    third: assoc_core::RowOrigin,
    #[has_many]
    origins: HasMany<RowOrigin>,
    #[has_many(foreign_key = "origin", primary_key = "origin")]
    posts: HasMany<Post>,
    #[has_many(readonly = true)]
    fixed: HasMany<Post>,
}

fn main() {}
