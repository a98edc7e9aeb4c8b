//! Values at the bounds of their types, and beyond what a database can hold, in every place that takes a value: conditions, lists,
//! orders, pages, groups, aggregates and bulk updates. Each answer is that of a plain evaluation over the rows that the database
//! took, or the value is refused as one, with nothing done.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Ordering;
use std::fmt::Debug;
use std::sync::Arc;

use assoc_core::{Column, ColumnType, DriverErrorKind, IntoColumn, MaybeNull};
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use chrono::NaiveDate;
use conformance_tests::Backend;
use rust_decimal::Decimal;
use serde_json::json;

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
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

/// One column, as it is checked.
struct Field<V: 'static> {
    column: Column<Extreme, Option<V>>,
    of: fn(&Extreme) -> &Option<V>,
    compare: fn(&V, &V) -> Ordering,
    // Whether every database sorts it, and alike.
    ordered: bool,
    values: Vec<V>,
}

fn is_refused(error: &Error) -> bool {
    let kind = error.driver().map(|driver| driver.kind());
    matches!(kind, Some(DriverErrorKind::Value | DriverErrorKind::TooLarge))
}

struct Check {
    repo: Repo,
    failed: Vec<String>,
}

fn short(what: impl Debug) -> String {
    let text = format!("{what:?}");
    if text.len() > 90 { format!("{}… of {}", text.chars().take(60).collect::<String>(), text.len()) } else { text }
}

impl Check {
    fn say(&mut self, column: &str, what: String) {
        self.failed.push(format!("{column}: {what}"));
    }

