//! A backend with a planted fault: does the suite notice?

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use assoc_core::dialect::{KeyedWrite, NullOrder, NullPlacement, PerOwnerLimit, RowLocks, Upsert};
use assoc_core::driver::{
    Access, BoxFuture, Connection, Dialect, Driver, ExecResult, IndependentQuery, IsolationLevel, PoolStatus, RowSink,
    Statement, StatementWatch, TransactionMode,
};
use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, Result};

use crate::altered_dialect::AlteredDialect;
use conformance_harness::{Backend, Database};
use conformance_harness::{Control, Interceptor, Wrapped};

mod answer;
mod fault;
mod question;

pub use fault::Fault;

/// A backend with one fault.
pub struct Planted<B> {
    inner: B,
    fault: Fault,
}

impl<B: Backend> Planted<B> {
    /// The backend with a fault.
    #[must_use]
    pub fn new(inner: B, fault: Fault) -> Self {
        Planted { inner, fault }
    }
}

impl<B: Backend> Backend for Planted<B> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn version(&self) -> String {
        format!("{} that {}", self.inner.version(), self.fault.says())
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async {
            let fault = self.fault;
            Ok(self.inner.fresh().await?.wrapped(|driver| {
                let faulty = Faulty::new(Arc::clone(&driver), fault);
                Arc::new(Wrapped::new(driver, faulty))
            }))
        })
    }
}

// What is known of a transaction is known for all connections: the faults that ask are tried where one is used at a time.
struct Faulty {
    fault: Fault,
    dialect: AlteredDialect,
    in_transaction: AtomicBool,
    // A statement of the transaction has failed.
    failed: AtomicBool,
    // Its sink has failed, and one has panicked.
    sink_failed: AtomicBool,
    panicked: AtomicBool,
    // Texts that have failed once.
    spoiled: Mutex<HashSet<String>>,
    // The depths of savepoints that are set.
    savepoints: Mutex<HashSet<u32>>,
}

impl Faulty {
    fn new(driver: Arc<dyn Driver>, fault: Fault) -> Self {
        let mut capabilities = driver.dialect().capabilities().clone();
        match fault {
            Fault::ClaimsLateral => capabilities.per_owner_limit = PerOwnerLimit::Lateral,
            Fault::ClaimsAnyNumberOfBinds => capabilities.max_binds = 10_000_000,
            Fault::ClaimsRowLocks => capabilities.row_locks = RowLocks::Rows { skips: true, names_table: true },
            Fault::ClaimsAnotherUpsert => {
                capabilities.upsert = match capabilities.upsert {
                    Upsert::NamedIndex => Upsert::AnyIndex,
                    _ => Upsert::NamedIndex,
                }
            }
            Fault::ClaimsNullClauses => capabilities.null_placement = NullPlacement::Clause,
            Fault::ClaimsLongIdentifiers => capabilities.max_identifier = 1_000,
            Fault::ClaimsListedText => capabilities.listed_text = true,
            Fault::ClaimsToSortWholeValues => capabilities.sorted_length = None,
            Fault::ClaimsUpdateReturning => capabilities.update_returning = true,
            Fault::ClaimsSubselectsInWrites => capabilities.keyed_write = KeyedWrite::Subselect,
            Fault::ClaimsInsertsAsGiven => capabilities.inserts_as_given = true,
            Fault::ClaimsTheOtherNullOrder => {
                capabilities.null_order = match capabilities.null_order {
                    NullOrder::Smallest => NullOrder::Largest,
                    NullOrder::Largest => NullOrder::Smallest,
                }
            }
            _ => {}
        }
        Faulty {
            fault,
            dialect: AlteredDialect::new(driver, capabilities, Some(fault)),
            in_transaction: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            sink_failed: AtomicBool::new(false),
            panicked: AtomicBool::new(false),
            spoiled: Mutex::default(),
            savepoints: Mutex::default(),
        }
    }

    // An error as the faulty driver gives it.
    fn failed(&self, statement: &Statement, error: Error) -> Error {
        self.failed.store(true, Relaxed);
        self.spoiled.lock().unwrap_or_else(PoisonError::into_inner).insert(statement.sql().to_owned());
        answer::error(self.fault, error)
    }

    // What a driver refuses that went wrong before.
    fn refused(&self, statement: &Statement) -> Result<()> {
        let known = || self.spoiled.lock().unwrap_or_else(PoisonError::into_inner).contains(statement.sql());
        let refused = match self.fault {
            Fault::FailsATextThatFailedBefore => known(),
            Fault::IsUnusableAfterAnError => self.failed.load(Relaxed),
            Fault::IsUnusableAfterTheSinkFailed => self.sink_failed.load(Relaxed),
            _ => false,
        };
        if refused { Err(other("it has failed before")) } else { Ok(()) }
    }

