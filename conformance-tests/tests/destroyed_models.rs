//! Random rows of all models of the suite are destroyed, and the tables are what an independent model in memory says, by
//! every rule and kind: with foreign keys and without, on every backend. Which rows go, lose their keys, are counted and
//! touched it works out from the declarations, row by row; what callbacks and `delete_sql` write it is told.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of destroys, `ASSOC_PROPERTY_WORLD` takes
//! one fixture. A failure prints its seed and fixture: with them, it is the first to be looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use assoc_core::execution::KeyTuple;
use assoc_repo::DestroyReport;
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use conformance_tests::Backend;
use judge::{Outcome, Settled, is_of, judge};
use random::{Random, number};
use tables::{Handle, Schema, Tables};
use worlds::{Call, Done, Kind, WORLDS, World};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
#[path = "destroyed_models/conditions.rs"]
mod conditions;
#[path = "destroyed_models/judge.rs"]
mod judge;
mod random;
#[path = "destroyed_models/tables.rs"]
mod tables;
#[path = "destroyed_models/worlds.rs"]
mod worlds;
#[path = "destroyed_models/writes.rs"]
mod writes;

/// How many destroys follow each other before the tables are filled again.
const DESTROYS: u64 = 5;

/// Models whose callbacks may refuse.
const REFUSING: [&str; 1] = ["Oath"];

#[derive(Debug, Default)]
struct Counts {
    done: u64,
    restricted: u64,
    held_by_foreign_keys: u64,
    by_callbacks: u64,
}

// How many rows a report says were destroyed, deleted and cleared.
fn sums(report: &DestroyReport) -> (u64, u64, u64) {
    let sum = |of: fn(&assoc_repo::DestroyedModel) -> u64| report.models().iter().map(of).sum::<u64>();
    (sum(|model| model.destroyed), sum(|model| model.deleted), sum(|model| model.nullified))
}

// Destroys some rows of some model. The tables afterwards.
async fn destroy(
    repo: &Repo,
    schema: &Schema,
    world: &World,
    before: Tables,
    random: &mut Random,
    counts: &mut Counts,
) -> std::result::Result<Tables, String> {
    let said = |error: Error| format!("failed: {error}");
    let rows = |kind: &Kind| -> Vec<Handle> {
        let rows = before.rows(kind.def.table.name).filter(|(_, row)| is_of(kind.def, row));
        rows.map(|(row, _)| row).collect()
    };
    // Some are declared wrong, to be refused elsewhere.
    let is_sound = |kind: &Kind| kind.def.associations.iter().all(|association| association.linkage().is_ok());
    let is_judged = |kind: &Kind| !writes::JUDGED_BY_CASES.contains(&(world.name, kind.def.name));
    let has_rows =
        |kind: &&Kind| !kind.def.primary_key.is_empty() && is_sound(kind) && is_judged(kind) && !rows(kind).is_empty();
    let kinds: Vec<&Kind> = world.kinds.iter().filter(has_rows).collect();
    if kinds.is_empty() {
        return Ok(before);
    }
    // Models with something to say come up more often.
    let telling: Vec<&Kind> = kinds
        .iter()
        .copied()
        .filter(|kind| kind.def.associations.iter().any(|of| of.options.dependent.is_some()))
        .collect();
    let kind = if telling.is_empty() || random.once_in(4) { *random.pick(&kinds) } else { *random.pick(&telling) };
    let mut roots = rows(kind);
    random.shuffle(&mut roots);
    roots.truncate(1 + random.below(4) / 3);
    let keys = roots.iter().map(|root| {
        let row = before.row(*root);
        let own = kind.def.primary_key.iter().map(|at| &kind.def.columns[*at]);
        KeyTuple::new(own.map(|column| column.sql_type.as_key(row[column.name].clone()))).expect("a key")
    });
    let call = if random.once_in(3) { Call::Query } else { Call::Rows };
    let done = (kind.destroy)(repo, keys.collect(), call).await;
    let after = schema.read(repo).await.map_err(said)?;
    let wrong = |what: String| {
        let of: Vec<_> = roots.iter().map(|root| before.row(*root)).collect();
        let (before, after) = (before.settled(), after.settled());
        let changed: Vec<_> = before.iter().filter(|(table, rows)| after[*table] != **rows).collect();
        Err(format!(
            "destroying {of:?} of {}: {what}\nbefore: {before:#?}\nchanged: {changed:#?}\nafter: {after:#?}",
            kind.def.name
        ))
    };
    let Done { preview, ended } = match done {
        Ok(done) => done,
        Err(error) => return wrong(said(error)),
    };
    let unchanged = after.settled() == before.settled();
    let written = writes::before_destroy(&before, kind.def, &roots);
    match (judge(&written, kind.def, &roots), ended) {
        (Outcome::Restricted, Err(error)) if error.is_restricted() && unchanged => {
            if preview.is_some_and(|preview| !preview.is_refused()) {
                return wrong("the preview does not refuse".to_owned());
            }
            counts.restricted += 1;
        }
        (Outcome::Done(settled), Err(error)) if REFUSING.iter().any(|model| settled.models.contains(model)) => {
            if !unchanged || error.is_restricted() {
                return wrong(said(error));
            }
            counts.by_callbacks += 1;
        }
        (Outcome::Done(settled), Err(error))
            if unchanged && (schema.holds(&written, &settled.tables) || schema.holds(&written, &settled.unlinked)) =>
        {
            if !error.is_foreign_key_violation() {
                return wrong(format!("a foreign key should hold it: {error}"));
            }
            counts.held_by_foreign_keys += 1;
        }
        (Outcome::Done(settled), Ok(report)) => {
            let (expected, found) = (settled.tables.without_made_keys(), after.without_made_keys());
            if expected != found {
                let tables: Vec<_> = expected.iter().filter(|(table, rows)| found[*table] != **rows).collect();
                return wrong(format!("expected {tables:#?}"));
            }
            let counted = sums(&report);
            let Settled { destroyed, deleted, nullified, .. } = settled;
            // A preview runs no callbacks, which may write what decides.
            let is_previewed = |preview: &DestroyReport| match judge(&before, kind.def, &roots) {
                _ if written == before => *preview == report,
                Outcome::Done(Settled { destroyed, deleted, nullified, .. }) => {
                    sums(preview) == (destroyed, deleted, nullified)
                }
                Outcome::Restricted => false,
            };
            if counted != (destroyed, deleted, nullified) || !preview.as_ref().is_none_or(is_previewed) {
                return wrong(format!(
                    "reported {report}, in the preview {}, expected {destroyed}, {deleted}, {nullified}",
                    preview.map(|preview| preview.to_string()).unwrap_or_default()
                ));
            }
            counts.done += 1;
        }
        (Outcome::Restricted, other) => return wrong(format!("should be refused: {other:?}")),
        (Outcome::Done(_), Err(error)) => return wrong(said(error)),
    }
    Ok(after)
}

