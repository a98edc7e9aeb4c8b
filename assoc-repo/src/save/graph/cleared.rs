//! Keys that a save clears in rows that it returns. An owner may be its own member, or hold the key of a row that goes with
//! its members: then the struct of the owner loses the key, as the row has.

use std::collections::{BTreeSet, HashMap, HashSet};

use assoc_core::change::Row;
use assoc_core::driver::KeySet;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, ModelDef, TableRef};
use assoc_core::save::{LoadedRow, Lookup, Resolved, Unlink};
use assoc_core::{Result, Value};

use super::Run;
use super::follow::Adjusted;
use crate::destroy::{ClearedMembers, Destruction, stored};
use crate::session::Session;

/// What was cleared before the rows of the save were written.
#[derive(Default)]
pub(super) struct Cleared {
    // The columns that the save has set to NULL in rows it removed from an association. They are kept by name, because several
    // models may read one table.
    let_go: HashMap<(TableRef, KeyTuple), BTreeSet<&'static str>>,
    // Rows that held the keys of rows that are gone.
    by_destroys: Vec<ClearedMembers>,
    // Rows that are gone: what they held is not looked at.
    gone: HashSet<(TableRef, KeyTuple)>,
}

impl Cleared {
    /// Notes the members whose keys the save has set to NULL.
    pub(super) fn note(&mut self, lookup: &Lookup, resolved: &Resolved) {
        let Unlink::Nullify(columns) = &lookup.unlink else { return };
        let table = lookup.table;
        if table.primary_key.is_empty() {
            return;
        }
        for key in &resolved.let_go {
            let known = self.let_go.entry((table.table, key.clone())).or_default();
            known.extend(columns.iter().map(|column| table.columns[*column].name));
        }
    }

    /// Notes the rows that a destroy has cleared.
    pub(super) fn note_destroyed(&mut self, destruction: &Destruction<'_>) {
        self.by_destroys.extend(destruction.cleared_members());
        self.gone.extend(destruction.rows_gone());
    }

    fn is_empty(&self) -> bool {
        self.let_go.is_empty() && self.by_destroys.is_empty()
    }
}

/// A row that exists and comes back.
struct Returned<'r> {
    model: &'static ModelDef,
    planned: Option<u32>,
    // As it was before the save.
    base: &'r Row,
    key: KeyTuple,
}

impl Run<'_> {
    /// Adds what was cleared in rows that come back. It costs no statement, unless such a row held the key of a row that was
    /// destroyed: then 1 for each association that clears it says what the database has.
    pub(super) async fn add_cleared(
        &self,
        session: &mut Session<'_>,
        cleared: &Cleared,
        unneeded: &HashSet<u32>,
        adjusted: &mut Adjusted,
    ) -> Result<()> {
        if cleared.is_empty() {
            return Ok(());
        }
        let mut returned = self.returned();
        returned.retain(|row| !cleared.gone.contains(&(row.model.table, row.key.clone())));
        for row in &returned {
            let Some(names) = cleared.let_go.get(&(row.model.table, row.key.clone())) else { continue };
            let columns = columns_named(row.model, names.iter().copied());
            let values = columns.into_iter().filter(|column| !self.writes(row, *column, unneeded));
            adjusted.add(row.model, row.key.clone(), values.map(|column| (column, Value::Null)).collect());
        }
        for members in &cleared.by_destroys {
            let holds = |row: &&Returned<'_>| {
                let by = columns_named(row.model, members.by.iter().copied());
                row.model.table == members.table
                    && row.model.key_in(&**row.base, &by).is_some_and(|key| members.owners.contains(&key))
            };
            for row in returned.iter().filter(holds) {
                let mut columns = columns_named(row.model, members.columns.iter().copied());
                columns.retain(|column| !self.writes(row, *column, unneeded));
                if columns.is_empty() {
                    continue;
                }
                let mut now = None;
                let mut sink = |values: &mut [Value<'_>]| {
                    now = Some(stored(row.model, &columns, values));
                    Ok(())
                };
                let (by, key) = (row.model.primary_key, KeySet::from_iter([row.key.clone()]));
                session.query_keyed(row.model, &columns, by, &key, &Expr::always(), &mut sink).await?;
                // A callback may have removed the row meanwhile.
                let now = now.map(Vec::from).unwrap_or_default();
                adjusted.add(row.model, row.key.clone(), columns.into_iter().zip(now).collect());
            }
        }
        Ok(())
    }

    fn returned(&self) -> Vec<Returned<'_>> {
        let mut returned = Vec::new();
        for group in self.plan.groups() {
            let model = group.model;
            for row in &group.rows {
                let (planned, base) = match row {
                    LoadedRow::Existing(row) => (None, row),
                    LoadedRow::Planned(row) => match &self.plan.rows()[*row as usize].base {
                        Some(base) => (Some(*row), base),
                        None => continue,
                    },
                    _ => continue,
                };
                returned.extend(model.key_of(&**base).map(|key| Returned { model, planned, base, key }));
            }
        }
        returned
    }

    // Whether the save has written a column after it was cleared, or has read what it is now.
    fn writes(&self, row: &Returned<'_>, column: usize, unneeded: &HashSet<u32>) -> bool {
        let Some(at) = row.planned.filter(|row| !unneeded.contains(row)) else { return false };
        let planned = &self.plan.rows()[at as usize];
        let is_closed = || {
            let closings = self.plan.closings().iter().filter(|closing| closing.row == at);
            closings.flat_map(|closing| &closing.columns).any(|awaited| awaited.column == column)
        };
        // A callback may have set it.
        let is_changed = || {
            let rows = planned.model.rows;
            self.row(at).is_some_and(|now| rows.value(now, column) != rows.value(&**row.base, column))
        };
        self.fresh.contains(&at)
            || self.plan.rows().values(planned)[column].is_some()
            || planned.awaits.iter().any(|awaited| awaited.column == column)
            || is_closed()
            || is_changed()
    }
}

fn columns_named<'n>(model: &ModelDef, names: impl Iterator<Item = &'n str>) -> Vec<usize> {
    names.filter_map(|name| model.columns.iter().position(|column| column.name == name)).collect()
}
