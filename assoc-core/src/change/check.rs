//! What is wrong with a change, once everything about it is said.

use super::link::{OwnerKey, fields, obstacles};
use super::shared_given::SharedGiven;
use super::{ChildChange, ChildOp, RowChange, members, rules, same_value};
use crate::error::FieldError;
use crate::metadata::association::AssociationDef;
use crate::metadata::model::{ColumnDef, ColumnDefault, Discriminator, FilledBy, ModelDef};
use crate::value::Value;

/// All problems of a row that no other one gives values to.
pub(super) fn problems(change: &RowChange) -> Vec<FieldError> {
    let row = Final { change, given: &[], is_judged: true, shared: None };
    let mut errors = of_row(row);
    // As a rule there are none, and then it does not count who else gives what.
    if !errors.is_empty() {
        let shared = SharedGiven::of(change);
        if !shared.is_empty() {
            errors = of_row(Final { shared: Some(&shared), ..row });
        }
    }
    errors.extend(change.is_marked_for_destruction().then(|| marked(change.model.name)));
    errors
}

/// A row that is marked for destruction where none is destroyed.
pub(super) fn marked(path: &str) -> FieldError {
    let message = "is marked for destruction, which only `edit` of a member takes: destroy the row with `repo.destroy`";
    FieldError::new(path, message).with_code(FieldError::MARKED)
}

/// The problems of the columns, and those that the application has found.
pub(super) fn column_problems(change: &RowChange) -> Vec<FieldError> {
    let mut errors = change.errors.clone();
    of_columns(Final { change, given: &[], is_judged: true, shared: None }, &mut errors);
    errors
}

/// The problems of the columns of a row that others give some values.
pub(crate) fn column_problems_of(change: &RowChange, given: &[(usize, Option<Value<'static>>)]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    of_columns(Final { change, given, is_judged: true, shared: None }, &mut errors);
    errors
}

/// What rules find wrong with a row that others give some values.
pub(crate) fn rule_problems_of(change: &RowChange, given: &[(usize, Option<Value<'static>>)]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    rules::problems(Final { change, given, is_judged: true, shared: None }, &mut errors);
    errors
}

/// A change with the columns that its owner gives values, and what these are if that is known.
#[derive(Clone, Copy)]
pub(super) struct Final<'c> {
    pub(super) change: &'c RowChange,
    pub(super) given: &'c [(usize, Option<Value<'static>>)],
    /// Whether the problems that the application found count.
    pub(super) is_judged: bool,
    /// What shared drafts among its members are given by all their owners.
    pub(super) shared: Option<&'c SharedGiven>,
}

impl Final<'_> {
    // Whether another row gives the column its value: the owner, or a target that is saved first.
    pub(super) fn is_given(&self, column: usize) -> bool {
        self.given.iter().any(|(given, _)| *given == column)
            || self.change.children.iter().any(|child| awaited(child).any(|awaited| awaited == column))
    }

    /// What a column will hold; `None` if only the database knows.
    pub(super) fn value(&self, column: usize) -> Option<Value<'_>> {
        if let Some((_, value)) = self.given.iter().find(|(given, _)| *given == column) {
            return value.clone();
        }
        if self.is_given(column) {
            return None;
        }
        let def = self.change.model.columns.get(column)?;
        let is_null = || self.change.is_new() && def.nullable && def.default == ColumnDefault::None;
        self.change.final_value(column).or_else(|| is_null().then_some(Value::Null))
    }

    /// Whether the save writes a column.
    pub(super) fn is_changed(&self, column: usize) -> bool {
        let differs = |value: &Value<'static>| self.change.differs(column, value);
        match self.given.iter().find(|(given, _)| *given == column) {
            Some((_, value)) => value.as_ref().is_none_or(differs),
            None => {
                self.is_given(column)
                    || self.change.values.get(column).is_some_and(|value| value.as_ref().is_some_and(differs))
            }
        }
    }

    fn is_empty(&self, column: usize) -> bool {
        !self.is_given(column) && self.change.final_value(column).is_none_or(|value| value.is_null())
    }
}

