//! Whose rows are followed by rows that stay.

use super::{DestroyEdge, DestroyNode, DestroyPlan, Effect};
use crate::counters::Children;
use crate::metadata::association::{Dependent, KeySide, Parent};
use crate::metadata::model::ModelDef;

impl DestroyPlan {
    /// Whether the statement that deletes rows of a model gives back whom they belonged to, so that nothing reads it
    /// before, as far as the database can do that. Not where keys may be cleared first, nor where several models share the
    /// table and each follows its own.
    #[must_use]
    pub fn deletes_returning(&self, model: &ModelDef) -> bool {
        let mut nodes = self.nodes.iter().enumerate().filter(|(_, node)| node.model.table == model.table);
        nodes.all(|(at, node)| node.model == model && !self.stage_of(at).in_waves)
    }
}

/// The models of rows that go or are cleared, each with the parents that may stay. Where rows are only reached by the key of
/// an owner that goes, that owner is none of them.
pub(super) fn children(nodes: &[DestroyNode], edges: &[DestroyEdge]) -> Vec<Children> {
    let cleared = edges.iter().filter(|edge| matches!(edge.effect, Effect::Clear { .. })).map(|edge| edge.rows.model);
    let mut models: Vec<&'static ModelDef> = Vec::new();
    for model in nodes.iter().map(|node| node.model).chain(cleared) {
        if !models.contains(&model) {
            models.push(model);
        }
    }
    let of_model = |model: &'static ModelDef| {
        let mut children = Children::of(model)?;
        children.parents.retain(|parent| {
            if parent.key_side == KeySide::Target {
                // What belongs to a row that goes stays, unless it goes with it.
                return !matches!(parent.association.options.dependent, Some(Dependent::Destroy | Dependent::Delete));
            }
            let is_root = nodes[0].model == model;
            is_root || leading_to(model, nodes, edges).any(|edge| may_stay(parent, edge, nodes))
        });
        (!children.parents.is_empty()).then_some(children)
    };
    models.into_iter().filter_map(of_model).collect()
}

fn leading_to<'e>(
    model: &'static ModelDef,
    nodes: &'e [DestroyNode],
    edges: &'e [DestroyEdge],
) -> impl Iterator<Item = &'e DestroyEdge> {
    edges.iter().filter(move |edge| match edge.effect {
        Effect::Remove { node } => nodes[node].model == model,
        Effect::Clear { .. } => edge.rows.model == model,
        Effect::Restrict(_) => false,
    })
}

// Whether a parent of rows that an edge leads to may be another row than the owner, or one in which something else follows.
fn may_stay(parent: &Parent, edge: &DestroyEdge, nodes: &[DestroyNode]) -> bool {
    let key = edge.rows.key;
    let is_owner = edge.rows.foreign_key == KeySide::Target
        && nodes[edge.from].model == parent.model
        && key.owner_columns == parent.key
        && key.target_columns == parent.foreign_key
        && key.target_type == parent.named;
    let is_moved = match &edge.effect {
        Effect::Clear { columns, .. } => {
            !parent.touched.is_empty() || parent.columns().any(|column| columns.contains(&column))
        }
        _ => true,
    };
    !is_owner && is_moved
}
