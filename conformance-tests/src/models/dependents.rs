//! What depends on rows, by every rule and kind. Several models share a table and say something else of it each.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

/// Members, one model a rule.
macro_rules! members {
    ($($model:ident $rule:tt)+) => {$(
        #[derive(Model, Debug, Clone, PartialEq)]
        #[model(table = "members")]
        pub(crate) struct $model {
            pub(crate) id: i64,
            #[has_many(foreign_key = "member_id", dependent = $rule)]
            pub(crate) notes: HasMany<Note>,
            // Of several rows the reader takes the first; all of them depend.
            #[has_one(foreign_key = "member_id", dependent = $rule)]
            pub(crate) letter: HasOne<Option<Letter>>,
            #[has_many(through = "memberships", source = "group", dependent = $rule)]
            pub(crate) groups: HasManyThrough<Group>,
            #[has_many(foreign_key = "member_id")]
            pub(crate) memberships: HasMany<Membership>,
        }
    )+};
}

members! {
    Destroying "destroy"
    Deleting "delete"
    Nullifying "nullify"
    Restricting "restrict_with_error"
    Excepting "restrict_with_exception"
    Leaving "database"
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes")]
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) member_id: Option<i64>,
    #[has_many(dependent = "destroy")]
    pub(crate) stamps: HasMany<Stamp>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stamps")]
pub(crate) struct Stamp {
    pub(crate) id: i64,
    pub(crate) note_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "letters")]
pub(crate) struct Letter {
    pub(crate) id: i64,
    pub(crate) member_id: Option<i64>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "memberships")]
pub(crate) struct Membership {
    pub(crate) id: i64,
    pub(crate) member_id: Option<i64>,
    pub(crate) group_id: Option<i64>,
    #[belongs_to]
    pub(crate) group: BelongsTo<Option<Group>>,
    #[has_many(dependent = "destroy")]
    pub(crate) fees: HasMany<Fee>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "fees")]
pub(crate) struct Fee {
    pub(crate) id: i64,
    pub(crate) membership_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "circles")]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) closed: bool,
}

/// Conditions limit what depends, default scopes do not.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members")]
pub(crate) struct Choosing {
    pub(crate) id: i64,
    #[has_many(foreign_key = "member_id", filter = Task::DONE.eq(false), dependent = "delete")]
    pub(crate) open_tasks: HasMany<Task>,
    #[has_many(foreign_key = "member_id", filter = Task::DONE.eq(true), dependent = "nullify")]
    pub(crate) done_tasks: HasMany<Task>,
    #[has_many(foreign_key = "member_id", dependent = "destroy")]
    pub(crate) cars: HasMany<Car>,
    #[has_many(foreign_key = "member_id")]
    pub(crate) memberships: HasMany<Membership>,
    #[has_many(through = "memberships", source = "group", filter = Group::CLOSED.eq(true), dependent = "delete")]
    pub(crate) closed_groups: HasManyThrough<Group>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tasks", default_scope = visible)]
pub(crate) struct Task {
    pub(crate) id: i64,
    pub(crate) member_id: Option<i64>,
    pub(crate) done: bool,
    pub(crate) hidden: bool,
}

fn visible(tasks: Scope<Task>) -> Scope<Task> {
    tasks.filter(Task::HIDDEN.eq(false))
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "vehicles", discriminator = "kind", tag = "car")]
pub(crate) struct Car {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) kind: String,
    pub(crate) member_id: i64,
}

/// Links to tags, and to other members on both sides.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members")]
pub(crate) struct Linked {
    pub(crate) id: i64,
    #[has_and_belongs_to_many(join_table = "members_tags", foreign_key = "member_id")]
    pub(crate) tags: HasAndBelongsToMany<Tag>,
    // The same links by another name, in another order and of some tags: they are the same rows.
    #[has_and_belongs_to_many(join_table = "members_tags", foreign_key = "member_id", filter = Tag::ID.gt(1), limit = 1)]
    pub(crate) later_tags: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(join_table = "friends", foreign_key = "one_id", association_foreign_key = "other_id")]
    pub(crate) friends: HasAndBelongsToMany<Linked>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub(crate) struct Tag {
    pub(crate) id: i64,
}

