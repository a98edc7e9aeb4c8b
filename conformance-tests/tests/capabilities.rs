//! Any subset of the capabilities of SQLite, and the suite is green: what is lacking is skipped by name, and refused by the
//! library with a typed error. The driver refuses what the dialect does not claim.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used)]

use backends::SqliteInMemory;
use behaviour::{Judged, judge};
use conformance_tests::{Capability, Without, all};

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
        run(&[capability], Some(part));
    }
}

#[test]
fn all_are_lacking() {
    run(&Capability::ALL, None);
}

#[test]
fn some_are_lacking() {
    for seed in 1..=10_u64 {
        let bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let some = Capability::ALL.into_iter().zip(0..).filter(|(_, at)| bits >> at & 1 == 1);
        run(&some.map(|(capability, _)| capability).collect::<Vec<_>>(), usize::try_from(seed).ok());
    }
}

fn run(lacking: &[Capability], part: Option<usize>) {
    let part = part.filter(|_| std::env::var_os("ASSOC_ALL_CASES").is_none());
    let cases = all().zip(0..).filter(|(_, at)| part.is_none_or(|part| (at + part) % PARTS == 0)).map(|(case, _)| case);
    let Judged { passed, skipped, failed } = judge(&Without::new(SqliteInMemory, lacking), cases);
    println!("without {lacking:?}: {passed} passed, {skipped} skipped");
    assert!(failed.is_empty(), "without {lacking:?} these fail: {failed:#?}");
    // What is lacking concerns a part of the cases.
    assert!(passed > skipped, "without {lacking:?} {skipped} are skipped");
}
