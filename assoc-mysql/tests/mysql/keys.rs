//! Sets of keys as lists of binds, and the rest of the dialect on a real server.

use assoc_core::Value;
use assoc_core::driver::{Driver, KeySet, Statement};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, Operand, TableRef};
use assoc_core::sql::SqlWriter;

use crate::support::{TestDb, acquire, fetch, one, rows, run, text};

fn select_by(driver: &dyn Driver, columns: &[&str], keys: &KeySet) -> Statement {
    let mut writer = SqlWriter::new(driver.dialect());
    writer.push("SELECT id FROM t WHERE ");
    driver.dialect().write_key_filter(&mut writer, columns, keys);
    writer.push(" ORDER BY id");
    writer.finish()
}

#[tokio::test]
async fn lists_of_similar_length_are_one_statement() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id BIGINT PRIMARY KEY, a INT, b INT, KEY (a, b))").await;
    let many: Vec<String> = (1..=20_000).map(|n| format!("({n}, {}, {})", n / 10, n % 10)).collect();
    run(&mut *connection, &format!("INSERT INTO t VALUES {}", many.join(", "))).await;

    let five = select_by(&driver, &["id"], &KeySet::Ints((1..=5).collect()));
    let eight = select_by(&driver, &["id"], &KeySet::Ints((1..=8).collect()));
    assert_eq!(five.sql(), eight.sql());
    assert_eq!(fetch(&mut *connection, &five).await.unwrap().len(), 5);

    let all = KeySet::Ints((1..=20_000).collect());
    let mut found = 0;
    let chunks = all.chunks(driver.dialect().keys_per_condition(1));
    assert!(chunks.len() > 1);
    for chunk in chunks {
        found += fetch(&mut *connection, &select_by(&driver, &["id"], &chunk)).await.unwrap().len();
    }
    assert_eq!(found, 20_000);

    let pairs: Vec<KeyTuple> =
        [(1, 5), (7, 0), (299, 9)].map(|(a, b)| KeyTuple::new([Value::Int(a), Value::Int(b)]).unwrap()).into();
    let statement = select_by(&driver, &["a", "b"], &KeySet::Tuples(pairs.into()));
    assert!(statement.sql().contains("(`a`, `b`) IN ((?, ?), "), "{}", statement.sql());
    let found = fetch(&mut *connection, &statement).await.unwrap();
    assert_eq!(found, [15, 70, 2_999].map(|id| vec![Value::Int(id)]));
    let explain = Statement::new(format!("EXPLAIN FORMAT=TRADITIONAL {}", statement.sql()), statement.binds().to_vec());
    let plan = fetch(&mut *connection, &explain).await.unwrap();
    assert!(plan[0].contains(&text("range")), "{plan:?}");
}

#[tokio::test]
async fn more_binds_than_the_protocol_has_are_refused_without_harm() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    let id = one(&mut *connection, "SELECT CONNECTION_ID()").await;
    let mut writer = SqlWriter::new(driver.dialect());
    writer.push("SELECT 1 ");
    let values: Vec<_> = (0..70_000).map(Value::Int).collect();
    writer.push("WHERE 1 ");
    writer.padded_in_list(&values);
    let error = fetch(&mut *connection, &writer.finish()).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), assoc_core::DriverErrorKind::Statement);
    let error = rows_error(&mut *connection, "SELECT ?", vec![]).await;
    assert!(error.to_string().contains("1 placeholders and 0 bind"), "{error}");
    assert_eq!(one(&mut *connection, "SELECT CONNECTION_ID()").await, id);
}

async fn rows_error(
    connection: &mut dyn assoc_core::driver::Connection,
    sql: &str,
    binds: Vec<Value<'static>>,
) -> assoc_core::Error {
    crate::support::try_rows(connection, sql, binds).await.unwrap_err()
}

