//! Whatever breaks, and wherever: the tables are as before, the structs of the program are as before, the pool is whole, no
//! transaction stays open, and hooks tell what became of it. Each kind of [work](works::WORKS) breaks at each of its
//! calls, by errors and panics before and after them, in decoders, and by futures that are dropped.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use assoc_core::DriverErrorKind;
use assoc_repo::TransactionOptions;
use assoc_repo::prelude::*;
use backends::{MariaDb, PostgreSql, SqliteFile};
use called::Called;
use conformance_tests::{Backend, Database, Wrapped, dropped_at};
use counted::Counted;
use driver::{Fault, Faults};
use schema::{Reading, break_reading, mend_reading};
use tokio::runtime::Runtime;
use works::{Held, Setting, Work};

// Only some of it is of use here.
#[allow(dead_code)]
mod backends;
#[path = "faults/called.rs"]
mod called;
#[path = "faults/counted.rs"]
mod counted;
#[path = "faults/driver.rs"]
mod driver;
#[path = "faults/schema.rs"]
mod schema;
#[path = "faults/works.rs"]
mod works;

/// Where the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Alone,
    /// In a transaction, which fails with it.
    InTransaction,
    /// In a transaction, which goes on without it.
    Swallowed,
}

/// What became of a work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Committed,
    /// It failed, and the call has waited for that.
    Undone,
    /// It panicked, or was dropped.
    GivenUp,
}

/// How often the hooks of the transaction around the work ran.
#[derive(Debug, Clone, Default)]
struct Told {
    committed: Arc<AtomicUsize>,
    undone: Arc<AtomicUsize>,
}

impl Told {
    fn add_to(&self, tx: &Repo) -> Result<()> {
        let count = |count: &Arc<AtomicUsize>| {
            let count = Arc::clone(count);
            move || async move {
                count.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        };
        tx.after_commit(count(&self.committed))?;
        tx.after_rollback(count(&self.undone))
    }

    fn counts(&self) -> (usize, usize) {
        (self.committed.load(Ordering::Relaxed), self.undone.load(Ordering::Relaxed))
    }
}

/// A database with rows, and what holds at the beginning.
struct World<H> {
    runtime: Runtime,
    repo: Repo,
    faults: Faults,
    held: H,
    before: Vec<String>,
    shown: String,
    // Whether the work came to its end, whatever happened afterwards.
    done: AtomicBool,
    _database: Database,
}

impl<H: Setting> World<H> {
    fn new(backend: &dyn Backend) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = runtime.block_on(backend.fresh()).unwrap();
        let faults = Faults::default();
        let repo = Repo::new(Wrapped::new(Arc::clone(database.driver()), faults.clone()));
        let held = runtime.block_on(H::prepare(&repo)).unwrap();
        let before = runtime.block_on(H::dump(&repo)).unwrap();
        let (shown, done) = (held.shown(), AtomicBool::new(false));
        World { runtime, repo, faults, held, before, shown, done, _database: database }
    }

    async fn run(&self, work: &Work<H>, repo: &Repo) -> Result<()> {
        let result = (work.run)(repo, &self.held).await;
        self.done.store(result.is_ok(), Ordering::Relaxed);
        result
    }

    async fn work(&self, work: &Work<H>, place: Place, told: &Told) -> Result<()> {
        self.done.store(false, Ordering::Relaxed);
        match place {
            Place::Alone => self.run(work, &self.repo).await,
            Place::InTransaction => {
                self.repo
                    .transaction(async |tx| {
                        told.add_to(tx)?;
                        self.run(work, tx).await
                    })
                    .await
            }
            Place::Swallowed => {
                let mut failed = Ok(());
                let undone = self
                    .repo
                    .transaction(async |tx| {
                        told.add_to(tx)?;
                        failed = self.run(work, tx).await;
                        if failed.is_err() {
                            // Inside of the transaction it is undone as well, and the transaction can be used.
                            assert!(H::dump(tx).await? == self.before, "{failed:?} left something behind");
                        }
                        Err::<(), _>(Error::other("undone"))
                    })
                    .await;
                failed.and(undone)
            }
        }
    }

