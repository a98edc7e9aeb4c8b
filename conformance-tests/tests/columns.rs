//! Columns of every type that a model can have, in every kind of column that can hold it, filled at random: what a query
//! compares, sorts, cuts into pages, groups and computes is what a model in memory says.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of tables for each kind of column.
//! Decimals have a test of their own, with larger numbers (`decimals.rs`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::sync::Arc;

use assoc_core::metadata::OrderTerm;
use assoc_core::{Aggregate, Column, ColumnType, Filter, IntoSort, MaybeNull};
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteFile};
use conformance_tests::{Backend, Recorded, Recorder};
use kinds::{Columns, Database, Kind, Place};
use random::{Random, number};

mod backends;
#[path = "columns/keys.rs"]
mod keys;
#[path = "columns/kinds.rs"]
mod kinds;
mod random;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "owners")]
struct Owner {
    id: i64,
    #[has_many(foreign_key = "owner_id")]
    samples: HasMany<Plain>,
}

/// The same rows as those of each type's own model: conditions and orders are data, so one model serves for all.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "samples")]
struct Plain {
    id: i64,
    owner_id: Option<i64>,
}

/// A model with a column of a type, and another of the same type that may be `NULL`.
trait Sampled: Model<Key = i64> + PartialEq + Debug {
    type Value: ColumnType + Columns + Debug + PartialEq;
    const MAYBE: Column<Self, Option<Self::Value>>;
    const SURE: Column<Self, Self::Value>;
    const ID: Column<Self, i64>;
    fn new(owner: Option<i64>, maybe: Option<Self::Value>, sure: Self::Value) -> assoc_repo::Changeset<Self>;
    fn id(&self) -> i64;
    fn owner(&self) -> Option<i64>;
    fn maybe(&self) -> Option<&Self::Value>;
    fn sure(&self) -> &Self::Value;
    fn extremes() -> [Aggregate<Self, Option<Self::Value>>; 2];
}

macro_rules! sampled {
    ($($module:ident: $type:ty;)+) => {
        $(mod $module {
            use super::*;

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "samples")]
            pub(crate) struct Sample {
                id: i64,
                owner_id: Option<i64>,
                maybe: Option<$type>,
                sure: $type,
            }

            impl Sampled for Sample {
                type Value = $type;
                const MAYBE: Column<Self, Option<$type>> = Sample::MAYBE;
                const SURE: Column<Self, $type> = Sample::SURE;
                const ID: Column<Self, i64> = Sample::ID;

                fn new(owner: Option<i64>, maybe: Option<$type>, sure: $type) -> assoc_repo::Changeset<Self> {
                    Sample::build().set(Sample::OWNER_ID, owner).set(Sample::MAYBE, maybe).set(Sample::SURE, sure)
                }

                fn id(&self) -> i64 {
                    self.id
                }

                fn owner(&self) -> Option<i64> {
                    self.owner_id
                }

                fn maybe(&self) -> Option<&$type> {
                    self.maybe.as_ref()
                }

                fn sure(&self) -> &$type {
                    &self.sure
                }

                fn extremes() -> [Aggregate<Self, Option<$type>>; 2] {
                    fn same<M, V: MaybeNull>(column: Column<M, V>) -> [Aggregate<M, V::Nullable>; 2] {
                        [column.min(), column.max()]
                    }
                    same(Sample::SURE)
                }
            }
        })+

        async fn every_type(repo: &Repo, recorder: &Recorder, database: Database) {
            $(Box::pin(every_kind::<$module::Sample>(repo, recorder, database)).await;)+
        }
    };
}

sampled! {
    int_8: i8;
    int_16: i16;
    int_32: i32;
    int_64: i64;
    uint_8: u8;
    uint_16: u16;
    uint_32: u32;
    uint_64: u64;
    float_32: f32;
    float_64: f64;
    boolean: bool;
    texts: String;
    bytes: Vec<u8>;
    uuids: uuid::Uuid;
    decimal: rust_decimal::Decimal;
    chrono_date: chrono::NaiveDate;
    chrono_time: chrono::NaiveTime;
    chrono_date_time: chrono::NaiveDateTime;
    chrono_instant: chrono::DateTime<chrono::Utc>;
    jiff_instant: jiff::Timestamp;
    jiff_time: jiff::civil::Time;
    time_date: time::Date;
    time_date_time: time::PrimitiveDateTime;
}

