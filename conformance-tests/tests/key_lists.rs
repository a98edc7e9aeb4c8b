//! SQLite by every form in which a client can send keys: rows and statement counts are the same. The SQL is another one.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use assoc_core::Result;
use assoc_core::driver::{BoxFuture, Dialect};
use assoc_dialects::sqlite::{KeyLists, SqliteDialect};
use backends::SqliteInMemory;
use behaviour::{Judged, judge};
use conformance_tests::{Backend, Database, Interceptor, Wrapped, all};

// MariaDB and databases in files are not asked here.
#[allow(dead_code)]
mod backends;
mod behaviour;

#[test]
fn as_json() {
    run(KeyLists::Json);
}

#[test]
fn as_binds() {
    run(KeyLists::Padded);
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

fn run(key_lists: KeyLists) {
    let Judged { passed, failed, .. } = judge(&With(key_lists), all());
    assert!(failed.is_empty(), "with {key_lists:?} {passed} pass, and these fail: {failed:#?}");
}
