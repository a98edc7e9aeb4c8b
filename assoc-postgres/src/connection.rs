//! One connection: statements, and transactions that know when the server takes nothing more of them.

use assoc_core::driver::{
    BoxFuture, Connection, ExecResult, IndependentQuery, IsolationLevel, RowSink, Statement, StatementKind,
    StatementWatch, TransactionMode, one_after_the_other,
};
use assoc_core::{Error, Result};
use assoc_dialects::postgres::begin;
use deadpool::managed::Object;
use tokio_postgres::error::SqlState;

use crate::deferred::{Before, Deferred};
use crate::error;
use crate::pool::Pooled;
use crate::session::{Effect, Failure};
use crate::together::{Ended, Watched};

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
    // `BEGIN` was sent, and its answer is not seen yet.
    Sent { reads: bool },
    Open,
    // A statement failed: the server takes only a rollback, and answers COMMIT with one.
    Aborted,
    // `COMMIT` or `ROLLBACK` was sent, and its answer is not seen yet.
    Ending,
    // `BEGIN` has failed, so a statement would run by itself.
    NotBegun { may_have_written: bool },
}

/// Whether there is a transaction is asked by a savepoint, which exists only inside of one.
const PROBE: &str = "SAVEPOINT assoc_guard; RELEASE SAVEPOINT assoc_guard";

impl PostgresConnection {
    pub(crate) fn new(session: Pooled) -> Self {
        PostgresConnection { session: Some(session), state: State::Outside, deferred: Deferred::default() }
    }

    fn session(&mut self) -> Result<&mut Pooled> {
        self.session.as_mut().ok_or_else(gone)
    }

    // Refuses what would run outside of its transaction.
    async fn require_begun(&mut self) -> Result<()> {
        if let State::Sent { .. } = self.state {
            // The call was dropped that began it.
            self.settle().await?;
        }
        match self.state {
            State::NotBegun { may_have_written } => Err(error::not_begun(may_have_written)),
            State::Ending => Err(error::ended("its end was not waited for, so nothing runs in it")),
            _ => Ok(()),
        }
    }

    // Finds out what became of the transaction. The answer of an earlier call was dropped, and it may have been an error.
    async fn settle(&mut self) -> Result<()> {
        let reads = matches!(self.state, State::Sent { reads: true });
        let probe = self.session()?.raw(PROBE).await;
        let code = probe.as_ref().err().map(|error| error.code());
        self.state = match code {
            None => State::Open,
            Some(Some(&SqlState::IN_FAILED_SQL_TRANSACTION)) => State::Aborted,
            Some(Some(&SqlState::NO_ACTIVE_SQL_TRANSACTION)) => State::NotBegun { may_have_written: !reads },
            // It is still not known.
            Some(_) => State::Sent { reads },
        };
        match (self.state, probe) {
            (State::Sent { .. }, Err(error)) => Err(error::of_statement(error, PROBE)),
            _ => Ok(()),
        }
    }

    async fn run(&mut self, statement: &Statement, sink: Option<&mut dyn RowSink>) -> Result<u64> {
        self.require_begun().await?;
        let before = self.take_deferred(statement.kind() == StatementKind::Select)?;
        let result = self.session()?.run(before.as_ref(), statement, sink).await;
        self.note(before.as_ref(), result.as_ref().err().map_or(Effect::GoesOn, Failure::effect));
        result.map_err(Failure::into_error)
    }

    // What goes before the next statement, which is sent at once.
    fn take_deferred(&mut self, reads: bool) -> Result<Option<Before>> {
        let before = self.deferred.take();
        if before.as_ref().is_some_and(|before| before.begins) {
            self.state = State::Sent { reads };
            // Also if the call is dropped before the answer.
            self.session()?.is_inside = true;
        }
        Ok(before)
    }

    // What the answers say of the transaction.
    fn note(&mut self, before: Option<&Before>, effect: Effect) {
        if before.is_some_and(|before| before.begins) {
            self.state = State::Open;
        }
        match effect {
            Effect::NotBegun { may_have_written } => self.state = State::NotBegun { may_have_written },
            Effect::Aborts if self.state == State::Open => self.state = State::Aborted,
            Effect::Aborts | Effect::GoesOn => {}
        }
    }

    // Lets a savepoint wait for the next statement, unless the server would refuse it, or it is not known what the server says of
    // an earlier call.
    async fn control(&mut self) -> Result<()> {
        if self.state == State::Open && self.session()?.is_idle() {
            return Ok(());
        }
        let Some(before) = self.take_deferred(true)? else { return Ok(()) };
        let result = self.session()?.send(&before).await;
        self.note(Some(&before), result.as_ref().err().map_or(Effect::GoesOn, Failure::effect));
        result.map_err(Failure::into_error)
    }

