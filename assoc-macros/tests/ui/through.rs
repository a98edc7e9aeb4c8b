use assoc_core::{BelongsTo, HasMany, HasManyThrough, HasOne};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    name: String,
    #[has_many]
    memberships: HasMany<Membership>,
    #[has_many(through = "membership")]
    groups: HasManyThrough<Membership>,
    #[has_many(through = "name")]
    by_column: HasManyThrough<Membership>,
    #[has_many(through = "itself")]
    itself: HasManyThrough<Membership>,
    #[has_many(through = "there")]
    back: HasManyThrough<Membership>,
    #[has_many(through = "back")]
    there: HasManyThrough<Membership>,
    #[has_one(through = "memberships")]
    group: HasOne<Membership>,
    #[has_one(through = "group")]
    by_analogy: HasOneThrough<Membership>,
    #[has_many(through = "memberships", foreign_key = "user_id", as = "owner")]
    keys: HasManyThrough<Membership>,
    #[has_many(through = "memberships")]
    list: HasMany<Membership>,
    #[has_many]
    nothing: HasManyThrough<Membership>,
    #[has_many(source = "group", source_type = "Group")]
    source: HasMany<Membership>,
    unmarked: HasManyThrough<Membership>,
    #[belongs_to(through = "memberships")]
    wrong_kind: BelongsTo<User>,
    #[has_many(through = "memberships", source = "a b")]
    no_name: HasManyThrough<Membership>,
    #[has_many(through = "friends")]
    friends: HasManyThrough<User>,
    #[has_many(foreign_key = "id")]
    users: HasMany<User>,
    #[has_many(through = "users", source = "far")]
    far: HasManyThrough<User>,
}

#[derive(Model, Clone)]
struct Alone {
    id: i64,
    #[has_many(through = "members")]
    groups: HasManyThrough<Membership>,
}

#[derive(Model, Clone)]
struct Membership {
    id: i64,
    user_id: i64,
}

fn main() {}