    async fn column<V>(&mut self, field: Field<V>)
    where
        V: Debug + Clone + Send + Sync + 'static,
        Option<V>: ColumnType + IntoColumn<Option<V>> + MaybeNull<Nullable = Option<V>>,
    {
        let Field { column, of, compare, ordered, values } = field;
        let name = column.name();
        let repo = self.repo.clone();
        repo.execute_raw("DELETE FROM extremes", []).await.unwrap();
        let mut rows: Vec<(i64, Option<V>)> = Vec::new();
        for value in values.iter().cloned().map(Some).chain([None]) {
            match repo.insert(Extreme::build().set(column, value.clone())).await {
                Ok(row) => {
                    let read = repo.get_or_fail::<Extreme>(row.id, Query::new()).await.unwrap();
                    for (read, how) in [(of(&row), "insert returns"), (of(&read), "there is")] {
                        let same = match (read, &value) {
                            (Some(a), Some(b)) => compare(a, b).is_eq(),
                            (a, b) => a.is_none() == b.is_none(),
                        };
                        if !same {
                            self.say(name, format!("{} is set, {how} {}", short(&value), short(read)));
                        }
                    }
                    rows.push((row.id, value));
                }
                Err(error) if is_refused(&error) => {}
                Err(error) => self.say(name, format!("insert of {}: {}", short(&value), short(error.to_string()))),
            }
        }
        let stored =
            |value: &V| rows.iter().any(|(_, row)| row.as_ref().is_some_and(|row| compare(row, value).is_eq()));
        for value in &values {
            type Holds = fn(Ordering) -> bool;
            let some = || Some(value.clone());
            let conditions: [(&str, Filter<Extreme>, Holds); 8] = [
                ("eq", column.eq(some()), Ordering::is_eq),
                ("ne", column.ne(some()), Ordering::is_ne),
                ("lt", column.lt(some()), Ordering::is_lt),
                ("le", column.le(some()), Ordering::is_le),
                ("gt", column.gt(some()), Ordering::is_gt),
                ("ge", column.ge(some()), Ordering::is_ge),
                ("in", column.is_in([some(), some()]), Ordering::is_eq),
                ("not in", column.not_in([some()]), Ordering::is_ne),
            ];
            for (what, filter, holds) in conditions {
                if !ordered && matches!(what, "lt" | "le" | "gt" | "ge") {
                    continue;
                }
                let expected: Vec<i64> = rows
                    .iter()
                    .filter(|(_, row)| row.as_ref().is_some_and(|row| holds(compare(row, value))))
                    .map(|(id, _)| *id)
                    .collect();
                match repo.pluck(Extreme::ID, Query::filter(filter).order_by(Extreme::ID.asc())).await {
                    Ok(found) if found == expected => {}
                    Ok(found) => {
                        let shown = |ids: &[i64]| -> Vec<String> {
                            ids.iter().map(|id| short(&rows.iter().find(|(row, _)| row == id).unwrap().1)).collect()
                        };
                        self.say(
                            name,
                            format!("{what} {}: {:?}, not {:?}", short(value), shown(&found), shown(&expected)),
                        );
                    }
                    Err(error) if is_refused(&error) && !stored(value) => {}
                    Err(error) => self.say(name, format!("{what} {}: {}", short(value), short(error.to_string()))),
                }
            }
        }
        // Orders, whole and by pages.
        if ordered {
            self.orders(column, of, compare, &rows).await;
        }
        // Groups.
        let mut groups: Vec<(Option<V>, i64)> = Vec::new();
        for (_, value) in &rows {
            let same = |other: &Option<V>| match (other, value) {
                (Some(a), Some(b)) => compare(a, b).is_eq(),
                (a, b) => a.is_none() == b.is_none(),
            };
            match groups.iter_mut().find(|(other, _)| same(other)) {
                Some((_, count)) => *count += 1,
                None => groups.push((value.clone(), 1)),
            }
        }
        match repo.pluck((column, Aggregate::<Extreme, i64>::count_all()), Query::group_by(column)).await {
            Ok(found) => {
                let as_expected = found.len() == groups.len()
                    && found.iter().all(|(value, count)| {
                        groups.iter().any(|(other, expected)| {
                            count == expected
                                && match (other, value) {
                                    (Some(a), Some(b)) => compare(a, b).is_eq(),
                                    (a, b) => a.is_none() == b.is_none(),
                                }
                        })
                    });
                if !as_expected {
                    self.say(name, format!("groups: {}, not {}", short(&found), short(&groups)));
                }
            }
            Err(error) => self.say(name, format!("groups: {}", short(error.to_string()))),
        }
        // The least and the greatest.
        let greatest = rows.iter().filter_map(|(_, row)| row.clone()).max_by(&compare);
        let least = rows.iter().filter_map(|(_, row)| row.clone()).min_by(&compare);
        for (what, aggregate, expected) in [("min", column.min(), least), ("max", column.max(), greatest)] {
            if !ordered {
                continue;
            }
            match repo.aggregate(aggregate, Query::new()).await {
                Ok(found) => {
                    let same = match (&found, &expected) {
                        (Some(a), Some(b)) => compare(a, b).is_eq(),
                        (a, b) => a.is_none() == b.is_none(),
                    };
                    if !same {
                        self.say(name, format!("{what}: {}, not {}", short(&found), short(&expected)));
                    }
                }
                Err(error) => self.say(name, format!("{what}: {}", short(error.to_string()))),
            }
        }
        // Bulk updates, and changes of one row: what is taken as a value, or nothing.
        for value in &values {
            let marked = repo.insert(Extreme::build()).await.unwrap();
            let mine = || Query::filter(Extreme::ID.eq(marked.id));
            match repo.update_all(mine(), [column.to(Some(value.clone()))]).await {
                Ok(changed) => {
                    let read = repo.get_or_fail::<Extreme>(marked.id, Query::new()).await.unwrap();
                    let same = of(&read).as_ref().is_some_and(|read| compare(read, value).is_eq());
                    if changed != 1 || !same {
                        self.say(name, format!("update_all to {}: {changed}, {}", short(value), short(of(&read))));
                    }
                }
                Err(error) if is_refused(&error) && !stored(value) => {}
                Err(error) => self.say(name, format!("update_all to {}: {}", short(value), short(error.to_string()))),
            }
            match repo.update(marked.change().set(column, Some(value.clone()))).await {
                Ok(updated) => {
                    let read = repo.get_or_fail::<Extreme>(marked.id, Query::new()).await.unwrap();
                    for read in [of(&read), of(&updated)] {
                        if !read.as_ref().is_some_and(|read| compare(read, value).is_eq()) {
                            self.say(name, format!("update to {}: {}", short(value), short(read)));
                        }
                    }
                }
                Err(error) if is_refused(&error) && !stored(value) => {}
                Err(error) => self.say(name, format!("update to {}: {}", short(value), short(error.to_string()))),
            }
            repo.delete(&marked).await.unwrap();
        }
    }

