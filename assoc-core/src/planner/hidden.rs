//! What may hide the target of an association that must have one: asked where a look-up found no row, so that the error of
//! reading it does not say that there is none.

use super::{Edge, Plan, Source};
use crate::error::HiddenBy;
use crate::metadata::association::{Cardinality, Chain, LoadState};
use crate::metadata::model::ModelDef;
use crate::metadata::request::ScopeDef;

impl Plan {
    /// Which filter the rows of an edge were read under, where its single target must exist. `None` if there was no filter,
    /// and for an edge that is partly loaded, whose state says so.
    #[must_use]
    pub fn hidden_by(&self, edge: &Edge) -> Option<HiddenBy> {
        let association = edge.association;
        let is_required = association.kind.cardinality() == Cardinality::One && !association.options.optional;
        if !is_required || edge.hidden || edge.state != LoadState::Loaded {
            return None;
        }
        let chain = Chain::scoped(association, ScopeDef::default()).ok()?;
        let hides =
            |model: &&'static ModelDef| self.row_filters.as_ref().is_some_and(|filters| (filters.0)(model).is_some());
        let only = edge.variant.map(|variant| (variant.def.model)());
        let hops = || chain.hops().into_iter().filter(move |hop| only.is_none_or(|only| hop.model == only));
        let by_scope = chain.leaves().iter().any(|leaf| !leaf.scope.filter.is_always())
            || !chain.scope.filter.is_always()
            || association.options.owner_scope.is_some();
        let kinds = [
            (hops().any(|hop| hides(&hop.model)), HiddenBy::FilteredRepo),
            (by_scope, HiddenBy::Declared),
            (hops().any(|hop| !hop.model.base_scope(chain.scope.unscoped).filter.is_always()), HiddenBy::ModelScope),
        ];
        let mut hiding = kinds.into_iter().filter_map(|(hides, by)| hides.then_some(by));
        let first = hiding.next()?;
        Some(if hiding.next().is_some() { HiddenBy::Several } else { first })
    }

    /// The owner's columns that must have values for an edge to have a row: a key that is `NULL` refers to nothing, whatever is
    /// hidden.
    #[must_use]
    pub fn key_of_owner(&self, edge: &Edge) -> Vec<usize> {
        match edge.source {
            Source::Step { hop, .. } => hop.owner_columns.to_vec(),
            Source::OwnerStep { .. } | Source::Joined { .. } | Source::Through { .. } => {
                Chain::keys(edge.association).map(|chain| chain.owner_columns()).unwrap_or_default()
            }
        }
    }
}
