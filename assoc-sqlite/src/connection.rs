//! The [`Connection`] of a task: a lease, and the transfer of each statement to the thread that runs it.

use assoc_core::Result;
use assoc_core::driver::{BoxFuture, Connection, ExecResult, IsolationLevel, RowSink, Statement, TransactionMode};

use crate::Execution;
use crate::pool::Lease;
use crate::session::{Apart, Control, Session};

#[cfg(feature = "tokio")]
mod offload;
#[cfg(feature = "tokio")]
mod parcel;

/// One connection, as a task uses it.
pub(crate) struct SqliteConnection {
    place: Place,
    #[cfg_attr(not(feature = "tokio"), allow(dead_code))]
    execution: Execution,
}

// Where the lease is.
enum Place {
    Here(Lease),
    /// On a blocking thread, with the outcome to come.
    #[cfg(feature = "tokio")]
    Away(tokio::task::JoinHandle<offload::Return>),
    /// The thread never came back: it panicked, or the runtime was shut down.
    #[cfg(feature = "tokio")]
    Lost,
}

/// One unit of work on a connection.
pub(crate) enum Work<'w> {
    Open,
    Query(&'w Statement, &'w mut dyn RowSink),
    Execute(&'w Statement),
    Batch(&'w str),
    Control(Control),
}

impl Work<'_> {
    fn perform(&mut self, session: &mut Session, apart: Option<Apart>) -> Result<ExecResult> {
        match self {
            Work::Open => Ok(ExecResult::default()),
            Work::Query(statement, sink) => session.query(statement, *sink, apart),
            Work::Execute(statement) => session.execute(statement),
            Work::Batch(sql) => session.batch(sql),
            Work::Control(control) => session.control(*control),
        }
    }
}

impl SqliteConnection {
    /// The connection of a lease that is open already.
    pub(crate) fn ready(lease: Lease, execution: Execution) -> Self {
        SqliteConnection { place: Place::Here(lease), execution }
    }

    /// The connection of a lease; opened here if it is not yet.
    pub(crate) async fn new(lease: Lease, execution: Execution) -> Result<Self> {
        let fresh = lease.is_empty();
        let mut connection = SqliteConnection::ready(lease, execution);
        if fresh {
            connection.run(Work::Open).await?;
        }
        Ok(connection)
    }

    #[cfg(not(feature = "tokio"))]
    pub(crate) async fn run(&mut self, mut work: Work<'_>) -> Result<ExecResult> {
        let Place::Here(lease) = &mut self.place;
        work.perform(lease.session()?, None)
    }

    fn control(&mut self, control: Control) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.run(Work::Control(control)).await.map(drop) })
    }
}

impl Connection for SqliteConnection {
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.run(Work::Query(statement, sink)).await.map(drop) })
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(self.run(Work::Execute(statement)))
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Begin(mode))
    }

    /// All transactions are serializable here.
    fn begin_isolated(&mut self, mode: TransactionMode, _: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Begin(mode))
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Commit)
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Rollback)
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Savepoint(depth))
    }

    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Release(depth))
    }

    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.control(Control::RollbackTo(depth))
    }
}
