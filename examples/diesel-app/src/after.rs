//! A blog.

use assoc_diesel::{TransactionError as Error, lend};
use assoc_repo::prelude::{BelongsTo, HasMany, Model, Query, Repo, Scope};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

/// The tables.
pub mod schema {
    #![allow(missing_docs)]

    diesel::table! {
        authors (id) {
            id -> Integer,
            name -> Text,
            email -> Nullable<Text>,
        }
    }

    diesel::table! {
        posts (id) {
            id -> Integer,
            author_id -> Integer,
            title -> Text,
            published -> Bool,
        }
    }

    diesel::table! {
        comments (id) {
            id -> Integer,
            post_id -> Integer,
            author_id -> Integer,
            text -> Text,
        }
    }

    diesel::allow_tables_to_appear_in_same_query!(authors, posts, comments);
}

use schema::{authors, comments, posts};

/// Each is run once.
const MIGRATIONS: &[&str] = &[
    "CREATE TABLE authors (id INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL UNIQUE);
     CREATE TABLE posts (id INTEGER NOT NULL PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES authors (id),
                         title TEXT NOT NULL, published BOOLEAN NOT NULL DEFAULT FALSE)",
    "CREATE TABLE comments (id INTEGER NOT NULL PRIMARY KEY, post_id INTEGER NOT NULL REFERENCES posts (id),
                            author_id INTEGER NOT NULL REFERENCES authors (id), text TEXT NOT NULL);
     CREATE INDEX comments_of_posts ON comments (post_id)",
    "ALTER TABLE authors ADD COLUMN email TEXT",
];

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    user_version: i32,
}

/// Brings a database up to date.
///
/// # Errors
/// When a migration fails. None of it has taken effect then.
pub fn migrate(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute("PRAGMA foreign_keys = ON")?;
    let Version { user_version } = diesel::sql_query("PRAGMA user_version").get_result(conn)?;
    for (version, migration) in (0..).zip(MIGRATIONS).skip(usize::try_from(user_version).unwrap_or_default()) {
        conn.immediate_transaction(|conn| {
            conn.batch_execute(migration)?;
            conn.batch_execute(&format!("PRAGMA user_version = {}", version + 1))
        })?;
    }
    Ok(())
}

/// Who writes.
#[derive(Debug, Clone, Model)]
#[model(diesel = schema::authors)]
pub struct Author {
    /// The key.
    pub id: i32,
    /// The name.
    pub name: String,
    /// The address.
    pub email: Option<String>,
    /// The published posts.
    #[has_many(scope = published)]
    pub posts: HasMany<Post>,
}

fn published(posts: Scope<Post>) -> Scope<Post> {
    posts.filter(Post::PUBLISHED.eq(true)).order_by(Post::ID.asc())
}

/// What is written.
#[derive(Debug, Clone, Model)]
#[model(diesel = schema::posts)]
pub struct Post {
    /// The key.
    pub id: i32,
    /// The author's key.
    pub author_id: i32,
    /// The title.
    pub title: String,
    /// Whether everybody can read it.
    pub published: bool,
    /// What is said of it.
    #[has_many]
    pub comments: HasMany<Comment>,
}

/// What is said of a post.
#[derive(Debug, Clone, Model)]
#[model(diesel = schema::comments)]
pub struct Comment {
    /// The key.
    pub id: i32,
    /// The post's key.
    pub post_id: i32,
    /// The key of the author of the comment.
    pub author_id: i32,
    /// What is said.
    pub text: String,
    /// Who says it.
    #[belongs_to]
    pub author: BelongsTo<Author>,
}

/// Adds an author.
///
/// # Errors
/// When there is one of this name.
pub fn add_author(conn: &mut SqliteConnection, name: &str) -> QueryResult<i32> {
    diesel::insert_into(authors::table).values(authors::name.eq(name)).returning(authors::id).get_result(conn)
}

/// Writes a post with a first comment of its author.
///
/// # Errors
/// When there is no such author. Nothing is written then.
pub fn publish(conn: &mut SqliteConnection, author: i32, title: &str, comment: &str) -> Result<i32, Error> {
    conn.transaction(|conn| {
        let values = (posts::author_id.eq(author), posts::title.eq(title), posts::published.eq(true));
        let post: i32 = diesel::insert_into(posts::table).values(values).returning(posts::id).get_result(conn)?;
        say(conn, post, author, comment)?;
        Ok(post)
    })
}

/// Comments on a post.
///
/// # Errors
/// When there is no such post or author.
pub fn say(conn: &mut SqliteConnection, post: i32, author: i32, text: &str) -> QueryResult<()> {
    let values = (comments::post_id.eq(post), comments::author_id.eq(author), comments::text.eq(text));
    diesel::insert_into(comments::table).values(values).execute(conn).map(drop)
}

/// How many posts each author has published.
///
/// # Errors
/// When the database fails.
pub fn report(conn: &mut SqliteConnection) -> QueryResult<Vec<(String, i64)>> {
    authors::table
        .inner_join(posts::table.on(posts::author_id.eq(authors::id)))
        .filter(posts::published)
        .group_by(authors::name)
        .order(authors::name)
        .select((authors::name, diesel::dsl::count(posts::id)))
        .load(conn)
}

/// The front page: each author with the published posts, and who said what about them.
///
/// # Errors
/// When the database fails.
pub fn front_page(conn: &mut SqliteConnection) -> Result<Vec<String>, Error> {
    let mut lines = Vec::new();
    let comments = Post::COMMENTS.with(Comment::AUTHOR).order_by(Comment::ID.asc());
    let query = Query::preload(Author::POSTS.with(comments)).order_by(Author::ID.asc());
    let all = lend(conn, async |driver| Repo::new(driver).all(query).await)?;
    for author in &all {
        lines.push(author.name.clone());
        for post in author.posts()? {
            lines.push(format!("  {}", post.title));
            for comment in post.comments()? {
                lines.push(format!("    {}: {}", comment.author()?.name, comment.text));
            }
        }
    }
    Ok(lines)
}
