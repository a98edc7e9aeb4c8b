//! The order in which `INSERT … RETURNING` gives rows back is promised by no database: a driver that turns it round, and
//! rows that must come back in the order in which they were given all the same.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assoc_core::Result;
use assoc_core::driver::{BoxFuture, Connection, ExecResult, RowSink, Statement};
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;
use conformance_tests::{Interceptor, Wrapped};
use rstest::rstest;

type Row = Vec<Value<'static>>;

/// How returned rows are put.
#[derive(Debug, Clone, Copy)]
enum Order {
    AsTheyCome,
    Reversed,
    /// The last first, then the others.
    Turned,
    /// Turned round, and of each text the first letter: as a trigger might change it.
    ReversedAndCut,
}

struct Shuffling {
    order: Order,
    inserts: Arc<AtomicUsize>,
}

impl Interceptor for Shuffling {
    fn query<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
        sink: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut rows: Vec<Row> = Vec::new();
            let mut collect = |values: &mut [Value<'_>]| {
                rows.push(values.iter_mut().map(|value| std::mem::take(value).into_owned()).collect());
                Ok(())
            };
            inner.query(statement, &mut collect).await?;
            if statement.sql().starts_with("INSERT") {
                self.inserts.fetch_add(1, Ordering::Relaxed);
                match self.order {
                    Order::AsTheyCome => {}
                    Order::Reversed => rows.reverse(),
                    Order::Turned => rows.rotate_right(1),
                    Order::ReversedAndCut => {
                        rows.reverse();
                        rows.iter_mut().flatten().for_each(cut);
                    }
                }
            }
            rows.iter_mut().try_for_each(|row| sink.row(row))
        })
    }

    fn execute<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
    ) -> BoxFuture<'a, Result<ExecResult>> {
        self.inserts.fetch_add(usize::from(statement.sql().starts_with("INSERT")), Ordering::Relaxed);
        inner.execute(statement)
    }
}

// Names become equal; keys do not.
fn cut(value: &mut Value<'static>) {
    if let Value::Text(text) = value
        && text.starts_with('n')
    {
        *value = Value::from("n");
    }
}

/// The database makes the key.
#[derive(Model, Debug, Clone, PartialEq)]
struct Counted {
    id: i64,
    name: String,
    level: Option<f64>,
}

/// The application makes it.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(primary_key = "room, code")]
struct Keyed {
    room: i64,
    code: String,
    amount: rust_decimal::Decimal,
}

/// The database makes it, and nothing is known of its order.
#[derive(Model, Debug, Clone, PartialEq)]
struct Random {
    #[column(default = "(hex(randomblob(8)))")]
    id: String,
    name: String,
}

/// There is none.
#[derive(Model, Debug, Clone, PartialEq)]
struct Keyless {
    sensor: i64,
    level: f64,
}

async fn repo(order: Order) -> (Repo, Arc<AtomicUsize>) {
    let inserts = Arc::new(AtomicUsize::new(0));
    let repo = Repo::new(Wrapped::new(
        Arc::new(Sqlite::memory().unwrap()),
        Shuffling { order, inserts: Arc::clone(&inserts) },
    ));
    repo.create_table::<Counted>().await.unwrap();
    repo.create_table::<Keyed>().await.unwrap();
    repo.create_table::<Random>().await.unwrap();
    repo.create_table::<Keyless>().await.unwrap();
    (repo, inserts)
}

