//! Rows of a join table beside the targets of a new owner: they come back with the save that inserts them.
//!
//! Of owners that exist nothing is loaded beside them: rows between that were there before may have changed.

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
    groups.flat_map(|group| new_owners(plan, group)).flat_map(|owner| &owner.links).copied().collect()
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

fn new_owners<'p>(plan: &'p SavePlan, group: &'p LoadedGroup) -> impl Iterator<Item = &'p LoadedOwner> {
    let owners = group.parent.map(|(parent, _)| &plan.groups()[parent].rows);
    group.owners.iter().filter(move |owner| {
        let row = owners.and_then(|rows| rows.get(owner.owner as usize));
        let is_new = matches!(row, Some(LoadedRow::Planned(row)) if plan.rows()[*row as usize].base.is_none());
        is_new && owner.links.len() == owner.rows.len()
    })
}

/// The rows between of the new owners of a group.
pub(super) struct JoinRows {
    rows: Box<dyn Rows>,
    // Their positions, by owner.
    by_owner: HashMap<u32, Vec<u32>>,
}

impl JoinRows {
    /// Those that were read.
    pub(super) fn of(group: &LoadedGroup, run: &Run<'_>) -> Option<JoinRows> {
        let table = table(group)?;
        let mut beside = JoinRows { rows: table.rows.new_rows(), by_owner: HashMap::new() };
        for owner in new_owners(run.plan, group) {
            let read = |link: &u32| run.places[*link as usize].and_then(|_| run.row(*link));
            let Some(rows) = owner.links.iter().map(read).collect::<Option<Vec<_>>>() else { continue };
            let first = beside.rows.len() as u32;
            rows.into_iter().for_each(|row| beside.rows.push_whole(row));
            beside.by_owner.insert(owner.owner, (first..beside.rows.len() as u32).collect());
        }
        Some(beside)
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
        for (own, at) in positions.iter().zip(0_u32..) {
            if let Some(beside) = self.by_owner.get(&at).filter(|beside| beside.len() == own.len()) {
                rows.extend(own.iter().copied());
                via.extend(beside);
            }
            ends.push(rows.len() as u32);
        }
        let links = Links::Many { rows, ends };
        let join_rows = JoinTableRows { rows: self.rows.as_any(), positions: &via };
        for state in [LoadState::Loaded, LoadState::Partial] {
            let skip = |at: usize| states[at] != Some(state) || !self.by_owner.contains_key(&(at as u32));
            slot.attach_with_join_rows(owners.owners(), Children::Lent(&*children), join_rows, &links, &skip, state);
        }
    }
}
