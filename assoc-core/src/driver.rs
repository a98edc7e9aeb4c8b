//! What a backend implements: a [`Driver`] that hands out [`Connection`]s, and rows pushed into a [`RowSink`].
//!
//! ```text
//!  application ──▶ Repo ──▶ planner (pure) ──▶ Statement ──▶ Connection::query ──▶ database
//!                   ▲                                              │
//!                   └────────────── RowSink::row ◀─────────────────┘   one call a row, all columns at once
//! ```
//!
//! # The contract
//!
//! * All traits are object safe; a repo holds `Arc<dyn Driver>`. One boxed future a statement is the price, rows cost
//!   one virtual call each.
//! * [`Driver::acquire`] MUST hand out a connection that is not inside a transaction, and MUST wait rather than fail
//!   when all connections are in use, up to the driver's own time limit ([`DriverErrorKind::PoolTimeout`] then).
//!   [`DriverErrorKind::Unavailable`] says that no connection could be made.
//! * A connection returns to its pool when dropped. If it is dropped inside a transaction, or while a statement was
//!   running (a cancelled future), the driver MUST roll back or throw the connection away; it MUST NOT hand out a
//!   connection in an unknown state.
//! * `query` MUST call the sink once a row, in order, with exactly the columns of the statement, and MUST stop and
//!   return the sink's error if it fails. The connection MUST stay usable after that.
//! * Before the first row, or the end if there is none, `query` MUST give the columns' names to a sink that
//!   [wants them](RowSink::wants_columns): statements that the application writes itself are checked by them. Others never
//!   ask, and cost nothing.
//! * `values` belong to the driver between calls; the sink may take buffers out of them (`Cow::Owned`), so a driver
//!   SHOULD hand over owned buffers it does not need again, and borrowed ones it does.
//! * `execute` MUST report as affected the rows that matched, also where nothing changed in them.
//! * Every failure MUST be an [`Error`](crate::Error) of a [`DriverError`] with the right class;
//!   the class decides about retries and about which message a user sees. A panic is a defect.
//! * A panic inside the sink (a user's decoder) MUST NOT leave the pool locked or the connection in an unknown state.
//! * `begin` starts a transaction: [`TransactionMode::Write`] takes the write lock at once where that avoids later
//!   deadlocks, [`TransactionMode::Read`] gives one snapshot where the database has such a thing. Savepoints nest
//!   inside it by depth; the repo numbers them, and never sets one at a depth where another is open.
//! * Statements are prepared and cached by their text. A driver SHOULD bound that cache. A statement that failed MUST NOT
//!   fail later ones of the same text.
//!
//! ## What an error means inside a transaction
//!
//! * A statement that fails inside a transaction MUST have one of three consequences, and the driver MUST know which:
//!   1. The statement alone is undone, and the transaction goes on: SQLite and MySQL with most errors.
//!   2. The transaction is *aborted*: it is open, and refuses every statement until `rollback`, or until
//!      `rollback_to_savepoint` of a savepoint that was set before the error. PostgreSQL with every error.
//!   3. The transaction is *undone*: the database has rolled it back by itself. MySQL after a deadlock, SQLite after an
//!      interrupted write, any database that lost its connection. Every statement and savepoint MUST be refused until
//!      `rollback` or `commit`, because it would take effect outside of the transaction.
//! * `commit` MUST answer `Ok` only if everything that was reported as done since `begin` has taken effect. Some databases
//!   answer COMMIT of an aborted transaction with success after rolling it back: the driver MUST read that answer, or
//!   remember the error, and fail. After `Err` nothing has taken effect, except with
//!   [`DriverErrorKind::AmbiguousCommit`], which is for a connection that broke after COMMIT was sent; a COMMIT that could
//!   not be sent is [`DriverErrorKind::ConnectionLost`].
//! * A statement may end the transaction that it runs in (COMMIT in a procedure, DDL on MySQL), or leave one open that it
//!   has begun. Where the database says so, the driver MUST refuse what follows in the former case, and in the latter roll
//!   back and fail. (The repo refuses SQL that is a COMMIT or a BEGIN by its text.) What it leaves in its session for
//!   others to find, such as variables and settings, a driver SHOULD remove before it hands out the connection again.
//! * Any future may be dropped half-way, also those of `savepoint`, `release_savepoint` and `rollback_to_savepoint`. A driver
//!   that goes on with the connection MUST wait for what was begun, and `rollback_to_savepoint` MUST succeed if the
//!   savepoint is no longer there: an earlier call has undone or released it, and its answer was dropped.

