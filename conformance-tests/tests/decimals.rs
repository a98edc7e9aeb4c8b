//! Decimals are numbers, in every kind of column that can hold them: random ones, compared with a model in memory by
//! every operation that compares, sorts, groups, computes or looks up.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of tables for each kind of column.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use assoc_core::Filter;
use assoc_core::dialect::NullOrder;
use assoc_core::driver::Driver;
use assoc_core::value::decimal::DecimalNumber;
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteFile};
use conformance_tests::{Backend, Recorded, Recorder};
use random::{Random, number};
use rust_decimal::Decimal;

mod backends;
mod random;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "offers")]
struct Offer {
    id: i64,
    price: Option<Decimal>,
    #[column(name = "limit")]
    most: Decimal,
    #[has_many(primary_key = "most", foreign_key = "price")]
    equals: HasMany<Offer>,
    #[has_many(primary_key = "most", foreign_key = "price")]
    top_two: HasMany<Offer>,
    #[has_one(primary_key = "most", foreign_key = "price")]
    equal: HasOne<Option<Offer>>,
    #[belongs_to(foreign_key = "price", primary_key = "most")]
    origin: BelongsTo<Option<Offer>>,
}

/// What a kind of column keeps.
#[derive(Clone, Copy, PartialEq)]
enum Keeps {
    /// Every decimal, as it is written.
    Everything,
    /// Numbers of up to 15 digits, without their zeros.
    FifteenDigits,
    /// Two places.
    Cents,
}

fn decimal(random: &mut Random, keeps: Keeps) -> Decimal {
    let sign = |random: &mut Random, decimal: Decimal| if random.below(3) == 0 { -decimal } else { decimal };
    let fixed = [
        "0",
        "0.00",
        "9.5",
        "9.50",
        "9.500",
        "10",
        "100.10",
        "100.1",
        "2.50",
        "-10",
        "0.1",
        "0.3",
        "1e-28",
        "0.0000000000000000000000000001",
        "79228162514264337593543950335",
        "7922816251426433759354395033.5",
        "123456789123456789.123456789",
        "123456789123456789.12345678",
        "9007199254740993",
        "9007199254740992",
        "0.30000000000000004",
    ];
    let text = *fixed.get(random.below(fixed.len())).unwrap();
    let special = Decimal::from_scientific(text).or_else(|_| text.parse()).unwrap();
    let drawn = match random.below(4) {
        0 | 1 => special,
        2 => {
            let digits = u128::from(random.next()) << 32 | u128::from(random.next() >> 32);
            Decimal::from_i128_with_scale(
                (digits >> random.below(90)).cast_signed(),
                u32::try_from(random.below(29)).unwrap(),
            )
        }
        _ => Decimal::new(i64::try_from(random.below(40)).unwrap() - 20, u32::try_from(random.below(3)).unwrap()),
    };
    let drawn = sign(random, drawn);
    match keeps {
        Keeps::Everything => drawn,
        Keeps::FifteenDigits => {
            DecimalNumber::parse(&drawn.to_string()).unwrap().rounded(15, 28).to_string().parse().unwrap()
        }
        Keeps::Cents => {
            let cents = drawn % Decimal::from(1_000_000_000);
            cents.round_dp(2)
        }
    }
}

struct Kind {
    name: &'static str,
    column: &'static str,
    keeps: Keeps,
    index: Option<&'static str>,
}

fn kinds(backend: &str) -> Vec<Kind> {
    let kind = |name, column, keeps, index| Kind { name, column, keeps, index };
    let index = Some("CREATE INDEX by_price ON offers (CAST(price AS REAL))");
    match backend {
        "sqlite" => vec![
            kind("text", "TEXT", Keeps::Everything, None),
            kind("indexed text", "TEXT", Keeps::Everything, index),
            kind("without type", "", Keeps::Everything, None),
            kind("indexed, without type", "", Keeps::Everything, index),
            kind("numeric", "DECIMAL(12,2)", Keeps::FifteenDigits, None),
            kind("indexed numeric", "NUMERIC", Keeps::FifteenDigits, index),
            kind("real", "REAL", Keeps::FifteenDigits, None),
            kind("integer", "INTEGER", Keeps::FifteenDigits, index),
            kind("case-insensitive text", "TEXT COLLATE NOCASE", Keeps::Everything, None),
        ],
        "postgres" => vec![
            kind("unbounded", "NUMERIC", Keeps::Everything, Some("CREATE INDEX by_price ON offers (price)")),
            kind("cents", "NUMERIC(12,2)", Keeps::Cents, None),
        ],
        _ => vec![
            kind("widest", "DECIMAL(57,28)", Keeps::Everything, Some("CREATE INDEX by_price ON offers (price)")),
            kind("cents", "DECIMAL(12,2)", Keeps::Cents, None),
        ],
    }
}

