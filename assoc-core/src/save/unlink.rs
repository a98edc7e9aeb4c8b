//! How a save lets members go.

use super::questions::Removal;
use crate::error::FieldError;
use crate::metadata::association::{AssociationDef, Dependent, JoinRecord, KeyJoin};
use crate::metadata::model::ModelDef;

/// How a member is let go.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Unlink {
    /// These columns of it become `NULL`.
    Nullify(Vec<usize>),
    /// The row that was looked up is deleted.
    Delete,
    /// The row that was looked up is destroyed, with what depends on it.
    Destroy,
    /// It cannot be.
    Refused(FieldError),
}

// Whether rows between are destroyed.
pub(super) fn is_destroyed(association: &AssociationDef, removal: Removal) -> bool {
    match removal {
        Removal::Destroy => true,
        Removal::ByRule => association.options.dependent == Some(Dependent::Destroy),
        Removal::Silent => false,
    }
}

/// How a row between is let go: it is deleted, unless the association says `dependent`. Its rule `"nullify"` clears the key
/// of the member, so that the row stays with its owner and leads nowhere.
pub(super) fn unlink_link(association: &AssociationDef, record: &JoinRecord, removal: Removal) -> Unlink {
    let table = record.table;
    // Nothing depends on a row that has no key: it is deleted by the keys that it holds.
    if is_destroyed(association, removal) && !table.primary_key.is_empty() {
        return Unlink::Destroy;
    }
    if association.options.dependent != Some(Dependent::Nullify) || removal == Removal::Destroy {
        return Unlink::Delete;
    }
    nullify(association, table, record.target.owner_columns, record.target_type.map(|named| named.column))
}

/// How a member that holds its owner's key is let go: the columns that can be `NULL` and are not part of its own key are
/// cleared, of the owner's key and of its type. `dependent = "delete"` deletes it, `dependent = "destroy"` destroys it with
/// what depends on it.
pub(super) fn unlink_target(association: &AssociationDef, key: KeyJoin, removal: Removal) -> Unlink {
    match (removal, association.options.dependent) {
        (Removal::Destroy, _) | (Removal::ByRule, Some(Dependent::Destroy)) => Unlink::Destroy,
        (Removal::Silent, Some(Dependent::Destroy)) | (_, Some(Dependent::Delete)) => Unlink::Delete,
        (_, Some(Dependent::Nullify | Dependent::Restrict(_) | Dependent::Database) | None) => {
            let named = key.target_type.map(|named| named.column);
            nullify(association, (association.target)(), key.target_columns, named)
        }
    }
}

// The columns of a key that can be cleared, with the type beside it.
fn nullify(association: &AssociationDef, target: &ModelDef, key: &[usize], named: Option<usize>) -> Unlink {
    let can_be_cleared = |column: &usize| target.columns[*column].nullable && !target.primary_key.contains(column);
    let mut columns: Vec<usize> = key.iter().copied().filter(can_be_cleared).collect();
    if columns.is_empty() {
        let fields: Vec<&str> = key.iter().map(|column| target.columns[*column].field).collect();
        let message = format!(
            "cannot let a {} go: `{}` cannot be NULL, or is part of its primary key; delete the row instead",
            target.name,
            fields.join(", ")
        );
        let error = FieldError::new(association.name, message).with_code(FieldError::NOT_CLEARABLE);
        return Unlink::Refused(error.with_param("columns", fields.join(", ")));
    }
    columns.extend(named.filter(can_be_cleared));
    Unlink::Nullify(columns)
}