    fn check(&self, told: &str) {
        // What was lent to a call that succeeded follows it, and nothing tells it that the transaction around it failed.
        if self.done.load(Ordering::Relaxed) {
            self.held.restore();
        }
        assert_eq!(self.held.shown(), self.shown, "{told}: the struct");
        self.runtime.block_on(async {
            let deadline = std::time::Instant::now() + Duration::from_secs(10);
            // What was interrupted is given up in the background.
            while self.repo.pool_status().is_some_and(|pool| pool.open != pool.idle) {
                assert!(std::time::Instant::now() < deadline, "{told}: {:?}", self.repo.pool_status());
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(H::dump(&self.repo).await.unwrap(), self.before, "{told}: the tables");
            // The connection that writes is in no transaction, and can be used.
            let undone = self
                .repo
                .transaction(async |tx| {
                    assert_eq!(H::dump(tx).await?, self.before, "{told}: inside of a transaction");
                    tx.execute_raw(&format!("DELETE FROM {}", H::TABLE), []).await?;
                    Err::<(), _>(Error::other("undone"))
                })
                .await;
            assert_eq!(undone.unwrap_err().to_string(), "undone", "{told}");
        });
    }
}

fn quietly() {
    static QUIET: std::sync::Once = std::sync::Once::new();
    QUIET.call_once(|| {
        let shown = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if panic.payload().downcast_ref::<&str>() != Some(&"injected panic") {
                shown(panic);
            }
        }));
    });
}

/// Breaks the work at each place where it can be broken, until it comes to its end. Answers with the number of places.
fn break_everywhere<H: Setting>(
    backend: &dyn Backend,
    work: &Work<H>,
    place: Place,
    what: &str,
    arm: impl Fn(&Faults, usize),
    disarm: impl Fn(&Faults) -> bool,
) -> usize {
    quietly();
    let world = World::<H>::new(backend);
    for at in 0.. {
        let told = Told::default();
        let shown = format!("{} {place:?}, {what} at {at}", work.name);
        arm(&world.faults, at);
        let ended = catch_unwind(AssertUnwindSafe(|| world.runtime.block_on(world.work(work, place, &told))));
        let broke = disarm(&world.faults);
        let ending = match (&ended, broke) {
            (Ok(Ok(())), _) => Ending::Committed,
            (Ok(Err(_)), _) => Ending::Undone,
            (Err(_), _) => Ending::GivenUp,
        };
        let counts = told.counts();
        // The hooks of a transaction that was given up run before the next call.
        world.runtime.block_on(world.repo.run_left_hooks());
        world.held.check_told(&shown, ending);
        match (ended, broke) {
            (Ok(Ok(())), false) => {
                assert_eq!(counts, if place == Place::Alone { (0, 0) } else { (1, 0) }, "{shown}");
                assert_ne!(world.runtime.block_on(H::dump(&world.repo)).unwrap(), world.before, "{shown}");
                return at;
            }
            (Ok(Err(error)), false) if place == Place::Swallowed && error.to_string() == "undone" => return at,
            (Err(panic), true) => {
                assert_eq!(panic.downcast_ref::<&str>(), Some(&"injected panic"), "{shown}");
                // Nothing can be waited for.
                assert_eq!(counts, (0, 0), "{shown}");
            }
            (Ok(Err(error)), true) => {
                let is_rollback = place == Place::Swallowed && error.to_string() == "undone";
                let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                assert!(is_rollback || format!("{error} {source}").contains("injected failure"), "{shown}: {error}");
                // BEGIN is the first of the calls.
                let began = place != Place::Alone && (at > 0 || what.contains("reading"));
                assert_eq!(counts, if began { (0, 1) } else { (0, 0) }, "{shown}");
            }
            (Ok(Ok(())), true) => panic!("{shown}: it was not noticed"),
            (Ok(Err(error)), false) => panic!("{shown}: {error:?}"),
            (Err(panic), false) => std::panic::resume_unwind(panic),
        }
        world.check(&shown);
        assert!(at < 500, "{shown} never ends");
    }
    unreachable!()
}

fn calls<H: Setting>(backend: &dyn Backend, faults: &[Fault]) {
    let pairs = H::WORKS.iter().enumerate().flat_map(|work| faults.iter().enumerate().map(move |fault| (work, fault)));
    for ((at_work, work), (at_fault, &fault)) in pairs {
        let mut places = vec![Place::Alone, Place::InTransaction];
        // A transaction does not go on without its connection.
        if matches!(fault, Fault::FailsBefore(_) | Fault::FailsAfter(_)) {
            places.push(Place::Swallowed);
        }
        // A server takes its time. There each of many works meets each fault in one of the places, and SQLite in all of them.
        if backend.name() != "sqlite" && H::WORKS.len() > 4 {
            places = vec![places[(at_work + at_fault) % places.len()]];
        }
        for place in places {
            let what = format!("{fault:?}");
            let calls =
                break_everywhere(backend, work, place, &what, |faults, at| faults.arm(at, fault), Faults::disarm);
            assert!(calls >= work.calls, "{} makes {calls} calls only", work.name);
        }
    }
}