    fn begin_as(&mut self, sql: String) -> Result<()> {
        // The server only warns, and goes on with the open transaction.
        if self.state != State::Outside || self.session()?.is_inside {
            return Err(error::ended("a transaction is open already"));
        }
        if self.session()?.is_closed() {
            return Err(error::lost(&sql));
        }
        self.deferred.begin(sql);
        self.state = State::Open;
        Ok(())
    }

    async fn undo(&mut self) -> Result<()> {
        self.deferred.clear();
        let session = self.session.as_mut().ok_or_else(gone)?;
        // The server has rolled back what a closed session left.
        if session.is_inside && !session.is_closed() {
            self.state = State::Ending;
            session.simple("ROLLBACK").await?;
            session.is_inside = false;
        }
        self.state = State::Outside;
        Ok(())
    }

    // Rolls back to a savepoint that the server may have.
    async fn undo_to(&mut self, undo: &str) -> Result<()> {
        let is_surely_aborted = self.state == State::Aborted && !self.session()?.is_busy;
        let session = self.session()?;
        if !is_surely_aborted {
            // An earlier call whose answer was dropped may have undone it already. A savepoint that does not exist aborts the
            // transaction, so another one is set first.
            match session.raw(&format!("SAVEPOINT assoc_guard; {undo}")).await {
                Ok(()) => return Ok(()),
                Err(error) if error.code() == Some(&SqlState::S_E_INVALID_SPECIFICATION) => {
                    return session.simple("ROLLBACK TO SAVEPOINT assoc_guard; RELEASE SAVEPOINT assoc_guard").await;
                }
                Err(error) if error.code() == Some(&SqlState::IN_FAILED_SQL_TRANSACTION) => {}
                Err(error) => return Err(error::of_statement(error, undo)),
            }
        }
        session.simple(undo).await
    }
}

fn gone() -> Error {
    error::ended("the connection is gone")
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
            self.require_begun().await?;
            // A watch may panic, which must not lose a savepoint.
            let watched = match Watched::begin(queries, watch) {
                Ok(watched) => watched,
                Err(refused) => return refused,
            };
            let before = self.take_deferred(true)?;
            let Ended { result, effect } = self.session()?.run_together(before.as_ref(), watched).await;
            self.note(before.as_ref(), effect);
            result
        })
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move { Ok(ExecResult::new(self.run(statement, None).await?, None)) })
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.begin_as(begin(mode, None)?.into()) })
    }

    fn begin_isolated(&mut self, mode: TransactionMode, level: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.begin_as(begin(mode, Some(level))?.into()) })
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let is_unsent = self.deferred.is_unsent();
            self.deferred.clear();
            if is_unsent {
                // Nothing was done.
                self.state = State::Outside;
                return Ok(());
            }
            if matches!(self.state, State::Sent { .. }) || (self.state == State::Open && self.session()?.is_busy) {
                self.settle().await?;
            }
            let refusal = match self.state {
                State::NotBegun { may_have_written } => Some(error::not_begun(may_have_written)),
                State::Ending => Some(error::of_unknown_end()),
                State::Aborted => {
                    let why = "a statement of it has failed, so it was rolled back and not committed";
                    Some(error::ended(why))
                }
                State::Outside | State::Sent { .. } | State::Open => None,
            };
            if let Some(refusal) = refusal {
                self.undo().await?;
                return Err(refusal);
            }
            self.state = State::Ending;
            let session = self.session()?;
            let was_open = !session.is_closed();
            let result = session.raw("COMMIT").await;
            // A COMMIT that was stopped before it began leaves the transaction, which is rolled back.
            let is_over = match &result {
                Ok(()) => true,
                Err(_) => !session.is_closed() && session.raw("ROLLBACK").await.is_ok(),
            };
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
            self.require_begun().await?;
            self.deferred.set(depth);
            self.control().await
        })
    }

    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.require_begun().await?;
            self.deferred.release(depth);
            self.control().await
        })
    }

    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            if let State::Sent { .. } = self.state {
                self.settle().await?;
            }
            if matches!(self.state, State::NotBegun { .. } | State::Ending) {
                return Ok(());
            }
            let Some(savepoint) = self.deferred.undo(depth) else {
                return if self.session()?.is_closed() { Err(error::lost("ROLLBACK TO SAVEPOINT")) } else { Ok(()) };
            };
            let undo = format!("ROLLBACK TO SAVEPOINT {savepoint}; RELEASE SAVEPOINT {savepoint}");
            self.undo_to(&undo).await?;
            self.deferred.undone(depth);
            self.state = State::Open;
            Ok(())
        })
    }
}

/// A connection that was dropped in the middle of something is closed, and the server told to stop. That is a request on another
/// connection, which comes too late to hit a `BEGIN` and spare the statement behind it. One that was dropped inside a
/// transaction is rolled back before it can be handed out again.
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
