//! `group_by` on an association: one row per owner for each combination of values of some columns.
//!
//! The row is the first by the association's order, then by primary key; limit and offset count the kept rows. So "the
//! latest article of each section" is an order and a group. The database decides which values are equal, because only
//! it knows its collations: `news` and `NEWS` may be one section. For an association by a key the statement numbers the
//! rows of each group. The rows of a through association are assigned to owners in memory, so the statement that
//! fetches the targets says to which group each belongs.

use super::Fetch;
use crate::error::{Error, Result};
use crate::joins::{GROUPED, cannot_join};
use crate::metadata::association::{AssociationDef, Chain};
use crate::metadata::model::ModelDef;
use crate::planner::{EdgeId, Plan, Source};

/// Refuses a group where an owner has a single row.
pub(super) fn check_group(chain: &Chain) -> Result<()> {
    let association = chain.association;
    if chain.scope.group.is_empty() || !chain.is_single() {
        return Ok(());
    }
    let message = format!("`group_by` on `{}` changes nothing: an owner has at most one target", association.name);
    Err(Error::invalid_query((association.owner)().name, message))
}

impl ModelDef {
    /// Refuses a default scope that groups: a read of a model has no owners whose rows could be grouped.
    ///
    /// # Errors
    /// When it does.
    pub fn check_default_group(&self, group: &[usize]) -> Result<()> {
        if group.is_empty() {
            return Ok(());
        }
        let message = "`group_by` works for the rows of an owner, so a default scope cannot say it: say it in the scope \
                       of an association";
        Err(Error::invalid_query(self.name, message))
    }
}

impl Plan {
    // Makes the step that fetches a node's rows say to which group each belongs. Planning merges no steps yet.
    pub(super) fn rank_groups(&mut self, association: &AssociationDef, node: usize, group: &[usize]) -> Result<()> {
        let Some(EdgeId { node, edge }) = self.nodes[node].fetched_by else { return Ok(()) };
        let step = match self.nodes[node].edges[edge].source {
            Source::Step { step, .. } => step,
            Source::Joined { .. } => return Err(cannot_join(association, GROUPED)),
            Source::OwnerStep { .. } | Source::Through { .. } => return Ok(()),
        };
        if matches!(self.steps[step].fetch, Fetch::OwnerScope(_)) {
            let message = format!(
                "`{}` groups rows that come by scopes of their owners, one after the other: group them there",
                association.name
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        let ranked = &mut self.steps[step].select.rank_groups;
        if !ranked.is_empty() && ranked != group {
            let message = format!(
                "`{}` groups rows that its source groups by other columns already: group them in one place",
                association.name
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        *ranked = group.to_vec();
        Ok(())
    }
}
