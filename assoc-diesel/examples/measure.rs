//! What a preload of 1,000 users with 10 posts each and a read by key cost on `assoc-sqlite`, on a pool of Diesel's, on a lent connection,
//! and by Diesel alone (`belonging_to` and `grouped_by`). Medians of interleaved rounds:
//! `cargo run --release -p assoc-diesel --all-features --example measure`.

#![allow(missing_docs)]
// A measurement has no caller to report errors to.
#![allow(clippy::unwrap_used)]

use std::hint::black_box;
use std::time::Instant;

use assoc_diesel::{Lent, Pooled};
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;
use diesel::connection::SimpleConnection;
use diesel::prelude::{
    Associations, BelongingToDsl, Connection as _, ExpressionMethods, GroupedBy, Identifiable, QueryDsl, Queryable,
    RunQueryDsl, Selectable, SelectableHelper, SqliteConnection,
};
use diesel::r2d2::{ConnectionManager, Pool};

diesel::table! { users (id) { id -> BigInt, name -> Text, email -> Text, age -> BigInt, created_at -> Text, } }
diesel::table! { posts (id) { id -> BigInt, user_id -> BigInt, title -> Text, body -> Text, published -> Bool, } }

#[derive(Queryable, Selectable, Identifiable, Debug)]
#[diesel(table_name = users)]
#[allow(dead_code)]
struct UserRow {
    id: i64,
    name: String,
    email: String,
    age: i64,
    created_at: String,
}

#[derive(Queryable, Selectable, Identifiable, Associations, Debug)]
#[diesel(table_name = posts, belongs_to(UserRow, foreign_key = user_id))]
#[allow(dead_code)]
struct PostRow {
    id: i64,
    user_id: i64,
    title: String,
    body: String,
    published: bool,
}

#[derive(Model, Debug, Clone)]
pub struct User {
    pub id: i64,
    pub name: String,
    pub email: String,
    pub age: i64,
    pub created_at: String,
    #[has_many]
    pub posts: HasMany<Post>,
}

#[derive(Model, Debug, Clone)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    pub title: String,
    pub body: String,
    pub published: bool,
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("speed.db").display().to_string();
    let mut conn = SqliteConnection::establish(&path).unwrap();
    conn.batch_execute(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, age INTEGER NOT NULL, created_at TEXT NOT NULL);
         CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, published INTEGER NOT NULL);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
           INSERT INTO users SELECT i, 'name of user ' || i, 'user' || i || '@example.org', 20 + i % 60, '2026-01-01 10:00:00' FROM n;
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
           INSERT INTO posts SELECT i, 1 + (i * 7919) % 1000, 'a title of some length ' || i, 'a body that is about one hundred letters long, because a post is not a word but some sentences ' || i, i % 2 FROM n;
         CREATE INDEX posts_user_id ON posts (user_id); ANALYZE",
    )
    .unwrap();
    let version: String =
        diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("sqlite_version()")).get_result(&mut conn).unwrap();
    println!("SQLite {version}");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let own = Repo::new(Sqlite::open(&path).unwrap());
    let pool = Pool::builder().max_size(4).build(ConnectionManager::<SqliteConnection>::new(&path)).unwrap();
    let pooled = Repo::new(Pooled::new(pool).unwrap());
    let lent = Lent::sqlite();
    let borrowed = Repo::new(lent.clone());

    let names = ["assoc-sqlite", "assoc on a Diesel pool", "assoc on a lent Diesel connection", "Diesel by hand"];
    let mut preload: [Vec<f64>; 4] = Default::default();
    let mut gets: [Vec<f64>; 4] = Default::default();
    for round in 0..41 {
        for step in 0..4 {
            let which = (step + round) % 4;
            let start = Instant::now();
            match which {
                0 | 1 => {
                    let repo = if which == 0 { &own } else { &pooled };
                    runtime.block_on(async { black_box(repo.all(Query::preload(User::POSTS)).await.unwrap()) });
                }
                2 => {
                    let users = lent.block_on(&mut conn, borrowed.all(Query::preload(User::POSTS))).unwrap();
                    assert_eq!(users.iter().map(|user| user.posts().unwrap().len()).sum::<usize>(), 10_000);
                    black_box(users);
                }
                _ => {
                    let users = users::table.select(UserRow::as_select()).load(&mut conn).unwrap();
                    let posts = PostRow::belonging_to(&users).select(PostRow::as_select()).load(&mut conn).unwrap();
                    black_box(posts.grouped_by(&users).into_iter().zip(users).collect::<Vec<_>>());
                }
            }
            preload[which].push(start.elapsed().as_secs_f64() * 1e3);
            let start = Instant::now();
            for id in 1..=1_000_i64 {
                match which {
                    0 | 1 => {
                        let repo = if which == 0 { &own } else { &pooled };
                        runtime.block_on(async { black_box(repo.get::<User>(id, Query::new()).await.unwrap()) });
                    }
                    2 => {
                        black_box(lent.block_on(&mut conn, borrowed.get::<User>(id, Query::new())).unwrap());
                    }
                    _ => {
                        black_box(
                            users::table
                                .filter(users::id.eq(id))
                                .select(UserRow::as_select())
                                .first(&mut conn)
                                .unwrap(),
                        );
                    }
                }
            }
            gets[which].push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.remove(0);
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let (mut base, mut base_get) = (0.0, 0.0);
    for which in 0..4 {
        let (time, get) = (median(&mut preload[which]), median(&mut gets[which]));
        if which == 0 {
            (base, base_get) = (time, get);
        }
        println!(
            "{:40} preload {time:7.2} ms ({:.2})   get {get:6.2} µs ({:.2})",
            names[which],
            time / base,
            get / base_get
        );
    }
}
