//! Rows that go with others over several levels: trees, rings, two tables that refer to each other, restrictions far below.

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "companies")]
pub(crate) struct Company {
    pub(crate) id: i64,
    #[has_many(dependent = "destroy")]
    pub(crate) users: HasMany<User>,
    #[has_many(dependent = "restrict_with_error")]
    pub(crate) contracts: HasMany<Contract>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "users")]
pub(crate) struct User {
    pub(crate) id: i64,
    pub(crate) company_id: Option<i64>,
    pub(crate) main_post_id: Option<i64>,
    #[has_many(dependent = "destroy")]
    pub(crate) posts: HasMany<Post>,
    // The other way round: two tables refer to each other.
    #[belongs_to(foreign_key = "main_post_id")]
    pub(crate) main_post: BelongsTo<Option<Post>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "posts")]
pub(crate) struct Post {
    pub(crate) id: i64,
    pub(crate) user_id: i64,
    #[has_many(dependent = "destroy")]
    pub(crate) comments: HasMany<Comment>,
    #[has_many(dependent = "restrict_with_exception")]
    pub(crate) orders: HasMany<Order>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "comments")]
pub(crate) struct Comment {
    pub(crate) id: i64,
    pub(crate) post_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "orders")]
pub(crate) struct Order {
    pub(crate) id: i64,
    pub(crate) post_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "contracts")]
pub(crate) struct Contract {
    pub(crate) id: i64,
    pub(crate) company_id: i64,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "categories")]
pub(crate) struct Category {
    pub(crate) id: i64,
    pub(crate) parent_id: Option<i64>,
    #[belongs_to]
    pub(crate) parent: BelongsTo<Option<Category>>,
    #[has_many(foreign_key = "parent_id", dependent = "destroy")]
    pub(crate) children: HasMany<Category>,
    #[has_many(dependent = "delete")]
    pub(crate) labels: HasMany<Label>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "labels")]
pub(crate) struct Label {
    pub(crate) id: i64,
    pub(crate) category_id: i64,
}

/// Owns categories that refer to each other.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "catalogs")]
pub(crate) struct Catalog {
    pub(crate) id: i64,
    // What they refer to among themselves depends on nothing here.
    #[has_many(dependent = "delete")]
    pub(crate) entries: HasMany<Entry>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "entries")]
pub(crate) struct Entry {
    pub(crate) id: i64,
    pub(crate) catalog_id: i64,
    pub(crate) see_id: Option<i64>,
    #[belongs_to]
    pub(crate) see: BelongsTo<Option<Entry>>,
}

/// Each takes its partner along.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "partners")]
pub(crate) struct Partner {
    pub(crate) id: i64,
    pub(crate) partner_id: Option<i64>,
    #[belongs_to(dependent = "destroy")]
    pub(crate) partner: BelongsTo<Option<Partner>>,
}

/// A tree over keys that compare by the rules of a collation.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "places", primary_key = "name")]
pub(crate) struct Place {
    #[column(length = 20)]
    pub(crate) name: String,
    #[column(length = 20)]
    pub(crate) inside: Option<String>,
    #[has_many(foreign_key = "inside", dependent = "destroy")]
    pub(crate) places: HasMany<Place>,
}

/// An employee takes the empty desk along, and the desk refuses while others sit there.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "employees")]
pub(crate) struct Employee {
    pub(crate) id: i64,
    pub(crate) desk_id: Option<i64>,
    #[belongs_to(dependent = "destroy")]
    pub(crate) desk: BelongsTo<Option<Desk>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "desks")]
pub(crate) struct Desk {
    pub(crate) id: i64,
    #[has_many(dependent = "restrict_with_error")]
    pub(crate) employees: HasMany<Employee>,
}

/// Makes tables with foreign keys, and the rows of two companies.
pub(crate) async fn companies(repo: &Repo) -> Result<()> {
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
pub(crate) async fn categories(repo: &Repo, ascending: bool) -> Result<()> {
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
