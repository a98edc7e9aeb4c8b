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
use crate::dialect::{Dialect, Recursions};
use crate::metadata::association::Cardinality;
use crate::select::RowOrder;

/// Levels from which on steps are a recursion. Of two levels one statement would save one turn alone.
const FEWEST_LEVELS: usize = 3;

/// A step's place in a recursion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecursionLevel {
    /// The step of its first level.
    pub first: usize,
    /// How many levels of it come before this one.
    pub above: usize,
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
        let next: Vec<Option<(usize, usize)>> = (first..self.steps.len()).map(|at| self.level_below(at)).collect();
        let mut is_below = vec![false; count];
        next.iter().flatten().for_each(|(below, _)| is_below[below - first] = true);
        for start in (0..count).filter(|at| !is_below[*at]) {
            let Some((_, onward)) = next[start] else { continue };
            let below = |at: &usize| next[at - first].map(|(below, _)| below);
            let levels: Vec<usize> = std::iter::successors(Some(first + start), below).collect();
            if levels.len() < FEWEST_LEVELS {
                continue;
            }
            for (above, at) in levels.iter().enumerate() {
                let below = levels.len() - 1 - above;
                self.steps[*at].recursion = Some(RecursionLevel { first: first + start, above, below, onward });
            }
        }
    }

    // The step that reads the rows below all rows of a step, by the association that led to these, and the column with their
    // keys. A step whose rows are those of another place as well has no such step: what is below them there would be read in vain.
    fn level_below(&self, at: usize) -> Option<(usize, usize)> {
        let mut found = None;
        for served in &self.steps[at].serves {
            let edge = self.edge(*served);
            let mut below = self.nodes[edge.child].edges.iter().filter(|below| below.association == edge.association);
            let Source::Step { step, hop } = below.next()?.source else { return None };
            let ([onward], None) = (hop.owner_columns, hop.target_type) else { return None };
            // The first of several rows is chosen in memory, and what is below the others is not wanted.
            let takes_all = edge.cardinality == Cardinality::Many || hop.unique;
            if !takes_all || found.is_some_and(|found| found != (step, *onward)) {
                return None;
            }
            found = Some((step, *onward));
        }
        let (step, onward) = found?;
        let (own, other) = (&self.steps[at], &self.steps[step]);
        (own.may_recur(onward) && other.may_recur(onward) && own.select == other.select).then_some((step, onward))
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

    /// Its place in a recursion, on a database that reads recursions at once.
    pub(super) fn read_at_once(&self, dialect: &dyn Dialect) -> Option<RecursionLevel> {
        self.recursion.filter(|_| dialect.capabilities().recursions == Recursions::AtOnce)
    }
}
