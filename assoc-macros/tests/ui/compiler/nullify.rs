use assoc_core::{HasMany, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many(dependent = "nullify")]
    posts: HasMany<Post>,
    #[has_one(dependent = "nullify")]
    account: HasOne<Option<Account>>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
}

// The foreign key is the key of the row itself.
#[derive(Model, Clone)]
#[model(primary_key = "user_id")]
struct Account {
    user_id: i64,
    number: Option<String>,
}

fn main() {}
