//! Associations that go through others and have a condition of their own: one statement that joins all tables on the way.
//!
//! Part by part is the rule, because targets that are reached often come once and the rows between can serve others. Where
//! a condition drops targets, that reads links for nothing; and a statement that begins at the owners' keys and ends at
//! the targets needs no part of its own. So it is what such an association gets, unless the rows between are loaded
//! anyway: then the parts cost no more. Parts that choose among their rows by more than a condition (a limit, a group,
//! a scope by owner) are loaded one after the other as ever, and so are those whose conditions are SQL of the
//! application's own, which was written for one table.

use super::wanted::Wanted;
use super::{EdgeId, Plan, Root};
use crate::error::Result;
use crate::metadata::association::{AssociationDef, Hop, Route};
use crate::metadata::request::{Request, Strategy};

impl Plan {
    // Adds an edge whose statement goes the whole way, if there is one that can and should.
    pub(super) fn add_by_way(
        &mut self,
        node: usize,
        wanted: &Wanted,
        through: &'static AssociationDef,
        source: &'static AssociationDef,
        source_type: Option<&'static str>,
    ) -> Result<Option<usize>> {
        if !wanted.alone || wanted.hidden || wanted.joined || wanted.shape.filter.is_always() {
            return Ok(None);
        }
        let mut parts = Plan::of_root(Root::Fetched, self.nodes[node].model);
        let (shape, asked) = (wanted.shape.clone(), wanted.asked.clone());
        let by_parts = Wanted { shape, asked, loader: None, alone: false, ..*wanted };
        let edge = parts.add_through(0, by_parts, through, source, source_type)?;
        let (Some(way), Some(step)) = (parts.way_of(EdgeId { node: 0, edge }), parts.steps.pop()) else {
            return Ok(None);
        };
        // Without a key, rows that come several times could not be told from equal ones. Numbers of rows are those of one
        // owner's, and not every database has them.
        if way.target.primary_key.is_empty() || way.numbers_rows() || way.owner_type.is_some() {
            return Ok(None);
        }
        let hop = Hop {
            owner_columns: way.owner_columns,
            target_columns: step.select.columns,
            unique: false,
            target_type: None,
        };
        let edge = self.push_edge(node, wanted.association, hop, step.select, wanted.state, false, false, None, false);
        self.nodes[node].edges[edge].reordered = wanted.reordered;
        if let Some(step) = self.steps.last_mut() {
            step.way = Some(Box::new(way));
        }
        Ok(Some(edge))
    }
}

/// The associations among these requests that are loaded as they are, by statements of their own.
pub(super) fn loaded_whole(requests: &[Request]) -> Vec<&'static AssociationDef> {
    let is_whole = |request: &&Request| {
        request.strategy != Strategy::Joined
            && request.loader.is_none()
            && request.shape.is_whole()
            && request.shape.order.is_empty()
    };
    requests.iter().filter(is_whole).map(|request| request.association).collect()
}

/// Whether the rows that an association goes through are loaded anyway: by themselves, or as a part of another.
pub(super) fn is_between_loaded(association: &AssociationDef, siblings: &[&'static AssociationDef]) -> Result<bool> {
    let Route::Through { through, .. } = association.kind.route(association)? else { return Ok(false) };
    for sibling in siblings {
        let loads = match sibling.kind.route(sibling)? {
            Route::Through { through: between, .. } => {
                // One with a condition goes the whole way by itself.
                sibling.scope().filter.is_always() && (between == through || *sibling == through)
            }
            _ => *sibling == through,
        };
        if loads {
            return Ok(true);
        }
    }
    Ok(false)
}
