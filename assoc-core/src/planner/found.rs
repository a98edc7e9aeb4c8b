//! Associations with a statement of their own (`finder_sql`): what can be put on top of it.

use super::wanted::Wanted;
use super::{Plan, Step};
use crate::error::{Error, Result};
use crate::metadata::association::{Finder, Hop};
use crate::sql::{KeyedSelect, PerOwner, RowOrder, ascending_once};

impl Plan {
    pub(super) fn add_found(&mut self, node: usize, wanted: Wanted, finder: Finder) -> Result<usize> {
        let Wanted { association, shape, state, reordered, hidden, .. } = wanted;
        let refuse = |what: &str| {
            let message = format!("`{}` has SQL of its own (`finder_sql`): {what}", association.name);
            Err(Error::invalid_query((association.owner)().name, message))
        };
        if hidden {
            return refuse("no other association can go through it");
        }
        if shape.distinct {
            return refuse("say `DISTINCT` there");
        }
        if !shape.group.is_empty() {
            return refuse("`group_by` does not work on top of it, say which rows there are in the SQL");
        }
        let model = (association.target)();
        let limited = shape.limit.is_some() || shape.offset.is_some();
        let select = KeyedSelect {
            filter: shape.filter,
            order: shape.order,
            selected: shape.select.map(|columns| ascending_once(&columns)),
            row_order: RowOrder::ByKey,
            per_owner: limited.then(|| PerOwner { limit: shape.limit, offset: shape.offset.unwrap_or(0) }),
            ..KeyedSelect::new(model, &[])
        };
        // By no key: which rows an owner has is for the statement to say.
        let hop = Hop { owner_columns: &[], target_columns: &[], unique: false, target_type: None };
        let edge = self.push_edge(node, association, hop, select, state, false, false, None, false);
        self.nodes[node].edges[edge].reordered = reordered;
        if let Some(step) = self.steps.last_mut() {
            step.finder = Some(finder);
        }
        Ok(edge)
    }
}

impl Step {
    /// Whether a statement asks about all of its owners at once, by their keys.
    pub(super) fn is_keyed(&self) -> bool {
        self.by_owner.is_none() && self.finder.is_none() && self.loader.is_none()
    }
}
