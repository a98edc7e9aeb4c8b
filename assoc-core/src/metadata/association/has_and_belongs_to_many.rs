//! `has_and_belongs_to_many`: targets behind a join table. Writes change links only, never targets. The table has no
//! model, or one that reads its rows.

use super::{AssociationBehavior, AssociationDef, AssociationKind, Cardinality, JoinRecord, KeyJoin, Linkage, Route};
use crate::error::Result;
use crate::metadata::model::ModelDef;

/// `has_and_belongs_to_many` with its join table.
#[derive(Debug, Clone, Copy)]
pub struct HasAndBelongsToManyKind {
    /// The join table: a definition of the keys alone, or the model whose rows are loaded beside the targets.
    pub join_table: fn() -> &'static ModelDef,
    /// The owner's columns that the join rows refer to.
    pub owner_key: &'static [usize],
    /// The join table's columns that refer to the owner.
    pub owner_columns: &'static [usize],
    /// The join table's columns that refer to the target.
    pub target_columns: &'static [usize],
    /// The target's columns that the join rows refer to.
    pub target_key: &'static [usize],
}

impl AssociationBehavior for HasAndBelongsToManyKind {
    fn association_kind(&self) -> AssociationKind {
        AssociationKind::HasAndBelongsToMany
    }

    fn cardinality(&self) -> Cardinality {
        Cardinality::Many
    }

    fn route(&self, association: &AssociationDef) -> Result<Route> {
        let (links, targets) = self.keys(association);
        Ok(Route::JoinTable { table: (self.join_table)(), links, targets })
    }

    fn linkage(&self, association: &AssociationDef) -> Result<Linkage> {
        let (owner, target) = self.keys(association);
        let table = (self.join_table)();
        Ok(Linkage::JoinRecord(JoinRecord { table, rows: None, owner, target, target_type: None }))
    }
}

impl HasAndBelongsToManyKind {
    // From the owner to the rows of the join table, and from there to the targets.
    fn keys(&self, association: &AssociationDef) -> (KeyJoin, KeyJoin) {
        let to_rows = KeyJoin {
            owner_columns: self.owner_key,
            target_columns: self.owner_columns,
            unique: false,
            target_type: None,
        };
        let to_targets = KeyJoin {
            owner_columns: self.target_columns,
            target_columns: self.target_key,
            unique: (association.target)().primary_key == self.target_key,
            target_type: None,
        };
        (to_rows, to_targets)
    }
}
