//! Values both ways, effects, transactions and errors, as a caller sees them.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::time::{Duration, Instant};

use assoc_core::driver::{Access, Connection, Driver, ExecResult, Statement, TransactionMode};
use assoc_core::value::{Date, DateTime, Time};
use assoc_core::{DriverErrorKind, Result, Value};
use assoc_sqlite::Sqlite;
use support::{Scratch, ints, kind, rows, scalar, statement};

fn memory(schema: &str) -> (Sqlite, Box<dyn Connection>) {
    let sqlite = Sqlite::memory().unwrap();
    pollster::block_on(sqlite.execute_batch(schema)).unwrap();
    let connection = pollster::block_on(sqlite.acquire(Access::Write)).unwrap();
    (sqlite, connection)
}

fn execute(connection: &mut dyn Connection, sql: &str) -> Result<ExecResult> {
    pollster::block_on(connection.execute(&Statement::plain(sql)))
}

#[test]
fn a_unique_index_that_another_connection_has_made_is_known() {
    let scratch = Scratch::new();
    let [one, other] = [scratch.builder().open().unwrap(), scratch.builder().open().unwrap()];
    let schema = |sql: &str| pollster::block_on(one.execute_batch(sql)).unwrap();
    schema("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)");
    let mut connection = pollster::block_on(other.acquire(Access::Write)).unwrap();
    let upsert = "INSERT INTO users (email) VALUES ('ada') ON CONFLICT (email) DO NOTHING";
    for in_transaction in [false, true] {
        pollster::block_on(rows(&mut *connection, &Statement::plain("SELECT id FROM users"))).unwrap();
        schema("CREATE UNIQUE INDEX emails ON users (email)");
        if in_transaction {
            pollster::block_on(connection.begin(TransactionMode::Write)).unwrap();
        }
        execute(&mut *connection, upsert).unwrap();
        if in_transaction {
            pollster::block_on(connection.commit()).unwrap();
        }
        schema("DROP INDEX emails");
        assert_eq!(
            kind(&execute(&mut *connection, upsert).unwrap_err()),
            DriverErrorKind::Statement,
            "there is none any more"
        );
    }
}

#[test]
fn values_go_in_and_come_out() {
    let (_sqlite, mut connection) = memory("");
    let date = Date { year: 2024, month: 2, day: 29 };
    let time = Time { negative: false, hour: 23, minute: 59, second: 8, micros: 120 };
    let text = |text: &str| Value::Text(text.to_owned().into());
    let cases = [
        (Value::Null, Value::Null, "null"),
        (Value::Bool(true), Value::Int(1), "integer"),
        (Value::Int(i64::MIN), Value::Int(i64::MIN), "integer"),
        (Value::UInt(7), Value::Int(7), "integer"),
        (Value::Real(-0.5), Value::Real(-0.5), "real"),
        (text("größe\0\u{1F980}"), text("größe\0\u{1F980}"), "text"),
        (Value::Blob(vec![0, 255].into()), Value::Blob(vec![0, 255].into()), "blob"),
        (Value::Blob(Vec::new().into()), Value::Blob(Vec::new().into()), "blob"),
        (Value::Date(date), text("2024-02-29"), "text"),
        (Value::Time(time), text("23:59:08.000120"), "text"),
        (Value::DateTime(DateTime { date, time }), text("2024-02-29 23:59:08.000120"), "text"),
        (Value::Uuid([7; 16]), Value::Blob(vec![7; 16].into()), "blob"),
        (Value::Decimal("1.10".into()), text("1.10"), "text"),
        (Value::Json("{\"a\":1}".into()), text("{\"a\":1}"), "text"),
    ];
    for (value, expected, class) in cases {
        let select = statement("SELECT ?1, typeof(?1)", [value.clone()]);
        let found = pollster::block_on(rows(&mut *connection, &select)).unwrap();
        assert_eq!(found, [[expected, text(class)]], "{value:?}");
    }
    for value in [Value::UInt(u64::MAX), Value::Real(f64::NAN)] {
        let error = pollster::block_on(rows(&mut *connection, &statement("SELECT ?", [value]))).unwrap_err();
        assert_eq!(kind(&error), DriverErrorKind::Value);
        assert_eq!(error.driver().unwrap().sql(), Some("SELECT ?"));
    }
}

