use assoc_core::HasMany;
use assoc_macros::Model;

#[derive(Model, Clone)]
#[model(table = "users")]
#[model(table = "people")]
struct User {
    id: i64,
    #[has_many(foreign_key = "user_id", foreign_key = "author_id")]
    posts: HasMany<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

fn main() {}
