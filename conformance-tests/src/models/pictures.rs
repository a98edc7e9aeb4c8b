//! Fixture F, polymorphic associations and join tables: pictures of employees and products, taggings of posts and
//! products, categories and friends.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub(crate) enum Imageable {
    Employee(Employee),
    // Stored under another name than the model's.
    #[polymorphic(tag = "product")]
    Product(Product),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub(crate) struct Picture {
    pub(crate) id: i64,
    pub(crate) imageable_id: Option<i64>,
    #[column(length = 40)]
    pub(crate) imageable_type: Option<String>,
    #[belongs_to(polymorphic)]
    pub(crate) imageable: BelongsTo<Option<Imageable>>,
}

/// The same pictures; those of something unknown stay as they are.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "pictures")]
pub(crate) struct AnyPicture {
    pub(crate) id: i64,
    pub(crate) imageable_id: Option<i64>,
    #[column(length = 40)]
    pub(crate) imageable_type: Option<String>,
    #[belongs_to(polymorphic, unknown_type = "not_loaded")]
    pub(crate) imageable: BelongsTo<Option<Imageable>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "employees")]
pub(crate) struct Employee {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) manager_id: Option<i64>,
    #[belongs_to]
    pub(crate) manager: BelongsTo<Option<Employee>>,
    #[has_many(foreign_key = "manager_id")]
    pub(crate) subordinates: HasMany<Employee>,
    #[has_many(as = "imageable")]
    pub(crate) pictures: HasMany<Picture>,
    #[has_one(as = "imageable", order = Picture::ID.desc())]
    pub(crate) portrait: HasOne<Option<Picture>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "products")]
pub(crate) struct Product {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_many(as = "imageable", tag = "product")]
    pub(crate) pictures: HasMany<Picture>,
    #[has_many(as = "taggable")]
    pub(crate) taggings: HasMany<Tagging>,
    #[has_many(through = "taggings")]
    pub(crate) tags: HasManyThrough<Tag>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
pub(crate) enum Taggable {
    Article(Article),
    Product(Product),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "taggings")]
pub(crate) struct Tagging {
    pub(crate) id: i64,
    pub(crate) tag_id: i64,
    pub(crate) taggable_id: i64,
    #[column(length = 40)]
    pub(crate) taggable_type: String,
    #[belongs_to]
    pub(crate) tag: BelongsTo<Tag>,
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
    #[has_many(through = "taggings", source = "taggable", source_type = "Article")]
    pub(crate) tagged_articles: HasManyThrough<Article>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "articles")]
pub(crate) struct Article {
    pub(crate) id: i64,
    pub(crate) title: String,
    #[has_many(as = "taggable")]
    pub(crate) taggings: HasMany<Tagging>,
    #[has_many(through = "taggings")]
    pub(crate) tags: HasManyThrough<Tag>,
    #[has_and_belongs_to_many]
    pub(crate) categories: HasAndBelongsToMany<Category>,
    #[has_and_belongs_to_many(order = Category::NAME.desc(), limit = 1)]
    pub(crate) last_category: HasAndBelongsToMany<Category>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "categories")]
pub(crate) struct Category {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_and_belongs_to_many]
    pub(crate) articles: HasAndBelongsToMany<Article>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "people")]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_and_belongs_to_many(
        join_table = "friendships",
        foreign_key = "this_person_id",
        association_foreign_key = "other_person_id"
    )]
    pub(crate) friends: HasAndBelongsToMany<Person>,
}

/// Makes the tables and fills them.
pub(crate) async fn fixture(repo: &Repo) -> Result<()> {
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
pub(crate) struct Keyword {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_many(foreign_key = "tag_id")]
    pub(crate) taggings: HasMany<Tagging>,
    #[has_many(through = "taggings", source = "taggable", source_type = "Article")]
    pub(crate) articles: HasManyThrough<Article>,
    #[has_many(through = "taggings", source = "taggable", source_type = "Product")]
    pub(crate) products: HasManyThrough<Product>,
}

/// Categories again, by the tags of what is in them.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "categories")]
pub(crate) struct Rubric {
    pub(crate) id: i64,
    pub(crate) name: String,
    #[has_and_belongs_to_many(join_table = "articles_categories", foreign_key = "category_id")]
    pub(crate) articles: HasAndBelongsToMany<Article>,
    #[has_many(through = "articles", source = "tags")]
    pub(crate) article_tags: HasManyThrough<Tag>,
}
