//! Levels of transactions, counted from where a connection was handed out.
//!
//! Diesel numbers its savepoints itself and decides by its own count what a commit is. So every level goes through its
//! transaction manager. The core counts savepoints from 1 inside its transaction: its depth `n` is Diesel's depth
//! `base + 1 + n`, where `base` is what Diesel had when the transaction began.
//!
//! The database may end a transaction by itself, and a statement may be a COMMIT. Diesel notices neither. So after a failure,
//! and after a statement that is none of reading or writing rows, the database is asked.

use std::sync::Arc;

use assoc_core::driver::{ExecResult, IsolationLevel, Statement, TransactionMode};
use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, Result};
use assoc_dialects::Verb;

use crate::client::sealed::{Client, Standing};
use crate::errors;
use crate::learnt::Learnt;

const OVER: &str = "a statement in it has ended it (COMMIT or ROLLBACK as SQL, on MySQL also a change of the schema, which commits): what \
                    came before took effect with that COMMIT or was undone; end transactions with their handle";
const BEGUN: &str = "a statement has begun one (BEGIN or SAVEPOINT as SQL), which was rolled back, because its connection \
                     would not have stayed with it: use `repo.transaction` or `repo.begin`";

const ABORTED: &str = "a statement of it has failed, so it was rolled back and not committed";

/// The transaction that was begun through one handed-out connection.
#[derive(Debug)]
pub(crate) struct Levels {
    open: Option<Open>,
    learnt: Arc<Learnt>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    /// Diesel's depth before it.
    base: u32,
    ended: Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    No,
    ByStatement,
    ByDatabase(DriverErrorKind),
}

impl Ended {
    /// What has ended a transaction: the database, because a statement failed, or the statement.
    fn after<T>(done: &Result<T>, sql: &str) -> Self {
        let Err(error) = done else { return Ended::ByStatement };
        let kind = error.driver().map_or(DriverErrorKind::Other, DriverError::kind);
        match Verb::of(sql) {
            // A change of the schema commits before it fails.
            Verb::Other if kind != DriverErrorKind::Retryable => Ended::ByStatement,
            _ => Ended::ByDatabase(kind),
        }
    }
}

impl Levels {
    /// No transaction. What statements teach of the database is shared with other connections to it.
    pub(crate) fn new(learnt: &Arc<Learnt>) -> Self {
        Levels { open: None, learnt: Arc::clone(learnt) }
    }

    /// Runs a statement, and notices what it did to the transaction.
    pub(crate) fn run<T>(
        &mut self,
        client: &mut dyn Client,
        statement: &Statement,
        run: impl FnOnce(&mut dyn Client, &Learnt) -> Result<T>,
    ) -> Result<T> {
        self.check(statement.sql())?;
        let before = client.depth()?;
        let done = run(client, &self.learnt);
        if done.is_ok() && Verb::of(statement.sql()) != Verb::Other {
            return done;
        }
        let is_inside = match client.standing(statement.sql()) {
            Ok(standing) => standing != Standing::Outside,
            // The first error says more.
            Err(error) => return done.and(Err(error)),
        };
        match &mut self.open {
            Some(open) if !is_inside => open.ended = Ended::after(&done, statement.sql()),
            // The application began this transaction with Diesel, which still counts it.
            None if before > 0 && !is_inside => {
                client.note_over();
                if done.is_ok() {
                    return Err(ErrorKind::Transaction(OVER).into());
                }
            }
            None if before == 0 && is_inside => {
                client.undo_unknown()?;
                return done.and(Err(ErrorKind::Transaction(BEGUN).into()));
            }
            _ => {}
        }
        done
    }

    pub(crate) fn begin(
        &mut self,
        client: &mut dyn Client,
        mode: TransactionMode,
        level: Option<IsolationLevel>,
    ) -> Result<ExecResult> {
        if self.open.is_some() {
            return Err(errors::refused(DriverErrorKind::Statement, "there is a transaction already", "BEGIN"));
        }
        let base = client.depth()?;
        client.begin(mode, level)?;
        self.open = Some(Open { base, ended: Ended::No });
        Ok(ExecResult::default())
    }