use crate::dialect::Dialect;
use crate::error::Result;
pub use crate::row_sink::{AnswerColumn, BoxFuture, RowSink};
use crate::statement::Statement;

#[cfg(doc)]
use crate::error::{DriverError, DriverErrorKind};

/// What a statement that returns no rows did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExecResult {
    /// Rows that matched (not: that were changed).
    pub affected: u64,
    /// The id the database made for the single row that was inserted, if it made one and says so.
    pub last_insert_id: Option<i64>,
}

impl ExecResult {
    /// What a statement did.
    #[must_use]
    pub fn new(affected: u64, last_insert_id: Option<i64>) -> Self {
        ExecResult { affected, last_insert_id }
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionMode {
    /// Reading only, all statements seeing one snapshot where the database offers it.
    Read,
    /// Reading and writing.
    Write,
}

/// How far transactions that run at the same time see of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum IsolationLevel {
    /// Also what is not committed yet.
    ReadUncommitted,
    /// What is committed when a statement begins.
    ReadCommitted,
    /// What was committed when the transaction began to read, again and again.
    RepeatableRead,
    /// As if they ran one after the other.
    Serializable,
}

/// One connection to a database, used by one task at a time. The contract is in the [module documentation](self).
pub trait Connection: Send {
    /// Runs a statement and pushes its rows into the sink.
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>>;

    /// Runs a statement that returns no rows.
    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>>;

    /// Starts a transaction. The connection is not inside one.
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>>;

    /// Starts a transaction of at least an isolation level. A database whose transactions are always isolated as far, or
    /// farther, need do nothing about it.
    fn begin_isolated(&mut self, mode: TransactionMode, level: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        let _ = mode;
        Box::pin(async move {
            let what = format!("transactions of a chosen isolation level ({level:?})");
            Err(crate::error::Error::unsupported("this driver", what))
        })
    }

    /// Commits the transaction: `Ok` only if everything that was reported as done has taken effect. After an error the
    /// connection MUST be outside a transaction or broken.
    fn commit(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Rolls the transaction back. Also succeeds when the database has already done so by itself.
    fn rollback(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Sets the savepoint of a nesting depth (1 is the outermost).
    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;

    /// Forgets the savepoint of a depth, keeping what was done since.
    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;

    /// Undoes what was done since the savepoint of a depth, and forgets it. Can be repeated: a savepoint that is not there
    /// is no error.
    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;
}

/// How a pool is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// Connections that are open.
    pub open: usize,
    /// Open connections that nobody uses.
    pub idle: usize,
    /// The most connections there may be.
    pub max: usize,
}

impl PoolStatus {
    /// Counts of a pool.
    #[must_use]
    pub fn new(open: usize, idle: usize, max: usize) -> Self {
        PoolStatus { open, idle, max }
    }
}

/// What a connection will be used for, so that a driver with several kinds (one writer, several readers; a primary
/// and replicas) can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Only statements that read.
    Read,
    /// Any statement.
    Write,
}

/// A database: its dialect and a supply of connections. The contract is in the [module documentation](self).
pub trait Driver: Send + Sync + 'static {
    /// How this database wants its SQL, and what it can do.
    fn dialect(&self) -> &dyn Dialect;

    /// A connection of one's own, until it is dropped.
    fn acquire(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>>;

    /// How the pool is doing, if there is one.
    fn pool_status(&self) -> Option<PoolStatus> {
        None
    }
}
