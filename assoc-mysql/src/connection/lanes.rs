//! Statements that do not need each other's rows, on several connections at once.
//!
//! Each connection takes the next statement when it has the answer of its last one. What is told of them is in their order, as
//! if they had run one after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assoc_core::Result;
use assoc_core::driver::{IndependentQuery, StatementKind, StatementWatch};
use assoc_dialects::mysql::effects::only_reads;
use futures_util::future::{join, join_all};

use super::{MySqlConnection, Transaction};
use crate::session::Session;

/// Whether a connection serves some statements of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spare {
    No,
    Alive,
    /// The server had closed it. No other takes its place, because the first connection can run its statements.
    Lost,
}

impl MySqlConnection {
    /// Idle connections on which some of these statements can run. None where this one may see what others do not: inside a
    /// transaction, or in a session that was altered.
    pub(super) fn spare(&self, queries: &[IndependentQuery<'_>]) -> Vec<MySqlConnection> {
        let reads = |query: &IndependentQuery<'_>| {
            query.statement.kind() == StatementKind::Select && only_reads(query.statement.sql())
        };
        let is_altered = self.session.as_ref().is_none_or(Session::is_altered);
        if self.busy || self.transaction != Transaction::None || is_altered || !queries.iter().all(reads) {
            return Vec::new();
        }
        let most = self.pool.options().spare_connections.min(queries.len().saturating_sub(1));
        let connection = |acquired| {
            let mut connection = MySqlConnection::new(Arc::clone(&self.pool), acquired);
            connection.spare = Spare::Alive;
            connection
        };
        self.pool.spare(most).into_iter().map(connection).collect()
    }

    /// Whether it was a spare one, and the server has closed it before a statement began. That statement can run elsewhere.
    fn is_lost_spare(&self) -> bool {
        self.spare == Spare::Lost
    }
}

/// Runs statements on a connection and on those beside it.
pub(super) async fn run_beside<'q>(
    first: &mut MySqlConnection,
    beside: Vec<MySqlConnection>,
    queries: Vec<IndependentQuery<'q>>,
    watch: &'q mut dyn StatementWatch,
) -> Result<()> {
    let lanes = &Lanes::new(queries, watch);
    // Each goes back to the pool when no statement waits.
    let beside = beside.into_iter().map(|mut connection| async move { lanes.run(&mut connection).await });
    join(lanes.run(first), join_all(beside)).await;
    // What the server did not answer on another connection.
    lanes.run(first).await;
    lanes.finish()
}

/// The statements, and how far they have come.
struct Lanes<'q> {
    state: Mutex<State<'q>>,
}

struct State<'q> {
    waiting: VecDeque<IndependentQuery<'q>>,
    /// Those that have begun on a connection which was lost.
    returned: Vec<(usize, IndependentQuery<'q>)>,
    watch: &'q mut dyn StatementWatch,
    /// What came of each statement that has begun.
    outcomes: Vec<Option<Result<()>>>,
    /// Of how many the watch was told that they ended.
    told: usize,
    /// Why no further statement begins.
    refused: Result<()>,
}

impl<'q> Lanes<'q> {
    fn new(queries: Vec<IndependentQuery<'q>>, watch: &'q mut dyn StatementWatch) -> Self {
        let outcomes = Vec::with_capacity(queries.len());
        let state = State { waiting: queries.into(), returned: Vec::new(), watch, outcomes, told: 0, refused: Ok(()) };
        Lanes { state: Mutex::new(state) }
    }

    /// Runs statements on one connection until none waits.
    async fn run(&self, connection: &mut MySqlConnection) {
        loop {
            // The lock is given back before anything is awaited.
            let next = self.state().begin();
            let Some((at, IndependentQuery { statement, sink, .. })) = next else { return };
            let outcome = connection.run_query(statement, &mut *sink).await;
            if connection.is_lost_spare() {
                self.state().returned.push((at, IndependentQuery::new(statement, sink)));
                return;
            }
            self.state().end(at, outcome);
        }
    }

    /// The first error, in the order of the statements.
    fn finish(&self) -> Result<()> {
        let mut state = self.state();
        let outcomes = std::mem::take(&mut state.outcomes).into_iter().flatten().collect::<Result<()>>();
        outcomes.and(std::mem::replace(&mut state.refused, Ok(())))
    }

    // A sink panics outside of the lock. The watch is the program's log: after a panic of it nothing here is used any more.
    fn state(&self) -> MutexGuard<'_, State<'q>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'q> State<'q> {
    fn begin(&mut self) -> Option<(usize, IndependentQuery<'q>)> {
        if let Some(returned) = self.returned.pop() {
            return Some(returned);
        }
        let query = self.waiting.pop_front()?;
        let at = self.outcomes.len();
        if let Err(error) = self.watch.begins(at) {
            self.refused = Err(error);
            self.waiting.clear();
            return None;
        }
        self.outcomes.push(None);
        Some((at, query))
    }

    fn end(&mut self, at: usize, outcome: Result<()>) {
        if outcome.is_err() {
            self.waiting.clear();
        }
        if let Some(place) = self.outcomes.get_mut(at) {
            *place = Some(outcome);
        }
        while let Some(Some(outcome)) = self.outcomes.get(self.told) {
            self.watch.ended(self.told, outcome);
            self.told += 1;
        }
    }
}
