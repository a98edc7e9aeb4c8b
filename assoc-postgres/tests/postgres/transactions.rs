//! Transactions, savepoints, and what happens to them when they fail or are forgotten.

use std::time::Duration;

use assoc_core::driver::{Connection, IsolationLevel, TransactionMode};
use assoc_core::{ErrorKind, Value};
use assoc_postgres::Postgres;

use crate::support::{TestDb, acquire, backend_pid, one, pool_becomes, run, try_rows, try_run};

async fn counted(connection: &mut dyn Connection) -> Value<'static> {
    one(connection, "SELECT COUNT(*) FROM t").await
}

async fn with_table(db: &TestDb) -> Postgres {
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY, v INT)").await;
    driver
}

#[tokio::test]
async fn commit_keeps_and_rollback_undoes() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let (mut one_end, mut other_end) = (acquire(&driver).await, acquire(&driver).await);
    one_end.begin(TransactionMode::Write).await.unwrap();
    run(&mut *one_end, "INSERT INTO t VALUES (1, 1)").await;
    assert_eq!(counted(&mut *other_end).await, Value::Int(0));
    one_end.commit().await.unwrap();
    assert_eq!(counted(&mut *other_end).await, Value::Int(1));
    one_end.begin(TransactionMode::Write).await.unwrap();
    run(&mut *one_end, "DELETE FROM t").await;
    // The server would only warn.
    let twice = one_end.begin(TransactionMode::Write).await.unwrap_err();
    assert!(matches!(twice.kind(), ErrorKind::Transaction(_)), "{twice}");
    one_end.rollback().await.unwrap();
    assert_eq!(counted(&mut *one_end).await, Value::Int(1));
}

#[tokio::test]
async fn reading_sees_one_snapshot_and_writes_nothing() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let (mut reader, mut writer) = (acquire(&driver).await, acquire(&driver).await);
    reader.begin(TransactionMode::Read).await.unwrap();
    assert_eq!(counted(&mut *reader).await, Value::Int(0));
    run(&mut *writer, "INSERT INTO t VALUES (1, 1)").await;
    assert_eq!(counted(&mut *reader).await, Value::Int(0));
    let refused = try_run(&mut *reader, "INSERT INTO t VALUES (2, 2)", []).await.unwrap_err();
    assert_eq!(refused.driver().unwrap().code(), Some("25006"));
    reader.rollback().await.unwrap();
    assert_eq!(counted(&mut *reader).await, Value::Int(1));
}

/// PostgreSQL answers the COMMIT of an aborted transaction with success, after it has rolled back.
#[tokio::test]
async fn a_commit_that_rolled_back_is_an_error() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1, 1)").await;
    try_run(&mut *connection, "INSERT INTO t VALUES (1, 2)", []).await.unwrap_err();
    let after = try_run(&mut *connection, "INSERT INTO t VALUES (2, 2)", []).await.unwrap_err();
    assert_eq!(after.driver().unwrap().code(), Some("25P02"), "{after}");
    let error = connection.commit().await.unwrap_err();
    assert!(error.to_string().contains("rolled back"), "{error}");
    assert_eq!(counted(&mut *connection).await, Value::Int(0));
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (3, 3)").await;
    connection.commit().await.unwrap();
    assert_eq!(counted(&mut *connection).await, Value::Int(1));
}

/// Also where the answer that would have said so was never waited for.
#[tokio::test]
async fn a_commit_after_a_dropped_error_is_an_error() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "INSERT INTO t VALUES (1, 1)").await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (2, 2)").await;
    let slow =
        try_rows(&mut *connection, "SELECT 1 / (v - 1), pg_sleep(0.3) FROM t WHERE pg_sleep(0.3) IS NOT NULL", []);
    assert!(tokio::time::timeout(Duration::from_millis(100), slow).await.is_err());
    assert!(connection.commit().await.is_err());
    assert_eq!(counted(&mut *connection).await, Value::Int(1));
}

#[tokio::test]
async fn a_savepoint_brings_an_aborted_transaction_back() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1, 1)").await;
    connection.savepoint(1).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (2, 2)").await;
    try_run(&mut *connection, "INSERT INTO t VALUES (1, 2)", []).await.unwrap_err();
    connection.rollback_to_savepoint(1).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (3, 3)").await;
    // Undoing can be repeated, because an answer may be lost with the future that waits for it.
    connection.rollback_to_savepoint(1).await.unwrap();
    assert_eq!(counted(&mut *connection).await, Value::Int(2));
    connection.savepoint(1).await.unwrap();
    connection.savepoint(2).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (4, 4)").await;
    connection.release_savepoint(2).await.unwrap();
    connection.rollback_to_savepoint(1).await.unwrap();
    connection.commit().await.unwrap();
    assert_eq!(counted(&mut *connection).await, Value::Int(2));
}

