//! What is tested on SQLite alone.

use std::time::Duration;

use assoc_core::DriverErrorKind;
use assoc_diesel::{Execution, Pooled};
use assoc_repo::prelude::*;
use diesel::connection::{Connection as _, SimpleConnection};
use diesel::prelude::{QueryDsl, RunQueryDsl, SqliteConnection};
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use tokio::runtime::Builder;

use crate::cases::{User, ada, pool, runtimes};
use crate::served::{OnSqlite, users};

#[test]
fn a_local_set_takes_inline_execution() {
    let pool = pool::<OnSqlite>(1);
    let repo = Repo::new(Pooled::new(pool.clone()).unwrap().with_execution(Execution::Inline));
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
    let refused = Pooled::new(pool.clone()).err().unwrap();
    assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::Unavailable);
}

#[test]
fn a_unique_index_that_another_connection_has_made_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let url = folder.path().join("blog.db").display().to_string();
    let mut other = SqliteConnection::establish(&url).unwrap();
    other.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").unwrap();
    let pool = Pool::builder().max_size(1).build(ConnectionManager::<SqliteConnection>::new(&url)).unwrap();
    let repo = Repo::new(Pooled::new(pool).unwrap());
    let upsert = "INSERT INTO users (name) VALUES ('Ada') ON CONFLICT (name) DO NOTHING";
    for runtime in runtimes() {
        runtime.block_on(async {
            repo.count(Query::<User>::new()).await.unwrap();
            other.batch_execute("CREATE UNIQUE INDEX names ON users (name)").unwrap();
            repo.execute_raw(upsert, []).await.unwrap();
            other.batch_execute("DROP INDEX names").unwrap();
            let refused = repo.execute_raw(upsert, []).await.unwrap_err();
            assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::Statement, "there is none any more");
        });
    }
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
