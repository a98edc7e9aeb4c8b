//! Sets of keys: one bind for each column, and the column decides which keys are equal.

use assoc_core::Value;
use assoc_core::driver::{Connection, Driver, KeySet, Statement};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::TableRef;
use assoc_core::sql::SqlWriter;
use assoc_core::value::DateTime;
use assoc_postgres::Postgres;

use crate::support::{TestDb, acquire, fetch, one, run, text, try_run};

const TABLE: TableRef = TableRef { schema: None, name: "children" };

fn keys(keys: impl IntoIterator<Item = Vec<Value<'static>>>) -> KeySet {
    KeySet::Tuples(keys.into_iter().filter_map(KeyTuple::new).collect())
}

/// `SELECT id …` of the rows that hold one of the keys.
fn filtered(driver: &Postgres, columns: &[&str], keys: &KeySet) -> Statement {
    let mut writer = SqlWriter::new(driver.dialect());
    writer.push("SELECT id FROM children WHERE ");
    driver.dialect().write_key_filter(&mut writer, columns, keys);
    writer.push(" ORDER BY id");
    writer.finish()
}

/// `SELECT ordinal, id …` of the rows and the keys that they hold.
fn numbered(driver: &Postgres, columns: &[&str], keys: &KeySet) -> Statement {
    let mut writer = SqlWriter::new(driver.dialect());
    writer.push("SELECT \"keys\".\"ordinal\", id FROM ");
    driver.dialect().write_key_table_for(&mut writer, keys, &TABLE, columns);
    writer.push(" INNER JOIN children ON ");
    writer.separated(" AND ", columns.iter().enumerate(), |writer, (part, column)| {
        writer.push(&format!("{column} = \"keys\".\"k{part}\""));
    });
    writer.push(" ORDER BY 1, 2");
    writer.finish()
}

async fn numbers(connection: &mut dyn Connection, statement: &Statement) -> Vec<Vec<i64>> {
    let rows = fetch(connection, statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    let number = |value: Value<'static>| if let Value::Int(number) = value { number } else { panic!("{value:?}") };
    rows.into_iter().map(|row| row.into_iter().map(number).collect()).collect()
}

/// The table `children` with a name for each id from 1 on.
async fn children(db: &TestDb, column: &str, names: &[&str]) -> Postgres {
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TYPE mood AS ENUM ('sad', 'happy')").await;
    run(
        &mut *connection,
        "CREATE COLLATION ignoring (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
    )
    .await;
    let id = "id bigint GENERATED ALWAYS AS IDENTITY";
    run(&mut *connection, &format!("CREATE TABLE children ({id}, name {column}, number int)")).await;
    run(&mut *connection, "CREATE INDEX by_name ON children (name, number)").await;
    for name in names {
        try_run(&mut *connection, "INSERT INTO children (name, number) VALUES ($1, 1)", [text(name)]).await.unwrap();
    }
    drop(connection);
    driver
}

/// The statements answer for each key what `name = $1` answers.
async fn matches_like_equality(column: &str, names: &[&str]) {
    let db = TestDb::new().await;
    let driver = children(&db, column, names).await;
    let mut connection = acquire(&driver).await;
    let mut expected = Vec::new();
    for (ordinal, name) in (0..).zip(names) {
        let equal = crate::support::statement("SELECT id FROM children WHERE name = $1 ORDER BY id", [text(name)]);
        expected.extend(numbers(&mut *connection, &equal).await.into_iter().map(|row| vec![ordinal, row[0]]));
    }
    let mut found: Vec<Vec<i64>> = expected.iter().map(|pair| vec![pair[1]]).collect();
    found.sort();
    found.dedup();
    let of_name = keys(names.iter().map(|name| vec![text(name)]));
    let of_both = keys(names.iter().map(|name| vec![text(name), Value::Int(1)]));
    for (columns, keys) in [(&["name"][..], &of_name), (&["name", "number"], &of_both)] {
        assert_eq!(numbers(&mut *connection, &filtered(&driver, columns, keys)).await, found, "{column} {columns:?}");
        assert_eq!(
            numbers(&mut *connection, &numbered(&driver, columns, keys)).await,
            expected,
            "{column} {columns:?}"
        );
    }
}

#[tokio::test]
async fn text_keys_compare_as_their_column_does() {
    let names = ["strasse", "Straße", "A", "a", "a ", "ä", "x", ""];
    matches_like_equality("text", &names).await;
    matches_like_equality("varchar(20)", &names).await;
    matches_like_equality("citext", &names).await;
    matches_like_equality("char(9)", &names).await;
    matches_like_equality("text COLLATE ignoring", &names).await;
    matches_like_equality("mood", &["sad", "happy"]).await;
}

#[tokio::test]
async fn keys_of_every_type_are_one_bind_for_each_column() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    let moment = DateTime::from_unix_micros(1_700_000_000_000_001);
    for (column, value) in [
        ("smallint", Value::Int(7)),
        ("int", Value::Int(7)),
        ("bigint", Value::Int(i64::MAX)),
        ("numeric(20)", Value::UInt(u64::MAX)),
        ("numeric", Value::Decimal("9.50".into())),
        ("uuid", Value::Uuid(*b"0123456789abcdef")),
        ("bytea", Value::Blob(vec![0, 255].into())),
        ("date", Value::Date(moment.date)),
        ("time", Value::Time(moment.time)),
        ("timestamp", Value::DateTime(moment)),
        ("timestamptz", Value::DateTime(moment)),
        ("text", text("a")),
    ] {
        run(&mut *connection, "DROP TABLE IF EXISTS children").await;
        let table = format!("CREATE TABLE children (id bigint GENERATED ALWAYS AS IDENTITY, a {column}, b {column})");
        run(&mut *connection, &table).await;
        let insert = "INSERT INTO children (a, b) VALUES ($1, $2)";
        try_run(&mut *connection, insert, [value.clone(), value.clone()]).await.unwrap();
        for columns in [&["a"][..], &["a", "b"]] {
            let keys = keys([vec![value.clone(); columns.len()]]);
            let (filtered, numbered) = (filtered(&driver, columns, &keys), numbered(&driver, columns, &keys));
            assert_eq!(numbers(&mut *connection, &filtered).await, [[1]], "{column}");
            assert_eq!(numbers(&mut *connection, &numbered).await, [[0, 1]], "{column}");
            assert_eq!(numbered.binds().len(), columns.len());
        }
    }
}

