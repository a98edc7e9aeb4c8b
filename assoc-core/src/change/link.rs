//! Where an association's key stands in its owner's row, and how it is set and cleared.

use std::any::Any;

use super::ChildOp;
use crate::error::FieldError;
use crate::metadata::association::{AssociationDef, Linkage, VariantDef};
use crate::metadata::model::ModelDef;
use crate::value::Value;

/// The columns of an owner that identify the target of an association.
pub(super) struct OwnerKey {
    columns: &'static [usize],
    to: Target,
}

enum Target {
    /// Rows of one model, by these columns of it.
    Model(&'static [usize]),
    /// Rows of several, whose type this column of the owner names.
    Types { column: usize, variants: &'static [VariantDef] },
}

impl OwnerKey {
    /// `None` where the key is not the owner's.
    pub(super) fn of(association: &AssociationDef) -> Option<OwnerKey> {
        match association.linkage().ok()? {
            Linkage::OwnerKey(key) => {
                Some(OwnerKey { columns: key.owner_columns, to: Target::Model(key.target_columns) })
            }
            Linkage::OwnerKeyAndType { type_column, owner_columns, variants } => {
                Some(OwnerKey { columns: owner_columns, to: Target::Types { column: type_column, variants } })
            }
            Linkage::TargetKey(_) | Linkage::JoinRecord(_) | Linkage::ReadOnly(_) => None,
        }
    }

    /// The columns, with that of the type.
    pub(super) fn columns(&self) -> impl Iterator<Item = usize> + use<> {
        let type_column = match self.to {
            Target::Types { column, .. } => Some(column),
            Target::Model(_) => None,
        };
        self.columns.iter().copied().chain(type_column)
    }

    pub(super) fn contains(&self, column: usize) -> bool {
        self.columns().any(|own| own == column)
    }

    /// Whether both use the same columns.
    fn is_over_the_same(&self, other: &OwnerKey) -> bool {
        self.columns().all(|column| other.contains(column)) && other.columns().all(|column| self.contains(column))
    }

    /// The values that refer to a row.
    pub(super) fn lead_to(&self, association: &AssociationDef, model: &'static ModelDef, row: &dyn Any) -> ChildOp {
        let (target_columns, tag) = match &self.to {
            Target::Model(columns) => (*columns, None),
            Target::Types { column, variants } => {
                let Some(variant) = variants.iter().find(|variant| (variant.model)() == model) else {
                    let message = format!("leads to no rows of {}", model.name);
                    return ChildOp::Refused(
                        FieldError::new(association.name, message)
                            .with_code(FieldError::UNKNOWN_TYPE)
                            .with_param("model", model.name),
                    );
                };
                (variant.key, Some((*column, Value::from(variant.tag))))
            }
        };
        let key: Vec<(usize, Value<'static>)> = self
            .columns
            .iter()
            .zip(target_columns)
            .map(|(own, theirs)| (*own, model.rows.value(row, *theirs).into_owned()))
            .chain(tag)
            .collect();
        if key.iter().any(|(_, value)| value.is_null()) {
            let missing = target_columns.iter().filter(|column| model.rows.value(row, **column).is_null());
            let missing = fields(model, missing.copied());
            let message =
                format!("cannot lead to a {} whose {missing} is NULL: nothing would be found by it", model.name);
            return ChildOp::Refused(
                FieldError::new(association.name, message)
                    .with_code(FieldError::TARGET_WITHOUT_KEY)
                    .with_param("model", model.name)
                    .with_param("columns", missing),
            );
        }
        ChildOp::Associate { key }
    }
}

/// The key on the owner of an association to one model: the owner's columns, and the target's columns that they refer
/// to.
pub(crate) fn key_on_owner(association: &AssociationDef) -> Option<(&'static [usize], &'static [usize])> {
    match OwnerKey::of(association)? {
        OwnerKey { columns, to: Target::Model(target_columns) } => Some((columns, target_columns)),
        _ => None,
    }
}

/// The columns that dissociating clears.
pub(super) fn clearable(model: &'static ModelDef, association: &AssociationDef) -> Vec<usize> {
    let Some(own) = OwnerKey::of(association) else { return Vec::new() };
    own.columns().filter(|column| kept_by(model, association, &own, *column).is_none()).collect()
}

/// Why dissociating clears no column: each with its reason.
pub(super) fn obstacles(model: &'static ModelDef, association: &AssociationDef) -> Vec<(usize, String)> {
    let Some(own) = OwnerKey::of(association) else { return Vec::new() };
    own.columns().filter_map(|column| Some((column, kept_by(model, association, &own, column)?))).collect()
}

// Why dissociating leaves a column as it is.
fn kept_by(model: &'static ModelDef, association: &AssociationDef, own: &OwnerKey, column: usize) -> Option<String> {
    let field = model.columns[column].field;
    if !model.columns[column].nullable {
        return Some(format!("`{field}` cannot be NULL"));
    }
    if model.primary_key.contains(&column) {
        return Some(format!("`{field}` is part of the primary key"));
    }
    let mut others = model.associations.iter().filter(|other| *other != association);
    let user = others.find(|other| {
        OwnerKey::of(other).is_some_and(|other| other.contains(column) && !own.is_over_the_same(&other))
    })?;
    Some(format!("`{field}` is used by `{}` as well", user.name))
}

/// The fields of columns, for messages: `room, code`.
pub(super) fn fields(model: &ModelDef, columns: impl IntoIterator<Item = usize>) -> String {
    columns.into_iter().map(|column| model.columns[column].field).collect::<Vec<_>>().join(", ")
}
