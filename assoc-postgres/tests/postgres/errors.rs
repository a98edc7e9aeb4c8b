//! Failures in the core's classes, with the names an application needs.

use std::time::Duration;

use assoc_core::driver::TransactionMode;
use assoc_core::{DriverErrorKind, Value};
use assoc_postgres::Postgres;

use crate::support::{TestDb, acquire, backend_pid, one, pool_becomes, run, text, try_rows, try_run};

#[tokio::test]
async fn constraints_are_named() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(
        &mut *connection,
        "CREATE TABLE users (id INT PRIMARY KEY, email TEXT NOT NULL, age INT, CONSTRAINT by_email UNIQUE (email, age), \
         CONSTRAINT age_ok CHECK (age > 0), EXCLUDE USING btree (age WITH =) WHERE (age > 900))",
    )
    .await;
    run(
        &mut *connection,
        "CREATE TABLE posts (id INT PRIMARY KEY, user_id INT, CONSTRAINT posts_user FOREIGN KEY (user_id) REFERENCES users)",
    )
    .await;
    run(&mut *connection, "INSERT INTO users VALUES (1, 'a) already exists.', 1)").await;
    run(&mut *connection, "INSERT INTO posts VALUES (1, 1)").await;
    let insert = "INSERT INTO users (id, email, age) VALUES ($1, $2, $3)";
    let user = |id: i64, email: Value<'static>, age: i64| vec![Value::Int(id), email, Value::Int(age)];
    type Case = (
        &'static str,
        Vec<Value<'static>>,
        DriverErrorKind,
        &'static str,
        &'static str,
        &'static str,
        &'static [&'static str],
    );
    let cases: [Case; 6] = [
        (
            insert,
            user(2, text("a) already exists."), 1),
            DriverErrorKind::UniqueViolation,
            "23505",
            "users",
            "by_email",
            &["email", "age"],
        ),
        (insert, user(1, text("b"), 1), DriverErrorKind::UniqueViolation, "23505", "users", "users_pkey", &["id"]),
        (insert, user(2, Value::Null, 1), DriverErrorKind::NotNullViolation, "23502", "users", "email", &["email"]),
        (insert, user(2, text("b"), -1), DriverErrorKind::CheckViolation, "23514", "users", "age_ok", &[]),
        (
            "INSERT INTO posts VALUES ($1, 99)",
            vec![Value::Int(2)],
            DriverErrorKind::ForeignKeyViolation,
            "23503",
            "posts",
            "posts_user",
            &["user_id"],
        ),
        (
            "DELETE FROM users WHERE id = $1",
            vec![Value::Int(1)],
            DriverErrorKind::ForeignKeyViolation,
            "23503",
            "posts",
            "posts_user",
            &["id"],
        ),
    ];
    for (sql, binds, kind, code, table, constraint, columns) in cases {
        let error = try_run(&mut *connection, sql, binds).await.unwrap_err();
        let driver = error.driver().unwrap();
        assert_eq!((driver.kind(), driver.code()), (kind, Some(code)), "{error}");
        assert_eq!((driver.table(), driver.constraint()), (Some(table), Some(constraint)), "{error}");
        assert_eq!(driver.columns(), columns, "{error}");
        assert_eq!(driver.sql(), Some(sql));
        assert!(std::error::Error::source(driver).is_some());
    }
}

#[tokio::test]
async fn wrong_statements_are_the_applications_fault() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT)").await;
    for sql in [
        "SELEC 1",
        "SELECT * FROM nowhere",
        "SELECT nothing FROM t",
        "SELECT id FROM t a, t b",
        "SELECT f(1)",
        "SELECT * FROM no.t",
    ] {
        let error = try_rows(&mut *connection, sql, []).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Statement, "{sql}: {error}");
        let error = try_run(&mut *connection, sql, []).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Statement, "{sql}: {error}");
    }
}

#[tokio::test]
async fn a_statement_that_takes_too_long_says_so() {
    let db = TestDb::new().await;
    let driver = db.builder().statement_timeout(Duration::from_millis(50)).connect().await.unwrap();
    let mut connection = acquire(&driver).await;
    let error = try_rows(&mut *connection, "SELECT pg_sleep(600)", []).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::TimeLimit, "{error}");
    assert_eq!(one(&mut *connection, "SELECT 1").await, Value::Int(1));
    // The limit is the session's, and not what the last user of the session has set.
    run(&mut *connection, "SET statement_timeout = 0").await;
    drop(connection);
    assert_eq!(one(&mut *acquire(&driver).await, "SHOW statement_timeout").await, text("50ms"));
}

#[tokio::test]
async fn a_refused_connection_is_unavailable_and_no_message_repeats_the_password() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = Postgres::connect(&format!("postgres://ada:secret@127.0.0.1:{port}/x")).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Unavailable, "{error}");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    for url in [
        "mysql://ada:secret@x",
        "postgres://ada:secret@host:port/x",
        "postgres://ada:secret@h/x?unknown=secret",
        "secret",
    ] {
        let error = Postgres::connect(url).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    let db = TestDb::new().await;
    let mut config = db.config();
    config.dbname("no_such_database");
    let error = assoc_postgres::PostgresBuilder::from_config(config).connect().await.unwrap_err();
    assert_eq!(
        (error.driver().unwrap().kind(), error.driver().unwrap().code()),
        (DriverErrorKind::Unavailable, Some("3D000"))
    );
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable_in_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let builder = Postgres::builder(&format!("postgres://a:b@127.0.0.1:{port}/x")).unwrap();
    let error = builder.connect_timeout(Duration::from_millis(200)).connect().await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_connection_that_was_ended_is_replaced() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut killer = acquire(&driver).await;
    run(&mut *killer, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1)").await;
    let pid = backend_pid(&mut *connection).await;
    run(&mut *killer, &format!("SELECT pg_terminate_backend({pid})")).await;
    let error = try_rows(&mut *connection, "SELECT * FROM t", []).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::ConnectionLost, "{error}");
    assert!(connection.commit().await.is_err());
    drop(connection);
    pool_becomes(&driver, |pool| pool.open == 1).await;
    let mut connection = acquire(&driver).await;
    assert_eq!(one(&mut *connection, "SELECT count(*) FROM t").await, Value::Int(0));
    // One that ends while it is idle is noticed by its client.
    let pid = backend_pid(&mut *connection).await;
    drop(connection);
    run(&mut *killer, &format!("SELECT pg_terminate_backend({pid})")).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(one(&mut *acquire(&driver).await, "SELECT 1").await, Value::Int(1));
}
