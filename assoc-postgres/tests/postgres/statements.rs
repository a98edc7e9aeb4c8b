//! Statements: counts, prepared ones, what goes wrong with them.

use assoc_core::driver::Statement;
use assoc_core::{DriverErrorKind, Error, Value};

use crate::support::{TestDb, acquire, fetch, one, rows, run, statement, text, try_rows, try_run};

#[tokio::test]
async fn affected_rows_are_those_that_matched() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id int PRIMARY KEY, v int)").await;
    assert_eq!(run(&mut *connection, "INSERT INTO t VALUES (1, 1), (2, 2)").await.affected, 2);
    assert_eq!(run(&mut *connection, "UPDATE t SET v = v").await.affected, 2);
    assert_eq!(run(&mut *connection, "DELETE FROM t WHERE id = 1 RETURNING v").await.affected, 1);
    assert_eq!(run(&mut *connection, "DELETE FROM t WHERE id = 1").await.affected, 0);
}

#[tokio::test]
async fn a_table_that_has_changed_is_no_error_outside_a_transaction() {
    let db = TestDb::new().await;
    // As another program does it, of which this driver knows nothing.
    let (driver, migrations) = (db.driver().await, db.driver().await);
    let (mut reader, mut other) = (acquire(&driver).await, acquire(&migrations).await);
    run(&mut *other, "CREATE TABLE t (id int)").await;
    run(&mut *other, "INSERT INTO t VALUES (7)").await;
    assert_eq!(rows(&mut *reader, "SELECT * FROM t", []).await, [[Value::Int(7)]]);
    run(&mut *other, "ALTER TABLE t ADD COLUMN v text DEFAULT 'new'").await;
    assert_eq!(rows(&mut *reader, "SELECT * FROM t", []).await, [[Value::Int(7), text("new")]]);
    run(&mut *other, "ALTER TABLE t ALTER COLUMN v TYPE varchar(9)").await;
    assert_eq!(rows(&mut *reader, "SELECT * FROM t", []).await, [[Value::Int(7), text("new")]]);
    run(&mut *reader, "DEALLOCATE ALL").await;
    assert_eq!(rows(&mut *reader, "SELECT * FROM t", []).await.len(), 1);
    // Inside of one it has aborted the transaction. The next transaction succeeds.
    run(&mut *other, "ALTER TABLE t DROP COLUMN v").await;
    reader.begin(assoc_core::driver::TransactionMode::Write).await.unwrap();
    let error = try_rows(&mut *reader, "SELECT * FROM t", []).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert!(reader.commit().await.is_err());
    assert_eq!(rows(&mut *reader, "SELECT * FROM t", []).await, [[Value::Int(7)]]);
}

#[tokio::test]
async fn a_table_that_this_driver_has_changed_is_no_error_inside_a_transaction_either() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let (mut reader, mut other) = (acquire(&driver).await, acquire(&driver).await);
    run(&mut *other, "CREATE TABLE t (id int)").await;
    assert!(rows(&mut *reader, "SELECT * FROM t", []).await.is_empty());
    run(&mut *other, "ALTER TABLE t ADD COLUMN v int").await;
    reader.begin(assoc_core::driver::TransactionMode::Write).await.unwrap();
    assert!(rows(&mut *reader, "SELECT * FROM t", []).await.is_empty());
    reader.commit().await.unwrap();
}

#[tokio::test]
async fn prepared_statements_are_bounded() {
    let db = TestDb::new().await;
    let driver = db.builder().prepared_statements(3).connect().await.unwrap();
    let mut connection = acquire(&driver).await;
    for round in 0..3 {
        for number in 0..10 {
            let sql = format!("SELECT {number} + $1::int");
            let found = rows(&mut *connection, &sql, [Value::Int(round)]).await;
            assert_eq!(found, [[Value::Int(number + round)]]);
        }
    }
    let kept = one(&mut *connection, "SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 's%'").await;
    let Value::Int(kept) = kept else { panic!("{kept:?}") };
    assert!((1..=4).contains(&kept), "{kept} statements are prepared");
}

#[tokio::test]
async fn a_failed_statement_can_be_run_again() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    try_rows(&mut *connection, "SELECT * FROM later", []).await.unwrap_err();
    run(&mut *connection, "CREATE TABLE later (id int PRIMARY KEY)").await;
    assert!(rows(&mut *connection, "SELECT * FROM later", []).await.is_empty());
    for _ in 0..2 {
        let error = try_rows(&mut *connection, "SELECT 1 / $1::int", [Value::Int(0)]).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Value, "{error}");
    }
    assert_eq!(rows(&mut *connection, "SELECT 1 / $1::int", [Value::Int(1)]).await, [[Value::Int(1)]]);
}

#[tokio::test]
async fn several_statements_in_one_text_are_refused() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id int)").await;
    connection.begin(assoc_core::driver::TransactionMode::Write).await.unwrap();
    // So no text hides a COMMIT.
    let error = try_run(&mut *connection, "INSERT INTO t VALUES (1); COMMIT", []).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Statement, "{error}");
    connection.rollback().await.unwrap();
    assert!(rows(&mut *connection, "SELECT * FROM t", []).await.is_empty());
}

#[tokio::test]
async fn binds_are_counted() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    for binds in [vec![], vec![Value::Int(1), Value::Int(2)]] {
        let error = try_rows(&mut *connection, "SELECT $1::int", binds).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Statement, "{error}");
    }
    assert_eq!(rows(&mut *connection, "SELECT $1::int", [Value::Int(1)]).await.len(), 1);
    // The most that there may be, and one more.
    let many = |count: usize| {
        let placeholders: Vec<String> = (1..=count).map(|at| format!("(${at}::int)")).collect();
        statement(
            &format!("SELECT count(*) FROM (VALUES {}) AS v", placeholders.join(", ")),
            vec![Value::Int(1); count],
        )
    };
    assert_eq!(fetch(&mut *connection, &many(65_535)).await.unwrap(), [[Value::Int(65_535)]]);
    assert!(fetch(&mut *connection, &many(65_536)).await.is_err());
    assert_eq!(one(&mut *connection, "SELECT 1").await, Value::Int(1));
}

#[tokio::test]
async fn a_sink_that_fails_leaves_the_connection_usable() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    let mut sink = |_: &mut [Value<'_>]| Err(Error::other("enough"));
    let many = Statement::plain("SELECT generate_series(1, 100000)");
    let error = connection.query(&many, &mut sink).await.unwrap_err();
    assert!(error.to_string().contains("enough"), "{error}");
    assert_eq!(one(&mut *connection, "SELECT 1").await, Value::Int(1));
    // What fails behind the row that was refused has aborted the transaction all the same.
    run(&mut *connection, "CREATE TABLE t (id int)").await;
    connection.begin(assoc_core::driver::TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1)").await;
    let failing = Statement::plain("SELECT 1 / (100000 - n) FROM generate_series(1, 100000) AS n");
    connection.query(&failing, &mut sink).await.unwrap_err();
    connection.commit().await.unwrap_err();
    assert!(rows(&mut *connection, "SELECT * FROM t", []).await.is_empty());
}
