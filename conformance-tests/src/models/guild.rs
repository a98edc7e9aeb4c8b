//! A guild of writers: every kind of association that a save can write, with keys of every kind.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "companies")]
pub(crate) struct Company {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_many]
    pub(crate) users: HasMany<User>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users")]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) name: String,
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
    #[has_many(foreign_key = "user_id", order = Post::TITLE.asc())]
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
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "accounts")]
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) number: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts")]
pub(crate) struct Post {
    pub(crate) id: i64,
    pub(crate) user_id: Option<i64>,
    pub(crate) title: String,
    #[column(default = "FALSE")]
    pub(crate) published: bool,
    #[belongs_to]
    pub(crate) user: BelongsTo<Option<User>>,
    #[has_many]
    pub(crate) comments: HasMany<Comment>,
    #[has_and_belongs_to_many]
    pub(crate) tags: HasAndBelongsToMany<Tag>,
    #[has_many]
    pub(crate) taggings: HasMany<Tagging>,
    #[has_many(through = "taggings")]
    pub(crate) topics: HasManyThrough<Topic>,
}

/// Its post is required.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) post_id: i64,
    pub(crate) body: String,
    #[belongs_to]
    pub(crate) post: BelongsTo<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub(crate) struct Tag {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_and_belongs_to_many]
    pub(crate) posts: HasAndBelongsToMany<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "taggings")]
pub(crate) struct Tagging {
    pub(crate) id: i64,
    pub(crate) post_id: i64,
    pub(crate) topic_id: i64,
    #[belongs_to]
    pub(crate) topic: BelongsTo<Topic>,
}

/// Its key is made by the application.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "topics", primary_key = "code", auto_increment = false)]
pub(crate) struct Topic {
    pub(crate) code: i64,
    pub(crate) name: String,
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
#[model(table = "groups_of_writers")]
pub(crate) struct Group {
    pub(crate) id: i64,
    pub(crate) name: String,
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
    pub(crate) name: String,
    pub(crate) subject_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub(crate) subject: BelongsTo<Option<Subject>>,
}

/// A key of two columns, which its books share.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves", primary_key = "room, number")]
pub(crate) struct Shelf {
    pub(crate) room: i64,
    pub(crate) number: i64,
    #[has_many(foreign_key = "room, shelf_number")]
    pub(crate) books: HasMany<Book>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books", primary_key = "room, isbn")]
pub(crate) struct Book {
    pub(crate) room: i64,
    #[column(length = 20)]
    pub(crate) isbn: String,
    pub(crate) shelf_number: Option<i64>,
    #[belongs_to(foreign_key = "room, shelf_number")]
    pub(crate) shelf: BelongsTo<Option<Shelf>>,
}

/// Two models of one table.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "beasts", discriminator = "kind", tag = "dog")]
pub(crate) struct Dog {
    pub(crate) id: i64,
    pub(crate) owner_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) kind: String,
    pub(crate) name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "keepers")]
pub(crate) struct Keeper {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_many(foreign_key = "owner_id")]
    pub(crate) dogs: HasMany<Dog>,
    #[has_many(foreign_key = "owner_id", autosave = false)]
    pub(crate) known_dogs: HasMany<Dog>,
    #[has_many(foreign_key = "owner_id", autosave = true, validate = false)]
    pub(crate) strays: HasMany<Dog>,
}

/// Makes the tables.
pub(crate) async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Company>().await?;
    repo.create_table::<User>().await?;
    repo.create_table::<Account>().await?;
    repo.create_table::<Post>().await?;
    repo.create_table::<Comment>().await?;
    repo.create_table::<Tag>().await?;
    repo.execute_raw("CREATE TABLE posts_tags (post_id BIGINT NOT NULL, tag_id BIGINT NOT NULL)", []).await?;
    repo.create_table::<Tagging>().await?;
    repo.create_table::<Topic>().await?;
    repo.create_table::<Group>().await?;
    repo.create_table::<Membership>().await?;
    repo.create_table::<Picture>().await?;
    repo.create_table::<Shelf>().await?;
    repo.create_table::<Book>().await?;
    repo.create_table::<Dog>().await?;
    repo.create_table::<Keeper>().await
}
