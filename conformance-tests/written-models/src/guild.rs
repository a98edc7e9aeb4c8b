//! A guild of writers: every kind of association that a save can write, with keys of every kind.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "companies")]
pub struct Company {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub users: HasMany<User>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users")]
pub struct User {
    pub id: i64,
    pub name: String,
    pub company_id: Option<i64>,
    pub mentor_id: Option<i64>,
    #[belongs_to]
    pub company: BelongsTo<Option<Company>>,
    #[belongs_to]
    pub mentor: BelongsTo<Option<User>>,
    #[has_many(foreign_key = "mentor_id")]
    pub students: HasMany<User>,
    #[has_many]
    pub posts: HasMany<Post>,
    #[has_many(foreign_key = "user_id", filter = Post::PUBLISHED.eq(true))]
    pub published_posts: HasMany<Post>,
    #[has_many(foreign_key = "user_id", order = Post::TITLE.asc())]
    pub sorted_posts: HasMany<Post>,
    #[has_many(through = "posts")]
    pub comments: HasManyThrough<Comment>,
    #[has_one]
    pub account: HasOne<Option<Account>>,
    #[has_many]
    pub memberships: HasMany<Membership>,
    #[has_many(through = "memberships")]
    pub groups: HasManyThrough<Group>,
    #[has_many(foreign_key = "user_id", filter = Membership::ROLE.eq("chair"))]
    pub chairs: HasMany<Membership>,
    #[has_many(through = "chairs", source = "group")]
    pub chaired_groups: HasManyThrough<Group>,
    #[has_many(as = "subject")]
    pub pictures: HasMany<Picture>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "accounts")]
pub struct Account {
    pub id: i64,
    pub user_id: Option<i64>,
    pub number: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts")]
pub struct Post {
    pub id: i64,
    pub user_id: Option<i64>,
    pub title: String,
    #[column(default = "FALSE")]
    pub published: bool,
    #[belongs_to]
    pub user: BelongsTo<Option<User>>,
    #[has_many]
    pub comments: HasMany<Comment>,
    #[has_and_belongs_to_many]
    pub tags: HasAndBelongsToMany<Tag>,
    #[has_many]
    pub taggings: HasMany<Tagging>,
    #[has_many(through = "taggings")]
    pub topics: HasManyThrough<Topic>,
}

/// Its post is required.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
    pub body: String,
    #[belongs_to]
    pub post: BelongsTo<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub struct Tag {
    pub id: i64,
    pub name: String,
    #[has_and_belongs_to_many]
    pub posts: HasAndBelongsToMany<Post>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "taggings")]
pub struct Tagging {
    pub id: i64,
    pub post_id: i64,
    pub topic_id: i64,
    #[belongs_to]
    pub topic: BelongsTo<Topic>,
}

/// Its key is made by the application.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "topics", primary_key = "code", auto_increment = false)]
pub struct Topic {
    pub code: i64,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "memberships")]
pub struct Membership {
    pub id: i64,
    pub user_id: i64,
    pub group_id: i64,
    #[column(length = 20)]
    pub role: Option<String>,
    #[belongs_to]
    pub user: BelongsTo<User>,
    #[belongs_to]
    pub group: BelongsTo<Group>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "groups_of_writers")]
pub struct Group {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub memberships: HasMany<Membership>,
    #[has_many(through = "memberships", source = "user")]
    pub users: HasManyThrough<User>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "models of a test are as large as they are")]
pub enum Subject {
    User(User),
    #[polymorphic(tag = "post")]
    Post(Post),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub struct Picture {
    pub id: i64,
    pub name: String,
    pub subject_id: Option<i64>,
    #[column(length = 20)]
    pub subject_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub subject: BelongsTo<Option<Subject>>,
}

/// A key of two columns, which its books share.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shelves", primary_key = "room, number")]
pub struct Shelf {
    pub room: i64,
    pub number: i64,
    #[has_many(foreign_key = "room, shelf_number")]
    pub books: HasMany<Book>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "books", primary_key = "room, isbn")]
pub struct Book {
    pub room: i64,
    #[column(length = 20)]
    pub isbn: String,
    pub shelf_number: Option<i64>,
    #[belongs_to(foreign_key = "room, shelf_number")]
    pub shelf: BelongsTo<Option<Shelf>>,
}

/// Two models of one table.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "beasts", discriminator = "kind", tag = "dog")]
pub struct Dog {
    pub id: i64,
    pub owner_id: Option<i64>,
    #[column(length = 20)]
    pub kind: String,
    pub name: String,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "keepers")]
pub struct Keeper {
    pub id: i64,
    pub name: String,
    #[has_many(foreign_key = "owner_id")]
    pub dogs: HasMany<Dog>,
    #[has_many(foreign_key = "owner_id", autosave = false)]
    pub known_dogs: HasMany<Dog>,
    #[has_many(foreign_key = "owner_id", autosave = true, validate = false)]
    pub strays: HasMany<Dog>,
}

/// Makes the tables.
pub async fn tables(repo: &Repo) -> Result<()> {
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