#[rstest]
fn rows_come_back_as_they_were_given(
    #[values(Order::AsTheyCome, Order::Reversed, Order::Turned)] order: Order,
    #[values(2, 50, 120)] rows: i64,
) {
    run(async {
        let (repo, inserts) = repo(order).await;
        let statements = |rows: i64| usize::try_from((rows + 49) / 50).unwrap();
        let counted = repo.insert_all((0..rows).map(|n| Counted::build().set(Counted::NAME, format!("n{}", n % 7))));
        for (n, row) in (0..).zip(counted.await.unwrap()) {
            assert_eq!((row.id, row.name), (n + 1, format!("n{}", n % 7)));
        }
        assert_eq!(inserts.swap(0, Ordering::Relaxed), statements(rows));

        let keyed = repo.insert_all((0..rows).rev().map(|n| {
            let keyed = Keyed::build().set(Keyed::ROOM, n / 3).set(Keyed::CODE, format!("c{}", n % 3));
            keyed.set(Keyed::AMOUNT, rust_decimal::Decimal::new(n, 2))
        }));
        for (n, row) in (0..rows).rev().zip(keyed.await.unwrap()) {
            assert_eq!((row.room, row.code), (n / 3, format!("c{}", n % 3)));
        }
        assert_eq!(inserts.swap(0, Ordering::Relaxed), statements(rows));

        // Some are equal.
        let random =
            repo.insert_all((0..rows).map(|n| Random::build().set(Random::NAME, format!("n{}", n % 40)))).await;
        for (n, row) in random.unwrap().iter().enumerate() {
            assert_eq!(row.name, format!("n{}", n % 40));
        }
        assert_eq!(inserts.swap(0, Ordering::Relaxed), statements(rows));

        let keyless = repo.insert_all(
            (0..rows).map(|n| Keyless::build().set(Keyless::SENSOR, n % 3).set(Keyless::LEVEL, n as f64 / 7.0)),
        );
        for (n, row) in (0..).zip(keyless.await.unwrap()) {
            assert_eq!((row.sensor, row.level), (n % 3, n as f64 / 7.0));
        }
        assert_eq!(inserts.swap(0, Ordering::Relaxed), statements(rows));
    });
}

/// Values that the database changes no longer tell rows apart: to insert them one by one is the only proof, and the first
/// attempt leaves nothing behind.
#[rstest]
fn changed_values_are_inserted_one_by_one(#[values(false, true)] inside: bool) {
    run(async {
        let (repo, inserts) = repo(Order::ReversedAndCut).await;
        let insert = async |repo: &Repo| {
            let counted = (0..6).map(|n| Counted::build().set(Counted::NAME, format!("n{n}")));
            let counted = repo.insert_all(counted).await?;
            let random = (0..6).map(|n| Random::build().set(Random::NAME, format!("n{n}")));
            Ok::<_, assoc_repo::Error>((counted, repo.insert_all(random).await?))
        };
        let rows = if inside { repo.transaction(async |tx| insert(tx).await).await } else { insert(&repo).await };
        let (counted, random) = rows.unwrap();
        assert_eq!((counted.len(), random.len()), (6, 6));
        assert!(counted.is_sorted_by_key(|row| row.id), "{counted:?}");
        assert_eq!(inserts.load(Ordering::Relaxed), 2 * (1 + 6));
        assert_eq!(repo.count(Query::<Counted>::new()).await.unwrap(), 6);
        assert_eq!(repo.count(Query::<Random>::new()).await.unwrap(), 6);
        // Each is the row that was given at its place.
        for (n, row) in random.iter().enumerate() {
            let stored = repo.pluck(Random::NAME, Query::filter(Random::ID.eq(row.id.as_str()))).await.unwrap();
            assert_eq!(stored, [format!("n{n}")]);
        }
    });
}

/// Of many rows only the first are read back, and the keys of the others are counted. A row that a trigger adds in between is
/// noticed, wherever it is.
#[rstest]
#[case("n3", 1 + 3)]
#[case("n49", 1 + 1 + 120)]
#[case("n60", 1 + 1 + 120)]
#[case("n110", 1 + 1 + 1 + 120)]
#[case("n119", 3)]
#[case("none", 3)]
fn rows_that_a_trigger_adds_are_noticed(#[case] name: &str, #[case] statements: usize) {
    run(async {
        let (repo, inserts) = repo(Order::AsTheyCome).await;
        let trigger = format!(
            "CREATE TRIGGER copies AFTER INSERT ON counteds WHEN NEW.name = '{name}' BEGIN INSERT INTO counteds (name) \
             VALUES ('copy'); END"
        );
        repo.execute_raw(&trigger, []).await.unwrap();
        let rows =
            repo.insert_all((0..120).map(|n| Counted::build().set(Counted::NAME, format!("n{n}")))).await.unwrap();
        for (n, row) in rows.iter().enumerate() {
            let stored = repo.pluck(Counted::NAME, Query::filter(Counted::ID.eq(row.id))).await.unwrap();
            assert_eq!((stored, &row.name), (vec![format!("n{n}")], &format!("n{n}")));
        }
        assert!(inserts.load(Ordering::Relaxed) <= statements, "{}", inserts.load(Ordering::Relaxed));
    });
}

