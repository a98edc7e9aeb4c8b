//! Connections that the server closes.

use std::time::Duration;

use assoc_core::driver::{Connection, TransactionMode};
use assoc_core::{DriverErrorKind, Value};
use assoc_mysql::MySql;

use crate::support::{
    TestDb, acquire, connection_id, one, pool_becomes, rows, run, statement, status, try_rows, try_run,
};

/// Kills the one connection of a pool while it is idle.
async fn kill_idle(driver: &MySql, killer: &mut dyn Connection, pause: bool) {
    let mut connection = acquire(driver).await;
    let id = connection_id(&mut *connection).await;
    drop(connection);
    run(killer, &format!("KILL {id}")).await;
    if pause {
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

async fn a_kill_between_two_calls_is_invisible(driver: MySql, db: &TestDb) {
    let other = db.driver().await;
    let mut killer = acquire(&other).await;
    run(&mut *killer, "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
    let mut inserted = 0;
    for round in 0..40 {
        let pause = round % 2 == 0;
        kill_idle(&driver, &mut *killer, pause).await;
        let mut connection = acquire(&driver).await;
        match round / 2 % 6 {
            0 => assert_eq!(one(&mut *connection, "SELECT 1").await, Value::Int(1)),
            1 => {
                rows(&mut *connection, "SELECT * FROM t WHERE id = ?", [Value::Int(1)]).await;
            }
            2 => {
                inserted += 1;
                try_run(&mut *connection, "INSERT INTO t (v) VALUES (?)", [Value::Int(round)]).await.unwrap();
            }
            3 => {
                inserted += 1;
                run(&mut *connection, "INSERT INTO t (v) VALUES (7)").await;
            }
            4 => {
                inserted += 1;
                connection.begin(TransactionMode::Write).await.unwrap();
                try_run(&mut *connection, "INSERT INTO t (v) VALUES (?)", [Value::Int(round)]).await.unwrap();
                connection.commit().await.unwrap();
            }
            _ => {
                // Prepared and in the cache, so that nothing but the ping can tell.
                let sql = "UPDATE t SET v = v + ? WHERE id = 1";
                try_run(&mut *connection, sql, [Value::Int(1)]).await.unwrap();
                drop(connection);
                let id = connection_id(&mut *acquire(&driver).await).await;
                run(&mut *killer, &format!("KILL {id}")).await;
                connection = acquire(&driver).await;
                assert_eq!(try_run(&mut *connection, sql, [Value::Int(1)]).await.unwrap().affected, 1);
            }
        }
        drop(connection);
        assert_eq!((status(&driver).open, status(&driver).idle), (1, 1), "round {round}");
    }
    assert_eq!(one(&mut *killer, "SELECT COUNT(*) FROM t").await, Value::Int(inserted));
}

#[tokio::test]
async fn a_kill_between_two_calls_is_invisible_over_tcp() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(1).trust_window(Duration::ZERO).connect().await.unwrap();
    a_kill_between_two_calls_is_invisible(driver, &db).await;
}

#[tokio::test]
async fn a_kill_between_two_calls_is_invisible_over_a_local_socket() {
    let db = TestDb::new().await;
    let driver = db.local_builder().max_connections(1).trust_window(Duration::ZERO).connect().await.unwrap();
    a_kill_between_two_calls_is_invisible(driver, &db).await;
}

#[tokio::test]
async fn a_connection_long_idle_is_pinged() {
    let db = TestDb::new().await;
    let driver =
        db.builder().max_connections(1).ping_after(Duration::ZERO).ping_before_write(false).connect().await.unwrap();
    let other = db.driver().await;
    let mut killer = acquire(&other).await;
    run(&mut *killer, "CREATE TABLE t (id INT)").await;
    kill_idle(&driver, &mut *killer, true).await;
    run(&mut *acquire(&driver).await, "INSERT INTO t VALUES (1)").await;
}

#[tokio::test]
async fn a_kill_inside_a_transaction_is_an_error_and_the_pool_stays_usable() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut killer = acquire(&driver).await;
    run(&mut *killer, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1)").await;
    let id = connection_id(&mut *connection).await;
    run(&mut *killer, &format!("KILL {id}")).await;
    let error = try_rows(&mut *connection, "SELECT * FROM t", []).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::ConnectionLost, "{error}");
    let error = try_rows(&mut *connection, "SELECT * FROM t", []).await.unwrap_err();
    assert!(error.to_string().contains("rolled back"), "{error}");
    assert_eq!(connection.savepoint(1).await.unwrap_err().driver().unwrap().kind(), DriverErrorKind::ConnectionLost);
    connection.rollback().await.unwrap();
    // The same connection object goes on with a new session.
    assert!(rows(&mut *connection, "SELECT * FROM t", []).await.is_empty());
    drop(connection);
    drop(killer);
    assert_eq!(status(&driver).open, status(&driver).idle);
}

