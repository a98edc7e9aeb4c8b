//! The pool: its limits, and connections that come back.

use std::time::Duration;

use assoc_core::driver::{Access, Driver};
use assoc_core::{DriverErrorKind, Value};

use crate::support::{TestDb, acquire, one, pool_becomes, status, try_rows};

#[tokio::test]
async fn no_more_connections_than_allowed() {
    let db = TestDb::new().await;
    let limit = Duration::from_millis(100);
    let driver = db.builder().max_connections(2).acquire_timeout(limit).connect().await.unwrap();
    let (one_end, other_end) = (acquire(&driver).await, acquire(&driver).await);
    assert_eq!((status(&driver).open, status(&driver).idle, status(&driver).max), (2, 0, 2));
    let Err(error) = driver.acquire(Access::Read).await else { panic!("a third one") };
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::PoolTimeout, "{error}");
    assert!(error.to_string().contains("all 2 are in use"), "{error}");
    drop(one_end);
    assert_eq!(one(&mut *acquire(&driver).await, "SELECT 1").await, Value::Int(1));
    drop(other_end);
    assert_eq!((status(&driver).open, status(&driver).idle), (2, 2));
    driver.close();
    let Err(error) = driver.acquire(Access::Read).await else { panic!("a closed pool") };
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Unavailable, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_tasks_share_a_few() {
    let db = TestDb::new().await;
    let driver = std::sync::Arc::new(db.builder().max_connections(3).connect().await.unwrap());
    let tasks: Vec<_> = (0..200)
        .map(|number| {
            let driver = std::sync::Arc::clone(&driver);
            tokio::spawn(async move {
                let mut connection = acquire(&driver).await;
                try_rows(&mut *connection, "SELECT $1::bigint", [Value::Int(number)]).await.unwrap()
            })
        })
        .collect();
    for (number, task) in (0..).zip(tasks) {
        assert_eq!(task.await.unwrap(), [[Value::Int(number)]]);
    }
    assert!(status(&driver).open <= 3);
}

#[tokio::test]
async fn a_statement_whose_future_was_dropped_closes_its_connection() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(1).connect().await.unwrap();
    let mut connection = acquire(&driver).await;
    let slow = try_rows(&mut *connection, "SELECT pg_sleep(600)", []);
    assert!(tokio::time::timeout(Duration::from_millis(50), slow).await.is_err());
    drop(connection);
    pool_becomes(&driver, |pool| pool.open == 0).await;
    assert_eq!(one(&mut *acquire(&driver).await, "SELECT 1").await, Value::Int(1));
}

#[tokio::test]
async fn an_idle_connection_is_asked_whether_it_is_alive() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(1).ping_after(Duration::ZERO).connect().await.unwrap();
    for _ in 0..3 {
        assert_eq!(one(&mut *acquire(&driver).await, "SELECT 1").await, Value::Int(1));
    }
}
