//! New members that hold the key of a new owner and set columns only. Large saves consist of such members.

use std::rc::Rc;

use super::{Builder, Owner};
use crate::change::Preset;
use crate::metadata::association::{AssociationDef, KeyJoin, Linkage, LoadState};
use crate::save::graph::{Added, Awaited, LoadedRow};
use crate::value::Value;

/// What all such members of an owner have in common.
pub(super) struct PlainTargets {
    pub(super) association: &'static AssociationDef,
    group: usize,
    key: KeyJoin,
    presets: Option<Rc<[Preset]>>,
    has_callbacks: bool,
}

impl Builder {
    /// What all such members of an association have in common. `None` if they do not take all of the owner's key
    /// once it is inserted.
    pub(super) fn plain_targets(&mut self, owner: Owner, association: &'static AssociationDef) -> Option<PlainTargets> {
        if self.rows[owner.row as usize].base.is_some() {
            return None;
        }
        let key = match &*self.linkage(association).ok()? {
            Linkage::TargetKey(key) => *key,
            _ => return None,
        };
        let group = self.group(owner, association, (association.target)());
        // A new owner has no others.
        self.groups[group].owner(owner.place).state = Some(LoadState::Loaded);
        let presets = self.presets(owner.row, association);
        Some(PlainTargets { association, group, key, presets, has_callbacks: association.has_add_callbacks() })
    }

    /// Plans such a member of a planned row: nothing else can give it values, so none contradict each other.
    pub(super) fn add_plain(&mut self, owner: Owner, targets: &PlainTargets, row: u32) {
        let PlainTargets { association, group, key, presets, has_callbacks } = targets;
        let (planned, values) = self.rows.parts_mut(row);
        if let Some(named) = key.target_type {
            values[named.column] = Some(Value::from(named.tag));
        }
        for (of, column) in key.owner_columns.iter().copied().zip(key.target_columns.iter().copied()) {
            values[column] = None;
            planned.awaits.push(Awaited { column, row: owner.row, of });
        }
        for Preset { column, value } in presets.iter().flat_map(|presets| presets.iter()) {
            if !key.target_columns.contains(column) {
                values[*column].get_or_insert_with(|| value.clone());
            }
        }
        let group = &mut self.groups[*group];
        let place = group.place_new(LoadedRow::Planned(row));
        group.owner(owner.place).add(place, owner.said);
        if *has_callbacks {
            let (owner, member) = (owner.row, LoadedRow::Planned(row));
            self.added.push(Added { association, owner, member, link: row });
        }
    }
}
