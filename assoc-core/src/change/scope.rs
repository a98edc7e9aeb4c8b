//! What the conditions of an association say about a row that is to be its member (F103).

use std::any::Any;
use std::sync::Arc;

use super::{Member, Row, RowChange, same_value};
use crate::error::FieldError;
use crate::metadata::association::AssociationDef;
use crate::metadata::expr::{ColumnRef, Comparison, Expr, Operand};
use crate::metadata::model::ModelDef;
use crate::metadata::request::ScopeDef;
use crate::value::Value;

/// A column that has to hold a value for the row to be seen by an association.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Preset {
    pub(crate) column: usize,
    pub(crate) value: Value<'static>,
}

/// The columns for which the association's own scope says which value they have, and the scope that depends on the owner, if
/// there is one that exists.
pub(crate) fn presets(association: &AssociationDef, owner: Option<&dyn Any>) -> Vec<Preset> {
    let mut found = Vec::new();
    if let Some(scope) = association.options.scope {
        equalities((association.target)(), &scope().filter, &mut found);
    }
    if let (Some(scope), Some(owner)) = (association.options.owner_scope, owner) {
        equalities((association.target)(), &scope(owner).filter, &mut found);
    }
    found
}

/// The presets of a row whose owner is saved as well. An owner that is new is no row yet, so that its scope says nothing.
pub(crate) fn presets_of_saved(
    association: &AssociationDef,
    base: Option<&Row>,
    values: &[Option<Value<'static>>],
) -> Vec<Preset> {
    if association.options.owner_scope.is_none() {
        return presets(association, None);
    }
    let model = (association.owner)();
    let saved = base.and_then(|base| {
        let mut row = model.rows.bare_copy(&**base)?;
        let own = Arc::get_mut(&mut row)?;
        for (column, value) in values.iter().enumerate() {
            let Some(value) = value else { continue };
            // What the field does not take is refused when it is written.
            model.rows.set_value(own, column, &mut value.clone()).ok()?;
        }
        Some(row)
    });
    presets(association, saved.as_ref().map(|row| &**row as &dyn Any))
}

/// Whether an association has exactly the rows that its key and these presets lead to, in the order of their keys: what was
/// saved is all of it then.
pub(crate) fn is_plain(association: &AssociationDef) -> bool {
    let plain = |scope_def: &ScopeDef| {
        scope_def.order.is_empty() && !scope_def.distinct && scope_def.select.is_none() && scope_def.includes.is_empty()
    };
    has_every_row(association)
        && association.options.scope.is_none_or(|scope| plain(&scope()))
        && (association.target)().default_scope.is_none()
}

/// Whether an association has every row that its key and these presets lead to. Then a row that was given to it is a member, and
/// no other row takes the place of one that was removed. The order of the rows does not count.
pub(crate) fn has_every_row(association: &AssociationDef) -> bool {
    let target = (association.target)();
    let mut found = Vec::new();
    let mut every = |scope_def: &ScopeDef| equalities(target, &scope_def.filter, &mut found) && !scope_def.chooses();
    let own =
        association.options.owner_scope.is_none() && association.options.scope.is_none_or(|scope| every(&scope()));
    // Of the default scope nothing is preset.
    let of_target = |scope_def: ScopeDef| scope_def.filter.is_always() && !scope_def.chooses();
    own && target.default_scope.is_none_or(|scope| of_target(scope()))
}

// Collects the equalities that must hold; answers whether the condition is made of nothing else.
fn equalities(model: &ModelDef, filter: &Expr, found: &mut Vec<Preset>) -> bool {
    let mut note = |column: &ColumnRef, value: Value<'static>| {
        let at = model.columns.iter().position(|own| own.name == column.name).filter(|_| column.path.is_empty());
        at.map(|column| found.push(Preset { column, value })).is_some()
    };
    match filter {
        Expr::All(parts) => {
            // Each is looked at, also after one that is none.
            let of_others = parts.iter().filter(|part| !equalities(model, part, found)).count();
            of_others == 0
        }
        Expr::Compare { left: Operand::Column(column), op: Comparison::Eq, right: Operand::Value(value) }
        | Expr::Compare { left: Operand::Value(value), op: Comparison::Eq, right: Operand::Column(column) } => {
            note(column, value.clone())
        }
        Expr::In { operand: Operand::Column(column), values } => match values.as_slice() {
            [value] => note(column, value.clone()),
            _ => false,
        },
        Expr::IsNull(Operand::Column(column)) => note(column, Value::Null),
        Expr::Tagged { column, tag } => note(&ColumnRef::own(column), Value::from(*tag)),
        _ => false,
    }
}

/// What is wrong with a row as a member, because the association would not see it.
pub(super) fn outside(
    association: &AssociationDef,
    model: &'static ModelDef,
    presets: &[Preset],
    value: impl Fn(usize) -> Option<Value<'static>>,
) -> Vec<FieldError> {
    let contradicts = |preset: &&Preset| {
        value(preset.column).is_some_and(|value| !same_value(&model.columns[preset.column], &value, &preset.value))
    };
    let error = |preset: &Preset| {
        let name = association.qualified_name();
        let message = format!("must be {}, or `{name}` would not see the row", preset.value);
        FieldError::new(model.columns[preset.column].field, message)
            .with_code(FieldError::OUTSIDE_SCOPE)
            .with_param("association", name)
    };
    presets.iter().filter(contradicts).map(error).collect()
}

/// The value that a member will have in a column, if it is known: of a new row, what was given.
pub(super) fn value_of(member: &Member, column: usize) -> Option<Value<'static>> {
    match member {
        Member::Row { model, row } => Some(model.rows.value(&**row, column).into_owned()),
        Member::Change(change) => of_change(change, column),
        Member::Shared(change) => of_change(change, column),
    }
}

/// The value that a column will have, if it is known.
pub(super) fn of_change(change: &RowChange, column: usize) -> Option<Value<'static>> {
    change.final_value(column).map(Value::into_owned)
}
