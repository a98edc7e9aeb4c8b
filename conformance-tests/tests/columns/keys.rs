//! Keys of two columns of any types: rows in the order of their key, found by it, and associated by it.

use std::fmt::Debug;

use assoc_core::{Association, Column, ColumnType};
use assoc_repo::prelude::*;
use conformance_tests::Recorder;

use crate::kinds::{Columns, Database, Kind, Place};
use crate::number;
use crate::random::Random;

trait Keyed: Model<Key = (Self::A, Self::B)> + PartialEq + Debug {
    type A: ColumnType + Columns + Debug + PartialEq;
    type B: ColumnType + Columns + Debug + PartialEq;
    const FIRST: Column<Self, Self::A>;
    const SECOND: Column<Self, Self::B>;
    const TO_NEXT: Association<Self, Self, BelongsTo<Option<Self>>>;
    const TO_PREVIOUS: Association<Self, Self, HasMany<Self>>;
    fn new(key: (Self::A, Self::B), next: Option<(Self::A, Self::B)>) -> assoc_repo::Changeset<Self>;
    fn columns(&self) -> (&Self::A, &Self::B);
    fn loaded(&self) -> (Option<&Self>, &[Self]);
}

macro_rules! keyed {
    ($($module:ident: $a:ty, $b:ty;)+) => {
        $(mod $module {
            use super::*;

            #[derive(Model, Debug, Clone, PartialEq)]
            #[model(table = "entries", primary_key = "a, b")]
            pub(super) struct Entry {
                a: $a,
                b: $b,
                next_a: Option<$a>,
                next_b: Option<$b>,
                #[belongs_to(foreign_key = "next_a, next_b")]
                next: BelongsTo<Option<Entry>>,
                #[has_many(foreign_key = "next_a, next_b")]
                previous: HasMany<Entry>,
            }

            impl Keyed for Entry {
                type A = $a;
                type B = $b;
                const FIRST: Column<Self, $a> = Entry::A;
                const SECOND: Column<Self, $b> = Entry::B;
                const TO_NEXT: Association<Self, Self, BelongsTo<Option<Self>>> = Entry::NEXT;
                const TO_PREVIOUS: Association<Self, Self, HasMany<Self>> = Entry::PREVIOUS;

                fn new((a, b): ($a, $b), next: Option<($a, $b)>) -> assoc_repo::Changeset<Self> {
                    let (next_a, next_b) = next.unzip();
                    let entry = Entry::build().set(Entry::A, a).set(Entry::B, b);
                    entry.set(Entry::NEXT_A, next_a).set(Entry::NEXT_B, next_b)
                }

                fn columns(&self) -> (&$a, &$b) {
                    (&self.a, &self.b)
                }

                fn loaded(&self) -> (Option<&Self>, &[Self]) {
                    (self.next().unwrap(), self.previous().unwrap())
                }
            }
        })+

        pub(crate) async fn every_key(repo: &Repo, recorder: &Recorder, database: Database) {
            $(Box::pin(check::<$module::Entry>(repo, recorder, database)).await;)+
        }
    };
}

keyed! {
    text_and_date: String, chrono::NaiveDate;
    uuid_and_decimal: uuid::Uuid, rust_decimal::Decimal;
    bytes_and_integer: Vec<u8>, u16;
    narrow_and_text: i8, String;
    instant_and_wide: chrono::DateTime<chrono::Utc>, i64;
}

struct Kinds<E: Keyed> {
    a: Kind<E::A>,
    b: Kind<E::B>,
}

impl<E: Keyed> Kinds<E> {
    fn place(&self, (a, b): (&E::A, &E::B)) -> (Place, Place) {
        ((self.a.compared)(a), (self.b.compared)(b))
    }

    fn sorted(&self, (a, b): (&E::A, &E::B)) -> (Place, Place) {
        ((self.a.sorted)(a), (self.b.sorted)(b))
    }
}

fn any_of<V>(kinds: Vec<Kind<V>>, random: &mut Random) -> Kind<V> {
    let mut indexed: Vec<Kind<V>> = kinds.into_iter().filter(|kind| kind.indexed).collect();
    indexed.swap_remove(random.below(indexed.len()))
}

async fn check<E: Keyed>(repo: &Repo, recorder: &Recorder, database: Database) {
    let (first, tables) = (number("ASSOC_PROPERTY_SEED", 1), number("ASSOC_PROPERTY_CASES", 8));
    for seed in first..first + tables {
        let mut random = Random::new(seed);
        let kinds =
            Kinds::<E> { a: any_of(E::A::kinds(database), &mut random), b: any_of(E::B::kinds(database), &mut random) };
        println!("{:?}, {:?}: ASSOC_PROPERTY_SEED={seed}", kinds.a.column, kinds.b.column);
        let written = filled(repo, &kinds, &mut random).await;
        in_pages(repo, &kinds, &written, &mut random).await;
        associated(repo, &kinds, &written).await;
        let _ = recorder.take();
    }
}

type Key<E> = (<E as Keyed>::A, <E as Keyed>::B);

