//! The suite's own behaviour: backends that hang, panic, leak or cannot connect fail by the names of their cases, and the
//! other cases run.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use assoc_core::driver::{Access, BoxFuture, Connection, Dialect, Driver, PoolStatus};
use assoc_core::{DriverError, DriverErrorKind, Result};
use assoc_sqlite::Sqlite;
use conformance_tests::{Backend, Database, SqlCheck, Verdict, report};
use rstest::rstest;

/// What goes wrong with one of the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    HangsWhenOpened,
    BlocksWhenOpened,
    PanicsWhenOpened,
    IsUnavailable,
    HangsWhenAcquired,
    PanicsWhenAcquired,
    PanicsWhenRemoved,
    KeepsAConnection,
}

/// SQLite in memory; the database of this number has the fault. The first one is what the suite asks for capabilities.
struct Faulty {
    fault: Fault,
    at: usize,
    opened: AtomicUsize,
    overlay: Option<PathBuf>,
}

impl Faulty {
    fn new(fault: Fault, at: usize) -> Self {
        Faulty { fault, at, opened: AtomicUsize::new(0), overlay: None }
    }
}

impl Backend for Faulty {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn version(&self) -> String {
        "a faulty SQLite".to_owned()
    }

    fn overlay(&self) -> Option<PathBuf> {
        self.overlay.clone()
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        let fault = if self.opened.fetch_add(1, Relaxed) == self.at { self.fault } else { Fault::None };
        Box::pin(async move {
            match fault {
                Fault::HangsWhenOpened => std::future::pending::<()>().await,
                Fault::BlocksWhenOpened => std::thread::sleep(Duration::from_secs(3600)),
                Fault::PanicsWhenOpened => panic!("no database today"),
                Fault::IsUnavailable => {
                    return Err(DriverError::new(DriverErrorKind::Unavailable, "connection refused").into());
                }
                _ => {}
            }
            let database = Database::new(FaultyDriver(Arc::new(Sqlite::memory()?), fault));
            let removed = move || assert!(fault != Fault::PanicsWhenRemoved, "the folder is gone");
            Ok(database.on_drop(removed))
        })
    }
}

struct FaultyDriver(Arc<Sqlite>, Fault);

impl Driver for FaultyDriver {
    fn dialect(&self) -> &dyn Dialect {
        self.0.dialect()
    }

    fn acquire(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        match self.1 {
            Fault::HangsWhenAcquired => Box::pin(std::future::pending()),
            Fault::PanicsWhenAcquired => panic!("the pool is broken"),
            _ => self.0.acquire(access),
        }
    }

    fn pool_status(&self) -> Option<PoolStatus> {
        let keeps = usize::from(self.1 == Fault::KeepsAConnection);
        self.0.pool_status().map(|status| PoolStatus::new(status.open + keeps, status.idle, status.max + keeps))
    }
}

#[rstest]
#[case(Fault::HangsWhenOpened, "did not end within 5 s")]
#[case(Fault::BlocksWhenOpened, "did not end within 5 s")]
#[case(Fault::PanicsWhenOpened, "panicked: no database today")]
#[case(Fault::IsUnavailable, "connection refused")]
#[case(Fault::HangsWhenAcquired, "did not end within 5 s")]
#[case(Fault::PanicsWhenAcquired, "panicked: the pool is broken")]
#[case(Fault::PanicsWhenRemoved, "panicked: the folder is gone")]
#[case(Fault::KeepsAConnection, "1 connections are still out")]
fn one_bad_database_fails_one_case(#[case] fault: Fault, #[case] why: &str, #[values(0, 1, 3)] at: usize) {
    let card = report(Faulty::new(fault, at), "values.", Some(Duration::from_secs(5))).unwrap();
    let failed: Vec<_> = card.cases().iter().filter(|case| matches!(case.verdict, Verdict::Failed(_))).collect();
    // The first database is none of a case.
    if at == 0 {
        assert!(failed.is_empty(), "{failed:?}");
    } else {
        let [failed] = failed.as_slice() else { panic!("one case fails: {failed:?}") };
        let Verdict::Failed(said) = &failed.verdict else { unreachable!() };
        assert!(said.contains(why), "{said}");
        assert!(card.text().contains("1 failed"), "{}", card.text());
        assert!(card.markdown().contains(failed.id) && card.json().contains(failed.id));
    }
    assert!(card.totals(None).passed >= 5, "the others ran: {}", card.text());
}

#[test]
fn a_sound_backend_has_a_clean_card() {
    let card = report(Faulty::new(Fault::None, 0), "queries.", None).unwrap();
    let totals = card.totals(None);
    assert_eq!((totals.failed, totals.skipped), (0, 0), "{}", card.text());
    assert!(totals.passed > 10);
    assert!(card.cases().iter().all(|case| matches!(case.verdict, Verdict::Passed { sql: SqlCheck::Compared, .. })));
    let json: serde_json::Value = serde_json::from_str(&card.json()).unwrap();
    assert_eq!(json["backend"], "sqlite");
    assert_eq!(json["version"], "a faulty SQLite");
    assert_eq!(json["cases"].as_array().map(Vec::len), Some(totals.passed));
    assert!(card.markdown().contains("SQL compared in"));
    assert!(card.badge().contains("brightgreen"));
}

#[test]
fn a_backend_without_goldens_of_its_sql_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let backend = Faulty { overlay: Some(folder.path().join("goldens")), ..Faulty::new(Fault::None, 0) };
    let card = report(backend, "queries.get", None).unwrap();
    assert!(card.totals(None).passed > 0);
    assert!(card.cases().iter().all(|case| matches!(case.verdict, Verdict::Passed { sql: SqlCheck::None, .. })));
    assert!(card.text().contains("without a golden in"), "{}", card.text());
}
