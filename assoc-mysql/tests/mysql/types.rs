//! Every type, both ways.

use assoc_core::value::{Date, DateTime, Time};
use assoc_core::{ColumnType, Value};

use crate::support::{TestDb, acquire, one, rows, run, text, try_rows, try_run};

fn decimal(text: &str) -> Value<'static> {
    Value::Decimal(text.to_owned().into())
}

fn blob(bytes: &[u8]) -> Value<'static> {
    Value::Blob(bytes.to_vec().into())
}

fn at(text: &str) -> Value<'static> {
    Value::DateTime(DateTime::parse(text).unwrap())
}

#[tokio::test]
async fn values_come_back_as_they_were_bound() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    let time = |text| Value::Time(Time::parse(text).unwrap());
    let date = |text| Value::Date(Date::parse(text).unwrap());
    let long = "x".repeat(300_000);
    let cases: Vec<(&str, Value<'static>, Value<'static>)> = vec![
        ("TINYINT", Value::Int(-128), Value::Int(-128)),
        ("TINYINT UNSIGNED", Value::Int(255), Value::Int(255)),
        ("TINYINT(1)", Value::Bool(true), Value::Int(1)),
        ("SMALLINT", Value::Int(-32_768), Value::Int(-32_768)),
        ("MEDIUMINT UNSIGNED", Value::Int(16_777_215), Value::Int(16_777_215)),
        ("INT", Value::Int(-2_147_483_648), Value::Int(-2_147_483_648)),
        ("INT UNSIGNED", Value::Int(4_294_967_295), Value::Int(4_294_967_295)),
        ("BIGINT", Value::Int(i64::MIN), Value::Int(i64::MIN)),
        ("BIGINT UNSIGNED", Value::UInt(u64::MAX), Value::UInt(u64::MAX)),
        ("BIGINT UNSIGNED", Value::Int(7), Value::Int(7)),
        ("FLOAT", Value::Real(1.5), Value::Real(1.5)),
        ("DOUBLE", Value::Real(0.1), Value::Real(0.1)),
        ("DECIMAL(10,2)", decimal("-12345678.90"), decimal("-12345678.90")),
        // Without what pads them to 28 places.
        ("DECIMAL(57,28)", decimal("79228162514264337593543950335"), decimal("79228162514264337593543950335")),
        ("DECIMAL(57,28)", decimal("-9.50"), decimal("-9.5")),
        ("DECIMAL(65,30)", decimal("0.123456789012345678901234567891"), decimal("0.123456789012345678901234567891")),
        ("DATE", date("2024-02-29"), date("2024-02-29")),
        ("TIME(6)", time("-838:59:58.000001"), time("-838:59:58.000001")),
        ("TIME", time("00:00:00"), time("00:00:00")),
        ("DATETIME(6)", at("2024-02-29 23:59:59.999999"), at("2024-02-29 23:59:59.999999")),
        ("DATETIME(6)", at("9999-12-31 00:00:00"), at("9999-12-31 00:00:00")),
        ("TIMESTAMP(6)", at("2024-07-01 12:00:00.5"), at("2024-07-01 12:00:00.5")),
        ("YEAR", Value::Int(2024), Value::Int(2024)),
        ("VARCHAR(20)", text("naïve 🦀 \\ ' \""), text("naïve 🦀 \\ ' \"")),
        ("CHAR(5)", text("ab  "), text("ab")),
        ("LONGTEXT", text(&long), text(&long)),
        ("LONGTEXT", text(""), text("")),
        ("VARCHAR(20) CHARACTER SET latin1", text("é"), text("é")),
        ("ENUM('small', 'large')", text("large"), text("large")),
        ("SET('a', 'b', 'c')", text("a,c"), text("a,c")),
        ("BLOB", blob(&[0, 255, 1, 128]), blob(&[0, 255, 1, 128])),
        ("VARBINARY(8)", blob(b"text?"), blob(b"text?")),
        ("BINARY(16)", Value::Uuid([0xab; 16]), blob(&[0xab; 16])),
        ("BIT(1)", Value::Int(1), Value::Bool(true)),
        ("BIT(12)", Value::Int(4_095), Value::UInt(4_095)),
        ("BIGINT", Value::Null, Value::Null),
        ("TEXT", Value::Null, Value::Null),
        ("DATETIME", Value::Null, Value::Null),
    ];
    for (at, (column, bound, expected)) in cases.into_iter().enumerate() {
        run(&mut *connection, &format!("CREATE TABLE t{at} (v {column} NULL)")).await;
        let inserted = try_run(&mut *connection, &format!("INSERT INTO t{at} (v) VALUES (?)"), [bound]).await;
        assert!(inserted.is_ok(), "{column}: {inserted:?}");
        // With a bind, the statement is prepared and the binary protocol answers.
        let found = rows(&mut *connection, &format!("SELECT v FROM t{at} WHERE 1 = ?"), [Value::Int(1)]).await;
        assert_eq!(found, vec![vec![expected]], "{column}");
    }
}

