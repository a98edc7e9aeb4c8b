// A `counter_cache` where no `belongs_to` counts several rows.
use assoc_core::{HasAndBelongsToMany, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[column(counter_cache)]
    accounts_count: i64,
    #[has_one(counter_cache)]
    account: HasOne<Option<Account>>,
    #[has_one(counter_cache = "accounts_count")]
    other_account: HasOne<Option<Account>>,
    #[has_one(counter_cache_active = false)]
    last_account: HasOne<Option<Account>>,
    #[has_and_belongs_to_many(counter_cache = "accounts_count")]
    accounts: HasAndBelongsToMany<Account>,
}

#[derive(Model, Clone)]
struct Account {
    id: i64,
    user_id: i64,
}

fn main() {}