/// Keys, each once, and what each refers to.
type Written<E> = Vec<(Key<E>, Option<Key<E>>)>;

async fn filled<E: Keyed>(repo: &Repo, kinds: &Kinds<E>, random: &mut Random) -> Written<E> {
    let (a, b) = (kinds.a.column, kinds.b.column);
    repo.execute_raw("DROP TABLE IF EXISTS entries", []).await.unwrap();
    let index = if random.below(2) == 0 { ", UNIQUE (b, a)" } else { "" };
    let table = format!(
        "CREATE TABLE entries (a {a} NOT NULL, b {b} NOT NULL, next_a {a} NULL, next_b {b} NULL, PRIMARY KEY (a, b){index})"
    );
    repo.execute_raw(&table, []).await.unwrap();
    let mut draw = || {
        let a = kinds.a.values[random.below(kinds.a.values.len())].clone();
        (a, kinds.b.values[random.below(kinds.b.values.len())].clone())
    };
    let mut keys: Vec<Key<E>> = Vec::new();
    for _ in 0..16 {
        let key = draw();
        let place = kinds.place((&key.0, &key.1));
        if keys.iter().all(|(a, b)| kinds.place((a, b)) != place) {
            keys.push(key);
        }
    }
    let others: Vec<Key<E>> = keys.iter().map(|_| draw()).collect();
    let mut written = Vec::new();
    for (key, other) in keys.iter().zip(others) {
        let next = match random.below(4) {
            0 => None,
            // May refer to no row, or to one whose key is written in another way.
            1 => Some(other),
            _ => Some(keys[random.below(keys.len().min(4))].clone()),
        };
        written.push((key.clone(), next));
    }
    let rows = repo.insert_all(written.iter().cloned().map(|(key, next)| E::new(key, next))).await.unwrap();
    assert_eq!(rows.len(), written.len());
    written
}

async fn in_pages<E: Keyed>(repo: &Repo, kinds: &Kinds<E>, written: &Written<E>, random: &mut Random) {
    let mut expected: Vec<(Place, Place)> = written.iter().map(|((a, b), _)| kinds.sorted((a, b))).collect();
    expected.sort();
    let mut by_second = expected.clone();
    by_second.sort_by(|(a, b), (other_a, other_b)| other_b.cmp(b).then(a.cmp(other_a)));
    let queries = [(Query::<E>::new(), expected), (Query::order_by(E::SECOND.desc()), by_second)];
    for (query, expected) in queries {
        let mut pages = repo.in_batches(query, 1 + random.below(4) as u64).unwrap();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await.unwrap() {
            found.extend(page.iter().map(|row| kinds.sorted(row.columns())));
        }
        assert_eq!(found, expected);
    }
    for (key, _) in written {
        let row = repo.get::<E>(key.clone(), Query::new()).await.unwrap();
        assert_eq!(row.as_ref().map(|row| kinds.place(row.columns())), Some(kinds.place((&key.0, &key.1))), "{key:?}");
    }
}

async fn associated<E: Keyed>(repo: &Repo, kinds: &Kinds<E>, written: &Written<E>) {
    let place = |key: &Key<E>| kinds.place((&key.0, &key.1));
    let next_of = |of: &(Place, Place)| {
        let (_, next) = written.iter().find(|(key, _)| place(key) == *of).unwrap();
        let next = next.as_ref().map(place)?;
        written.iter().map(|(key, _)| place(key)).find(|key| *key == next)
    };
    let both = (E::TO_NEXT, E::TO_PREVIOUS.order_by((E::SECOND.asc(), E::FIRST.asc())).limit(3));
    let rows = repo.all(Query::<E>::new().preload(both)).await.unwrap();
    assert_eq!(rows.len(), written.len());
    let counts = repo.count_for(&rows, E::TO_PREVIOUS).await.unwrap();
    for (row, count) in rows.iter().zip(counts) {
        let own = kinds.place(row.columns());
        let (next, previous) = row.loaded();
        assert_eq!(next.map(|next| kinds.place(next.columns())), next_of(&own), "after {own:?} of {written:?}");
        let mut expected: Vec<&Key<E>> = written
            .iter()
            .filter(|(_, next)| next.as_ref().map(place).as_ref() == Some(&own))
            .map(|(key, _)| key)
            .collect();
        assert_eq!(count, expected.len() as u64, "before {own:?} of {written:?}");
        expected.sort_by_key(|(a, b)| ((kinds.b.sorted)(b), (kinds.a.sorted)(a)));
        let expected: Vec<_> = expected.into_iter().take(3).map(place).collect();
        let found: Vec<_> = previous.iter().map(|row| kinds.place(row.columns())).collect();
        assert_eq!(found, expected, "before {own:?} of {written:?}");
    }
    let first = repo.all(Query::filter(E::TO_NEXT.associated())).await.unwrap();
    let expected = written.iter().filter(|(key, _)| next_of(&place(key)).is_some()).count();
    assert_eq!(first.len(), expected, "{written:?}");
}
