use assoc_core::{HasMany, HasManyThrough};
use assoc_macros::Model;

#[derive(Model, Clone)]
struct User {
    id: i64,
    #[has_many]
    memberships: HasMany<elsewhere::Membership>,
    #[has_many(through = "memberships")]
    groups: HasManyThrough<elsewhere::Group>,
}

mod elsewhere {
    use assoc_core::BelongsTo;
    use assoc_macros::Model;

    #[derive(Model, Clone)]
    pub(crate) struct Membership {
        id: i64,
        pub(crate) user_id: i64,
        group_id: i64,
        #[belongs_to]
        group: BelongsTo<Group>,
    }

    #[derive(Model, Clone)]
    pub(crate) struct Group {
        id: i64,
    }
}

fn main() {}