async fn table(repo: &Repo, kind: &Kind) {
    let auto = repo.dialect().auto_increment();
    let mut limit = String::new();
    repo.dialect().quote("limit", &mut limit);
    repo.execute_raw("DROP TABLE IF EXISTS offers", []).await.unwrap();
    let column = kind.column;
    let sql = format!("CREATE TABLE offers (id INTEGER{auto}, price {column}, {limit} {column} NOT NULL)");
    repo.execute_raw(&sql, []).await.unwrap();
    if let Some(index) = kind.index {
        repo.execute_raw(index, []).await.unwrap();
    }
}

fn ids(offers: &[Offer]) -> Vec<i64> {
    offers.iter().map(|offer| offer.id).collect()
}

// Without a price where the database puts it.
fn sorted(rows: &[Offer], descending: bool, nulls: NullOrder) -> Vec<i64> {
    let mut rows = rows.to_vec();
    rows.sort_by(|one, other| {
        let place = |price: Option<Decimal>| (price.is_none() && nulls == NullOrder::Largest, price);
        let order = place(one.price).cmp(&place(other.price));
        if descending { order.reverse() } else { order }.then(one.id.cmp(&other.id))
    });
    ids(&rows)
}

async fn compare(repo: &Repo, rows: &[Offer], random: &mut Random, keeps: Keeps) {
    let value = match random.below(3) {
        0 => decimal(random, keeps),
        // The same number in another form.
        1 => rows[random.below(rows.len())].most.normalize(),
        _ => rows[random.below(rows.len())].price.unwrap_or(Decimal::ONE),
    };
    let others = [value, decimal(random, keeps), rows[random.below(rows.len())].most];
    let high = decimal(random, keeps);
    let (low, high) = if high < value { (high, value) } else { (value, high) };
    let price = |holds: &dyn Fn(Ordering) -> bool| -> Vec<i64> {
        rows.iter().filter(|row| row.price.is_some_and(|price| holds(price.cmp(&value)))).map(|row| row.id).collect()
    };
    let with = |holds: &dyn Fn(Decimal) -> bool| -> Vec<i64> {
        rows.iter().filter(|row| row.price.is_some_and(holds)).map(|row| row.id).collect()
    };
    let pairs = |holds: fn(Ordering) -> bool| -> Vec<i64> {
        rows.iter().filter(|row| row.price.is_some_and(|price| holds(price.cmp(&row.most)))).map(|row| row.id).collect()
    };
    let filters: Vec<(&str, Filter<Offer>, Vec<i64>)> = vec![
        ("eq", Offer::PRICE.eq(value), price(&Ordering::is_eq)),
        ("ne", Offer::PRICE.ne(value), price(&Ordering::is_ne)),
        ("lt", Offer::PRICE.lt(value), price(&Ordering::is_lt)),
        ("le", Offer::PRICE.le(value), price(&Ordering::is_le)),
        ("gt", Offer::PRICE.gt(value), price(&Ordering::is_gt)),
        ("ge", Offer::PRICE.ge(value), price(&Ordering::is_ge)),
        ("not gt", !Offer::PRICE.gt(value), price(&Ordering::is_le)),
        ("between", Offer::PRICE.between(low, high), with(&|price| low <= price && price <= high)),
        ("is_in", Offer::PRICE.is_in(others), with(&|price| others.contains(&price))),
        ("not_in", Offer::PRICE.not_in(others), with(&|price| !others.contains(&price))),
        ("is_in one", Offer::PRICE.is_in([value]), price(&Ordering::is_eq)),
        ("eq_column", Offer::PRICE.eq_column(Offer::MOST), pairs(Ordering::is_eq)),
        ("lt_column", Offer::PRICE.lt_column(Offer::MOST), pairs(Ordering::is_lt)),
        ("ge_column", Offer::PRICE.ge_column(Offer::MOST), pairs(Ordering::is_ge)),
    ];
    for (name, filter, expected) in filters {
        let found = repo.all(Query::filter(filter.clone())).await.unwrap();
        let mut found = ids(&found);
        found.sort_unstable();
        assert_eq!(found, expected, "{name} {value} {others:?} {low} {high}");
        assert_eq!(repo.count(Query::filter(filter)).await.unwrap(), expected.len() as u64, "{name}");
    }
}

