//! A schema for a test, and short ways to run statements.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use assoc_core::driver::{Access, Bind, BindList, Connection, Driver, ExecResult, PoolStatus, Statement};
use assoc_core::{Result, Value};
use assoc_postgres::tokio_postgres::Config;
use assoc_postgres::{Postgres, PostgresBuilder};

/// A row, owned.
pub(crate) type Values = Vec<Value<'static>>;

/// A schema on the test server, dropped at the end.
pub(crate) struct TestDb {
    server: Config,
    pub(crate) name: String,
}

impl TestDb {
    pub(crate) async fn new() -> TestDb {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let url = std::env::var("ASSOC_POSTGRES_URL").unwrap_or_default();
        assert!(
            !url.is_empty(),
            "ASSOC_POSTGRES_URL is not set: run these tests with `cargo xtask db postgres -- cargo test -p assoc-postgres`, \
             or set it to the URL of a database in which schemas may be created"
        );
        let server: Config = url.parse().expect("ASSOC_POSTGRES_URL is a URL of PostgreSQL");
        let name = format!("assoc_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let driver = PostgresBuilder::from_config(server.clone()).max_connections(1).connect().await.expect("a server");
        let mut connection = acquire(&driver).await;
        run(&mut *connection, "SELECT pg_advisory_lock(4711)").await;
        run(&mut *connection, "CREATE EXTENSION IF NOT EXISTS citext SCHEMA public").await;
        run(&mut *connection, "SELECT pg_advisory_unlock(4711)").await;
        run(&mut *connection, &format!("CREATE SCHEMA {name}")).await;
        TestDb { server, name }
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = self.server.clone();
        config.options(format!("-c search_path={},public", self.name));
        config
    }

    pub(crate) fn builder(&self) -> PostgresBuilder {
        PostgresBuilder::from_config(self.config()).max_connections(4)
    }

    pub(crate) async fn driver(&self) -> Postgres {
        self.builder().connect().await.expect("a driver")
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A thread, because a runtime cannot be entered from within another one.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let driver = PostgresBuilder::from_config(server).max_connections(1).connect().await?;
                let mut connection = driver.acquire(Access::Write).await?;
                // What a test has cancelled may still run on the server and lock the tables.
                let end = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_class ON pg_class.oid = relation JOIN \
                     pg_namespace ON pg_namespace.oid = relnamespace WHERE nspname = '{name}' AND pid <> pg_backend_pid()"
                );
                connection.execute(&Statement::plain(end)).await?;
                connection.execute(&Statement::plain(format!("DROP SCHEMA {name} CASCADE"))).await
            })
        });
        let _ = dropped.join();
    }
}

pub(crate) async fn acquire(driver: &Postgres) -> Box<dyn Connection> {
    driver.acquire(Access::Write).await.expect("a connection")
}

pub(crate) fn statement(sql: &str, binds: impl IntoIterator<Item = Value<'static>>) -> Statement {
    Statement::new(sql, binds.into_iter().map(Bind::Value).collect())
}

pub(crate) fn list(sql: &str, values: &[Value<'static>]) -> Statement {
    Statement::new(sql, vec![Bind::List(BindList::Values(values.into()))])
}

pub(crate) async fn fetch(connection: &mut dyn Connection, statement: &Statement) -> Result<Vec<Values>> {
    let mut rows = Vec::new();
    let mut sink = |values: &mut [Value<'_>]| {
        rows.push(values.iter_mut().map(|value| std::mem::take(value).into_owned()).collect());
        Ok(())
    };
    connection.query(statement, &mut sink).await?;
    Ok(rows)
}

pub(crate) async fn try_rows(
    connection: &mut dyn Connection,
    sql: &str,
    binds: impl IntoIterator<Item = Value<'static>>,
) -> Result<Vec<Values>> {
    fetch(connection, &statement(sql, binds)).await
}

pub(crate) async fn rows(
    connection: &mut dyn Connection,
    sql: &str,
    binds: impl IntoIterator<Item = Value<'static>>,
) -> Vec<Values> {
    try_rows(connection, sql, binds).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(crate) async fn one(connection: &mut dyn Connection, sql: &str) -> Value<'static> {
    let rows = rows(connection, sql, []).await;
    rows.into_iter().next().and_then(|row| row.into_iter().next()).unwrap_or_else(|| panic!("{sql}: no row"))
}

pub(crate) async fn try_run(
    connection: &mut dyn Connection,
    sql: &str,
    binds: impl IntoIterator<Item = Value<'static>>,
) -> Result<ExecResult> {
    connection.execute(&statement(sql, binds)).await
}

pub(crate) async fn run(connection: &mut dyn Connection, sql: &str) -> ExecResult {
    try_run(connection, sql, []).await.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub(crate) async fn backend_pid(connection: &mut dyn Connection) -> Value<'static> {
    one(connection, "SELECT pg_backend_pid()").await
}

/// Waits until the pool looks as it should: cleaning up happens in the background.
pub(crate) async fn pool_becomes(driver: &Postgres, wanted: impl Fn(PoolStatus) -> bool) {
    for _ in 0..500 {
        if wanted(status(driver)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the pool stays at {:?}", status(driver));
}

pub(crate) fn status(driver: &Postgres) -> PoolStatus {
    driver.pool_status().expect("there is a pool")
}

pub(crate) fn text(text: &str) -> Value<'static> {
    Value::Text(text.to_owned().into())
}

pub(crate) fn json(text: &str) -> Value<'static> {
    Value::Json(text.to_owned().into())
}