/// An owner with parts, both counted.
#[derive(Model, Debug, Clone, PartialEq)]
struct Owner {
    id: i64,
    name: String,
    level: Option<f64>,
    #[has_many]
    parts: HasMany<Part>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Part {
    id: i64,
    owner_id: i64,
    name: String,
    note: Option<String>,
    #[has_and_belongs_to_many]
    labels: HasAndBelongsToMany<Label>,
}

#[derive(Model, Debug, Clone, PartialEq)]
struct Label {
    id: i64,
    name: String,
}

/// Values of a graph are moved from the statements into the rows that come back. If a later statement shows that keys cannot be
/// counted, all rows are inserted again, with the same values.
#[rstest]
#[case("parts", "p70")]
#[case("parts", "p199")]
#[case("parts", "p239")]
#[case("owners", "o60")]
#[case("owners", "o110")]
#[case("owners", "none")]
fn a_graph_that_a_trigger_disturbs_is_inserted_again(#[case] table: &str, #[case] name: &str) {
    run(async {
        let (repo, _) = repo(Order::AsTheyCome).await;
        repo.create_table::<Owner>().await.unwrap();
        repo.create_table::<Part>().await.unwrap();
        repo.create_table::<Label>().await.unwrap();
        let join = "CREATE TABLE labels_parts (label_id INTEGER NOT NULL, part_id INTEGER NOT NULL)";
        repo.execute_raw(join, []).await.unwrap();
        let columns = if table == "parts" { "(owner_id, name) VALUES (0, 'copy')" } else { "(name) VALUES ('copy')" };
        let trigger = format!(
            "CREATE TRIGGER copies AFTER INSERT ON {table} WHEN NEW.name = '{name}' BEGIN INSERT INTO {table} {columns}; END"
        );
        repo.execute_raw(&trigger, []).await.unwrap();
        let label = repo.insert(Label::build().set(Label::NAME, "one")).await.unwrap();
        let part = |n: usize| {
            let note = n.is_multiple_of(3).then(|| format!("note {n}"));
            Part::build().set(Part::NAME, format!("p{n}")).set(Part::NOTE, note).push(Part::LABELS, &label)
        };
        let owner = |n: usize| {
            let owner = Owner::build().set(Owner::NAME, format!("o{n}")).set(Owner::LEVEL, n as f64 / 3.0);
            owner.push(Owner::PARTS, [part(2 * n), part(2 * n + 1)])
        };
        let saved = repo.insert_all((0..120).map(owner)).await.unwrap();
        let with_parts = Query::preload(Owner::PARTS.with(Part::LABELS)).order_by(Owner::ID.asc());
        let stored = repo.all(with_parts.filter(Owner::NAME.ne("copy"))).await.unwrap();
        assert!(saved == stored, "what came back is not what is stored");
        for (n, owner) in saved.iter().enumerate() {
            let names: Vec<&str> = owner.parts().unwrap().iter().map(|part| part.name.as_str()).collect();
            assert_eq!(names, [format!("p{}", 2 * n), format!("p{}", 2 * n + 1)]);
            assert_eq!((&owner.name, owner.level), (&format!("o{n}"), Some(n as f64 / 3.0)));
        }
        assert_eq!(repo.count(Query::<Part>::new()).await.unwrap(), 240 + u64::from(table == "parts"));
    });
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap().block_on(test);
}