async fn order(repo: &Repo, rows: &[Offer]) {
    for descending in [false, true] {
        let sort = || if descending { Offer::PRICE.desc() } else { Offer::PRICE.asc() };
        let expected = sorted(rows, descending, repo.dialect().capabilities().null_order);
        assert_eq!(ids(&repo.all(Query::order_by(sort())).await.unwrap()), expected);
        assert_eq!(
            ids(&repo.all(Query::order_by(sort()).limit(3).offset(1)).await.unwrap()),
            expected.iter().copied().skip(1).take(3).collect::<Vec<_>>()
        );
        let mut pages = repo.in_batches(Query::order_by(sort()), 3).unwrap();
        let mut paged = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            paged.extend(ids(&page));
        }
        assert_eq!(paged, expected, "pages, descending: {descending}");
    }
}

async fn aggregates(repo: &Repo, rows: &[Offer], random: &mut Random) {
    let prices: Vec<Decimal> = rows.iter().filter_map(|row| row.price).collect();
    let distinct: BTreeSet<Decimal> = prices.iter().copied().collect();
    assert_eq!(repo.aggregate(Offer::PRICE.min(), Query::new()).await.unwrap(), distinct.first().copied());
    assert_eq!(repo.aggregate(Offer::PRICE.max(), Query::new()).await.unwrap(), distinct.last().copied());
    assert_eq!(repo.aggregate(Offer::PRICE.count_distinct(), Query::new()).await.unwrap(), distinct.len() as i64);
    // Decimals lose digits where a sum needs more than they have; then the database's answer is an error.
    let exact = prices.iter().try_fold(Decimal::ZERO, |sum, price| {
        let next = sum.checked_add(*price)?;
        (next - *price == sum && next - sum == *price).then_some(next)
    });
    let sum = repo.aggregate(Offer::PRICE.sum(), Query::new()).await;
    match exact {
        _ if prices.is_empty() => assert_eq!(sum.unwrap(), None),
        Some(exact) => assert_eq!(sum.unwrap(), Some(exact), "{prices:?}"),
        None => {
            if let Ok(sum) = sum {
                // Of numbers that cancel each other the sum may be exact all the same.
                assert!(sum.is_some());
            }
        }
    }
    let mean = repo.aggregate(Offer::PRICE.avg(), Query::new()).await.unwrap();
    assert_eq!(mean.is_none(), prices.is_empty());
    if let (Some(exact), Some(mean)) = (exact, mean) {
        let expected = exact / Decimal::from(prices.len());
        let off = (mean - expected).abs();
        assert!(off <= expected.abs() * Decimal::new(1, 26) + Decimal::new(1, 27), "{mean} {expected} {prices:?}");
    }
    let mut grouped: Vec<(Option<Decimal>, i64)> =
        repo.pluck((Offer::PRICE, Offer::ID.count()), Query::group_by(Offer::PRICE)).await.unwrap();
    grouped.sort();
    let mut counts: BTreeMap<Option<Decimal>, i64> = BTreeMap::new();
    rows.iter().for_each(|row| *counts.entry(row.price).or_default() += 1);
    assert_eq!(grouped, counts.clone().into_iter().collect::<Vec<_>>());
    let mut plucked: Vec<Option<Decimal>> =
        repo.pluck(Offer::PRICE, Query::new().distinct().order_by(Offer::PRICE.asc())).await.unwrap();
    let mut expected: Vec<Option<Decimal>> = counts.keys().copied().collect();
    if repo.dialect().capabilities().null_order == NullOrder::Largest {
        expected.sort_by_key(|price| (price.is_none(), *price));
    }
    assert_eq!(plucked, expected);
    plucked.dedup();
    assert_eq!(plucked, expected);
    let least = rows[random.below(rows.len())].most;
    let having = repo
        .pluck((Offer::PRICE, Offer::MOST.max()), Query::group_by(Offer::PRICE).having(Offer::MOST.max().ge(least)))
        .await
        .unwrap();
    let mut largest: BTreeMap<Option<Decimal>, Decimal> = BTreeMap::new();
    rows.iter().for_each(|row| {
        let largest = largest.entry(row.price).or_insert(row.most);
        *largest = row.most.max(*largest);
    });
    let mut having: Vec<_> = having.into_iter().map(|(price, most)| (price, most.unwrap())).collect();
    having.sort();
    assert_eq!(having, largest.into_iter().filter(|(_, most)| *most >= least).collect::<Vec<_>>());
}

