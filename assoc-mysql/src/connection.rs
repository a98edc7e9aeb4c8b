//! A connection as the core sees it: transactions, replacement of dead sessions, and a clean return to the pool.
//!
//! What state a connection is in is recorded before anything is sent and corrected when the answer is there. So a
//! future that is dropped half-way, or a sink that panics, leaves it marked as busy, and a busy connection never goes
//! back to the pool.

use std::sync::Arc;
use std::time::Duration;

use assoc_core::driver::{BoxFuture, Connection, Executed, RowSink, TransactionMode};
use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, Result, Statement};
use mysql_async::Error as MyError;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::error::{is_lost, of_commit, of_statement};
use crate::pool::{Acquired, Pool};
use crate::session::{Failure, Session, only_reads};

/// How long a rollback in the background may take before the connection is closed instead.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(10);

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// The server has rolled it back by itself, and whoever began it has not ended it yet. Statements are refused until
    /// then: they would take effect one by one.
    Undone(DriverErrorKind),
}

/// A connection to MySQL or MariaDB, from [`MySql`](crate::MySql)'s pool.
#[derive(Debug)]
pub(crate) struct MySqlConnection {
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
    /// `None` when it was lost.
    session: Option<Session>,
    /// It came from the pool and has not answered yet: it may be dead without anybody's fault.
    untried: bool,
    transaction: Transaction,
    /// Something was sent and its answer has not been read to the end.
    busy: bool,
}

impl MySqlConnection {
    pub(crate) fn new(pool: Arc<Pool>, acquired: Acquired) -> Self {
        let Acquired { session, permit, pooled } = acquired;
        MySqlConnection {
            pool,
            permit: Some(permit),
            session: Some(session),
            untried: pooled,
            transaction: Transaction::None,
            busy: false,
        }
    }

    /// The session, connecting anew if the last one was lost outside a transaction.
    async fn session(&mut self) -> Result<&mut Session> {
        if self.busy {
            // A cancelled statement: what comes over this connection is its answer.
            self.lose();
            self.busy = false;
        }
        if let Transaction::Undone(kind) = self.transaction {
            let message = if kind == DriverErrorKind::ConnectionLost {
                "the connection was lost earlier in this transaction, which is thereby rolled back"
            } else {
                "the server has rolled this transaction back because it was in conflict with another: run it again"
            };
            return Err(DriverError::new(kind, message).into());
        }
        if self.session.is_none() {
            self.session = Some(self.pool.reconnect().await?);
            self.untried = false;
        }
        self.session.as_mut().ok_or_else(|| Error::from(ErrorKind::Transaction("the connection is gone")))
    }

    fn lose(&mut self) {
        if let Some(session) = self.session.take() {
            session.abandon();
        }
        self.undo(DriverErrorKind::ConnectionLost);
    }

    fn undo(&mut self, why: DriverErrorKind) {
        if self.transaction == Transaction::Open {
            self.transaction = Transaction::Undone(why);
        }
    }

    /// Whether a failed statement may be run again on a new session without anybody noticing. If so, the old session
    /// is gone when this returns.
    fn may_replace(&mut self, failure: &Failure, untouched: bool) -> bool {
        let replaceable = failure.lost && untouched && self.untried && self.transaction == Transaction::None;
        self.untried = false;
        if failure.lost {
            self.lose();
        } else if failure.undid {
            self.undo(DriverErrorKind::Retryable);
        }
        replaceable
    }

    /// Makes sure that a write outside a transaction does not run into a session that died in the pool: see
    /// [`Builder::ping_before_write`](crate::Builder::ping_before_write).
    async fn before_write(&mut self, statement: &Statement) -> Result<()> {
        if !self.untried || self.transaction != Transaction::None || !self.pool.options().ping_before_write {
            return Ok(());
        }
        let session = self.session().await?;
        if session.shows_death_first(statement) {
            return Ok(());
        }
        self.busy = true;
        let alive = match self.session.as_mut() {
            Some(session) => session.ping().await.is_ok(),
            None => false,
        };
        self.busy = false;
        if alive {
            self.untried = false;
        } else {
            self.lose();
        }
        Ok(())
    }

    async fn run_query(&mut self, statement: &Statement, sink: &mut dyn RowSink) -> Result<()> {
        let reads = only_reads(statement.sql());
        if !reads {
            self.before_write(statement).await?;
        }
        loop {
            let mut began = false;
            self.session().await?;
            self.busy = true;
            let outcome = match self.session.as_mut() {
                Some(session) => session.query(statement, sink, &mut began).await,
                None => continue,
            };
            self.busy = false;
            match outcome {
                Ok(()) => {
                    self.untried = false;
                    return Ok(());
                }
                Err(failure) if self.may_replace(&failure, !began && (reads || !failure.ran)) => {}
                Err(failure) => return Err(failure.error),
            }
        }
    }

