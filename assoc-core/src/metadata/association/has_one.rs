//! `has_one`: the foreign key is on the target, of which an owner has at most one. If there are more, the first by the
//! association's order (the primary key decides between equals) is the one, for readers and preloads alike.

use super::polymorphic::check_other_side;
use super::{AssociationDef, Cardinality, Hop, Kind, Macro, Route};
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

impl Kind for HasOneKind {
    fn association_macro(&self) -> Macro {
        Macro::HasOne
    }

    fn cardinality(&self) -> Cardinality {
        Cardinality::One
    }

    fn route(&self, association: &AssociationDef) -> Result<Route> {
        if let Some(named) = self.target_type {
            check_other_side(association, named, self.owner_key, self.foreign_key)?;
        }
        Ok(Route::Direct(Hop {
            owner_columns: self.owner_key,
            target_columns: self.foreign_key,
            unique: (association.target)().primary_key == self.foreign_key,
            target_type: self.target_type,
        }))
    }
}
