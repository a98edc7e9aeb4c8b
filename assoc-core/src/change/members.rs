//! What is wrong with members of a change, each with the path to it: `posts[1].title`, `company.name`.

use std::borrow::Cow;

use super::check::{Final, has_what_it_needs, is_surely_valid, marked, of_row};
use super::scope::{Preset, of_change, outside, presets_of_saved, value_of};
use super::shared_given::SharedGiven;
use super::{ChildOp, Member, RowChange, Then, key_of_target};
use crate::error::FieldError;
use crate::metadata::association::{AssociationDef, Cardinality, JoinRecord, KeyJoin, Linkage};
use crate::metadata::model::ModelDef;
use crate::value::Value;

/// Adds the problems of everything that is said of members.
pub(super) fn problems(row: Final<'_>, errors: &mut Vec<FieldError>) {
    let change = row.change;
    if change.children.is_empty() {
        return;
    }
    let wanted = if change.wants { &change.children[..] } else { &[] };
    for child in wanted {
        // Of a row that is still to be found, the values that are given can be judged.
        if let ChildOp::Find(wanted) = &child.op
            && wanted.then != Then::Remove
        {
            let is_judged = child.association.options.validate;
            let found = of_row(Final { change: &wanted.change, given: &[], is_judged, shared: row.shared });
            let place = place_of(child.association, child.place);
            errors.extend(found.into_iter().map(|error| error.within(&place)));
        }
    }
    // Members are counted association by association, in the order in which they were given.
    let mut counts: Vec<Counted<'_>> = Vec::new();
    for child in &change.children {
        let association = child.association;
        if let ChildOp::AssociateWith { target, .. } = &child.op {
            let given = row.shared.map_or(&[][..], |shared| shared.to(target));
            if let Some(error) = unwanted(association, target) {
                errors.push(error);
            }
            let refers_to = key_of_target(association, target.model()).map_or(&[][..], |(_, theirs)| theirs);
            if target.existing().is_some() && target.change().is_some_and(|row| row.final_key(refers_to).is_none()) {
                let message = "cannot lead to a row whose key is NULL: nothing would be found by it";
                errors.push(without_key(association, message));
            }
            if target.change().is_some_and(RowChange::is_marked_for_destruction) {
                errors.push(marked(association.name));
            }
            if let Some(target) = target.change() {
                let is_judged = association.options.validate;
                let own = of_row(Final { change: target, given, is_judged, shared: row.shared });
                errors.extend(own.into_iter().map(|error| error.within(association.name)));
            }
            continue;
        }
        let is_of_members = matches!(
            child.op,
            ChildOp::Push { .. }
                | ChildOp::PushNew(_)
                | ChildOp::Edit(_)
                | ChildOp::Remove(_)
                | ChildOp::Replace(_)
                | ChildOp::Clear
        );
        if !is_of_members {
            continue;
        }
        let known = counts.iter().position(|known| known.association == association).unwrap_or_else(|| {
            counts.push(Counted { association, members: Members::of(row, association), count: 0 });
            counts.len() - 1
        });
        let Counted { members, count, .. } = &mut counts[known];
        let members = match members {
            Ok(members) => &*members,
            Err(error) => {
                if !errors.contains(error) {
                    errors.push(error.clone());
                }
                continue;
            }
        };
        match &child.op {
            ChildOp::Edit(edited) => {
                let at = next_place(child.place, count);
                if let Some(error) = members.not_a_row_of_its(edited.base().is_some()) {
                    errors.push(error);
                }
                if edited.is_marked_for_destruction() {
                    // What is destroyed need not be valid.
                    errors.extend(members.not_destroyed(edited));
                    continue;
                }
                errors.extend(unwanted_change(association, edited));
                members.add_problems(&Member::Change(RowChange::clone(edited)), at, errors);
            }
            ChildOp::Remove(row) => {
                if let Some(error) = members.not_a_row_of_its(true) {
                    errors.push(error);
                }
                if (association.target)().key_of(&**row).is_none() {
                    errors.push(without_key(association, "a row whose key is NULL is no member"));
                }
            }
            ChildOp::PushNew(new) => {
                for values in new.rows() {
                    let at = next_place(None, count);
                    if !members.surely_takes_values(new.model(), values) {
                        members.add_problems(&new.member(values), at, errors);
                    }
                }
            }
            op => {
                if let (ChildOp::Replace(_) | ChildOp::Clear, Some(error)) = (op, members.not_replaceable()) {
                    errors.push(error);
                }
                for member in op.members() {
                    let at = next_place(child.place, count);
                    if members.surely_takes(member) {
                        continue;
                    }
                    if let Some(error) = unwanted(association, member) {
                        errors.push(error);
                    }
                    if member.change().is_some_and(RowChange::is_marked_for_destruction) {
                        errors.push(marked(&place_of(association, Some(at))));
                    }
                    members.add_problems(member, at, errors);
                }
                if let ChildOp::Push { join: Some(join), member } = op {
                    errors.extend(members.of_join(join, member));
                }
            }
        }
    }
}