#[tokio::test]
async fn a_kill_before_commit_is_told_from_one_that_nobody_can_judge() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut killer = acquire(&driver).await;
    run(&mut *killer, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    let id = connection_id(&mut *connection).await;
    run(&mut *killer, &format!("KILL {id}")).await;
    // The COMMIT was sent and no answer came.
    let error = connection.commit().await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::AmbiguousCommit, "{error}");
    assert!(!error.is_retryable());
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1)").await;
    connection.commit().await.unwrap();
}

#[tokio::test]
async fn a_kill_while_streaming_is_an_error() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut killer = acquire(&driver).await;
    run(&mut *killer, "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)").await;
    run(&mut *killer, "INSERT INTO t (v) VALUES (REPEAT('x', 100000))").await;
    for _ in 0..9 {
        run(&mut *killer, "INSERT INTO t (v) SELECT v FROM t").await;
    }
    let mut connection = acquire(&driver).await;
    let id = connection_id(&mut *connection).await;
    let (first, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let reading = async {
        let mut sink = |_: &mut [Value<'_>]| {
            let _ = first.send(());
            // Slow enough that the server has to wait for us.
            std::thread::sleep(Duration::from_millis(3));
            Ok(())
        };
        connection.query(&statement("SELECT v FROM t", []), &mut sink).await
    };
    let killing = async {
        seen.recv().await;
        run(&mut *killer, &format!("KILL {id}")).await;
    };
    let (outcome, ()) = tokio::join!(reading, killing);
    let error = outcome.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::ConnectionLost, "{error}");
    drop(connection);
    pool_becomes(&driver, |pool| pool.open == 1 && pool.idle == 0).await;
    assert_eq!(one(&mut *acquire(&driver).await, "SELECT 1").await, Value::Int(1));
}

#[tokio::test]
async fn a_killed_query_leaves_its_connection() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let (mut connection, mut killer) = (acquire(&driver).await, acquire(&driver).await);
    let id = connection_id(&mut *connection).await;
    let killing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        run(&mut *killer, &format!("KILL QUERY {id}")).await;
    };
    let slow =
        "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c";
    let (outcome, ()) = tokio::join!(try_rows(&mut *connection, slow, []), killing);
    assert_eq!(outcome.unwrap_err().driver().unwrap().code(), Some("1317"));
    assert_eq!(connection_id(&mut *connection).await, id);
}

#[tokio::test]
async fn a_connection_the_server_found_idle_for_too_long_is_replaced() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(2).on_connect("SET SESSION wait_timeout = 1").connect().await.unwrap();
    let (mut first, second) = (acquire(&driver).await, acquire(&driver).await);
    run(&mut *first, "CREATE TABLE t (id INT)").await;
    drop((first, second));
    assert_eq!(status(&driver).idle, 2);
    tokio::time::sleep(Duration::from_millis(2_200)).await;
    let (mut first, mut second) = (acquire(&driver).await, acquire(&driver).await);
    run(&mut *first, "INSERT INTO t VALUES (1)").await;
    assert_eq!(rows(&mut *second, "SELECT * FROM t", []).await, vec![vec![Value::Int(1)]]);
    drop((first, second));
    assert_eq!((status(&driver).open, status(&driver).idle), (2, 2));
}