#[tokio::test]
async fn like_escapes_with_a_backslash_in_every_sql_mode() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(&mut *connection, "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(20) COLLATE utf8mb4_general_ci)").await;
    for mode in ["STRICT_ALL_TABLES", "STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES"] {
        run(&mut *connection, &format!("SET sql_mode = '{mode}'")).await;
        run(&mut *connection, "DELETE FROM t").await;
        let values = ["100%", "1000", "a_b", "axb", "back\\slash", "A|B"];
        for (id, value) in values.iter().enumerate() {
            let binds = [Value::Int(id as i64), text(value)];
            crate::support::try_run(&mut *connection, "INSERT INTO t VALUES (?, ?)", binds).await.unwrap();
        }
        for (pattern, expected) in
            [("100\\%", vec![0]), ("100%", vec![0, 1]), ("A\\_B", vec![2]), ("back\\\\%", vec![4]), ("a|b", vec![5])]
        {
            let mut writer = SqlWriter::new(driver.dialect());
            writer.push("SELECT id FROM t WHERE ");
            let operand = Operand::Column(assoc_core::metadata::ColumnRef::own("s"));
            writer.condition(&Expr::Like { operand, pattern: text(pattern) }).unwrap();
            writer.push(" ORDER BY id");
            let found = fetch(&mut *connection, &writer.finish()).await.unwrap();
            let expected: Vec<_> = expected.into_iter().map(|id| vec![Value::Int(id)]).collect();
            assert_eq!(found, expected, "{mode}: {pattern}");
        }
    }
}

#[tokio::test]
async fn tables_of_every_type_can_be_made() {
    use assoc_core::SqlType;
    use assoc_core::dialect::ColumnRole;
    use assoc_core::metadata::ColumnDef;
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    let types = [
        SqlType::Bool,
        SqlType::Int(8),
        SqlType::Int(16),
        SqlType::Int(32),
        SqlType::Int(64),
        SqlType::UInt(8),
        SqlType::UInt(64),
        SqlType::Real(32),
        SqlType::Real(64),
        SqlType::Text,
        SqlType::Blob,
        SqlType::Date,
        SqlType::Time,
        SqlType::DateTime,
        SqlType::Uuid,
        SqlType::Decimal,
        SqlType::Json,
    ];
    for (at, sql_type) in types.into_iter().enumerate() {
        for role in [ColumnRole::Plain, ColumnRole::Key] {
            let column = ColumnDef::new("v", "v", sql_type, false);
            let column_type = driver.dialect().column_type(&column, role);
            let key = if role == ColumnRole::Key && sql_type != SqlType::Json { ", KEY (v)" } else { "" };
            let suffix = driver.dialect().table_suffix();
            run(
                &mut *connection,
                &format!(
                    "CREATE TABLE t{at}_{role:?} (id BIGINT NOT NULL{}, v {column_type} NOT NULL{key}){suffix}",
                    driver.dialect().auto_increment()
                ),
            )
            .await;
        }
    }
    let created = rows(&mut *connection, "SHOW TABLES", []).await;
    assert_eq!(created.len(), types.len() * 2);
    run(&mut *connection, "CREATE TABLE d (id INT PRIMARY KEY AUTO_INCREMENT, v INT DEFAULT 5)").await;
    let inserted = run(&mut *connection, &format!("INSERT INTO d{}", driver.dialect().insert_defaults())).await;
    assert_eq!((inserted.affected, inserted.last_insert_id), (1, Some(1)));
}

/// Without an index the server compares the column with the keys. Among them is `NULL`, which pads their number.
#[tokio::test]
async fn tables_of_keys_compare_numbers_exactly() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    let decimal = |text: &str| Value::Decimal(text.to_owned().into());
    let large = 9_007_199_254_740_992_i64;
    let table = TableRef { schema: None, name: "t" };
    for (column, next, keys) in [
        ("BIGINT", "9007199254740993", [large, 1, 2].map(Value::Int)),
        ("BIGINT UNSIGNED", "9007199254740993", [large.unsigned_abs(), 1, 2].map(Value::UInt)),
        ("BIGINT UNSIGNED", "18446744073709551614", [u64::MAX, 1, 2].map(Value::UInt)),
        ("BIGINT UNSIGNED", "9007199254740993", [large.unsigned_abs(), u64::MAX, 2].map(Value::UInt)),
        ("DECIMAL(57,28)", "123456789123456789.1234567891", ["123456789123456789.123456789", "1", "2"].map(decimal)),
    ] {
        run(&mut *connection, "DROP TABLE IF EXISTS t").await;
        run(&mut *connection, &format!("CREATE TABLE t (id INT, v {column})")).await;
        let insert = "INSERT INTO t VALUES (1, ?)";
        crate::support::try_run(&mut *connection, insert, [keys[0].clone()]).await.unwrap();
        run(&mut *connection, &format!("INSERT INTO t VALUES (2, {next})")).await;
        let tuples: Vec<_> = keys.into_iter().filter_map(|key| KeyTuple::new([key])).collect();
        let mut writer = SqlWriter::new(driver.dialect());
        writer.push("SELECT ordinal, id FROM ");
        driver.dialect().write_key_table_for(&mut writer, &KeySet::Tuples(tuples.into()), &table, &["v"]);
        writer.push(" INNER JOIN t ON t.v = k0");
        let found = fetch(&mut *connection, &writer.finish()).await.unwrap();
        assert_eq!(found, [[Value::Int(0), Value::Int(1)]], "{column}");
    }
}

