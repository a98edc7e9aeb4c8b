//! Random rows and random queries of every kind of column: orders, pages, groups and what hangs on rows, compared with a
//! plain evaluation over all rows in memory.
//!
//! `ASSOC_PROPERTY_SEED` begins elsewhere, `ASSOC_PROPERTY_CASES` sets the number of databases. A failure prints the seed of
//! its database: with that as the first seed, it is the first to be looked at.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;

use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteInMemory};
use conformance_tests::Backend;
use random::{Random, number};
use world::World;

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
#[path = "random_queries/groups.rs"]
mod groups;
#[path = "random_queries/hung.rs"]
mod hung;
#[path = "random_queries/nodes.rs"]
mod nodes;
mod random;
#[path = "random_queries/rows.rs"]
mod rows;
#[path = "random_queries/schema.rs"]
mod schema;
#[path = "random_queries/terms.rs"]
mod terms;
#[path = "random_queries/world.rs"]
mod world;

/// Runs a property several times on each of some databases.
fn run(
    backend: &dyn Backend,
    databases: u64,
    property: impl AsyncFn(&mut World, &mut Random) -> Result<usize, String>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (databases, first) = (number("ASSOC_PROPERTY_CASES", databases), number("ASSOC_PROPERTY_SEED", 1));
    let mut compared = 0;
    for seed in first..first + databases {
        let mut random = Random::new(seed);
        let ended = runtime.block_on(async {
            let database = backend.fresh().await.map_err(|error| error.to_string())?;
            let repo = Repo::from_driver(Arc::clone(database.driver()));
            let mut world = World::new(&mut random, repo).await.map_err(|error| error.to_string())?;
            for _ in 0..10 {
                let done = property(&mut world, &mut random).await;
                compared += done.map_err(|what| format!("{what}\n{}", world.show()))?;
            }
            Ok::<(), String>(())
        });
        if let Err(what) = ended {
            panic!("ASSOC_PROPERTY_SEED={seed}\n{what}");
        }
    }
    println!("{}: {compared} comparisons", backend.name());
}

macro_rules! on_every_database {
    ($($test:ident: $property:path;)+) => {
        mod sqlite {
            use super::*;
            $(#[test]
            fn $test() {
                run(&SqliteInMemory, 200, $property);
            })+
        }

        mod mariadb {
            use super::*;
            $(/// Fewer, because each database takes its time there.
            #[test]
            fn $test() {
                run(&MariaDb, 10, $property);
            })+
        }

        mod postgres {
            use super::*;
            $(/// Fewer, because each database takes its time there.
            #[test]
            fn $test() {
                run(&PostgreSql, 10, $property);
            })+
        }
    };
}

on_every_database! {
    rows_and_pages: rows::rows;
    pages_with_what_hangs_on_rows: hung::hung;
    groups_and_aggregates: groups::groups;
    trees_with_aggregates: nodes::nodes;
}
