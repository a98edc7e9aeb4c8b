//! Statements that do not need each other's rows, on several connections at once.
//!
//! Each connection begins with a statement that it has prepared, if there is one, and takes the next when it has the answer of
//! its last one. What is told of them is in their order, as if they had run one after the other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assoc_core::Result;
use assoc_core::driver::{IndependentQuery, StatementKind, StatementWatch};
use assoc_dialects::mysql::effects::only_reads;
use futures_util::future::join_all;

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
        let mut texts: Vec<&str> = queries.iter().map(|query| query.statement.sql()).collect();
        if let Some(own) = texts.iter().position(|text| self.has_prepared(text)) {
            texts.remove(own);
        }
        self.pool.spare(most, &texts).into_iter().map(connection).collect()
    }

    fn has_prepared(&self, sql: &str) -> bool {
        self.session.as_ref().is_some_and(|session| session.has_prepared(sql))
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
    let own = Lane::Own(&mut *first);
    let connections = std::iter::once(own).chain(beside.into_iter().map(Lane::Beside)).collect();
    let texts: Vec<&str> = queries.iter().map(|query| query.statement.sql()).collect();
    let connections = in_turn(connections, &texts, |lane, text| lane.connection().has_prepared(text));
    let lanes = &Lanes::new(queries, watch);
    // They are polled in their order, so each takes its statement before one of them has an answer. Those beside go back to the
    // pool when no statement waits.
    join_all(connections.into_iter().map(|mut lane| async move { lanes.run(lane.connection()).await })).await;
    // What the server did not answer on another connection.
    lanes.run(first).await;
    lanes.finish()
}

/// One of the connections.
enum Lane<'c> {
    Own(&'c mut MySqlConnection),
    Beside(MySqlConnection),
}

impl Lane<'_> {
    fn connection(&mut self) -> &mut MySqlConnection {
        match self {
            Lane::Own(connection) => connection,
            Lane::Beside(connection) => connection,
        }
    }
}

/// Connections in the order of the statements that they begin with. A connection that has not prepared a text takes two turns for
/// it, and all wait for the slowest. So each statement gets one that has, and the others take what remains.
fn in_turn<C>(connections: Vec<C>, texts: &[&str], mut has_prepared: impl FnMut(&mut C, &str) -> bool) -> Vec<C> {
    let count = connections.len();
    let mut free = connections;
    let mut prepared: Vec<Option<C>> = Vec::with_capacity(count);
    for text in texts.iter().take(count) {
        let found = free.iter_mut().position(|connection| has_prepared(connection, text));
        prepared.push(found.map(|at| free.remove(at)));
    }
    prepared.resize_with(count, || None);
    let mut free = free.into_iter();
    prepared.into_iter().filter_map(|connection| connection.or_else(|| free.next())).collect()
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

#[cfg(test)]
mod tests {
    use super::in_turn;

    fn order(connections: &[(char, &[&str])], texts: &[&str]) -> String {
        let arranged = in_turn(connections.to_vec(), texts, |connection, text| connection.1.contains(&text));
        arranged.into_iter().map(|connection| connection.0).collect()
    }

    #[test]
    fn each_begins_with_what_it_has_prepared() {
        assert_eq!(order(&[('a', &["3"]), ('b', &["1"]), ('c', &["2"])], &["1", "2", "3"]), "bca");
        // Those that have prepared none take what remains.
        assert_eq!(order(&[('a', &[]), ('b', &["3"]), ('c', &["1"])], &["1", "2", "3"]), "cab");
        assert_eq!(order(&[('a', &[]), ('b', &[])], &["1", "2", "3"]), "ab");
        // More statements than connections: the others are taken when an answer has come.
        assert_eq!(order(&[('a', &["3"]), ('b', &["1"])], &["1", "2", "3"]), "ba");
        // More connections than statements.
        assert_eq!(order(&[('a', &[]), ('b', &["1"]), ('c', &["1"])], &["1"]), "bac");
    }
}
