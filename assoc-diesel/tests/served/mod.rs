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

    /// An empty one that other connections find.
    fn connect_to_file() -> Place<Self::Connection> {
        Self::connect()
    }

    fn names(connection: &mut Self::Connection) -> Vec<String>;

    fn insert(connection: &mut Self::Connection, name: &str) -> QueryResult<usize>;

    /// Whether the database is in no transaction, whatever Diesel counts.
    fn is_outside(connection: &mut Self::Connection) -> bool;
}

/// A connection to a place that goes with it.
pub(crate) struct Place<C: SimpleConnection> {
    connection: C,
    url: String,
    entered_by: String,
    goes_by: String,
    _folder: Option<tempfile::TempDir>,
}

impl<C: SimpleConnection> Place<C> {
    /// Where other connections find it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What brings another connection into it.
    pub(crate) fn entered_by(&self) -> &str {
        &self.entered_by
    }
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

/// Each case on each database. What needs a server is in a module of its name.
macro_rules! on_each {
    ($($case:ident),+ $(,)?) => {
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[test]
            fn $case() {
                crate::cases::$case::<crate::served::OnSqlite>();
            })+
        }

        #[cfg(feature = "postgres")]
        mod postgres {
            $(#[test]
            fn $case() {
                crate::cases::$case::<crate::served::OnPostgres>();
            })+
        }

        #[cfg(feature = "mysql")]
        mod mariadb {
            $(#[test]
            fn $case() {
                crate::cases::$case::<crate::served::OnMariaDb>();
            })+
        }
    };
}

macro_rules! served {
    ($name:ident, $connection:ty, $connect:expr, $outside:expr $(, $file:item)?) => {
        pub(crate) struct $name;

        impl Served for $name {
            type Connection = $connection;

            fn connect() -> Place<$connection> {
                let (url, made_by, entered_by, tables, goes_by) = $connect();
                let mut connection = <$connection>::establish(&url).unwrap();
                connection.batch_execute(&format!("{made_by}; {entered_by}; {tables}")).unwrap();
                Place { connection, url, entered_by, goes_by, _folder: None }
            }

            $($file)?

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

const SQLITE_TABLES: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
    CREATE TABLE posts (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL,
                        user_id INTEGER NOT NULL REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED)";

#[cfg(feature = "sqlite")]
served!(
    OnSqlite,
    diesel::SqliteConnection,
    || {
        let [made_by, entered_by] = ["SELECT 1", "PRAGMA foreign_keys = ON"].map(str::to_owned);
        (":memory:".to_owned(), made_by, entered_by, SQLITE_TABLES, "SELECT 1".to_owned())
    },
    // `BEGIN` fails inside of a transaction.
    |connection: &mut diesel::SqliteConnection| connection.batch_execute("BEGIN; ROLLBACK").is_ok(),
    fn connect_to_file() -> Place<diesel::SqliteConnection> {
        let folder = tempfile::tempdir().unwrap();
        let url = folder.path().join("pooled.db").display().to_string();
        let mut connection = diesel::SqliteConnection::establish(&url).unwrap();
        connection.batch_execute(&format!("PRAGMA journal_mode = WAL; {SQLITE_TABLES}")).unwrap();
        let [entered_by, goes_by] = ["PRAGMA foreign_keys = ON", "SELECT 1"].map(str::to_owned);
        Place { connection, url, entered_by, goes_by, _folder: Some(folder) }
    }
);

#[cfg(feature = "postgres")]
served!(
    OnPostgres,
    diesel::PgConnection,
    || {
        let name = new_name();
        let tables = "CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL UNIQUE);
             CREATE TABLE posts (id BIGSERIAL PRIMARY KEY, title TEXT NOT NULL,
                                 user_id BIGINT NOT NULL REFERENCES users(id) DEFERRABLE INITIALLY DEFERRED)";
        let [made_by, entered_by, goes_by] =
            ["CREATE SCHEMA", "SET search_path =", "DROP SCHEMA IF EXISTS"].map(|sql| format!("{sql} {name}"));
        (url("ASSOC_POSTGRES_URL"), made_by, entered_by, tables, format!("{goes_by} CASCADE"))
    },
    |connection: &mut diesel::PgConnection| connection.batch_execute("SAVEPOINT probe").is_err()
);

#[cfg(feature = "mysql")]
served!(
    OnMariaDb,
    diesel::MysqlConnection,
    || {
        let name = new_name();
        let tables = "CREATE TABLE users (id BIGINT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(50) NOT NULL UNIQUE);
             CREATE TABLE posts (id BIGINT PRIMARY KEY AUTO_INCREMENT, title VARCHAR(50) NOT NULL,
                                 user_id BIGINT NOT NULL REFERENCES users(id))";
        let [made_by, entered_by, goes_by] =
            ["CREATE DATABASE", "USE", "DROP DATABASE"].map(|sql| format!("{sql} {name}"));
        (url("ASSOC_MYSQL_URL"), made_by, entered_by, tables, goes_by)
    },
    // Outside of a transaction none is set.
    |connection: &mut diesel::MysqlConnection| {
        connection.batch_execute("SAVEPOINT probe; RELEASE SAVEPOINT probe").is_err()
    }
);
