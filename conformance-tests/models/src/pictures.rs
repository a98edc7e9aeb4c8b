//! Fixture F, polymorphic associations and join tables: pictures of employees and products, taggings of posts and
//! products, categories and friends.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Imageable {
    Employee(Employee),
    // Stored under another name than the model's.
    #[polymorphic(tag = "product")]
    Product(Product),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub struct Picture {
    pub id: i64,
    pub imageable_id: Option<i64>,
    #[column(length = 40)]
    pub imageable_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub imageable: BelongsTo<Option<Imageable>>,
}

/// The same pictures; those of something unknown stay as they are.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub struct AnyPicture {
    pub id: i64,
    pub imageable_id: Option<i64>,
    #[column(length = 40)]
    pub imageable_type: Option<String>,
    #[belongs_to(polymorphic, unknown_type = "not_loaded")]
    pub imageable: BelongsTo<Option<Imageable>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "employees")]
pub struct Employee {
    pub id: i64,
    pub name: String,
    pub manager_id: Option<i64>,
    #[belongs_to]
    pub manager: BelongsTo<Option<Employee>>,
    #[has_many(foreign_key = "manager_id")]
    pub subordinates: HasMany<Employee>,
    #[has_many(as = "imageable")]
    pub pictures: HasMany<Picture>,
    #[has_one(as = "imageable", order = Picture::ID.desc())]
    pub portrait: HasOne<Option<Picture>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "products")]
pub struct Product {
    pub id: i64,
    pub name: String,
    #[has_many(as = "imageable", tag = "product")]
    pub pictures: HasMany<Picture>,
    #[has_many(as = "taggable")]
    pub taggings: HasMany<Tagging>,
    #[has_many(through = "taggings")]
    pub tags: HasManyThrough<Tag>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub enum Taggable {
    Article(Article),
    Product(Product),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "taggings")]
pub struct Tagging {
    pub id: i64,
    pub tag_id: i64,
    pub taggable_id: i64,
    #[column(length = 40)]
    pub taggable_type: String,
    #[belongs_to]
    pub tag: BelongsTo<Tag>,
    #[belongs_to(polymorphic)]
    pub taggable: BelongsTo<Option<Taggable>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub struct Tag {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub taggings: HasMany<Tagging>,
    #[has_many(through = "taggings", source = "taggable", source_type = "Article")]
    pub tagged_articles: HasManyThrough<Article>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "articles")]
pub struct Article {
    pub id: i64,
    pub title: String,
    #[has_many(as = "taggable")]
    pub taggings: HasMany<Tagging>,
    #[has_many(through = "taggings")]
    pub tags: HasManyThrough<Tag>,
    #[has_and_belongs_to_many]
    pub categories: HasAndBelongsToMany<Category>,
    #[has_and_belongs_to_many(order = Category::NAME.desc(), limit = 1)]
    pub last_category: HasAndBelongsToMany<Category>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "categories")]
pub struct Category {
    pub id: i64,
    pub name: String,
    #[has_and_belongs_to_many]
    pub articles: HasAndBelongsToMany<Article>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "people")]
pub struct Person {
    pub id: i64,
    pub name: String,
    #[has_and_belongs_to_many(
        join_table = "friendships",
        foreign_key = "this_person_id",
        association_foreign_key = "other_person_id"
    )]
    pub friends: HasAndBelongsToMany<Person>,
}

/// Makes the tables and fills them.
pub async fn fixture(repo: &Repo) -> Result<()> {
    repo.create_table::<Picture>().await?;
    repo.create_table::<Employee>().await?;
    repo.create_table::<Product>().await?;
    repo.create_table::<Tagging>().await?;
    repo.create_table::<Tag>().await?;
    repo.create_table::<Article>().await?;
    repo.create_table::<Category>().await?;
    repo.create_table::<Person>().await?;
    repo.execute_raw("CREATE TABLE articles_categories (article_id BIGINT NOT NULL, category_id BIGINT NOT NULL)", [])
        .await?;
    repo.execute_raw("CREATE TABLE friendships (this_person_id BIGINT NOT NULL, other_person_id BIGINT NOT NULL)", [])
        .await?;
    let employee =
        |name, manager: Option<i64>| Employee::build().set(Employee::NAME, name).set(Employee::MANAGER_ID, manager);
    repo.insert_all([employee("boss", None), employee("emp2", Some(1)), employee("emp3", Some(1))]).await?;
    repo.insert_all(["thing", "gadget"].map(|name| Product::build().set(Product::NAME, name))).await?;
    let picture = |id: Option<i64>, tag: Option<&str>| {
        Picture::build().set(Picture::IMAGEABLE_ID, id).set(Picture::IMAGEABLE_TYPE, tag.map(str::to_owned))
    };
    // Employee 2, product 1, employee 3, none; then employee 2 again and an employee that is gone.
    repo.insert_all([
        picture(Some(2), Some("Employee")),
        picture(Some(1), Some("product")),
        picture(Some(3), Some("Employee")),
        picture(None, None),
        picture(Some(2), Some("Employee")),
        picture(Some(99), Some("Employee")),
    ])
    .await?;
    repo.insert_all(["rust", "sql"].map(|name| Tag::build().set(Tag::NAME, name))).await?;
    repo.insert_all(["A1", "A2", "A3"].map(|title| Article::build().set(Article::TITLE, title))).await?;
    let tagging = |tag: i64, id: i64, kind| {
        Tagging::build().set(Tagging::TAG_ID, tag).set(Tagging::TAGGABLE_ID, id).set(Tagging::TAGGABLE_TYPE, kind)
    };
    // An article and a product share the id 1.
    repo.insert_all([
        tagging(1, 1, "Article"),
        tagging(2, 1, "Article"),
        tagging(1, 3, "Article"),
        tagging(2, 1, "Product"),
    ])
    .await?;
    repo.insert_all(["k1", "k2"].map(|name| Category::build().set(Category::NAME, name))).await?;
    repo.execute_raw("INSERT INTO articles_categories VALUES (1, 2), (1, 1), (3, 1), (1, 1), (2, 9)", []).await?;
    repo.insert_all(["Ann", "Bob", "Cyd"].map(|name| Person::build().set(Person::NAME, name))).await?;
    repo.execute_raw("INSERT INTO friendships VALUES (1, 2), (2, 3), (1, 3)", []).await?;
    Ok(())
}

/// Tags again, by everything they are put on.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub struct Keyword {
    pub id: i64,
    pub name: String,
    #[has_many(foreign_key = "tag_id")]
    pub taggings: HasMany<Tagging>,
    #[has_many(through = "taggings", source = "taggable", source_type = "Article")]
    pub articles: HasManyThrough<Article>,
    #[has_many(through = "taggings", source = "taggable", source_type = "Product")]
    pub products: HasManyThrough<Product>,
}

/// Categories again, by the tags of what is in them.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "categories")]
pub struct Rubric {
    pub id: i64,
    pub name: String,
    #[has_and_belongs_to_many(join_table = "articles_categories", foreign_key = "category_id")]
    pub articles: HasAndBelongsToMany<Article>,
    #[has_many(through = "articles", source = "tags")]
    pub article_tags: HasManyThrough<Tag>,
}
