//! A pool that Diesel and `assoc` share: what it hands out, and what comes back.

#![cfg(feature = "r2d2")]
// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use assoc_core::DriverErrorKind;
use assoc_core::driver::{Access, Driver, Statement, TransactionMode};
use assoc_diesel::{Execution, Pooled};
use assoc_repo::prelude::*;
use diesel::connection::SimpleConnection;
use diesel::prelude::{Connection as _, QueryDsl, RunQueryDsl, SqliteConnection};
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use tokio::runtime::{Builder, Runtime};

diesel::table! { users (id) { id -> BigInt, name -> Text, } }

#[derive(Model, Debug, Clone)]
#[model(diesel = crate::users)]
pub struct User {
    pub id: i64,
    pub name: String,
}

type SqlitePool = Pool<ConnectionManager<SqliteConnection>>;

fn pool(max: u32) -> (SqlitePool, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pooled.db").display().to_string();
    let pool = Pool::builder()
        .max_size(max)
        .connection_timeout(Duration::from_millis(200))
        .build(ConnectionManager::<SqliteConnection>::new(path))
        .unwrap();
    let setup = "PRAGMA journal_mode = WAL; CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)";
    pool.get().unwrap().batch_execute(setup).unwrap();
    (pool, folder)
}

fn runtimes() -> [Runtime; 2] {
    [
        Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(),
        Builder::new_current_thread().enable_all().build().unwrap(),
    ]
}

fn count(pool: &SqlitePool) -> i64 {
    users::table.count().get_result(&mut *pool.get().unwrap()).unwrap()
}

fn ada() -> assoc_repo::Changeset<User> {
    User::build().set(User::NAME, "Ada")
}

#[test]
fn both_libraries_use_one_pool() {
    for runtime in runtimes() {
        let (pool, _folder) = pool(2);
        let repo = Repo::new(Pooled::new(pool.clone()).unwrap());
        runtime.block_on(repo.insert(ada())).unwrap();
        assert_eq!(count(&pool), 1);
        pool.get().unwrap().batch_execute("INSERT INTO users (name) VALUES ('Bob')").unwrap();
        let users = runtime.block_on(repo.all(Query::<User>::new())).unwrap();
        assert_eq!(users.len(), 2);
    }
}

#[test]
fn what_is_dropped_inside_a_transaction_is_rolled_back() {
    for runtime in runtimes() {
        let (pool, _folder) = pool(1);
        let repo = Repo::new(Pooled::new(pool.clone()).unwrap());
        runtime.block_on(async {
            let tx = repo.begin().await.unwrap();
            tx.insert(ada()).await.unwrap();
            drop(tx);
            assert_eq!(repo.count(Query::<User>::new()).await.unwrap(), 0);
        });
        assert_eq!(count(&pool), 0);
        assert_eq!(pool.state().connections, 1);
    }
}

