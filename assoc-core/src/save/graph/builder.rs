//! From a tree of changes to planned rows, look-ups and what is loaded.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::links::{End, Links, Side};
use super::{Added, Awaited, Awaits, LoadedGroup, LoadedRow, PlannedRow};
use crate::change::{ChildChange, ChildOp, Member, Preset, Row, RowChange, key_of_target, presets_of_saved};
use crate::error::{Error, ErrorKind, FieldError, Result};
use crate::key::KeyTuple;
use crate::metadata::association::{AssociationDef, Cardinality, JoinRecord, KeyJoin, Linkage, LoadState};
use crate::metadata::model::{ModelDef, TableRef};
use crate::save::members::{Ask, Kept, Lookup, Question, Removal, Unlink};
use crate::value::Value;

mod built;

pub(super) struct Builder {
    root: &'static ModelDef,
    rows: Vec<PlannedRow>,
    // Each with the owner's columns that hold the key by which members are found.
    lookups: Vec<(&'static [usize], Lookup)>,
    groups: Vec<LoadedGroup>,
    paths: HashMap<(usize, usize, usize), usize>,
    // Members come one after the other, so the path of the last one is as a rule that of the next.
    last_path: Option<((usize, usize, usize), usize)>,
    lookup_at: HashMap<(usize, bool, Removal), usize>,
    added: Vec<Added>,
    by_sql: Vec<Added>,
    // Rows that exist, so that each is written once.
    existing: HashMap<(TableRef, KeyTuple), u32>,
    // Shared drafts by their addresses, which are theirs as long as they are kept here.
    shared: HashMap<usize, (Arc<RowChange>, u32)>,
    links: Links,
    // How associations are linked, by their addresses.
    linkages: Vec<(&'static AssociationDef, Linkage)>,
    // Columns of rows that other rows gave values.
    given: GivenColumns,
}

pub(super) struct Parts {
    pub(super) rows: Vec<PlannedRow>,
    pub(super) lookups: Vec<Lookup>,
    pub(super) groups: Vec<LoadedGroup>,
    pub(super) added: Vec<Added>,
    pub(super) by_sql: Vec<Added>,
}

/// What a row is given by the one whose member it is.
#[derive(Default)]
struct Given {
    values: Vec<(usize, Value<'static>)>,
    awaits: Awaits,
    // Only what a new row does not say itself.
    presets: Vec<Preset>,
}

impl Given {
    // Of a row between: what its conditions say, and the types that it names.
    fn of_link(record: &JoinRecord, presets: Vec<Preset>) -> Self {
        let mut given = Given { presets, ..Given::default() };
        let types = [record.owner.target_type, record.target_type].into_iter().flatten();
        given.values.extend(types.map(|named| (named.column, Value::from(named.tag))));
        given
    }
}

/// Columns of planned rows: a bit for each of the first columns of a row, because there are many rows.
#[derive(Default)]
struct GivenColumns {
    near: Vec<u64>,
    far: HashSet<(u32, usize)>,
}

impl GivenColumns {
    // Whether it is a new one.
    fn insert(&mut self, row: u32, column: usize) -> bool {
        if column >= 64 {
            return self.far.insert((row, column));
        }
        let at = row as usize;
        if self.near.len() <= at {
            self.near.resize(at + 1, 0);
        }
        let known = self.near[at] >> column & 1 == 1;
        self.near[at] |= 1 << column;
        !known
    }

    fn contains(&self, row: u32, column: usize) -> bool {
        match column {
            0..64 => self.near.get(row as usize).is_some_and(|bits| bits >> column & 1 == 1),
            _ => self.far.contains(&(row, column)),
        }
    }
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
            rows: Vec::with_capacity(expected),
            lookups: Vec::new(),
            groups: vec![LoadedGroup::new(None, root)],
            paths: HashMap::new(),
            last_path: None,
            lookup_at: HashMap::new(),
            added: Vec::new(),
            by_sql: Vec::new(),
            existing: HashMap::new(),
            shared: HashMap::new(),
            links: Links::default(),
            linkages: Vec::new(),
            given: GivenColumns::default(),
        }
    }

    pub(super) fn add_root(&mut self, change: RowChange) -> Result<()> {
        self.add_change(change, 0, Given::default()).map(|_| ())
    }

    pub(super) fn finish(self) -> Parts {
        Parts {
            rows: self.rows,
            lookups: self.lookups.into_iter().map(|(_, lookup)| lookup).collect(),
            groups: self.groups,
            added: self.added,
            by_sql: self.by_sql,
        }
    }

    fn group(&mut self, owner: Owner, association: &'static AssociationDef, model: &'static ModelDef) -> usize {
        let key = (owner.group, std::ptr::from_ref(association) as usize, std::ptr::from_ref(model) as usize);
        if let Some((_, group)) = self.last_path.filter(|(last, _)| *last == key) {
            return group;
        }
        let group = *self.paths.entry(key).or_insert_with(|| {
            self.groups.push(LoadedGroup::new(Some((owner.group, association)), model));
            self.groups.len() - 1
        });
        self.last_path = Some((key, group));
        group
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
        let owner = Owner { row, group, place, said: children.len() };
        let declared = |child: &ChildChange| model.associations.iter().position(|known| known == child.association);
        if !children.is_sorted_by_key(declared) {
            children.sort_by_cached_key(declared);
        }
        // Whom the row belongs to is saved first.
        for child in &mut children {
            if let ChildOp::AssociateWith { target, .. } = &mut child.op {
                let target = target.clone();
                self.associate(owner, child.association, target)?;
            }
        }
        for child in children {
            self.members(owner, child)?;
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
        values: Vec<Option<Value<'static>>>,
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
        self.rows.push(PlannedRow {
            model,
            base,
            values,
            awaits: Awaits::default(),
            level: 0,
            unread: false,
            association,
        });
        Ok(next)
    }

    // Sets what another row gives, over what a row says itself. A row to which several give takes the same of all of them.
    fn give(&mut self, row: u32, given: Given) -> Result<()> {
        let own = &mut self.rows[row as usize];
        let mut contradicted = None;
        for (column, value) in given.values {
            let is_awaited = own.awaits.iter().any(|awaited| awaited.column == column);
            let is_first = self.given.insert(row, column);
            if is_awaited || !is_first && own.values[column].as_ref() != Some(&value) {
                contradicted = Some(column);
            }
            own.values[column] = Some(value);
        }
        for awaited in given.awaits.iter().copied() {
            match own.awaits.iter().find(|known| known.column == awaited.column) {
                Some(known) if *known == awaited => {}
                Some(_) => contradicted = Some(awaited.column),
                None => {
                    if self.given.contains(row, awaited.column) {
                        contradicted = Some(awaited.column);
                    }
                    own.values[awaited.column] = None;
                    own.awaits.push(awaited);
                }
            }
        }
        if own.base.is_none() {
            for Preset { column, value } in given.presets {
                if own.awaits.iter().any(|awaited| awaited.column == column) {
                    continue;
                }
                own.values[column].get_or_insert(value);
            }
        }
        let Some(column) = contradicted else { return Ok(()) };
        let (name, field) = (own.model.name, own.model.columns[column].field);
        let message = format!("is given two values of `{field}`: a row that holds the key of its owner has one owner");
        Err(self.invalid(FieldError::new(name, message).with_code(FieldError::CONTRADICTION)))
    }

    // What the conditions of an association of a row say of its members.
    fn presets(&self, owner: u32, association: &AssociationDef) -> Vec<Preset> {
        let owner = &self.rows[owner as usize];
        presets_of_saved(association, owner.base.as_ref(), &owner.values)
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
        let own = &mut self.rows[owner.row as usize];
        given.values.retain(|(column, value)| own.values[*column].as_ref() != Some(value));
        for awaited in &given.awaits {
            own.values[awaited.column] = None;
        }
        self.give(owner.row, given)
    }

    // Takes the values of another row's columns, each for one of its own: as they are, if the row exists.
    fn take_key(&self, row: u32, of: &[usize], columns: &[usize], given: &mut Given) {
        let from = &self.rows[row as usize];
        for (of, column) in of.iter().copied().zip(columns.iter().copied()) {
            match (&from.base, &from.values[of]) {
                (None, _) => given.awaits.push(Awaited { column, row, of }),
                (Some(_), Some(value)) => given.values.push((column, value.clone())),
                (Some(base), None) => given.values.push((column, from.model.rows.value(&**base, of).into_owned())),
            }
        }
    }

    // Plans a member, which may be planned already.
    fn add_member(&mut self, member: Member, group: usize, given: Given) -> Result<(u32, u32)> {
        match member {
            Member::Row { model, row } => {
                let values = vec![None; model.columns.len()];
                let row = self.reserve(model, Some(row), values, self.by(group))?;
                self.give(row, given)?;
                Ok((row, self.groups[group].place(LoadedRow::Planned(row))))
            }
            Member::Change(change) => self.add_change(*change, group, given),
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

    fn members(&mut self, owner: Owner, child: ChildChange) -> Result<()> {
        let association = child.association;
        let op = match child.op {
            ChildOp::Associate { .. } | ChildOp::Dissociate | ChildOp::Refused(_) | ChildOp::AssociateWith { .. } => {
                return Ok(());
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
        match self.linkage(association)? {
            Linkage::TargetKey(key) => self.targets(owner, group, association, key, op),
            Linkage::JoinRecord(record) => self.linked(owner, group, association, &record, op),
            Linkage::OwnerKey(_) | Linkage::OwnerKeyAndType { .. } | Linkage::ReadOnly(_) => {
                let message = "has no members that could be written";
                Err(self.invalid(FieldError::new(association.name, message).with_code(FieldError::READ_ONLY)))
            }
        }
    }

    fn linkage(&mut self, association: &'static AssociationDef) -> Result<Linkage> {
        if let Some((_, linkage)) = self.linkages.iter().find(|(known, _)| std::ptr::eq(*known, association)) {
            return Ok(linkage.clone());
        }
        let linkage = association.linkage()?;
        self.linkages.push((association, linkage.clone()));
        Ok(linkage)
    }

    // Members that hold the owner's key.
    fn targets(
        &mut self,
        owner: Owner,
        group: usize,
        association: &'static AssociationDef,
        key: KeyJoin,
        op: ChildOp,
    ) -> Result<()> {
        let target = (association.target)();
        let push = |builder: &mut Self, member: Member| {
            let mut given = Given { presets: builder.presets(owner.row, association), ..Given::default() };
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
                        let own = &self.rows[row as usize];
                        let of_key = |column: usize| {
                            key.target_columns.contains(&column)
                                || key.target_type.is_some_and(|named| named.column == column)
                        };
                        let set = own.values.iter().enumerate().filter(|(_, value)| value.is_some());
                        let only_links = set.map(|(column, _)| column).all(of_key)
                            && own.awaits.iter().all(|awaited| of_key(awaited.column));
                        keep.push(Kept { member, row, only_links });
                    }
                }
                if is_new {
                    Ok(())
                } else {
                    self.ask(owner, association, Removal::ByRule, Ask::All { keep, link: None })
                }
            }
            ChildOp::Clear => self.clear(owner, association),
            ChildOp::Edit(change) => {
                let member = change.base().and_then(|row| target.key_of(&**row));
                let Some(member) = member else { return Ok(()) };
                if change.is_marked_for_destruction() {
                    let row = change.base().cloned();
                    self.groups[group].owner(owner.place).removed.extend(row);
                    return self.ask(owner, association, Removal::Destroy, Ask::Member { member, remove: true });
                }
                let (_, place) = self.add_change(*change, group, Given::default())?;
                self.groups[group].owner(owner.place).edited.push(place);
                self.ask(owner, association, Removal::ByRule, Ask::Member { member, remove: false })
            }
            ChildOp::Remove(row) => {
                let Some(member) = target.key_of(&*row) else { return Ok(()) };
                self.groups[group].owner(owner.place).removed.push(row);
                self.ask(owner, association, Removal::ByRule, Ask::Member { member, remove: true })
            }
            _ => Ok(()),
        }
    }

    // Members to which rows of a table between lead.
    fn linked(
        &mut self,
        owner: Owner,
        group: usize,
        association: &'static AssociationDef,
        record: &JoinRecord,
        op: ChildOp,
    ) -> Result<()> {
        let target = (association.target)();
        match op {
            ChildOp::Push { member, join } => self.link(owner, group, association, record, member, join).map(|_| ()),
            ChildOp::Replace(members) => {
                let is_new = self.rows[owner.row as usize].base.is_none();
                let is_one = association.kind.cardinality() == Cardinality::One;
                let (mut keep, mut link) = (Vec::new(), None);
                for member in members {
                    let existing =
                        member.existing().and_then(|row| target.key_in(&**row, record.target.target_columns));
                    let row = self.link(owner, group, association, record, member, None)?;
                    link = row.filter(|_| is_one);
                    if let (Some(member), Some(row)) = (existing, row) {
                        keep.push(Kept { member, row, only_links: true });
                    }
                }
                if is_new { Ok(()) } else { self.ask(owner, association, Removal::ByRule, Ask::All { keep, link }) }
            }
            ChildOp::Clear => self.clear(owner, association),
            ChildOp::Edit(change) => {
                let member = change.base().and_then(|row| target.key_in(&**row, record.target.target_columns));
                let Some(member) = member else { return Ok(()) };
                if change.is_marked_for_destruction() {
                    let row = change.base().cloned();
                    self.groups[group].owner(owner.place).removed.extend(row);
                    return self.ask(owner, association, Removal::Destroy, Ask::Member { member, remove: true });
                }
                let (_, place) = self.add_change(*change, group, Given::default())?;
                self.groups[group].owner(owner.place).edited.push(place);
                self.ask(owner, association, Removal::ByRule, Ask::Member { member, remove: false })
            }
            ChildOp::Remove(row) => {
                let Some(member) = target.key_in(&*row, record.target.target_columns) else { return Ok(()) };
                self.groups[group].owner(owner.place).removed.push(row);
                self.ask(owner, association, Removal::ByRule, Ask::Member { member, remove: true })
            }
            _ => Ok(()),
        }
    }

    // Everything that an owner has is let go; a new one has nothing.
    fn clear(&mut self, owner: Owner, association: &'static AssociationDef) -> Result<()> {
        if self.rows[owner.row as usize].base.is_none() {
            return Ok(());
        }
        self.ask(owner, association, Removal::Silent, Ask::All { keep: Vec::new(), link: None })
    }

    // Plans the row between. `None` if the other side of the save has linked the two already.
    fn link(
        &mut self,
        owner: Owner,
        group: usize,
        association: &'static AssociationDef,
        record: &JoinRecord,
        member: Member,
        join: Option<Box<RowChange>>,
    ) -> Result<Option<u32>> {
        let presets = record.rows.map(|rows| self.presets(owner.row, rows)).unwrap_or_default();
        let mut given = Given::of_link(record, presets);
        self.take_key(owner.row, record.owner.owner_columns, record.owner.target_columns, &mut given);
        let (place, end, added) = match member {
            Member::Row { model, row } => {
                for (column, of) in record.target.owner_columns.iter().zip(record.target.target_columns) {
                    given.values.push((*column, model.rows.value(&*row, *of).into_owned()));
                }
                let key = model.key_in(&*row, record.target.target_columns);
                let end = key.map_or(End::Planned(u32::MAX), End::Existing);
                let added = LoadedRow::Existing(row);
                (self.groups[group].place(added.clone()), end, added)
            }
            mut member => {
                if let (Member::Change(change), Some(_)) = (&mut member, &join) {
                    let own = &self.rows[owner.row as usize];
                    change
                        .drop_link(association, own.base.as_ref().and_then(|base| own.model.key_of(&**base)).as_ref());
                }
                let of_scope = Given { presets: self.presets(owner.row, association), ..Given::default() };
                let (row, place) = self.add_member(member, group, of_scope)?;
                self.take_key(row, record.target.target_columns, record.target.owner_columns, &mut given);
                (place, self.end(row, record.target.target_columns), LoadedRow::Planned(row))
            }
        };
        self.groups[group].owner(owner.place).add(place, owner.said);
        let own = self.end(owner.row, record.owner.owner_columns);
        if join.is_none() && self.links.is_linked(Side::Said(association), record, own, end) {
            return Ok(None);
        }
        let row = match join {
            // It may have members of its own, which nothing loads.
            Some(change) => {
                let (model, base, values, children) = change.into_whole();
                let row = self.reserve(model, base, values, Some(association))?;
                self.give(row, given)?;
                if !children.is_empty() {
                    let group = self.groups.len();
                    self.groups.push(LoadedGroup::new(None, model));
                    let place = self.groups[group].place(LoadedRow::Planned(row));
                    let owner = Owner { row, group, place, said: children.len() };
                    for child in children {
                        if let ChildOp::AssociateWith { target, .. } = child.op {
                            self.associate(owner, child.association, target)?;
                        } else {
                            self.members(owner, child)?;
                        }
                    }
                }
                row
            }
            None => {
                let row = self.reserve_link(association, record)?;
                self.give(row, given)?;
                row
            }
        };
        self.groups[group].owner(owner.place).links.push(row);
        self.note_link(Added { association, owner: owner.row, member: added, link: row });
        Ok(Some(row))
    }

    // Notes a link whose association has callbacks, or hand-written SQL.
    fn note_link(&mut self, added: Added) {
        if added.association.options.insert_sql.is_some() {
            self.by_sql.push(added.clone());
        }
        if added.association.has_add_callbacks() {
            self.added.push(added);
        }
    }

    // A row between that holds nothing else than the link.
    fn reserve_link(&mut self, association: &'static AssociationDef, record: &JoinRecord) -> Result<u32> {
        let mut values = vec![None; record.table.columns.len()];
        if let Some(own) = record.table.discriminator {
            values[own.column] = Some(Value::from(own.tag));
        }
        let row = self.reserve(record.table, None, values, Some(association))?;
        self.rows[row as usize].unread = true;
        Ok(row)
    }

    fn end(&self, row: u32, columns: &[usize]) -> End {
        let own = &self.rows[row as usize];
        let key = own.base.as_ref().and_then(|base| own.model.key_in(&**base, columns));
        key.map_or(End::Planned(row), End::Existing)
    }

    fn ask(&mut self, owner: Owner, association: &'static AssociationDef, removal: Removal, ask: Ask) -> Result<()> {
        let all = matches!(ask, Ask::All { .. });
        let linkage = association.linkage()?;
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
        self.lookups[at].1.questions.push(Question { owner: key, row: owner.row, ask });
        Ok(())
    }
}
