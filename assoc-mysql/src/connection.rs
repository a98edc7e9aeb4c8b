//! A connection as the core sees it: transactions, replacement of dead sessions, and a clean return to the pool.
//!
//! The state of a connection is recorded before a command is sent and corrected when its answer has arrived. So a
//! future that is dropped half-way, or a sink that panics, leaves the connection marked as busy, and a busy connection
//! never returns to the pool.

use std::sync::Arc;
use std::time::{Duration, Instant};

use assoc_core::driver::{
    BoxFuture, Connection, ExecResult, IndependentQuery, IsolationLevel, RowSink, Statement, StatementWatch,
    TransactionMode, one_after_the_other,
};
use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, Result};
use assoc_dialects::mysql::Beginning;
use assoc_dialects::mysql::effects::{alters_session, changes_rows, only_reads};
use mysql_async::Error as MyError;
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::error::{is_lost, of_commit, of_statement};
use crate::pool::{Acquired, Pool};
use crate::session::{Failure, Session, Status};

mod lanes;

use self::lanes::{Spare, run_beside};

/// How long a rollback in the background may take before the connection is closed instead.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(10);

/// "SAVEPOINT … does not exist".
const NO_SUCH_SAVEPOINT: u16 = 1305;

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// The server has rolled the transaction back by itself, and the repo has not ended it yet. The driver refuses
    /// statements until then, because each would take effect by itself.
    Undone(DriverErrorKind),
    /// A statement has ended it, and what came before may have taken effect. Refused as well.
    Ended,
}

const ENDED: &str = "a statement in it has ended it (COMMIT, ROLLBACK, or a change of the schema, which commits): what came \
                     before has taken effect or was undone; end transactions with their handle, and change the schema \
                     outside";
const LEFT_OPEN: &str = "a statement has begun one and left it open, or has switched `autocommit` off; it was rolled back, \
                         because its connection would not have stayed with it: use `repo.transaction` or `repo.begin`";

/// A connection to MySQL or MariaDB, from [`MySql`](crate::MySql)'s pool.
#[derive(Debug)]
pub(crate) struct MySqlConnection {
    pool: Arc<Pool>,
    permit: Option<OwnedSemaphorePermit>,
    /// `None` when it was lost.
    session: Option<Session>,
    /// When it answered last, if it came from the pool and has not answered since: the server may have closed it meanwhile.
    untried: Option<Instant>,
    spare: Spare,
    transaction: Transaction,
    /// Whether the server's answers say that a transaction is open. Some proxies do not pass that on.
    tells_transactions: bool,
    /// Something was sent and its answer has not been read to the end.
    busy: bool,
}

