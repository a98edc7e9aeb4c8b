//! Several statements at once: all are sent before the first answer is read, so they take one turn.
//!
//! The server answers in the order of the statements. What is not prepared yet is prepared first, also at once. If the server
//! refuses one of the texts, none runs: in a transaction the refusal would be the error of every other statement.

use std::future::poll_fn;
use std::task::Poll;

use assoc_core::driver::{BoxFuture, IndependentQuery, RowSink, Statement, StatementWatch};
use assoc_core::{Error, Result};
use futures_util::future::{join, join_all};
use tokio_postgres::Statement as Prepared;

use crate::deferred::Before;
use crate::session::{Effect, Failure, Session};

type Outcome = std::result::Result<(), Failure>;

/// Statements whose watch knows that they begin.
pub(crate) struct Watched<'q> {
    statements: Vec<&'q Statement>,
    sinks: Vec<&'q mut dyn RowSink>,
    watch: &'q mut dyn StatementWatch,
    refused: Option<Error>,
}

impl<'q> Watched<'q> {
    /// Tells the watch of the statements, up to the first that it refuses. `Err` is the outcome if there is none to be sent.
    pub(crate) fn begin(
        queries: Vec<IndependentQuery<'q>>,
        watch: &'q mut dyn StatementWatch,
    ) -> std::result::Result<Self, Result<()>> {
        let mut watched = Watched { statements: Vec::new(), sinks: Vec::new(), watch, refused: None };
        for (at, IndependentQuery { statement, sink }) in queries.into_iter().enumerate() {
            if let Err(refused) = watched.watch.begins(at) {
                watched.refused = Some(refused);
                break;
            }
            watched.statements.push(statement);
            watched.sinks.push(sink);
        }
        if watched.statements.is_empty() { Err(watched.refused.map_or(Ok(()), Err)) } else { Ok(watched) }
    }
}

/// How several statements ended.
pub(crate) struct Ended {
    /// The error of the first that failed.
    pub(crate) result: Result<()>,
    /// What it means for the transaction that they ran in.
    pub(crate) effect: Effect,
}

impl Session {
    /// Runs statements of the library that read. What goes before them takes no turn.
    pub(crate) async fn run_together(&mut self, before: Option<&Before>, watched: Watched<'_>) -> Ended {
        let Watched { statements, mut sinks, watch, refused } = watched;
        self.follow_schema();
        self.is_busy = true;
        let mut told = Told { watch, failed: None, effect: Effect::GoesOn, spoiled: Vec::new() };
        match self.prepare_all(before, &statements).await {
            Ok((before, prepared)) => {
                let rest = self.send_all(before, &statements, &mut sinks, prepared, &mut told).await;
                for (at, outcome) in rest {
                    let outcome = match outcome {
                        Err(Failure::Outdated(_)) => {
                            // Nothing was executed, and no transaction was aborted by it.
                            self.forget(statements[at].sql());
                            self.prepare_and_run(statements[at], Some(&mut *sinks[at])).await.map(drop)
                        }
                        outcome => outcome,
                    };
                    told.tell(at, outcome);
                }
            }
            Err((at, failure)) => told.tell(at, Err(failure)),
        }
        self.is_busy = false;
        let Told { failed, effect, spoiled, .. } = told;
        // Its plan may be what is wrong: a table has changed since.
        spoiled.into_iter().for_each(|at| self.forget(statements[at].sql()));
        Ended { result: failed.or(refused).map_or(Ok(()), Err), effect }
    }

    // The statements as the server knows them, and what is still to be sent before them; or the first that it refuses. What goes
    // before them fails as the first.
    async fn prepare_all<'b>(
        &mut self,
        before: Option<&'b Before>,
        statements: &[&Statement],
    ) -> std::result::Result<(Option<&'b Before>, Vec<Prepared>), (usize, Failure)> {
        let mut known: Vec<Option<Prepared>> = statements.iter().map(|statement| self.known(statement.sql())).collect();
        let missing: Vec<usize> = (0..known.len()).filter(|at| known[*at].is_none()).collect();
        if missing.is_empty() {
            return Ok((before, known.into_iter().flatten().collect()));
        }
        let first = async {
            match before {
                Some(before) => self.send_before(before).await,
                None => Ok(()),
            }
        };
        // All of them are polled: the type of a column may have to be asked for, behind the other answers.
        let (first, made) = join(first, join_all(missing.iter().map(|at| self.prepare(statements[*at].sql())))).await;
        first.map_err(|failure| (0, failure))?;
        for (at, made) in missing.into_iter().zip(made) {
            let made = made.map_err(|failure| (at, failure))?;
            self.keep(statements[at], &made);
            known[at] = Some(made);
        }
        Ok((None, known.into_iter().flatten().collect()))
    }

    // Runs prepared statements, and says how they ended. From the first on that is outdated outside of a transaction, the
    // outcomes are returned instead.
    async fn send_all(
        &self,
        before: Option<&Before>,
        statements: &[&Statement],
        sinks: &mut [&mut dyn RowSink],
        prepared: Vec<Prepared>,
        told: &mut Told<'_>,
    ) -> Vec<(usize, Outcome)> {
        let mut first = before.map(|before| Running { run: Box::pin(self.send_before(before)), outcome: None });
        if let Some(first) = &mut first {
            first.send().await;
        }
        let mut running: Vec<Running<'_>> = Vec::with_capacity(prepared.len());
        for ((statement, sink), prepared) in statements.iter().zip(sinks).zip(prepared) {
            let run = async move { self.run_prepared(&prepared, statement, Some(&mut **sink)).await.map(drop) };
            let mut next = Running { run: Box::pin(run), outcome: None };
            next.send().await;
            let was_refused = matches!(next.outcome, Some(Err(_)));
            running.push(next);
            if was_refused {
                break;
            }
        }
        let mut refused = match first {
            Some(first) => first.end().await.err(),
            None => None,
        };
        let mut rest = Vec::new();
        for (at, next) in running.into_iter().enumerate() {
            let outcome = next.end().await;
            // What goes before them fails as the first of them.
            let outcome = refused.take().map_or(outcome, Err);
            if rest.is_empty() && (self.is_inside || !matches!(outcome, Err(Failure::Outdated(_)))) {
                told.tell(at, outcome);
            } else {
                rest.push((at, outcome));
            }
        }
        rest
    }
}

/// A statement that was sent.
struct Running<'r> {
    run: BoxFuture<'r, Outcome>,
    outcome: Option<Outcome>,
}

impl Running<'_> {
    // The client sends a statement when its future is polled for the first time.
    async fn send(&mut self) {
        poll_fn(|context| {
            if let Poll::Ready(outcome) = self.run.as_mut().poll(context) {
                self.outcome = Some(outcome);
            }
            Poll::Ready(())
        })
        .await;
    }

    async fn end(self) -> Outcome {
        match self.outcome {
            Some(outcome) => outcome,
            None => self.run.await,
        }
    }
}

/// What became of the statements so far.
struct Told<'w> {
    watch: &'w mut dyn StatementWatch,
    failed: Option<Error>,
    effect: Effect,
    // Statements that are to be prepared again.
    spoiled: Vec<usize>,
}

impl Told<'_> {
    fn tell(&mut self, at: usize, outcome: Outcome) {
        let result = outcome.map_err(|failure| {
            if self.effect == Effect::GoesOn {
                self.effect = failure.effect();
            }
            if failure.effect() == Effect::Aborts {
                self.spoiled.push(at);
            }
            failure.into_error()
        });
        self.watch.ended(at, &result);
        if let Err(error) = result {
            self.failed.get_or_insert(error);
        }
    }
}
