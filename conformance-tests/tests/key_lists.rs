//! SQLite by every form in which a client can send keys: rows and statement counts are the same. The SQL is another one.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::sync::Arc;

use assoc_core::Result;
use assoc_core::driver::{BoxFuture, Dialect};
use assoc_dialects::sqlite::{KeyLists, SqliteDialect};
use backends::SqliteInMemory;
use conformance_tests::{Backend, Database, Interceptor, Outcome, Wrapped, all, execute, golden};

// MariaDB and databases in files are not asked here.
#[allow(dead_code)]
mod backends;

#[test]
fn as_json() {
    judge(KeyLists::Json);
}

#[test]
fn as_binds() {
    judge(KeyLists::Padded);
}

struct With(KeyLists);

impl Backend for With {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn overlay(&self) -> Option<PathBuf> {
        Some(PathBuf::from("/nonexistent"))
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let database = SqliteInMemory.fresh().await?;
            let sent = Sent(SqliteDialect::default().with_key_lists(self.0));
            Ok(database.wrapped(move |driver| Arc::new(Wrapped::new(driver, sent))))
        })
    }
}

struct Sent(SqliteDialect);

impl Interceptor for Sent {
    fn dialect<'d>(&'d self, _: &'d dyn Dialect) -> &'d dyn Dialect {
        &self.0
    }
}

fn judge(key_lists: KeyLists) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let backend = With(key_lists);
    let (mut passed, mut failed) = (0, Vec::new());
    for case in all() {
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
            Ok(Outcome::Skipped(what)) => println!("skipped {}: no {what}", case.id),
            Err(error) => {
                println!("{}: {error}", case.id);
                failed.push(case.id);
            }
        }
    }
    assert!(failed.is_empty(), "with {key_lists:?} {passed} pass, and these fail: {failed:#?}");
}
