//! One unit of work on a connection, wherever the connection is: lent, or of a pool.

use assoc_core::Result;
use assoc_core::driver::{BoxFuture, Connection, ExecResult, IsolationLevel, RowSink, Statement, TransactionMode};

use crate::client::sealed::Client;
use crate::learnt::Learnt;
use crate::levels::Levels;

pub(crate) enum Work<'w> {
    Query(&'w Statement, &'w mut dyn RowSink),
    Execute(&'w Statement),
    Control(Control),
}

/// Something about transactions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Control {
    Begin(TransactionMode, Option<IsolationLevel>),
    Commit,
    Rollback,
    Savepoint(u32),
    Release(u32),
    RollbackTo(u32),
}

impl Work<'_> {
    pub(crate) fn perform(self, levels: &mut Levels, client: &mut dyn Client) -> Result<ExecResult> {
        match self {
            Work::Query(statement, sink) => {
                let read = |client: &mut dyn Client, learnt: &Learnt| client.query(statement, sink, learnt);
                levels.run(client, statement, read).map(|()| ExecResult::default())
            }
            Work::Execute(statement) => levels.run(client, statement, |client, _| client.execute(statement)),
            Work::Control(control) => match control {
                Control::Begin(mode, level) => levels.begin(client, mode, level),
                Control::Commit => levels.commit(client),
                Control::Rollback => levels.rollback(client),
                Control::Savepoint(depth) => levels.savepoint(client, depth),
                Control::Release(depth) => levels.release(client, depth),
                Control::RollbackTo(depth) => levels.rollback_to(client, depth),
            },
        }
    }
}

/// Where a connection is, and how work gets there.
pub(crate) trait Place: Send {
    fn run<'a>(&'a mut self, work: Work<'a>) -> BoxFuture<'a, Result<ExecResult>>;
}

/// The [`Connection`] of a task.
pub(crate) struct Handle<P>(pub(crate) P);

impl<P: Place> Handle<P> {
    fn control(&mut self, control: Control) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.0.run(Work::Control(control)).await.map(drop) })
    }
}

impl<P: Place> Connection for Handle<P> {
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.0.run(Work::Query(statement, sink)).await.map(drop) })
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        self.0.run(Work::Execute(statement))
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Begin(mode, None))
    }

    fn begin_isolated(&mut self, mode: TransactionMode, level: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        self.control(Control::Begin(mode, Some(level)))
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
