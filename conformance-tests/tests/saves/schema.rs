//! Models with every kind of association that a save can write, over keys of several kinds. A row is known by its `label`,
//! which is never used twice; rows between two others have none.

use std::sync::atomic::{AtomicU64, Ordering};

use assoc_repo::prelude::*;
use uuid::Uuid;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "companies")]
pub(crate) struct Company {
    pub(crate) id: i64,
    pub(crate) label: String,
    #[has_many]
    pub(crate) users: HasMany<User>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users")]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) email: Option<String>,
    pub(crate) company_id: Option<i64>,
    pub(crate) mentor_id: Option<i64>,
    #[belongs_to]
    pub(crate) company: BelongsTo<Option<Company>>,
    #[belongs_to]
    pub(crate) mentor: BelongsTo<Option<User>>,
    #[has_many(foreign_key = "mentor_id")]
    pub(crate) students: HasMany<User>,
    #[has_many]
    pub(crate) posts: HasMany<Post>,
    #[has_many(foreign_key = "user_id", filter = Post::PUBLISHED.eq(true))]
    pub(crate) published_posts: HasMany<Post>,
    #[has_many(foreign_key = "user_id", order = Post::LABEL.desc())]
    pub(crate) sorted_posts: HasMany<Post>,
    #[has_many(through = "posts")]
    pub(crate) comments: HasManyThrough<Comment>,
    #[has_one]
    pub(crate) account: HasOne<Option<Account>>,
    #[has_many]
    pub(crate) memberships: HasMany<Membership>,
    #[has_many(through = "memberships")]
    pub(crate) groups: HasManyThrough<Group>,
    #[has_many(foreign_key = "user_id", filter = Membership::ROLE.eq("chair"))]
    pub(crate) chairs: HasMany<Membership>,
    #[has_many(through = "chairs", source = "group")]
    pub(crate) chaired_groups: HasManyThrough<Group>,
    #[has_many(as = "subject")]
    pub(crate) pictures: HasMany<Picture>,
    #[has_one(as = "subject", filter = Picture::KIND.eq("avatar"))]
    pub(crate) avatar: HasOne<Option<Picture>>,
    #[has_and_belongs_to_many(join_table = "friends", foreign_key = "this_id", association_foreign_key = "other_id")]
    pub(crate) friends: HasAndBelongsToMany<User>,
    #[has_and_belongs_to_many]
    pub(crate) skills: HasAndBelongsToMany<Skill, UserSkill>,
    // By a column that may be NULL, and is another's as well.
    #[has_many(foreign_key = "user_email", primary_key = "email")]
    pub(crate) logins: HasMany<Login>,
    #[has_many(foreign_key = "user_id", dependent = "delete")]
    pub(crate) drafts: HasMany<Draft>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "accounts")]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) user_id: Option<i64>,
    #[belongs_to]
    pub(crate) user: BelongsTo<Option<User>>,
}

/// It goes when it is let go.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "drafts")]
pub(crate) struct Draft {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) user_id: i64,
    #[belongs_to]
    pub(crate) user: BelongsTo<User>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts")]
pub(crate) struct Post {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) user_id: Option<i64>,
    #[column(default = "FALSE")]
    pub(crate) published: bool,
    #[belongs_to]
    pub(crate) user: BelongsTo<Option<User>>,
    #[has_many]
    pub(crate) comments: HasMany<Comment>,
    #[has_and_belongs_to_many]
    pub(crate) tags: HasAndBelongsToMany<Tag>,
    #[has_many(as = "subject", tag = "post")]
    pub(crate) pictures: HasMany<Picture>,
    #[has_many]
    pub(crate) taggings: HasMany<Tagging>,
    #[has_many(through = "taggings")]
    pub(crate) topics: HasManyThrough<Topic>,
    #[has_many(through = "taggings", source = "topic", filter = Topic::OPEN.eq(true))]
    pub(crate) open_topics: HasManyThrough<Topic>,
}

/// Its post is required.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) post_id: i64,
    #[belongs_to]
    pub(crate) post: BelongsTo<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub(crate) struct Tag {
    pub(crate) id: i64,
    pub(crate) label: String,
    #[has_and_belongs_to_many]
    pub(crate) posts: HasAndBelongsToMany<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts_tags")]
pub(crate) struct PostTag {
    pub(crate) post_id: i64,
    pub(crate) tag_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "friends")]
pub(crate) struct Friendship {
    pub(crate) this_id: i64,
    pub(crate) other_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "skills")]
