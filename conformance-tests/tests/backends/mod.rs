//! The workspace's backends, as the suite wants them.

// Helpers fail a test by panicking.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, mpsc};

use assoc_core::driver::{Access, BoxFuture, Driver, Statement};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use assoc_mysql::mysql_async::{Opts, OptsBuilder};
use assoc_mysql::{MySql, Server, ServerKind};
use assoc_postgres::PostgresBuilder;
use assoc_postgres::tokio_postgres::Config;
use assoc_sqlite::{Execution, Sqlite};
use conformance_tests::{Backend, Database, FailingState, NativeSql};

// Only some tests ask it.
#[allow(dead_code)]
mod diesel;

#[allow(unused_imports)]
pub(crate) use diesel::{DieselMariaDbPool, DieselPool, DieselPostgresPool, mariadb_database, postgres_schema};

/// Tests of one backend each, as `sqlite::name`, `mariadb::name` and `postgres::name`.
#[allow(unused_macros)]
macro_rules! on_each_database {
    ($module:ident $backend:ident: $($test:ident)+) => {
        mod $module {
            $(#[test]
            fn $test() {
                $crate::backends::block_on(super::$test(&$crate::backends::$backend));
            })+
        }
    };
    ($($test:ident),+) => {
        $crate::backends::on_each_database!(sqlite SqliteInMemory: $($test)+);
        $crate::backends::on_each_database!(mariadb MariaDb: $($test)+);
        $crate::backends::on_each_database!(postgres PostgreSql: $($test)+);
    };
}

#[allow(unused_imports)]
pub(crate) use on_each_database;

/// Runs a test on a runtime of one thread.
#[allow(dead_code)]
pub(crate) fn block_on<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

const SQLITE_READ_ONLY: FailingState = FailingState::new(
    &["PRAGMA query_only = ON"],
    "DELETE FROM kids",
    DriverErrorKind::ReadOnly,
    &["PRAGMA query_only = OFF"],
);

const SQLITE_FULL: FailingState = FailingState::new(
    &["PRAGMA max_page_count = 1"],
    "UPDATE parents SET name = ZEROBLOB(1000000)",
    DriverErrorKind::DiskFull,
    &["PRAGMA max_page_count = 1073741823"],
);

pub(crate) fn sqlite_sql() -> NativeSql {
    NativeSql::default()
        .text_ignoring_case("VARCHAR(20) COLLATE NOCASE")
        .versioning(&[
            "CREATE TRIGGER inserted AFTER INSERT ON versioned BEGIN UPDATE versioned SET version = 1, name = name || '!' \
             WHERE id = NEW.id; END",
            "CREATE TRIGGER updated AFTER UPDATE OF name ON versioned WHEN NEW.version = OLD.version BEGIN UPDATE versioned \
             SET version = version + 1 WHERE id = NEW.id; END",
        ])
        .ending_a_transaction(&["COMMIT", "END", "ROLLBACK"])
        .leaving_a_transaction(&["BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT mine"])
        .failing(&[
            ("SELECT ABS(-9223372036854775807 - 1)", DriverErrorKind::Value),
            ("SELECT ZEROBLOB(2147483647)", DriverErrorKind::TooLarge),
        ])
        .failing_in_states(&[SQLITE_READ_ONLY, SQLITE_FULL])
        .hiding_question_marks(&[
            "name = ? AND (SELECT [a?] FROM (SELECT 1 AS [a?])) = 1",
            "name = ? AND (SELECT `a?` FROM (SELECT 1 AS `a?`)) = 1",
        ])
}

const LONG: &str = "SELECT COUNT(*) FROM kids WHERE SLEEP(20) = 5";

const READ_ONLY: FailingState = FailingState::new(
    &["SET SESSION TRANSACTION READ ONLY"],
    "DELETE FROM kids",
    DriverErrorKind::ReadOnly,
    &["SET SESSION TRANSACTION READ WRITE"],
);

const LIMITED_ON_MARIADB: FailingState = FailingState::new(
    &["SET SESSION max_statement_time = 0.1"],
    LONG,
    DriverErrorKind::TimeLimit,
    &["SET SESSION max_statement_time = 0"],
);

const LIMITED_ON_MYSQL: FailingState = FailingState::new(
    &["SET SESSION max_execution_time = 100"],
    LONG,
    DriverErrorKind::TimeLimit,
    &["SET SESSION max_execution_time = 0"],
);

/// Of the server that answers.
pub(crate) fn mariadb_sql() -> NativeSql {
    mysql_sql(served().kind())
}

