//! Rows that go with others over several levels: trees, rings, two tables that refer to each other, restrictions far below.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "companies")]
pub struct Company {
    pub id: i64,
    #[has_many(dependent = "destroy")]
    pub users: HasMany<User>,
    #[has_many(dependent = "restrict_with_error")]
    pub contracts: HasMany<Contract>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users")]
pub struct User {
    pub id: i64,
    pub company_id: Option<i64>,
    pub main_post_id: Option<i64>,
    #[has_many(dependent = "destroy")]
    pub posts: HasMany<Post>,
    // The other way round: two tables refer to each other.
    #[belongs_to(foreign_key = "main_post_id")]
    pub main_post: BelongsTo<Option<Post>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts")]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    #[has_many(dependent = "destroy")]
    pub comments: HasMany<Comment>,
    #[has_many(dependent = "restrict_with_exception")]
    pub orders: HasMany<Order>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "orders")]
pub struct Order {
    pub id: i64,
    pub post_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "contracts")]
pub struct Contract {
    pub id: i64,
    pub company_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "categories")]
pub struct Category {
    pub id: i64,
    pub parent_id: Option<i64>,
    #[belongs_to]
    pub parent: BelongsTo<Option<Category>>,
    #[has_many(foreign_key = "parent_id", dependent = "destroy")]
    pub children: HasMany<Category>,
    #[has_many(dependent = "delete")]
    pub labels: HasMany<Label>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "labels")]
pub struct Label {
    pub id: i64,
    pub category_id: i64,
}

/// Owns categories that refer to each other.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "catalogs")]
pub struct Catalog {
    pub id: i64,
    // What they refer to among themselves depends on nothing here.
    #[has_many(dependent = "delete")]
    pub entries: HasMany<Entry>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "entries")]
pub struct Entry {
    pub id: i64,
    pub catalog_id: i64,
    pub see_id: Option<i64>,
    #[belongs_to]
    pub see: BelongsTo<Option<Entry>>,
}

/// Each takes its partner along.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "partners")]
pub struct Partner {
    pub id: i64,
    pub partner_id: Option<i64>,
    #[belongs_to(dependent = "destroy")]
    pub partner: BelongsTo<Option<Partner>>,
}

/// A tree over keys that compare by the rules of a collation.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "places", primary_key = "name")]
pub struct Place {
    #[column(length = 20)]
    pub name: String,
    #[column(length = 20)]
    pub inside: Option<String>,
    #[has_many(foreign_key = "inside", dependent = "destroy")]
    pub places: HasMany<Place>,
}

/// An employee takes the empty desk along, and the desk refuses while others sit there.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "employees")]
pub struct Employee {
    pub id: i64,
    pub desk_id: Option<i64>,
    #[belongs_to(dependent = "destroy")]
    pub desk: BelongsTo<Option<Desk>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "desks")]
pub struct Desk {
    pub id: i64,
    #[has_many(dependent = "restrict_with_error")]
    pub employees: HasMany<Employee>,
}

/// Makes tables with foreign keys, and the rows of two companies.
pub async fn companies(repo: &Repo) -> Result<()> {
    for sql in [
        "CREATE TABLE companies (id BIGINT PRIMARY KEY)",
        "CREATE TABLE users (id BIGINT PRIMARY KEY, company_id BIGINT NULL, main_post_id BIGINT NULL, FOREIGN KEY \
         (company_id) REFERENCES companies (id))",
        "CREATE TABLE posts (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, FOREIGN KEY (user_id) REFERENCES users (id))",
        "CREATE TABLE comments (id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL, FOREIGN KEY (post_id) REFERENCES posts \
         (id))",
        "CREATE TABLE orders (id BIGINT PRIMARY KEY, post_id BIGINT NOT NULL, FOREIGN KEY (post_id) REFERENCES posts (id))",
        "CREATE TABLE contracts (id BIGINT PRIMARY KEY, company_id BIGINT NOT NULL, FOREIGN KEY (company_id) REFERENCES \
         companies (id))",
        "INSERT INTO companies (id) VALUES (1), (2)",
        "INSERT INTO users (id, company_id, main_post_id) VALUES (1, 1, NULL), (2, 1, NULL), (3, 2, NULL)",
        "INSERT INTO posts (id, user_id) VALUES (1, 1), (2, 1), (3, 2), (4, 3)",
        "INSERT INTO comments (id, post_id) VALUES (1, 1), (2, 1), (3, 3), (4, 4), (5, 2)",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    Ok(())
}

/// Makes a tree with a foreign key to itself: ids ascend or descend towards the leaves. Two more rows stay.
pub async fn categories(repo: &Repo, ascending: bool) -> Result<()> {
    let rows = match ascending {
        true => "(1, NULL), (2, 1), (3, 1), (4, 2), (5, 4), (8, NULL), (9, 8)",
        false => "(5, NULL), (4, 5), (3, 5), (2, 4), (1, 2), (8, NULL), (9, 8)",
    };
    for sql in [
        "CREATE TABLE categories (id BIGINT PRIMARY KEY, parent_id BIGINT NULL, FOREIGN KEY (parent_id) REFERENCES \
         categories (id))",
        "CREATE TABLE labels (id BIGINT PRIMARY KEY, category_id BIGINT NOT NULL, FOREIGN KEY (category_id) REFERENCES \
         categories (id))",
        &format!("INSERT INTO categories (id, parent_id) VALUES {rows}"),
        "INSERT INTO labels (id, category_id) VALUES (1, 1), (2, 5), (3, 4), (4, 9)",
    ] {
        repo.execute_raw(sql, []).await?;
    }
    Ok(())
}