    async fn run_execute(&mut self, statement: &Statement) -> Result<Executed> {
        self.before_write(statement).await?;
        loop {
            self.session().await?;
            self.busy = true;
            let outcome = match self.session.as_mut() {
                Some(session) => session.execute(statement).await,
                None => continue,
            };
            self.busy = false;
            match outcome {
                Ok(executed) => {
                    self.untried = false;
                    return Ok(executed);
                }
                Err(failure) if self.may_replace(&failure, !failure.ran) => {}
                Err(failure) => return Err(failure.error),
            }
        }
    }

    async fn command(&mut self, sql: &str) -> Result<(), CommandError> {
        let session = self.session().await.map_err(CommandError::Unsent)?;
        // The borrow ends here, and `busy` has to be set before the first poll that sends something.
        let _ = session;
        self.busy = true;
        let outcome = match self.session.as_mut() {
            Some(session) => session.command(sql).await,
            None => Ok(()),
        };
        self.busy = false;
        outcome.map_err(|error| {
            if is_lost(&error) {
                self.lose();
            }
            CommandError::Failed(error)
        })
    }

    async fn run_begin(&mut self, mode: TransactionMode) -> Result<()> {
        if self.transaction != Transaction::None {
            // The server would commit what is open without a word.
            return Err(ErrorKind::Transaction("begun twice on one connection: use a savepoint").into());
        }
        let sql = match mode {
            TransactionMode::Read => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            TransactionMode::Write => "START TRANSACTION",
        };
        let untried = std::mem::take(&mut self.untried);
        let outcome = match self.command(sql).await {
            // Nothing has happened yet, so nothing is lost by starting on another session.
            Err(CommandError::Failed(error)) if untried && is_lost(&error) => self.command(sql).await,
            outcome => outcome,
        };
        outcome.map_err(|error| error.into_error(sql))?;
        self.transaction = Transaction::Open;
        Ok(())
    }

    async fn run_commit(&mut self) -> Result<()> {
        let outcome = self.command("COMMIT").await;
        match outcome {
            Ok(()) => {
                self.transaction = Transaction::None;
                Ok(())
            }
            // Whatever the server made of it, it ends here.
            Err(error) => {
                self.run_rollback().await?;
                Err(match error {
                    CommandError::Unsent(error) => error,
                    CommandError::Failed(error) => of_commit(error),
                })
            }
        }
    }

    async fn run_rollback(&mut self) -> Result<()> {
        if self.busy {
            self.lose();
            self.busy = false;
        }
        self.transaction = Transaction::None;
        // Without a session there is nothing to do: the server rolls back what loses its connection. And a session
        // that cannot even roll back is closed, which has the same effect.
        if self.session.is_some() && self.command("ROLLBACK").await.is_err() {
            self.lose();
        }
        Ok(())
    }
}

/// Why a command of ours failed.
enum CommandError {
    /// It was not sent.
    Unsent(Error),
    /// The server or the connection.
    Failed(MyError),
}

impl CommandError {
    fn into_error(self, sql: &str) -> Error {
        match self {
            CommandError::Unsent(error) => error,
            CommandError::Failed(error) => of_statement(error, sql),
        }
    }
}

impl Connection for MySqlConnection {
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.run_query(statement, sink))
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<Executed>> {
        Box::pin(self.run_execute(statement))
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_begin(mode))
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_commit())
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_rollback())
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let sql = format!("SAVEPOINT assoc_{depth}");
            self.command(&sql).await.map_err(|error| error.into_error(&sql))
        })
    }

    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let sql = format!("RELEASE SAVEPOINT assoc_{depth}");
            self.command(&sql).await.map_err(|error| error.into_error(&sql))
        })
    }

    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            // Rolling back to a savepoint keeps it: it has to be forgotten as well. One round trip for both.
            let sql = format!("ROLLBACK TO SAVEPOINT assoc_{depth}; RELEASE SAVEPOINT assoc_{depth}");
            self.command(&sql).await.map_err(|error| error.into_error(&sql))
        })
    }
}

/// Back to the pool if it is clean, after a rollback if it is inside a transaction, and closed if nobody knows.
impl Drop for MySqlConnection {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        if self.busy {
            session.abandon();
            return;
        }
        if self.transaction == Transaction::None {
            self.pool.give_back(session);
            return;
        }
        let (Ok(runtime), false) = (Handle::try_current(), std::thread::panicking()) else {
            // Closing the connection rolls back as well, when the server notices.
            session.abandon();
            return;
        };
        let (pool, permit) = (Arc::clone(&self.pool), self.permit.take());
        runtime.spawn(async move {
            match timeout(ROLLBACK_LIMIT, session.command("ROLLBACK")).await {
                Ok(Ok(())) => pool.give_back(session),
                _ => session.abandon(),
            }
            drop(permit);
        });
    }
}