#[test]
fn uuids_as_text() {
    let sqlite = Sqlite::builder(":memory:").uuid_as_text(true).open().unwrap();
    let mut connection = pollster::block_on(sqlite.acquire(Access::Write)).unwrap();
    let found = pollster::block_on(rows(&mut *connection, &statement("SELECT ?", [Value::Uuid([0xab; 16])]))).unwrap();
    assert_eq!(found, [[Value::Text("abababab-abab-abab-abab-abababababab".into())]]);
}

#[test]
fn text_that_is_not_utf8_is_an_error_that_names_the_column() {
    let (_sqlite, mut connection) = memory("");
    let select = Statement::plain("SELECT 1, CAST(x'ff41' AS TEXT) AS title");
    let error = pollster::block_on(rows(&mut *connection, &select)).unwrap_err();
    assert_eq!(kind(&error), DriverErrorKind::Value);
    assert!(error.to_string().contains("column `title`"), "{error}");
    assert_eq!(pollster::block_on(ints(&mut *connection, &Statement::plain("SELECT 2"))).unwrap(), [2]);
}

#[test]
fn effects_are_counted() {
    let (_sqlite, mut connection) = memory("CREATE TABLE t(id INTEGER PRIMARY KEY, n INT UNIQUE)");
    let connection = &mut *connection;
    assert_eq!(execute(connection, "INSERT INTO t(n) VALUES (1)").unwrap(), ExecResult::new(1, Some(1)));
    assert_eq!(
        execute(connection, "INSERT INTO t(n) VALUES (2), (3)").unwrap(),
        ExecResult::new(2, None).with_last_of_several(3)
    );
    // Matched, though nothing changes.
    assert_eq!(execute(connection, "UPDATE t SET n = n").unwrap(), ExecResult::new(3, None));
    assert_eq!(execute(connection, "UPDATE t SET n = 0 WHERE n > 9").unwrap(), ExecResult::new(0, None));
    assert_eq!(execute(connection, "CREATE TABLE u(a)").unwrap(), ExecResult::new(0, None));
    assert_eq!(execute(connection, "SELECT * FROM t").unwrap(), ExecResult::new(0, None));
    assert_eq!(execute(connection, "INSERT OR IGNORE INTO t(n) VALUES (1)").unwrap(), ExecResult::new(0, None));
    let upsert = "INSERT INTO t(n) VALUES (1) ON CONFLICT DO UPDATE SET n = 10";
    assert_eq!(execute(connection, upsert).unwrap(), ExecResult::new(1, None));
    assert_eq!(execute(connection, "INSERT INTO t(n) VALUES (11) RETURNING id").unwrap(), ExecResult::new(1, Some(4)));
    assert_eq!(execute(connection, "DELETE FROM t").unwrap(), ExecResult::new(4, None));
    let returning = Statement::plain("INSERT INTO t(n) VALUES (5), (6) RETURNING n");
    assert_eq!(pollster::block_on(ints(connection, &returning)).unwrap(), [5, 6]);
}