fn mysql_sql(kind: ServerKind) -> NativeSql {
    NativeSql::default()
        .text_ignoring_case("VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        .text_ignoring_accents("VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci")
        .changed_by_updates("DATETIME NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP")
        .declared_words("ENUM('new', 'old')")
        .versioning(&[
            "CREATE TRIGGER inserted BEFORE INSERT ON versioned FOR EACH ROW SET NEW.version = 1, NEW.name = \
             CONCAT(NEW.name, '!')",
            "CREATE TRIGGER updated BEFORE UPDATE ON versioned FOR EACH ROW SET NEW.version = OLD.version + 1",
        ])
        .ending_a_connection("SELECT CONNECTION_ID()", "KILL {}")
        .ending_a_transaction(&["COMMIT", "ROLLBACK", "CREATE TABLE beside (id INTEGER)"])
        .leaving_a_transaction(&["BEGIN", "START TRANSACTION", "SET autocommit = 0"])
        .failing(&[
            ("SELECT 9223372036854775807 + 1", DriverErrorKind::Value),
            ("UPDATE parents SET name = 'too long for twenty characters'", DriverErrorKind::Value),
            ("UPDATE parents SET name = REPEAT('x', 1 << 30)", DriverErrorKind::TooLarge),
        ])
        .failing_in_states(match kind {
            ServerKind::MariaDb => &[READ_ONLY, LIMITED_ON_MARIADB],
            ServerKind::MySql => &[READ_ONLY, LIMITED_ON_MYSQL],
        })
        .interrupting("SELECT CONNECTION_ID()", "KILL QUERY {}", LONG)
        .hiding_question_marks(&[
            "'it\\'s ?' <> '' AND name = ?",
            "name = ? # or is it ?\n",
            "name = ? AND (SELECT `a?` FROM (SELECT 1 AS `a?`) AS one) = 1",
            "5--5 = 10 AND name = ?",
        ])
}

pub(crate) fn postgres_sql() -> NativeSql {
    NativeSql::default()
        .text_ignoring_case("public.citext")
        .versioning(&[
            "CREATE FUNCTION inserted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.version := 1; NEW.name := NEW.name || \
             ''!''; RETURN NEW; END'",
            "CREATE FUNCTION updated() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.version := OLD.version + 1; RETURN NEW; \
             END'",
            "CREATE TRIGGER inserted BEFORE INSERT ON versioned FOR EACH ROW EXECUTE FUNCTION inserted()",
            "CREATE TRIGGER updated BEFORE UPDATE OF name ON versioned FOR EACH ROW EXECUTE FUNCTION updated()",
        ])
        .ending_a_connection("SELECT pg_backend_pid()", "SELECT pg_terminate_backend({})")
        .interrupting("SELECT pg_backend_pid()", "SELECT pg_cancel_backend({})", "SELECT pg_sleep(20)")
        .hiding_question_marks(&[
            "$$what ?$$ <> $a$ $$?$$ $a$ AND name = ?",
            "name = ? /* or /* is it ? */ ? */",
            "E'it\\'s ?' <> '' AND name = ?",
            "'{\"a\": 1}'::jsonb ?? 'a' AND name = ?",
        ])
        .continuing_keys("SELECT setval(pg_get_serial_sequence('{}', 'id'), (SELECT MAX(id) FROM {}))")
        .failing(&[
            ("SELECT 9223372036854775807 + 1", DriverErrorKind::Value),
            ("UPDATE parents SET name = 'too long for twenty characters'", DriverErrorKind::Value),
        ])
}

/// A database file a case.
#[derive(Clone, Copy)]
pub(crate) struct SqliteFile;

impl Backend for SqliteFile {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let folder = tempfile::tempdir().map_err(Error::other)?;
            let driver = Sqlite::open(folder.path().join("suite.db"))?;
            Ok(Database::new(driver).with_native_sql(sqlite_sql()).on_drop(move || drop(folder)))
        })
    }
}

/// In memory and without leaving the thread, for tests with very many databases.
// Only tests with random input open that many databases.
#[allow(dead_code)]
#[derive(Clone, Copy)]
pub(crate) struct SqliteInMemory;

impl Backend for SqliteInMemory {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let driver = Sqlite::builder(":memory:").execution(Execution::Inline).open()?;
            Ok(Database::new(driver).with_native_sql(sqlite_sql()))
        })
    }
}

/// A database a case on the server of `ASSOC_MYSQL_URL`, which is a MariaDB or a MySQL.
#[derive(Clone, Copy)]
pub(crate) struct MariaDb;

