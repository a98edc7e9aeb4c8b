//! `has_many`: the foreign key is on each target, of which there may be any number.

use super::dependent::{DependentRows, by_key};
use super::polymorphic::check_other_side;
use super::{AssociationBehavior, AssociationDef, AssociationKind, Cardinality, KeyJoin, Linkage, Route};
use crate::error::Result;
use crate::metadata::model::Discriminator;

/// `has_many` with its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HasManyKind {
    /// The owner's columns the foreign key refers to.
    pub owner_key: &'static [usize],
    /// The target's foreign key columns.
    pub foreign_key: &'static [usize],
    /// For `as`: the target's column that names the owner's type, and the owner's tag.
    pub target_type: Option<Discriminator>,
}

impl AssociationBehavior for HasManyKind {
    fn association_kind(&self) -> AssociationKind {
        AssociationKind::HasMany
    }

    fn cardinality(&self) -> Cardinality {
        Cardinality::Many
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
}

/// The key in the target's rows, with the type that they name beside it.
pub(super) fn key_of_targets(
    association: &AssociationDef,
    owner_key: &'static [usize],
    foreign_key: &'static [usize],
    target_type: Option<Discriminator>,
) -> Result<KeyJoin> {
    if let Some(named) = target_type {
        check_other_side(association, named, owner_key, foreign_key)?;
    }
    let unique = (association.target)().primary_key == foreign_key;
    Ok(KeyJoin { owner_columns: owner_key, target_columns: foreign_key, unique, target_type })
}
