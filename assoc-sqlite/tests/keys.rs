//! Every form of key set against real tables: what it finds is what `fk = ?` finds, key by key.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use assoc_core::Value;
use assoc_core::driver::{Access, Connection, Driver, KeySet, Statement};
use assoc_core::execution::KeyTuple;
use assoc_core::sql::SqlWriter;
use assoc_sqlite::Sqlite;
use support::{ints, rows, statement};

const SCHEMA: &str = "
    CREATE TABLE ints (id INTEGER PRIMARY KEY, fk INTEGER);
    CREATE TABLE texts (id INTEGER PRIMARY KEY, fk TEXT);
    CREATE TABLE nocase (id INTEGER PRIMARY KEY, fk TEXT COLLATE NOCASE);
    CREATE TABLE blobs (id INTEGER PRIMARY KEY, fk BLOB);
    CREATE TABLE reals (id INTEGER PRIMARY KEY, fk REAL);
    CREATE TABLE untyped (id INTEGER PRIMARY KEY, fk);
    INSERT INTO texts (fk) VALUES ('5'), ('abc'), ('ABC'), ('05'), ('5.0'), (NULL), (''), ('größe'), ('1.5'), (x'35');
    INSERT INTO ints (fk) SELECT fk FROM texts;
    INSERT INTO ints (fk) VALUES (5), (6), (1.5), (0);
    INSERT INTO nocase (fk) SELECT fk FROM texts;
    INSERT INTO blobs (fk) SELECT fk FROM texts;
    INSERT INTO blobs (fk) VALUES (5), (5.0), (x'00ff'), (x'');
    INSERT INTO reals (fk) SELECT fk FROM ints;
    INSERT INTO untyped (fk) SELECT fk FROM blobs;
    CREATE INDEX ints_fk ON ints (fk); CREATE INDEX texts_fk ON texts (fk); CREATE INDEX nocase_fk ON nocase (fk);
    CREATE INDEX blobs_fk ON blobs (fk); CREATE INDEX reals_fk ON reals (fk); CREATE INDEX untyped_fk ON untyped (fk);
    CREATE TABLE pairs (id INTEGER PRIMARY KEY, a INTEGER, b TEXT COLLATE NOCASE);
    INSERT INTO pairs (a, b) VALUES (1, 'x'), (1, 'y'), (2, 'X'), (2, NULL), (NULL, 'x'), (3, '5');
    CREATE INDEX pairs_ab ON pairs (a, b);
";
const TABLES: [&str; 6] = ["ints", "texts", "nocase", "blobs", "reals", "untyped"];

fn keys() -> Vec<Value<'static>> {
    vec![
        Value::Int(5),
        Value::Int(0),
        Value::Real(5.0),
        Value::Real(1.5),
        Value::Text("5".into()),
        Value::Text("Abc".into()),
        Value::Text("abc".into()),
        Value::Text("05".into()),
        Value::Text("".into()),
        Value::Text("GRÖßE".into()),
        Value::Blob(b"5".to_vec().into()),
        Value::Blob(vec![0, 255].into()),
        Value::Blob(Vec::new().into()),
        Value::Decimal("1.5".into()),
    ]
}

fn opened() -> (Sqlite, Box<dyn Connection>) {
    let sqlite = Sqlite::memory().unwrap();
    pollster::block_on(sqlite.execute_batch(SCHEMA)).unwrap();
    let connection = pollster::block_on(sqlite.acquire(Access::Write)).unwrap();
    (sqlite, connection)
}