impl Backend for MariaDb {
    fn name(&self) -> &'static str {
        match served().kind() {
            ServerKind::MySql => "mysql",
            ServerKind::MariaDb => "mariadb",
        }
    }

    fn version(&self) -> String {
        served().to_string()
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Box::pin(async {
            let server = server();
            let name = format!("assoc_suite_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let options = OptsBuilder::from_opts(server.clone()).db_name(Some(&name));
            // Before there is a driver, so that the database is dropped also if none can be had.
            let database = TemporaryDatabase::create(server, name).await?;
            let driver = MySql::builder_from(options).max_connections(10).connect().await?;
            // Idle ones, so that statements which do not need each other's rows run on several.
            let open = (driver.acquire(Access::Read).await?, driver.acquire(Access::Read).await?);
            drop(open);
            Ok(Database::new(driver).with_native_sql(mysql_sql(served().kind())).on_drop(move || drop(database)))
        })
    }
}

/// What kind of server answers.
fn served() -> &'static Server {
    static SERVED: OnceLock<Server> = OnceLock::new();
    SERVED.get_or_init(|| {
        let options = server();
        let asked = blocking(async {
            let driver = MySql::builder_from(options).max_connections(1).connect().await?;
            let server = driver.server().clone();
            driver.close().await;
            Ok(server)
        });
        asked.unwrap_or_else(|error| panic!("no server answers at ASSOC_MYSQL_URL: {error}"))
    })
}

// On a thread, because a runtime cannot be entered from within another one.
fn blocking<T: Send>(work: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let run =
        || tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::other)?.block_on(work);
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap_or_else(|_| Err(Error::other("it panicked")))
}

fn server() -> Opts {
    // A test runs in a thread of its name, unless all run in the main one.
    let thread = std::thread::current();
    let test = thread.name().filter(|name| *name != "main" && !name.starts_with("tokio"));
    // A report card is asked for on purpose.
    let is_asked = std::env::var_os("CONFORMANCE_SERVER").is_some();
    assert!(
        is_asked || test.is_none_or(|test| test.contains("mariadb::")),
        "{test:?} needs MariaDB: put it into a module named `mariadb`, so that `cargo xtask test --quick` leaves it out"
    );
    let url = std::env::var("ASSOC_MYSQL_URL").unwrap_or_default();
    assert!(
        !url.is_empty(),
        "ASSOC_MYSQL_URL is not set: run all tests with `cargo xtask test`, or this one with \
         `cargo xtask db mysql -- cargo test -p conformance-tests`, or set it to the URL of a server on which \
         databases may be created. (`cargo xtask test --quick` leaves out what is in modules named `mariadb`.)"
    );
    match Opts::from_url(&url) {
        Ok(options) => options,
        Err(error) => panic!("ASSOC_MYSQL_URL is no MySQL URL: {error}"),
    }
}

pub(crate) struct TemporaryDatabase {
    server: Opts,
    name: String,
}

impl TemporaryDatabase {
    fn create_now(name: &str) -> Result<Self> {
        let server = server();
        blocking(TemporaryDatabase::create(server, name.to_owned()))
    }

    async fn create(server: Opts, name: String) -> Result<Self> {
        let driver = MySql::builder_from(server.clone()).max_connections(1).connect().await?;
        let create = Statement::plain(format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4"));
        driver.acquire(Access::Write).await?.execute(&create).await?;
        driver.close().await;
        Ok(TemporaryDatabase { server, name })
    }

    async fn remove(&self) -> Result<()> {
        let driver = MySql::builder_from(self.server.clone()).max_connections(1).connect().await?;
        let mut connection = driver.acquire(Access::Write).await?;
        // What a failed case has left behind may still run and hold locks.
        let running = format!("SELECT id FROM information_schema.processlist WHERE db = '{}'", self.name);
        let mut ids = Vec::new();
        let mut sink = |values: &mut [Value<'_>]| {
            ids.extend(values.iter().map(ToString::to_string));
            Ok(())
        };
        connection.query(&Statement::plain(running), &mut sink).await?;
        for id in ids {
            let _ = connection.execute(&Statement::plain(format!("KILL {id}"))).await;
        }
        connection.execute(&Statement::plain(format!("DROP DATABASE IF EXISTS `{}`", self.name))).await?;
        drop(connection);
        driver.close().await;
        Ok(())
    }
}

impl Drop for TemporaryDatabase {
    fn drop(&mut self) {
        if let Err(error) = blocking(self.remove()) {
            eprintln!("the database `{}` stays: {error}", self.name);
        }
    }
}

/// A schema a case on the server of `ASSOC_POSTGRES_URL`.
// Some tests are about two databases only.
#[allow(dead_code)]
#[derive(Clone, Copy)]
pub(crate) struct PostgreSql;

impl Backend for PostgreSql {
    fn name(&self) -> &'static str {
        "postgres"
    }

