//! No case depends on an order that SQL does not promise, and no answer of the library does: SQLite, with the rows of every
//! statement without ORDER BY shuffled.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use assoc_core::Result;
use assoc_core::driver::BoxFuture;
use assoc_sqlite::Sqlite;
use conformance_tests::{Backend, Database, Outcome, Shuffled, all, execute, golden};
use rstest::rstest;

struct InMemory;

impl Backend for InMemory {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async { Ok(Database::new(Sqlite::memory()?)) })
    }
}

#[rstest]
fn rows_come_in_any_order(#[values(1, 2, 3)] seed: u64) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let backend = Shuffled::new(InMemory, seed);
    let mut failed = Vec::new();
    for case in all() {
        match runtime.block_on(execute(&backend, case)) {
            Ok(Outcome::Ran(transcript)) => {
                let golden = golden::behaviour(case.id).unwrap();
                if golden != transcript.behaviour.trim_end() {
                    println!("{}:\n{}", case.id, golden::difference(&golden, &transcript.behaviour));
                    failed.push(case.id);
                }
            }
            Ok(Outcome::Skipped(_)) => {}
            Err(error) => {
                println!("{}: {error}", case.id);
                failed.push(case.id);
            }
        }
    }
    assert!(failed.is_empty(), "these depend on an order that is not promised: {failed:#?}");
}
