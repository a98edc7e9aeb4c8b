use assoc_core::{HasMany, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many]
    pages: HasMany<Page>,
    #[has_one(foreign_key = "owner_id")]
    page: HasOne<Page>,
}

#[derive(Model, Clone)]
struct Page {
    id: i64,
    author_id: i64,
}

fn main() {}