struct Term(OrderTerm);

impl<M> IntoSort<M> for Term {
    fn into_terms(self) -> Vec<OrderTerm> {
        vec![self.0]
    }
}

// A condition on the same table, of another model of it.
fn plain<M>(filter: Filter<M>) -> Filter<Plain> {
    Filter::new(filter.into_expr())
}

async fn every_kind<S: Sampled>(repo: &Repo, recorder: &Recorder, database: Database) {
    let (first, tables) = (number("ASSOC_PROPERTY_SEED", 1), number("ASSOC_PROPERTY_CASES", 3));
    let nulls = repo.dialect().capabilities().null_order;
    for kind in S::Value::kinds(database) {
        let kind = kind.with_nulls(nulls);
        for seed in first..first + tables {
            println!("{} in {:?}: ASSOC_PROPERTY_SEED={seed}", std::any::type_name::<S::Value>(), kind.column);
            let mut random = Random::new(seed);
            let rows = filled::<S>(repo, &kind, &mut random, database).await;
            comparisons(repo, &kind, &rows, &mut random).await;
            orders(repo, &kind, &rows, &mut random).await;
            keyset_pages::<S>(repo, &mut random).await;
            groups(repo, &kind, &rows, &mut random).await;
            per_owner(repo, &kind, &rows, &mut random).await;
            let _ = recorder.take();
        }
    }
}

async fn filled<S: Sampled>(repo: &Repo, kind: &Kind<S::Value>, random: &mut Random, database: Database) -> Vec<S> {
    let key = database.key();
    let column = kind.column;
    repo.execute_raw("DROP TABLE IF EXISTS samples", []).await.unwrap();
    let table = format!("CREATE TABLE samples (id {key}, owner_id BIGINT, maybe {column}, sure {column} NOT NULL)");
    repo.execute_raw(&table, []).await.unwrap();
    let index = [None, Some("maybe"), Some("owner_id, maybe"), Some("sure, maybe")][random.below(4)];
    if let Some(columns) = index.filter(|_| kind.indexed) {
        repo.execute_raw(&format!("CREATE INDEX an_index ON samples ({columns})"), []).await.unwrap();
    }
    let mut draw = || kind.values[random.below(kind.values.len())].clone();
    let mut written: Vec<(Option<S::Value>, S::Value)> = Vec::new();
    for _ in 0..14 {
        written.push((Some(draw()), draw()));
    }
    for (maybe, _) in &mut written {
        if random.below(5) == 0 {
            *maybe = None;
        }
    }
    written.truncate(random.below(15));
    let mut changes = Vec::new();
    for (maybe, sure) in &written {
        let owner = [None, Some(1), Some(2), Some(2)][random.below(4)];
        changes.push(S::new(owner, maybe.clone(), sure.clone()));
    }
    let rows = if random.below(2) == 0 {
        repo.insert_all(changes).await.unwrap()
    } else {
        let mut rows = Vec::new();
        for change in changes {
            rows.push(repo.insert(change).await.unwrap());
        }
        rows
    };
    assert!(rows.iter().map(|row| (row.maybe().cloned(), row.sure().clone())).eq(written), "as they were written");
    assert_eq!(repo.all(Query::order_by(S::ID.asc())).await.unwrap(), rows, "as they are read");
    rows
}

