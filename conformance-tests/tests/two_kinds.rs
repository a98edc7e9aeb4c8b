//! The cases of models in two databases, with databases of different kinds: each statement is in its own dialect, and
//! what comes of them is the same.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::atomic::{AtomicUsize, Ordering};

use assoc_core::Result;
use assoc_core::driver::BoxFuture;
use backends::{MariaDb, PostgreSql, SqliteFile};
use conformance_tests::{Backend, Database, Outcome, all, execute, golden};
use rstest::rstest;

mod backends;

/// Databases of two kinds in turn.
struct InTurn {
    kinds: [&'static dyn Backend; 2],
    next: AtomicUsize,
}

impl Backend for InTurn {
    fn name(&self) -> &'static str {
        "two kinds"
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        self.kinds[self.next.fetch_add(1, Ordering::Relaxed) % 2].fresh()
    }
}

mod mariadb {
    use super::*;

    #[rstest]
    #[case::beside_sqlite(&SqliteFile, &MariaDb)]
    #[case::before_sqlite(&MariaDb, &SqliteFile)]
    fn the_same_as_with_one_kind(#[case] home: &'static dyn Backend, #[case] other: &'static dyn Backend) {
        judge(home, other);
    }
}

mod postgres {
    use super::*;

    #[rstest]
    #[case::beside_sqlite(&SqliteFile, &PostgreSql)]
    #[case::before_sqlite(&PostgreSql, &SqliteFile)]
    fn the_same_as_with_one_kind(#[case] home: &'static dyn Backend, #[case] other: &'static dyn Backend) {
        judge(home, other);
    }
}

fn judge(home: &'static dyn Backend, other: &'static dyn Backend) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut count = 0;
    for case in all().filter(|case| case.two_databases) {
        let backend = InTurn { kinds: [home, other], next: AtomicUsize::new(0) };
        match runtime.block_on(execute(&backend, case)) {
            Ok(Outcome::Ran(transcript)) => {
                let expected = golden::behaviour(case.id, transcript.nulls).unwrap();
                assert_eq!(transcript.behaviour.trim_end(), expected.trim_end(), "{}", case.id);
                count += 1;
            }
            Ok(Outcome::Skipped(lacking)) => println!("skipped {}: no {lacking}", case.id),
            Err(error) => panic!("{}: {error}", case.id),
        }
    }
    assert!(count > 10, "{count} cases have two databases");
}
