//! Associations with a statement of their own (F114): owners with equal SQL and binds share one.

use std::any::Any;

use assoc_core::planner::{Plan, Step};
use assoc_core::rows::Rows;
use assoc_core::sql::PerOwner;
use assoc_core::{RawSql, Result, RowSink, Value};

use super::NodeRows;
use super::by_owner::distinct;
use super::fetch::{Fetched, Found, Groups, new_rows};
use super::held::Held;
use super::owners::Owners;
use crate::read::Named;
use crate::session::Session;

struct Borrowed<'r>(&'r mut dyn Rows);

impl RowSink for Borrowed<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        RowSink::row(self.0, values)
    }
}

pub(super) async fn look_up(
    session: &mut Session<'_>,
    plan: &Plan,
    nodes: &[Option<NodeRows>],
    held_root: Option<&dyn Held>,
    step: &Step,
    owners: &[Owners],
    find: fn(&dyn Any) -> RawSql,
) -> Result<Found> {
    let mut all = new_rows(&step.select);
    let mut lists: Vec<Vec<u32>> = Vec::new();
    let mut places = Vec::with_capacity(owners.len());
    for (served, owners) in step.serves.iter().zip(owners) {
        let wanted = |at: usize, row: &dyn Any| (!owners.kept.get(at).copied().unwrap_or(false)).then(|| find(row));
        let (statements, of_owner) = distinct(plan, nodes, held_root, served.node, wanted);
        let first = lists.len();
        for raw in &statements {
            let statement = step.select.found(session.dialect_of(step.select.model), raw)?;
            let mut rows = new_rows(&step.select);
            let model = step.select.model;
            if step.select.reads_as_found() {
                let mut named = Named { model, rows: Borrowed(&mut *rows) };
                session.query_at(model, &statement, &mut named).await?;
            } else {
                session.query_at(model, &statement, &mut *rows).await?;
            }
            if let Some(PerOwner { limit, offset }) = step.select.cut_afterwards() {
                let skip = usize::try_from(offset).unwrap_or(usize::MAX);
                let most = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
                let last = skip.saturating_add(most);
                rows.keep(&(0..rows.len()).map(|at| at >= skip && at < last).collect::<Vec<_>>());
            }
            // Positions are kept in 32 bits, as all of them are.
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            lists.push((all.len()..all.len() + rows.len()).map(place).collect());
            (0..rows.len()).for_each(|at| all.push_from(&*rows, at));
        }
        places.push(of_owner.into_iter().map(|statement| statement.map(|at| first + at)).collect());
    }
    let keys = lists.len();
    Ok(Found { fetched: Fetched { rows: all, groups: Groups::Lists(lists), group_of: Vec::new() }, keys, places })
}