    // Whether an error says that the transaction is over, in which the statement was to run.
    fn is_over(&self, error: &Error) -> bool {
        use DriverErrorKind::{ConnectionLost, Retryable};
        let of_driver = error.driver().is_some_and(|driver| matches!(driver.kind(), ConnectionLost | Retryable));
        self.in_transaction.load(Relaxed) && (of_driver || matches!(error.kind(), ErrorKind::Transaction(_)))
    }

    // Notes which savepoints are set. Whether the one to be undone is.
    fn follow_savepoints(&self, call: Control) -> bool {
        let mut set = self.savepoints.lock().unwrap_or_else(PoisonError::into_inner);
        match call {
            Control::Savepoint(depth) => set.insert(depth),
            Control::ReleaseSavepoint(depth) | Control::RollbackToSavepoint(depth) => set.remove(&depth),
            Control::Begin(..) | Control::Commit | Control::Rollback => {
                set.clear();
                true
            }
        }
    }
}

fn other(message: &str) -> Error {
    DriverError::new(DriverErrorKind::Other, message).into()
}

// Notes that a sink has panicked.
struct Watch<'f>(&'f AtomicBool);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.fetch_or(std::thread::panicking(), Relaxed);
    }
}

impl Interceptor for Faulty {
    fn dialect<'d>(&'d self, _: &'d dyn Dialect) -> &'d dyn Dialect {
        &self.dialect
    }