async fn associations(repo: &Repo, rows: &[Offer], random: &mut Random) {
    let equals = |row: &Offer| -> Vec<i64> {
        rows.iter().filter(|other| other.price == Some(row.most)).map(|other| other.id).collect()
    };
    let query = || Query::order_by(Offer::ID.asc());
    let loaded = repo
        .all(query().preload((Offer::EQUALS, Offer::TOP_TWO.order_by(Offer::ID.desc()).limit(2), Offer::EQUAL)))
        .await
        .unwrap();
    let joined = repo.all(query().eager_load(Offer::EQUALS)).await.unwrap();
    let counts = repo.count_for(&loaded, Offer::EQUALS).await.unwrap();
    for (at, row) in loaded.iter().enumerate() {
        let expected = equals(row);
        assert_eq!(ids(row.equals().unwrap()), expected, "preload");
        assert_eq!(ids(joined[at].equals().unwrap()), expected, "eager_load");
        assert_eq!(counts[at], expected.len() as u64, "count_for");
        let top: Vec<i64> = expected.iter().rev().copied().take(2).collect();
        assert_eq!(ids(row.top_two().unwrap()), top, "limit per owner");
        assert_eq!(row.equal().unwrap().map(|one| one.id), expected.first().copied());
        let alone = repo.get_association(row, Offer::EQUALS, Query::order_by(Offer::ID.asc())).await.unwrap();
        assert_eq!(ids(&alone), expected, "reader");
    }
    let some = random.below(rows.len());
    let found = repo.all(query().filter(Offer::EQUALS.any(Offer::ID.eq(rows[some].id)))).await.unwrap();
    let expected: Vec<i64> = rows.iter().filter(|row| rows[some].price == Some(row.most)).map(|row| row.id).collect();
    assert_eq!(ids(&found), expected, "any");
    let mut pairs: Vec<(i64, i64)> =
        repo.pluck((Offer::ID, Offer::EQUALS.joined(Offer::ID)), Query::join(Offer::EQUALS)).await.unwrap();
    pairs.sort_unstable();
    let expected: Vec<(i64, i64)> =
        rows.iter().flat_map(|row| equals(row).into_iter().map(|other| (row.id, other))).collect();
    assert_eq!(pairs, expected, "join");
    let belonging = repo.all(query().preload(Offer::ORIGIN)).await.unwrap();
    for row in &belonging {
        let expected = rows.iter().find(|other| Some(other.most) == row.price).map(|other| other.most);
        assert_eq!(row.origin().unwrap().map(|origin| origin.most), expected, "belongs_to");
    }
    // What is in memory is known by its number.
    let mut held = loaded.clone();
    let (done, statements) = repo.count_statements(repo.preload(&mut held, Offer::EQUALS)).await;
    done.unwrap();
    assert_eq!(statements, 0);
}

fn writes(rows: &[Offer]) {
    let row = rows.iter().find(|row| row.most.scale() < 20).unwrap_or(&rows[0]);
    let mut same = row.most;
    same.rescale(row.most.scale() + 1);
    let changed = row.change().set(Offer::MOST, same);
    assert!(!changed.has_changes() || same != row.most, "an equal number is no change");
}

fn decimals_are_numbers(backend: &dyn Backend) {
    let (first, tables) = (number("ASSOC_PROPERTY_SEED", 1), number("ASSOC_PROPERTY_CASES", 12));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let database = backend.fresh().await.unwrap();
        let repo = Repo::from_driver(Arc::clone(database.driver()));
        for kind in kinds(backend.name()) {
            for seed in first..first + tables {
                println!("{}: ASSOC_PROPERTY_SEED={seed}", kind.name);
                let mut random = Random::new(seed);
                table(&repo, &kind).await;
                let mut rows = Vec::new();
                for _ in 0..1 + random.below(14) {
                    let price = (random.below(6) > 0).then(|| decimal(&mut random, kind.keeps));
                    let most = decimal(&mut random, kind.keeps);
                    let written = Offer::build().set(Offer::PRICE, price).set(Offer::MOST, most);
                    let row = repo.insert(written).await.unwrap();
                    assert_eq!((row.price, row.most), (price, most));
                    if kind.column == "TEXT" || kind.column.is_empty() {
                        // There is one zero.
                        let most = if most.is_zero() { most.abs() } else { most };
                        assert_eq!(row.most.to_string(), most.to_string(), "it is read as it was written");
                    }
                    rows.push(row);
                }
                compare(&repo, &rows, &mut random, kind.keeps).await;
                order(&repo, &rows).await;
                aggregates(&repo, &rows, &mut random).await;
                associations(&repo, &rows, &mut random).await;
                writes(&rows);
            }
        }
    });
}

