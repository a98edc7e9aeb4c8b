//! `has_one`: the foreign key is on the target, of which an owner has at most one. If several rows match, readers and
//! preloads take the first by the association's order; the primary key decides between equal rows.

use super::dependent::{DependentRows, by_key};
use super::has_many::key_of_targets;
use super::{AssociationBehavior, AssociationDef, AssociationKind, Cardinality, Linkage, Parent, Route};
use crate::error::Result;
use crate::metadata::model::Discriminator;

/// `has_one` with its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HasOneKind {
    /// The owner's columns the foreign key refers to.
    pub owner_key: &'static [usize],
    /// The target's foreign key columns.
    pub foreign_key: &'static [usize],
    /// For `as`: the target's column that names the owner's type, and the owner's tag.
    pub target_type: Option<Discriminator>,
}

impl AssociationBehavior for HasOneKind {
    fn association_kind(&self) -> AssociationKind {
        AssociationKind::HasOne
    }

    fn cardinality(&self) -> Cardinality {
        Cardinality::One
    }

    fn route(&self, association: &AssociationDef) -> Result<Route> {
        key_of_targets(association, self.owner_key, self.foreign_key, self.target_type).map(Route::TargetKey)
    }

    fn linkage(&self, association: &AssociationDef) -> Result<Linkage> {
        key_of_targets(association, self.owner_key, self.foreign_key, self.target_type).map(Linkage::TargetKey)
    }

    fn dependents(&self, association: &AssociationDef) -> Result<Vec<DependentRows>> {
        let key = key_of_targets(association, self.owner_key, self.foreign_key, self.target_type)?;
        Ok(by_key(association, key)?.into_iter().collect())
    }

    fn parents(&self, association: &'static AssociationDef) -> Vec<Parent> {
        let target = (association.target)();
        let touched = Parent::of(association, 0, target, self.foreign_key, self.owner_key);
        // A declaration that does not hold together is an error wherever its key is asked for.
        let key = key_of_targets(association, self.owner_key, self.foreign_key, self.target_type).ok();
        let with_key = touched.zip(key).map(|(touched, key)| {
            let conditions = key.typed(target, touched.conditions.clone());
            touched.holding_the_key(conditions)
        });
        with_key.into_iter().collect()
    }
}