    async fn orders<V>(
        &mut self,
        column: Column<Extreme, Option<V>>,
        of: fn(&Extreme) -> &Option<V>,
        compare: fn(&V, &V) -> Ordering,
        rows: &[(i64, Option<V>)],
    ) where
        V: Debug + Clone + Send + Sync + 'static,
        Option<V>: ColumnType + IntoColumn<Option<V>>,
    {
        let (name, repo) = (column.name(), self.repo.clone());
        let nulls_first = repo.all(Query::<Extreme>::order_by(column.asc())).await.unwrap();
        let nulls_first = nulls_first.first().is_some_and(|row| of(row).is_none());
        let sorted = |ascending: bool| {
            let mut sorted = rows.to_vec();
            sorted.sort_by(|(a, left), (b, right)| {
                let by_value = match (left, right) {
                    (Some(left), Some(right)) => compare(left, right),
                    (None, None) => Ordering::Equal,
                    (None, Some(_)) if nulls_first => Ordering::Less,
                    (Some(_), None) if !nulls_first => Ordering::Less,
                    _ => Ordering::Greater,
                };
                let by_value = if ascending { by_value } else { by_value.reverse() };
                by_value.then(a.cmp(b))
            });
            sorted.into_iter().map(|(id, _)| id).collect::<Vec<i64>>()
        };
        for ascending in [true, false] {
            let order = if ascending { column.asc() } else { column.desc() };
            let query = Query::<Extreme>::order_by(order).order_by(Extreme::ID.asc());
            let expected = sorted(ascending);
            let all = repo.pluck(Extreme::ID, query.clone()).await.unwrap();
            if all != expected {
                self.say(name, format!("order, ascending {ascending}: {all:?}, not {expected:?}"));
            }
            let mut batches = repo.in_batches(query.clone(), 1).unwrap();
            let mut found = Vec::new();
            let ended = loop {
                match batches.next().await {
                    Ok(Some(read)) => found.extend(read.iter().map(|row| row.id)),
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
                if found.len() > 100 {
                    break Some(Error::other("never ends"));
                }
            };
            match ended {
                None if found == expected => {}
                None => self.say(name, format!("batches, ascending {ascending}: {found:?}, not {expected:?}")),
                // Of which MariaDB sorts by the beginning.
                Some(error) if error.to_string().contains("pages are sorted by") => {}
                Some(error) => self.say(name, format!("batches, ascending {ascending}: {}", short(error.to_string()))),
            }
            let mut found = Vec::new();
            let mut page = Page::first(1);
            let ended = loop {
                match repo.page(query.clone(), page).await {
                    Ok(read) => {
                        found.extend(read.rows.iter().map(|row| row.id));
                        match read.cursor(0) {
                            Some(cursor) if read.has_next => page = Page::after(cursor.clone(), 1),
                            _ => break None,
                        }
                    }
                    Err(error) => break Some(error),
                }
                if found.len() > 100 {
                    break Some(Error::other("never ends"));
                }
            };
            match ended {
                None if found == expected => {}
                None => self.say(name, format!("pages, ascending {ascending}: {found:?}, not {expected:?}")),
                Some(error) if error.to_string().contains("pages are sorted by") => {}
                Some(error) => self.say(name, format!("pages, ascending {ascending}: {}", short(error.to_string()))),
            }
        }
    }
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
