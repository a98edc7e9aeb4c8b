//! Every way of writing, over keys of every type that a model can have: the tables and the returned structs are what was asked for,
//! on every backend. Keys are made by the database where it can, and by the program otherwise.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use assoc_core::dialect::Upsert;
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteFile};
use conformance_tests::Backend;

// Only some of them are of use here.
#[allow(dead_code)]
mod backends;
#[path = "written_keys/composite.rs"]
mod composite;
#[path = "written_keys/single.rs"]
mod single;

/// A repo whose clock goes on by a second each time that it is asked.
pub(crate) fn ticking(repo: &Repo) -> Repo {
    let ticks = Arc::new(AtomicI64::new(0));
    let now = move || {
        let seconds = ticks.fetch_add(1, Ordering::Relaxed).unsigned_abs();
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_925_000_000 + seconds)
    };
    repo.clone().with_clock(now)
}

/// Whether the backend has upserts that return rows; one that has none refused this one, and for no other reason.
pub(crate) fn upserts<T>(repo: &Repo, outcome: &Result<T>) -> bool {
    let capabilities = repo.dialect().capabilities();
    let has = capabilities.upsert != Upsert::Unsupported && capabilities.insert_returning;
    if !has {
        println!("skipped: upserts that return rows");
        let refused = outcome.as_ref().err().map(Error::kind);
        assert!(matches!(refused, Some(ErrorKind::Unsupported { .. })), "{refused:?}");
    }
    has
}

fn with_each_table<F: Future<Output = Result<()>>>(backend: &dyn Backend, name: &str, work: impl FnOnce(Repo) -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let database = runtime.block_on(backend.fresh()).unwrap();
    let repo = ticking(&Repo::from_driver(Arc::clone(database.driver())));
    if let Err(error) = runtime.block_on(work(repo)) {
        panic!("{}, {name}: {error:?}", backend.name());
    }
}

mod sqlite {
    use super::*;

    #[test]
    fn keys_of_one_column() {
        single::every_type(&SqliteFile);
    }

    #[test]
    fn keys_of_two_columns() {
        composite::every_type(&SqliteFile);
    }
}

mod mariadb {
    use super::*;

    #[test]
    fn keys_of_one_column() {
        single::every_type(&MariaDb);
    }

    #[test]
    fn keys_of_two_columns() {
        composite::every_type(&MariaDb);
    }
}

mod postgres {
    use super::*;

    #[test]
    fn keys_of_one_column() {
        single::every_type(&PostgreSql);
    }

    #[test]
    fn keys_of_two_columns() {
        composite::every_type(&PostgreSql);
    }
}
