//! A database of one's own, and short ways to run statements.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use assoc_core::driver::{Access, Bind, Connection, Driver, ExecResult, PoolStatus, Statement};
use assoc_core::{Result, Value};
use assoc_mysql::mysql_async::prelude::Queryable;
use assoc_mysql::mysql_async::{Conn, Opts, OptsBuilder};
use assoc_mysql::{Builder, MySql};

/// A row, owned.
pub(crate) type Values = Vec<Value<'static>>;

/// A database on the test server, dropped at the end.
pub(crate) struct TestDb {
    server: Opts,
    name: String,
}

impl TestDb {
    pub(crate) async fn new() -> TestDb {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let url = std::env::var("ASSOC_MYSQL_URL").unwrap_or_default();
        assert!(
            !url.is_empty(),
            "ASSOC_MYSQL_URL is not set: run these tests with `cargo xtask db mysql -- cargo test -p assoc-mysql`, \
             or set it to the URL of a server on which databases may be created"
        );
        let server = Opts::from_url(&url).expect("ASSOC_MYSQL_URL is a MySQL URL");
        let name = format!("assoc_test_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut conn = Conn::new(server.clone()).await.expect("the server of ASSOC_MYSQL_URL answers");
        conn.query_drop(format!("CREATE DATABASE `{name}` CHARACTER SET utf8mb4")).await.expect("a new database");
        conn.disconnect().await.expect("an orderly end");
        TestDb { server, name }
    }

    /// Options for this database, over TCP.
    pub(crate) fn builder(&self) -> Builder {
        let options = OptsBuilder::from_opts(self.server.clone()).db_name(Some(&self.name)).prefer_socket(false);
        MySql::builder_from(options).max_connections(4)
    }

    /// Options for this database, over a local socket where the server has one.
    pub(crate) fn local_builder(&self) -> Builder {
        self.builder().options(|options| options.prefer_socket(true))
    }

    pub(crate) async fn driver(&self) -> MySql {
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
                let mut conn = Conn::new(server).await?;
                // What a test has cancelled may still run on the server and lock the tables.
                let running = format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'");
                for id in conn.query::<u64, _>(running).await? {
                    let _ = conn.query_drop(format!("KILL {id}")).await;
                }
                conn.query_drop("SET lock_wait_timeout = 5").await?;
                conn.query_drop(format!("DROP DATABASE IF EXISTS `{name}`")).await?;
                conn.disconnect().await
            })
        });
        let _ = dropped.join();
    }
}

pub(crate) async fn acquire(driver: &MySql) -> Box<dyn Connection> {
    driver.acquire(Access::Write).await.expect("a connection")
}

pub(crate) fn statement(sql: &str, binds: impl IntoIterator<Item = Value<'static>>) -> Statement {
    Statement::new(sql, binds.into_iter().map(Bind::Value).collect())
}

pub(crate) async fn try_rows(
    connection: &mut dyn Connection,
    sql: &str,
    binds: impl IntoIterator<Item = Value<'static>>,
) -> Result<Vec<Values>> {
    fetch(connection, &statement(sql, binds)).await
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

pub(crate) async fn connection_id(connection: &mut dyn Connection) -> Value<'static> {
    one(connection, "SELECT CONNECTION_ID()").await
}

/// Waits until the pool looks as it should: cleaning up happens in the background.
pub(crate) async fn pool_becomes(driver: &MySql, wanted: impl Fn(PoolStatus) -> bool) {
    for _ in 0..500 {
        if wanted(status(driver)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the pool stays at {:?}", status(driver));
}

pub(crate) fn status(driver: &MySql) -> PoolStatus {
    driver.pool_status().expect("there is a pool")
}

pub(crate) fn text(text: &str) -> Value<'static> {
    Value::Text(text.to_owned().into())
}
