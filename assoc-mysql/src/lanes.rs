//! Statements that do not need each other's rows, on several connections at once.
//!
//! Each connection takes the next statement when it has the answer of its last one. What is told of them is in their order, as
//! if they had run one after the other.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use assoc_core::Result;
use assoc_core::driver::{IndependentQuery, StatementWatch};

use crate::connection::MySqlConnection;

/// The statements, and how far they have come.
pub(crate) struct Lanes<'q> {
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
    pub(crate) fn new(queries: Vec<IndependentQuery<'q>>, watch: &'q mut dyn StatementWatch) -> Self {
        let outcomes = Vec::with_capacity(queries.len());
        let state = State { waiting: queries.into(), returned: Vec::new(), watch, outcomes, told: 0, refused: Ok(()) };
        Lanes { state: Mutex::new(state) }
    }

    /// Runs statements on one connection until none waits.
    pub(crate) async fn run(&self, connection: &mut MySqlConnection) {
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
    pub(crate) fn finish(self) -> Result<()> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.outcomes.into_iter().flatten().collect::<Result<()>>().and(state.refused)
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
