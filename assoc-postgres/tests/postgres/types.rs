//! Values of every type, there and back.

use assoc_core::value::DateTime;
use assoc_core::{DriverErrorKind, Value};

use crate::support::{TestDb, acquire, fetch, json, list, one, rows, run, text, try_rows, try_run};

fn decimal(text: &str) -> Value<'static> {
    Value::Decimal(text.to_owned().into())
}

fn at(micros: i64) -> DateTime {
    DateTime::from_unix_micros(micros)
}

#[tokio::test]
async fn values_come_back_as_they_were_bound() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TYPE mood AS ENUM ('sad', 'it''s \"ok\"', 'happy')").await;
    run(&mut *connection, "CREATE DOMAIN email AS citext CHECK (VALUE LIKE '%@%')").await;
    let moment = at(1_700_000_000_123_456);
    let columns: Vec<(&str, Vec<Value<'static>>)> = vec![
        ("boolean", vec![Value::Bool(true), Value::Bool(false)]),
        ("smallint", vec![Value::Int(i16::MIN.into()), Value::Int(i16::MAX.into())]),
        ("integer", vec![Value::Int(i32::MIN.into()), Value::Int(i32::MAX.into())]),
        ("bigint", vec![Value::Int(i64::MIN), Value::Int(i64::MAX), Value::Int(0)]),
        ("real", vec![Value::Real(1.5), Value::Real(-0.0)]),
        (
            "double precision",
            vec![Value::Real(1e300), Value::Real(5e-324), Value::Real(0.1 + 0.2), Value::Real(f64::INFINITY)],
        ),
        (
            "numeric",
            ["0", "-0.50", "79228162514264337593543950335", "0.0000000000000000000000000001", "10000", "1e"]
                .into_iter()
                .take(5)
                .map(decimal)
                .collect(),
        ),
        ("numeric(12,2)", vec![decimal("9999999999.99"), decimal("-0.01")]),
        ("text", vec![text(""), text("it's \\ \"quoted\" é \u{1F600}"), text("NULL")]),
        ("varchar(20)", vec![text("ends in blanks  ")]),
        ("mood", vec![text("sad"), text("it's \"ok\"")]),
        ("citext", vec![text("MiXed")]),
        ("email", vec![text("Ada@Example.org")]),
        ("bytea", vec![Value::Blob(Vec::new().into()), Value::Blob((0..=255).collect::<Vec<u8>>().into())]),
        ("uuid", vec![Value::Uuid([0; 16]), Value::Uuid(*b"0123456789abcdef")]),
        ("json", vec![json("{\"b\": 1,  \"a\": 2}")]),
        ("jsonb", vec![json("{\"a\": [1, null, \"x\"]}"), json("3"), json("null")]),
        (
            "date",
            vec![Value::Date(at(0).date), Value::Date(at(-62_135_596_800_000_000).date), Value::Date(moment.date)],
        ),
        ("time", vec![Value::Time(moment.time), Value::Time(at(0).time)]),
        ("timestamp", vec![Value::DateTime(moment), Value::DateTime(at(-1))]),
        ("timestamptz", vec![Value::DateTime(moment), Value::DateTime(at(-1))]),
    ];
    for (column, values) in columns {
        run(&mut *connection, "DROP TABLE IF EXISTS t").await;
        run(&mut *connection, &format!("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY, v {column})")).await;
        for value in values.iter().cloned().chain([Value::Null]) {
            try_run(&mut *connection, "INSERT INTO t (v) VALUES ($1)", [value.clone()]).await.unwrap();
            let found = rows(&mut *connection, "SELECT v FROM t ORDER BY id DESC LIMIT 1", []).await;
            assert_eq!(found, [[value]], "{column}");
        }
        if column == "json" {
            continue;
        }
        // One bind for all of them, as an array of the column's type.
        let several = list("SELECT count(*) FROM t WHERE v = ANY($1)", &values);
        let count = i64::try_from(values.len()).unwrap();
        assert_eq!(fetch(&mut *connection, &several).await.unwrap(), [[Value::Int(count)]], "{column}");
    }
}

#[tokio::test]
async fn instants_are_utc_whatever_the_server_s_time_zone() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (v timestamptz)").await;
    let moment = Value::DateTime(at(1_700_000_000_000_000));
    try_run(&mut *connection, "INSERT INTO t VALUES ($1)", [moment.clone()]).await.unwrap();
    assert_eq!(one(&mut *connection, "SELECT v FROM t").await, moment);
    assert_eq!(one(&mut *connection, "SELECT extract(epoch FROM v)::bigint FROM t").await, Value::Int(1_700_000_000));
}

#[tokio::test]
async fn arrays_of_scalars_are_json_arrays() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TYPE mood AS ENUM ('sad', 'happy')").await;
    for (column, written) in [
        ("int[]", "[1,null,-3]"),
        ("bigint[]", "[9223372036854775807]"),
        ("boolean[]", "[true,false]"),
        ("text[]", r#"["a\"b","","NULL","{,}","\\","é"]"#),
        ("varchar(5)[]", "[]"),
        ("int[][]", "[[1,2],[3,4]]"),
        ("double precision[]", "[0.5,1e300]"),
        ("numeric[]", r#"["12345678901234567890.10"]"#),
        ("uuid[]", r#"["30313233-3435-3637-3839-616263646566"]"#),
        ("mood[]", r#"["happy","sad"]"#),
        ("date[]", r#"["2024-02-29"]"#),
        ("jsonb[]", r#"[{"a": 1},"x",[1, 2]]"#),
    ] {
        run(&mut *connection, "DROP TABLE IF EXISTS t").await;
        run(&mut *connection, &format!("CREATE TABLE t (v {column})")).await;
        try_run(&mut *connection, "INSERT INTO t VALUES ($1)", [json(written)]).await.unwrap();
        let Value::Json(found) = one(&mut *connection, "SELECT v FROM t").await else { panic!("{column}") };
        assert_eq!(found.replace("1e+300", "1e300"), written, "{column}");
        let same = rows(&mut *connection, "SELECT 1 FROM t WHERE v = $1", [json(written)]).await;
        assert_eq!(same.len(), 1, "{column}");
    }
    let refused = try_run(&mut *connection, "SELECT $1::int[]", [json("{}")]).await.unwrap_err();
    assert_eq!(refused.driver().unwrap().kind(), DriverErrorKind::Value, "{refused}");
}

#[tokio::test]
async fn what_has_no_value_is_refused_by_name() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    for (sql, part) in [
        ("SELECT '1 day'::interval AS span", "`span` has the type interval"),
        ("SELECT 'infinity'::timestamp AS never", "`never`"),
        ("SELECT 'NaN'::numeric AS none", "`none`"),
    ] {
        let error = try_rows(&mut *connection, sql, []).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Value, "{sql}");
        assert!(error.to_string().contains(part), "{error}");
    }
    for value in [text("a\0b"), json("\"\0\""), text("no number")] {
        let error = try_rows(&mut *connection, "SELECT $1::text::int", [value.clone()]).await.unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::Value, "{value:?}: {error}");
        assert_eq!(one(&mut *connection, "SELECT 1").await, Value::Int(1));
    }
    let narrow = try_rows(&mut *connection, "SELECT $1::int", [Value::Int(5_000_000_000)]).await.unwrap_err();
    assert_eq!(narrow.driver().unwrap().code(), Some("22003"), "{narrow}");
}
