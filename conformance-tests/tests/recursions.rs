//! Recursions of rows at random, in trees and in circles: what is loaded is what the rows say, whether one statement reads all
//! levels or each is one.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of cases. A failure prints its seed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::cmp::Reverse;

use assoc_core::dialect::{Dialect, Recursions};
use assoc_dialects::sqlite::SqliteDialect;
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use conformance_models::folders::{self, Document, Folder, folder};
use conformance_tests::{Backend, Without};
use random::{Random, number};

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
mod random;

/// A folder that is stored.
#[derive(Debug, Clone)]
struct Stored {
    id: i32,
    parent: Option<i32>,
    name: &'static str,
    hidden: bool,
    has_document: bool,
}

/// What is loaded.
#[derive(Debug, Clone)]
struct Shape {
    levels: usize,
    up: bool,
    documents: bool,
    condition: usize,
    roots: Vec<i32>,
}

impl Stored {
    fn random(random: &mut Random, count: i32) -> Vec<Stored> {
        let one = |id| Stored {
            id,
            // Some lead nowhere, some into circles.
            parent: (!random.once_in(4)).then(|| 1 + random.below(count as usize + 1) as i32),
            name: random.pick::<&'static str>(&["a", "b", "c"]),
            hidden: random.once_in(8),
            has_document: random.once_in(2),
        };
        (1..=count).map(one).collect()
    }
}

impl Shape {
    fn random(random: &mut Random, count: i32) -> Shape {
        Shape {
            levels: 1 + random.below(12),
            up: random.once_in(3),
            documents: random.once_in(2),
            condition: random.below(4),
            roots: (1..=count).filter(|_| random.once_in(3)).collect(),
        }
    }

    fn request(&self) -> Preload<Folder, Folder> {
        let preload = if self.up { Folder::PARENT.preload() } else { Folder::FOLDERS.preload() };
        let preload = match self.condition {
            0 => preload,
            1 => preload.filter(Folder::NAME.ne("b")),
            2 => preload.filter(Folder::DOCUMENTS.any(Document::ID.gt(0))),
            _ => preload.filter(Filter::raw("name <> ?", [Value::from("c")])),
        };
        let preload = if self.documents { preload.with(Folder::DOCUMENTS) } else { preload };
        preload.recursive(self.levels)
    }

    fn roots(&self) -> Select<Folder> {
        Query::filter(Folder::ID.is_in(self.roots.clone())).order_by(Folder::ID.asc())
    }

    /// What all roots are expected to hold.
    fn expected_of(&self, all: &[Stored]) -> Vec<String> {
        let roots = all.iter().filter(|stored| self.roots.contains(&stored.id) && !stored.hidden);
        roots.map(|stored| self.expected(all, stored, 0, false)).collect()
    }

    fn found_in(&self, rows: &[Folder]) -> Vec<String> {
        rows.iter().map(|row| found(row, self.up)).collect()
    }

    fn has(&self, folder: &Stored) -> bool {
        let holds = match self.condition {
            0 => true,
            1 => folder.name != "b",
            2 => folder.has_document,
            _ => folder.name != "c",
        };
        holds && !folder.hidden
    }

    /// What a folder is expected to hold.
    fn expected(&self, all: &[Stored], folder: &Stored, level: usize, documents: bool) -> String {
        let inner = if level == self.levels {
            "…".to_owned()
        } else {
            let mut next: Vec<&Stored> = all
                .iter()
                .filter(|other| match self.up {
                    true => folder.parent == Some(other.id),
                    false => other.parent == Some(folder.id),
                })
                .filter(|other| self.has(other))
                .collect();
            next.sort_by_key(|other| (Reverse(other.name), other.id));
            next.iter().map(|other| self.expected(all, other, level + 1, self.documents)).collect()
        };
        let own = if documents { usize::from(folder.has_document).to_string() } else { "?".to_owned() };
        format!("{}:{own}({inner})", folder.id)
    }
}

fn found(folder: &Folder, up: bool) -> String {
    let inner = match up {
        true => match folder.parent.loaded() {
            None => "…".to_owned(),
            Some(parent) => parent.map_or(String::new(), |parent| found(parent, up)),
        },
        false => match folder.folders.loaded() {
            None => "…".to_owned(),
            Some(folders) => folders.iter().map(|folder| found(folder, up)).collect(),
        },
    };
    let own = folder.documents.loaded().map_or("?".to_owned(), |documents| documents.len().to_string());
    format!("{}:{own}({inner})", folder.id)
}

