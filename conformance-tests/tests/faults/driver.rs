//! A driver that breaks at the n-th of its calls, whatever that is: BEGIN, a statement, a savepoint, COMMIT.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assoc_core::driver::{BoxFuture, Connection, ExecResult, RowSink, Statement};
use assoc_core::{DriverError, DriverErrorKind, Result};
use conformance_tests::{Control, Interceptor};

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is not made, and fails.
    FailsBefore(DriverErrorKind),
    /// It is made, and fails all the same.
    FailsAfter(DriverErrorKind),
    /// It is not made, and fails, as do all that follow on the connection.
    LosesConnection,
    PanicsBefore,
    PanicsAfter,
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    at: Option<(usize, Fault)>,
    fired: bool,
    suspends: bool,
    committing: bool,
    // Until the connection is dropped.
    lost: bool,
}

/// Breaks calls of the connections of a driver.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<State>>);

impl Faults {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Breaks the call after this number of calls from now on.
    pub(crate) fn arm(&self, at: usize, fault: Fault) {
        *self.state() = State { at: Some((at, fault)), ..State::default() };
    }

    /// Suspends before and after each call, so that a future can be dropped there.
    pub(crate) fn suspend(&self) {
        *self.state() = State { suspends: true, ..State::default() };
    }

    /// Breaks nothing any more; whether something broke.
    pub(crate) fn disarm(&self) -> bool {
        std::mem::take(&mut *self.state()).fired
    }

    /// Whether a COMMIT was begun.
    pub(crate) fn is_committing(&self) -> bool {
        self.state().committing
    }

    // The fault of the next call.
    fn next(&self) -> Option<Fault> {
        let mut state = self.state();
        let call = state.calls;
        state.calls += 1;
        if state.lost {
            return Some(Fault::LosesConnection);
        }
        let (_, fault) = state.at.filter(|(at, _)| *at == call)?;
        state.fired = true;
        state.lost = fault == Fault::LosesConnection;
        Some(fault)
    }

    async fn before(&self, fault: Option<Fault>) -> Result<()> {
        match fault {
            Some(Fault::FailsBefore(kind)) => return Err(injected(kind)),
            Some(Fault::LosesConnection) => return Err(injected(DriverErrorKind::ConnectionLost)),
            Some(Fault::PanicsBefore) => std::panic::panic_any("injected panic"),
            _ => {}
        }
        self.pause().await;
        Ok(())
    }

    async fn after(&self, fault: Option<Fault>) -> Result<()> {
        match fault {
            Some(Fault::FailsAfter(kind)) => return Err(injected(kind)),
            Some(Fault::PanicsAfter) => std::panic::panic_any("injected panic"),
            _ => {}
        }
        self.pause().await;
        Ok(())
    }

    async fn pause(&self) {
        let suspends = self.state().suspends;
        if suspends {
            tokio::task::yield_now().await;
        }
    }
}

fn injected(kind: DriverErrorKind) -> assoc_core::Error {
    DriverError::new(kind, "injected failure").into()
}

impl Interceptor for Faults {
    fn query<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
        sink: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let fault = self.next();
            self.before(fault).await?;
            inner.query(statement, sink).await?;
            self.after(fault).await
        })
    }

    fn execute<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
    ) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move {
            let fault = self.next();
            self.before(fault).await?;
            let executed = inner.execute(statement).await?;
            self.after(fault).await?;
            Ok(executed)
        })
    }

    fn control<'a>(&'a self, inner: &'a mut dyn Connection, call: Control) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let mut fault = self.next();
            if matches!(call, Control::Commit | Control::ReleaseSavepoint(_)) {
                // What fails once it is kept is another matter: nothing is undone then.
                fault = match fault {
                    Some(Fault::FailsAfter(kind)) => Some(Fault::FailsBefore(kind)),
                    Some(Fault::PanicsAfter) => Some(Fault::PanicsBefore),
                    fault => fault,
                };
            }
            if let (Control::Commit, Some(Fault::FailsBefore(_))) = (call, fault) {
                inner.rollback().await?;
            }
            self.before(fault).await?;
            if matches!(call, Control::Commit) {
                self.state().committing = true;
            }
            call.run(inner).await?;
            self.after(fault).await
        })
    }

    fn dropped(&self, inner: Box<dyn Connection>) {
        drop(inner);
        self.state().lost = false;
    }
}
