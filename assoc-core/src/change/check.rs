//! What is wrong with a change, once everything about it is said.

use super::link::{OwnerKey, fields, obstacles};
use super::{ChildChange, ChildOp, RowChange, same_value};
use crate::error::FieldError;
use crate::metadata::association::AssociationDef;
use crate::metadata::model::{ColumnDefault, Discriminator};
use crate::value::Value;

/// All problems: those the application found, those of associations, those of columns in their order.
pub(super) fn problems(change: &RowChange) -> Vec<FieldError> {
    let mut errors = change.errors.clone();
    for child in &change.children {
        errors.extend(of_child(change, child));
    }
    errors.extend(left_behind(change));
    of_columns(change, &mut errors);
    errors
}

fn of_child(change: &RowChange, child: &ChildChange) -> Option<FieldError> {
    match &child.op {
        ChildOp::Refused(error) => child.overridden.is_empty().then(|| error.clone()),
        ChildOp::Dissociate => not_dissociated(change, child),
        ChildOp::Associate { key } => contradiction(change, child, key),
    }
}

// A dissociation after which the row still belongs to one.
fn not_dissociated(change: &RowChange, child: &ChildChange) -> Option<FieldError> {
    let association = child.association;
    let own = OwnerKey::of(association)?;
    let is_cleared = own.columns().any(|column| change.final_value(column).is_none_or(|value| value.is_null()));
    if is_cleared || !child.overridden.is_empty() {
        return None;
    }
    if !association.options.optional {
        return Some(required(change, association, own.columns().collect()));
    }
    let obstacles = obstacles(change.model, association);
    let columns = fields(change.model, obstacles.iter().map(|(column, _)| *column));
    let reasons = obstacles.into_iter().map(|(_, reason)| reason).collect::<Vec<_>>().join(", ");
    let error = FieldError::new(association.name, format!("cannot be dissociated: {reasons}"));
    Some(error.with_code(FieldError::NOT_CLEARABLE).with_param("columns", columns))
}

// An association whose key another association has changed.
fn contradiction(change: &RowChange, child: &ChildChange, key: &[(usize, Value<'static>)]) -> Option<FieldError> {
    let model = change.model;
    key.iter().find_map(|(column, wanted)| {
        let given = change.values[*column].as_ref()?;
        let def = &model.columns[*column];
        if child.overridden.contains(column) || same_value(def, given, wanted) {
            return None;
        }
        let other = change.children.iter().rev().find(|other| {
            matches!(&other.op, ChildOp::Associate { key } if key.iter().any(|(own, value)| own == column && value == given))
        })?;
        let (other, field) = (other.association.name, def.field);
        let message = format!("contradicts `{other}`: both use `{field}`, which cannot be {wanted} and {given} at once");
        Some(
            FieldError::new(child.association.name, message)
                .with_code(FieldError::CONTRADICTION)
                .with_param("association", other)
                .with_param("column", field),
        )
    })
}

// Associations of an existing row of which nothing is said, and whose key would be another row's, because an association
// that is set shares a column with them.
fn left_behind(change: &RowChange) -> Vec<FieldError> {
    let Some(row) = &change.base else { return Vec::new() };
    let model = change.model;
    let said = |association: &AssociationDef| {
        change
            .children
            .iter()
            .any(|child| child.association == association && matches!(child.op, ChildOp::Associate { .. }))
    };
    let mut errors = Vec::new();
    for association in model.associations.iter().filter(|association| !said(association)) {
        let Some(own) = OwnerKey::of(association) else { continue };
        let mut leads_nowhere =
            own.columns().map(|column| change.final_value(column).is_none_or(|value| value.is_null()));
        if leads_nowhere.any(|nowhere| nowhere) {
            continue;
        }
        for child in &change.children {
            let (ChildOp::Associate { key }, Some(other)) = (&child.op, OwnerKey::of(child.association)) else {
                continue;
            };
            // An association over columns of the other only changes with it. A separate column of its key that was set
            // shows intent.
            let mut own_alone = own.columns().filter(|column| !other.contains(*column)).peekable();
            if own_alone.peek().is_none() || own_alone.any(|column| change.values[column].is_some()) {
                continue;
            }
            let moved = key.iter().find(|(column, value)| {
                own.contains(*column)
                    && !child.overridden.contains(column)
                    && !same_value(&model.columns[*column], &model.rows.value(&**row, *column), value)
            });
            let Some((column, value)) = moved else { continue };
            let (other, field) = (child.association.name, model.columns[*column].field);
            let message = format!(
                "would lead to another row: `{other}` makes `{field}` {value}, which is part of its key as well; associate or \
                 dissociate `{}` too, or set its columns",
                association.name
            );
            errors.push(
                FieldError::new(association.name, message)
                    .with_code(FieldError::CONTRADICTION)
                    .with_param("association", other)
                    .with_param("column", field),
            );
            break;
        }
    }
    errors
}

fn of_columns(change: &RowChange, errors: &mut Vec<FieldError>) {
    let model = change.model;
    let is_new = change.base.is_none();
    let mut reported: Vec<&'static str> = Vec::new();
    for (at, (column, value)) in model.columns.iter().zip(&change.values).enumerate() {
        let generated = matches!(column.default, ColumnDefault::Generated(_));
        if generated && value.is_some() {
            let message = "is computed by the database and cannot be set";
            errors.push(FieldError::new(column.field, message).with_code(FieldError::GENERATED));
            continue;
        }
        let missing = is_new && value.is_none() && !column.may_be_left_out();
        // Of a column that may be NULL, the association may still need a value.
        let cleared = match value {
            Some(value) => value.is_null(),
            None => is_new && column.nullable && column.default == ColumnDefault::None,
        };
        if !missing && !cleared {
            continue;
        }
        let mut owners = model.associations.iter().filter(|association| {
            !association.options.optional && OwnerKey::of(association).is_some_and(|own| own.contains(at))
        });
        match owners.next() {
            Some(association) if reported.contains(&association.name) => {}
            Some(association) => {
                reported.push(association.name);
                let columns = OwnerKey::of(association).into_iter().flat_map(|own| own.columns().collect::<Vec<_>>());
                let without = columns.filter(|column| change.final_value(*column).is_none_or(|value| value.is_null()));
                let error = required(change, association, without.collect());
                if !errors.contains(&error) {
                    errors.push(error);
                }
            }
            None if missing => errors.push(FieldError::new(column.field, "is missing").with_code(FieldError::MISSING)),
            None => {}
        }
    }
    if let Some(Discriminator { column, tag }) = model.discriminator
        && let Some(value) = &change.values[column]
        && *value != Value::from(tag)
    {
        // The row would be another model's, and out of this one's sight.
        errors.push(
            FieldError::new(model.columns[column].field, format!("must be \"{tag}\""))
                .with_code(FieldError::DISCRIMINATOR)
                .with_param("value", tag),
        );
    }
}

fn required(change: &RowChange, association: &AssociationDef, columns: Vec<usize>) -> FieldError {
    let is = if columns.len() == 1 { "is" } else { "are" };
    let columns = fields(change.model, columns);
    // Of a new row it is mostly forgotten, and may be set by either name; an existing row loses it on purpose.
    let message = match change.base {
        None => format!("must exist ({columns} {is} missing)"),
        Some(_) => "must exist".to_owned(),
    };
    FieldError::new(association.name, message).with_code(FieldError::REQUIRED).with_param("columns", columns)
}
