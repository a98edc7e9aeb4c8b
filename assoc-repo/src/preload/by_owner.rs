//! Scopes that depend on the owner (F104, F106): owners with equal scopes share a statement.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::Debug;

use assoc_core::planner::{Plan, Shape, Step};
use assoc_core::{KeySet, Result, RowKeys};

use super::NodeRows;
use super::fetch::{Fetched, Found, Groups, new_rows, rows_of};
use super::held::{self, Held};
use super::index::KeyIndex;
use super::owners::Owners;
use crate::session::Session;

pub(super) async fn look_up(
    session: &mut Session<'_>,
    plan: &Plan,
    nodes: &[Option<NodeRows>],
    held_root: Option<&dyn Held>,
    step: &Step,
    owners: &[Owners],
    scope: fn(&dyn Any) -> Shape,
) -> Result<Found> {
    let mut all = Fetched { rows: new_rows(&step.select), groups: Groups::Lists(Vec::new()), group_of: Vec::new() };
    let mut places = Vec::with_capacity(owners.len());
    let mut count = 0;
    for (served, owners) in step.serves.iter().zip(owners) {
        let (scopes, scope_of) = distinct(plan, nodes, held_root, served.node, |_, row| Some(scope(row)));
        let mut own: Vec<Option<usize>> = vec![None; owners.keys.len()];
        for (at, shape) in scopes.iter().enumerate() {
            let members = |owner: usize| scope_of.get(owner) == Some(&Some(at));
            let keys = keys_where(&owners.keys, members);
            let set = KeySet::distinct([&keys]);
            let select = plan.scoped_select(step, shape)?;
            let found = rows_of(session, plan, nodes, held_root, step, &select, &set).await?;
            let first_row = u32::try_from(all.rows.len()).unwrap_or(u32::MAX);
            for row in 0..found.rows.len() {
                all.rows.push_from(&*found.rows, row);
            }
            if let Groups::Lists(lists) = &mut all.groups {
                for key in 0..set.len() {
                    let mut rows = Vec::new();
                    found.groups.push_to(key, u32::MAX, &mut rows);
                    rows.iter_mut().for_each(|row| *row += first_row);
                    lists.push(rows);
                }
            }
            for (owner, place) in KeyIndex::new(&set).of_rows(&keys).into_iter().enumerate() {
                if let Some(place) = place {
                    own[owner] = Some(count + place);
                }
            }
            count += set.len();
        }
        places.push(own);
    }
    Ok(Found { fetched: all, keys: count, places })
}

/// What a node's owners want, each thing once, and which of them each owner does: its place, `None` for nothing.
pub(super) fn distinct<T: Debug>(
    plan: &Plan,
    nodes: &[Option<NodeRows>],
    held_root: Option<&dyn Held>,
    node: usize,
    wanted: impl Fn(usize, &dyn Any) -> Option<T>,
) -> (Vec<T>, Vec<Option<usize>>) {
    let mut all: Vec<T> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut of_owner = Vec::new();
    let mut take = |row: &dyn Any| {
        let own = wanted(of_owner.len(), row).map(|own| {
            // Conditions and values compare but do not hash; their printed form is as good.
            *known.entry(format!("{own:?}")).or_insert_with(|| {
                all.push(own);
                all.len() - 1
            })
        });
        of_owner.push(own);
    };
    if let Some(rows) = &nodes[node] {
        if let (Some(root), true) = (held_root, rows.held > 0) {
            held::visit(plan, root, node, &mut take);
        }
        for row in (0..rows.fetched.len()).filter_map(|at| rows.fetched.row(at)) {
            take(row);
        }
    }
    (all, of_owner)
}

fn keys_where(keys: &RowKeys, wanted: impl Fn(usize) -> bool) -> RowKeys {
    match keys {
        RowKeys::Ints(keys) => {
            RowKeys::Ints(keys.iter().enumerate().map(|(at, key)| key.filter(|_| wanted(at))).collect())
        }
        RowKeys::Tuples(keys) => {
            RowKeys::Tuples(keys.iter().enumerate().map(|(at, key)| key.clone().filter(|_| wanted(at))).collect())
        }
    }
}
