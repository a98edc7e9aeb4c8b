//! Programs of Diesel, as its guide writes them: a `table!` a table, `belonging_to` and `grouped_by`.

use std::fmt::Write as _;

use super::program::Place;

pub(super) fn dependencies(sqlite: &str) -> String {
    format!(
        "diesel = {{ version = \"2.3\", default-features = false, features = [\"sqlite\", \"returning_clauses_for_sqlite_3_35\"] }}\n\
         libsqlite3-sys = {{ version = \"={sqlite}\", features = [\"bundled\"] }}\n"
    )
}

/// What `diesel print-schema` ends with.
pub(super) fn tables_in_one_query(size: usize) -> String {
    let names: Vec<String> = (0..size).map(|number| format!("m{number}s")).collect();
    let tables: String = names.iter().enumerate().map(|(number, name)| format!("use m{number}::{name};\n")).collect();
    format!("\n{tables}\ndiesel::allow_tables_to_appear_in_same_query!({});\n", names.join(", "))
}

/// A table, its struct, and a function that reads rows with what belongs to them.
pub(super) fn model(place: &Place) -> String {
    let number = place.number;
    let edited = place.edited.column();
    let mut model = "use diesel::prelude::*;\n\n".to_owned();
    // Writing to a String cannot fail.
    for parent in place.parents() {
        let _ = writeln!(model, "use super::m{parent}::{{M{parent}, m{parent}s}};");
    }
    if let Some(child) = place.children().next() {
        let _ = writeln!(model, "use super::m{child}::M{child};");
    }
    let keys: String = place.parents().map(|parent| format!("        m{parent}_id -> BigInt,\n")).collect();
    let joins: String = place
        .parents()
        .map(|parent| format!("diesel::joinable!(m{number}s -> m{parent}s (m{parent}_id));\n"))
        .collect();
    let _ = write!(
        model,
        "\ndiesel::table! {{\n    m{number}s (id) {{\n        id -> BigInt,\n        name -> Text,\n        note -> Nullable<Text>,\n        \
         {edited} -> BigInt,\n{keys}    }}\n}}\n{joins}"
    );
    let belongs: String = place.parents().map(|parent| format!("#[diesel(belongs_to(M{parent}))]\n")).collect();
    let associations = if belongs.is_empty() { "" } else { ", Associations" };
    let fields: String = place.parents().map(|parent| format!("    pub m{parent}_id: i64,\n")).collect();
    let _ = write!(
        model,
        "\n#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Identifiable, Insertable, AsChangeset{associations})]\n\
         #[diesel(table_name = m{number}s)]\n{belongs}pub struct M{number} {{\n    pub id: i64,\n    pub name: String,\n    \
         pub note: Option<String>,\n    pub {edited}: i64,\n{fields}}}\n"
    );
    let read = format!(
        "m{number}s::table.filter(m{number}s::name.eq(name)).order(m{number}s::id).select(M{number}::as_select()).load(conn)"
    );
    let _ = match place.children().next() {
        Some(child) => write!(
            model,
            "\npub fn named(conn: &mut SqliteConnection, name: &str) -> QueryResult<Vec<(M{number}, Vec<M{child}>)>> {{\n    \
             let owners: Vec<M{number}> = {read}?;\n    \
             let children = M{child}::belonging_to(&owners).select(M{child}::as_select()).load(conn)?.grouped_by(&owners);\n    \
             Ok(owners.into_iter().zip(children).collect())\n}}\n"
        ),
        None => write!(
            model,
            "\npub fn named(conn: &mut SqliteConnection, name: &str) -> QueryResult<Vec<M{number}>> {{\n    {read}\n}}\n"
        ),
    };
    model
}

pub(super) const PROGRAM: &str = r#"use diesel::connection::SimpleConnection;
use diesel::prelude::*;

diesel::table! { users (id) { id -> BigInt, name -> Text, } }
diesel::table! { posts (id) { id -> BigInt, user_id -> BigInt, title -> Text, } }
diesel::table! { comments (id) { id -> BigInt, post_id -> BigInt, body -> Text, } }
diesel::joinable!(posts -> users (user_id));
diesel::joinable!(comments -> posts (post_id));
diesel::allow_tables_to_appear_in_same_query!(users, posts, comments);

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Identifiable)]
#[diesel(table_name = users)]
pub struct User {
    pub id: i64,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = posts, belongs_to(User))]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
}

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Identifiable, Associations)]
#[diesel(table_name = comments, belongs_to(Post))]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
    pub body: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let conn = &mut SqliteConnection::establish(":memory:")?;
    conn.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)")?;
    conn.batch_execute("CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL)")?;
    conn.batch_execute("CREATE TABLE comments (id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL, body TEXT NOT NULL)")?;
    let ada = diesel::insert_into(users::table)
        .values(users::name.eq("Ada"))
        .returning(User::as_returning())
        .get_result(conn)?;
    let post = diesel::insert_into(posts::table)
        .values((posts::title.eq("First"), posts::user_id.eq(ada.id)))
        .returning(Post::as_returning())
        .get_result(conn)?;
    diesel::insert_into(comments::table)
        .values((comments::body.eq("Well"), comments::post_id.eq(post.id)))
        .execute(conn)?;
    let all: Vec<User> = users::table.order(users::id).select(User::as_select()).load(conn)?;
    let of_users: Vec<Post> = Post::belonging_to(&all).select(Post::as_select()).load(conn)?;
    let of_posts: Vec<Comment> = Comment::belonging_to(&of_users).select(Comment::as_select()).load(conn)?;
    let comments = of_posts.grouped_by(&of_users);
    let posts = of_users.into_iter().zip(comments).grouped_by(&all);
    for (user, posts) in all.iter().zip(posts) {
        for (post, comments) in posts {
            println!("{} {} {}", user.name, post.title, comments.len());
        }
    }
    Ok(())
}
"#;
