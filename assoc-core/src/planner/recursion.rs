//! Recursions: steps of which each reads the rows below those of the one before, by one association of a model with itself.
//!
//! One recursive statement can read the rows of all of them, which is faster where the database is far away: a level waits for
//! the level before otherwise. The steps stay as they are. The first reads ahead, and those below it take their rows from
//! what it has read, so that nodes, links and the order of rows do not depend on how they came.
//!
//! Such a statement exists where a key is one signed integer, and where nothing is counted or ordered for each owner:
//! neither a window nor a seek may stand in its recursive part. Everything else runs level by level.

use super::{Fetch, Plan, Source, Step};
use crate::column_type::SqlType;
use crate::select::RowOrder;

/// Levels from which on steps are a recursion. Two levels are a preload in a preload, which a join reads about as fast.
const FEWEST_LEVELS: usize = 3;

/// A step's place in a recursion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecursionLevel {
    /// The step of its first level.
    pub first: usize,
    /// How many levels follow this one.
    pub below: usize,
    /// The column of a row that has the key of the rows below it.
    pub onward: usize,
}

impl Plan {
    /// Finds the recursions among the steps from one on.
    pub(super) fn find_recursions(&mut self, first: usize) {
        let count = self.steps.len() - first;
        if count < FEWEST_LEVELS {
            return;
        }
        // Of each step, the level before it, and the next one.
        let before: Vec<Option<(usize, usize)>> =
            (first..self.steps.len()).map(|at| self.level_before(first, at)).collect();
        let mut next: Vec<Option<usize>> = vec![None; count];
        for (at, before) in before.iter().enumerate() {
            if let Some((before, _)) = before {
                next[*before].get_or_insert(at);
            }
        }
        for start in 0..count {
            let follows = before[start].is_some_and(|(before, _)| next[before] == Some(start));
            let Some((_, onward)) = next[start].and_then(|next| before[next]).filter(|_| !follows) else { continue };
            let levels: Vec<usize> = std::iter::successors(Some(start), |at| next[*at]).collect();
            if levels.len() < FEWEST_LEVELS {
                continue;
            }
            for (level, at) in levels.iter().enumerate() {
                let below = levels.len() - 1 - level;
                self.steps[first + at].recursion = Some(RecursionLevel { first: first + start, below, onward });
            }
        }
    }

    // The step, counted from the first, whose rows are owners of this step's by the same association, and the column that has
    // their keys: if both read the same rows but for the keys.
    fn level_before(&self, first: usize, at: usize) -> Option<(usize, usize)> {
        let step = &self.steps[at];
        step.serves.iter().find_map(|served| {
            let edge = self.edge(*served);
            let before = self.edge(self.nodes[served.node].fetched_by?);
            let Source::Step { hop, .. } = edge.source else { return None };
            let ([onward], None) = (hop.owner_columns, hop.target_type) else { return None };
            if before.association != edge.association {
                return None;
            }
            let other = self.step_of(served.node).and_then(|other| other.checked_sub(first))?;
            let is_next = step.may_recur(*onward) && step.select == self.steps[first + other].select;
            is_next.then_some((other, *onward))
        })
    }

    /// How many of the steps need no statement where recursions are read at once.
    pub(super) fn answered_steps(&self) -> usize {
        self.steps.iter().enumerate().filter(|(at, step)| step.is_answered(*at)).count()
    }
}

impl Step {
    // Whether one statement can read the rows of several levels, of which each has its key in the row above.
    fn may_recur(&self, onward: usize) -> bool {
        let select = &self.select;
        let is_plain = select.per_owner.is_none() && select.group.is_empty() && select.rank_groups.is_empty();
        let is_integer = |column: usize| matches!(select.model.columns[column].sql_type, SqlType::Int(_));
        let by_integer = matches!(select.columns, [column] if is_integer(*column)) && is_integer(onward);
        matches!(self.fetch, Fetch::ByKey) && is_plain && by_integer && select.row_order != RowOrder::GloballyOrdered
    }

    /// Whether the first step of its recursion has read its rows, where recursions are read at once.
    pub(super) fn is_answered(&self, at: usize) -> bool {
        self.recursion.is_some_and(|level| level.first != at)
    }
}
