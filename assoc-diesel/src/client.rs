//! What each of Diesel's connections does for this crate, synchronously.

use assoc_core::Result;
use assoc_core::dialect::Dialect;
use assoc_core::driver::{ExecResult, IsolationLevel, RowSink, Statement, TransactionMode};
use diesel::connection::{AnsiTransactionManager, Connection, TransactionDepthChange, TransactionManager};
use diesel::connection::{TransactionManagerStatus, ValidTransactionManagerStatus};

use crate::errors;
use crate::learnt::Learnt;

/// A connection of Diesel's that this crate can use: `SqliteConnection`, `PgConnection` and `MysqlConnection`, with the features `sqlite`,
/// `postgres` and `mysql`.
///
/// It is implemented here alone: what it needs of Diesel changes from version to version.
pub trait Client: sealed::Client {}

pub(crate) mod sealed {
    use super::*;

    /// Where a connection stands by the database's account.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Standing {
        /// In no transaction.
        Outside,
        /// In a transaction that takes statements.
        Inside,
        /// In a transaction that takes none any more but a rollback.
        Aborted,
    }

    /// How long a statement may wait for what another connection does.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub enum Waits {
        /// Until a time limit of the database's.
        UpToALimit,
        /// Until the other connection ends its transaction, which a future of the same task may have to do.
        ForTheOther,
    }

    /// The operations. They go through Diesel's transaction manager where Diesel must know of them.
    pub trait Client: Send {
        /// The dialect of the database at the other end.
        fn dialect(&mut self) -> Result<Box<dyn Dialect>>;

        /// How long its statements may wait.
        fn waits() -> Waits
        where
            Self: Sized;

        /// Runs a statement and pushes its rows into the sink.
        fn query(&mut self, statement: &Statement, sink: &mut dyn RowSink, learnt: &Learnt) -> Result<()>;

        /// Runs a statement for its effect.
        fn execute(&mut self, statement: &Statement) -> Result<ExecResult>;

        /// How many transactions and savepoints are open by Diesel's account.
        fn depth(&mut self) -> Result<u32>;

        /// Begins a transaction, or sets a savepoint where Diesel has a transaction open.
        fn begin(&mut self, mode: TransactionMode, level: Option<IsolationLevel>) -> Result<()>;

        /// Keeps the innermost level.
        fn keep(&mut self) -> Result<()>;

        /// Undoes the innermost level.
        fn undo(&mut self) -> Result<()>;

        /// Where the connection stands after a statement, whatever Diesel believes.
        fn standing(&mut self, after: &str) -> Result<Standing>;

        /// Whether the transaction is aborted: the database refuses every statement until it is rolled back.
        fn is_aborted(&mut self) -> bool {
            false
        }

        /// Rolls back a transaction that Diesel does not know of.
        fn undo_unknown(&mut self) -> Result<()>;

        /// Notes that the transaction which Diesel counts is over for the database, where Diesel's COMMIT would not fail because of
        /// that. Nothing runs any more until Diesel has rolled it back.
        fn note_over(&mut self) {}

        /// Makes Diesel believe that no more levels than these are open, because the database has ended the others.
        fn believe(&mut self, depth: u32);
    }
}

/// Diesel's account of the open levels.
pub(crate) fn depth<C: Connection>(connection: &mut C) -> Result<u32> {
    let depth = C::TransactionManager::transaction_manager_status_mut(connection).transaction_depth();
    depth
        .map(|depth| depth.map_or(0, std::num::NonZero::get))
        .map_err(|error| errors::of_diesel(error).with_sql("BEGIN").into())
}

/// Lowers Diesel's account of the open levels.
pub(crate) fn believe<C: Connection>(connection: &mut C, levels: u32) {
    let status = C::TransactionManager::transaction_manager_status_mut(connection);
    if let TransactionManagerStatus::Valid(status) = status {
        while depth_of(status) > levels
            && status.change_transaction_depth(TransactionDepthChange::DecreaseDepth).is_ok()
        {}
    }
}

fn depth_of(status: &ValidTransactionManagerStatus) -> u32 {
    status.transaction_depth().map_or(0, std::num::NonZero::get)
}

/// Begins with a text of its own, or sets a savepoint where a transaction is open.
pub(crate) fn begin<C>(connection: &mut C, reading: errors::Reading, sql: &str) -> Result<()>
where
    C: Connection<TransactionManager = AnsiTransactionManager>,
{
    let begun = if depth(connection)? > 0 {
        AnsiTransactionManager::begin_transaction(connection)
    } else {
        AnsiTransactionManager::begin_transaction_sql(connection, sql)
    };
    begun.map_err(|error| errors::of_statement(error, reading, sql))
}
