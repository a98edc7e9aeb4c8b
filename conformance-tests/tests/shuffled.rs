//! No case depends on an order that SQL does not promise: the suite is green where each result without ORDER BY comes in
//! another order, and so is what the library makes of it.
//!
//! `ASSOC_SHUFFLE_SEED=7` tries another order than the fixed ones.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use backends::{MariaDb, PostgreSql, SqliteInMemory};
use behaviour::{Judged, judge};
use conformance_tests::{Backend, Shuffled, all};
use rstest::rstest;

// Databases in files are not asked here.
#[allow(dead_code)]
mod backends;
mod behaviour;

mod sqlite {
    use super::*;

    #[rstest]
    fn shuffled(#[values(1, 2, 3)] seed: u64) {
        run(SqliteInMemory, seed);
    }
}

mod mariadb {
    use super::*;

    #[rstest]
    fn shuffled(#[values(1)] seed: u64) {
        run(MariaDb, seed);
    }
}

mod postgres {
    use super::*;

    #[rstest]
    fn shuffled(#[values(1)] seed: u64) {
        run(PostgreSql, seed);
    }
}

fn run(backend: impl Backend, seed: u64) {
    let chosen = std::env::var("ASSOC_SHUFFLE_SEED").ok().map(|seed| seed.parse().unwrap());
    let seed = chosen.unwrap_or(seed);
    let backend = Shuffled::new(backend, seed);
    let Judged { passed, skipped, failed } = judge(&backend, all());
    println!("{} shuffled by {seed}: {passed} passed, {skipped} skipped", backend.name());
    assert!(failed.is_empty(), "shuffled by {seed}, these fail: {failed:#?}");
    assert!(passed > 10 * skipped, "{skipped} are skipped");
}