#[tokio::test]
async fn json_is_text_for_mariadb_and_json_for_mysql() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (v JSON)").await;
    let document = Value::Json(r#"{"a": [1, "ü"]}"#.into());
    try_run(&mut *connection, "INSERT INTO t VALUES (?)", [document]).await.unwrap();
    match one(&mut *connection, "SELECT v FROM t").await {
        Value::Json(found) | Value::Text(found) => assert_eq!(found, r#"{"a": [1, "ü"]}"#),
        other => panic!("{other:?}"),
    }
    let error = try_run(&mut *connection, "INSERT INTO t VALUES (?)", [text("{")]).await.unwrap_err();
    assert!(error.driver().is_some(), "{error}");
}

#[tokio::test]
async fn uuids_are_bytes_or_text() {
    let db = TestDb::new().await;
    let uuid = Value::Uuid([0x12; 16]);
    let text_form = text("12121212-1212-1212-1212-121212121212");
    let driver = db.builder().uuid_as_text(true).connect().await.unwrap();
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (v CHAR(36) CHARACTER SET ascii)").await;
    try_run(&mut *connection, "INSERT INTO t VALUES (?)", [uuid.clone()]).await.unwrap();
    assert_eq!(rows(&mut *connection, "SELECT v FROM t WHERE v = ?", [uuid]).await, vec![vec![text_form]]);
}

#[tokio::test]
async fn zero_dates_are_none_or_an_error_that_shows_them() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (d DATE, at DATETIME)").await;
    let refused = try_run(&mut *connection, "INSERT INTO t (d) VALUES ('0000-00-00')", []).await.unwrap_err();
    assert_eq!(refused.driver().unwrap().kind(), assoc_core::DriverErrorKind::Value);
    run(&mut *connection, "SET sql_mode = ''").await;
    run(&mut *connection, "INSERT INTO t VALUES ('0000-00-00', '0000-00-00 00:00:00')").await;
    for binds in [vec![], vec![Value::Int(1)]] {
        let sql = if binds.is_empty() { "SELECT * FROM t" } else { "SELECT * FROM t WHERE 1 = ?" };
        for value in rows(&mut *connection, sql, binds).await.remove(0) {
            assert!(value.is_zero_date(), "{value:?}");
            assert!(value.to_string().starts_with("0000-00-00"), "{value}");
            // A type that takes no dates stands for the date types, which are behind features of the core.
            assert_eq!(Option::<i64>::from_value(&mut value.clone()), Ok(None));
            assert!(i64::from_value(&mut value.clone()).is_err());
        }
    }
}

