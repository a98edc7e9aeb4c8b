//! A backend with a planted fault: does the suite notice?

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};

use assoc_core::dialect::{NullOrder, PerOwnerLimit, RowLocks, Upsert};
use assoc_core::driver::{
    BoxFuture, Connection, Dialect, Driver, ExecResult, IsolationLevel, PoolStatus, RowSink, Statement, TransactionMode,
};
use assoc_core::{DriverError, DriverErrorKind, Error, Result};

use crate::altered_dialect::AlteredDialect;
use crate::backend::{Backend, Database};
use crate::wrapped::{Control, Interceptor, Wrapped};

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
    // Texts that have failed once.
    spoiled: Mutex<HashSet<String>>,
}

impl Faulty {
    fn new(driver: Arc<dyn Driver>, fault: Fault) -> Self {
        let mut capabilities = driver.dialect().capabilities().clone();
        match fault {
            Fault::ClaimsLateral => capabilities.per_owner_limit = PerOwnerLimit::Lateral,
            Fault::ClaimsAnyNumberOfBinds => capabilities.max_binds = 10_000_000,
            Fault::ClaimsRowLocks => capabilities.row_locks = RowLocks::Rows { skips: true },
            Fault::ClaimsAnotherUpsert => {
                capabilities.upsert = match capabilities.upsert {
                    Upsert::NamedIndex => Upsert::AnyIndex,
                    _ => Upsert::NamedIndex,
                }
            }
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
            spoiled: Mutex::default(),
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
            _ => false,
        };
        if refused { Err(DriverError::new(DriverErrorKind::Other, "it has failed before").into()) } else { Ok(()) }
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
            collected.deliver()
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
            (Fault::SwallowsErrorsOfBegin, Begin(..)) => Box::pin(async move {
                let _ = call.run(inner).await;
                Ok(())
            }),
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
