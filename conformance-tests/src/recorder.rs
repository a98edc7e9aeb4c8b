//! A driver that records what goes through it: wrap any driver to see, count or fail its statements in tests.

use std::sync::{Arc, Mutex, PoisonError};

use assoc_core::driver::{Access, Connection, Driver, ExecResult, IsolationLevel, PoolStatus, TransactionMode};
use assoc_core::{BoxFuture, Dialect, DriverError, DriverErrorKind, Result, RowSink, Statement};

/// The statements that went through a [`Recorded`] driver.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    statements: Vec<(String, usize)>,
    fail_after: Option<usize>,
    fail_commit: bool,
}

impl Recorder {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was recorded so far: each statement's text and number of bound values.
    #[must_use]
    pub fn take(&self) -> Vec<(String, usize)> {
        std::mem::take(&mut self.state().statements)
    }

    /// Lets so many more statements succeed and then fails one, as if the connection had broken.
    pub fn fail_after(&self, statements: usize) {
        self.state().fail_after = Some(statements);
    }

    /// Lets the next COMMIT of a transaction fail, as if the connection had broken before it was sent.
    pub fn fail_commit(&self) {
        self.state().fail_commit = true;
    }

    fn record(&self, statement: &Statement) -> Result<()> {
        let mut state = self.state();
        state.statements.push((statement.sql().to_owned(), statement.bound_values()));
        match &mut state.fail_after {
            Some(0) => {
                state.fail_after = None;
                Err(DriverError::new(DriverErrorKind::ConnectionLost, "injected failure").into())
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// A driver whose statements are recorded.
pub struct Recorded {
    inner: Arc<dyn Driver>,
    recorder: Recorder,
}

impl Recorded {
    /// Records what goes through a driver.
    #[must_use]
    pub fn new(inner: Arc<dyn Driver>, recorder: Recorder) -> Self {
        Recorded { inner, recorder }
    }
}

impl Driver for Recorded {
    fn dialect(&self) -> &dyn Dialect {
        self.inner.dialect()
    }

    fn acquire(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let inner = self.inner.acquire(access).await?;
            Ok(Box::new(RecordedConnection { inner, recorder: self.recorder.clone() }) as Box<dyn Connection>)
        })
    }

    fn pool_status(&self) -> Option<PoolStatus> {
        self.inner.pool_status()
    }
}

struct RecordedConnection {
    inner: Box<dyn Connection>,
    recorder: Recorder,
}

impl Connection for RecordedConnection {
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
        match self.recorder.record(statement) {
            Ok(()) => self.inner.query(statement, sink),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        match self.recorder.record(statement) {
            Ok(()) => self.inner.execute(statement),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        self.inner.begin(mode)
    }

    fn begin_isolated(&mut self, mode: TransactionMode, level: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        self.inner.begin_isolated(mode, level)
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        if !std::mem::take(&mut self.recorder.state().fail_commit) {
            return self.inner.commit();
        }
        Box::pin(async move {
            self.inner.rollback().await?;
            Err(DriverError::new(DriverErrorKind::ConnectionLost, "injected failure").into())
        })
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.inner.rollback()
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.inner.savepoint(depth)
    }

    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.inner.release_savepoint(depth)
    }

    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.inner.rollback_to_savepoint(depth)
    }
}
