//! Any subset of the capabilities of SQLite, and of PostgreSQL without one, and the suite is green: what is lacking is skipped by name, and refused by the
//! library with a typed error. The driver refuses what the dialect does not claim.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used)]

use assoc_core::dialect::{Dialect, KeyRanges, Recursions};
use assoc_dialects::sqlite::SqliteDialect;
use backends::{PostgreSql, SqliteInMemory};
use behaviour::{Judged, judge};
use conformance_tests::{Backend, Capability, Case, Without, all};

// MariaDB and databases in files are not asked here.
#[allow(dead_code)]
mod backends;
mod behaviour;

// Each run takes a part of the cases, another one each time: all of them with ASSOC_ALL_CASES. Every case runs without all
// capabilities.
const PARTS: usize = 8;

#[test]
fn one_is_lacking() {
    for (capability, part) in Capability::ALL.into_iter().zip(0..) {
        run(SqliteInMemory, &[capability], Some(part));
    }
}

#[test]
fn all_are_lacking() {
    run(SqliteInMemory, &Capability::ALL, None);
}

#[test]
fn some_are_lacking() {
    for seed in 1..=10_u64 {
        let bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let some = Capability::ALL.into_iter().zip(0..).filter(|(_, at)| bits >> at & 1 == 1);
        let some: Vec<Capability> = some.map(|(capability, _)| capability).collect();
        run(SqliteInMemory, &some, usize::try_from(seed).ok());
    }
}

/// Look-ups ask for all keys between the first and the last, whatever is missing, and leave the rows of the others out.
#[test]
fn ranges_with_any_gaps() {
    let mut capabilities = SqliteDialect::default().capabilities().clone();
    capabilities.key_ranges = Some(KeyRanges { from: 2, gaps_percent: 100_000 });
    judged(&Without::with(SqliteInMemory, capabilities), all(), "with ranges of keys");
}

/// The levels of a recursion are one statement, which the database takes and does not need.
#[test]
fn recursions_at_once() {
    let mut capabilities = SqliteDialect::default().capabilities().clone();
    capabilities.recursions = Recursions::AtOnce;
    judged(&Without::with(SqliteInMemory, capabilities), all(), "with recursions at once");
}

mod postgres {
    use super::*;

    /// Without `RETURNING` the driver does not know the key of a row that was inserted. Without ascending keys rows may be
    /// inserted a second time, one by one, and the sequence does not go back: the keys are not those of the goldens. How many binds a statement
    /// has says nothing here about how many keys it takes: they are one bind.
    const NOT_TRIED: [Capability; 3] = [Capability::InsertReturning, Capability::AscendingKeys, Capability::ManyBinds];

    #[test]
    fn one_is_lacking() {
        let others = Capability::ALL.into_iter().filter(|capability| !NOT_TRIED.contains(capability));
        for (capability, part) in others.zip(0..) {
            run(PostgreSql, &[capability], Some(part));
        }
    }
}

fn run(backend: impl Backend, lacking: &[Capability], part: Option<usize>) {
    let part = part.filter(|_| std::env::var_os("ASSOC_ALL_CASES").is_none());
    // A database of a server takes its time.
    let parts = if backend.name() == "sqlite" { PARTS } else { 4 * PARTS };
    let cases = all().zip(0..).filter(|(_, at)| part.is_none_or(|part| (at + part) % parts == 0)).map(|(case, _)| case);
    judged(&Without::new(backend, lacking), cases, &format!("without {lacking:?}"));
}

fn judged<'c>(backend: &impl Backend, cases: impl IntoIterator<Item = &'c Case>, how: &str) {
    let Judged { passed, skipped, failed } = judge(backend, cases);
    println!("{how}: {passed} passed, {skipped} skipped");
    assert!(failed.is_empty(), "{how} these fail: {failed:#?}");
    // What is lacking concerns a part of the cases.
    assert!(passed > skipped, "{how} {skipped} are skipped");
}
