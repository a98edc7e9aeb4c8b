//! Running statements: counts, ids, caches, streams.

use assoc_core::driver::{Connection, Driver};
use assoc_core::{Error, Value};

use crate::support::{TestDb, acquire, one, rows, run, statement, text, try_rows, try_run};

#[tokio::test]
async fn an_update_counts_the_rows_it_found() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY, v INT)").await;
    run(&mut *connection, "INSERT INTO t VALUES (1, 5), (2, 5)").await;
    for binds in [vec![Value::Int(5)], vec![Value::Int(5)]] {
        let done = try_run(&mut *connection, "UPDATE t SET v = ?", binds).await.unwrap();
        assert_eq!((done.affected, done.last_insert_id), (2, None));
    }
    assert_eq!(run(&mut *connection, "UPDATE t SET v = 5 WHERE id = 1").await.affected, 1);
    assert_eq!(run(&mut *connection, "DELETE FROM t WHERE id > 7").await.affected, 0);
}

#[tokio::test]
async fn ids_are_reported_for_single_rows_only() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT UNIQUE)").await;
    let insert = "INSERT INTO t (v) VALUES (?)";
    assert_eq!(try_run(&mut *connection, insert, [Value::Int(1)]).await.unwrap().last_insert_id, Some(1));
    assert_eq!(run(&mut *connection, "INSERT INTO t (v) VALUES (2)").await.last_insert_id, Some(2));
    let two = run(&mut *connection, "INSERT INTO t (v) VALUES (3), (4)").await;
    assert_eq!((two.affected, two.last_insert_id), (2, None));
    let upsert = run(&mut *connection, "INSERT INTO t (v) VALUES (1) ON DUPLICATE KEY UPDATE v = 1").await;
    assert_eq!(upsert.last_insert_id, None);
    assert_eq!(run(&mut *connection, "UPDATE t SET v = 9 WHERE id = 1").await.last_insert_id, None);
}

#[tokio::test]
async fn bulk_inserts_return_their_rows_where_the_server_can() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    if !driver.dialect().capabilities().insert_returning {
        return;
    }
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT)").await;
    let places = vec!["(?)"; 1_000].join(", ");
    let binds: Vec<_> = (0..1_000).map(Value::Int).collect();
    let sql = format!("INSERT INTO t (v) VALUES {places} RETURNING id, v");
    let back = rows(&mut *connection, &sql, binds).await;
    assert_eq!(back.len(), 1_000);
    assert!(back.iter().enumerate().all(|(at, row)| row[1] == Value::Int(at as i64)));
}

#[tokio::test]
async fn a_sink_that_fails_stops_the_rows_and_not_the_connection() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    let id = one(&mut *connection, "SELECT CONNECTION_ID()").await;
    let mut calls = 0;
    let mut sink = |_: &mut [Value<'_>]| {
        calls += 1;
        if calls == 3 { Err(Error::other("enough")) } else { Ok(()) }
    };
    let many = "WITH RECURSIVE n (v) AS (SELECT 1 UNION ALL SELECT v + 1 FROM n WHERE v < ?) SELECT v FROM n";
    let error = connection.query(&statement(many, [Value::Int(900)]), &mut sink).await.unwrap_err();
    assert_eq!((error.to_string().as_str(), calls), ("enough", 3));
    assert_eq!(one(&mut *connection, "SELECT CONNECTION_ID()").await, id);
}

#[tokio::test]
async fn rows_arrive_while_the_server_still_sends() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v LONGTEXT)").await;
    run(&mut *connection, "INSERT INTO t (v) VALUES (REPEAT('x', 100000))").await;
    for _ in 0..8 {
        run(&mut *connection, "INSERT INTO t (v) SELECT v FROM t").await;
    }
    // 25 MB; what counts is that each row is handed over with the sink alone holding it.
    let (mut count, mut bytes) = (0, 0);
    let mut sink = |values: &mut [Value<'_>]| {
        count += 1;
        if let [Value::Text(text)] = values {
            assert!(matches!(text, std::borrow::Cow::Owned(_)), "moved, not borrowed");
            bytes += text.len();
        }
        Ok(())
    };
    connection.query(&statement("SELECT v FROM t", []), &mut sink).await.unwrap();
    assert_eq!((count, bytes), (256, 25_600_000));
}