// The columns that take their values of a target that is saved first.
fn awaited(child: &ChildChange) -> impl Iterator<Item = usize> {
    let key = match &child.op {
        ChildOp::AssociateWith { key, .. } => Some(key),
        _ => None,
    };
    key.into_iter().flat_map(|key| {
        let columns = OwnerKey::of(child.association).map_or(&[][..], |own| own.key_columns());
        columns.iter().copied().filter(|column| !key.iter().any(|(known, _)| known == column))
    })
}

/// All problems: those the application found, those of associations, those of columns in their order, those of members.
pub(super) fn of_row(row: Final<'_>) -> Vec<FieldError> {
    let change = row.change;
    let mut errors = Vec::new();
    errors.extend_from_slice(change.input_errors());
    if row.is_judged {
        errors.extend_from_slice(&change.errors);
    }
    for child in change.children.iter().filter(|child| !matches!(child.op, ChildOp::Push { .. } | ChildOp::PushNew(_)))
    {
        if let Some(error) = of_child(row, child) {
            errors.push(error);
        }
    }
    errors.extend(left_behind(row));
    of_columns(row, &mut errors);
    if row.is_judged {
        rules::problems(row, &mut errors);
    }
    members::problems(row, &mut errors);
    errors
}

fn of_child(row: Final<'_>, child: &ChildChange) -> Option<FieldError> {
    match &child.op {
        ChildOp::Refused(error) => child.overridden.is_empty().then(|| (**error).clone()),
        ChildOp::Dissociate => not_dissociated(row, child),
        ChildOp::Associate { key } => other_owner(row, child, key).or_else(|| contradiction(row.change, child, key)),
        ChildOp::AssociateWith { key, .. } => taken_back(row, child)
            .or_else(|| other_owner(row, child, key))
            .or_else(|| contradiction(row.change, child, key)),
        ChildOp::Push { .. }
        | ChildOp::PushNew(_)
        | ChildOp::Edit(_)
        | ChildOp::Remove(_)
        | ChildOp::Replace(_)
        | ChildOp::Clear
        | ChildOp::Find(_) => None,
    }
}

// An association to another row than the owner among whose members the change is.
fn other_owner(row: Final<'_>, child: &ChildChange, key: &[(usize, Value<'static>)]) -> Option<FieldError> {
    let (column, _) = key.iter().find(|(column, wanted)| {
        row.given.iter().any(|(given, value)| {
            given == column
                && !value.as_ref().is_some_and(|value| same_value(&row.change.model.columns[*column], value, wanted))
        })
    })?;
    Some(owned(row.change, child.association, *column))
}

fn owned(change: &RowChange, association: &AssociationDef, column: usize) -> FieldError {
    let field = change.model.columns[column].field;
    let message = format!("contradicts the association that the row is a member of, which sets `{field}`");
    FieldError::new(association.name, message).with_code(FieldError::CONTRADICTION).with_param("column", field)
}

// A target that is saved first, for whose key there is another value as well.
fn taken_back(row: Final<'_>, child: &ChildChange) -> Option<FieldError> {
    let (change, association) = (row.change, child.association);
    if let Some(column) = awaited(child).find(|column| row.given.iter().any(|(given, _)| given == column)) {
        return Some(owned(change, association, column));
    }
    let others = |column: usize| {
        let other = |other: &&ChildChange| other.association != association && awaited(other).any(|own| own == column);
        change.children.iter().find(other).is_some()
    };
    let set = awaited(child)
        .find(|column| change.values[*column].is_some() || child.overridden.contains(column) || others(*column))
        .or_else(|| set_otherwise(change, child))?;
    let field = change.model.columns[set].field;
    let message =
        format!("leads to a row that is saved first, whose key `{field}` takes, and `{field}` is set as well");
    Some(FieldError::new(association.name, message).with_code(FieldError::CONTRADICTION).with_param("column", field))
}

// A column whose value the target says, and a later word another.
fn set_otherwise(change: &RowChange, child: &ChildChange) -> Option<usize> {
    let ChildOp::AssociateWith { key, .. } = &child.op else { return None };
    let differs = |(column, wanted): &&(usize, Value<'static>)| {
        let given = change.values[*column].as_ref();
        child.overridden.contains(column)
            && given.is_none_or(|given| !same_value(&change.model.columns[*column], given, wanted))
    };
    key.iter().find(differs).map(|(column, _)| *column)
}

