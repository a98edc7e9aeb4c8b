//! Members that hold the owner's key, and what is looked up of an owner's members.

use std::any::Any;

use super::{Builder, Given, Owner};
use crate::change::{ChildOp, Member, NamedBy};
use crate::error::{Error, FieldError, Result};
use crate::key::KeyTuple;
use crate::metadata::association::{AssociationDef, KeyJoin, Linkage};
use crate::save::graph::{Added, LoadedRow};
use crate::save::members::Lookup;
use crate::save::questions::{Ask, Kept, Question, Removal};
use crate::save::unlink::Unlink;
use crate::value::Value;

impl Builder {
    // Members that hold the owner's key.
    pub(super) fn targets(
        &mut self,
        owner: Owner,
        group: usize,
        association: &'static AssociationDef,
        key: KeyJoin,
        op: ChildOp,
        named_by: NamedBy,
    ) -> Result<()> {
        let target = (association.target)();
        let push = |builder: &mut Self, member: Member| {
            let presets = builder.presets(owner.row, association);
            let mut given = Given { values: std::mem::take(&mut builder.spare), presets, ..Given::default() };
            builder.take_key(owner.row, key.owner_columns, key.target_columns, &mut given);
            given.values.extend(key.target_type.map(|named| (named.column, Value::from(named.tag))));
            let is_new = matches!(&member, Member::Change(change) if change.base().is_none());
            let (row, place) = builder.add_member(member, group, given)?;
            let loaded = builder.groups[group].owner(owner.place);
            // A row is a member once, however often it was given.
            if is_new || !loaded.rows.contains(&place) {
                loaded.add(place, owner.said);
                if association.has_add_callbacks() {
                    let member = LoadedRow::Planned(row);
                    builder.added.push(Added { association, owner: owner.row, member, link: row });
                }
            }
            Ok::<_, Error>((row, place))
        };
        match op {
            ChildOp::Push { member, .. } => push(self, member).map(|_| ()),
            ChildOp::Replace(members) => {
                let is_new = self.rows[owner.row as usize].base.is_none();
                let mut keep = Vec::new();
                for member in members {
                    let existing = member.existing().and_then(|row| target.key_of(&**row));
                    let (row, _) = push(self, member)?;
                    if let Some(member) = existing {
                        keep.push(Kept { member, row, only_links: true });
                    }
                }
                if is_new {
                    Ok(())
                } else {
                    self.ask(owner, association, Removal::ByRule, Ask::All { keep, link: None })
                }
            }
            ChildOp::Clear => self.clear(owner, association),
            other => self.one_member(owner, group, association, other, named_by, |row| target.key_of(row)),
        }
    }

    // What else is said of members that stay, by this association or another one, has to be written.
    pub(super) fn judge_kept(&mut self) {
        for (_, lookup) in &mut self.lookups {
            let Ok(Linkage::TargetKey(key)) = lookup.association.linkage() else { continue };
            let of_key = |column: usize| {
                key.target_columns.contains(&column) || key.target_type.is_some_and(|named| named.column == column)
            };
            for kept in lookup.questions.iter_mut().flat_map(Question::kept_mut) {
                let own = &self.rows[kept.row as usize];
                let mut set = self.rows.values(own).iter().enumerate().filter(|(_, value)| value.is_some());
                kept.only_links =
                    set.all(|(column, _)| of_key(column)) && own.awaits.iter().all(|awaited| of_key(awaited.column));
            }
        }
    }

    // Removes all members of an owner; a new owner has none.
    pub(super) fn clear(&mut self, owner: Owner, association: &'static AssociationDef) -> Result<()> {
        if self.rows[owner.row as usize].base.is_none() {
            return Ok(());
        }
        self.ask(owner, association, Removal::Silent, Ask::All { keep: Vec::new(), link: None })
    }

