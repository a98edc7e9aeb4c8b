//! What an owner holds in memory, and whether it follows.

use std::collections::{BTreeMap, HashSet};

use assoc_core::metadata::Linkage;
use assoc_core::{LoadState, Model, Value};

use crate::kinds::{Kind, kind};
use crate::tables::{Cells, Tables, cells, label};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Memory {
    pub(crate) state: LoadState,
    pub(crate) rows: Vec<Cells>,
}

pub(crate) type Memories = BTreeMap<&'static str, Memory>;

/// All that an owner holds.
pub(crate) fn remembered<O: Model>(owner: &O) -> Memories {
    let held = O::DEF.associations.iter().map(|association| {
        let target = match association.linkage() {
            Ok(Linkage::OwnerKeyAndType { type_column, variants, .. }) => {
                let tag = owner.value(type_column).into_owned();
                variants.iter().find(|variant| Value::from(variant.tag) == tag).map(|variant| (variant.model)())
            }
            _ => Some((association.target)()),
        };
        let mut rows = Vec::new();
        if let Some(target) = target {
            association.field_access.visit(owner, &mut |row| rows.push(cells(target, row)));
        }
        (association.name, Memory { state: association.field_access.state(owner), rows })
    });
    held.collect()
}

/// What an association should hold after a call: rows by their labels, and those of them that the call has written.
#[derive(Debug)]
pub(crate) struct Expected {
    pub(crate) state: LoadState,
    pub(crate) rows: Vec<String>,
    pub(crate) written: HashSet<String>,
}

impl Expected {
    /// What is not touched.
    pub(crate) fn as_before(before: &Memory) -> Self {
        Expected { state: before.state, rows: before.rows.iter().map(label).collect(), written: HashSet::new() }
    }

    /// New members stand at the end. One that is there already stays where it is, unless it is linked once more.
    pub(crate) fn push(&mut self, added: Vec<String>, is_linked_again: bool) {
        if self.state == LoadState::NotLoaded && !added.is_empty() {
            self.state = LoadState::Partial;
        }
        for one in added {
            if is_linked_again || !self.rows.contains(&one) {
                self.rows.push(one.clone());
            }
            self.written.insert(one);
        }
    }

    pub(crate) fn remove(&mut self, gone: &HashSet<String>) {
        self.rows.retain(|row| !gone.contains(row));
    }
}

/// Whether an association's own memory is as expected. Rows that were given as they once were are not read again.
pub(crate) fn check(
    (before, after): (&Memory, &Memory),
    expected: &Expected,
    stale: &HashSet<String>,
    tables: &Tables,
    kind: &Kind,
) -> Result<(), String> {
    let rows: Vec<String> = after.rows.iter().map(label).collect();
    if (after.state, &rows) != (expected.state, &expected.rows) {
        return Err(format!(
            "{} holds {:?} {rows:?} and not {:?} {:?}",
            kind.name, after.state, expected.state, expected.rows
        ));
    }
    for row in &after.rows {
        let labelled = label(row);
        let there = tables.row(kind.target, &labelled);
        let is_fresh = there == Some(row);
        let is_as_before = before.rows.iter().any(|other| other == row);
        if stale.contains(&labelled) {
            continue;
        }
        if !is_fresh && (expected.written.contains(&labelled) || !is_as_before) {
            return Err(format!("{}: {row:?} in memory, and {there:?} in the table", kind.name));
        }
    }
    Ok(())
}

/// Whether an association holds just what the tables say.
pub(crate) fn is_fresh(memory: &Memory, tables: &Tables, owner: &Cells, kind: &Kind) -> bool {
    let sorted = |rows: &mut dyn Iterator<Item = &Cells>| {
        // A counter is another row's business: it moves with what is counted, and not with this association.
        let cells =
            |row: &Cells| row.clone().into_iter().filter(|(column, _)| *column != "items_count").collect::<Cells>();
        let mut rows: Vec<String> = rows.map(|row| format!("{:?}", cells(row))).collect();
        rows.sort();
        rows
    };
    let held = sorted(&mut memory.rows.iter());
    let mut members = sorted(&mut tables.members(kind, owner).into_iter());
    if is_single(kind) && members.len() > 1 {
        members.retain(|row| held.contains(row));
        members.truncate(1);
    }
    held == members
}

pub(crate) fn is_single(kind: &Kind) -> bool {
    matches!(kind.name, "card" | "deleted_card" | "destroyed_card" | "cover" | "seat" | "club")
        || matches!(kind.link, crate::kinds::Link::Owner { .. })
}

/// Whether what other associations hold is still true, or forgotten. What was not true before may be as it was.
pub(crate) fn check_others(
    own: &Kind,
    memories: (&Memories, &Memories),
    owners: (&Cells, &Cells),
    tables: (&Tables, &Tables),
) -> Result<(), String> {
    for (name, after) in memories.1 {
        let (before, other) = (&memories.0[name], kind(own.owner, name));
        let Some(other) = other.filter(|_| *name != own.name && after.state != LoadState::NotLoaded) else { continue };
        if after.state == LoadState::Loaded
            && before.state == LoadState::Loaded
            && is_fresh(before, tables.0, owners.0, other)
            && !is_fresh(after, tables.1, owners.1, other)
        {
            return Err(format!("{name} is not what there is any more: {:?}", after.rows));
        }
        if before.state == LoadState::NotLoaded {
            return Err(format!("{name} is loaded now, and was not"));
        }
    }
    Ok(())
}
