//! A connection for the length of one request: one of the pool's, or the transaction's.
//!
//! Everything a request runs goes through here, so this is where statements are logged and counted, and where a
//! transaction that was dropped without an end is cleaned up before its connection is used again.

use std::sync::Arc;

use assoc_core::driver::{Connection, Driver, Executed, TransactionMode};
use assoc_core::{Dialect, Error, ErrorKind, Result, RowSink, Statement};
use tokio::sync::OwnedMutexGuard;

use crate::log::Timer;

/// The connection of an open transaction, shared by the handles of its nested ones.
pub(crate) struct TransactionState {
    connection: Option<Box<dyn Connection>>,
    // How deep the open savepoints go; 0 is the transaction itself.
    depth: u32,
    // The outermost level that was dropped without an end: it and everything inside it is to be undone.
    abandoned: Option<u32>,
}

impl TransactionState {
    pub(crate) fn new(connection: Box<dyn Connection>) -> Self {
        TransactionState { connection: Some(connection), depth: 0, abandoned: None }
    }

    /// The level of the innermost open savepoint.
    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    /// Notes that the handle of a level is gone without commit or rollback.
    pub(crate) fn abandon(&mut self, level: u32) {
        if level == 0 {
            // Dropping the connection inside a transaction rolls it back: the driver's contract.
            self.connection = None;
        } else if level <= self.depth {
            self.abandoned = Some(self.abandoned.map_or(level, |outer| outer.min(level)));
        }
    }

    async fn connection(&mut self) -> Result<&mut Box<dyn Connection>> {
        let ended = Error::from(ErrorKind::Transaction("it has ended already: use the repo it was begun on"));
        let Some(connection) = &mut self.connection else { return Err(ended) };
        if let Some(level) = self.abandoned {
            connection.rollback_to_savepoint(level).await?;
            self.abandoned = None;
            self.depth = level - 1;
        }
        Ok(connection)
    }

    /// Opens a savepoint and returns its level.
    pub(crate) async fn nest(&mut self) -> Result<u32> {
        let connection = self.connection().await?;
        // The borrow of the connection hides `depth`, which `connection` may just have changed.
        let _ = connection;
        let level = self.depth + 1;
        if let Some(connection) = &mut self.connection {
            connection.savepoint(level).await?;
        }
        self.depth = level;
        Ok(level)
    }

    /// Ends a level, keeping or undoing what was done in it.
    pub(crate) async fn end(&mut self, level: u32, keep: bool) -> Result<()> {
        self.connection().await?;
        if level != self.depth {
            return Err(ErrorKind::Transaction(
                "a transaction nested in it is still open: commit or drop that one first",
            )
            .into());
        }
        let Some(connection) = &mut self.connection else { return Ok(()) };
        match (level, keep) {
            (0, _) => {
                // Whatever happens, this connection is done: after a failed COMMIT there is nothing left to roll back.
                let mut connection = self.connection.take();
                if let Some(connection) = &mut connection {
                    if keep { connection.commit().await? } else { connection.rollback().await? }
                }
                return Ok(());
            }
            (level, true) => connection.release_savepoint(level).await?,
            (level, false) => connection.rollback_to_savepoint(level).await?,
        }
        self.depth = level - 1;
        Ok(())
    }
}

pub(crate) struct Session<'r> {
    driver: &'r Arc<dyn Driver>,
    source: Source,
}

enum Source {
    Own { connection: Box<dyn Connection>, in_transaction: bool },
    Transaction(OwnedMutexGuard<TransactionState>),
}

impl<'r> Session<'r> {
    pub(crate) fn own(driver: &'r Arc<dyn Driver>, connection: Box<dyn Connection>) -> Self {
        Session { driver, source: Source::Own { connection, in_transaction: false } }
    }

    pub(crate) fn in_transaction(driver: &'r Arc<dyn Driver>, state: OwnedMutexGuard<TransactionState>) -> Self {
        Session { driver, source: Source::Transaction(state) }
    }

    pub(crate) fn dialect(&self) -> &'r dyn Dialect {
        self.driver.dialect()
    }

    async fn connection(&mut self) -> Result<&mut Box<dyn Connection>> {
        match &mut self.source {
            Source::Own { connection, .. } => Ok(connection),
            Source::Transaction(state) => state.connection().await,
        }
    }

    pub(crate) async fn query(&mut self, statement: &Statement, sink: &mut dyn RowSink) -> Result<()> {
        let connection = self.connection().await?;
        let timer = Timer::start();
        let result = connection.query(statement, sink).await;
        timer.finish(statement, &result);
        result
    }

    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<Executed> {
        let connection = self.connection().await?;
        let timer = Timer::start();
        let result = connection.execute(statement).await;
        timer.finish(statement, &result);
        result
    }

    /// Makes everything until [`Session::finish`] one transaction; inside an open one, one savepoint.
    pub(crate) async fn begin(&mut self, mode: TransactionMode) -> Result<()> {
        match &mut self.source {
            Source::Own { connection, in_transaction } => {
                connection.begin(mode).await?;
                *in_transaction = true;
                Ok(())
            }
            Source::Transaction(state) if mode == TransactionMode::Write => state.nest().await.map(|_| ()),
            // Reading inside a transaction sees its snapshot as it is.
            Source::Transaction(_) => Ok(()),
        }
    }

    /// Ends what [`Session::begin`] started: commits on success, undoes on failure.
    pub(crate) async fn finish<T>(&mut self, mode: TransactionMode, result: Result<T>) -> Result<T> {
        let keep = result.is_ok();
        let ended = match &mut self.source {
            Source::Own { connection, in_transaction } if *in_transaction => {
                *in_transaction = false;
                if keep { connection.commit().await } else { connection.rollback().await }
            }
            Source::Transaction(state) if mode == TransactionMode::Write => {
                let level = state.depth();
                state.end(level, keep).await
            }
            _ => Ok(()),
        };
        // The first failure is the one to report; a connection that cannot roll back is thrown away by its driver.
        match (result, ended) {
            (Ok(value), Ok(())) => Ok(value),
            (Ok(_), Err(error)) | (Err(error), _) => Err(error),
        }
    }
}
