//! `belongs_to`: the foreign key is on the owner, at most one target.

use super::dependent::{DependentRows, by_key};
use super::{AssociationBehavior, AssociationDef, AssociationKind, Cardinality, KeyJoin, Linkage, Parent, Route};
use crate::error::Result;

/// `belongs_to` with its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BelongsToKind {
    /// The owner's foreign key columns.
    pub foreign_key: &'static [usize],
    /// The target's columns they refer to.
    pub target_key: &'static [usize],
}

impl AssociationBehavior for BelongsToKind {
    fn association_kind(&self) -> AssociationKind {
        AssociationKind::BelongsTo
    }

    fn cardinality(&self) -> Cardinality {
        Cardinality::One
    }

    fn route(&self, association: &AssociationDef) -> Result<Route> {
        Ok(Route::OwnerKey(self.key(association)))
    }

    fn linkage(&self, association: &AssociationDef) -> Result<Linkage> {
        Ok(Linkage::OwnerKey(self.key(association)))
    }

    fn dependents(&self, association: &AssociationDef) -> Result<Vec<DependentRows>> {
        let rows = by_key(association, self.key(association))?;
        Ok(rows.into_iter().map(DependentRows::owned_key).collect())
    }

    fn parents(&self, association: &'static AssociationDef) -> Vec<Parent> {
        let parent = Parent::of(association, 0, (association.target)(), self.target_key, self.foreign_key);
        parent.into_iter().collect()
    }
}

impl BelongsToKind {
    fn key(&self, association: &AssociationDef) -> KeyJoin {
        KeyJoin {
            owner_columns: self.foreign_key,
            target_columns: self.target_key,
            unique: (association.target)().primary_key == self.target_key,
            target_type: None,
        }
    }
}
