//! An owner with associations of every kind that a handle can write. A row is known by its `label`, which is never used
//! twice; rows between two others have none.

use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "owners")]
pub(crate) struct Owner {
    pub(crate) id: i64,
    pub(crate) label: String,
    #[column(counter_cache)]
    pub(crate) items_count: i64,
    pub(crate) chief_id: Option<i64>,
    #[belongs_to]
    pub(crate) chief: BelongsTo<Option<Owner>>,
    #[has_many(foreign_key = "chief_id")]
    pub(crate) reports: HasMany<Owner>,

    // The same rows by keys of different columns, each with its own rule for what is let go.
    #[has_many(foreign_key = "plain_id")]
    pub(crate) plain: HasMany<Item>,
    #[has_many(foreign_key = "plain_id", filter = Item::OPEN.eq(true))]
    pub(crate) opened: HasMany<Item>,
    #[has_many(foreign_key = "plain_id", order = Item::LABEL.desc())]
    pub(crate) sorted: HasMany<Item>,
    #[has_many(foreign_key = "nullified_id", dependent = "nullify")]
    pub(crate) nullified: HasMany<Item>,
    #[has_many(foreign_key = "deleted_id", dependent = "delete")]
    pub(crate) deleted: HasMany<Item>,
    #[has_many(foreign_key = "destroyed_id", dependent = "destroy")]
    pub(crate) destroyed: HasMany<Item>,
    #[has_many(foreign_key = "restricted_id", dependent = "restrict_with_error")]
    pub(crate) restricted: HasMany<Item>,
    #[has_many(foreign_key = "counted_id")]
    pub(crate) counted: HasMany<Item>,
    #[has_many]
    pub(crate) parts: HasMany<Part>,
    #[has_many(as = "subject")]
    pub(crate) notes: HasMany<Note>,

    #[has_many]
    pub(crate) memberships: HasMany<Membership>,
    #[has_many(through = "memberships")]
    pub(crate) groups: HasManyThrough<Group>,
    #[has_many(foreign_key = "owner_id", filter = Membership::ROLE.eq("chair"))]
    pub(crate) chairs: HasMany<Membership>,
    #[has_many(through = "chairs", source = "group")]
    pub(crate) chaired: HasManyThrough<Group>,
    #[has_many(through = "memberships", source = "group", filter = Group::OPEN.eq(true))]
    pub(crate) open_groups: HasManyThrough<Group>,
    #[has_many(through = "memberships", source = "group", dependent = "destroy")]
    pub(crate) left_groups: HasManyThrough<Group>,
    #[has_and_belongs_to_many]
    pub(crate) tags: HasAndBelongsToMany<Tag>,
    #[has_and_belongs_to_many(join_table = "friends", foreign_key = "this_id", association_foreign_key = "other_id")]
    pub(crate) friends: HasAndBelongsToMany<Owner>,

    #[has_one(foreign_key = "plain_id")]
    pub(crate) card: HasOne<Option<Card>>,
    #[has_one(foreign_key = "deleted_id", dependent = "delete")]
    pub(crate) deleted_card: HasOne<Option<Card>>,
    #[has_one(foreign_key = "destroyed_id", dependent = "destroy")]
    pub(crate) destroyed_card: HasOne<Option<Card>>,
    #[has_one(as = "subject", filter = Note::OPEN.eq(true))]
    pub(crate) cover: HasOne<Option<Note>>,
    #[has_one]
    pub(crate) seat: HasOne<Option<Seat>>,
    #[has_one(through = "seat")]
    pub(crate) club: HasOne<Option<Group>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "items")]
pub(crate) struct Item {
    pub(crate) id: i64,
    #[column(length = 40)]
    pub(crate) label: String,
    #[column(default = "FALSE")]
    pub(crate) open: bool,
    pub(crate) plain_id: Option<i64>,
    pub(crate) nullified_id: Option<i64>,
    pub(crate) deleted_id: Option<i64>,
    pub(crate) destroyed_id: Option<i64>,
    pub(crate) restricted_id: Option<i64>,
    pub(crate) counted_id: Option<i64>,
    #[belongs_to]
    pub(crate) plain: BelongsTo<Option<Owner>>,
    #[belongs_to(counter_cache = "items_count")]
    pub(crate) counted: BelongsTo<Option<Owner>>,
    #[has_many(dependent = "destroy")]
    pub(crate) remarks: HasMany<Remark>,
    #[has_many(dependent = "restrict_with_error")]
    pub(crate) stamps: HasMany<Stamp>,
}

/// It goes with its item.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "remarks")]
pub(crate) struct Remark {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) item_id: i64,
}

/// It keeps its item.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "stamps")]
pub(crate) struct Stamp {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) item_id: i64,
}

/// Its owner is required.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "parts")]
pub(crate) struct Part {
    pub(crate) id: i64,
    #[column(length = 40)]
    pub(crate) label: String,
    pub(crate) owner_id: i64,
    #[belongs_to]
    pub(crate) owner: BelongsTo<Owner>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "models of a test are as large as they are")]
pub(crate) enum Subject {
    Owner(Owner),
    #[polymorphic(tag = "item")]
    Item(Item),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes")]
pub(crate) struct Note {
    pub(crate) id: i64,
    #[column(length = 40)]
    pub(crate) label: String,
    #[column(default = "FALSE")]
    pub(crate) open: bool,
    pub(crate) subject_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub(crate) subject: BelongsTo<Option<Subject>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "memberships")]
pub(crate) struct Membership {
    pub(crate) id: i64,
    pub(crate) owner_id: i64,
    pub(crate) group_id: i64,
    #[column(length = 20)]
    pub(crate) role: Option<String>,
    #[belongs_to]
    pub(crate) owner: BelongsTo<Owner>,
    #[belongs_to]
    pub(crate) group: BelongsTo<Group>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "circles")]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) label: String,
    #[column(default = "FALSE")]
    pub(crate) open: bool,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub(crate) struct Tag {
    pub(crate) id: i64,
    pub(crate) label: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "owners_tags")]
pub(crate) struct OwnerTag {
    pub(crate) owner_id: i64,
    pub(crate) tag_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "friends")]
pub(crate) struct Friendship {
    pub(crate) this_id: i64,
    pub(crate) other_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "cards")]
pub(crate) struct Card {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) plain_id: Option<i64>,
    pub(crate) deleted_id: Option<i64>,
    pub(crate) destroyed_id: Option<i64>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "seats")]
pub(crate) struct Seat {
    pub(crate) id: i64,
    pub(crate) owner_id: i64,
    pub(crate) club_id: i64,
    #[belongs_to]
    pub(crate) club: BelongsTo<Group>,
}

/// A key of two columns, one of which is a part of its books' own.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves", primary_key = "room, number")]
pub(crate) struct Shelf {
    pub(crate) room: i64,
    pub(crate) number: i64,
    pub(crate) label: String,
    #[has_many(foreign_key = "room, shelf_number")]
    pub(crate) books: HasMany<Book>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books", primary_key = "room, isbn")]
pub(crate) struct Book {
    pub(crate) room: i64,
    #[column(length = 40)]
    pub(crate) isbn: String,
    pub(crate) label: String,
    pub(crate) shelf_number: Option<i64>,
    #[belongs_to(foreign_key = "room, shelf_number")]
    pub(crate) shelf: BelongsTo<Option<Shelf>>,
}
