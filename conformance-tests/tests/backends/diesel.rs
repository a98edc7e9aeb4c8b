//! SQLite, PostgreSQL, MariaDB and MySQL through Diesel.

use std::sync::atomic::{AtomicU32, Ordering};

use assoc_core::driver::BoxFuture;
use assoc_core::{Error, Result};
use assoc_diesel::diesel::connection::{Connection as _, SimpleConnection};
use assoc_diesel::diesel::dsl::{select, sql};
use assoc_diesel::diesel::r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, Pool};
use assoc_diesel::diesel::sql_types::Text;
use assoc_diesel::diesel::{MysqlConnection, PgConnection, RunQueryDsl, SqliteConnection};
use assoc_diesel::{MysqlSession, Pooled};
use conformance_tests::{Backend, Database};

use super::{MariaDb, TemporaryDatabase, TemporarySchema};

#[derive(Debug)]
struct Setup;

impl CustomizeConnection<SqliteConnection, PoolError> for Setup {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> std::result::Result<(), PoolError> {
        let setup = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; \
                     PRAGMA foreign_keys = ON";
        connection.batch_execute(setup).map_err(PoolError::QueryError)
    }
}

/// A database file a case, on an r2d2 pool of Diesel's.
#[derive(Clone, Copy)]
pub(crate) struct DieselPool;

impl Backend for DieselPool {
    fn name(&self) -> &'static str {
        "diesel-sqlite"
    }

    fn version(&self) -> String {
        let version = || {
            let mut connection = SqliteConnection::establish(":memory:").ok()?;
            select(sql::<Text>("sqlite_version()")).get_result::<String>(&mut connection).ok()
        };
        format!("SQLite {} through Diesel 2.3", version().unwrap_or_default())
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let folder = tempfile::tempdir().map_err(Error::other)?;
            let pool = Pool::builder()
                .max_size(8)
                .min_idle(Some(1))
                .connection_customizer(Box::new(Setup))
                .build(ConnectionManager::new(folder.path().join("suite.db").display().to_string()))
                .map_err(Error::other)?;
            let database = Database::new(Pooled::<SqliteConnection>::new(pool)?);
            Ok(database.with_native_sql(super::sqlite_sql()).on_drop(move || drop(folder)))
        })
    }
}

/// A schema a case on the server of `ASSOC_POSTGRES_URL`, on an r2d2 pool of Diesel's.
#[derive(Clone, Copy)]
pub(crate) struct DieselPostgresPool;

impl Backend for DieselPostgresPool {
    fn name(&self) -> &'static str {
        "diesel-postgres"
    }

    fn version(&self) -> String {
        format!("{} through Diesel 2.3", super::PostgreSql.version())
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let (url, schema) = postgres_schema()?;
            let pool = Pool::builder()
                .max_size(8)
                .min_idle(Some(1))
                .build(ConnectionManager::<PgConnection>::new(url))
                .map_err(Error::other)?;
            let database = Database::new(Pooled::new(pool)?);
            Ok(database.with_native_sql(super::postgres_sql()).on_drop(move || drop(schema)))
        })
    }
}

/// A schema of its own, which goes when it is dropped, and a URL whose connections are in it.
pub(crate) fn postgres_schema() -> Result<(String, TemporarySchema)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("assoc_diesel_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let schema = TemporarySchema::create(name.clone())?;
    let url = std::env::var("ASSOC_POSTGRES_URL").map_err(Error::other)?;
    let separator = if url.contains('?') { '&' } else { '?' };
    // The operators of `citext` are in `public`.
    Ok((format!("{url}{separator}options=-csearch_path%3D{name}%2Cpublic"), schema))
}

/// A database a case on the server of `ASSOC_MYSQL_URL`, on an r2d2 pool of Diesel's.
#[derive(Clone, Copy)]
pub(crate) struct DieselMariaDbPool;

impl Backend for DieselMariaDbPool {
    fn name(&self) -> &'static str {
        if MariaDb.name() == "mysql" { "diesel-mysql" } else { "diesel-mariadb" }
    }

    fn version(&self) -> String {
        format!("{} through Diesel 2.3", MariaDb.version())
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let (url, database) = mariadb_database()?;
            let pool = Pool::builder()
                .max_size(8)
                .min_idle(Some(1))
                .connection_customizer(Box::new(MysqlSession))
                .build(ConnectionManager::<MysqlConnection>::new(url))
                .map_err(Error::other)?;
            let driver = Database::new(Pooled::new(pool)?);
            Ok(driver.with_native_sql(super::mariadb_sql()).on_drop(move || drop(database)))
        })
    }
}

/// A database of its own, which goes when it is dropped, and its URL.
pub(crate) fn mariadb_database() -> Result<(String, TemporaryDatabase)> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("assoc_diesel_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let database = TemporaryDatabase::create_now(&name)?;
    let url = std::env::var("ASSOC_MYSQL_URL").map_err(Error::other)?;
    let (before, options) = url.split_once('?').unwrap_or((&url, ""));
    // Behind `mysql://`, the path is the database.
    let server = before.get(8..).and_then(|rest| rest.find('/')).map_or(before, |at| &before[..8 + at]);
    Ok((format!("{server}/{name}?{options}").trim_end_matches('?').to_owned(), database))
}
