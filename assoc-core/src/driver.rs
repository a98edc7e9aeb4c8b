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
//!   when all connections are in use, up to the driver's own time limit ([`DriverErrorKind::Unavailable`] then).
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
//!   inside it by depth; the repo numbers them.
//! * Statements are prepared and cached by their text. A driver SHOULD bound that cache.

use std::future::Future;
use std::pin::Pin;

use crate::dialect::Dialect;
use crate::error::Result;
use crate::statement::Statement;
use crate::value::Value;

#[cfg(doc)]
use crate::error::{DriverError, DriverErrorKind};

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receives rows: one call a row, all columns at once.
pub trait RowSink: Send {
    /// Takes one row. The sink may take buffers out of `values`.
    ///
    /// # Errors
    /// When the row cannot be read; the driver stops the statement and returns this error.
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()>;

    /// Whether it wants to see the columns before the rows. Asked once a statement.
    fn wants_columns(&self) -> bool {
        false
    }

    /// Takes the columns of the answer, if it wants them: once, before the first row and also where there is none.
    ///
    /// # Errors
    /// When they are not those it can read; the driver stops the statement and returns this error.
    fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> Result<()> {
        let _ = columns;
        Ok(())
    }
}

/// A column of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerColumn<'a> {
    /// Its name: the alias that the statement gives it, or the column's own. Of an expression without alias whatever the
    /// database calls it.
    pub name: &'a str,
    /// Whether it is an expression, as far as the driver knows.
    pub is_computed: bool,
}

impl<F: FnMut(&mut [Value<'_>]) -> Result<()> + Send> RowSink for F {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        self(values)
    }
}

/// What a statement that returns no rows did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Executed {
    /// Rows that matched (not: that were changed).
    pub affected: u64,
    /// The id the database made for the single row that was inserted, if it made one and says so.
    pub last_insert_id: Option<i64>,
}

impl Executed {
    /// What a statement did.
    #[must_use]
    pub fn new(affected: u64, last_insert_id: Option<i64>) -> Self {
        Executed { affected, last_insert_id }
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

/// One connection to a database, used by one task at a time. The contract is in the [module documentation](self).
pub trait Connection: Send {
    /// Runs a statement and pushes its rows into the sink.
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>>;

    /// Runs a statement that returns no rows.
    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<Executed>>;

    /// Starts a transaction. The connection is not inside one.
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>>;

    /// Commits the transaction. After an error the connection MUST be outside a transaction or broken.
    fn commit(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Rolls the transaction back. Also succeeds when the database has already done so by itself.
    fn rollback(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Sets the savepoint of a nesting depth (1 is the outermost).
    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;

    /// Forgets the savepoint of a depth, keeping what was done since.
    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;

    /// Undoes what was done since the savepoint of a depth, and forgets it.
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
