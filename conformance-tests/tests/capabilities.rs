//! Any subset of the capabilities of SQLite, and the suite is green: what is lacking is skipped by name, and refused by the
//! library with a typed error. The driver refuses what the dialect does not claim.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use backends::SqliteInMemory;
use conformance_tests::{Capability, Outcome, Without, all, execute, golden};

// MariaDB and databases in files are not asked here.
#[allow(dead_code)]
mod backends;

// Each run takes a part of the cases, another one each time: all of them with ASSOC_ALL_CASES. Every case runs without all
// capabilities.
const PARTS: usize = 8;

#[test]
fn one_is_lacking() {
    for (capability, part) in Capability::ALL.into_iter().zip(0..) {
        judge(&[capability], Some(part));
    }
}

#[test]
fn all_are_lacking() {
    judge(&Capability::ALL, None);
}

#[test]
fn some_are_lacking() {
    for seed in 1..=10_u64 {
        let bits = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let some = Capability::ALL.into_iter().zip(0..).filter(|(_, at)| bits >> at & 1 == 1);
        judge(&some.map(|(capability, _)| capability).collect::<Vec<_>>(), usize::try_from(seed).ok());
    }
}

fn judge(lacking: &[Capability], part: Option<usize>) {
    let part = part.filter(|_| std::env::var_os("ASSOC_ALL_CASES").is_none());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let backend = Without::new(SqliteInMemory, lacking);
    let mut failed = Vec::new();
    let (mut passed, mut skipped) = (0, 0);
    for (case, at) in all().zip(0..) {
        if part.is_some_and(|part| (at + part) % PARTS != 0) {
            continue;
        }
        match runtime.block_on(execute(&backend, case)) {
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
    println!("without {lacking:?}: {passed} passed, {skipped} skipped");
    assert!(failed.is_empty(), "without {lacking:?} these fail: {failed:#?}");
    // What is lacking concerns a part of the cases.
    assert!(passed > skipped, "without {lacking:?} {skipped} are skipped");
}
