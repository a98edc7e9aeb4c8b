//! One connection: statements, and transactions that know when the server takes nothing more of them.

use assoc_core::Result;
use assoc_core::driver::{
    BoxFuture, Connection, ExecResult, IndependentQuery, IsolationLevel, RowSink, Statement, StatementKind,
    StatementWatch, TransactionMode, one_after_the_other,
};
use assoc_dialects::postgres::begin;
use deadpool::managed::Object;
use tokio_postgres::error::SqlState;

use crate::deferred::Deferred;
use crate::error;
use crate::pool::Pooled;
use crate::together::Ended;

/// A session with the state of its transaction.
pub(crate) struct PostgresConnection {
    // `None` only while it is dropped.
    session: Option<Pooled>,
    state: State,
    deferred: Deferred,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Outside,
    Open,
    // A statement failed: the server takes none but a rollback, and answers COMMIT with one.
    Aborted,
}

impl PostgresConnection {
    pub(crate) fn new(session: Pooled) -> Self {
        PostgresConnection { session: Some(session), state: State::Outside, deferred: Deferred::default() }
    }

    fn session(&mut self) -> Result<&mut Pooled> {
        self.session.as_mut().ok_or_else(|| error::ended("the connection is gone"))
    }

    // The future of a `begin` may have been dropped: its transaction is unknown to the program.
    async fn undo_unknown(&mut self) -> Result<()> {
        if self.state == State::Outside && self.session()?.is_inside {
            self.undo().await?;
        }
        Ok(())
    }

    async fn run(&mut self, statement: &Statement, sink: Option<&mut dyn RowSink>) -> Result<u64> {
        self.undo_unknown().await?;
        let before = self.deferred.take();
        let result = self.session()?.run(before.as_deref(), statement, sink).await;
        result.map_err(|failure| {
            if self.state == State::Open && failure.aborts() {
                self.state = State::Aborted;
            }
            failure.into_error()
        })
    }

    // Whether a savepoint may wait for the next statement: not if the server refuses it, or what it says of an earlier call is
    // not known.
    fn may_defer(&mut self) -> Result<bool> {
        Ok(self.state == State::Open && self.session()?.is_usable_inside())
    }

    // Sends the savepoints that wait.
    async fn send_deferred(&mut self) -> Result<()> {
        let Some(sql) = self.deferred.take() else { return Ok(()) };
        let result = self.session()?.simple(&sql).await;
        if self.state == State::Open && result.is_err() {
            self.state = State::Aborted;
        }
        result
    }

    async fn begin_as(&mut self, sql: &str) -> Result<()> {
        // The server only warns, and goes on with the open transaction.
        if self.state != State::Outside || self.session()?.is_inside {
            return Err(error::ended("a transaction is open already"));
        }
        let session = self.session()?;
        // Also if the call is dropped before the answer.
        session.is_inside = true;
        let begun = session.simple(sql).await;
        match &begun {
            Ok(()) => self.state = State::Open,
            Err(_) => session.is_inside = false,
        }
        begun
    }

    async fn undo(&mut self) -> Result<()> {
        self.deferred.clear();
        let session = self.session()?;
        // The server has rolled back what a closed session left.
        if !session.is_closed() {
            session.simple("ROLLBACK").await?;
            session.is_inside = false;
        }
        self.state = State::Outside;
        Ok(())
    }
}

impl Connection for PostgresConnection {
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.run(statement, Some(sink)).await.map(drop) })
    }

    fn query_together<'a>(
        &'a mut self,
        queries: Vec<IndependentQuery<'a>>,
        watch: &'a mut dyn StatementWatch,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            // What others wrote may change the session or the schema, which is looked at after each.
            if queries.iter().any(|query| query.statement.kind() != StatementKind::Select) {
                return one_after_the_other(self, queries, watch).await;
            }
            self.undo_unknown().await?;
            let before = self.deferred.take();
            let Ended { result, aborts } = self.session()?.run_together(before.as_deref(), queries, watch).await;
            if self.state == State::Open && aborts {
                self.state = State::Aborted;
            }
            result
        })
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move { Ok(ExecResult::new(self.run(statement, None).await?, None)) })
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.begin_as(&begin(mode, None)?).await })
    }

    fn begin_isolated(&mut self, mode: TransactionMode, level: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.begin_as(&begin(mode, Some(level))?).await })
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.deferred.clear();
            if self.state == State::Open && self.session()?.is_busy {
                // The answer of an earlier call was dropped, and it may have been an error.
                let probe = self.session()?.raw("SELECT 1").await;
                if probe.is_err_and(|error| error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION)) {
                    self.state = State::Aborted;
                }
            }
            if self.state == State::Aborted {
                self.undo().await?;
                let why = "a statement of it has failed, so it was rolled back and not committed";
                return Err(error::ended(why));
            }
            let session = self.session()?;
            let was_open = !session.is_closed();
            let result = session.raw("COMMIT").await;
            let is_over = !session.is_closed();
            if is_over {
                session.is_inside = false;
            }
            self.state = State::Outside;
            result.map_err(|error| error::of_commit(error, was_open))
        })
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.undo())
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.deferred.set(depth);
            if self.may_defer()? { Ok(()) } else { self.send_deferred().await }
        })
    }

    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.deferred.release(depth);
            if self.may_defer()? { Ok(()) } else { self.send_deferred().await }
        })
    }

    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if self.deferred.undo(depth) {
                return Ok(());
            }
            let undo = format!("ROLLBACK TO SAVEPOINT assoc_{depth}; RELEASE SAVEPOINT assoc_{depth}");
            let is_surely_aborted = self.state == State::Aborted && !self.session()?.is_busy;
            if !is_surely_aborted {
                // An earlier call whose answer was dropped may have undone it already. A savepoint that does not exist aborts
                // the transaction, so another one is set first.
                match self.session()?.raw(&format!("SAVEPOINT assoc_guard; {undo}")).await {
                    Ok(()) => {
                        self.state = State::Open;
                        return Ok(());
                    }
                    Err(error) if error.code() == Some(&SqlState::S_E_INVALID_SPECIFICATION) => {
                        self.session()?
                            .simple("ROLLBACK TO SAVEPOINT assoc_guard; RELEASE SAVEPOINT assoc_guard")
                            .await?;
                        self.state = State::Open;
                        return Ok(());
                    }
                    Err(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => {}
                    Err(error) => return Err(error::of_statement(error, &undo)),
                }
            }
            self.session()?.simple(&undo).await?;
            self.state = State::Open;
            Ok(())
        })
    }
}

/// A connection that was dropped in the middle of something is closed, and the server told to stop. One that was dropped inside
/// a transaction is rolled back before it can be handed out again.
impl Drop for PostgresConnection {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        if session.is_usable() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // Without a runtime it cannot be rolled back, so it is closed, and the server rolls back.
            drop(Object::take(session));
            return;
        };
        if session.is_closed() {
            drop(Object::take(session));
        } else if session.is_busy {
            let cancel = session.cancel();
            drop(Object::take(session));
            runtime.spawn(async move { drop(cancel.send().await) });
        } else {
            runtime.spawn(async move {
                match session.simple("ROLLBACK").await {
                    Ok(()) => session.is_inside = false,
                    Err(_) => drop(Object::take(session)),
                }
            });
        }
    }
}
