//! Text keys: the column decides which are equal, and the ordinal says which key a row belongs to.

use std::any::{Any, TypeId};

use assoc_core::driver::{Driver, KeySet};
use assoc_core::execution::KeyTuple;
use assoc_core::execution::rows::{ModelRows, Rows};
use assoc_core::metadata::{ColumnDef, ColumnRef, Expr, ModelDef, Operand, TableRef};
use assoc_core::select::{KeyedSelect, Matching, RowOrder};
use assoc_core::{SqlType, Value};

use crate::support::{TestDb, acquire, fetch, rows, run, text, try_run};

/// These tests look at statements, not at decoded rows.
struct NoRows;

impl ModelRows for NoRows {
    fn model_type(&self) -> TypeId {
        TypeId::of::<NoRows>()
    }

    fn new_rows(&self) -> Box<dyn Rows> {
        unreachable!("nothing is decoded")
    }

    fn value<'a>(&self, _: &'a dyn Any, _: usize) -> Value<'a> {
        Value::Null
    }
}

static COLUMNS: [ColumnDef; 2] =
    [ColumnDef::new("id", "id", SqlType::Int(64), false), ColumnDef::new("name", "name", SqlType::Text, false)];
static MODEL: ModelDef =
    ModelDef::new("Child", TableRef { schema: None, name: "children" }, &COLUMNS, &[0], &[], &NoRows);

const ALL: &[&str] = &["strase", "Straße", "A", "a", "a  ", "ä", "x"];

fn keys(keys: &[&str]) -> KeySet {
    KeySet::Tuples(keys.iter().filter_map(|key| KeyTuple::new([text(key)])).collect())
}

fn by_name() -> KeyedSelect {
    KeyedSelect { row_order: RowOrder::ByKey, ..KeyedSelect::new(&MODEL, &[1]) }
}

/// The rows of a look-up by ordinal and id: the statement asks for no order where the program sorts integers itself.
async fn looked_up(
    connection: &mut dyn assoc_core::driver::Connection,
    statement: &assoc_core::driver::Statement,
) -> assoc_core::Result<Vec<Vec<Value<'static>>>> {
    let mut found = fetch(connection, statement).await?;
    let number = |value: &Value<'_>| if let Value::Int(number) = value { *number } else { i64::MAX };
    found.sort_by_key(|row| (number(&row[0]), number(&row[1])));
    Ok(found)
}

/// The table `children` with [`ALL`] as ids 1, 2, …, and enough others that an index pays.
async fn children(column: &str) -> (TestDb, assoc_mysql::MySql) {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(
        &mut *connection,
        &format!("CREATE TABLE children (id BIGINT PRIMARY KEY AUTO_INCREMENT, name {column}, KEY by_name (name))"),
    )
    .await;
    for name in ALL {
        try_run(&mut *connection, "INSERT INTO children (name) VALUES (?)", [text(name)]).await.unwrap();
    }
    let many: Vec<String> = (0..2_000).map(|n| format!("('filler {n}')")).collect();
    run(&mut *connection, &format!("INSERT INTO children (name) VALUES {}", many.join(", "))).await;
    run(&mut *connection, "ANALYZE TABLE children").await;
    drop(connection);
    (db, driver)
}

/// The ordinal statement answers for each key what `name = ?` answers.
async fn matches_like_equality(column: &str) {
    let (_db, driver) = children(column).await;
    let mut connection = acquire(&driver).await;
    let asked = ["Straße", "A", "a", "a  ", "nobody"];
    let mut expected = Vec::new();
    for (ordinal, key) in asked.iter().enumerate() {
        let found = rows(&mut *connection, "SELECT id FROM children WHERE name = ? ORDER BY id", [text(key)]).await;
        expected.extend(found.into_iter().map(|row| (Value::Int(ordinal as i64), row[0].clone())));
    }
    assert!(expected.len() >= 4, "{column}: {expected:?}");
    assert_eq!(by_name().matching(driver.dialect()), Matching::ByOrdinal);
    let statement = by_name().statement(driver.dialect(), &keys(&asked)).unwrap();
    let found = looked_up(&mut *connection, &statement).await.unwrap_or_else(|error| panic!("{column}: {error}"));
    let found: Vec<_> = found.into_iter().map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(found, expected, "{column}");

    let explain = assoc_core::driver::Statement::new(
        format!("EXPLAIN FORMAT=TRADITIONAL {}", statement.sql()),
        statement.binds().to_vec(),
    );
    let plan = fetch(&mut *connection, &explain).await.unwrap();
    let of_children = plan.iter().find(|row| row[2] == text("children")).expect("children are read");
    assert!(of_children.contains(&text("by_name")) && of_children.contains(&text("ref")), "{column}: {plan:?}");
}

macro_rules! collation_tests {
    ($($name:ident: $column:literal,)*) => {$(
        #[tokio::test]
        async fn $name() {
            matches_like_equality($column).await;
        }
    )*};
}