#[tokio::test]
async fn timestamps_are_utc_whatever_the_servers_zone_is() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (v TIMESTAMP(6) NULL)").await;
    try_run(&mut *connection, "INSERT INTO t VALUES (?)", [at("2024-07-01 12:00:00")]).await.unwrap();
    let stored = one(&mut *connection, "SELECT UNIX_TIMESTAMP(v) + 0.0 FROM t").await;
    assert!(stored.to_string().starts_with("1719835200"), "{stored}");
    run(&mut *connection, "SET time_zone = '+05:00'").await;
    assert_eq!(one(&mut *connection, "SELECT v FROM t").await, at("2024-07-01 17:00:00"));
}

#[tokio::test]
async fn what_cannot_be_stored_is_a_value_error() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(
        &mut *connection,
        "CREATE TABLE t (n TINYINT, s VARCHAR(3), d DATE, e ENUM('a'), l VARCHAR(9) CHARACTER SET latin1)",
    )
    .await;
    let year = |year| Value::Date(Date { year, month: 1, day: 1 });
    for (column, value) in [
        ("n", Value::Int(128)),
        ("n", text("nonsense")),
        ("s", text("four")),
        ("e", text("b")),
        ("l", text("日本")),
        ("d", year(10_000)),
        ("d", year(-1)),
        ("d", Value::Date(Date { year: 2023, month: 2, day: 29 })),
    ] {
        let sql = format!("INSERT INTO t ({column}) VALUES (?)");
        let error = try_run(&mut *connection, &sql, [value.clone()]).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), assoc_core::DriverErrorKind::Value, "{value}: {error}");
        assert_eq!(error.driver().unwrap().sql(), Some(sql.as_str()));
    }
    assert!(rows(&mut *connection, "SELECT * FROM t", []).await.is_empty());
    // An explicit zero is a zero.
    run(&mut *connection, "CREATE TABLE z (id INT PRIMARY KEY AUTO_INCREMENT)").await;
    run(&mut *connection, "INSERT INTO z VALUES (0)").await;
    assert_eq!(one(&mut *connection, "SELECT id FROM z").await, Value::Int(0));
}

#[tokio::test]
async fn the_text_protocol_reads_the_same() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    // `SHOW WARNINGS` and its kind cannot be prepared on every server; whatever the way, numbers are numbers.
    run(&mut *connection, "DO 1 / 0").await;
    let warnings = try_rows(&mut *connection, "SHOW WARNINGS", []).await.unwrap();
    assert!(warnings.iter().all(|row| matches!(row.as_slice(), [Value::Text(_), Value::Int(_), Value::Text(_)])));
}

#[tokio::test]
async fn bits_are_numbers_also_where_they_are_computed() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (b BIT(1) NOT NULL, c BIT(9), g INT)").await;
    run(&mut *connection, "INSERT INTO t VALUES (0, 5, 1), (1, 300, 1), (0, NULL, 2)").await;
    let flags = |flags: [bool; 2]| flags.map(Value::Bool).to_vec();
    let numbers = |numbers: [u64; 2]| numbers.map(Value::UInt).to_vec();
    for (sql, expected) in [
        ("SELECT MIN(b), MAX(b) FROM t WHERE 1 = ?", vec![flags([false, true])]),
        ("SELECT MIN(c), MAX(c) FROM t WHERE 1 = ?", vec![numbers([5, 300])]),
        (
            "SELECT MIN(b), MAX(b) FROM t WHERE 1 = ? GROUP BY g ORDER BY g",
            vec![flags([false, true]), flags([false, false])],
        ),
        (
            "SELECT s.b, s.c FROM (SELECT MAX(b) AS b, MIN(c) AS c FROM t) AS s WHERE 1 = ?",
            vec![vec![Value::Bool(true), Value::UInt(5)]],
        ),
    ] {
        let prepared = rows(&mut *connection, sql, [Value::Int(1)]).await;
        let plain = rows(&mut *connection, &sql.replace('?', "1"), []).await;
        assert_eq!(prepared, expected, "{sql}");
        assert_eq!(plain, expected, "{sql}");
    }
}
