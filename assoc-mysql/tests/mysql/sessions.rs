//! What a session may keep, and what ends a transaction without its handle.

use assoc_core::driver::{Connection, TransactionMode};
use assoc_core::{DriverErrorKind, ErrorKind, Value};
use assoc_mysql::{MySql, ServerKind};

use crate::support::{TestDb, acquire, connection_id, one, pool_becomes, rows, run, status, text, try_rows, try_run};

/// A pool of one connection over a database with a table.
async fn single(db: &TestDb) -> MySql {
    let driver = db.builder().max_connections(1).connect().await.unwrap();
    run(&mut *acquire(&driver).await, "CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT) ENGINE=InnoDB").await;
    driver
}

async fn ids(connection: &mut dyn Connection) -> Vec<Value<'static>> {
    rows(connection, "SELECT id FROM t ORDER BY id", []).await.into_iter().flatten().collect()
}

fn is_over(error: &assoc_core::Error) -> bool {
    matches!(error.kind(), ErrorKind::Transaction(_)) && error.to_string().contains("has ended it")
}

#[tokio::test]
async fn what_a_statement_set_is_gone_for_the_next_user() {
    let db = TestDb::new().await;
    let driver = db.builder().max_connections(1).on_connect("SET @mine = 'kept'").connect().await.unwrap();
    run(&mut *acquire(&driver).await, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    let leaving: [(&str, &str, Value<'static>); 6] = [
        ("SET @x = 5", "SELECT @x IS NULL", Value::Int(1)),
        ("SELECT @y := 5", "SELECT @y IS NULL", Value::Int(1)),
        ("SELECT 5 INTO @z", "SELECT @z IS NULL", Value::Int(1)),
        ("SET SESSION sql_mode = ''", "SELECT @@sql_mode = ''", Value::Int(0)),
        ("SELECT GET_LOCK('assoc', 1)", "SELECT IS_FREE_LOCK('assoc')", Value::Int(1)),
        ("SET time_zone = '+05:00'", "SELECT @@time_zone", text("+00:00")),
    ];
    for (leave, look, expected) in leaving {
        let mut connection = acquire(&driver).await;
        let id = connection_id(&mut *connection).await;
        run(&mut *connection, leave).await;
        drop(connection);
        let mut connection = acquire(&driver).await;
        assert_eq!(one(&mut *connection, look).await, expected, "{leave}");
        assert_eq!(one(&mut *connection, "SELECT @mine").await, text("kept"), "{leave}");
        assert_eq!(connection_id(&mut *connection).await, id, "reset, not thrown away: {leave}");
        // Statements that were prepared before are prepared anew.
        assert_eq!(rows(&mut *connection, "SELECT ? + 1", [Value::Int(1)]).await.len(), 1);
    }
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TEMPORARY TABLE t2 (id INT)").await;
    drop(connection);
    assert!(try_rows(&mut *acquire(&driver).await, "SELECT * FROM t2", []).await.is_err());
    // Within a transaction it stays.
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "SET @x = 7").await;
    assert_eq!(one(&mut *connection, "SELECT @x").await, Value::Int(7));
    connection.commit().await.unwrap();
    drop(connection);
    assert_eq!(one(&mut *acquire(&driver).await, "SELECT @x").await, Value::Null);
}

#[tokio::test]
async fn a_transaction_left_open_by_a_statement_is_an_error_and_rolled_back() {
    let db = TestDb::new().await;
    let driver = single(&db).await;
    run(
        &mut *acquire(&driver).await,
        "CREATE PROCEDURE p() BEGIN START TRANSACTION; INSERT INTO t VALUES (9, ''); END",
    )
    .await;
    run(
        &mut *acquire(&driver).await,
        "CREATE PROCEDURE q() BEGIN START TRANSACTION; INSERT INTO t VALUES (9, ''); SELECT nothing FROM t; END",
    )
    .await;
    for sql in ["BEGIN", "START TRANSACTION", "SET autocommit = 0", "/*!40000 BEGIN */", "CALL p()"] {
        let mut connection = acquire(&driver).await;
        let error = try_run(&mut *connection, sql, []).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Transaction(_)), "{sql}: {error}");
        // At once, not only for the next user.
        run(&mut *connection, "INSERT INTO t VALUES (1, '')").await;
        let other = db.driver().await;
        assert_eq!(ids(&mut *acquire(&other).await).await, [Value::Int(1)], "{sql}");
        run(&mut *connection, "DELETE FROM t").await;
    }
    // Also if it failed half-way.
    let mut connection = acquire(&driver).await;
    let error = try_run(&mut *connection, "CALL q()", []).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Statement, "{error}");
    run(&mut *connection, "INSERT INTO t VALUES (1, '')").await;
    let other = db.driver().await;
    assert_eq!(ids(&mut *acquire(&other).await).await, [Value::Int(1)]);
}