#[test]
fn wrong_statements_are_refused_with_their_text() {
    let (sqlite, mut connection) = memory("CREATE TABLE t(a)");
    let cases = [
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        ("SELECT \"no such column\" FROM t", "no such column"),
        ("INSERT INTO t VALUES (1); DROP TABLE t", "several statements"),
        ("SELECT 1;;; SELECT 2", "several statements"),
        ("SELECT ?", "1 parameters and 0 binds"),
        ("SELECT 1\0; DROP TABLE t", "NUL character"),
        ("INSERT INTO t VALUES ('\0')", "NUL character"),
    ];
    for (sql, message) in cases {
        let error = execute(&mut *connection, sql).unwrap_err();
        assert_eq!(kind(&error), DriverErrorKind::Statement, "{sql}");
        assert!(error.to_string().contains(message), "{sql}: {error}");
        assert_eq!(error.driver().unwrap().sql(), Some(sql));
    }
    for empty in ["", "  ", "-- comment", "/* comment", ";"] {
        let executed = execute(&mut *connection, empty).unwrap_err();
        let queried = pollster::block_on(rows(&mut *connection, &Statement::plain(empty))).unwrap_err();
        for error in [executed, queried] {
            assert_eq!(kind(&error), DriverErrorKind::Statement, "{empty}: {error}");
            assert!(error.to_string().contains("no statement in the text"), "{empty}: {error}");
        }
    }
    assert_eq!(execute(&mut *connection, "SELECT 1; -- that is all").unwrap(), ExecResult::new(0, None));
    drop(connection);
    let batch = "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); BEGIN; INSERT INTO t VALUES (3)";
    pollster::block_on(sqlite.execute_batch(batch)).unwrap();
    assert_eq!(pollster::block_on(scalar(&sqlite, "SELECT count(*) FROM t")), Value::Int(2));
}

#[test]
fn constraints_are_classified() {
    let (_sqlite, mut connection) = memory(
        "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT UNIQUE);
         CREATE TABLE posts(id INTEGER PRIMARY KEY, user_id INT REFERENCES users);
         INSERT INTO users VALUES (1, 'a')",
    );
    let error = execute(&mut *connection, "INSERT INTO users(email) VALUES ('a')").unwrap_err();
    assert!(error.is_unique_violation());
    let driver = error.driver().unwrap();
    assert_eq!((driver.table(), driver.constraint()), (Some("users"), Some("users.email")));
    assert_eq!(driver.code(), Some("SQLITE_CONSTRAINT_UNIQUE"));
    assert!(std::error::Error::source(driver).is_some());
    let error = execute(&mut *connection, "INSERT INTO posts(user_id) VALUES (9)").unwrap_err();
    assert!(error.is_foreign_key_violation());
}

#[test]
fn transactions_and_savepoints() {
    let (_sqlite, mut connection) = memory("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    pollster::block_on(async {
        let insert = |id: i64| statement("INSERT INTO t VALUES (?)", [Value::Int(id)]);
        connection.begin(TransactionMode::Write).await.unwrap();
        connection.execute(&insert(1)).await.unwrap();
        connection.savepoint(1).await.unwrap();
        connection.execute(&insert(2)).await.unwrap();
        connection.savepoint(2).await.unwrap();
        connection.execute(&insert(3)).await.unwrap();
        connection.release_savepoint(2).await.unwrap();
        connection.rollback_to_savepoint(1).await.unwrap();
        connection.savepoint(1).await.unwrap();
        connection.execute(&insert(4)).await.unwrap();
        connection.release_savepoint(1).await.unwrap();
        connection.commit().await.unwrap();
        assert_eq!(ints(&mut *connection, &Statement::plain("SELECT id FROM t")).await.unwrap(), [1, 4]);
        // Rolling back what is not there is fine; committing it, or a savepoint on its own, is not.
        connection.rollback().await.unwrap();
        assert_eq!(kind(&connection.commit().await.unwrap_err()), DriverErrorKind::Statement);
        assert_eq!(kind(&connection.savepoint(1).await.unwrap_err()), DriverErrorKind::Statement);
        connection.begin(TransactionMode::Read).await.unwrap();
        assert_eq!(kind(&connection.begin(TransactionMode::Read).await.unwrap_err()), DriverErrorKind::Statement);
        connection.rollback().await.unwrap();
        connection.execute(&insert(5)).await.unwrap();
    });
}

#[test]
fn a_commit_that_fails_leaves_no_transaction() {
    let (_sqlite, mut connection) = memory(
        "CREATE TABLE users(id INTEGER PRIMARY KEY);
         CREATE TABLE posts(id INTEGER PRIMARY KEY, user_id INT REFERENCES users DEFERRABLE INITIALLY DEFERRED)",
    );
    pollster::block_on(async {
        connection.begin(TransactionMode::Write).await.unwrap();
        connection.execute(&Statement::plain("INSERT INTO posts(user_id) VALUES (9)")).await.unwrap();
        assert!(connection.commit().await.unwrap_err().is_foreign_key_violation());
        connection.begin(TransactionMode::Write).await.unwrap();
        assert_eq!(ints(&mut *connection, &Statement::plain("SELECT count(*) FROM posts")).await.unwrap(), [0]);
    });
}