fn run(backend: &dyn Backend, cases: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (cases, first) = (number("ASSOC_PROPERTY_CASES", cases), number("ASSOC_PROPERTY_SEED", 1));
    let only = std::env::var("ASSOC_PROPERTY_WORLD").ok();
    let worlds: Vec<&World> =
        WORLDS.iter().filter(|world| only.as_ref().is_none_or(|only| only == world.name)).collect();
    let fills = cases.div_ceil(DESTROYS * 2 * worlds.len() as u64);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_925_000_000);
    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    // The first of each world, so that one run shows all that is wrong.
    let mut wrong: Vec<String> = Vec::new();
    for world in worlds {
        for foreign_keys in [false, true] {
            let database = runtime.block_on(backend.fresh()).unwrap();
            let repo = Repo::from_driver(Arc::clone(database.driver())).with_clock(move || now);
            let schema = Schema::of(world, foreign_keys, database.driver().dialect());
            let said = |seed: u64, what: String| {
                format!(
                    "ASSOC_PROPERTY_SEED={seed} ASSOC_PROPERTY_WORLD={}, foreign keys: {foreign_keys}\n{what}",
                    world.name
                )
            };
            if let Err(error) = runtime.block_on(schema.make(&repo)) {
                wrong.push(said(first, error.to_string()));
                continue;
            }
            for seed in first..first + fills {
                let mut random = Random::new(seed);
                let tables = schema.random_rows(&mut random);
                let work = async {
                    schema.fill(&repo, &tables).await.map_err(|error| format!("{error}\n{:#?}", tables.settled()))?;
                    let mut tables = schema.read(&repo).await.map_err(|error| error.to_string())?;
                    let counts = counts.entry(world.name).or_default();
                    for _ in 0..DESTROYS {
                        tables = destroy(&repo, &schema, world, tables, &mut random, counts).await?;
                    }
                    Ok::<(), String>(())
                };
                if let Err(what) = runtime.block_on(work) {
                    wrong.push(said(seed, what));
                    break;
                }
            }
        }
    }
    let sum = |of: fn(&Counts) -> u64| counts.values().map(of).sum::<u64>();
    let all =
        [sum(|of| of.done), sum(|of| of.restricted), sum(|of| of.held_by_foreign_keys), sum(|of| of.by_callbacks)];
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    println!("{}: {all:?} of {counts:?}", backend.name());
    assert!(
        only.is_some() || cases < 300 || all.iter().all(|count| *count > 0),
        "every outcome is among the cases: {all:?}"
    );
}

/// Every model of the suite is among those that are destroyed.
#[test]
fn all_models_are_here() {
    let folders = ["models", "written-models"].map(|folder| format!("{}/{folder}/src", env!("CARGO_MANIFEST_DIR")));
    for file in folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap()) {
        let path = file.unwrap().path();
        let fixture = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // The columns of the tracker are enums and typed documents, which random values are not.
        if ["lib", "tracker"].contains(&&*fixture) {
            continue;
        }
        let world = WORLDS.iter().find(|world| world.name == fixture).unwrap_or_else(|| panic!("{fixture} is missing"));
        let known: BTreeSet<&str> = world.kinds.iter().map(|kind| kind.def.name).collect();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut derived = false;
        for line in text.lines().map(str::trim) {
            derived |= line.starts_with("#[derive(Model");
            if let Some((_, rest)) = line.split_once("struct ").filter(|_| derived) {
                let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_' || *c == '$').collect();
                // A macro makes models of several names.
                assert!(name.starts_with('$') || known.contains(&*name), "{fixture}: {name} is missing");
                derived = false;
            }
        }
    }
}

mod sqlite {
    use super::*;

    #[test]
    fn random_rows_of_all_models() {
        run(&SqliteInMemory, 10_000);
    }
}

mod mariadb {
    use super::*;

    /// Fewer, because each takes its time there.
    #[test]
    fn random_rows_of_all_models() {
        run(&MariaDb, 700);
    }
}

mod postgres {
    use super::*;

    #[test]
    fn random_rows_of_all_models() {
        run(&PostgreSql, 2_000);
    }
}
