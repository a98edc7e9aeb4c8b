//! Members to which rows of a table between lead.

use std::any::Any;

use super::{Builder, Given, Owner};
use crate::change::{ChildOp, Member, NamedBy, RowChange};
use crate::error::Result;
use crate::key::KeyTuple;
use crate::metadata::association::{AssociationDef, Cardinality, JoinRecord};
use crate::save::graph::links::{End, Side};
use crate::save::graph::{Added, LoadedRow};
use crate::save::questions::{Ask, Kept, Removal};
use crate::value::Value;

impl Builder {
    // Members to which rows of a table between lead.
    pub(super) fn linked(
        &mut self,
        owner: Owner,
        group: usize,
        association: &'static AssociationDef,
        record: &JoinRecord,
        op: ChildOp,
        named_by: NamedBy,
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
            other => {
                let key_of = |row: &dyn Any| target.key_in(row, record.target.target_columns);
                self.one_member(owner, group, association, other, named_by, key_of)
            }
        }
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
        let mut given = self.given_to_link(owner.row, record);
        self.take_key(owner.row, record.owner.owner_columns, record.owner.target_columns, &mut given);
        let (place, end, added) = match member {
            Member::Row { model, row } => {
                for (column, of) in record.target.owner_columns.iter().zip(record.target.target_columns) {
                    given.values.push((*column, model.rows.value(&*row, *of).into_owned()));
                }
                let place = self.groups[group].place_existing(&row);
                let end = self.end_at(group, place, || model.key_in(&*row, record.target.target_columns));
                (place, end, LoadedRow::Existing(row))
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
                    let group = self.add_group(None, model);
                    let place = self.groups[group].place(LoadedRow::Planned(row));
                    let owner = Owner { row, group, place, said: children.len() };
                    for child in children {
                        if let ChildOp::AssociateWith { target, .. } = child.op {
                            self.associate(owner, child.association, target)?;
                        } else {
                            let named_by = child.named_by();
                            self.members(owner, child.association, child.op, named_by)?;
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
        self.groups[group].owner(owner.place).add_link(row, owner.said);
        self.note_link(Added { association, owner: owner.row, member: added, link: row });
        Ok(Some(row))
    }

    // Notes a link whose association has callbacks, or hand-written SQL.
    pub(super) fn note_link(&mut self, added: Added) {
        if added.association.options.insert_sql.is_some() {
            self.by_sql.push(added.clone());
        }
        if added.association.has_add_callbacks() {
            self.added.push(added);
        }
    }

    // A row between that holds nothing else than the link.
    pub(super) fn reserve_link(&mut self, association: &'static AssociationDef, record: &JoinRecord) -> Result<u32> {
        let row = self.reserve(record.table, None, [], Some(association))?;
        if let Some(own) = record.table.discriminator {
            self.rows.values_mut(row)[own.column] = Some(Value::from(own.tag));
        }
        let link = &mut self.rows[row as usize];
        (link.unread, link.is_bare_link) = (true, true);
        Ok(row)
    }

    pub(super) fn end(&mut self, row: u32, columns: &[usize]) -> End {
        let own = &self.rows[row as usize];
        match own.base.as_ref().and_then(|base| own.model.key_in(&**base, columns)) {
            Some(key) => self.links.end_of(Some(key)),
            None => End::Planned(row),
        }
    }

    // What a row that exists is at the end of links: the members of a group are linked by the same columns.
    fn end_at(&mut self, group: usize, place: u32, key: impl FnOnce() -> Option<KeyTuple>) -> End {
        let ends = &mut self.branches[group].ends;
        let at = place as usize;
        if ends.len() <= at {
            ends.resize(at + 1, None);
        }
        *ends[at].get_or_insert_with(|| self.links.end_of(key()))
    }
}