/// How many statements this session has prepared, and how many of them it has closed again.
async fn prepared_and_closed(connection: &mut dyn Connection) -> (i64, i64) {
    let mut counts = Vec::new();
    for name in ["Com_stmt_prepare", "Com_stmt_close"] {
        let sql = format!("SHOW SESSION STATUS LIKE '{name}'");
        counts.push(rows(connection, &sql, []).await[0][1].to_string().trim_matches('"').parse().unwrap());
    }
    (counts[0], counts[1])
}

#[tokio::test]
async fn the_statement_cache_is_bounded_and_is_used() {
    let db = TestDb::new().await;
    // Of ten texts in turn, three places keep few.
    for (size, expected) in [(0, 30..=33), (3, 15..=33), (20, 10..=13)] {
        let driver = db.builder().statement_cache(size).connect().await.unwrap();
        let mut connection = acquire(&driver).await;
        let (before, _) = prepared_and_closed(&mut *connection).await;
        for round in 0..3 {
            for n in 0..10 {
                let found = rows(&mut *connection, &format!("SELECT ? + {n}"), [Value::Int(round)]).await;
                assert_eq!(found[0][0].to_string(), (round + n).to_string());
            }
        }
        let (prepared, closed) = prepared_and_closed(&mut *connection).await;
        // The look at the counters is made of statements, too.
        assert!(expected.contains(&(prepared - before)), "{size}: {before} {prepared}");
        assert!(prepared - closed <= size as i64 + 2, "{size}: {prepared} {closed}");
    }
}

#[tokio::test]
async fn a_prepared_statement_survives_a_change_of_its_table() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY)").await;
    run(&mut *connection, "INSERT INTO t VALUES (1)").await;
    let sql = "SELECT * FROM t WHERE id = ?";
    assert_eq!(rows(&mut *connection, sql, [Value::Int(1)]).await, vec![vec![Value::Int(1)]]);
    run(&mut *connection, "ALTER TABLE t ADD COLUMN name VARCHAR(9) NOT NULL DEFAULT 'new', MODIFY id BIGINT").await;
    let found = rows(&mut *connection, sql, [Value::Int(1)]).await;
    assert_eq!(found, vec![vec![Value::Int(1), text("new")]]);
    run(&mut *connection, "ALTER TABLE t MODIFY id VARCHAR(5)").await;
    let found = rows(&mut *connection, sql, [Value::Int(1)]).await;
    assert_eq!(found, vec![vec![text("1"), text("new")]]);
}

#[tokio::test]
async fn new_sessions_run_the_applications_statements() {
    let db = TestDb::new().await;
    let driver = db
        .builder()
        .on_connect("SET @first = 'one'")
        .on_connect("SET @second = CONCAT(@first, ' two'), SESSION innodb_lock_wait_timeout = 7")
        .connect()
        .await
        .unwrap();
    let mut connection = acquire(&driver).await;
    assert_eq!(one(&mut *connection, "SELECT @second").await, text("one two"));
    assert_eq!(one(&mut *connection, "SELECT @@innodb_lock_wait_timeout").await, Value::Int(7));
    assert_eq!(one(&mut *connection, "SELECT @@time_zone").await, text("+00:00"));
    let failing = db.builder().on_connect("NONSENSE").connect().await.unwrap_err();
    assert_eq!(failing.driver().unwrap().kind(), assoc_core::DriverErrorKind::Unavailable);
}

