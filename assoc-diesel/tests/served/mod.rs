//! The databases on which the tests run: SQLite, and where their URLs are in the environment PostgreSQL and MariaDB or MySQL, as
//! `cargo xtask test` has them.

// Not every program of tests uses all of it.
#![allow(dead_code)]

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU32, Ordering};

use assoc_diesel::Client;
use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use diesel::prelude::{QueryDsl, RunQueryDsl};
use diesel::result::QueryResult;

diesel::table! { users (id) { id -> BigInt, name -> Text, } }

/// A database with the tables `users` and `posts`.
pub(crate) trait Served: 'static {
    type Connection: Client + Connection<TransactionManager = AnsiTransactionManager> + 'static;

    /// An empty one.
    fn connect() -> Place<Self::Connection>;

    fn names(connection: &mut Self::Connection) -> Vec<String>;

    fn insert(connection: &mut Self::Connection, name: &str) -> QueryResult<usize>;

    /// Whether the database is in no transaction, whatever Diesel counts.
    fn is_outside(connection: &mut Self::Connection) -> bool;
}

/// A connection to a place that goes with it.
pub(crate) struct Place<C: SimpleConnection> {
    connection: C,
    goes_by: String,
}

impl<C: SimpleConnection> Deref for Place<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.connection
    }
}

impl<C: SimpleConnection> DerefMut for Place<C> {
    fn deref_mut(&mut self) -> &mut C {
        &mut self.connection
    }
}

impl<C: SimpleConnection> Drop for Place<C> {
    fn drop(&mut self) {
        if let Err(error) = self.connection.batch_execute(&self.goes_by) {
            eprintln!("`{}` fails: {error}", self.goes_by);
        }
    }
}

pub(crate) fn depth<C: Connection<TransactionManager = AnsiTransactionManager>>(connection: &mut C) -> u32 {
    let status = <AnsiTransactionManager as TransactionManager<C>>::transaction_manager_status_mut(connection);
    status.transaction_depth().unwrap().map_or(0, std::num::NonZero::get)
}

pub(crate) fn new_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("assoc_lent_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn url(variable: &str) -> String {
    let url = std::env::var(variable).unwrap_or_default();
    assert!(
        !url.is_empty(),
        "{variable} is not set: run this test with `cargo xtask db all -- cargo test -p assoc-diesel --all-features`"
    );
    url
}

macro_rules! served {
    ($name:ident, $connection:ty, $connect:expr, $outside:expr) => {
        pub(crate) struct $name;

        impl Served for $name {
            type Connection = $connection;

            fn connect() -> Place<$connection> {
                let (mut connection, set_up, goes_by) = $connect();
                connection.batch_execute(&set_up).unwrap();
                Place { connection, goes_by }
            }

            fn names(connection: &mut $connection) -> Vec<String> {
                users::table.select(users::name).order(users::id).load(connection).unwrap()
            }

            fn insert(connection: &mut $connection, name: &str) -> QueryResult<usize> {
                use diesel::prelude::ExpressionMethods;
                diesel::insert_into(users::table).values(users::name.eq(name)).execute(connection)
            }

            fn is_outside(connection: &mut $connection) -> bool {
                $outside(connection)
            }
        }
    };
}

#[cfg(feature = "sqlite")]
served!(
    OnSqlite,
    diesel::SqliteConnection,
    || {
        let set_up = "PRAGMA foreign_keys = ON;
             CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
             CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL,
                                 user_id INTEGER NOT NULL REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED)";
        (diesel::SqliteConnection::establish(":memory:").unwrap(), set_up.to_owned(), "SELECT 1".to_owned())
    },
    // `BEGIN` fails inside of a transaction.
    |connection: &mut diesel::SqliteConnection| connection.batch_execute("BEGIN; ROLLBACK").is_ok()
);

#[cfg(feature = "postgres")]
served!(
    OnPostgres,
    diesel::PgConnection,
    || {
        let name = new_name();
        let set_up = format!(
            "CREATE SCHEMA {name}; SET search_path = {name};
             CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL UNIQUE);
             CREATE TABLE posts (id BIGSERIAL PRIMARY KEY, title TEXT NOT NULL,
                                 user_id BIGINT NOT NULL REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED)"
        );
        let connection = diesel::PgConnection::establish(&url("ASSOC_POSTGRES_URL")).unwrap();
        (connection, set_up, format!("DROP SCHEMA {name} CASCADE"))
    },
    |connection: &mut diesel::PgConnection| connection.batch_execute("SAVEPOINT probe").is_err()
);

#[cfg(feature = "mysql")]
served!(
    OnMariaDb,
    diesel::MysqlConnection,
    || {
        let name = new_name();
        let set_up = format!(
            "CREATE DATABASE {name}; USE {name};
             CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL UNIQUE);
             CREATE TABLE posts (id BIGINT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(50) NOT NULL,
                                 user_id BIGINT NOT NULL REFERENCES users(id))"
        );
        let connection = diesel::MysqlConnection::establish(&url("ASSOC_MYSQL_URL")).unwrap();
        (connection, set_up, format!("DROP DATABASE {name}"))
    },
    // Outside of a transaction none is set.
    |connection: &mut diesel::MysqlConnection| {
        connection.batch_execute("SAVEPOINT probe; RELEASE SAVEPOINT probe").is_err()
    }
);