    // Changes, destroys or removes one member, which is found by a key of its row. If it goes and its struct was given, it has to be of
    // that version.
    pub(super) fn one_member(
        &mut self,
        owner: Owner,
        group: usize,
        association: &'static AssociationDef,
        op: ChildOp,
        named_by: NamedBy,
        key_of: impl Fn(&dyn Any) -> Option<KeyTuple>,
    ) -> Result<()> {
        let version_of = |row: &dyn Any| {
            let target = (association.target)();
            target
                .lock_version()
                .filter(|_| named_by == NamedBy::Struct)
                .and_then(|column| target.key_in(row, &[column]))
        };
        match op {
            ChildOp::Edit(change) => {
                let member = change.base().and_then(|row| key_of(&**row));
                let Some(member) = member else { return Ok(()) };
                if change.is_marked_for_destruction() {
                    let row = change.base().cloned();
                    let of_form = change.expected_version().map(|version| KeyTuple::of_row(vec![version.clone()]));
                    let version = of_form.or_else(|| row.as_ref().and_then(|row| version_of(&**row)));
                    self.groups[group].owner(owner.place).removed.extend(row);
                    let ask = Ask::Member { member, remove: true, version };
                    return self.ask(owner, association, Removal::Destroy, ask);
                }
                let (_, place) = self.add_change(*change, group, Given::default())?;
                self.groups[group].owner(owner.place).edited.push(place);
                let ask = Ask::Member { member, remove: false, version: None };
                self.ask(owner, association, Removal::ByRule, ask)
            }
            ChildOp::Remove(row) => {
                let Some(member) = key_of(&*row) else { return Ok(()) };
                let version = version_of(&*row);
                self.groups[group].owner(owner.place).removed.push(row);
                self.ask(owner, association, Removal::ByRule, Ask::Member { member, remove: true, version })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn ask(
        &mut self,
        owner: Owner,
        association: &'static AssociationDef,
        removal: Removal,
        mut ask: Ask,
    ) -> Result<()> {
        let all = matches!(ask, Ask::All { .. });
        let linkage = association.linkage()?;
        // What goes is a row between, of which the version of a member says nothing.
        if let (Ask::Member { version, .. }, Linkage::JoinRecord(_)) = (&mut ask, &linkage) {
            *version = None;
        }
        let lookup = || match &linkage {
            Linkage::TargetKey(key) => Some((key.owner_columns, Lookup::of_targets(association, *key, all, removal))),
            Linkage::JoinRecord(record) => {
                Some((record.owner.owner_columns, Lookup::of_links(association, record, all, removal)))
            }
            Linkage::OwnerKey(_) | Linkage::OwnerKeyAndType { .. } | Linkage::ReadOnly(_) => None,
        };
        let known = (std::ptr::from_ref(association) as usize, all, removal);
        let at = match self.lookup_at.get(&known) {
            Some(at) => *at,
            None => {
                let Some((owner_columns, lookup)) = lookup() else { return Ok(()) };
                self.lookups.push((owner_columns, lookup));
                self.lookup_at.insert(known, self.lookups.len() - 1);
                self.lookups.len() - 1
            }
        };
        let owner_columns = self.lookups[at].0;
        let row = &self.rows[owner.row as usize];
        // The members are found by the key as it is.
        let Some(key) = row.base.as_ref().and_then(|base| row.model.key_in(&**base, owner_columns)) else {
            let message = "has no members: the owner's key is NULL";
            return Err(
                self.invalid(FieldError::new(association.name, message).with_code(FieldError::OWNER_WITHOUT_KEY))
            );
        };
        if let (Ask::Member { remove: true, .. }, Unlink::Refused(error)) = (&ask, &self.lookups[at].1.unlink) {
            let error = error.clone();
            return Err(self.invalid(error));
        }
        self.lookups[at].1.reads_version |= matches!(&ask, Ask::Member { version: Some(_), .. });
        self.lookups[at].1.questions.push(Question { owner: key, row: owner.row, ask });
        Ok(())
    }
}