async fn comparisons<S: Sampled>(repo: &Repo, kind: &Kind<S::Value>, rows: &[S], random: &mut Random) {
    let mut draw = || kind.values[random.below(kind.values.len())].clone();
    for _ in 0..2 {
        let (value, one, other) = (draw(), draw(), draw());
        let list = [draw(), value.clone(), one.clone()];
        let (low, high) = if kind.order(&one, &other).is_gt() { (other, one) } else { (one, other) };
        let listed = |value: &S::Value| list.iter().any(|one| kind.order(one, value).is_eq());
        let within = |value: &S::Value| kind.order(value, &low).is_ge() && kind.order(value, &high).is_le();
        let with = |holds: fn(Ordering) -> bool| {
            let value = value.clone();
            move |row: &S::Value| holds(kind.order(row, &value))
        };
        // Of what is `NULL` nothing is known, so neither the condition holds nor its opposite.
        let maybe = |holds: &dyn Fn(&S::Value) -> bool| {
            rows.iter().filter(|row| row.maybe().is_some_and(holds)).map(S::id).collect::<Vec<_>>()
        };
        let sure = |holds: &dyn Fn(&S::Value) -> bool| {
            rows.iter().filter(|row| holds(row.sure())).map(S::id).collect::<Vec<_>>()
        };
        let nulls =
            |is_null: bool| rows.iter().filter(|row| row.maybe().is_none() == is_null).map(S::id).collect::<Vec<_>>();
        let with_nulls = |holds: &dyn Fn(&S::Value) -> bool| {
            rows.iter().filter(|row| row.maybe().is_none_or(holds)).map(S::id).collect::<Vec<_>>()
        };
        let pairs = |holds: fn(Ordering) -> bool| maybe_pairs(kind, rows, holds);
        let some = || Some(value.clone());
        let options = || list.iter().cloned().map(Some);
        let filters: Vec<(&str, Filter<S>, Vec<i64>)> = vec![
            ("eq", S::MAYBE.eq(some()), maybe(&with(Ordering::is_eq))),
            ("ne", S::MAYBE.ne(some()), maybe(&with(Ordering::is_ne))),
            ("lt", S::MAYBE.lt(some()), maybe(&with(Ordering::is_lt))),
            ("le", S::MAYBE.le(some()), maybe(&with(Ordering::is_le))),
            ("gt", S::MAYBE.gt(some()), maybe(&with(Ordering::is_gt))),
            ("ge", S::MAYBE.ge(some()), maybe(&with(Ordering::is_ge))),
            ("is_in", S::MAYBE.is_in(options()), maybe(&listed)),
            ("not_in", S::MAYBE.not_in(options()), maybe(&|value| !listed(value))),
            ("is_in with None", S::MAYBE.is_in(options().chain([None])), with_nulls(&listed)),
            ("between", S::MAYBE.between(Some(low.clone()), Some(high.clone())), maybe(&within)),
            ("is_null", S::MAYBE.is_null(), nulls(true)),
            ("is_not_null", S::MAYBE.is_not_null(), nulls(false)),
            ("eq, never NULL", S::SURE.eq(value.clone()), sure(&with(Ordering::is_eq))),
            ("lt, never NULL", S::SURE.lt(value.clone()), sure(&with(Ordering::is_lt))),
            ("not ge, never NULL", S::SURE.ge(value.clone()).not(), sure(&with(Ordering::is_lt))),
            ("is_in, never NULL", S::SURE.is_in(list.clone()), sure(&listed)),
            ("between, never NULL", S::SURE.between(low.clone(), high.clone()), sure(&within)),
            ("equal columns", S::MAYBE.eq_column(S::SURE), pairs(Ordering::is_eq)),
            ("a larger column", S::MAYBE.lt_column(S::SURE), pairs(Ordering::is_lt)),
        ];
        for (name, filter, expected) in filters {
            let filter = plain(filter);
            let query = Query::filter(filter.clone()).order_by(Plain::ID.asc());
            let found = repo.pluck(Plain::ID, query).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(found, expected, "{name} {value:?} {list:?} {low:?} {high:?} of {rows:?}");
            let owners = Query::filter(Owner::SAMPLES.any(filter)).order_by(Owner::ID.asc());
            let owners = repo.pluck(Owner::ID, owners).await.unwrap();
            let expected: BTreeSet<i64> =
                rows.iter().filter(|row| expected.contains(&row.id())).filter_map(S::owner).collect();
            assert!(owners.iter().eq(&expected), "owners with {name}: {owners:?}, expected {expected:?} of {rows:?}");
        }
    }
}

fn maybe_pairs<S: Sampled>(kind: &Kind<S::Value>, rows: &[S], holds: fn(Ordering) -> bool) -> Vec<i64> {
    let holds = |row: &&S| row.maybe().is_some_and(|maybe| holds(kind.order(maybe, row.sure())));
    rows.iter().filter(holds).map(S::id).collect()
}