    fn query<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
        sink: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.refused(statement)?;
            let spoiled = question::statement(self.fault, statement);
            let mut collected = answer::Rows::new(self.fault, sink);
            if let Err(error) = inner.query(&spoiled, &mut collected).await {
                let error = self.failed(statement, error);
                return if self.fault == Fault::SwallowsErrorsOfQueries { Ok(()) } else { Err(error) };
            }
            let _watch = Watch(&self.panicked);
            let delivered = collected.deliver();
            self.sink_failed.fetch_or(delivered.is_err(), Relaxed);
            delivered
        })
    }

    fn query_together<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        queries: Vec<IndependentQuery<'a>>,
        watch: &'a mut dyn StatementWatch,
    ) -> BoxFuture<'a, Result<()>> {
        let (statements, mut sinks): (Vec<_>, Vec<_>) =
            queries.into_iter().map(|query| (query.statement, query.sink)).unzip();
        if self.fault == Fault::MixesUpSinks {
            sinks.reverse();
        }
        Box::pin(async move {
            let mut failed = None;
            for (at, (statement, sink)) in statements.into_iter().zip(sinks).enumerate() {
                let tells = self.fault != Fault::TellsNoWatch;
                let admitted = if tells { watch.begins(at) } else { Ok(()) };
                if self.fault != Fault::RunsWhatAWatchRefuses {
                    admitted?;
                }
                let result = self.query(&mut *inner, statement, sink).await;
                if tells {
                    watch.ended(at, &result);
                }
                match result {
                    Err(error) if self.fault == Fault::ReportsTheLastError => failed = Some(error),
                    result => result?,
                }
            }
            failed.map_or(Ok(()), Err)
        })
    }

    fn execute<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
    ) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move {
            self.refused(statement)?;
            let spoiled = question::statement(self.fault, statement);
            match inner.execute(&spoiled).await {
                Ok(executed) => Ok(answer::executed(self.fault, executed)),
                Err(error) if self.fault == Fault::GoesOnOutsideOfATransaction && self.is_over(&error) => {
                    inner.rollback().await?;
                    inner.execute(&spoiled).await
                }
                Err(error)
                    if self.fault == Fault::AllowsStatementsToBegin
                        && matches!(error.kind(), ErrorKind::Transaction(_)) =>
                {
                    Ok(ExecResult::default())
                }
                Err(error) => {
                    let error = self.failed(statement, error);
                    if self.fault == Fault::SwallowsErrorsOfStatements {
                        Ok(ExecResult::new(1, None))
                    } else {
                        Err(error)
                    }
                }
            }
        })
    }

    fn control<'a>(&'a self, inner: &'a mut dyn Connection, call: Control) -> BoxFuture<'a, Result<()>> {
        use Control::{Begin, Commit, ReleaseSavepoint, Rollback, RollbackToSavepoint, Savepoint};
        let failed = self.failed.load(Relaxed);
        let (was_inside, is_set) = (self.in_transaction.load(Relaxed), self.follow_savepoints(call));
        match call {
            Begin(..) => {
                self.in_transaction.store(true, Relaxed);
                self.failed.store(false, Relaxed);
            }
            Commit | Rollback => self.in_transaction.store(false, Relaxed),
            _ => {}
        }
        match (self.fault, call) {
            (Fault::IgnoresBegin, Begin(..) | Commit | Rollback)
            | (Fault::IgnoresBeginOfReaders, Begin(TransactionMode::Read, _))
            | (Fault::IgnoresCommit, Commit)
            | (Fault::IgnoresRollback, Rollback)
            | (Fault::IgnoresSavepoints, Savepoint(_) | ReleaseSavepoint(_) | RollbackToSavepoint(_))
            | (Fault::IgnoresRollbackToSavepoints, RollbackToSavepoint(_)) => Box::pin(async { Ok(()) }),
            (Fault::RefusesIsolation, Begin(_, Some(_))) => {
                Box::pin(async { Err(DriverError::new(DriverErrorKind::Statement, "no such level").into()) })
            }
            (Fault::CommitsAtAnotherBegin, Begin(..)) if was_inside => Box::pin(async move {
                inner.commit().await?;
                call.run(inner).await
            }),
            (Fault::BeginsSnapshotsAnew, Begin(TransactionMode::Read, None)) => {
                begin(inner, TransactionMode::Read, Some(IsolationLevel::ReadCommitted))
            }
            (Fault::IgnoresIsolation, Begin(mode, Some(_))) => begin(inner, mode, None),
            (Fault::FailsToRollBackTwice, Rollback) if !was_inside => {
                Box::pin(async { Err(other("there is no transaction")) })
            }
            (Fault::FailsForSavepointsThatAreGone, RollbackToSavepoint(_)) if !is_set => {
                Box::pin(async { Err(other("there is no such savepoint")) })
            }
            (Fault::BeginsReadersOnly, Begin(_, level)) => begin(inner, TransactionMode::Read, level),
            (Fault::BeginsWritersOnly, Begin(_, level)) => begin(inner, TransactionMode::Write, level),
            (Fault::RollsBackInsteadOfCommit, Commit) => inner.rollback(),
            (Fault::CommitsNothingAfterAnError, Commit) if failed => inner.rollback(),
            (Fault::CommitsInsteadOfRollback, Rollback) => inner.commit(),
            (Fault::SwallowsErrorsOfCommit, Commit) => Box::pin(async move {
                if inner.commit().await.is_err() {
                    let _ = inner.rollback().await;
                }
                Ok(())
            }),
            (Fault::SwallowsErrorsOfBegin, Begin(..)) | (Fault::SwallowsErrorsOfSavepoints, Savepoint(_)) => {
                Box::pin(async move {
                    let _ = call.run(inner).await;
                    Ok(())
                })
            }
            (Fault::KeepsWhatASavepointUndoes, RollbackToSavepoint(depth)) => inner.release_savepoint(depth),
            (Fault::UndoesWhatASavepointKeeps, ReleaseSavepoint(depth)) => inner.rollback_to_savepoint(depth),
            (Fault::UndoesAllWithASavepoint, RollbackToSavepoint(_)) => Box::pin(async move {
                inner.rollback().await?;
                inner.begin(TransactionMode::Write).await
            }),
            (Fault::ForgetsTheDepthOfSavepoints, Savepoint(depth)) if depth > 1 => Box::pin(async { Ok(()) }),
            (Fault::ForgetsTheDepthOfSavepoints, ReleaseSavepoint(depth)) if depth > 1 => Box::pin(async { Ok(()) }),
            (Fault::ForgetsTheDepthOfSavepoints, RollbackToSavepoint(_)) => inner.rollback_to_savepoint(1),
            (_, call) => {
                Box::pin(async move { call.run(inner).await.map_err(|error| answer::error(self.fault, error)) })
            }
        }
    }

    fn dropped(&self, mut inner: Box<dyn Connection>) {
        let was_inside = self.in_transaction.load(Relaxed);
        if self.fault == Fault::CommitsWhenDropped && was_inside && tokio::runtime::Handle::try_current().is_ok() {
            self.in_transaction.store(false, Relaxed);
            // The next caller waits for this connection.
            tokio::spawn(async move { inner.commit().await });
        }
    }

    fn acquire<'a>(&'a self, inner: &'a dyn Driver, access: Access) -> BoxFuture<'a, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            if self.fault == Fault::StaysLockedAfterAPanic && self.panicked.load(Relaxed) {
                return Err(other("a task has panicked with it"));
            }
            if self.fault != Fault::FailsWhenAllAreInUse {
                return inner.acquire(access).await;
            }
            let free = tokio::time::timeout(Duration::from_millis(50), inner.acquire(access)).await;
            free.unwrap_or_else(|_| Err(DriverError::new(DriverErrorKind::PoolTimeout, "all are in use").into()))
        })
    }

    fn acquired<'a>(&'a self, inner: &'a mut dyn Connection) -> BoxFuture<'a, Result<()>> {
        match self.fault {
            Fault::HandsOutAnOpenTransaction => inner.begin(TransactionMode::Write),
            _ => Box::pin(async { Ok(()) }),
        }
    }

    fn pool_status(&self, inner: Option<PoolStatus>) -> Option<PoolStatus> {
        match self.fault {
            Fault::KeepsAConnection => {
                inner.map(|status| PoolStatus::new(status.open + 1, status.idle, status.max + 1))
            }
            _ => inner,
        }
    }
}

fn begin(
    inner: &mut dyn Connection,
    mode: TransactionMode,
    level: Option<IsolationLevel>,
) -> BoxFuture<'_, Result<()>> {
    Control::Begin(mode, level).run(inner)
}
