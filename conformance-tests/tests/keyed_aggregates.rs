//! Aggregates of associations with keys of two columns: with the model itself, to one row, to one row through another, through a
//! collection, and polymorphic. Whatever the rows, also with keys that are `NULL` in part: counts, sums, means and extremes for each
//! owner are those of the rows that a preload loads, and conditions on the association keep the owners with such rows.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use conformance_tests::Backend;
use random::{Random, number};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
mod random;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "units", primary_key = "tenant, code")]
struct Unit {
    tenant: i64,
    code: i64,
    parent_code: Option<i64>,
    rank: Option<i64>,
    #[belongs_to(foreign_key = "tenant, parent_code")]
    parent: BelongsTo<Option<Unit>>,
    #[has_many(foreign_key = "tenant, parent_code")]
    units: HasMany<Unit>,
    #[has_many(through = "units", source = "units")]
    grand: HasManyThrough<Unit>,
    #[has_one(foreign_key = "tenant, unit_code", order = Lease::RANK.desc())]
    lease: HasOne<Option<Lease>>,
    #[has_many(foreign_key = "tenant, unit_code")]
    leases: HasMany<Lease>,
    #[has_one(through = "lease", source = "holder")]
    holder: HasOne<Option<Holder>>,
    #[has_many(through = "leases", source = "holder")]
    holders: HasManyThrough<Holder>,
    #[has_many(through = "leases", source = "notes")]
    notes: HasManyThrough<Note>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "leases", auto_increment = false)]
struct Lease {
    id: i64,
    tenant: Option<i64>,
    unit_code: Option<i64>,
    holder_id: Option<i64>,
    rank: Option<i64>,
    #[belongs_to(foreign_key = "tenant, unit_code")]
    unit: BelongsTo<Option<Unit>>,
    #[belongs_to]
    holder: BelongsTo<Option<Holder>>,
    #[has_many(as = "about")]
    notes: HasMany<Note>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "holders", auto_increment = false)]
struct Holder {
    id: i64,
    rank: Option<i64>,
    #[has_many]
    leases: HasMany<Lease>,
    #[has_many(as = "about")]
    notes: HasMany<Note>,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "models of a test are as large as they are")]
enum About {
    Lease(Lease),
    Holder(Holder),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes", auto_increment = false)]
struct Note {
    id: i64,
    about_id: Option<i64>,
    #[column(length = 20)]
    about_type: Option<String>,
    rank: Option<i64>,
    #[belongs_to(polymorphic)]
    about: BelongsTo<Option<About>>,
}

fn some(random: &mut Random) -> Option<i64> {
    (!random.once_in(4)).then(|| random.below(4) as i64)
}

async fn fill(repo: &Repo, random: &mut Random) -> Result<()> {
    for table in ["units", "leases", "holders", "notes"] {
        repo.execute_raw(&format!("DELETE FROM {table}"), []).await?;
    }
    for tenant in 0..2 {
        for code in 0..4 {
            if !random.once_in(4) {
                let unit = Unit::build().set(Unit::TENANT, tenant).set(Unit::CODE, code);
                repo.insert(unit.set(Unit::PARENT_CODE, some(random)).set(Unit::RANK, some(random))).await?;
            }
        }
    }
    for id in 0..4 {
        repo.insert(Holder::build().set(Holder::ID, id).set(Holder::RANK, some(random))).await?;
    }
    for id in 0..random.below(10) as i64 {
        let tenant = some(random).map(|tenant| tenant % 2);
        let lease = Lease::build().set(Lease::ID, id).set(Lease::TENANT, tenant).set(Lease::UNIT_CODE, some(random));
        repo.insert(lease.set(Lease::HOLDER_ID, some(random)).set(Lease::RANK, some(random))).await?;
    }
    for id in 0..random.below(10) as i64 {
        let kind = [None, Some("Lease"), Some("Holder")][random.below(3)].map(str::to_owned);
        let note = Note::build().set(Note::ID, id).set(Note::ABOUT_ID, some(random)).set(Note::ABOUT_TYPE, kind);
        repo.insert(note.set(Note::RANK, some(random))).await?;
    }
    Ok(())
}

fn differ<T: std::fmt::Debug + PartialEq>(what: &str, found: T, expected: T) -> std::result::Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found:?}, and the rows say {expected:?}")) }
}

