//! Programs of assoc.

use std::fmt::Write as _;
use std::path::Path;

use super::program::Place;

pub(super) fn dependencies(root: &Path) -> String {
    // A literal string of TOML: a path may have backslashes.
    let repo = root.join("assoc-repo").display().to_string();
    format!("assoc-repo = {{ path = '{repo}', features = [\"sqlite\"] }}\npollster = \"1\"\n")
}

/// Models and a function that reads them with what belongs to them.
pub(super) fn model(place: &Place) -> String {
    let number = place.number;
    let edited = place.edited.column();
    let mut model = "use assoc_repo::prelude::*;\n\n".to_owned();
    // Writing to a String cannot fail.
    for other in place.parents().chain(place.children()) {
        let _ = writeln!(model, "use super::m{other}::M{other};");
    }
    let _ = write!(
        model,
        "\n#[derive(Clone, Debug, PartialEq, Model)]\npub struct M{number} {{\n    pub id: i64,\n    pub name: String,\n    \
         pub note: Option<String>,\n    pub {edited}: i64,\n"
    );
    for parent in place.parents() {
        let _ =
            write!(model, "    pub m{parent}_id: i64,\n    #[belongs_to]\n    pub m{parent}: BelongsTo<M{parent}>,\n");
    }
    for child in place.children() {
        let _ = write!(model, "    #[has_many]\n    pub m{child}s: HasMany<M{child}>,\n");
    }
    let preloads: String = match place.children().next() {
        Some(child) => format!(".preload(M{number}::M{child}S)"),
        None => String::new(),
    };
    let _ = write!(
        model,
        "}}\n\npub async fn named(repo: &Repo, name: &str) -> assoc_repo::Result<Vec<M{number}>> {{\n    \
         repo.all(Query::new(){preloads}.filter(M{number}::NAME.eq(name)).order_by(M{number}::ID.asc())).await\n}}\n"
    );
    model
}

pub(super) const PROGRAM: &str = r#"use assoc_repo::prelude::*;

#[derive(Clone, Debug, PartialEq, Model)]
pub struct User {
    pub id: i64,
    pub name: String,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[derive(Clone, Debug, PartialEq, Model)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    #[belongs_to]
    pub user: BelongsTo<User>,
    #[has_many]
    pub comments: HasMany<Comment>,
}

#[derive(Clone, Debug, PartialEq, Model)]
pub struct Comment {
    pub id: i64,
    pub post_id: i64,
    pub body: String,
    #[belongs_to]
    pub post: BelongsTo<Post>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    pollster::block_on(async {
        let repo = Repo::connect("sqlite::memory:").await?;
        repo.execute_raw("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)", []).await?;
        repo.execute_raw("CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL)", []).await?;
        repo.execute_raw("CREATE TABLE comments (id INTEGER PRIMARY KEY, post_id INTEGER NOT NULL, body TEXT NOT NULL)", []).await?;
        let ada = repo.insert(User::build().set(User::NAME, "Ada")).await?;
        let post = repo.insert(Post::build().set(Post::TITLE, "First").associate(Post::USER, &ada)).await?;
        repo.insert(Comment::build().set(Comment::BODY, "Well").associate(Comment::POST, &post)).await?;
        let users = repo.all(Query::preload(User::POSTS.with(Post::COMMENTS)).order_by(User::ID.asc())).await?;
        for user in &users {
            for post in user.posts()? {
                println!("{} {} {}", user.name, post.title, post.comments()?.len());
            }
        }
        Ok(())
    })
}
"#;