// Without a value where the database puts it; the key decides between equal ones.
fn in_order<S: Sampled>(kind: &Kind<S::Value>, rows: &[S], descending: bool) -> Vec<i64> {
    let mut rows: Vec<&S> = rows.iter().collect();
    rows.sort_by_key(|row| row.id());
    rows.sort_by(|one, other| {
        let order = kind.place(one.maybe()).cmp(&kind.place(other.maybe()));
        if descending { order.reverse() } else { order }
    });
    rows.into_iter().map(S::id).collect()
}

async fn orders<S: Sampled>(repo: &Repo, kind: &Kind<S::Value>, rows: &[S], random: &mut Random) {
    let ids = |rows: Vec<S>| rows.iter().map(S::id).collect::<Vec<_>>();
    for descending in [false, true] {
        let sort = || if descending { S::MAYBE.desc() } else { S::MAYBE.asc() };
        let expected = in_order(kind, rows, descending);
        assert_eq!(ids(repo.all(Query::order_by(sort())).await.unwrap()), expected, "{descending} of {rows:?}");
        let (skip, take) = (random.below(4), random.below(5));
        let cut = Query::order_by(sort()).limit(take as u64).offset(skip as u64);
        let few: Vec<i64> = expected.iter().copied().skip(skip).take(take).collect();
        assert_eq!(ids(repo.all(cut).await.unwrap()), few);
        let size = 1 + random.below(4);
        let mut pages = repo.in_batches(Query::order_by(sort()), size as u64).unwrap();
        let mut paged = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            assert!(page.len() <= size);
            paged.extend(ids(page));
        }
        assert_eq!(paged, expected, "pages of {size}, descending: {descending}, of {rows:?}");
        // The other column first, the other way round, and each row twice.
        let both = (if descending { S::SURE.asc() } else { S::SURE.desc() }, sort());
        let mut expected: Vec<&S> = rows.iter().collect();
        let place = |id: &i64, order: &[i64]| order.iter().position(|other| other == id);
        let by_maybe = in_order(kind, rows, descending);
        expected.sort_by_key(|row| place(&row.id(), &by_maybe));
        expected.sort_by(|one, other| {
            let order = (kind.sorted)(one.sure()).cmp(&(kind.sorted)(other.sure()));
            if descending { order } else { order.reverse() }
        });
        let mut pages = repo.in_batches(Query::order_by(both), 3).unwrap();
        let mut paged = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            paged.extend(ids(page));
        }
        assert_eq!(paged, expected.into_iter().map(S::id).collect::<Vec<_>>(), "by two columns, of {rows:?}");
    }
}

// Pages of random sizes, forwards and backwards, are the whole in any order of the two columns, each row once.
async fn keyset_pages<S: Sampled>(repo: &Repo, random: &mut Random) {
    let ids = |rows: &[S]| rows.iter().map(S::id).collect::<Vec<_>>();
    for _ in 0..4 {
        let maybe = if random.once_in(2) { S::MAYBE.asc() } else { S::MAYBE.desc() };
        let maybe = match random.below(3) {
            0 => maybe,
            1 => maybe.nulls_first(),
            _ => maybe.nulls_last(),
        };
        let sure = if random.once_in(2) { S::SURE.asc() } else { S::SURE.desc() };
        let order = match random.below(4) {
            0 => vec![maybe],
            1 => vec![sure, maybe],
            2 => vec![maybe, S::ID.desc()],
            _ => vec![maybe, sure],
        };
        let query = Query::order_by(order.clone());
        let all = ids(&repo.all(query.clone()).await.unwrap());
        let mut size = || 1 + random.below(4) as u64;
        let (mut found, mut page) = (Vec::new(), repo.page(query.clone(), Page::first(size())).await.unwrap());
        loop {
            found.extend(ids(&page.rows));
            let Some(next) = page.next() else { break };
            assert!(found.len() < all.len(), "{order:?}: {found:?} is not the beginning of {all:?}");
            page = repo.page(query.clone(), Page::after(next, size())).await.unwrap();
        }
        assert_eq!(found, all, "forwards, {order:?}");
        let (mut found, mut page) = (Vec::new(), repo.page(query.clone(), Page::last(size())).await.unwrap());
        loop {
            found = [ids(&page.rows), found].concat();
            let Some(previous) = page.previous() else { break };
            assert!(found.len() < all.len(), "{order:?}: {found:?} is not the end of {all:?}");
            page = repo.page(query.clone(), Page::before(previous, size())).await.unwrap();
        }
        assert_eq!(found, all, "backwards, {order:?}");
    }
}