collation_tests! {
    general: "VARCHAR(60) COLLATE utf8mb4_general_ci",
    unicode: "VARCHAR(60) COLLATE utf8mb4_unicode_ci",
    unicode_without_padding: "VARCHAR(60) COLLATE utf8mb4_unicode_520_ci",
    bytewise: "VARCHAR(60) COLLATE utf8mb4_bin",
    old_utf8: "VARCHAR(60) CHARACTER SET utf8mb3",
    western: "VARCHAR(60) CHARACTER SET latin1",
    western_bytewise: "VARCHAR(60) CHARACTER SET latin1 COLLATE latin1_bin",
    fixed_length: "CHAR(60) COLLATE utf8mb4_general_ci",
    bytes: "VARBINARY(60)",
}

/// Collations that only MariaDB has.
#[tokio::test]
async fn mariadbs_own() {
    let db = TestDb::new().await;
    if db.driver().await.server().kind() != assoc_mysql::ServerKind::MariaDb {
        return;
    }
    drop(db);
    for column in [
        "VARCHAR(60) COLLATE utf8mb4_unicode_nopad_ci",
        "VARCHAR(60) COLLATE utf8mb4_nopad_bin",
        "VARCHAR(60) CHARACTER SET utf8mb4 COLLATE uca1400_ai_ci",
        "VARCHAR(60) CHARACTER SET utf8mb4 COLLATE uca1400_as_cs",
    ] {
        matches_like_equality(column).await;
    }
}

#[tokio::test]
async fn the_familiar_surprises() {
    let (_db, driver) = children("VARCHAR(60) COLLATE utf8mb4_general_ci").await;
    let mut connection = acquire(&driver).await;
    let statement = by_name().statement(driver.dialect(), &keys(&["Straße", "A", "ä"])).unwrap();
    let found: Vec<_> = looked_up(&mut *connection, &statement)
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row[0].clone(), row[2].to_string()))
        .collect();
    let of = |key: i64| -> Vec<&str> {
        found.iter().filter(|(ordinal, _)| *ordinal == Value::Int(key)).map(|(_, name)| name.as_str()).collect()
    };
    assert_eq!(of(0), ["\"strase\"", "\"Straße\""]);
    // Case, trailing spaces and umlauts do not count here. One row belongs to two keys.
    assert_eq!(of(1), ["\"A\"", "\"a\"", "\"a  \"", "\"ä\""]);
    assert_eq!(of(1), of(2));
}

#[tokio::test]
async fn a_filter_and_an_order_go_with_the_ordinal() {
    let (_db, driver) = children("VARCHAR(60) COLLATE utf8mb4_bin").await;
    let mut connection = acquire(&driver).await;
    let mut select = by_name();
    select.filter = Expr::Like { operand: Operand::Column(ColumnRef::own("name")), pattern: text("%a%") };
    let statement = select.statement(driver.dialect(), &keys(&["x", "strase", "a"])).unwrap();
    let found = looked_up(&mut *connection, &statement).await.unwrap();
    let found: Vec<_> = found.iter().map(|row| (row[0].to_string(), row[1].to_string())).collect();
    // PAD SPACE: `a` and `a  ` are one key even bytewise.
    assert_eq!(found, [("1".into(), "1".into()), ("2".into(), "4".into()), ("2".into(), "5".into())]);
}

#[tokio::test]
async fn composite_and_exact_keys() {
    static COLUMNS: [ColumnDef; 3] = [
        ColumnDef::new("id", "id", SqlType::Int(64), false),
        ColumnDef::new("code", "code", SqlType::Text, false),
        ColumnDef::new("price", "price", SqlType::Date, false),
    ];
    static MODEL: ModelDef =
        ModelDef::new("Pair", TableRef { schema: None, name: "pairs" }, &COLUMNS, &[0], &[], &NoRows);
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(
        &mut *connection,
        "CREATE TABLE pairs (id BIGINT PRIMARY KEY, code VARCHAR(9) CHARACTER SET latin1, price DATE)",
    )
    .await;
    run(&mut *connection, "INSERT INTO pairs VALUES (1, 'é', '2024-01-01'), (2, 'É', '2024-01-02'), (3, NULL, NULL)")
        .await;
    let day = |day| Value::Date(assoc_core::value::Date { year: 2024, month: 1, day });
    let keys = [(2, "é"), (1, "É"), (3, "é")].map(|(d, code)| KeyTuple::new([text(code), day(d)]).unwrap());
    let select = KeyedSelect { row_order: RowOrder::ByKey, ..KeyedSelect::new(&MODEL, &[1, 2]) };
    let statement = select.statement(driver.dialect(), &KeySet::Tuples(keys.into())).unwrap();
    let found = looked_up(&mut *connection, &statement).await.unwrap();
    let found: Vec<_> = found.iter().map(|row| (row[0].to_string(), row[1].to_string())).collect();
    assert_eq!(found, [("0".into(), "2".into()), ("1".into(), "1".into())]);
}