#[tokio::test]
async fn a_key_that_the_column_has_no_place_for_finds_nothing() {
    let db = TestDb::new().await;
    let driver = children(&db, "text", &["a"]).await;
    let mut connection = acquire(&driver).await;
    let large = KeySet::Ints([1, 5_000_000_000, i64::MIN].into());
    assert_eq!(numbers(&mut *connection, &filtered(&driver, &["number"], &large)).await, [[1]]);
    assert_eq!(numbers(&mut *connection, &numbered(&driver, &["number"], &large)).await, [[0, 1]]);
}

/// An index finds the rows, however many keys there are.
#[tokio::test]
async fn keys_are_found_by_an_index() {
    let db = TestDb::new().await;
    let driver = children(&db, "citext", &[]).await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "INSERT INTO children (name, number) SELECT 'n' || n, n FROM generate_series(1, 50000) AS n")
        .await;
    run(&mut *connection, "CREATE INDEX by_number ON children (number)").await;
    run(&mut *connection, "ANALYZE children").await;
    let names = keys((0..20).map(|at| vec![text(&format!("n{at}"))]));
    let both = keys((0..20).map(|at| vec![text(&format!("n{at}")), Value::Int(at)]));
    let ints = KeySet::Ints((0..20).collect());
    for statement in [
        filtered(&driver, &["name"], &names),
        numbered(&driver, &["name"], &names),
        filtered(&driver, &["name", "number"], &both),
        numbered(&driver, &["name", "number"], &both),
        filtered(&driver, &["number"], &ints),
        numbered(&driver, &["number"], &ints),
    ] {
        let explained = Statement::new(format!("EXPLAIN {statement}"), statement.binds().to_vec());
        let plan: Vec<String> = fetch(&mut *connection, &explained)
            .await
            .unwrap_or_else(|error| panic!("{explained}: {error}"))
            .into_iter()
            .map(|row| row[0].to_string())
            .collect();
        let plan = plan.join("\n");
        assert!(!plan.contains("Seq Scan on children children"), "{statement}\n{plan}");
        assert!(plan.contains("by_name") || plan.contains("by_number"), "{statement}\n{plan}");
    }
    assert_eq!(one(&mut *connection, "SELECT count(*) FROM children").await, Value::Int(50_000));
}