async fn groups<S: Sampled>(repo: &Repo, kind: &Kind<S::Value>, rows: &[S], random: &mut Random) {
    let place = |value: &S::Value| (kind.compared)(value);
    let [least, most] = S::extremes();
    let expected: BTreeSet<Place> = rows.iter().map(|row| place(row.sure())).collect();
    let found = repo.aggregate(least, Query::new()).await.unwrap();
    assert_eq!(found.as_ref().map(place).as_ref(), expected.first(), "the smallest of {rows:?}");
    let found = repo.aggregate(most.clone(), Query::new()).await.unwrap();
    assert_eq!(found.as_ref().map(place).as_ref(), expected.last(), "the largest of {rows:?}");
    let mut counts: BTreeMap<Option<Place>, i64> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row.maybe().map(place)).or_default() += 1);
    let different = counts.keys().flatten().count();
    assert_eq!(repo.aggregate(S::MAYBE.count_distinct(), Query::new()).await.unwrap(), different as i64, "{rows:?}");
    let distinct = repo.pluck(S::MAYBE, Query::new().distinct().order_by(S::MAYBE.asc())).await.unwrap();
    let sorted: Vec<_> = distinct.iter().map(|value| kind.place(value.as_ref())).collect();
    assert!(sorted.is_sorted(), "distinct values in their order: {distinct:?}");
    let places: BTreeSet<Option<Place>> = distinct.iter().map(|value| value.as_ref().map(place)).collect();
    assert_eq!(places.len(), distinct.len(), "each once: {distinct:?}");
    assert!(places.iter().eq(counts.keys()), "distinct values {distinct:?} of {rows:?}");
    let grouped = repo.pluck((S::MAYBE, S::ID.count()), Query::group_by(S::MAYBE)).await.unwrap();
    let found: BTreeMap<Option<Place>, i64> =
        grouped.iter().map(|(value, count)| (value.as_ref().map(place), *count)).collect();
    assert_eq!((found.len(), &found), (grouped.len(), &counts), "groups of {rows:?}");
    assert_eq!(repo.count(Query::group_by(S::MAYBE)).await.unwrap(), counts.len() as u64);
    // Largest groups first; of equal ones the smaller value.
    let top = Query::group_by(S::MAYBE).order_by(S::ID.count().desc()).limit(2);
    let top = repo.pluck(S::ID.count(), top).await.unwrap();
    let mut expected: Vec<i64> = counts.values().copied().collect();
    expected.sort_by(|one, other| other.cmp(one));
    assert!(top.iter().eq(expected.iter().take(2)), "{top:?} of {expected:?}");
    if !kind.compared_as_aggregate {
        return;
    }
    let value = kind.values[random.below(kind.values.len())].clone();
    let having = Query::group_by(S::MAYBE).having(most.le(Some(value.clone())));
    let found: BTreeSet<Option<Place>> =
        repo.pluck(S::MAYBE, having).await.unwrap().iter().map(|value| value.as_ref().map(place)).collect();
    let expected: BTreeSet<Option<Place>> = counts
        .keys()
        .filter(|group| {
            let in_group = rows.iter().filter(|row| row.maybe().map(place) == **group);
            in_group.map(|row| place(row.sure())).max().is_some_and(|largest| largest <= place(&value))
        })
        .cloned()
        .collect();
    assert_eq!(found, expected, "groups whose largest is at most {value:?} of {rows:?}");
}

