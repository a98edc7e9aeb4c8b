//! `has_and_belongs_to_many`: targets behind a join table. Writes change links only, never targets. The table has no
//! model, or one that reads its rows.

use super::dependent::{Dependent, DependentRows};
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
        Ok(Linkage::JoinRecord(JoinRecord { table, rows: None, source: None, owner, target, target_type: None }))
    }

    // All links, whatever the association's conditions on targets: each would lead from a row that is gone.
    fn dependents(&self, association: &AssociationDef) -> Result<Vec<DependentRows>> {
        let table = (self.join_table)();
        let (to_rows, to_targets) = self.keys(association);
        let mut rows = vec![DependentRows::new(table, to_rows, Dependent::Delete)];
        if self.joins_a_table_with_itself(association) {
            let from_target = KeyJoin { target_columns: to_targets.owner_columns, ..to_rows };
            rows.push(DependentRows::new(table, from_target, Dependent::Delete));
        }
        Ok(rows)
    }
}

impl HasAndBelongsToManyKind {
    // Whether a row is the owner of some links and the target of others: both sides refer to one key of one table.
    fn joins_a_table_with_itself(&self, association: &AssociationDef) -> bool {
        let (owner, target) = ((association.owner)(), (association.target)());
        let same = |(own, theirs): (&usize, &usize)| owner.columns[*own].name == target.columns[*theirs].name;
        owner.table == target.table
            && self.owner_key.len() == self.target_key.len()
            && self.owner_key.iter().zip(self.target_key).all(same)
    }

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