// What `autosave = false` does not take: it links rows and saves none.
fn unwanted(association: &'static AssociationDef, member: &Member) -> Option<FieldError> {
    unwanted_change(association, member.change()?)
}

fn unwanted_change(association: &'static AssociationDef, change: &RowChange) -> Option<FieldError> {
    let refuses = association.options.autosave == Some(false) && (change.base().is_none() || change.has_changes());
    refuses.then(|| {
        let message = "takes no new or changed rows (`autosave = false`): save them first, or leave the option out";
        FieldError::new(association.name, message).with_code(FieldError::NO_MEMBER)
    })
}

fn without_key(association: &AssociationDef, message: &str) -> FieldError {
    FieldError::new(association.name, message).with_code(FieldError::TARGET_WITHOUT_KEY)
}

/// What a row gives a member: columns with their values, as far as these are known.
pub(super) type GivenValues = Vec<(usize, Option<Value<'static>>)>;

// The members of an association, and how many of them were met.
struct Counted<'c> {
    association: &'static AssociationDef,
    members: Result<Members<'c>, FieldError>,
    count: usize,
}

/// The members of one association of a change.
pub(super) struct Members<'c> {
    pub(super) association: &'static AssociationDef,
    pub(super) owner: &'c RowChange,
    link: Link,
    // What all members are given: the owner's key, with its type.
    given_key: GivenValues,
    // What new members are given by the association's conditions.
    presets: Vec<Preset>,
    shared: Option<&'c SharedGiven>,
}

enum Link {
    // Members hold the owner's key.
    Target(KeyJoin),
    // Rows of a table between hold both keys.
    Join(JoinRecord),
}

impl<'c> Members<'c> {
    pub(super) fn of(row: Final<'c>, association: &'static AssociationDef) -> Result<Self, FieldError> {
        let owner = row.change;
        let link = match association.linkage() {
            Ok(Linkage::TargetKey(key)) => Link::Target(key),
            Ok(Linkage::JoinRecord(record)) => Link::Join(record),
            Ok(Linkage::ReadOnly(reason)) => return Err(read_only(association, &reason)),
            Ok(Linkage::OwnerKey(_) | Linkage::OwnerKeyAndType { .. }) => {
                return Err(read_only(association, "its key is in this row: use `associate`"));
            }
            Err(error) => return Err(read_only(association, &error.to_string())),
        };
        let given_key = match &link {
            Link::Target(key) => given_key(owner, key),
            Link::Join(_) => Vec::new(),
        };
        let mut presets = presets_of_saved(association, owner.base(), owner.values());
        presets.retain(|preset| !given_key.iter().any(|(column, _)| *column == preset.column));
        let members = Members { association, owner, link, given_key, presets, shared: row.shared };
        let key = members.owner_key();
        let is_empty = |column: &usize| {
            owner.values()[*column].as_ref().is_some_and(Value::is_null)
                || owner.values()[*column].is_none()
                    && match owner.base() {
                        Some(row) => owner.model().rows.value(&**row, *column).is_null(),
                        None => {
                            let column = &owner.model().columns[*column];
                            column.nullable && column.default == crate::metadata::model::ColumnDefault::None
                        }
                    }
        };
        if let Some(column) = key.iter().find(|column| !row.is_given(**column) && is_empty(column)) {
            return Err(owner_without_key(association, *column));
        }
        Ok(members)
    }

