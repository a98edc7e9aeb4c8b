//! Random graphs of changes over every kind of association, against a model of the tables in memory: after each save the
//! tables hold what was said, what came back is what a fresh read gives, and what was refused left everything as it was.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of saves. A failure prints the seed of its
//! database: with that as the first seed, it is the first to be looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;
use std::sync::Arc;

use assoc_core::change::{Row, RowChange};
use assoc_core::driver::BoxFuture;
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use conformance_tests::Backend;
use judge::judge;
use random::{Random, number};
use speak::Speaker;
use tables::{MODELS, Structs, Tables, loader, make_tables, read, saver};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
#[path = "saves/compare.rs"]
mod compare;
#[path = "saves/judge.rs"]
mod judge;
mod random;
#[path = "saves/schema.rs"]
mod schema;
#[path = "saves/speak.rs"]
mod speak;
#[path = "saves/tables.rs"]
mod tables;

type Saver = for<'r> fn(&'r Repo, Vec<RowChange>) -> BoxFuture<'r, Result<Option<String>>>;
type Loader = for<'r> fn(&'r Repo, Row, Vec<String>) -> BoxFuture<'r, Result<Row>>;

/// How many saves a database sees.
const SAVES: u64 = 40;

#[derive(Debug, Default)]
struct Outcomes {
    saved: u64,
    refused: u64,
}

struct World {
    repo: Repo,
    tables: Tables,
    structs: Structs,
    labels: i64,
}

impl World {
    async fn changes(&mut self, random: &mut Random) -> Result<Vec<RowChange>> {
        let model = *random.pick(MODELS);
        let rows = self.structs.get(model.name).map_or(&[][..], Vec::as_slice);
        let existing = (!rows.is_empty() && !random.once_in(3)).then(|| Arc::clone(random.pick(rows)));
        let existing = match existing {
            Some(row) => {
                // What is loaded makes no difference to what is written.
                let mut paths = Vec::new();
                for association in model.associations {
                    if random.once_in(3) {
                        paths.push(association.name.to_owned());
                    }
                }
                Some(loader(model)(&self.repo, row, paths).await?)
            }
            None => None,
        };
        let mut speaker = Speaker {
            random,
            tables: &self.tables,
            structs: &self.structs,
            labels: &mut self.labels,
            spoken: HashSet::new(),
            shared: None,
        };
        Ok(match existing {
            Some(row) => {
                speaker.spoken.extend(self.tables.find(model, &*row));
                vec![speaker.changed(model, row, 3, &[])]
            }
            None => (0..1 + speaker.random.below(3)).map(|_| speaker.new_row(model, 3, &[])).collect(),
        })
    }

    async fn save(&mut self, random: &mut Random, outcomes: &mut Outcomes) -> std::result::Result<(), String> {
        let changes = self.changes(random).await.map_err(|error| format!("before the save: {error}"))?;
        let shown = |what: String| {
            let changes: Vec<String> = changes.iter().map(|change| format!("{change:#?}")).collect();
            format!("{what}\n{}\n{:#?}", changes.join("\n"), self.tables.settled(&self.tables))
        };
        let expected = judge(&self.tables, &changes);
        let saved = saver(changes[0].model())(&self.repo, changes.clone()).await;
        let (after, structs) = read(&self.repo).await.map_err(|error| shown(error.to_string()))?;
        let settled = after.settled(&after);
        match (expected, saved) {
            (Ok(expected), Ok(difference)) => {
                let expected = expected.settled(&after);
                for (table, rows) in &settled {
                    if rows != &expected[table] {
                        return Err(shown(format!("{table} holds {rows:#?}\nand not {:#?}", expected[table])));
                    }
                }
                if let Some(difference) = difference {
                    return Err(shown(difference));
                }
                outcomes.saved += 1;
            }
            (Err(_), Err(error)) if matches!(error.kind(), ErrorKind::Invalid { .. }) || error.is_not_found() => {
                if settled != self.tables.settled(&self.tables) {
                    return Err(shown(format!("refused, and written all the same: {error}")));
                }
                outcomes.refused += 1;
            }
            // Rows of a join model without a key cannot be read back where inserted rows are not returned.
            (_, Err(error))
                if !self.repo.dialect().capabilities().insert_returning
                    && error.to_string().contains("does not return inserted rows") =>
            {
                if settled != self.tables.settled(&self.tables) {
                    return Err(shown(format!("refused, and written all the same: {error}")));
                }
                outcomes.refused += 1;
            }
            (Err(why), Ok(_)) => return Err(shown(format!("should have been refused: {why}"))),
            (Err(why), Err(error)) => return Err(shown(format!("{error}\nwhere it should be refused: {why}"))),
            (Ok(_), Err(error)) => return Err(shown(error.to_string())),
        }
        (self.tables, self.structs) = (after, structs);
        Ok(())
    }
}

fn run(backend: &dyn Backend, cases: u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (cases, first) = (number("ASSOC_PROPERTY_CASES", cases), number("ASSOC_PROPERTY_SEED", 1));
    let mut outcomes = Outcomes::default();
    for seed in first..first + cases.div_ceil(SAVES) {
        let ended = runtime.block_on(async {
            let database = backend.fresh().await.map_err(|error| error.to_string())?;
            let repo = Repo::from_driver(Arc::clone(database.driver()));
            make_tables(&repo).await.map_err(|error| error.to_string())?;
            let (tables, structs) = read(&repo).await.map_err(|error| error.to_string())?;
            let mut world = World { repo, tables, structs, labels: 0 };
            let mut random = Random::new(seed);
            for _ in 0..SAVES.min(cases) {
                world.save(&mut random, &mut outcomes).await?;
            }
            Ok::<(), String>(())
        });
        if let Err(what) = ended {
            panic!("ASSOC_PROPERTY_SEED={seed}\n{what}");
        }
    }
    println!("{}: {outcomes:?}", backend.name());
    assert!(cases < 500 || outcomes.saved > cases / 3 && outcomes.refused > cases / 50, "{outcomes:?}");
}

mod sqlite {
    use super::*;

    #[test]
    fn random_saves() {
        run(&SqliteInMemory, 10_000);
    }
}

mod mariadb {
    use super::*;

    /// Fewer, because each database takes its time there.
    #[test]
    fn random_saves() {
        run(&MariaDb, 500);
    }
}

mod postgres {
    use super::*;

    /// Fewer, because each database takes its time there.
    #[test]
    fn random_saves() {
        run(&PostgreSql, 500);
    }
}