#[tokio::test]
async fn a_forgotten_transaction_is_rolled_back_before_the_connection_is_used_again() {
    let db = TestDb::new().await;
    drop(with_table(&db).await);
    let driver = db.builder().max_connections(1).connect().await.unwrap();
    let mut connection = acquire(&driver).await;
    let pid = backend_pid(&mut *connection).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1, 1)").await;
    drop(connection);
    let mut connection = acquire(&driver).await;
    assert_eq!(counted(&mut *connection).await, Value::Int(0));
    assert_eq!(backend_pid(&mut *connection).await, pid, "rolled back, not thrown away");
}

/// It carries the `BEGIN`. What comes after it is part of the transaction all the same.
#[tokio::test]
async fn the_future_of_the_first_statement_can_be_dropped() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    for ends in ["statement", "savepoint", "commit"] {
        let mut connection = acquire(&driver).await;
        connection.begin(TransactionMode::Write).await.unwrap();
        let slow = try_run(&mut *connection, "INSERT INTO t SELECT 1, 1 FROM pg_sleep(0.5)", []);
        assert!(tokio::time::timeout(Duration::from_millis(30), slow).await.is_err());
        match ends {
            "statement" => drop(run(&mut *connection, "INSERT INTO t VALUES (2, 2)").await),
            "savepoint" => {
                connection.savepoint(1).await.unwrap();
                run(&mut *connection, "INSERT INTO t VALUES (2, 2)").await;
                connection.rollback_to_savepoint(1).await.unwrap();
                assert_eq!(counted(&mut *connection).await, Value::Int(1));
            }
            _ => {
                connection.commit().await.unwrap();
                assert_eq!(counted(&mut *connection).await, Value::Int(1));
                continue;
            }
        }
        connection.rollback().await.unwrap();
        assert_eq!(counted(&mut *connection).await, Value::Int(0));
    }
}

#[tokio::test]
async fn a_transaction_dropped_in_the_middle_of_a_statement_is_gone() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let mut connection = acquire(&driver).await;
    let pid = backend_pid(&mut *connection).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1, 1)").await;
    let slow = try_rows(&mut *connection, "SELECT pg_sleep(600)", []);
    assert!(tokio::time::timeout(Duration::from_millis(100), slow).await.is_err());
    drop(connection);
    pool_becomes(&driver, |pool| pool.open == pool.idle).await;
    let mut other = acquire(&driver).await;
    assert_eq!(counted(&mut *other).await, Value::Int(0));
    // The server was told to stop.
    let running = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {pid}");
    for round in 0.. {
        if one(&mut *other, &running).await == Value::Int(0) {
            break;
        }
        assert!(round < 500, "the statement still runs");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_deadlock_ends_one_transaction_and_says_so() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let (mut left, mut right) = (acquire(&driver).await, acquire(&driver).await);
    run(&mut *left, "INSERT INTO t VALUES (1, 0), (2, 0)").await;
    left.begin(TransactionMode::Write).await.unwrap();
    right.begin(TransactionMode::Write).await.unwrap();
    run(&mut *left, "UPDATE t SET v = 1 WHERE id = 1").await;
    run(&mut *right, "UPDATE t SET v = 2 WHERE id = 2").await;
    let (of_left, of_right) = tokio::join!(
        try_run(&mut *left, "UPDATE t SET v = 1 WHERE id = 2", []),
        // The loser's locks are released by its rollback, which is the driver's user's to ask for.
        async {
            let result = try_run(&mut *right, "UPDATE t SET v = 2 WHERE id = 1", []).await;
            if result.is_err() {
                right.rollback().await.unwrap();
            }
            result
        },
    );
    let error = match (of_left, of_right) {
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => error,
        both => panic!("exactly one loses: {both:?}"),
    };
    assert!(error.is_retryable() && error.driver().unwrap().code() == Some("40P01"), "{error}");
}

#[tokio::test]
async fn a_serialization_failure_is_retryable_wherever_it_comes() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let (mut left, mut right) = (acquire(&driver).await, acquire(&driver).await);
    for connection in [&mut left, &mut right] {
        connection.begin_isolated(TransactionMode::Write, IsolationLevel::Serializable).await.unwrap();
        assert_eq!(counted(&mut **connection).await, Value::Int(0));
    }
    run(&mut *left, "INSERT INTO t VALUES (1, 1)").await;
    run(&mut *right, "INSERT INTO t VALUES (2, 2)").await;
    left.commit().await.unwrap();
    let error = right.commit().await.unwrap_err();
    assert!(error.is_retryable() && error.driver().unwrap().code() == Some("40001"), "{error}");
    assert_eq!(counted(&mut *right).await, Value::Int(1));
}

#[tokio::test]
async fn a_deferred_constraint_fails_the_commit() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE u (t_id INT REFERENCES t DEFERRABLE INITIALLY DEFERRED)").await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO u VALUES (9)").await;
    let error = connection.commit().await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), assoc_core::DriverErrorKind::ForeignKeyViolation, "{error}");
    assert_eq!(one(&mut *connection, "SELECT count(*) FROM u").await, Value::Int(0));
}
