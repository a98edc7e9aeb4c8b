//! Values at the bounds of their types, and beyond what a database can hold, in every place that takes a value: conditions, lists,
//! orders, pages, groups, aggregates and bulk updates. Each answer is that of a plain evaluation over the rows that the database
//! took, or the value is refused as one, with nothing done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Ordering;
use std::sync::Arc;

use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use check::{Check, Field};
use chrono::NaiveDate;
use conformance_tests::Backend;
use rust_decimal::Decimal;
use serde_json::json;

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
#[path = "extremes/check.rs"]
mod check;
#[path = "extremes/patterns.rs"]
mod patterns;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "extremes")]
struct Extreme {
    id: i64,
    tiny: Option<i8>,
    long: Option<i64>,
    whole: Option<u64>,
    real: Option<f64>,
    single: Option<f32>,
    text: Option<String>,
    bytes: Option<Vec<u8>>,
    day: Option<NaiveDate>,
    local: Option<chrono::NaiveDateTime>,
    amount: Option<Decimal>,
    document: Option<serde_json::Value>,
}

fn real(a: &f64, b: &f64) -> Ordering {
    // A NaN, where one is stored, equals itself and is the greatest.
    a.partial_cmp(b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

fn single(a: &f32, b: &f32) -> Ordering {
    real(&f64::from(*a), &f64::from(*b))
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap()
}

fn every_column(backend: &dyn Backend) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let database = backend.fresh().await.unwrap();
        let repo = Repo::from_driver(Arc::clone(database.driver()));
        repo.create_table::<Extreme>().await.unwrap();
        let mut check = Check { repo, failed: Vec::new() };
        check
            .column(Field {
                column: Extreme::TINY,
                of: |row| &row.tiny,
                compare: i8::cmp,
                ordered: true,
                values: vec![i8::MIN, -1, 0, 1, i8::MAX],
            })
            .await;
        check
            .column(Field {
                column: Extreme::LONG,
                of: |row| &row.long,
                compare: i64::cmp,
                ordered: true,
                values: vec![i64::MIN, i64::MIN + 1, -(1 << 53) - 1, -1, 0, 1, (1 << 53) + 1, i64::MAX - 1, i64::MAX],
            })
            .await;
        check
            .column(Field {
                column: Extreme::WHOLE,
                of: |row| &row.whole,
                compare: u64::cmp,
                ordered: true,
                values: vec![0, 1, (1 << 53) + 1, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, u64::MAX - 1, u64::MAX],
            })
            .await;
        let reals = [f64::MIN, -1.5, -5e-324, -0.0, 0.0, 5e-324, f64::MIN_POSITIVE, 0.1, 0.1 + 0.2, 1e22, f64::MAX];
        let beyond = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        check
            .column(Field {
                column: Extreme::REAL,
                of: |row| &row.real,
                compare: real,
                ordered: true,
                values: reals.into_iter().chain(beyond).collect(),
            })
            .await;
        let singles = [f32::MIN, -1.5, -1e-45, -0.0, 0.0, 1e-45, f32::MIN_POSITIVE, 0.1, 0.3, 16_777_216.0, f32::MAX];
        let beyond = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
        check
            .column(Field {
                column: Extreme::SINGLE,
                of: |row| &row.single,
                compare: single,
                ordered: true,
                values: singles.into_iter().chain(beyond).collect(),
            })
            .await;
        let long = "z".repeat(1 << 20);
        // A NUL has a place of its own in a collation of MariaDB.
        let texts = ["", "a", "b", "y{}'\"\\%_", &long, "\0", "a\0b", "b\0"];
        let texts = &texts[..if backend.name() == "mariadb" { 5 } else { 8 }];
        check
            .column(Field {
                column: Extreme::TEXT,
                of: |row| &row.text,
                compare: String::cmp,
                ordered: true,
                values: texts.iter().map(|text| (*text).to_owned()).collect(),
            })
            .await;
        let bytes: [&[u8]; 8] = [&[], &[0], &[0, 0], b"a", b"a\0", b"a ", &[255], &[254; 1 << 20]];
        check
            .column(Field {
                column: Extreme::BYTES,
                of: |row| &row.bytes,
                compare: Vec::cmp,
                ordered: true,
                values: bytes.map(<[u8]>::to_vec).to_vec(),
            })
            .await;
        let days = [
            NaiveDate::MIN,
            day(-4713, 11, 24),
            day(-1, 12, 31),
            day(0, 1, 1),
            day(0, 12, 31),
            day(1, 1, 1),
            day(999, 12, 31),
            day(2024, 2, 29),
            day(9999, 12, 31),
            day(10_000, 1, 1),
            day(99_999, 1, 1),
            NaiveDate::MAX,
        ];
        check
            .column(Field {
                column: Extreme::DAY,
                of: |row| &row.day,
                compare: NaiveDate::cmp,
                ordered: true,
                values: days.to_vec(),
            })
            .await;
        let locals = days.map(|day| day.and_hms_micro_opt(23, 59, 59, 999_999).unwrap());
        check
            .column(Field {
                column: Extreme::LOCAL,
                of: |row| &row.local,
                compare: chrono::NaiveDateTime::cmp,
                ordered: true,
                values: locals.to_vec(),
            })
            .await;
        let amounts = [
            Decimal::MIN,
            Decimal::new(-1, 28),
            Decimal::ZERO,
            Decimal::new(1, 28),
            Decimal::new(95, 1),
            Decimal::new(950, 2),
            Decimal::new(9_007_199_254_740_993, 2),
            Decimal::new(i64::MAX, 18),
            Decimal::MAX,
        ];
        check
            .column(Field {
                column: Extreme::AMOUNT,
                of: |row| &row.amount,
                compare: Decimal::cmp,
                ordered: true,
                values: amounts.to_vec(),
            })
            .await;
        let text = "\u{1F980}é\"\\/";
        let documents = [
            json!(null),
            json!(true),
            json!(0),
            json!(-1.5),
            json!(1e300),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(""),
            json!("a\0b"),
            json!("null"),
            json!([]),
            json!({}),
            json!({ "a": [1, { "b": null }], "": [[], {}] }),
            json!({ text: text }),
        ];
        check
            .column(Field {
                column: Extreme::DOCUMENT,
                of: |row| &row.document,
                compare: |a, b| a.to_string().cmp(&b.to_string()),
                ordered: false,
                values: documents.to_vec(),
            })
            .await;
        let failed = check.failed;
        assert!(failed.is_empty(), "{}: {failed:#?}", backend.name());
    });
}

mod sqlite {
    use super::*;

    #[test]
    fn in_every_place() {
        every_column(&SqliteInMemory);
    }

    #[test]
    fn in_patterns() {
        patterns::patterns(&SqliteInMemory);
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn in_every_place() {
        every_column(&MariaDb);
    }

    #[test]
    fn in_patterns() {
        patterns::patterns(&MariaDb);
    }
}

mod postgres {
    use super::*;

    #[test]
    fn in_every_place() {
        every_column(&PostgreSql);
    }

    #[test]
    fn in_patterns() {
        patterns::patterns(&PostgreSql);
    }
}