    fn version(&self) -> String {
        let asked = blocking(async {
            let driver = postgres_server().max_connections(1).connect().await?;
            let mut version = String::new();
            let mut sink = |values: &mut [Value<'_>]| {
                if let [Value::Text(text)] = values {
                    version = text.clone().into_owned();
                }
                Ok(())
            };
            let show = Statement::plain("SHOW server_version");
            driver.acquire(Access::Read).await?.query(&show, &mut sink).await?;
            Ok(format!("PostgreSQL {version}"))
        });
        asked.unwrap_or_else(|error| panic!("no server answers at ASSOC_POSTGRES_URL: {error}"))
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        Box::pin(async {
            let mut config = postgres_config();
            let name = format!("assoc_suite_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            // The operators of `citext` are in `public`.
            config.options(format!("-c search_path={name},public"));
            let schema = TemporarySchema::create(name)?;
            Ok(Database::new(PostgresBuilder::from_config(config).connect().await?)
                .with_native_sql(postgres_sql())
                .on_drop(move || drop(schema)))
        })
    }
}

fn postgres_server() -> PostgresBuilder {
    PostgresBuilder::from_config(postgres_config())
}

fn postgres_config() -> Config {
    // A test runs in a thread of its name, unless all run in the main one.
    let thread = std::thread::current();
    let test = thread.name().filter(|name| *name != "main" && !name.starts_with("tokio"));
    let is_asked = std::env::var_os("CONFORMANCE_SERVER").is_some();
    assert!(
        is_asked || test.is_none_or(|test| test.contains("postgres::")),
        "{test:?} needs PostgreSQL: put it into a module named `postgres`, so that `cargo xtask test --quick` leaves it out"
    );
    let url = std::env::var("ASSOC_POSTGRES_URL").unwrap_or_default();
    assert!(
        !url.is_empty(),
        "ASSOC_POSTGRES_URL is not set: run all tests with `cargo xtask test`, or this one with \
         `cargo xtask db postgres -- cargo test -p conformance-tests`, or set it to the URL of a database in which schemas may \
         be created. (`cargo xtask test --quick` leaves out what is in modules named `postgres`.)"
    );
    match url.parse() {
        Ok(config) => config,
        Err(error) => panic!("ASSOC_POSTGRES_URL is no URL of PostgreSQL: {error}"),
    }
}

pub(crate) struct TemporarySchema {
    name: String,
}

impl TemporarySchema {
    fn create(name: String) -> Result<Self> {
        administer(format!("CREATE SCHEMA {name}"))?;
        Ok(TemporarySchema { name })
    }

    fn remove(&self) -> Result<()> {
        // What a failed case has left behind may still run and hold locks.
        administer(format!(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_class ON pg_class.oid = relation JOIN pg_namespace ON \
             pg_namespace.oid = relnamespace WHERE nspname = '{0}' AND pid <> pg_backend_pid()",
            self.name
        ))?;
        administer(format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name))
    }
}

impl Drop for TemporarySchema {
    fn drop(&mut self) {
        if let Err(error) = self.remove() {
            eprintln!("the schema `{}` stays: {error}", self.name);
        }
    }
}

type Order = (String, mpsc::Sender<Result<()>>);

/// Runs a statement on the one connection that makes and removes schemas: a server takes its time for each connection.
fn administer(sql: String) -> Result<()> {
    static ORDERS: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (sender, orders) = mpsc::channel::<Order>();
        let config = postgres_config();
        std::thread::spawn(move || carry_out(config, &orders));
        Mutex::new(sender)
    });
    let (answer, answered) = mpsc::channel();
    orders.lock().unwrap_or_else(PoisonError::into_inner).send((sql, answer)).map_err(Error::other)?;
    answered.recv().map_err(Error::other)?
}

fn carry_out(config: Config, orders: &mpsc::Receiver<Order>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
    let prepared = runtime.block_on(async {
        let driver = PostgresBuilder::from_config(config).max_connections(1).connect().await?;
        let mut connection = driver.acquire(Access::Write).await?;
        // Two programs that create the extension at once would fail at the catalog's unique index.
        for sql in [
            "SELECT pg_advisory_lock(4711)",
            "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public",
            "SELECT pg_advisory_unlock(4711)",
        ] {
            connection.execute(&Statement::plain(sql)).await?;
        }
        Ok::<_, Error>(connection)
    });
    let mut connection = match prepared {
        Ok(connection) => connection,
        Err(error) => panic!("no server at ASSOC_POSTGRES_URL: {error}"),
    };
    while let Ok((sql, answer)) = orders.recv() {
        let done = runtime.block_on(connection.execute(&Statement::plain(sql))).map(drop);
        // Where the answer is not waited for, the test has panicked.
        let _ = answer.send(done);
    }
}