mod sqlite {
    use super::SqliteFile;

    #[test]
    fn decimals_are_numbers() {
        super::decimals_are_numbers(&SqliteFile);
    }
}

mod mariadb {
    use super::MariaDb;

    #[test]
    fn decimals_are_numbers() {
        super::decimals_are_numbers(&MariaDb);
    }
}

mod postgres {
    use super::PostgreSql;

    #[test]
    fn decimals_are_numbers() {
        super::decimals_are_numbers(&PostgreSql);
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "rates", primary_key = "code", auto_increment = false)]
struct Rate {
    code: Decimal,
    #[column(precision = 12, scale = 2)]
    amount: Decimal,
    next: Option<Decimal>,
    #[belongs_to(foreign_key = "next")]
    following: BelongsTo<Option<Rate>>,
    #[has_many(foreign_key = "next")]
    preceding: HasMany<Rate>,
}

fn rate(code: &str, amount: &str, next: Option<&str>) -> assoc_repo::Changeset<Rate> {
    Rate::build()
        .set(Rate::CODE, code.parse::<Decimal>().unwrap())
        .set(Rate::AMOUNT, amount.parse::<Decimal>().unwrap())
        .set(Rate::NEXT, next.map(|next| next.parse::<Decimal>().unwrap()))
}

/// How SQLite would run what a repo asks for.
fn plan<M: assoc_core::Model>(file: &std::path::Path, repo: &Repo, query: &assoc_repo::Select<M>) -> String {
    let explained = repo.explain(query).unwrap();
    // The last statement: of a preload, or of the query alone.
    let sql = explained.lines().map(str::trim).rfind(|line| line.contains("SELECT")).unwrap();
    plan_of(file, &sql[sql.find("SELECT").unwrap()..])
}

/// How SQLite would run a statement. Functions are known to our connections only, but SQLite plans without calling them.
fn plan_of(file: &std::path::Path, sql: &str) -> String {
    let conn = assoc_sqlite::rusqlite::Connection::open(file).unwrap();
    assoc_sqlite::rusqlite::vtab::array::load_module(&conn).unwrap();
    let flags = assoc_sqlite::rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC;
    conn.create_scalar_function("assoc_decimal", 1, flags, |_| Ok(0)).unwrap();
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut details = Vec::new();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().unwrap() {
        details.push(row.get::<_, String>(3).unwrap());
    }
    details.join("\n")
}

// A page begins where the index has the last row's number.
async fn pages_use_the_index(file: &std::path::Path) {
    let recorder = Recorder::default();
    let driver: Arc<dyn Driver> = Arc::new(assoc_sqlite::Sqlite::open(file).unwrap());
    let repo = Repo::new(Recorded::new(driver, recorder.clone()));
    let offers = ["9.5", "10", "100.10", "9.50", "-3", "123456789123456789.123456789"];
    repo.insert_all(offers.map(|price| {
        let price: Decimal = price.parse().unwrap();
        Offer::build().set(Offer::PRICE, Some(price)).set(Offer::MOST, price)
    }))
    .await
    .unwrap();
    for (name, sort) in [("ascending", Rate::AMOUNT.asc()), ("descending", Rate::AMOUNT.desc())] {
        let mut pages = repo.in_batches(Query::order_by(sort), 3).unwrap();
        pages.next().await.unwrap();
        let _ = recorder.take();
        pages.next().await.unwrap();
        let sql = recorder.take().pop().unwrap().sql;
        let plan = plan_of(file, &sql);
        assert!(plan.contains("SEARCH rates USING INDEX by_amount"), "{name}: {plan}\n{sql}");
        assert!(!plan.contains("USE TEMP B-TREE FOR ORDER BY"), "{name}: the whole rest is sorted: {plan}");
    }
    // A column that may be NULL.
    let mut pages = repo.in_batches(Query::order_by(Offer::PRICE.asc()), 2).unwrap();
    pages.next().await.unwrap();
    let _ = recorder.take();
    pages.next().await.unwrap();
    let sql = recorder.take().pop().unwrap().sql;
    let plan = plan_of(file, &sql);
    assert!(plan.contains("SEARCH offers USING INDEX by_price"), "{plan}\n{sql}");
    repo.execute_raw("DELETE FROM offers", []).await.unwrap();
}

