//! Cases on a backend whose SQL is another one than the goldens': rows and statement counts are compared, and nothing else.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use assoc_core::Error;
use conformance_tests::{Backend, Case, Outcome, execute, golden};
use tokio::runtime::{Builder, Runtime};

/// What came of the cases.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) passed: usize,
    pub(crate) skipped: usize,
    pub(crate) failed: Vec<&'static str>,
}

/// Runs cases and compares what they do with the goldens. What differs is printed.
pub(crate) fn judge<'c>(backend: &dyn Backend, cases: impl IntoIterator<Item = &'c Case>) -> Judged {
    judge_on(&Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap(), backend, cases)
}

/// [`judge`], on a runtime.
pub(crate) fn judge_on<'c>(
    runtime: &Runtime,
    backend: &dyn Backend,
    cases: impl IntoIterator<Item = &'c Case>,
) -> Judged {
    let mut judged = Judged::default();
    for case in cases {
        let outcome = catch_unwind(AssertUnwindSafe(|| runtime.block_on(execute(backend, case))));
        match outcome.unwrap_or_else(|_| Err(Error::other("it panics"))) {
            Ok(Outcome::Ran(transcript)) => {
                let golden = golden::behaviour(case.id, transcript.nulls).unwrap();
                if golden == transcript.behaviour.trim_end() {
                    judged.passed += 1;
                } else {
                    println!("{}:\n{}", case.id, golden::difference(&golden, &transcript.behaviour));
                    judged.failed.push(case.id);
                }
            }
            Ok(Outcome::Skipped(what)) => {
                println!("skipped {}: no {what}", case.id);
                judged.skipped += 1;
            }
            Err(error) => {
                println!("{}: {error}", case.id);
                judged.failed.push(case.id);
            }
        }
    }
    judged
}