    fn owner_key(&self) -> &'static [usize] {
        match &self.link {
            Link::Target(key) => key.owner_columns,
            Link::Join(record) => record.owner.owner_columns,
        }
    }

    // Where the next member stands: `posts[1]`, or `account`.
    pub(super) fn place(&self, given: Option<usize>, count: &mut usize) -> String {
        place_of(self.association, Some(next_place(given, count)))
    }

    // A row that is edited or removed exists, and so does its owner.
    fn not_a_row_of_its(&self, exists: bool) -> Option<FieldError> {
        let message = match (exists, self.owner.base().is_some()) {
            (true, true) => return None,
            (false, _) => "takes the changes of an existing row (`row.change()`) to edit it; a new one is pushed",
            (true, false) => "has no members yet, because its owner is new: push the row instead",
        };
        Some(FieldError::new(self.association.name, message).with_code(FieldError::NO_MEMBER))
    }

    // Why a member that is marked for destruction is not destroyed.
    fn not_destroyed(&self, edited: &RowChange) -> Option<FieldError> {
        let association = self.association;
        if association.options.autosave == Some(false) {
            let message = "takes no rows to be destroyed (`autosave = false`): destroy them with `repo.destroy`";
            return Some(FieldError::new(association.name, message).with_code(FieldError::NO_MEMBER));
        }
        let row = edited.base()?;
        let target = edited.model();
        if target.rows.origin(&**row).is_some_and(|origin| origin.is_read_only()) {
            let message = "cannot be destroyed: it was loaded for reading only";
            return Some(FieldError::new(association.name, message).with_code(FieldError::READ_ONLY));
        }
        target.key_of(&**row).is_none().then(|| without_key(association, "a row whose key is NULL is no member"))
    }

    // Of owners that exist, what else they have is let go. Which rows that are has to be said by the key and conditions that
    // the look-up of members can judge.
    fn not_replaceable(&self) -> Option<FieldError> {
        let association = self.association;
        self.owner.base()?;
        // Of an association to one, the one that an owner has is replaced.
        let is_many = association.kind.cardinality() == Cardinality::Many;
        let reason = if association.options.owner_scope.is_some() {
            "which rows an owner has is said by a function of the owner"
        } else if association.scope().chooses() || is_many && association.chooses_rows() {
            "it has a limit, an offset or groups, so that it never has all rows of its owner"
        } else {
            return None;
        };
        let message =
            format!("cannot be replaced or cleared: {reason}; remove the rows one by one, or use another association");
        Some(FieldError::new(association.name, message).with_code(FieldError::NOT_REPLACEABLE))
    }

    /// What a member is given by its owner: the owner's key with its type, and a new one what the association's conditions say.
    pub(super) fn given(&self, change: &RowChange) -> Cow<'_, [(usize, Option<Value<'static>>)]> {
        // As a rule all members are given the same.
        if self.presets.is_empty() || !change.is_new() {
            return Cow::Borrowed(&self.given_key);
        }
        let unset = self.presets.iter().filter(|preset| change.values()[preset.column].is_none());
        let unset = unset.map(|preset| (preset.column, Some(preset.value.clone())));
        Cow::Owned(self.given_key.iter().cloned().chain(unset).collect())
    }

    // Whether a member surely has no problems: most members of large saves are such.
    fn surely_takes(&self, member: &Member) -> bool {
        let Member::Change(change) = member else { return false };
        self.presets.is_empty()
            && self.association.options.autosave != Some(false)
            && is_surely_valid(change, &self.given_key)
    }

    // The same of a new one of which nothing is said but columns, and no rule judges them.
    fn surely_takes_values(&self, model: &ModelDef, values: &[Option<Value<'static>>]) -> bool {
        self.presets.is_empty() && has_what_it_needs(model, values, &self.given_key)
    }

    // Adds the problems of the member at a place.
    fn add_problems(&self, member: &Member, at: usize, errors: &mut Vec<FieldError>) {
        let own = self.of_member(member);
        if !own.is_empty() {
            let place = place_of(self.association, Some(at));
            errors.extend(own.into_iter().map(|error| error.within(&place)));
        }
    }

    fn of_member(&self, member: &Member) -> Vec<FieldError> {
        let association = self.association;
        let target: &'static ModelDef = (association.target)();
        let mut errors = outside(association, target, &self.presets, |column| value_of(member, column));
        if let Link::Join(record) = &self.link {
            if let Some(row) = member.existing() {
                let key = record.target.target_columns;
                if !target.has_key_in(&**row, key) {
                    errors.push(without_key(
                        association,
                        "cannot be linked: its key is NULL, so nothing would be found by it",
                    ));
                }
            }
        } else if let Some(row) = member.existing()
            && (target.primary_key.is_empty() || !target.has_key_in(&**row, target.primary_key))
        {
            errors.push(without_key(association, "cannot be linked: it has no primary key by which it is updated"));
        }
        if let Some(origin) = member.existing().and_then(|row| target.rows.origin(&**row))
            && origin.is_read_only()
            && (matches!(self.link, Link::Target(_)) || member.change().is_some())
        {
            let message = "cannot be saved: it was loaded for reading only";
            errors.push(FieldError::new(association.name, message).with_code(FieldError::READ_ONLY));
        }
        if let Some(change) = member.change() {
            // What the association's conditions say is set as well.
            let given = self.given(change);
            let shared = self.shared.map_or(&[][..], |shared| shared.to(member));
            let given = if shared.is_empty() { given } else { given.iter().chain(shared).cloned().collect() };
            let is_judged = association.options.validate;
            errors.extend(of_row(Final { change, given: &given, is_judged, shared: self.shared }));
        }
        errors
    }

    fn of_join(&self, join: &RowChange, member: &Member) -> Vec<FieldError> {
        let Link::Join(record) = &self.link else {
            let message = "has no rows between owner and member";
            return vec![FieldError::new(self.association.name, message).with_code(FieldError::NO_MEMBER)];
        };
        if join.model() != record.table {
            let (table, model) = (record.table.name, join.model().name);
            let message = format!("is linked by rows of {table}, and not of {model}");
            return vec![FieldError::new(self.association.name, message).with_code(FieldError::UNKNOWN_TYPE)];
        }
        let mut given = given_key(self.owner, &record.owner);
        let of_member = record.target.owner_columns.iter().zip(record.target.target_columns);
        given.extend(of_member.map(|(own, theirs)| (*own, value_of(member, *theirs))));
        given.extend(record.target_type.map(|named| (named.column, Some(Value::from(named.tag)))));
        let mut errors = Vec::new();
        if let Some(rows) = record.rows {
            let presets = presets_of_saved(rows, self.owner.base(), self.owner.values());
            errors = outside(rows, record.table, &presets, |column| of_change(join, column));
            let unset = presets.into_iter().filter(|preset| join.values()[preset.column].is_none());
            given.extend(unset.map(|preset| (preset.column, Some(preset.value))));
        }
        let name = record.rows.map_or(record.table.name, |rows| rows.name);
        let is_judged = self.association.options.validate;
        errors.extend(of_row(Final { change: join, given: &given, is_judged, shared: self.shared }));
        errors.into_iter().map(|error| error.within(name)).collect()
    }
}

