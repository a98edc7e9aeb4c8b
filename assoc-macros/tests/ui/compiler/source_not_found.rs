use assoc_core::{BelongsTo, HasMany, HasManyThrough};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many]
    memberships: HasMany<Membership>,
    #[has_many(through = "memberships")]
    clubs: HasManyThrough<Group>,
    #[has_many(through = "memberships", source = "grop")]
    groups: HasManyThrough<Group>,
    #[has_many(through = "memberships", source = "user")]
    users: HasManyThrough<Group>,
    #[has_many(through = "memberships", source = "group", source_type = "Group")]
    typed: HasManyThrough<Group>,
    #[has_many(through = "memberships", source_type = "Group")]
    untyped: HasManyThrough<Group>,
}

#[derive(Model, Clone)]
struct Membership {
    id: i64,
    user_id: i64,
    group_id: i64,
    #[belongs_to]
    user: BelongsTo<User>,
    #[belongs_to]
    group: BelongsTo<Group>,
}

#[derive(Model, Clone)]
struct Group {
    id: i64,
}

fn main() {}
