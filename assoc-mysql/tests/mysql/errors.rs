//! Failures in the core's classes, with the names an application needs.

use assoc_core::{DriverErrorKind, Value};
use assoc_mysql::MySql;

use crate::support::{TestDb, acquire, run, text, try_rows, try_run};

#[tokio::test]
async fn constraints_are_named() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(
        &mut *connection,
        "CREATE TABLE `users` (id INT PRIMARY KEY, email VARCHAR(50) NOT NULL, age INT, \
         UNIQUE KEY by_email (email), CONSTRAINT age_ok CHECK (age > 0))",
    )
    .await;
    run(
        &mut *connection,
        "CREATE TABLE `posts` (id INT PRIMARY KEY, user_id INT, \
         CONSTRAINT posts_user FOREIGN KEY (user_id) REFERENCES users (id))",
    )
    .await;
    run(&mut *connection, "INSERT INTO `users` VALUES (1, 'a for key ''x''', 1)").await;
    run(&mut *connection, "INSERT INTO `posts` VALUES (1, 1)").await;
    let insert = "INSERT INTO `users` (`id`, `email`, `age`) VALUES (?, ?, ?)";
    let cases: [(&str, Vec<Value<'static>>, DriverErrorKind, &str, &str, &str); 8] = [
        (
            insert,
            vec![Value::Int(2), text("a for key 'x'"), Value::Int(1)],
            DriverErrorKind::UniqueViolation,
            "1062",
            "users",
            "by_email",
        ),
        (
            insert,
            vec![Value::Int(1), text("b"), Value::Int(1)],
            DriverErrorKind::UniqueViolation,
            "1062",
            "users",
            "PRIMARY",
        ),
        (
            insert,
            vec![Value::Int(2), Value::Null, Value::Int(1)],
            DriverErrorKind::NotNullViolation,
            "1048",
            "users",
            "email",
        ),
        (
            "INSERT INTO `users` (`id`) VALUES (?)",
            vec![Value::Int(2)],
            DriverErrorKind::NotNullViolation,
            "1364",
            "users",
            "email",
        ),
        (
            insert,
            vec![Value::Int(2), text("b"), Value::Int(-1)],
            DriverErrorKind::CheckViolation,
            "",
            "users",
            "age_ok",
        ),
        (
            "INSERT INTO `posts` VALUES (?, 99)",
            vec![Value::Int(2)],
            DriverErrorKind::ForeignKeyViolation,
            "1452",
            "posts",
            "posts_user",
        ),
        (
            "DELETE FROM `users` WHERE id = ?",
            vec![Value::Int(1)],
            DriverErrorKind::ForeignKeyViolation,
            "1451",
            "posts",
            "posts_user",
        ),
        (
            "UPDATE `users` SET `email` = ?",
            vec![Value::Null],
            DriverErrorKind::NotNullViolation,
            "1048",
            "users",
            "email",
        ),
    ];
    for (sql, binds, kind, code, table, constraint) in cases {
        let error = try_run(&mut *connection, sql, binds).await.unwrap_err();
        let driver = error.driver().unwrap();
        assert_eq!(driver.kind(), kind, "{error}");
        assert!(code.is_empty() || driver.code() == Some(code), "{error}");
        assert_eq!((driver.table(), driver.constraint()), (Some(table), Some(constraint)), "{error}");
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
    for sql in ["SELEC 1", "SELECT * FROM nowhere", "SELECT nothing FROM t", "SELECT id FROM t a, t b", "SELECT f(1)"] {
        let error = try_rows(&mut *connection, sql, []).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Statement, "{sql}: {error}");
        let error = try_run(&mut *connection, sql, []).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Statement, "{sql}: {error}");
    }
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = MySql::connect(&format!("mysql://a:b@127.0.0.1:{port}/x")).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Unavailable, "{error}");
    let error = MySql::connect("postgres://x").await.unwrap_err();
    assert!(error.to_string().contains("not a MySQL URL"), "{error}");

    let db = TestDb::new().await;
    let wrong_password = db.builder().options(|options| options.pass(Some("wrong"))).connect().await.unwrap_err();
    assert_eq!(wrong_password.driver().unwrap().kind(), DriverErrorKind::Unavailable);
    assert_eq!(wrong_password.driver().unwrap().code(), Some("1045"));
    assert!(!wrong_password.to_string().contains("wrong"), "{wrong_password}");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_unavailable_in_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let began = std::time::Instant::now();
    let builder = MySql::builder(&format!("mariadb://a:b@127.0.0.1:{port}/x")).unwrap();
    let error = builder.acquire_timeout(std::time::Duration::from_millis(200)).connect().await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Unavailable, "{error}");
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
}

#[tokio::test]
async fn a_value_beyond_the_packet_limit_is_too_large_and_the_pool_goes_on() {
    let db = TestDb::new().await;
    let driver = db.builder().options(|options| options.max_allowed_packet(Some(1_000_000))).connect().await.unwrap();
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (v LONGTEXT)").await;
    let huge = text(&"x".repeat(2_000_000));
    let error = try_run(&mut *connection, "INSERT INTO t VALUES (?)", [huge]).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::TooLarge, "{error}");
    assert!(try_rows(&mut *connection, "SELECT * FROM t", []).await.unwrap().is_empty());
}