#[tokio::test]
async fn keys_of_bytes_and_decimals_are_found() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    let uuid = |number: u128| Value::Uuid(number.to_be_bytes());
    let decimal = |text: &str| Value::Decimal(text.to_owned().into());
    let keys = [
        (0, "-9.5"),
        (0, "0.1"),
        (0, "100.1"),
        (0, "9"),
        (1, "9"),
        (1 << 64, "2.5"),
        (0x2020, "9"),
        (0x61 << 120, "2.5"),
        (0x41 << 120, "2.5"),
        (0x2020, "2.5"),
        (0x61 << 120, "9.5"),
        (u128::MAX, "-10"),
        (u128::MAX, "0.1"),
    ];
    for index in ["", ", UNIQUE (b, a)"] {
        run(&mut *connection, "DROP TABLE IF EXISTS t").await;
        let table = format!("CREATE TABLE t (a BINARY(16), b DECIMAL(12,2), id INT, PRIMARY KEY (a, b){index})");
        run(&mut *connection, &table).await;
        for (id, (a, b)) in keys.iter().enumerate() {
            let binds = [uuid(*a), decimal(b), Value::Int(id as i64)];
            crate::support::try_run(&mut *connection, "INSERT INTO t VALUES (?, ?, ?)", binds).await.unwrap();
        }
        let tuples: Vec<_> = keys.iter().filter_map(|(a, b)| KeyTuple::new([uuid(*a), decimal(b)])).collect();
        let found = fetch(&mut *connection, &select_by(&driver, &["a", "b"], &KeySet::Tuples(tuples.into()))).await;
        let found: Vec<_> = found.unwrap().into_iter().flatten().collect();
        assert_eq!(found, (0..keys.len() as i64).map(Value::Int).collect::<Vec<_>>(), "{index}");
    }
}

/// MySQL reads the whole table where the analysis of a list takes more memory than it is allowed; each index takes its share.
#[tokio::test]
async fn long_lists_find_their_rows_by_an_index() {
    let db = TestDb::new().await;
    let driver = db.driver().await;
    let mut connection = acquire(&driver).await;
    run(
        &mut *connection,
        "CREATE TABLE t (id BIGINT PRIMARY KEY, a BIGINT NOT NULL, b BIGINT NOT NULL, c INT, d INT, KEY (a), KEY (b), KEY \
         (c), KEY (d), KEY (a, b), KEY (b, a), KEY (c, d), KEY (d, c), KEY (a, c), KEY (b, d))",
    )
    .await;
    for from in (0..60_000).step_by(10_000) {
        let many: Vec<String> = (from..from + 10_000).map(|id| format!("({id}, {id}, {id}, 1, 1)")).collect();
        run(&mut *connection, &format!("INSERT INTO t VALUES {}", many.join(", "))).await;
    }
    run(&mut *connection, "ANALYZE TABLE t").await;
    let most = driver.dialect().keys_per_condition(1);
    let keys = KeySet::Ints((0..i64::try_from(most).unwrap()).map(|key| key * 3).collect());
    let select = select_by(&driver, &["id"], &keys);
    let select = Statement::new(format!("EXPLAIN FORMAT=TRADITIONAL {}", select.sql()), select.binds().to_vec());
    let plan = fetch(&mut *connection, &select).await.unwrap();
    assert!(plan[0].contains(&text("range")), "{most}: {plan:?}");
}