#[tokio::test]
async fn a_statement_that_ends_the_transaction_is_noticed() {
    let db = TestDb::new().await;
    let driver = single(&db).await;
    run(&mut *acquire(&driver).await, "CREATE PROCEDURE c() COMMIT").await;
    let ending: [(&str, bool, bool); 6] = [
        ("COMMIT", true, true),
        ("ROLLBACK", true, false),
        ("CALL c()", true, true),
        ("CREATE TABLE another (id INT)", true, true),
        // Fails, after it has committed.
        ("CREATE TABLE t (id INT)", false, true),
        ("ALTER TABLE nowhere ADD COLUMN x INT", false, true),
    ];
    for (sql, succeeds, kept) in ending {
        let mut connection = acquire(&driver).await;
        connection.begin(TransactionMode::Write).await.unwrap();
        run(&mut *connection, "INSERT INTO t VALUES (1, '')").await;
        assert_eq!(try_run(&mut *connection, sql, []).await.is_ok(), succeeds, "{sql}");
        let after = try_run(&mut *connection, "INSERT INTO t VALUES (2, '')", []).await.unwrap_err();
        assert!(is_over(&after), "{sql}: {after}");
        assert!(is_over(&connection.savepoint(1).await.unwrap_err()), "{sql}");
        assert!(is_over(&connection.commit().await.unwrap_err()), "{sql}");
        // The connection is fit for the next transaction.
        let found = ids(&mut *connection).await;
        assert_eq!(found, if kept { vec![Value::Int(1)] } else { vec![] }, "{sql}");
        connection.begin(TransactionMode::Write).await.unwrap();
        run(&mut *connection, "DELETE FROM t").await;
        connection.commit().await.unwrap();
    }
}

#[tokio::test]
async fn what_is_refused_for_what_it_says_ends_no_transaction() {
    let db = TestDb::new().await;
    let driver = single(&db).await;
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1, '')").await;
    for wrong in [
        "INSERT INTO t VALUES (1, '')",
        "INSERT INTO t VALUES ('x', '')",
        "SELECT nothing FROM t",
        "SELEC 1",
        "SET SESSION nonsense = 1",
        "CALL nowhere()",
        "SIGNAL SQLSTATE '45000'",
    ] {
        assert!(try_run(&mut *connection, wrong, []).await.is_err(), "{wrong}");
        assert!(try_rows(&mut *connection, wrong, []).await.is_err(), "{wrong}");
    }
    run(&mut *connection, "INSERT INTO t VALUES (2, '')").await;
    connection.commit().await.unwrap();
    assert_eq!(ids(&mut *connection).await, [Value::Int(1), Value::Int(2)]);
}

#[tokio::test]
async fn a_killed_statement_leaves_the_transaction_as_it_is() {
    let db = TestDb::new().await;
    let (limit, code) = match db.driver().await.server().kind() {
        ServerKind::MariaDb => ("SET SESSION max_statement_time = 0.1", "1969"),
        ServerKind::MySql => ("SET SESSION max_execution_time = 100", "3024"),
    };
    let driver = db.builder().on_connect(limit).connect().await.unwrap();
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT) ENGINE=InnoDB").await;
    connection.begin(TransactionMode::Write).await.unwrap();
    run(&mut *connection, "INSERT INTO t VALUES (1, '')").await;
    let slow = "SELECT COUNT(*) FROM t WHERE SLEEP(20) = 0";
    let error = try_rows(&mut *connection, slow, []).await.unwrap_err();
    assert_eq!(
        (error.driver().unwrap().kind(), error.driver().unwrap().code()),
        (DriverErrorKind::TimeLimit, Some(code)),
        "{error}"
    );
    run(&mut *connection, "INSERT INTO t VALUES (2, '')").await;
    connection.commit().await.unwrap();
    assert_eq!(ids(&mut *connection).await.len(), 2);
}

#[tokio::test]
async fn several_statements_in_one_text_are_refused() {
    let db = TestDb::new().await;
    let driver = single(&db).await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "INSERT INTO t VALUES (1, '')").await;
    for stacked in [
        "SELECT 1; DELETE FROM t",
        "DELETE FROM t; SELECT 1",
        "SELECT 1;; DELETE FROM t",
        "SELECT 1; /* ; */ DELETE FROM t;",
        "CREATE TABLE x (id INT); DELETE FROM t",
        "SET @x = 1; DELETE FROM t",
    ] {
        let executed = try_run(&mut *connection, stacked, []).await.unwrap_err();
        let queried = try_rows(&mut *connection, stacked, []).await.unwrap_err();
        for error in [executed, queried] {
            assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Statement, "{stacked}: {error}");
        }
        assert_eq!(ids(&mut *connection).await, [Value::Int(1)], "{stacked}");
    }
    // One statement with semicolons in it, or after it.
    for single in [
        "INSERT INTO t VALUES (2, 'a;b')",
        "INSERT INTO t VALUES (3, ''); ",
        "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END",
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.v = 'x'; SET NEW.v = 'y'; END;",
    ] {
        run(&mut *connection, single).await;
    }
}

