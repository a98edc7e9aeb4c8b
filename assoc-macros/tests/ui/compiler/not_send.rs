use std::rc::Rc;

use assoc_core::{BelongsTo, HasMany};
use assoc_macros::Model;

// Only the models beside it hear of it.
#[derive(Model, Clone)]
struct Account {
    id: i64,
    #[has_many]
    users: HasMany<User>,
}

#[derive(Model, Clone)]
struct User {
    id: i64,
    account_id: i64,
    #[belongs_to]
    account: BelongsTo<Account>,
    #[has_many]
    posts: HasMany<Post>,
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    #[belongs_to]
    user: BelongsTo<User>,
    #[model(skip)]
    shown: Rc<String>,
}

fn main() {}
