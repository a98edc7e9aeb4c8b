//! Walking the rows an application holds, from the root through the associations that are loaded.

use std::any::Any;

use assoc_core::planner::{Edge, Plan};
use assoc_core::rows::keys_of;
use assoc_core::{KeyTuple, LoadState, Model, RowKeys};

/// The root's rows when the application holds them.
pub(crate) trait Held: Send + Sync {
    fn len(&self) -> usize;
    fn keys(&self, columns: &[usize]) -> RowKeys;
    fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a dyn Any));
    fn visit_mut<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut dyn Any));
}

pub(crate) struct HeldRows<'r, M>(pub(crate) &'r mut [M]);

impl<M: Model> Held for HeldRows<'_, M> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn keys(&self, columns: &[usize]) -> RowKeys {
        keys_of(self.0, columns)
    }

    fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a dyn Any)) {
        self.0.iter().for_each(|row| each(row));
    }

    fn visit_mut<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut dyn Any)) {
        self.0.iter_mut().for_each(|row| each(row));
    }
}

/// Calls back with each held row of a node, in the order that all parts of a preload count them. Rows that are stored
/// nowhere are never held.
pub(crate) fn visit<'a>(plan: &Plan, root: &'a dyn Held, node: usize, each: &mut dyn FnMut(&'a dyn Any)) {
    if node == 0 {
        return root.visit(each);
    }
    let Some(id) = plan.nodes()[node].stored_by else { return };
    let edge = plan.edge(id);
    let slot = edge.association.slot;
    visit(plan, root, id.node, &mut |row| {
        if keeps(slot.state(row), edge) {
            match edge.variant {
                None => slot.visit(row, each),
                Some(variant) => slot.visit(row, &mut |target| {
                    if let Some(row) = (variant.def.row)(target) {
                        each(row);
                    }
                }),
            }
        }
    });
}

/// The same, to change them.
pub(crate) fn visit_mut<'a>(plan: &Plan, root: &'a mut dyn Held, node: usize, each: &mut dyn FnMut(&'a mut dyn Any)) {
    if node == 0 {
        return root.visit_mut(each);
    }
    let Some(id) = plan.nodes()[node].stored_by else { return };
    let edge = plan.edge(id);
    let slot = edge.association.slot;
    visit_mut(plan, root, id.node, &mut |row| {
        if keeps(slot.state(row), edge) {
            match edge.variant {
                None => slot.visit_mut(row, each),
                Some(variant) => slot.visit_mut(row, &mut |target| {
                    if let Some(row) = (variant.def.row_mut)(target) {
                        each(row);
                    }
                }),
            }
        }
    });
}

/// Whether an owner keeps what it holds: the whole association was asked for and is there. One that is filtered or
/// asked for in an order is loaded anew, because nothing says that what is held went through the same.
pub(crate) fn keeps(held: LoadState, wanted: &Edge) -> bool {
    held == LoadState::Loaded && wanted.state == LoadState::Loaded && !wanted.reordered
}

/// The keys that held rows of a node below the root have in some of their columns.
pub(crate) fn keys(plan: &Plan, root: &dyn Held, node: usize, columns: &[usize]) -> RowKeys {
    if node == 0 {
        return root.keys(columns);
    }
    let rows = plan.nodes()[node].model.rows;
    let mut keys = Vec::new();
    visit(plan, root, node, &mut |row| {
        keys.push(KeyTuple::new(columns.iter().map(|column| rows.value(row, *column).into_owned())));
    });
    RowKeys::Tuples(keys)
}