// What the members of an owner, or its rows between, are given by it.
fn given_key(owner: &RowChange, key: &KeyJoin) -> GivenValues {
    let values = owner.final_key(key.owner_columns);
    let of_key = key.target_columns.iter().enumerate();
    let of_key = of_key.map(|(at, column)| (*column, values.as_ref().map(|values| values[at].clone())));
    of_key.chain(key.target_type.map(|named| (named.column, Some(Value::from(named.tag))))).collect()
}

// The place of the next member: the one that the changeset gives, or the one after the last.
fn next_place(given: Option<usize>, count: &mut usize) -> usize {
    let at = given.unwrap_or(*count);
    *count = at.saturating_add(1);
    at
}

/// An owner whose key has `NULL` in this column.
pub(super) fn owner_without_key(association: &AssociationDef, column: usize) -> FieldError {
    let field = (association.owner)().columns[column].field;
    let message = format!("has no members: the owner's key `{field}` is NULL");
    FieldError::new(association.name, message).with_code(FieldError::OWNER_WITHOUT_KEY).with_param("columns", field)
}

/// The path of a member.
pub(super) fn place_of(association: &AssociationDef, at: Option<usize>) -> String {
    match (association.kind.cardinality(), at) {
        (Cardinality::Many, Some(at)) => format!("{}[{at}]", association.name),
        _ => association.name.to_owned(),
    }
}

fn read_only(association: &AssociationDef, reason: &str) -> FieldError {
    let message = format!("cannot be written: {reason}");
    FieldError::new(association.name, message).with_code(FieldError::READ_ONLY)
}