#[test]
fn an_index_that_every_client_can_use_serves_decimals_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rates.db");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let repo = Repo::new(assoc_sqlite::Sqlite::open(&file).unwrap());
        repo.create_table::<Rate>().await.unwrap();
        repo.insert_all((0..2_000).map(|at| {
            let next = format!("{}.50", at + 1);
            rate(&format!("{at}.5"), &format!("{at}.10"), Some(&next))
        }))
        .await
        .unwrap();
        repo.execute_raw("CREATE INDEX by_amount ON rates (CAST(amount AS REAL))", []).await.unwrap();
        let amount: Decimal = "7.1".parse().unwrap();
        for (name, query) in [
            ("eq", Query::filter(Rate::AMOUNT.eq(amount))),
            ("gt", Query::filter(Rate::AMOUNT.gt(amount))),
            ("le", Query::filter(Rate::AMOUNT.le(amount))),
            ("between", Query::filter(Rate::AMOUNT.between(amount, amount))),
            ("is_in", Query::filter(Rate::AMOUNT.is_in([amount, Decimal::ONE]))),
        ] {
            let plan = plan(&file, &repo, &query);
            assert!(plan.contains("SEARCH rates USING INDEX by_amount"), "{name}: {plan}");
        }
        // For a limit alone SQLite thinks one pass that keeps the first rows cheaper.
        repo.execute_raw("CREATE TABLE offers (id INTEGER PRIMARY KEY, price TEXT, \"limit\" TEXT NOT NULL)", [])
            .await
            .unwrap();
        repo.execute_raw("CREATE INDEX by_price ON offers (CAST(price AS REAL))", []).await.unwrap();
        let ordered = plan(&file, &repo, &Query::order_by(Offer::PRICE.desc()));
        assert!(ordered.contains("SCAN offers USING INDEX by_price"), "{ordered}");
        let page = Query::filter(Offer::PRICE.gt(amount)).order_by(Offer::PRICE.asc()).limit(20);
        let page = plan(&file, &repo, &page);
        assert!(page.contains("SEARCH offers USING INDEX by_price") && page.contains("LAST 2 TERMS"), "{page}");
        pages_use_the_index(&file).await;
        for (name, query) in [
            ("belongs_to", Query::preload(Rate::FOLLOWING)),
            ("has_many", Query::preload(Rate::PRECEDING)),
            ("any", Query::filter(Rate::PRECEDING.any(Rate::AMOUNT.gt(amount)))),
            ("by key", Query::filter(Rate::CODE.eq(amount))),
            ("join", Query::join(Rate::FOLLOWING)),
        ] {
            let plan = plan(&file, &repo, &query);
            assert!(plan.contains("USING INDEX index_rates_on_"), "{name}: {plan}");
        }
        // 9.5 and 9.50 are one key.
        let nine = repo
            .get_or_fail::<Rate>("9.50".parse::<Decimal>().unwrap(), Query::preload(Rate::FOLLOWING))
            .await
            .unwrap();
        assert_eq!(nine.following().unwrap().map(|rate| rate.code), Some("10.5".parse().unwrap()));
        let changed = repo.update(nine.change().set(Rate::AMOUNT, "8.25".parse::<Decimal>().unwrap())).await.unwrap();
        assert_eq!(repo.get_or_fail::<Rate>(nine.code, Query::new()).await.unwrap().amount, changed.amount);
        repo.delete(&changed).await.unwrap();
        assert!(repo.get::<Rate>(nine.code, Query::new()).await.unwrap().is_none());
    });
    // Another client knows none of our functions.
    let other = assoc_sqlite::rusqlite::Connection::open(&file).unwrap();
    let answer = |sql: &str| other.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(answer("PRAGMA integrity_check"), "ok");
    assert_eq!(answer("SELECT amount FROM rates WHERE CAST(amount AS REAL) BETWEEN 7.05 AND 7.15"), "7.10");
    other.execute_batch("INSERT INTO rates VALUES ('-1', '3', NULL); UPDATE rates SET amount = '4.00' WHERE code = '-1'; REINDEX; VACUUM").unwrap();
    assert_eq!(answer("SELECT max(CAST(amount AS REAL)) || '' FROM rates"), "1999.1");
    assert_eq!(answer("PRAGMA integrity_check"), "ok");
}