#[test]
fn a_future_that_is_dropped_half_way_leaves_nothing() {
    for runtime in runtimes() {
        let (pool, _folder) = pool(1);
        let driver = Pooled::new(pool.clone()).unwrap();
        runtime.block_on(async {
            let mut own = driver.acquire(Access::Write).await.unwrap();
            own.begin(TransactionMode::Write).await.unwrap();
            let insert = Statement::plain("INSERT INTO users (name) VALUES ('Ada')");
            {
                let mut half_way = pin!(own.execute(&insert));
                let _ = half_way.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            // The connection is used on: the statement was waited for.
            let mut counted = Value::Null;
            let mut sink = |values: &mut [Value<'_>]| {
                counted = std::mem::take(&mut values[0]).into_owned();
                Ok(())
            };
            own.query(&Statement::plain("SELECT COUNT(*) FROM users"), &mut sink).await.unwrap();
            assert_eq!(counted, Value::Int(1));
            {
                let mut half_way = pin!(own.execute(&insert));
                let _ = half_way.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }
            drop(own);
            drop(driver.acquire(Access::Write).await.unwrap());
        });
        assert_eq!(count(&pool), 0);
    }
}

#[test]
fn a_panic_in_a_sink_costs_no_other_call() {
    for runtime in runtimes() {
        let (pool, _folder) = pool(1);
        let driver = std::sync::Arc::new(Pooled::new(pool.clone()).unwrap());
        runtime.block_on(async {
            let careless = driver.clone();
            let panicked = tokio::spawn(async move {
                let mut own = careless.acquire(Access::Write).await.unwrap();
                own.begin(TransactionMode::Write).await.unwrap();
                own.execute(&Statement::plain("INSERT INTO users (name) VALUES ('Ada')")).await.unwrap();
                let mut sink = |_: &mut [Value<'_>]| panic!("on purpose");
                let _ = own.query(&Statement::plain("SELECT 1"), &mut sink).await;
            });
            assert!(panicked.await.is_err());
            drop(driver.acquire(Access::Write).await.unwrap());
        });
        assert_eq!(count(&pool), 0);
    }
}

#[test]
fn waiting_has_the_time_limit_of_the_pool() {
    for runtime in runtimes() {
        let (pool, _folder) = pool(1);
        let driver = Pooled::new(pool.clone()).unwrap();
        let refused = runtime.block_on(async {
            let _held = driver.acquire(Access::Write).await.unwrap();
            driver.acquire(Access::Read).await.err().unwrap()
        });
        assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
        // Also where Diesel has the connection, and without a runtime.
        let _held = pool.get().unwrap();
        let refused = runtime.block_on(driver.acquire(Access::Read)).err().unwrap();
        assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
        let mut acquire = driver.acquire(Access::Read);
        let Poll::Ready(refused) = acquire.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("it blocks")
        };
        assert_eq!(refused.err().unwrap().driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
    }
}

#[test]
fn a_local_set_takes_inline_execution() {
    let (pool, _folder) = pool(1);
    let repo = Repo::new(Pooled::new(pool).unwrap().with_execution(Execution::Inline));
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let counted = tokio::task::LocalSet::new().block_on(&runtime, async {
        tokio::task::spawn_local(async move { repo.count(Query::<User>::new()).await }).await.unwrap()
    });
    assert_eq!(counted.unwrap(), 0);
}

#[test]
fn a_database_that_cannot_be_opened_is_unavailable() {
    let pool = Pool::builder()
        .max_size(1)
        .connection_timeout(Duration::from_millis(200))
        .build_unchecked(ConnectionManager::<SqliteConnection>::new("/nonexistent/folder/blog.db"));
    let refused = Pooled::new(pool).err().unwrap();
    assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::Unavailable);
}

#[derive(Debug)]
struct TestTransaction;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for TestTransaction {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> std::result::Result<(), diesel::r2d2::Error> {
        let setup = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)";
        connection.batch_execute(setup).map_err(diesel::r2d2::Error::QueryError)?;
        connection.begin_test_transaction().map_err(diesel::r2d2::Error::QueryError)
    }
}

#[test]
fn a_test_transaction_stays_open() {
    for runtime in runtimes() {
        let pool = Pool::builder()
            .max_size(1)
            .connection_customizer(Box::new(TestTransaction))
            .build(ConnectionManager::<SqliteConnection>::new(":memory:"))
            .unwrap();
        let repo = Repo::new(Pooled::new(pool.clone()).unwrap());
        runtime.block_on(async {
            repo.transaction(async |tx| tx.insert(ada()).await.map(drop)).await.unwrap();
            let tx = repo.begin().await.unwrap();
            tx.insert(ada()).await.unwrap();
            drop(tx);
            assert_eq!(repo.count(Query::<User>::new()).await.unwrap(), 1);
        });
        let mut connection = pool.get().unwrap();
        assert_eq!(users::table.count().get_result::<i64>(&mut *connection).unwrap(), 1);
        // It is the test transaction that undoes all.
        connection.batch_execute("ROLLBACK").unwrap();
        assert_eq!(users::table.count().get_result::<i64>(&mut *connection).unwrap(), 0);
    }
}