fn calls_fail<H: Setting>(backend: &dyn Backend) {
    calls::<H>(
        backend,
        &[
            Fault::FailsBefore(DriverErrorKind::Other),
            Fault::FailsAfter(DriverErrorKind::Other),
            Fault::LosesConnection,
        ],
    );
}

fn calls_panic<H: Setting>(backend: &dyn Backend) {
    calls::<H>(backend, &[Fault::PanicsBefore, Fault::PanicsAfter]);
}

fn rows_cannot_be_read<H: Setting>(backend: &dyn Backend) {
    for how in [Reading::Fails, Reading::Panics] {
        for work in H::WORKS.iter().filter(|work| work.reads) {
            for place in [Place::Alone, Place::InTransaction] {
                let what = format!("reading {how:?}");
                let arm = |_: &Faults, at| break_reading(at, how);
                let read = break_everywhere(backend, work, place, &what, arm, |_| mend_reading());
                assert!(read >= 4, "{} reads {read} values only", work.name);
            }
        }
    }
}

fn futures_are_dropped<H: Setting>(backend: &dyn Backend) {
    for (work, place) in H::WORKS.iter().flat_map(|work| [(work, Place::Alone), (work, Place::InTransaction)]) {
        let world = World::<H>::new(backend);
        let mut suspensions = 0;
        loop {
            let told = Told::default();
            let shown = format!("{} {place:?}, dropped at {suspensions}", work.name);
            world.faults.suspend();
            let ended = world.runtime.block_on(dropped_at(suspensions, world.work(work, place, &told)));
            let is_committing = world.faults.is_committing();
            world.faults.disarm();
            match ended {
                Some(ended) => {
                    ended.unwrap();
                    break;
                }
                // It may have taken effect, and then wholly.
                None if is_committing => {
                    let after = World::<H>::new(backend);
                    after.runtime.block_on(after.work(work, place, &told)).unwrap();
                    let rows = after.runtime.block_on(H::dump(&after.repo)).unwrap();
                    world.runtime.block_on(async {
                        // The server may still be about to commit: all tables are read as they are at one time.
                        let one_state = TransactionOptions::new().read_only();
                        let found = world.repo.transaction_with(one_state, async |tx| H::dump(tx).await).await.unwrap();
                        assert!(found == world.before || found.len() == rows.len(), "{shown}: {found:?}");
                    });
                    break;
                }
                None => {
                    assert_eq!(told.counts(), (0, 0), "{shown}");
                    world.runtime.block_on(world.repo.run_left_hooks());
                    world.held.check_told(&shown, Ending::GivenUp);
                    world.check(&shown);
                }
            }
            suspensions += 1;
            assert!(suspensions < 2_000, "{shown} never ends");
        }
        // Before and after each call but COMMIT.
        assert!(suspensions >= 2 * (work.calls - 1), "{} was suspended {suspensions} times only", work.name);
    }
}

macro_rules! faults {
    ($setting:ty, $backend:expr; $($name:ident)+) => {
        use super::super::*;

        $(#[test]
        fn $name() {
            super::super::$name::<$setting>(&$backend);
        })+
    };
}

mod sqlite {
    mod graphs {
        faults! { Held, SqliteFile; calls_fail calls_panic rows_cannot_be_read futures_are_dropped }
    }
    mod counters {
        faults! { Counted, SqliteFile; calls_fail calls_panic futures_are_dropped }
    }
    mod callbacks {
        faults! { Called, SqliteFile; calls_fail calls_panic futures_are_dropped }
    }
}

mod mariadb {
    mod graphs {
        faults! { Held, MariaDb; calls_fail calls_panic rows_cannot_be_read futures_are_dropped }
    }
    mod counters {
        faults! { Counted, MariaDb; calls_fail calls_panic futures_are_dropped }
    }
    mod callbacks {
        faults! { Called, MariaDb; calls_fail calls_panic futures_are_dropped }
    }
}

mod postgres {
    mod graphs {
        faults! { Held, PostgreSql; calls_fail calls_panic rows_cannot_be_read futures_are_dropped }
    }
    mod counters {
        faults! { Counted, PostgreSql; calls_fail calls_panic futures_are_dropped }
    }
    mod callbacks {
        faults! { Called, PostgreSql; calls_fail calls_panic futures_are_dropped }
    }
}
