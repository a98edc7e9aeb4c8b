//! Records what goes through a wrapped driver, and fails statements on purpose.

use std::sync::{Arc, Mutex, PoisonError};

use assoc_core::driver::{
    BoxFuture, Connection, IndependentQuery, Statement, StatementKind, StatementRole, StatementWatch,
};
use assoc_core::{DriverError, DriverErrorKind, Result};

use crate::wrapped::{Control, Interceptor, Wrapped};

/// The statements that went through a [`Recorded`] driver.
#[derive(Debug, Clone, Default)]
pub struct Recorder(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    statements: Vec<RecordedStatement>,
    fail_after: Option<(usize, DriverErrorKind)>,
    fail_commit: Option<CommitFault>,
}

/// A statement that went through a [`Recorded`] driver.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedStatement {
    /// Its text.
    pub sql: String,
    /// The number of bound values.
    pub binds: usize,
    /// What it does.
    pub kind: StatementKind,
    /// Why it was sent.
    pub role: StatementRole,
}

/// How a COMMIT fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitFault {
    /// The transaction is undone, with an error of this class.
    Undone(DriverErrorKind),
    /// The connection breaks before the answer comes, and the transaction is undone.
    AmbiguousUndone,
    /// The connection breaks before the answer comes, and the transaction has taken effect.
    AmbiguousDone,
}

impl Recorder {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what was recorded so far.
    #[must_use]
    pub fn take(&self) -> Vec<RecordedStatement> {
        std::mem::take(&mut self.state().statements)
    }

    /// Lets this number of statements succeed and then fails one, as if the connection had broken.
    pub fn fail_after(&self, statements: usize) {
        self.fail_after_with(statements, DriverErrorKind::ConnectionLost);
    }

    /// Lets this number of statements succeed, and fails the next one with an error of a class.
    pub fn fail_after_with(&self, statements: usize, kind: DriverErrorKind) {
        self.state().fail_after = Some((statements, kind));
    }

    /// Fails no statement any more that was to fail; whether there was one.
    pub fn fail_no_more(&self) -> bool {
        self.state().fail_after.take().is_some()
    }

    /// Lets the next COMMIT of a transaction fail, as if the connection had broken before it was sent.
    pub fn fail_commit(&self) {
        self.fail_commit_with(CommitFault::Undone(DriverErrorKind::ConnectionLost));
    }

    /// Lets the next COMMIT of a transaction fail in a certain way.
    pub fn fail_commit_with(&self, fault: CommitFault) {
        self.state().fail_commit = Some(fault);
    }

    fn record(&self, statement: &Statement) -> Result<()> {
        // What an index consists of only some databases have to be asked, once they have refused a row.
        if statement.sql().contains("information_schema") {
            return Ok(());
        }
        let mut state = self.state();
        state.statements.push(RecordedStatement {
            sql: statement.sql().to_owned(),
            binds: statement.bound_values(),
            kind: statement.kind(),
            role: statement.role(),
        });
        // What only this database is sent is neither counted nor failed.
        if statement.role() != StatementRole::Requested {
            return Ok(());
        }
        match &mut state.fail_after {
            Some((0, kind)) => {
                let kind = *kind;
                state.fail_after = None;
                Err(DriverError::new(kind, "injected failure").into())
            }
            Some((left, _)) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// A driver whose statements are recorded.
pub type Recorded = Wrapped<Recorder>;

impl Interceptor for Recorder {
    fn admit(&self, statement: &Statement) -> Result<()> {
        self.record(statement)
    }

    fn query_together<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        queries: Vec<IndependentQuery<'a>>,
        watch: &'a mut dyn StatementWatch,
    ) -> BoxFuture<'a, Result<()>> {
        self.admitted_together(inner, queries, watch)
    }

    fn control<'a>(&'a self, inner: &'a mut dyn Connection, call: Control) -> BoxFuture<'a, Result<()>> {
        let fault = match call {
            Control::Commit => self.state().fail_commit.take(),
            _ => None,
        };
        let Some(fault) = fault else { return call.run(inner) };
        Box::pin(async move {
            let kind = match fault {
                CommitFault::Undone(kind) => kind,
                CommitFault::AmbiguousUndone | CommitFault::AmbiguousDone => DriverErrorKind::AmbiguousCommit,
            };
            match fault {
                CommitFault::AmbiguousDone => inner.commit().await?,
                CommitFault::Undone(_) | CommitFault::AmbiguousUndone => inner.rollback().await?,
            }
            Err(DriverError::new(kind, "injected failure").into())
        })
    }
}