async fn load(repo: &Repo, seed: u64) -> Result<()> {
    let mut random = Random::new(seed);
    folders::tables(repo).await?;
    let count = 1 + random.below(14) as i32;
    let all = Stored::random(&mut random, count);
    repo.insert_all(
        all.iter().map(|stored| folder(stored.id, stored.parent, stored.name).set(Folder::HIDDEN, stored.hidden)),
    )
    .await?;
    let documents = all.iter().filter(|stored| stored.has_document).map(|stored| {
        let draft = Document::build().set(Document::ID, i64::from(stored.id));
        draft.set(Document::FOLDER_ID, stored.id).set(Document::TITLE, "a document")
    });
    repo.insert_all(documents).await?;
    for _ in 0..12 {
        let shape = Shape::random(&mut random, count);
        let mut rows = repo.all(shape.roots().preload(shape.request())).await?;
        assert_eq!(shape.found_in(&rows), shape.expected_of(&all), "seed {seed}: {shape:?} of {all:?}");
        // Some rows have some levels already, and others none.
        let bare = repo.all(shape.roots()).await?;
        for (row, bare) in rows.iter_mut().zip(bare) {
            if random.once_in(2) {
                *row = bare;
            }
        }
        let deeper = Shape { levels: shape.levels + 1 + random.below(4), ..shape };
        repo.preload(&mut rows, deeper.request()).await?;
        assert_eq!(deeper.found_in(&rows), deeper.expected_of(&all), "seed {seed}: in memory, {deeper:?} of {all:?}");
    }
    Ok(())
}

fn run(backend: &impl Backend, cases: u64) {
    let (seed, cases) = (number("ASSOC_PROPERTY_SEED", 1), number("ASSOC_PROPERTY_CASES", cases));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for seed in seed..seed + cases {
            let database = backend.fresh().await.unwrap();
            let repo = Repo::from_driver(std::sync::Arc::clone(database.driver()));
            load(&repo, seed).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        }
    });
}

#[test]
fn level_by_level() {
    run(&SqliteInMemory, 150);
}

#[test]
fn at_once() {
    run(&sqlite_at_once(), 150);
}

fn sqlite_at_once() -> Without<SqliteInMemory> {
    let mut capabilities = SqliteDialect::default().capabilities().clone();
    capabilities.recursions = Recursions::AtOnce;
    Without::with(SqliteInMemory, capabilities)
}

/// What one statement would read in vain, and what it cannot say, is read level by level.
#[test]
fn plans() {
    let all = |preload: Preload<Folder, Folder>| Query::preload(preload);
    let whole = || Folder::FOLDERS.recursive(usize::MAX);
    let read_at_once = [
        all(whole()),
        all(Folder::PARENT.recursive(3)),
        all(Folder::FOLDERS.with((Folder::DOCUMENTS, whole()))),
        Query::preload((whole(), Folder::PARENT.recursive(5))),
        all(Folder::LAST_FOLDER.with(whole())),
        all(Folder::FOLDERS.with(Folder::FOLDERS.with(Folder::FOLDERS))),
    ];
    let level_by_level = [
        all(Folder::FOLDERS.recursive(2)),
        all(Folder::FOLDERS.limit(3).recursive(usize::MAX)),
        // The last folder alone goes on.
        all(Folder::LAST_FOLDER.recursive(5)),
        // `folders` of the last folder and of each folder are one statement: below the former nothing is wanted.
        Query::preload((Folder::LAST_FOLDER.with(Folder::FOLDERS), Folder::FOLDERS.recursive(3))),
        all(Folder::FOLDERS.with(Folder::PARENT.with(Folder::FOLDERS.with(Folder::PARENT)))),
    ];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(sqlite_at_once().fresh()).unwrap();
    let repo = Repo::from_driver(std::sync::Arc::clone(database.driver()));
    for query in read_at_once {
        let plan = query.explain(&repo).unwrap();
        assert!(plan.contains("WITH RECURSIVE") && plan.contains("no statement: ["), "{plan}");
    }
    for query in level_by_level {
        let plan = query.explain(&repo).unwrap();
        assert!(!plan.contains("WITH RECURSIVE") && !plan.contains("no statement: ["), "{plan}");
    }
    let plan = all(Folder::FOLDERS.with(Folder::DOCUMENTS).recursive(5)).explain(&repo).unwrap();
    let turns = "3 statements, 3 deep";
    assert!(plan.contains("WITH RECURSIVE") && !plan.contains("deep:"), "as many turns as statements, {turns}: {plan}");
    drop(repo);
    runtime.block_on(async { drop(database) });
}

mod mariadb {
    use super::*;

    #[test]
    fn at_once() {
        run(&MariaDb, 15);
    }
}

mod postgres {
    use super::*;

    #[test]
    fn at_once() {
        run(&PostgreSql, 15);
    }
}