pub(crate) struct Skill {
    pub(crate) id: i64,
    pub(crate) label: String,
}

/// The rows of a join table, which are loaded beside the targets.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users_skills")]
pub(crate) struct UserSkill {
    pub(crate) user_id: i64,
    pub(crate) skill_id: i64,
    pub(crate) level: Option<i64>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "taggings")]
pub(crate) struct Tagging {
    pub(crate) id: i64,
    pub(crate) post_id: i64,
    pub(crate) topic_id: i64,
    #[belongs_to]
    pub(crate) post: BelongsTo<Post>,
    #[belongs_to]
    pub(crate) topic: BelongsTo<Topic>,
}

/// Its key is made by the application.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "topics", primary_key = "code", auto_increment = false)]
pub(crate) struct Topic {
    pub(crate) code: i64,
    pub(crate) label: String,
    #[column(default = "FALSE")]
    pub(crate) open: bool,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "memberships")]
pub(crate) struct Membership {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    pub(crate) group_id: i64,
    #[column(length = 20)]
    pub(crate) role: Option<String>,
    #[belongs_to]
    pub(crate) user: BelongsTo<User>,
    #[belongs_to]
    pub(crate) group: BelongsTo<Group>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "circles")]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) label: String,
    #[has_many]
    pub(crate) memberships: HasMany<Membership>,
    #[has_many(through = "memberships", source = "user")]
    pub(crate) users: HasManyThrough<User>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "models of a test are as large as they are")]
pub(crate) enum Subject {
    User(User),
    #[polymorphic(tag = "post")]
    Post(Post),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub(crate) struct Picture {
    pub(crate) id: i64,
    pub(crate) label: String,
    #[column(length = 20)]
    pub(crate) kind: Option<String>,
    pub(crate) subject_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub(crate) subject: BelongsTo<Option<Subject>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "logins")]
pub(crate) struct Login {
    pub(crate) id: i64,
    pub(crate) label: String,
    #[column(length = 20)]
    pub(crate) user_email: Option<String>,
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
    #[column(length = 20)]
    pub(crate) isbn: String,
    pub(crate) label: String,
    pub(crate) shelf_number: Option<i64>,
    #[belongs_to(foreign_key = "room, shelf_number")]
    pub(crate) shelf: BelongsTo<Option<Shelf>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "countries", primary_key = "code")]
pub(crate) struct Country {
    #[column(length = 20)]
    pub(crate) code: String,
    pub(crate) label: String,
    #[has_many(foreign_key = "country_code")]
    pub(crate) cities: HasMany<City>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "cities")]
pub(crate) struct City {
    pub(crate) id: i32,
    pub(crate) label: String,
    #[column(length = 20)]
    pub(crate) country_code: Option<String>,
    #[belongs_to(foreign_key = "country_code")]
    pub(crate) country: BelongsTo<Option<Country>>,
    #[has_many]
    pub(crate) devices: HasMany<Device>,
}

/// Its key is made before it is inserted, and is not known to who builds it.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "devices")]
pub(crate) struct Device {
    #[column(default_with = new_id)]
    pub(crate) id: Uuid,
    pub(crate) label: String,
    pub(crate) city_id: Option<i32>,
    pub(crate) inside_id: Option<Uuid>,
    #[belongs_to]
    pub(crate) inside: BelongsTo<Option<Device>>,
    #[has_many(foreign_key = "inside_id")]
    pub(crate) parts: HasMany<Device>,
    #[belongs_to]
    pub(crate) city: BelongsTo<Option<City>>,
}

fn new_id() -> Uuid {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Uuid::from_u128(u128::from(NEXT.fetch_add(1, Ordering::Relaxed)))
}

/// All rows of a table that two models share.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "beasts")]
pub(crate) struct Beast {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) keeper_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) kind: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "beasts", discriminator = "kind", tag = "dog")]
pub(crate) struct Dog {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) keeper_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) kind: String,
    #[belongs_to]
    pub(crate) keeper: BelongsTo<Option<Keeper>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "beasts", discriminator = "kind", tag = "cat")]
pub(crate) struct Cat {
    pub(crate) id: i64,
    pub(crate) label: String,
    pub(crate) keeper_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) kind: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "keepers")]
pub(crate) struct Keeper {
    pub(crate) id: i64,
    pub(crate) label: String,
    #[has_many]
    pub(crate) dogs: HasMany<Dog>,
    #[has_one]
    pub(crate) cat: HasOne<Option<Cat>>,
}
