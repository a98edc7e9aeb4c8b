// What only the compiler sees: which columns the target has, and what they are for.

use assoc_core::BelongsTo;
use assoc_macros::{Model, Polymorphic};

#[derive(Model, Clone)]
struct User {
    id: i64,
    name: String,
    posts_count: i64,
}

#[derive(Model, Clone)]
struct Label {
    id: i64,
    // No integer.
    #[column(counter_cache)]
    text: String,
}

#[derive(Model, Clone)]
struct Team {
    id: i64,
    #[column(counter_cache)]
    posts_count: i64,
    seen_at: Option<String>,
}

#[derive(Polymorphic, Clone)]
enum Owner {
    User(User),
    Team(Team),
}

#[derive(Model, Clone)]
struct Post {
    id: i64,
    user_id: i64,
    owner_id: i64,
    owner_type: String,
    // There is no such column.
    #[belongs_to(foreign_key = "user_id", counter_cache = "post_count")]
    missing: BelongsTo<User>,
    // It counts nothing.
    #[belongs_to(foreign_key = "user_id", counter_cache)]
    unmarked: BelongsTo<User>,
    // There is no `updated_at`.
    #[belongs_to(foreign_key = "user_id", touch)]
    untimed: BelongsTo<User>,
    // It is no time.
    #[belongs_to(foreign_key = "user_id", touch = "name")]
    timeless: BelongsTo<User>,
}

#[derive(Model, Clone)]
struct Mark {
    id: i64,
    owner_id: i64,
    owner_type: String,
    #[belongs_to(polymorphic, counter_cache)]
    owner: BelongsTo<Owner>,
}

#[derive(Model, Clone)]
struct Star {
    id: i64,
    owner_id: i64,
    owner_type: String,
    #[belongs_to(polymorphic, counter_cache = "posts_count")]
    owner: BelongsTo<Owner>,
}

#[derive(Model, Clone)]
struct Flag {
    id: i64,
    owner_id: i64,
    owner_type: String,
    #[belongs_to(polymorphic, touch = "seen_at")]
    owner: BelongsTo<Owner>,
}

fn main() {}