fn key_set(keys: &[Vec<Value<'static>>]) -> KeySet {
    KeySet::Tuples(keys.iter().map(|key| KeyTuple::new(key.iter().cloned()).unwrap()).collect())
}

fn filter(sqlite: &Sqlite, table: &str, columns: &[&str], keys: &KeySet, order: &str) -> Statement {
    let mut writer = SqlWriter::new(sqlite.dialect());
    writer.push(&format!("SELECT id FROM {table} WHERE "));
    sqlite.dialect().write_key_filter(&mut writer, columns, keys);
    writer.push(&format!(" ORDER BY {order}"));
    writer.finish()
}

fn look_up(sqlite: &Sqlite, table: &str, keys: &KeySet) -> Statement {
    let mut writer = SqlWriter::new(sqlite.dialect());
    writer.push(&format!("SELECT id FROM {table} WHERE "));
    sqlite.dialect().write_look_up_filter(&mut writer, &["fk"], keys);
    writer.push(" ORDER BY id");
    writer.finish()
}

fn joined(sqlite: &Sqlite, table: &str, columns: &[&str], keys: &KeySet) -> Statement {
    let mut writer = SqlWriter::new(sqlite.dialect());
    writer.push("SELECT \"keys\".\"ordinal\", t.id FROM ");
    sqlite.dialect().write_key_table(&mut writer, keys);
    writer.push(&format!(" {} {table} AS t ON ", sqlite.dialect().ordered_join()));
    let on: Vec<_> =
        columns.iter().enumerate().map(|(at, column)| format!("t.{column} = \"keys\".\"k{at}\"")).collect();
    writer.push(&on.join(" AND "));
    writer.push(" ORDER BY \"keys\".\"ordinal\", t.id");
    writer.finish()
}

fn plan(connection: &mut dyn Connection, of: &Statement) -> String {
    let explain = Statement::new(format!("EXPLAIN QUERY PLAN {}", of.sql()), of.binds().to_vec());
    let rows = pollster::block_on(rows(connection, &explain)).unwrap();
    rows.into_iter().map(|row| row[3].to_string().replace('"', "")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_look_up_by_a_range_finds_what_the_list_finds_and_what_no_key_can_be() {
    let (sqlite, mut connection) = opened();
    pollster::block_on(async {
        for table in TABLES {
            let ends = [i64::MIN, i64::MIN + 1, i64::MAX - 1, i64::MAX].map(Value::Int);
            for end in ends {
                let insert = statement(&format!("INSERT INTO {table} (fk) VALUES (?)"), [end]);
                connection.execute(&insert).await.unwrap();
            }
            // A column of fractions keeps only 53 bits of these.
            let lists = [(0, 80), (-70, 5), (i64::MIN, i64::MIN + 70), (i64::MAX - 70, i64::MAX)];
            for (first, last) in lists.into_iter().filter(|(first, _)| table != "reals" || (-100..100).contains(first))
            {
                let keys = KeySet::Ints((first..=last).collect());
                let of_list = ints(&mut *connection, &filter(&sqlite, table, &["fk"], &keys, "id")).await.unwrap();
                let by_range = look_up(&sqlite, table, &keys);
                assert_eq!(by_range.binds().len(), 2, "{}", by_range.sql());
                let found = ints(&mut *connection, &by_range).await.unwrap();
                assert!(of_list.iter().all(|id| found.contains(id)), "{table} {first}: {of_list:?} {found:?}");
                for more in found.iter().filter(|id| !of_list.contains(id)) {
                    let text = format!("SELECT id FROM {table} WHERE id = ? AND typeof(fk) = 'integer'");
                    let integers = ints(&mut *connection, &statement(&text, [Value::Int(*more)])).await.unwrap();
                    assert!(integers.is_empty(), "{table} {first}: {more}");
                }
                let plan = plan(&mut *connection, &by_range);
                assert!(table != "ints" || plan.contains("ints_fk (fk>? AND fk<?)"), "{plan}");
            }
            // A gap, or few keys: a list.
            for keys in [(0..40).collect(), (0..80).filter(|key| *key != 7).collect::<Vec<i64>>()] {
                let statement = look_up(&sqlite, table, &KeySet::Ints(keys.into()));
                assert!(statement.sql().contains("rarray"), "{}", statement.sql());
            }
        }
    });
}

#[test]
fn a_list_finds_what_each_key_finds() {
    let (sqlite, mut connection) = opened();
    pollster::block_on(async {
        for table in TABLES {
            let mut union: Vec<i64> = Vec::new();
            let mut expected = Vec::new();
            for (ordinal, key) in keys().into_iter().enumerate() {
                let single = statement(&format!("SELECT id FROM {table} WHERE fk = ? ORDER BY id"), [key.clone()]);
                let found = ints(&mut *connection, &single).await.unwrap();
                let by_list = filter(&sqlite, table, &["fk"], &key_set(&[vec![key.clone()]]), "id");
                assert_eq!(ints(&mut *connection, &by_list).await.unwrap(), found, "{table} {key:?}");
                if let Value::Int(number) = key {
                    let by_ints = filter(&sqlite, table, &["fk"], &KeySet::Ints([number].into()), "id");
                    assert_eq!(ints(&mut *connection, &by_ints).await.unwrap(), found, "{table} {key:?}");
                }
                expected.extend(found.iter().map(|id| vec![Value::Int(ordinal as i64), Value::Int(*id)]));
                union.extend(found);
            }
            union.sort_unstable();
            union.dedup();
            assert!(union.len() >= 4, "{table}: the keys must find something");
            let all = key_set(&keys().into_iter().map(|key| vec![key]).collect::<Vec<_>>());
            let found = ints(&mut *connection, &filter(&sqlite, table, &["fk"], &all, "id")).await.unwrap();
            assert_eq!(found, union, "{table}");
            let with_ordinals = rows(&mut *connection, &joined(&sqlite, table, &["fk"], &all)).await.unwrap();
            assert_eq!(with_ordinals, expected, "{table}");
        }
    });
}

#[test]
fn composite_keys_find_what_each_key_finds() {
    let (sqlite, mut connection) = opened();
    pollster::block_on(async {
        let keys = vec![
            vec![Value::Int(1), Value::Text("X".into())],
            vec![Value::Int(2), Value::Text("x".into())],
            vec![Value::Text("3".into()), Value::Int(5)],
            vec![Value::Int(9), Value::Text("x".into())],
            vec![Value::Int(1), Value::Text("y".into())],
        ];
        let (mut expected, mut all) = (Vec::new(), Vec::new());
        for (ordinal, key) in keys.iter().enumerate() {
            let single = statement("SELECT id FROM pairs WHERE a = ? AND b = ? ORDER BY id", key.clone());
            let found = ints(&mut *connection, &single).await.unwrap();
            expected.extend(found.iter().map(|id| vec![Value::Int(ordinal as i64), Value::Int(*id)]));
            all.extend(found);
        }
        all.sort_unstable();
        assert_eq!(all.len(), 4);
        let set = key_set(&keys);
        let by_filter = filter(&sqlite, "pairs", &["a", "b"], &set, "id");
        assert_eq!(ints(&mut *connection, &by_filter).await.unwrap(), all);
        let by_join = joined(&sqlite, "pairs", &["a", "b"], &set);
        assert_eq!(rows(&mut *connection, &by_join).await.unwrap(), expected);
        assert!(plan(&mut *connection, &by_join).contains("SEARCH t USING COVERING INDEX pairs_ab (a=? AND b=?)"));
        assert!(plan(&mut *connection, &by_filter).contains("INDEX pairs_ab (a=? AND b=?)"));
    });
}

#[test]
fn the_most_composite_keys_fit_into_one_statement() {
    let (sqlite, mut connection) = opened();
    let most = sqlite.dialect().keys_per_statement(2) as i64;
    let keys: Vec<_> = (0..most).map(|n| vec![Value::Int(n), Value::Text("x".into())]).collect();
    let set = key_set(&keys);
    pollster::block_on(async {
        let by_filter = filter(&sqlite, "pairs", &["a", "b"], &set, "id");
        assert_eq!(ints(&mut *connection, &by_filter).await.unwrap(), [1, 3]);
        let by_join = joined(&sqlite, "pairs", &["a", "b"], &set);
        assert_eq!(rows(&mut *connection, &by_join).await.unwrap().len(), 2);
    });
}

#[test]
fn plans_use_the_index_and_do_not_sort() {
    let (sqlite, mut connection) = opened();
    let by_ints = filter(&sqlite, "ints", &["fk"], &KeySet::Ints([1, 2, 5].into()), "fk, id");
    let plan_of = plan(&mut *connection, &by_ints);
    assert!(plan_of.contains("SEARCH ints USING COVERING INDEX ints_fk (fk=?)"), "{plan_of}");
    assert!(!plan_of.contains("TEMP B-TREE"), "{plan_of}");
    let by_id = filter(&sqlite, "ints", &["id"], &KeySet::Ints([1, 2].into()), "id");
    let plan_of = plan(&mut *connection, &by_id);
    assert!(plan_of.contains("USING INTEGER PRIMARY KEY (rowid=?)"), "{plan_of}");
    assert!(!plan_of.contains("TEMP B-TREE"), "{plan_of}");
    let keys = key_set(&[vec![Value::Text("abc".into())], vec![Value::Text("x".into())]]);
    for table in ["texts", "nocase"] {
        let plan_of = plan(&mut *connection, &joined(&sqlite, table, &["fk"], &keys));
        assert!(plan_of.starts_with("SCAN rarray VIRTUAL TABLE INDEX 1:\nSEARCH t USING COVERING INDEX"), "{plan_of}");
    }
}

#[test]
fn a_filter_by_list() {
    let (sqlite, mut connection) = opened();
    let mut writer = SqlWriter::new(sqlite.dialect());
    writer.push("SELECT id FROM nocase WHERE fk ");
    let dates = Value::Date(assoc_core::value::Date { year: 2024, month: 2, day: 29 });
    sqlite.dialect().write_in_list(&mut writer, &[Value::Text("aBc".into()), Value::Int(5), Value::Bool(true), dates]);
    writer.push(" ORDER BY id");
    let found = pollster::block_on(ints(&mut *connection, &writer.finish())).unwrap();
    assert_eq!(found, [1, 2, 3]);
}

#[test]
fn a_hundred_thousand_keys() {
    let (sqlite, mut connection) = opened();
    let keys = KeySet::Ints((0..100_000).collect());
    let found = pollster::block_on(ints(&mut *connection, &filter(&sqlite, "ints", &["id"], &keys, "id"))).unwrap();
    assert_eq!(found.len(), 14);
}
