//! What depends on rows, by every rule and kind. Several models share a table and say something else of it each.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

/// Members, one model a rule.
macro_rules! members {
    ($($model:ident $rule:tt)+) => {$(
        #[derive(Model, Debug, Clone, PartialEq)]
        #[model(table = "members")]
        pub struct $model {
            pub id: i64,
            #[has_many(foreign_key = "member_id", dependent = $rule)]
            pub notes: HasMany<Note>,
            // Of several rows the reader takes the first; all of them depend.
            #[has_one(foreign_key = "member_id", dependent = $rule)]
            pub letter: HasOne<Option<Letter>>,
            #[has_many(through = "memberships", source = "group", dependent = $rule)]
            pub groups: HasManyThrough<Group>,
            #[has_many(foreign_key = "member_id")]
            pub memberships: HasMany<Membership>,
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
pub struct Note {
    pub id: i64,
    pub member_id: Option<i64>,
    #[has_many(dependent = "destroy")]
    pub stamps: HasMany<Stamp>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stamps")]
pub struct Stamp {
    pub id: i64,
    pub note_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "letters")]
pub struct Letter {
    pub id: i64,
    pub member_id: Option<i64>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "memberships")]
pub struct Membership {
    pub id: i64,
    pub member_id: Option<i64>,
    pub group_id: Option<i64>,
    #[belongs_to]
    pub group: BelongsTo<Option<Group>>,
    #[has_many(dependent = "destroy")]
    pub fees: HasMany<Fee>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "fees")]
pub struct Fee {
    pub id: i64,
    pub membership_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "circles")]
pub struct Group {
    pub id: i64,
    pub closed: bool,
}

/// Conditions limit what depends, default scopes do not.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members")]
pub struct Choosing {
    pub id: i64,
    #[has_many(foreign_key = "member_id", filter = Task::DONE.eq(false), dependent = "delete")]
    pub open_tasks: HasMany<Task>,
    #[has_many(foreign_key = "member_id", filter = Task::DONE.eq(true), dependent = "nullify")]
    pub done_tasks: HasMany<Task>,
    #[has_many(foreign_key = "member_id", dependent = "destroy")]
    pub cars: HasMany<Car>,
    #[has_many(foreign_key = "member_id")]
    pub memberships: HasMany<Membership>,
    #[has_many(through = "memberships", source = "group", filter = Group::CLOSED.eq(true), dependent = "delete")]
    pub closed_groups: HasManyThrough<Group>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tasks", default_scope = visible)]
pub struct Task {
    pub id: i64,
    pub member_id: Option<i64>,
    pub done: bool,
    pub hidden: bool,
}

fn visible(tasks: Scope<Task>) -> Scope<Task> {
    tasks.filter(Task::HIDDEN.eq(false))
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "vehicles", discriminator = "kind", tag = "car")]
pub struct Car {
    pub id: i64,
    #[column(length = 20)]
    pub kind: String,
    pub member_id: i64,
}

/// Links to tags, and to other members on both sides.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "members")]
pub struct Linked {
    pub id: i64,
    #[has_and_belongs_to_many(join_table = "members_tags", foreign_key = "member_id")]
    pub tags: HasAndBelongsToMany<Tag>,
    // The same links by another name, in another order and of some tags: they are the same rows.
    #[has_and_belongs_to_many(join_table = "members_tags", foreign_key = "member_id", filter = Tag::ID.gt(1), limit = 1)]
    pub later_tags: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(join_table = "friends", foreign_key = "one_id", association_foreign_key = "other_id")]
    pub friends: HasAndBelongsToMany<Linked>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub struct Tag {
    pub id: i64,
}

/// Polymorphic, from both sides.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "galleries")]
pub struct Gallery {
    pub id: i64,
    #[has_many(as = "owner", dependent = "destroy")]
    pub pictures: HasMany<Picture>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves")]
pub struct Shelf {
    pub id: i64,
    #[has_many(as = "owner", dependent = "nullify")]
    pub pictures: HasMany<Picture>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum PictureOwner {
    Gallery(Gallery),
    Shelf(Shelf),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub struct Picture {
    pub id: i64,
    pub owner_id: Option<i64>,
    #[column(length = 20)]
    pub owner_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub owner: BelongsTo<Option<PictureOwner>>,
}

/// A picture that takes its owner with it.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub struct LastPicture {
    pub id: i64,
    pub owner_id: Option<i64>,
    #[column(length = 20)]
    pub owner_type: Option<String>,
    #[belongs_to(polymorphic, dependent = "destroy")]
    pub owner: BelongsTo<Option<PictureOwner>>,
}

/// Keys of two columns, one of which is a part of the dependent row's own.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "rooms", primary_key = "house, number")]
pub struct Room {
    pub house: i64,
    pub number: i64,
    #[has_many(foreign_key = "house, room_number", dependent = "nullify")]
    pub desks: HasMany<Desk>,
    #[has_many(foreign_key = "house, room_number", dependent = "destroy")]
    pub lamps: HasMany<Lamp>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "desks", primary_key = "house, id")]
pub struct Desk {
    pub house: i64,
    pub id: i64,
    pub room_number: Option<i64>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "lamps", primary_key = "house, id")]
pub struct Lamp {
    pub house: i64,
    pub id: i64,
    pub room_number: i64,
    #[has_many(foreign_key = "house, lamp_id", dependent = "delete")]
    pub bulbs: HasMany<Bulb>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bulbs")]
pub struct Bulb {
    pub id: i64,
    pub house: i64,
    pub lamp_id: i64,
}

/// Makes the tables of members, and what depends on three of them.
pub async fn members(repo: &Repo) -> Result<()> {
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