async fn per_owner<S: Sampled>(repo: &Repo, kind: &Kind<S::Value>, rows: &[S], random: &mut Random) {
    let descending = random.below(2) == 0;
    let (skip, take) = (random.below(2), 1 + random.below(3));
    let term = || Term(if descending { S::MAYBE.desc() } else { S::MAYBE.asc() }.into_term());
    let value = kind.values[random.below(kind.values.len())].clone();
    let (above, holds): (_, Vec<i64>) = if random.below(2) == 0 {
        (
            plain(S::SURE.ge(value.clone())),
            rows.iter().filter(|row| kind.order(row.sure(), &value).is_ge()).map(S::id).collect(),
        )
    } else {
        (Filter::all_of([]), rows.iter().map(S::id).collect())
    };
    let samples = Owner::SAMPLES.filter(above).order_by(term()).limit(take as u64).offset(skip as u64);
    let owners = repo.all(Query::order_by(Owner::ID.asc()).preload(samples)).await.unwrap();
    let all = in_order(kind, rows, descending);
    let owner_of: BTreeMap<i64, Option<i64>> = rows.iter().map(|row| (row.id(), row.owner())).collect();
    for owner in owners {
        let expected: Vec<i64> = all
            .iter()
            .copied()
            .filter(|id| holds.contains(id) && owner_of[id] == Some(owner.id))
            .skip(skip)
            .take(take)
            .collect();
        let found: Vec<i64> = owner.samples().unwrap().iter().map(|row| row.id).collect();
        assert_eq!(
            found, expected,
            "of owner {}: {take} after {skip}, descending: {descending}, of {rows:?}",
            owner.id
        );
    }
}

async fn types(backend: &dyn Backend, repo: &Repo) -> Database {
    let database = Database::of(backend);
    for sql in database.types() {
        repo.execute_raw(sql, []).await.unwrap();
    }
    database
}

fn every_column_type_agrees_with_memory(backend: &dyn Backend) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = backend.fresh().await.unwrap();
        let recorder = Recorder::default();
        let repo = Repo::new(Recorded::new(Arc::clone(database.driver()), recorder.clone()));
        repo.create_table::<Owner>().await.unwrap();
        repo.insert_all([(); 3].map(|()| Owner::build())).await.unwrap();
        let database = types(backend, &repo).await;
        every_type(&repo, &recorder, database).await;
    });
}

fn keys_of_several_columns_agree_with_memory(backend: &dyn Backend) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = backend.fresh().await.unwrap();
        let recorder = Recorder::default();
        let repo = Repo::new(Recorded::new(Arc::clone(database.driver()), recorder.clone()));
        let database = types(backend, &repo).await;
        keys::every_key(&repo, &recorder, database).await;
    });
}

mod sqlite {
    use super::SqliteFile;

    #[test]
    fn every_column_type_agrees_with_memory() {
        super::every_column_type_agrees_with_memory(&SqliteFile);
    }

    #[test]
    fn keys_of_several_columns_agree_with_memory() {
        super::keys_of_several_columns_agree_with_memory(&SqliteFile);
    }
}

mod postgres {
    use super::PostgreSql;

    #[test]
    fn every_column_type_agrees_with_memory() {
        super::every_column_type_agrees_with_memory(&PostgreSql);
    }

    #[test]
    fn keys_of_several_columns_agree_with_memory() {
        super::keys_of_several_columns_agree_with_memory(&PostgreSql);
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn every_column_type_agrees_with_memory() {
        super::every_column_type_agrees_with_memory(&MariaDb);
    }

    #[test]
    fn keys_of_several_columns_agree_with_memory() {
        super::keys_of_several_columns_agree_with_memory(&MariaDb);
    }

    // The session's collation calls these ends equal, the column's does not, and the server has an index to look into.
    #[test]
    fn between_texts_that_the_session_calls_equal() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let database = MariaDb.fresh().await.unwrap();
            let repo = Repo::from_driver(Arc::clone(database.driver()));
            let table = "CREATE TABLE samples (id BIGINT PRIMARY KEY AUTO_INCREMENT, owner_id BIGINT, maybe VARCHAR(40), \
                         sure VARCHAR(40) COLLATE utf8mb4_bin NOT NULL, INDEX (sure))";
            repo.execute_raw(table, []).await.unwrap();
            let words = ["aB", "a", "zz", "Ab"].map(|word| texts::Sample::new(None, None, word.to_owned()));
            repo.insert_all(words).await.unwrap();
            let between = Query::filter(texts::Sample::SURE.between("a ", "\u{e4}")).order_by(texts::Sample::ID.asc());
            assert_eq!(repo.pluck(texts::Sample::SURE, between).await.unwrap(), ["aB", "a", "zz"]);
        });
    }
}
