//! Transactions, savepoints, and what happens to them when they are forgotten.

use assoc_core::driver::{Connection, TransactionMode};
use assoc_core::{DriverErrorKind, ErrorKind, Value};
use assoc_mysql::MySql;

use crate::support::{TestDb, acquire, connection_id, one, pool_becomes, run, status, try_rows, try_run};

async fn counted(connection: &mut dyn Connection) -> Value<'static> {
    one(connection, "SELECT COUNT(*) FROM t").await
}

async fn with_table(db: &TestDb) -> MySql {
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB").await;
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
    one_end.rollback().await.unwrap();
    assert_eq!(counted(&mut *one_end).await, Value::Int(1));
    let twice = {
        one_end.begin(TransactionMode::Write).await.unwrap();
        one_end.begin(TransactionMode::Write).await.unwrap_err()
    };
    assert!(matches!(twice.kind(), ErrorKind::Transaction(_)), "{twice}");
    one_end.rollback().await.unwrap();
}

#[tokio::test]
async fn reading_sees_one_snapshot_and_writes_nothing() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let (mut reader, mut writer) = (acquire(&driver).await, acquire(&driver).await);
    reader.begin(TransactionMode::Read).await.unwrap();
    run(&mut *writer, "INSERT INTO t VALUES (1, 1)").await;
    assert_eq!(counted(&mut *reader).await, Value::Int(0));
    let refused = try_run(&mut *reader, "INSERT INTO t VALUES (2, 2)", []).await.unwrap_err();
    assert_eq!(refused.driver().unwrap().code(), Some("1792"));
    reader.commit().await.unwrap();
    assert_eq!(counted(&mut *reader).await, Value::Int(1));
}

#[tokio::test]
async fn savepoints_nest() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1, 1)").await;
    connection.savepoint(1).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (2, 2)").await;
    connection.savepoint(2).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (3, 3)").await;
    connection.rollback_to_savepoint(2).await.unwrap();
    assert_eq!(counted(&mut *connection).await, Value::Int(2));
    // Undoing can be repeated, because an answer may be lost with the future that waits for it.
    connection.rollback_to_savepoint(2).await.unwrap();
    assert_eq!(counted(&mut *connection).await, Value::Int(2));
    let forgotten = connection.release_savepoint(2).await.unwrap_err();
    assert_eq!(forgotten.driver().unwrap().code(), Some("1305"));
    connection.release_savepoint(1).await.unwrap();
    connection.savepoint(1).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (4, 4)").await;
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
    let id = connection_id(&mut *connection).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1, 1)").await;
    drop(connection);
    let mut connection = acquire(&driver).await;
    assert_eq!(counted(&mut *connection).await, Value::Int(0));
    assert_eq!(connection_id(&mut *connection).await, id, "rolled back, not thrown away");
    connection.begin(TransactionMode::Write).await.unwrap();
    connection.rollback().await.unwrap();
}

#[tokio::test]
async fn a_transaction_dropped_in_the_middle_of_a_statement_is_gone() {
    let db = TestDb::new().await;
    let driver = with_table(&db).await;
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1, 1)").await;
    let slow = try_rows(&mut *connection, "SELECT SLEEP(30)", []);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(100), slow).await.is_err());
    // Still held, but its session is not to be trusted.
    let error = try_run(&mut *connection, "INSERT INTO t VALUES (2, 2)", []).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::ConnectionLost, "{error}");
    let error = connection.commit().await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::ConnectionLost, "{error}");
    drop(connection);
    pool_becomes(&driver, |pool| pool.open == pool.idle).await;
    let mut other = acquire(&driver).await;
    assert_eq!(counted(&mut *other).await, Value::Int(0));
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
        try_run(&mut *right, "UPDATE t SET v = 2 WHERE id = 1", []),
    );
    let (mut loser, mut winner, error) = match (of_left, of_right) {
        (Err(error), Ok(_)) => (left, right, error),
        (Ok(_), Err(error)) => (right, left, error),
        both => panic!("exactly one loses: {both:?}"),
    };
    assert!(error.is_retryable() && error.driver().unwrap().code() == Some("1213"), "{error}");
    // Nothing runs outside a transaction by mistake.
    let error = try_run(&mut *loser, "INSERT INTO t VALUES (9, 9)", []).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(loser.savepoint(1).await.unwrap_err().is_retryable());
    loser.rollback().await.unwrap();
    winner.commit().await.unwrap();
    run(&mut *loser, "INSERT INTO t VALUES (3, 3)").await;
    assert_eq!(counted(&mut *loser).await, Value::Int(3));
    drop((loser, winner));
    assert_eq!(status(&driver).open, status(&driver).idle);
}

#[tokio::test]
async fn waiting_for_a_lock_ends_with_a_retryable_error() {
    let db = TestDb::new().await;
    drop(with_table(&db).await);
    let driver = db.builder().on_connect("SET SESSION innodb_lock_wait_timeout = 1").connect().await.unwrap();
    let (mut holder, mut waiter) = (acquire(&driver).await, acquire(&driver).await);
    run(&mut *holder, "INSERT INTO t VALUES (1, 0)").await;
    holder.begin(TransactionMode::Write).await.unwrap();
    run(&mut *holder, "UPDATE t SET v = 1").await;
    waiter.begin(TransactionMode::Write).await.unwrap();
    let error = try_run(&mut *waiter, "UPDATE t SET v = 2", []).await.unwrap_err();
    assert!(error.is_retryable() && error.driver().unwrap().code() == Some("1205"), "{error}");
    waiter.rollback().await.unwrap();
    holder.rollback().await.unwrap();
}

/// The servers that the tests are run on by `xtask` have `innodb_rollback_on_timeout` on, which is not the default.
#[tokio::test]
async fn a_lock_timeout_that_rolled_back_leaves_no_rows_behind() {
    let db = TestDb::new().await;
    drop(with_table(&db).await);
    let driver = db.builder().on_connect("SET SESSION innodb_lock_wait_timeout = 1").connect().await.unwrap();
    let (mut holder, mut waiter) = (acquire(&driver).await, acquire(&driver).await);
    let rolls_back = one(&mut *holder, "SELECT @@innodb_rollback_on_timeout").await == Value::Int(1);
    run(&mut *holder, "INSERT INTO t VALUES (1, 0)").await;
    holder.begin(TransactionMode::Write).await.unwrap();
    run(&mut *holder, "UPDATE t SET v = 1 WHERE id = 1").await;
    waiter.begin(TransactionMode::Write).await.unwrap();
    run(&mut *waiter, "INSERT INTO t VALUES (2, 0)").await;
    let error = try_run(&mut *waiter, "UPDATE t SET v = 2 WHERE id = 1", []).await.unwrap_err();
    assert_eq!(error.driver().unwrap().code(), Some("1205"), "{error}");
    let after = try_run(&mut *waiter, "INSERT INTO t VALUES (3, 0)", []).await;
    let committed = waiter.commit().await;
    holder.rollback().await.unwrap();
    let found = counted(&mut *waiter).await;
    if rolls_back {
        assert!(after.unwrap_err().is_retryable() && committed.unwrap_err().is_retryable());
        assert_eq!(found, Value::Int(1));
    } else {
        after.unwrap();
        committed.unwrap();
        assert_eq!(found, Value::Int(3));
    }
}