// A dissociation after which the row still belongs to one.
fn not_dissociated(row: Final<'_>, child: &ChildChange) -> Option<FieldError> {
    let (change, association) = (row.change, child.association);
    let own = OwnerKey::of(association)?;
    let is_cleared = own.columns().any(|column| row.is_empty(column));
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
            matches!(&other.op, ChildOp::Associate { key } | ChildOp::AssociateWith { key, .. } if key.iter().any(|(own, value)| own == column && value == given))
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
fn left_behind(row: Final<'_>) -> Vec<FieldError> {
    let (change, whole) = (row.change, row);
    let Some(row) = &change.base else { return Vec::new() };
    let model = change.model;
    let said = |association: &AssociationDef| {
        change.children.iter().any(|child| child.association == association && child.op.is_association())
    };
    let mut errors = Vec::new();
    for association in model.associations.iter().filter(|association| !said(association)) {
        let Some(own) = OwnerKey::of(association) else { continue };
        if own.columns().any(|column| whole.is_empty(column)) {
            continue;
        }
        for child in &change.children {
            let (ChildOp::Associate { key } | ChildOp::AssociateWith { key, .. }, Some(other)) =
                (&child.op, OwnerKey::of(child.association))
            else {
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

fn of_columns(row: Final<'_>, errors: &mut Vec<FieldError>) {
    let change = row.change;
    let model = change.model;
    let is_new = change.is_new();
    let mut reported: Vec<&'static str> = Vec::new();
    for (at, (column, value)) in model.columns.iter().zip(&change.values).enumerate() {
        // As a rule a column takes what is given to it.
        if takes_values(column, is_new) && value.as_ref().is_some_and(|value| !value.is_null()) {
            continue;
        }
        let is_set = value.is_some();
        let generated = matches!(column.default, ColumnDefault::Generated(_));
        if is_set && generated {
            let message = "is computed by the database and cannot be set";
            errors.push(FieldError::new(column.field, message).with_code(FieldError::GENERATED));
            continue;
        }
        let versioned = column.default == ColumnDefault::Filled(FilledBy::LockVersion);
        if is_set && versioned && !is_new {
            let message = "counts the updates of the row and cannot be set";
            errors.push(FieldError::new(column.field, message).with_code(FieldError::LOCK_VERSION));
            continue;
        }
        if is_set && model.is_counter(at) {
            let message = "counts the rows that belong to the row and cannot be set: it follows them, and \
                           `repo.reset_counters` counts anew";
            errors.push(FieldError::new(column.field, message).with_code(FieldError::COUNTER_CACHE));
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
        if row.is_given(at) || value.is_none() && is_unreadable(change, column.field) {
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
                let without = columns.filter(|column| row.is_empty(*column));
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

/// Whether a new row, to which its owner gives these columns, surely has no problems: nothing is said but columns, no rule judges
/// them, and each column that needs a value has one.
pub(super) fn is_surely_valid(change: &RowChange, given: &[(usize, Option<Value<'static>>)]) -> bool {
    let model = change.model;
    let is_plain = change.is_plain() && model.rules.is_none() && model.discriminator.is_none();
    is_plain && has_what_it_needs(model, &change.values, given)
}

/// Whether each column of a new row that needs a value has one, and none that it does not take. The owner gives some.
pub(super) fn has_what_it_needs(
    model: &ModelDef,
    values: &[Option<Value<'static>>],
    given: &[(usize, Option<Value<'static>>)],
) -> bool {
    model.columns.iter().zip(values).enumerate().all(|(at, (column, value))| match value {
        Some(value) => !value.is_null() && takes_values(column, true),
        None => {
            let may_need_one = column.default == ColumnDefault::None;
            !may_need_one || given.iter().any(|(known, _)| *known == at)
        }
    })
}

// Whether a column can be set to any value.
fn takes_values(column: &ColumnDef, is_new: bool) -> bool {
    match column.default {
        ColumnDefault::Generated(_) | ColumnDefault::Filled(FilledBy::CounterCache) => false,
        ColumnDefault::Filled(FilledBy::LockVersion) => is_new,
        _ => true,
    }
}

// Whether the input for a column could not be converted. That problem is reported, and not a missing value as well.
fn is_unreadable(change: &RowChange, field: &str) -> bool {
    change.input_errors().iter().any(|error| error.path == field && error.code != FieldError::NOT_PERMITTED)
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