impl MySqlConnection {
    pub(crate) fn new(pool: Arc<Pool>, acquired: Acquired) -> Self {
        let Acquired { session, permit, idle_since } = acquired;
        MySqlConnection {
            pool,
            permit: Some(permit),
            session: Some(session),
            untried: idle_since,
            spare: Spare::No,
            transaction: Transaction::None,
            tells_transactions: false,
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
        match self.transaction {
            Transaction::None | Transaction::Open => {}
            Transaction::Ended => return Err(ErrorKind::Transaction(ENDED).into()),
            Transaction::Undone(kind) => {
                let message = match kind {
                    DriverErrorKind::ConnectionLost => {
                        "the connection was lost earlier in this transaction, which is thereby rolled back"
                    }
                    DriverErrorKind::Retryable => {
                        "the server has rolled this transaction back because it was in conflict with another: run it again"
                    }
                    _ => "the server has rolled this transaction back when a statement in it failed",
                };
                return Err(DriverError::new(kind, message).into());
            }
        }
        if self.session.is_none() {
            self.session = Some(self.pool.reconnect().await?);
            self.untried = None;
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

    /// After a statement, compares the transaction state that the server reports with the expected one.
    async fn follow<T>(&mut self, sql: &str, outcome: Result<T, Failure>) -> Result<T> {
        self.untried = None;
        let failed = match &outcome {
            // What was not run has changed nothing.
            Err(failure) if failure.lost || !failure.ran => return outcome.map_err(|failure| failure.error),
            Err(failure) => Some(failure.error.driver().map_or(DriverErrorKind::Other, DriverError::kind)),
            Ok(_) => None,
        };
        let mut status = self.session.as_ref().and_then(Session::status);
        if status.is_none() && failed.is_some_and(|kind| self.must_ask(sql, kind)) {
            status = self.ask().await;
        }
        match (self.transaction, status) {
            (Transaction::Open, Some(status)) if self.tells_transactions && status != Status::InTransaction => {
                self.transaction = match failed {
                    Some(kind) if kind == DriverErrorKind::Retryable || changes_rows(sql) || only_reads(sql) => {
                        Transaction::Undone(kind)
                    }
                    _ => Transaction::Ended,
                };
            }
            (Transaction::None, Some(Status::InTransaction | Status::Manual)) => {
                self.restore().await;
                if failed.is_none() {
                    return Err(ErrorKind::Transaction(LEFT_OPEN).into());
                }
            }
            _ => {}
        }
        outcome.map_err(|failure| failure.error)
    }

    /// Whether a failed statement may have begun or ended a transaction. The answer to a failed statement does not say.
    fn must_ask(&self, sql: &str, kind: DriverErrorKind) -> bool {
        use DriverErrorKind::{
            CheckViolation, ForeignKeyViolation, NotNullViolation, Statement, TooLarge, UniqueViolation, Value,
        };
        match self.transaction {
            // A change of rows that is refused for what it says is undone alone.
            Transaction::Open if changes_rows(sql) || only_reads(sql) => !matches!(
                kind,
                UniqueViolation
                    | ForeignKeyViolation
                    | NotNullViolation
                    | CheckViolation
                    | Statement
                    | Value
                    | TooLarge
            ),
            Transaction::Open => true,
            Transaction::None => alters_session(sql),
            Transaction::Undone(_) | Transaction::Ended => false,
        }
    }

    /// Asks the server by a ping, whose answer says it.
    async fn ask(&mut self) -> Option<Status> {
        self.busy = true;
        let alive = match self.session.as_mut() {
            Some(session) => session.ping().await.is_ok(),
            None => false,
        };
        self.busy = false;
        if !alive {
            self.lose();
        }
        self.session.as_ref().and_then(Session::status)
    }

    /// Rolls back and makes the session new again.
    async fn restore(&mut self) {
        self.busy = true;
        let restored = match self.session.as_mut() {
            Some(session) => session.restore(self.pool.options()).await.is_ok(),
            None => true,
        };
        self.busy = false;
        if !restored {
            self.lose();
        }
    }

    /// Whether a failed statement may run again on a new session without a visible effect. If so, the old session is
    /// closed when this returns.
    fn may_replace(&mut self, failure: &Failure, untouched: bool) -> bool {
        let replaceable = failure.lost && untouched && self.untried.is_some() && self.transaction == Transaction::None;
        self.untried = None;
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
        let options = self.pool.options();
        let is_in_doubt = self.untried.is_some_and(|answered| answered.elapsed() >= options.trust_window);
        if !is_in_doubt || !options.ping_before_write || self.transaction != Transaction::None {
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
            self.untried = None;
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
                Err(failure) if self.may_replace(&failure, !began && (reads || !failure.ran)) => {
                    if self.spare == Spare::Alive {
                        self.spare = Spare::Lost;
                        return Err(failure.error);
                    }
                }
                outcome => return self.follow(statement.sql(), outcome).await,
            }
        }
    }

    async fn run_execute(&mut self, statement: &Statement) -> Result<ExecResult> {
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
                Err(failure) if self.may_replace(&failure, !failure.ran) => {}
                outcome => return self.follow(statement.sql(), outcome).await,
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

    async fn run_begin_isolated(&mut self, mode: TransactionMode, level: IsolationLevel) -> Result<()> {
        let beginning = Beginning::of(mode, Some(level));
        if self.transaction != Transaction::None {
            return self.run_begin(mode).await;
        }
        let Some(sql) = beginning.level else { return self.start(beginning.start).await };
        let untried = self.untried.take().is_some();
        let outcome = match self.command(sql).await {
            // As in `start`.
            Err(CommandError::Failed(error)) if untried && is_lost(&error) => self.command(sql).await,
            outcome => outcome,
        };
        outcome.map_err(|error| error.into_error(sql))?;
        self.start(beginning.start).await
    }

    async fn run_begin(&mut self, mode: TransactionMode) -> Result<()> {
        if self.transaction != Transaction::None {
            // The server would silently commit the open transaction.
            return Err(ErrorKind::Transaction("begun twice on one connection: use a savepoint").into());
        }
        self.start(Beginning::of(mode, None).start).await
    }

    async fn start(&mut self, sql: &'static str) -> Result<()> {
        let untried = self.untried.take().is_some();
        let outcome = match self.command(sql).await {
            // Nothing has happened yet, so nothing is lost by starting on another session.
            Err(CommandError::Failed(error)) if untried && is_lost(&error) => self.command(sql).await,
            outcome => outcome,
        };
        outcome.map_err(|error| error.into_error(sql))?;
        self.transaction = Transaction::Open;
        self.tells_transactions = self.session.as_ref().and_then(Session::status) == Some(Status::InTransaction);
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

    fn query_together<'a>(
        &'a mut self,
        queries: Vec<IndependentQuery<'a>>,
        watch: &'a mut dyn StatementWatch,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let spare = self.spare(&queries);
            match spare.is_empty() {
                true => one_after_the_other(self, queries, watch).await,
                false => run_beside(self, spare, queries, watch).await,
            }
        })
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(self.run_execute(statement))
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_begin(mode))
    }

    fn begin_isolated(&mut self, mode: TransactionMode, level: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.run_begin_isolated(mode, level))
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
            match self.command(&sql).await {
                // The earlier call of this savepoint did not wait for its answer.
                Err(CommandError::Failed(MyError::Server(error))) if error.code == NO_SUCH_SAVEPOINT => Ok(()),
                outcome => outcome.map_err(|error| error.into_error(&sql)),
            }
        })
    }
}

/// Returns the connection to the pool if it is clean, after a rollback if it is inside a transaction, and after a reset
/// if it was altered. Closes it if its state is unknown.
impl Drop for MySqlConnection {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        if self.busy {
            session.abandon();
            return;
        }
        if self.transaction == Transaction::None && !session.is_altered() {
            // Without a statement there was no answer.
            self.pool.give_back(session, self.untried.unwrap_or_else(Instant::now));
            return;
        }
        let (Ok(runtime), false) = (Handle::try_current(), std::thread::panicking()) else {
            // Closing the connection rolls back as well, when the server notices.
            session.abandon();
            return;
        };
        let (pool, permit) = (Arc::clone(&self.pool), self.permit.take());
        runtime.spawn(async move {
            let clean = async {
                if session.is_altered() {
                    session.restore(pool.options()).await
                } else {
                    session.command("ROLLBACK").await
                }
            };
            match timeout(ROLLBACK_LIMIT, clean).await {
                Ok(Ok(())) => pool.give_back(session, Instant::now()),
                _ => session.abandon(),
            }
            drop(permit);
        });
    }
}