macro_rules! check {
    ($repo:expr, $random:expr, $owner:ident: $($association:ident $field:ident $target:ident $key:expr;)+) => {$({
        let (repo, random): (&Repo, &mut Random) = ($repo, $random);
        let least = random.below(4) as i64;
        for filtered in [false, true] {
            let name = concat!(stringify!($owner), ".", stringify!($field));
            let what = format!("{name}, filtered {filtered}");
            let asked = || if filtered {
                $owner::$association.filter($target::RANK.ge(least))
            } else {
                $owner::$association.preload()
            };
            let mut owners = repo.all(Query::<$owner>::new()).await.map_err(|e| format!("{what}: {e}"))?;
            owners.sort_by_key($key);
            repo.preload(&mut owners, asked()).await.map_err(|e| format!("{what}: {e}"))?;
            let loaded: Vec<Vec<Option<i64>>> = owners
                .iter()
                .map(|owner| owner.$field().unwrap().into_iter().map(|target| target.rank).collect())
                .collect();
            let ranks = || loaded.iter().map(|ranks| ranks.iter().flatten().copied().collect::<Vec<i64>>());
            let said = |what: &str, error: Error| format!("{name}, filtered {filtered}, {what}: {error}");
            let found = repo.count_for(&owners, asked()).await.map_err(|e| said("count", e))?;
            differ(&format!("{what}, count"), found, loaded.iter().map(|ranks| ranks.len() as u64).collect())?;
            let found = repo.aggregate_for(&owners, asked(), $target::RANK.sum()).await.map_err(|e| said("sum", e))?;
            let sum = |ranks: Vec<i64>| (!ranks.is_empty()).then(|| ranks.iter().sum::<i64>());
            differ(&format!("{what}, sum"), found, ranks().map(sum).collect())?;
            let found = repo.aggregate_for(&owners, asked(), $target::RANK.max()).await.map_err(|e| said("max", e))?;
            differ(&format!("{what}, max"), found, ranks().map(|ranks| ranks.into_iter().max()).collect())?;
            let found = repo.aggregate_for(&owners, asked(), $target::RANK.min()).await.map_err(|e| said("min", e))?;
            differ(&format!("{what}, min"), found, ranks().map(|ranks| ranks.into_iter().min()).collect())?;
            let found = repo.aggregate_for(&owners, asked(), $target::RANK.count()).await.map_err(|e| said("count of", e))?;
            differ(&format!("{what}, count of"), found, ranks().map(|ranks| ranks.len() as i64).collect())?;
            let distinct = |ranks: Vec<i64>| ranks.iter().collect::<std::collections::BTreeSet<_>>().len() as i64;
            let found = repo.aggregate_for(&owners, asked(), $target::RANK.count_distinct()).await;
            differ(&format!("{what}, distinct"), found.map_err(|e| said("distinct", e))?, ranks().map(distinct).collect())?;
            let found = repo.aggregate_for(&owners, asked(), $target::RANK.avg()).await.map_err(|e| said("avg", e))?;
            let avg = |ranks: Vec<i64>| {
                (!ranks.is_empty()).then(|| ranks.iter().sum::<i64>() as f64 / ranks.len() as f64)
            };
            let near = |a: &Option<f64>, b: &Option<f64>| match (a, b) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-9,
                (a, b) => a == b,
            };
            let expected: Vec<Option<f64>> = ranks().map(avg).collect();
            if !found.iter().zip(&expected).all(|(a, b)| near(a, b)) {
                return Err(format!("{what}, avg: {found:?}, not {expected:?}"));
            }
            // Who has such a row, and who has none.
            if !filtered {
                for (how, filter, holds) in [
                    ("any", $owner::$association.any($target::RANK.ge(least)), true),
                    ("none", $owner::$association.none($target::RANK.ge(least)), false),
                ] {
                    let mut found = repo.all(Query::<$owner>::filter(filter)).await.map_err(|e| said(how, e))?;
                    found.sort_by_key($key);
                    let has = |at: &usize| loaded[*at].iter().flatten().any(|rank| *rank >= least);
                    let expected: Vec<_> = (0..owners.len()).filter(|at| has(at) == holds).map(|at| $key(&owners[at])).collect();
                    differ(&format!("{what}, {how} {least}"), found.iter().map($key).collect(), expected)?;
                }
            }
        }
    })+};
}

async fn one(repo: &Repo, random: &mut Random) -> std::result::Result<(), String> {
    fill(repo, random).await.map_err(|error| error.to_string())?;
    check! { repo, random, Unit:
        UNITS units Unit |unit: &Unit| (unit.tenant, unit.code);
        PARENT parent Unit |unit: &Unit| (unit.tenant, unit.code);
        GRAND grand Unit |unit: &Unit| (unit.tenant, unit.code);
        LEASE lease Lease |unit: &Unit| (unit.tenant, unit.code);
        LEASES leases Lease |unit: &Unit| (unit.tenant, unit.code);
        HOLDER holder Holder |unit: &Unit| (unit.tenant, unit.code);
        HOLDERS holders Holder |unit: &Unit| (unit.tenant, unit.code);
        NOTES notes Note |unit: &Unit| (unit.tenant, unit.code);
    }
    check! { repo, random, Lease:
        UNIT unit Unit |lease: &Lease| lease.id;
        HOLDER holder Holder |lease: &Lease| lease.id;
        NOTES notes Note |lease: &Lease| lease.id;
    }
    check! { repo, random, Holder:
        LEASES leases Lease |holder: &Holder| holder.id;
        NOTES notes Note |holder: &Holder| holder.id;
    }
    Ok(())
}

fn run(backend: &dyn Backend, databases: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (cases, first) = (number("ASSOC_PROPERTY_CASES", databases), number("ASSOC_PROPERTY_SEED", 1));
    runtime.block_on(async {
        let database = backend.fresh().await.unwrap();
        let repo = Repo::from_driver(Arc::clone(database.driver()));
        repo.create_table::<Unit>().await.unwrap();
        repo.create_table::<Lease>().await.unwrap();
        repo.create_table::<Holder>().await.unwrap();
        repo.create_table::<Note>().await.unwrap();
        for seed in first..first + cases {
            if let Err(what) = one(&repo, &mut Random::new(seed)).await {
                panic!("{}: ASSOC_PROPERTY_SEED={seed}\n{what}", backend.name());
            }
        }
    });
}

mod sqlite {
    use super::*;

    #[test]
    fn of_every_kind() {
        run(&SqliteInMemory, 100);
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn of_every_kind() {
        run(&MariaDb, 10);
    }
}

mod postgres {
    use super::*;

    #[test]
    fn of_every_kind() {
        run(&PostgreSql, 10);
    }
}