#[test]
fn a_read_transaction_is_one_snapshot() {
    let scratch = Scratch::new();
    let sqlite = scratch.builder().open().unwrap();
    pollster::block_on(async {
        sqlite.execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY)").await.unwrap();
        let mut reader = sqlite.acquire(Access::Read).await.unwrap();
        let count = Statement::plain("SELECT count(*) FROM t");
        reader.begin(TransactionMode::Read).await.unwrap();
        assert_eq!(ints(&mut *reader, &count).await.unwrap(), [0]);
        sqlite.execute_batch("INSERT INTO t VALUES (1)").await.unwrap();
        assert_eq!(ints(&mut *reader, &count).await.unwrap(), [0]);
        reader.commit().await.unwrap();
        assert_eq!(ints(&mut *reader, &count).await.unwrap(), [1]);
    });
}

#[test]
fn another_writer_makes_us_wait_and_then_retry() {
    let scratch = Scratch::new();
    let timeout = Duration::from_millis(100);
    let scenario = |sqlite: Sqlite| async move {
        let mut writer = sqlite.acquire(Access::Write).await.unwrap();
        let started = Instant::now();
        let error = writer.begin(TransactionMode::Write).await.unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
        assert_eq!(error.driver().unwrap().code(), Some("SQLITE_BUSY"));
        let error = writer.execute(&Statement::plain("INSERT INTO t VALUES (1)")).await.unwrap_err();
        assert!(error.is_retryable());
        assert!(started.elapsed() >= 2 * timeout - Duration::from_millis(20), "{:?}", started.elapsed());
    };
    let sqlite = || scratch.builder().busy_timeout(timeout).open().unwrap();
    pollster::block_on(sqlite().execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY)")).unwrap();
    let other = assoc_sqlite::rusqlite::Connection::open(scratch.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    pollster::block_on(scenario(sqlite()));
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(scenario(sqlite()));
    tokio::runtime::Builder::new_multi_thread().build().unwrap().block_on(scenario(sqlite()));
    other.execute_batch("ROLLBACK").unwrap();
    // A snapshot that is older than another's write cannot be written from: retried as a whole.
    pollster::block_on(async {
        let sqlite = sqlite();
        let mut writer = sqlite.acquire(Access::Write).await.unwrap();
        writer.begin(TransactionMode::Read).await.unwrap();
        ints(&mut *writer, &Statement::plain("SELECT count(*) FROM t")).await.unwrap();
        other.execute_batch("INSERT INTO t VALUES (9)").unwrap();
        let error = writer.execute(&Statement::plain("INSERT INTO t VALUES (1)")).await.unwrap_err();
        assert!(error.is_retryable());
        assert_eq!(error.driver().unwrap().code(), Some("SQLITE_BUSY_SNAPSHOT"));
    });
}

#[test]
fn failures_that_call_for_different_answers_are_told_apart() {
    let scratch = support::Scratch::new();
    let insert = |connection: &mut dyn Connection, text: &str| {
        let statement = statement("INSERT INTO t VALUES (?)", [Value::Text(text.to_owned().into())]);
        pollster::block_on(connection.execute(&statement))
    };
    let sqlite = scratch
        .builder()
        .on_connect(|conn| {
            conn.set_limit(assoc_sqlite::rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, 200_000)?;
            conn.pragma_update(None, "max_page_count", 40)
        })
        .open()
        .unwrap();
    pollster::block_on(sqlite.execute_batch("CREATE TABLE t(v TEXT); INSERT INTO t VALUES ('a')")).unwrap();
    let mut connection = pollster::block_on(sqlite.acquire(Access::Write)).unwrap();
    let too_large = insert(&mut *connection, &"x".repeat(300_000)).unwrap_err();
    assert_eq!((kind(&too_large), code(&too_large)), (DriverErrorKind::TooLarge, "SQLITE_TOOBIG"), "{too_large}");
    let full = (0..10).find_map(|_| insert(&mut *connection, &"x".repeat(50_000)).err()).unwrap();
    assert_eq!((kind(&full), code(&full)), (DriverErrorKind::DiskFull, "SQLITE_FULL"), "{full}");
    // The statements that failed cost only themselves.
    assert_eq!(insert(&mut *connection, "fine").unwrap().affected, 1);
    drop((connection, sqlite));

    let reading = scratch.builder().read_only(true).open().unwrap();
    let mut connection = pollster::block_on(reading.acquire(Access::Write)).unwrap();
    let read_only = insert(&mut *connection, "x").unwrap_err();
    assert_eq!((kind(&read_only), code(&read_only)), (DriverErrorKind::ReadOnly, "SQLITE_READONLY"), "{read_only}");
    drop((connection, reading));

    let path = scratch.path();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[4096..].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let damaged = scratch.builder().open().unwrap();
    let mut connection = pollster::block_on(damaged.acquire(Access::Read)).unwrap();
    let corrupt = pollster::block_on(rows(&mut *connection, &Statement::plain("SELECT * FROM t"))).unwrap_err();
    assert_eq!((kind(&corrupt), code(&corrupt)), (DriverErrorKind::Corrupt, "SQLITE_CORRUPT"), "{corrupt}");
}

#[test]
fn transactions_by_statement() {
    let (_sqlite, mut connection) = memory("CREATE TABLE t(v INT)");
    let count = |connection: &mut dyn Connection| {
        pollster::block_on(support::ints(connection, &Statement::plain("SELECT count(*) FROM t"))).unwrap()
    };
    // Begun: rolled back at once, and an error.
    for begun in ["BEGIN", "BEGIN IMMEDIATE", "SAVEPOINT a", "/* c */ BEGIN"] {
        let error = execute(&mut *connection, begun).unwrap_err();
        assert!(matches!(error.kind(), assoc_core::ErrorKind::Transaction(_)), "{begun}: {error}");
        pollster::block_on(connection.begin(TransactionMode::Write)).unwrap();
        pollster::block_on(connection.commit()).unwrap();
    }
    // Ended: what follows is refused.
    for (ending, kept) in [("COMMIT", 1), ("END", 2), ("ROLLBACK", 2)] {
        pollster::block_on(connection.begin(TransactionMode::Write)).unwrap();
        execute(&mut *connection, "INSERT INTO t VALUES (1)").unwrap();
        execute(&mut *connection, ending).unwrap();
        let late = execute(&mut *connection, "INSERT INTO t VALUES (2)").unwrap_err();
        let savepoint = pollster::block_on(connection.savepoint(1)).unwrap_err();
        let commit = pollster::block_on(connection.commit()).unwrap_err();
        for error in [late, savepoint, commit] {
            assert!(matches!(error.kind(), assoc_core::ErrorKind::Transaction(_)), "{ending}: {error}");
            assert!(error.to_string().contains("has ended it"), "{ending}: {error}");
        }
        pollster::block_on(connection.rollback()).unwrap();
        assert_eq!(count(&mut *connection), [kept], "{ending}");
    }
    // Undoing a savepoint can be repeated.
    pollster::block_on(connection.begin(TransactionMode::Write)).unwrap();
    pollster::block_on(connection.savepoint(1)).unwrap();
    execute(&mut *connection, "INSERT INTO t VALUES (3)").unwrap();
    for _ in 0..3 {
        pollster::block_on(connection.rollback_to_savepoint(1)).unwrap();
    }
    assert!(pollster::block_on(connection.release_savepoint(1)).is_err());
    pollster::block_on(connection.commit()).unwrap();
    assert_eq!(count(&mut *connection), [2]);
}

fn code(error: &assoc_core::Error) -> &str {
    error.driver().unwrap().code().unwrap()
}
