//! Models with polymorphic associations, default scopes and discriminators.

use assoc_repo::prelude::*;

use crate::people::{Comment, Post, Team, User};

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub(crate) enum Taggable {
    Post(Post),
    Comment(Comment),
    #[polymorphic(tag = "crew")]
    Team(Team),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "taggings")]
pub(crate) struct Tagging {
    pub(crate) id: i64,
    pub(crate) tag_id: Option<i64>,
    pub(crate) taggable_id: Option<i64>,
    pub(crate) taggable_type: Option<String>,
    #[belongs_to]
    pub(crate) tag: BelongsTo<Option<Tag>>,
    #[belongs_to(polymorphic)]
    pub(crate) taggable: BelongsTo<Option<Taggable>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub(crate) struct Tag {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_many]
    pub(crate) taggings: HasMany<Tagging>,
    #[has_many(through = "taggings", source = "taggable", source_type = "Post")]
    pub(crate) posts: HasManyThrough<Post>,
    #[has_many(
        through = "taggings",
        source = "taggable",
        source_type = "Post",
        distinct,
        order = Post::RANK.desc(),
        limit = 2
    )]
    pub(crate) best_posts: HasManyThrough<Post>,
    #[has_many(through = "taggings", source = "taggable", source_type = "crew")]
    pub(crate) teams: HasManyThrough<Team>,
    #[has_many(through = "posts", source = "user", distinct)]
    pub(crate) users: HasManyThrough<User>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant)] // A user has many associations; boxes are not what this is about.
pub(crate) enum Imageable {
    User(User),
    Post(Post),
    Team(Team),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "images")]
pub(crate) struct Image {
    pub(crate) id: i64,
    pub(crate) imageable_id: i64,
    pub(crate) imageable_type: String,
    pub(crate) rank: Option<i64>,
    #[belongs_to(polymorphic)]
    pub(crate) imageable: BelongsTo<Option<Imageable>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes", default_scope = visible)]
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) parent_id: Option<i64>,
    pub(crate) kind: Option<String>,
    pub(crate) hidden: bool,
    pub(crate) rank: i64,
    #[belongs_to]
    pub(crate) user: BelongsTo<Option<User>>,
    #[belongs_to]
    pub(crate) parent: BelongsTo<Option<Note>>,
    #[has_many(foreign_key = "parent_id")]
    pub(crate) children: HasMany<Note>,
    #[has_one(foreign_key = "parent_id")]
    pub(crate) first_child: HasOne<Option<Note>>,
}

fn visible(notes: Scope<Note>) -> Scope<Note> {
    notes.filter(Note::HIDDEN.eq(false)).order_by(Note::RANK.desc())
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes", discriminator = "kind", tag = "special")]
pub(crate) struct SpecialNote {
    pub(crate) id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) parent_id: Option<i64>,
    pub(crate) kind: Option<String>,
    pub(crate) hidden: bool,
    pub(crate) rank: i64,
    #[belongs_to]
    pub(crate) user: BelongsTo<Option<User>>,
    #[belongs_to]
    pub(crate) parent: BelongsTo<Option<SpecialNote>>,
    #[has_many(foreign_key = "parent_id", order = SpecialNote::RANK.asc())]
    pub(crate) children: HasMany<SpecialNote>,
}
