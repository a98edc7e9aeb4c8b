//! No case depends on an order that SQL does not promise: the suite is green where each result without ORDER BY comes in
//! another order, and so is what the library makes of it.
//!
//! `ASSOC_SHUFFLE_SEED=7` tries another order than the fixed ones.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use assoc_core::Error;
use backends::{MariaDb, SqliteInMemory};
use conformance_tests::{Backend, Outcome, Shuffled, all, execute, golden};
use rstest::rstest;

// Databases in files are not asked here.
#[allow(dead_code)]
mod backends;

mod sqlite {
    use super::*;

    #[rstest]
    fn shuffled(#[values(1, 2, 3)] seed: u64) {
        judge(SqliteInMemory, seed);
    }
}

mod mariadb {
    use super::*;

    #[rstest]
    fn shuffled(#[values(1)] seed: u64) {
        judge(MariaDb, seed);
    }
}

fn judge(backend: impl Backend, seed: u64) {
    let chosen = std::env::var("ASSOC_SHUFFLE_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = chosen.unwrap_or(seed);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let backend = Shuffled::new(backend, seed);
    let mut failed = Vec::new();
    let (mut passed, mut skipped) = (0, 0);
    for case in all() {
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(execute(&backend, case))));
        match outcome.unwrap_or_else(|_| Err(Error::other("it panics"))) {
            Ok(Outcome::Ran(transcript)) => {
                let golden = golden::behaviour(case.id).unwrap();
                if golden == transcript.behaviour.trim_end() {
                    passed += 1;
                } else {
                    println!("{}:\n{}", case.id, golden::difference(&golden, &transcript.behaviour));
                    failed.push(case.id);
                }
            }
            Ok(Outcome::Skipped(what)) => {
                println!("skipped {}: no {what}", case.id);
                skipped += 1;
            }
            Err(error) => {
                println!("{}: {error}", case.id);
                failed.push(case.id);
            }
        }
    }
    println!("{} shuffled by {seed}: {passed} passed, {skipped} skipped", backend.name());
    assert!(failed.is_empty(), "shuffled by {seed}, these fail: {failed:#?}");
    assert!(passed > 10 * skipped, "{skipped} are skipped");
}