/// Polymorphic, from both sides.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "galleries")]
pub(crate) struct Gallery {
    pub(crate) id: i64,
    #[has_many(as = "owner", dependent = "destroy")]
    pub(crate) pictures: HasMany<Picture>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves")]
pub(crate) struct Shelf {
    pub(crate) id: i64,
    #[has_many(as = "owner", dependent = "nullify")]
    pub(crate) pictures: HasMany<Picture>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub(crate) enum PictureOwner {
    Gallery(Gallery),
    Shelf(Shelf),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub(crate) struct Picture {
    pub(crate) id: i64,
    pub(crate) owner_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) owner_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub(crate) owner: BelongsTo<Option<PictureOwner>>,
}

/// A picture that takes its owner with it.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub(crate) struct LastPicture {
    pub(crate) id: i64,
    pub(crate) owner_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) owner_type: Option<String>,
    #[belongs_to(polymorphic, dependent = "destroy")]
    pub(crate) owner: BelongsTo<Option<PictureOwner>>,
}

/// Keys of two columns, one of which is a part of the dependent row's own.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "rooms", primary_key = "house, number")]
pub(crate) struct Room {
    pub(crate) house: i64,
    pub(crate) number: i64,
    #[has_many(foreign_key = "house, room_number", dependent = "nullify")]
    pub(crate) desks: HasMany<Desk>,
    #[has_many(foreign_key = "house, room_number", dependent = "destroy")]
    pub(crate) lamps: HasMany<Lamp>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "desks", primary_key = "house, id")]
pub(crate) struct Desk {
    pub(crate) house: i64,
    pub(crate) id: i64,
    pub(crate) room_number: Option<i64>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "lamps", primary_key = "house, id")]
pub(crate) struct Lamp {
    pub(crate) house: i64,
    pub(crate) id: i64,
    pub(crate) room_number: i64,
    #[has_many(foreign_key = "house, lamp_id", dependent = "delete")]
    pub(crate) bulbs: HasMany<Bulb>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bulbs")]
pub(crate) struct Bulb {
    pub(crate) id: i64,
    pub(crate) house: i64,
    pub(crate) lamp_id: i64,
}

/// Makes the tables of members, and what depends on three of them.
pub(crate) async fn members(repo: &Repo) -> Result<()> {
    repo.create_table::<Destroying>().await?;
    repo.create_table::<Note>().await?;
    repo.create_table::<Stamp>().await?;
    repo.create_table::<Letter>().await?;
    repo.create_table::<Membership>().await?;
    repo.create_table::<Fee>().await?;
    repo.create_table::<Group>().await?;
    repo.create_table::<Task>().await?;
    repo.create_table::<Car>().await?;
    repo.create_table::<Tag>().await?;
    for sql in [
        "CREATE TABLE members_tags (member_id BIGINT NOT NULL, tag_id BIGINT NOT NULL)",
        "CREATE TABLE friends (one_id BIGINT NOT NULL, other_id BIGINT NOT NULL)",
        "INSERT INTO members (id) VALUES (1), (2), (3)",
        "INSERT INTO notes (id, member_id) VALUES (1, 1), (2, 2), (3, 1), (4, NULL)",
        "INSERT INTO stamps (id, note_id) VALUES (1, 1), (2, 2), (3, 3), (4, 3)",
        "INSERT INTO letters (id, member_id) VALUES (1, 1), (2, 1), (3, 2)",
        "INSERT INTO circles (id, closed) VALUES (1, FALSE), (2, TRUE)",
        // One leads to no group, and one to a group that is gone.
        "INSERT INTO memberships (id, member_id, group_id) VALUES (1, 1, 1), (2, 1, 2), (3, 2, 1), (4, 1, NULL), (5, 1, 9)",
        "INSERT INTO fees (id, membership_id) VALUES (1, 1), (2, 3), (3, 5)",
        "INSERT INTO tasks (id, member_id, done, hidden) VALUES (1, 1, FALSE, FALSE), (2, 1, FALSE, TRUE), (3, 1, TRUE, \
         TRUE), (4, 2, FALSE, FALSE)",
        "INSERT INTO vehicles (id, kind, member_id) VALUES (1, 'car', 1), (2, 'truck', 1), (3, 'car', 2)",
        "INSERT INTO tags (id) VALUES (1), (2)",
        "INSERT INTO members_tags (member_id, tag_id) VALUES (1, 1), (1, 2), (1, 2), (2, 1), (1, 9)",
        "INSERT INTO friends (one_id, other_id) VALUES (1, 2), (2, 1), (2, 3), (3, 1)",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    Ok(())
}
