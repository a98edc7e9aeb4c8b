//! `assoc` over connections that [Diesel](diesel) has opened.
//!
//! | you have | take |
//! |---|---|
//! | a `&mut SqliteConnection`, `&mut PgConnection` or `&mut MysqlConnection`, also inside `conn.transaction(…)` | [`lend`], or a [`Lent`] that is kept |
//! | an r2d2 pool of Diesel's | `Pooled`, with the feature `r2d2` |
//!
//! ```
//! use assoc_diesel::TransactionError;
//! use assoc_repo::prelude::*;
//! use diesel::connection::SimpleConnection;
//! use diesel::prelude::*;
//!
//! diesel::table! { users (id) { id -> BigInt, name -> Text, } }
//!
//! #[derive(Model, Debug, Clone)]
//! pub struct User {
//!     pub id: i64,
//!     pub name: String,
//!     #[has_many]
//!     pub posts: HasMany<Post>,
//! }
//!
//! #[derive(Model, Debug, Clone)]
//! pub struct Post {
//!     pub id: i64,
//!     pub user_id: i64,
//!     pub title: String,
//! }
//!
//! # let mut conn = SqliteConnection::establish(":memory:").unwrap();
//! # conn.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
//! #     CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL)").unwrap();
//! // One transaction, which Diesel begins and ends, and in which both libraries write and read.
//! let posts = conn.transaction::<usize, TransactionError, _>(|conn| {
//!     diesel::insert_into(users::table).values(users::name.eq("Ada")).execute(conn)?;
//!     assoc_diesel::lend(conn, async |driver| {
//!         let repo = Repo::new(driver);
//!         let ada = repo.one(Query::filter(User::NAME.eq("Ada"))).await?.expect("Diesel has inserted her");
//!         repo.insert(Post::build().set(Post::USER_ID, ada.id).set(Post::TITLE, "first")).await?;
//!         let users = repo.all(Query::preload(User::POSTS)).await?;
//!         Ok(users[0].posts()?.len())
//!     })
//! })?;
//! assert_eq!(posts, 1);
//! # Ok::<(), TransactionError>(())
//! ```
//!
//! # Transactions
//!
//! Diesel numbers its transactions and savepoints, and so every level of `assoc` is one of Diesel's. A
//! `repo.transaction` inside Diesel's is a savepoint. If Diesel's is rolled back, so is all that was done inside it. A
//! transaction that is not ended when its loan is over is rolled back, also by a panic.
//!
//! # What is different on Diesel's connections
//!
//! * Diesel passes SQLite's codes on for four constraints only. The class of other errors is read from the message. The
//!   message of a trigger's `RAISE(ABORT, …)` makes an error of the class `Statement`, where `assoc-sqlite` says `Other`.
//! * Diesel does not tell the columns of an answer without rows. Raw SQL that reads is checked all the same, by a second
//!   statement. Raw SQL that writes and returns no row is not.
//! * A set of keys is one JSON text, and keys that JSON cannot hold are binds.
//!
//! # Features
//!
//! * `sqlite` (default): Diesel's `SqliteConnection`.
//! * `postgres`: Diesel's `PgConnection`. It needs the system's libpq.
//! * `mysql`: Diesel's `MysqlConnection`. It needs the client library of MariaDB or MySQL. `MysqlSession` sets its sessions up.
//! * `r2d2`: pools of Diesel's connections.

#[cfg(not(any(feature = "mysql", feature = "postgres", feature = "sqlite")))]
compile_error!("`assoc-diesel` needs a database: enable its feature `sqlite`, `postgres` or `mysql`");

mod client;
mod dynamic_query;
mod errors;
mod learnt;
mod lent;
mod levels;
#[cfg(feature = "mysql")]
mod mysql;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod on_server;
#[cfg(feature = "r2d2")]
mod pooled;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(any(feature = "mysql", feature = "sqlite"))]
mod raw_text;
pub mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod transaction_error;
mod work;

pub use client::Client;
pub use diesel;
pub use lent::{Lent, lend};
#[cfg(feature = "mysql")]
pub use mysql::MysqlSession;
#[cfg(feature = "r2d2")]
pub use pooled::{Execution, Pooled};
pub use transaction_error::TransactionError;