    pub(crate) fn commit(&mut self, client: &mut dyn Client) -> Result<ExecResult> {
        let checked = self.check("COMMIT");
        let Some(open) = self.open.take() else { return Err(no_transaction("COMMIT")) };
        if let Err(error) = checked {
            leave(client, open.base);
            return Err(error);
        }
        if client.is_aborted() {
            undo_to(client, open.base)?;
            return Err(ErrorKind::Transaction(ABORTED).into());
        }
        while client.depth()? > open.base + 1 {
            client.keep()?;
        }
        let done = client.keep();
        // A deferred foreign key or a busy database leaves it open.
        if done.is_err() {
            // The first error says more.
            let _ = undo_to(client, open.base);
        }
        done.map(|()| ExecResult::default())
    }

    pub(crate) fn rollback(&mut self, client: &mut dyn Client) -> Result<ExecResult> {
        let Some(open) = self.open.take() else { return Ok(ExecResult::default()) };
        if open.ended == Ended::No {
            undo_to(client, open.base)?;
        } else {
            leave(client, open.base);
        }
        Ok(ExecResult::default())
    }

    pub(crate) fn savepoint(&mut self, client: &mut dyn Client, depth: u32) -> Result<ExecResult> {
        let base = self.base("SAVEPOINT")?;
        // What a call before left at this depth, because its future was dropped.
        undo_to(client, base + depth)?;
        client.begin(TransactionMode::Write, None)?;
        Ok(ExecResult::default())
    }

    pub(crate) fn release(&mut self, client: &mut dyn Client, depth: u32) -> Result<ExecResult> {
        let base = self.base("RELEASE")?;
        while client.depth()? > base + depth {
            client.keep()?;
        }
        Ok(ExecResult::default())
    }

    pub(crate) fn rollback_to(&mut self, client: &mut dyn Client, depth: u32) -> Result<ExecResult> {
        let base = self.base("ROLLBACK TO")?;
        undo_to(client, base + depth)?;
        Ok(ExecResult::default())
    }

    /// Fails where the transaction is over already: a statement meant for it must not run on its own.
    fn check(&self, sql: &str) -> Result<()> {
        match self.open.map(|open| open.ended) {
            Some(Ended::ByStatement) => Err(ErrorKind::Transaction(OVER).into()),
            Some(Ended::ByDatabase(DriverErrorKind::Retryable)) => {
                let message = "the database has rolled the transaction back because it was in conflict with another: run it again";
                Err(errors::refused(DriverErrorKind::Retryable, message, sql))
            }
            Some(Ended::ByDatabase(_)) => {
                let message = "the database has rolled the transaction back by itself: a statement was interrupted, or \
                               failed for want of disk or memory";
                Err(errors::refused(DriverErrorKind::Other, message, sql))
            }
            Some(Ended::No) | None => Ok(()),
        }
    }

    fn base(&self, sql: &str) -> Result<u32> {
        self.check(sql)?;
        self.open.map(|open| open.base).ok_or_else(|| no_transaction(sql))
    }
}

/// Leaves a transaction that the database has ended. The one that it was begun in, if there is one, has ended with it.
fn leave(client: &mut dyn Client, base: u32) {
    client.believe(base);
    client.note_over();
}

/// Undoes levels until Diesel counts no more than these.
pub(crate) fn undo_to(client: &mut dyn Client, depth: u32) -> Result<()> {
    loop {
        let open = client.depth()?;
        if open <= depth {
            return Ok(());
        }
        client.undo()?;
        if client.depth()? >= open {
            let message = "the transaction could not be rolled back";
            return Err(errors::refused(DriverErrorKind::ConnectionLost, message, "ROLLBACK"));
        }
    }
}

fn no_transaction(sql: &str) -> Error {
    errors::refused(DriverErrorKind::Statement, "there is no transaction", sql)
}