#[tokio::test]
async fn rows_that_come_back_are_affected() {
    let db = TestDb::new().await;
    let driver = single(&db).await;
    let mut connection = acquire(&driver).await;
    if !driver.server().features().insert_returning {
        let refused = try_run(&mut *connection, "INSERT INTO t VALUES (1, '') RETURNING id", []).await.unwrap_err();
        assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::Statement, "{refused}");
        return;
    }
    let insert = "INSERT INTO t VALUES (?, ''), (?, '') RETURNING id";
    let inserted = try_run(&mut *connection, insert, [Value::Int(1), Value::Int(2)]).await.unwrap();
    assert_eq!(inserted.affected, 2);
    assert_eq!(run(&mut *connection, "INSERT INTO t VALUES (3, '') RETURNING id").await.affected, 1);
    assert_eq!(run(&mut *connection, "DELETE FROM t WHERE id < 3 RETURNING id").await.affected, 2);
    assert_eq!(run(&mut *connection, "DELETE FROM t WHERE id < 3 RETURNING id").await.affected, 0);
    assert_eq!(run(&mut *connection, "SELECT id FROM t").await.affected, 0);
}

#[tokio::test]
async fn a_value_that_is_too_large_costs_only_its_own_statement() {
    let db = TestDb::new().await;
    let driver = single(&db).await;
    let insert = "INSERT INTO t VALUES (?, ?)";
    let mut connection = acquire(&driver).await;
    let limit = one(&mut *connection, "SELECT @@max_allowed_packet").await;
    let Value::Int(limit) = limit else { panic!("{limit:?}") };
    let huge = text(&"x".repeat(usize::try_from(limit).unwrap() + 6_000_000));
    assert_eq!(try_run(&mut *connection, insert, [Value::Int(1), text("before")]).await.unwrap().affected, 1);
    for inside in [false, true] {
        if inside {
            connection.begin(TransactionMode::Write).await.unwrap();
        }
        let error = try_run(&mut *connection, insert, [Value::Int(2), huge.clone()]).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::TooLarge, "{error}");
        for _ in 0..3 {
            let fine = try_run(&mut *connection, insert, [Value::Int(3), text("fine")]).await.unwrap();
            assert_eq!(fine.affected, 1);
            run(&mut *connection, "DELETE FROM t WHERE id = 3").await;
        }
        if inside {
            connection.commit().await.unwrap();
        }
    }
    assert_eq!(ids(&mut *connection).await, [Value::Int(1)]);
    drop(connection);
    pool_becomes(&driver, |pool| pool.idle == 1).await;
    assert_eq!(status(&driver).open, 1);
}

#[tokio::test]
async fn a_read_only_transaction_says_so() {
    let db = TestDb::new().await;
    let driver = single(&db).await;
    let mut connection = acquire(&driver).await;
    connection.begin(TransactionMode::Read).await.unwrap();
    let error = try_run(&mut *connection, "INSERT INTO t VALUES (1, '')", []).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::ReadOnly, "{error}");
    assert!(ids(&mut *connection).await.is_empty());
    connection.commit().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_full_is_waited_for() {
    let db = TestDb::new().await;
    let root = db.driver().await;
    let user = format!("full_{}", std::process::id());
    run(
        &mut *acquire(&root).await,
        &format!("CREATE USER '{user}'@'%' IDENTIFIED BY 'few' WITH MAX_USER_CONNECTIONS 2"),
    )
    .await;
    run(&mut *acquire(&root).await, &format!("GRANT ALL ON *.* TO '{user}'@'%'")).await;
    let limited = |builder: assoc_mysql::Builder| {
        builder.options(|options| options.user(Some(user.as_str())).pass(Some("few"))).max_connections(8)
    };
    let driver = std::sync::Arc::new(limited(db.builder()).connect().await.unwrap());
    let tasks: Vec<_> = (0..24)
        .map(|_| {
            let driver = std::sync::Arc::clone(&driver);
            tokio::spawn(async move {
                let mut connection =
                    assoc_core::driver::Driver::acquire(&*driver, assoc_core::driver::Access::Read).await?;
                try_rows(&mut *connection, "SELECT SLEEP(0.02)", []).await
            })
        })
        .collect();
    let mut refused = Vec::new();
    for task in tasks {
        refused.extend(task.await.unwrap().err());
    }
    // Another pool has none of its own to wait for, and says what the matter is.
    let held = (acquire(&driver).await, acquire(&driver).await);
    let alone = limited(db.builder()).connect().await.unwrap_err();
    drop(held);
    driver.close().await;
    run(&mut *acquire(&root).await, &format!("DROP USER '{user}'@'%'")).await;
    assert!(refused.is_empty(), "{refused:?}");
    let alone = alone.driver().unwrap();
    assert_eq!(alone.kind(), DriverErrorKind::Unavailable);
    assert!(matches!(alone.code(), Some("1226" | "1203")), "{alone}");
}
