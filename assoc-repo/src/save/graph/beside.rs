//! Rows of a join table beside targets: they come back with the save that inserts them.
//!
//! An owner that exists keeps those that it holds, and gets the new ones behind them. Where it is not known which row belongs to
//! which target (because some were let go, or kept by a replacement), nothing is loaded.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use assoc_core::LoadState;
use assoc_core::driver::Dialect;
use assoc_core::execution::rows::Rows;
use assoc_core::execution::{Children, FieldAccess, JoinTableRows, Links};
use assoc_core::metadata::{Linkage, ModelDef};
use assoc_core::save::{LoadedGroup, LoadedOwner, LoadedRow, SavePlan};

use super::Run;

/// The rows between that are read once they are inserted, because targets are loaded with them. None where the database
/// does not return what it has inserted: such rows have no key by which they could be read.
pub(super) fn wanted(plan: &SavePlan, dialect: &dyn Dialect) -> HashSet<u32> {
    if !dialect.capabilities().insert_returning {
        return HashSet::new();
    }
    let groups = plan.groups().iter().filter(|group| table(group).is_some());
    groups.flat_map(|group| linked_owners(plan, group)).flat_map(|owner| &owner.links).copied().collect()
}

// The table of a group whose targets have rows of it beside them, if the association sees all rows that are inserted.
fn table(group: &LoadedGroup) -> Option<&'static ModelDef> {
    let (_, association) = group.parent?;
    if !association.field_access.keeps_join_rows() {
        return None;
    }
    match association.linkage() {
        Ok(Linkage::JoinRecord(record)) => Some(record.table).filter(|table| table.default_scope.is_none()),
        _ => None,
    }
}

// The owners that get a new row for each target.
fn linked_owners<'p>(plan: &'p SavePlan, group: &'p LoadedGroup) -> impl Iterator<Item = &'p LoadedOwner> {
    let owners = group.parent.map(|(parent, _)| &plan.groups()[parent].rows);
    group.owners.iter().filter(move |owner| {
        let row = owners.and_then(|rows| rows.get(owner.owner as usize));
        let is_new = matches!(row, Some(LoadedRow::Planned(row)) if plan.rows()[*row as usize].base.is_none());
        let only_given = owner.edited.is_empty() && owner.removed.is_empty();
        (is_new || only_given) && owner.links.len() == owner.rows.len()
    })
}

/// The rows between of the owners of a group.
pub(super) struct JoinRows {
    rows: Box<dyn Rows>,
    // Their positions, by owner: those that it holds, and how many of all are new.
    by_owner: HashMap<u32, Beside>,
}

struct Beside {
    positions: Vec<u32>,
    new: usize,
}

impl Beside {
    // The positions of the rows beside `targets` targets: all that the owner holds, or only the new ones.
    fn of(&self, targets: usize) -> Option<&[u32]> {
        match self.positions.len() - self.new {
            _ if targets == self.positions.len() => Some(&self.positions),
            held if targets == self.new => self.positions.get(held..),
            _ => None,
        }
    }
}

impl JoinRows {
    /// Those that were read.
    pub(super) fn of(group: &LoadedGroup, run: &Run<'_>) -> Option<JoinRows> {
        let table = table(group)?;
        let mut beside = JoinRows { rows: table.rows.new_rows(), by_owner: HashMap::new() };
        for owner in linked_owners(run.plan, group) {
            let read = |link: &u32| run.places[*link as usize].and_then(|_| run.row(*link));
            let Some(rows) = owner.links.iter().map(read).collect::<Option<Vec<_>>>() else { continue };
            let (first, new) = (beside.rows.len() as u32, rows.len());
            rows.into_iter().for_each(|row| beside.rows.push_whole(row));
            let positions = (first..beside.rows.len() as u32).collect();
            beside.by_owner.insert(owner.owner, Beside { positions, new });
        }
        Some(beside)
    }

    /// Takes in those that owners hold already, before they lose what they hold.
    pub(super) fn keep_held(&mut self, slot: &dyn FieldAccess, owners: &dyn Rows) {
        for (at, beside) in &mut self.by_owner {
            let Some(owner) = owners.row(*at as usize) else { continue };
            let first = self.rows.len() as u32;
            slot.visit_join_rows(owner, &mut |row| self.rows.push_whole(row));
            let new = std::mem::take(&mut beside.positions);
            beside.positions = (first..self.rows.len() as u32).chain(new).collect();
        }
    }

    /// Attaches targets with them to the owners whose rows they are.
    pub(super) fn attach(
        self,
        slot: &dyn FieldAccess,
        owners: &mut dyn Rows,
        children: Box<dyn Rows>,
        positions: &[Cow<'_, [u32]>],
        states: &[Option<LoadState>],
    ) {
        let (mut rows, mut ends, mut via) = (Vec::new(), Vec::with_capacity(positions.len()), Vec::new());
        let mut unknown = Vec::new();
        for (own, at) in positions.iter().zip(0_u32..) {
            if let Some(beside) = self.by_owner.get(&at).and_then(|beside| beside.of(own.len())) {
                rows.extend(own.iter().copied());
                via.extend(beside);
            } else {
                unknown.push(at as usize);
            }
            ends.push(rows.len() as u32);
        }
        let links = Links::Many { rows, ends };
        let join_rows = JoinTableRows { rows: self.rows.as_any(), positions: &via };
        for state in [LoadState::Loaded, LoadState::Partial] {
            let skip = |at: usize| states[at] != Some(state) || unknown.binary_search(&at).is_ok();
            slot.attach_with_join_rows(owners.owners(), Children::Lent(&*children), join_rows, &links, &skip, state);
        }
    }
}
