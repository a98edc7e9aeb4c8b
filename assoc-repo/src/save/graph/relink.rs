//! Rows between of an association to one that lead to another target, and keep their other columns.

use std::collections::HashMap;

use assoc_core::driver::{BoxFuture, KeySet};
use assoc_core::execution::{FilledBy, KeyTuple};
use assoc_core::metadata::{ColumnDefault, Linkage};
use assoc_core::save::{Lookup, Resolved, Step};
use assoc_core::{Result, sql};

use super::Run;
use crate::repo::Repo;
use crate::session::Session;

/// Planned rows that are not inserted, each with the row that takes its place.
pub(super) struct Relinked<'p>(HashMap<u32, (&'p Lookup, KeyTuple)>);

impl<'p> Relinked<'p> {
    /// Those of what was looked up. A filtered repo replaces the rows: whether it sees a row is known of those that are read.
    pub(super) fn of(repo: &Repo, let_go: &mut [(&'p Lookup, Resolved)]) -> Self {
        let mut rows = HashMap::new();
        for (lookup, resolved) in let_go {
            if repo.filters.as_ref().is_some_and(|hook| hook(lookup.table).is_some()) {
                resolved.relinked.clear();
            }
            rows.extend(resolved.relinked.iter().map(|(row, key)| (*row, (*lookup, key.clone()))));
        }
        Relinked(rows)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, row: u32) -> bool {
        self.0.contains_key(&row)
    }
}

impl Run<'_> {
    /// Makes rows between lead to the targets of a step. 1 statement for each.
    // Boxed, because a save inside a callback inside a save would take up stack for it at each level.
    pub(super) fn relink<'f>(
        &'f self,
        session: &'f mut Session<'_>,
        step: &'f Step,
        relinked: &'f Relinked<'_>,
    ) -> BoxFuture<'f, Result<()>> {
        Box::pin(self.relink_rows(session, step, relinked))
    }

    async fn relink_rows(&self, session: &mut Session<'_>, step: &Step, relinked: &Relinked<'_>) -> Result<()> {
        let Step::Insert { model, rows, .. } = step else { return Ok(()) };
        for row in rows {
            let Some((lookup, key)) = relinked.0.get(row) else { continue };
            let named = match lookup.association.linkage()? {
                Linkage::JoinRecord(record) => record.target_type.map(|named| named.column),
                _ => None,
            };
            let is_set = |column: usize| {
                lookup.member_columns().contains(&column)
                    || named == Some(column)
                    || model.columns[column].default == ColumnDefault::Filled(FilledBy::UpdatedAt)
            };
            let values = self.values(&self.plan.rows()[*row as usize])?.into_iter().enumerate();
            let set: Vec<_> =
                values.filter(|(column, _)| is_set(*column)).filter_map(|(at, value)| Some((at, value?))).collect();
            let key = KeySet::from_iter([key.clone()]);
            session.execute(&sql::update_by_keys(session.dialect(), model, &set, &key, false)).await?;
        }
        Ok(())
    }
}
