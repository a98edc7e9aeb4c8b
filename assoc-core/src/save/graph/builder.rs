//! From a tree of changes to planned rows, look-ups and what is loaded.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use super::links::{End, Links};
use super::{Added, LoadedGroup, LoadedRow, Path, PlannedRows};
use crate::change::{ChildChange, ChildOp, Member, NamedBy, Row, RowChange, key_of_target};
use crate::error::{Error, ErrorKind, FieldError, Result};
use crate::key::KeyTuple;
use crate::metadata::association::{AssociationDef, Linkage, LoadState};
use crate::metadata::model::{ModelDef, TableRef};
use crate::save::members::Lookup;
use crate::save::questions::Removal;
use crate::value::Value;

mod built;
mod given;
mod linked;
mod plain;
mod targets;

use given::{Conditions, Given, GivenColumns};
use plain::PlainTargets;

pub(super) struct Builder {
    root: &'static ModelDef,
    rows: PlannedRows,
    // Each with the owner's columns that hold the key by which members are found.
    lookups: Vec<(&'static [usize], Lookup)>,
    groups: Vec<LoadedGroup>,
    // What is known of each group.
    branches: Vec<Branch>,
    lookup_at: HashMap<(usize, bool, Removal), usize>,
    added: Vec<Added>,
    by_sql: Vec<Added>,
    // Rows that exist, so that each is written once.
    existing: HashMap<(TableRef, KeyTuple), u32>,
    // Shared drafts by their addresses, which are theirs as long as they are kept here.
    shared: HashMap<usize, (Arc<RowChange>, u32)>,
    links: Links,
    // How associations are linked, by their addresses.
    linkages: Vec<(&'static AssociationDef, Rc<Linkage>)>,
    conditions: Conditions,
    // Columns of rows that other rows gave values.
    given: GivenColumns,
    // An empty list of values to be given: there are many, one after the other.
    spare: Vec<(usize, Value<'static>)>,
}

pub(super) struct Parts {
    pub(super) rows: PlannedRows,
    pub(super) lookups: Vec<Lookup>,
    pub(super) groups: Vec<LoadedGroup>,
    pub(super) added: Vec<Added>,
    pub(super) by_sql: Vec<Added>,
}

/// What is known of a group while it is planned.
#[derive(Default)]
struct Branch {
    // The groups that associations of its rows lead to, by the addresses of association and model.
    below: Vec<((usize, usize), usize)>,
    // What the rows that exist are at an end of a link, by position.
    ends: Vec<Option<End>>,
}

/// A row whose members are planned.
#[derive(Clone, Copy)]
struct Owner {
    row: u32,
    group: usize,
    place: u32,
    // How much is said of members, which is as a rule of one association.
    said: usize,
}

impl Builder {
    pub(super) fn new(root: &'static ModelDef, expected: usize) -> Self {
        Builder {
            root,
            rows: PlannedRows::expecting(expected),
            lookups: Vec::new(),
            groups: vec![LoadedGroup::new(None, root)],
            branches: vec![Branch::default()],
            lookup_at: HashMap::new(),
            added: Vec::new(),
            by_sql: Vec::new(),
            existing: HashMap::new(),
            shared: HashMap::new(),
            links: Links::default(),
            linkages: Vec::new(),
            conditions: Conditions::default(),
            given: GivenColumns::default(),
            spare: Vec::new(),
        }
    }

    pub(super) fn add_root(&mut self, change: RowChange) -> Result<()> {
        self.add_change(change, 0, Given::default()).map(|_| ())
    }

    pub(super) fn finish(mut self) -> Parts {
        self.judge_kept();
        Parts {
            rows: self.rows,
            lookups: self.lookups.into_iter().map(|(_, lookup)| lookup.with_version()).collect(),
            groups: self.groups,
            added: self.added,
            by_sql: self.by_sql,
        }
    }

    fn group(&mut self, owner: Owner, association: &'static AssociationDef, model: &'static ModelDef) -> usize {
        let key = (std::ptr::from_ref(association) as usize, std::ptr::from_ref(model) as usize);
        if let Some((_, group)) = self.branches[owner.group].below.iter().find(|(known, _)| *known == key) {
            return *group;
        }
        let group = self.add_group(Some((owner.group, association)), model);
        self.branches[owner.group].below.push((key, group));
        group
    }

    fn add_group(&mut self, parent: Path, model: &'static ModelDef) -> usize {
        self.groups.push(LoadedGroup::new(parent, model));
        self.branches.push(Branch::default());
        self.groups.len() - 1
    }

    /// Plans a row and everything that is said of its members. Answers with it and its place in the group.
    fn add_change(&mut self, change: RowChange, group: usize, given: Given) -> Result<(u32, u32)> {
        let is_alone = change.base().is_none();
        self.add_row(change, group, given, is_alone)
    }

    fn add_row(&mut self, change: RowChange, group: usize, given: Given, is_alone: bool) -> Result<(u32, u32)> {
        let built = change.built_links().to_vec();
        let (model, base, values, mut children) = change.into_whole();
        let row = self.reserve(model, base, values, self.by(group))?;
        self.give(row, given)?;
        for link in built {
            self.link_built(row, link)?;
        }
        // A new row is met once, unless it is shared.
        let place = match is_alone {
            true => self.groups[group].place_new(LoadedRow::Planned(row)),
            false => self.groups[group].place(LoadedRow::Planned(row)),
        };
        let said = children.iter().map(|child| child.op.count()).sum();
        let owner = Owner { row, group, place, said };
        // As a rule all that is said is of one association.
        let is_one = children.windows(2).all(|two| std::ptr::eq(two[0].association, two[1].association));
        let declared = |child: &ChildChange| model.associations.iter().position(|known| known == child.association);
        if !is_one && !children.is_sorted_by_key(declared) {
            children.sort_by_cached_key(declared);
        }
        // Whom the row belongs to is saved first.
        for child in &mut children {
            if !matches!(child.op, ChildOp::AssociateWith { .. }) {
                continue;
            }
            // Nothing else becomes of it below.
            if let ChildOp::AssociateWith { target, .. } = std::mem::replace(&mut child.op, ChildOp::Dissociate) {
                self.associate(owner, child.association, target)?;
            }
        }
        // What is known of the association that the last child was of.
        let mut last: Option<PlainTargets> = None;
        for child in &mut children {
            let association = child.association;
            let named_by = child.named_by();
            if !last.as_ref().is_some_and(|last| std::ptr::eq(last.association, association)) {
                last = None;
            }
            match (&last, &mut child.op) {
                (Some(targets), ChildOp::Push { member: Member::Change(change), join: None }) if change.is_plain() => {
                    let row = self.rows.add(change.model(), None, change.take_values(), Some(association));
                    self.add_plain(owner, targets, row);
                }
                (_, ChildOp::PushNew(members)) => {
                    if last.is_none() {
                        last = self.plain_targets(owner, association);
                    }
                    let Some(targets) = &last else {
                        members.members().try_for_each(|member| self.push_member(owner, association, member))?;
                        continue;
                    };
                    for row in self.rows.add_all(members.model(), members.take_values(), Some(association)) {
                        self.add_plain(owner, targets, row);
                    }
                }
                (_, op) => {
                    self.members(owner, association, std::mem::replace(op, ChildOp::Dissociate), named_by)?;
                    if last.is_none() {
                        last = self.plain_targets(owner, association);
                    }
                }
            }
        }
        Ok((row, place))
    }

    // The association by which the rows of a group are saved.
    fn by(&self, group: usize) -> Option<&'static AssociationDef> {
        self.groups[group].parent.map(|(_, association)| association)
    }

    // A row to be planned: a new one, or the one that is planned for the same row already.
    fn reserve(
        &mut self,
        model: &'static ModelDef,
        base: Option<Row>,
        values: impl IntoIterator<Item = Option<Value<'static>>>,
        association: Option<&'static AssociationDef>,
    ) -> Result<u32> {
        let next = self.rows.len() as u32;
        let key = base.as_ref().and_then(|base| model.key_of(&**base));
        if let Some(key) = key {
            let known = *self.existing.entry((model.table, key)).or_insert(next);
            if known != next {
                let values = values.into_iter().enumerate().filter_map(|(at, value)| Some((at, value?))).collect();
                self.give(known, Given { values, ..Given::default() })?;
                return Ok(known);
            }
        }
        Ok(self.rows.add(model, base, values, association))
    }

    fn invalid(&self, error: FieldError) -> Error {
        ErrorKind::Invalid { model: self.root.name, errors: vec![error] }.into()
    }

    // A row that is saved first, whose key the owner takes.
    fn associate(&mut self, owner: Owner, association: &'static AssociationDef, target: Member) -> Result<()> {
        let model = target.model();
        let group = self.group(owner, association, model);
        let (row, place) = self.add_member(target, group, Given::default())?;
        let loaded = self.groups[group].owner(owner.place);
        loaded.rows = vec![place];
        loaded.state = Some(LoadState::Loaded);
        let Some((own, theirs)) = key_of_target(association, model) else { return Ok(()) };
        let mut given = Given::default();
        self.take_key(row, theirs, own, &mut given);
        let own = self.rows.values_mut(owner.row);
        given.values.retain(|(column, value)| own[*column].as_ref() != Some(value));
        for awaited in &given.awaits {
            own[awaited.column] = None;
        }
        self.give(owner.row, given)
    }

    // Plans a member, which may be planned already.
    fn add_member(&mut self, member: Member, group: usize, given: Given) -> Result<(u32, u32)> {
        match member {
            Member::Row { model, row } => {
                let row = self.reserve(model, Some(row), [], self.by(group))?;
                self.give(row, given)?;
                Ok((row, self.groups[group].place(LoadedRow::Planned(row))))
            }
            Member::Change(change) => self.add_change(change, group, given),
            Member::Shared(change) => {
                let address = Arc::as_ptr(&change) as usize;
                if let Some((_, row)) = self.shared.get(&address) {
                    let row = *row;
                    self.give(row, given)?;
                    return Ok((row, self.groups[group].place(LoadedRow::Planned(row))));
                }
                let (row, place) = self.add_row((*change).clone(), group, given, false)?;
                self.shared.insert(address, (change, row));
                Ok((row, place))
            }
        }
    }

    // What is said of an association.
    fn members(
        &mut self,
        owner: Owner,
        association: &'static AssociationDef,
        op: ChildOp,
        named_by: NamedBy,
    ) -> Result<()> {
        let op = match op {
            ChildOp::Associate { .. } | ChildOp::Dissociate | ChildOp::Refused(_) | ChildOp::AssociateWith { .. } => {
                return Ok(());
            }
            ChildOp::PushNew(members) => {
                return members.members().try_for_each(|member| self.push_member(owner, association, member));
            }
            ChildOp::Find(_) => {
                let message = "names members by their keys, which are found when the changeset is saved by itself, not as a shared draft";
                return Err(self.invalid(FieldError::new(association.name, message).with_code(FieldError::NO_MEMBER)));
            }
            op => op,
        };
        let group = self.group(owner, association, (association.target)());
        // Whether nothing is known of the other members depends on whether there can be others.
        let is_new = self.rows[owner.row as usize].base.is_none();
        let is_whole = is_new || matches!(op, ChildOp::Replace(_) | ChildOp::Clear);
        let loaded = self.groups[group].owner(owner.place);
        if is_whole {
            loaded.state = Some(LoadState::Loaded);
        }
        match &*self.linkage(association)? {
            Linkage::TargetKey(key) => self.targets(owner, group, association, *key, op, named_by),
            Linkage::JoinRecord(record) => self.linked(owner, group, association, record, op, named_by),
            Linkage::OwnerKey(_) | Linkage::OwnerKeyAndType { .. } | Linkage::ReadOnly(_) => {
                let message = "has no members that could be written";
                Err(self.invalid(FieldError::new(association.name, message).with_code(FieldError::READ_ONLY)))
            }
        }
    }

    fn push_member(&mut self, owner: Owner, association: &'static AssociationDef, member: Member) -> Result<()> {
        self.members(owner, association, ChildOp::Push { member, join: None }, NamedBy::Struct)
    }

    fn linkage(&mut self, association: &'static AssociationDef) -> Result<Rc<Linkage>> {
        if let Some((_, linkage)) = self.linkages.iter().find(|(known, _)| std::ptr::eq(*known, association)) {
            return Ok(Rc::clone(linkage));
        }
        let linkage = Rc::new(association.linkage()?);
        self.linkages.push((association, Rc::clone(&linkage)));
        Ok(linkage)
    }
}