#[tokio::test]
async fn procedures_and_their_extra_results_leave_a_clean_connection() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE PROCEDURE p() BEGIN SELECT 1 AS a; SELECT 2, 3; END").await;
    assert_eq!(rows(&mut *connection, "CALL p()", []).await, vec![vec![Value::Int(1)]]);
    run(&mut *connection, "CALL p()").await;
    assert_eq!(one(&mut *connection, "SELECT 4").await, Value::Int(4));
    let error = try_rows(&mut *connection, "SELECT 1; SELECT 2", []).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), assoc_core::DriverErrorKind::Statement);
}

/// MySQL keeps what it made of the parameters of a prepared statement also where the table has other columns since, and then
/// stores other values than it is given.
#[tokio::test]
async fn cached_statements_know_the_columns_that_a_table_has_now() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let (mut connection, mut other) = (acquire(&driver).await, acquire(&driver).await);
    let decimal = |text: &str| Value::Decimal(text.to_owned().into());
    let day = |day| Value::Date(assoc_core::value::Date { year: 2024, month: 1, day });
    let uuid = |number: u128| Value::Uuid(number.to_be_bytes());
    let blob = |bytes: &[u8]| Value::Blob(bytes.to_vec().into());
    let words = ["a", "b", "%", "_", "aa", "ab", "\\", "9", "10", "1", "z", "zz", "é", "e1", "A3", "x"];
    let numbers = [0, 1, 1 << 64, u128::MAX, 0x61 << 120, 0x41 << 120, 0x2020, 0x20, 2, 3, 4, 5, 6, 7, 8, 9];
    let decimals = ["100.10", "-10", "-9.5", "0", "0.1", "2.5", "9", "9.5"];
    let bytes = [
        &b""[..],
        b"a",
        b"A",
        b"a ",
        b"\0",
        b"a\0",
        b"\x7f",
        b"\x80",
        b"\xff",
        b"ab",
        b"'",
        b"\xe9",
        b"e",
        b"  ",
        b"0",
        b"\xc3",
    ];
    let tables: [(&str, Vec<[Value<'static>; 2]>); 4] = [
        ("a VARCHAR(40), b DATE", (1..).zip(words).map(|(at, word)| [text(word), day(at)]).collect()),
        (
            "a BINARY(16), b DECIMAL(12,2)",
            (0..).zip(numbers).map(|(at, number)| [uuid(number), decimal(decimals[at % 8])]).collect(),
        ),
        (
            "a VARBINARY(40), b SMALLINT UNSIGNED",
            (0..).zip(bytes).map(|(at, bytes)| [blob(bytes), Value::Int(at)]).collect(),
        ),
        ("a TINYINT, b VARCHAR(40)", (-8..).zip(words).map(|(at, word)| [Value::Int(at), text(word)]).collect()),
    ];
    let insert = format!("INSERT INTO t VALUES {}", ["(?, ?)"; 16].join(", "));
    let select = format!("SELECT COUNT(*) FROM t WHERE (a, b) IN ({})", ["(?, ?)"; 16].join(", "));
    for (columns, values) in tables {
        run(&mut *connection, "DROP TABLE IF EXISTS t").await;
        run(&mut *connection, &format!("CREATE TABLE t ({columns}, KEY (a, b))")).await;
        let values = values.concat();
        for connection in [&mut connection, &mut other] {
            run(&mut **connection, "DELETE FROM t").await;
            try_run(&mut **connection, &insert, values.clone()).await.unwrap();
            assert_eq!(rows(&mut **connection, &select, values.clone()).await, [[Value::Int(16)]], "{columns}");
            // A statement of another text is prepared anew.
            for pair in values.chunks(2) {
                let found = rows(
                    &mut **connection,
                    &format!("SELECT COUNT(*) FROM t WHERE a = ? AND b = ? -- {columns}"),
                    pair.to_vec(),
                )
                .await;
                assert_eq!(found, [[Value::Int(1)]], "{columns}: {pair:?}");
            }
        }
    }
}
