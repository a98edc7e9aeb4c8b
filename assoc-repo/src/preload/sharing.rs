//! Rows in hand that several owners share stay shared when associations are loaded below them.
//!
//! A shared row can only be changed where nobody else holds it, so attaching gives each owner a copy of its own. Owners
//! that held one row before have equal copies then: they have the same key. Once a node is complete, and before its rows
//! move on, such owners take the first one's copy again, and the others are dropped.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use assoc_core::planner::Plan;

use super::NodeRows;
use super::held::{self, Held, keeps};

/// Which rows were one and the same, node by node.
pub(super) struct Sharing {
    // For each node the rows its owners hold, in the order of a walk: the first place each is found at. Empty where no two
    // are the same.
    first: Vec<Vec<usize>>,
    // Nodes whose rows were walked over to be changed.
    touched: Vec<bool>,
}

impl Sharing {
    pub(super) fn of(plan: &Plan, nodes: &[Option<NodeRows>], root: Option<&dyn Held>) -> Self {
        let held = |node: usize| nodes[node].as_ref().is_some_and(|rows| rows.held > 1);
        let first = (0..plan.nodes().len())
            .map(|node| match root {
                Some(root) if held(node) && !plan.nodes()[node].edges.is_empty() => firsts(plan, root, node),
                _ => Vec::new(),
            })
            .collect();
        Sharing { first, touched: vec![false; plan.nodes().len()] }
    }

    /// Notes that rows of a node were changed in their owners' hands, and with them all rows on the way there.
    pub(super) fn touch(&mut self, plan: &Plan, node: usize) {
        let mut next = Some(node);
        while let Some(node) = next {
            self.touched[node] = true;
            next = plan.nodes()[node].stored_by.map(|id| id.node);
        }
    }

    /// Makes one of what was one.
    pub(super) fn restore(&self, plan: &Plan, root: &mut dyn Held, node: usize) {
        let first = &self.first[node];
        let (true, Some(id)) = (self.touched[node] && !first.is_empty(), plan.nodes()[node].stored_by) else { return };
        let edge = plan.edge(id);
        let mut known: HashMap<usize, Arc<dyn Any + Send + Sync>> = HashMap::new();
        let mut at = 0;
        held::visit_mut(plan, root, id.node, &mut |row| {
            if !keeps(row, edge) {
                return;
            }
            edge.association.slot.share(row, &mut |target| {
                let place = first.get(at).copied();
                at += 1;
                let place = place?;
                match known.get(&place) {
                    Some(other) => Some(Arc::clone(other)),
                    None => {
                        known.insert(place, target);
                        None
                    }
                }
            });
        });
    }
}

fn firsts(plan: &Plan, root: &dyn Held, node: usize) -> Vec<usize> {
    let Some(id) = plan.nodes()[node].stored_by else { return Vec::new() };
    let edge = plan.edge(id);
    let slot = edge.association.slot;
    if !slot.is_shared() {
        return Vec::new();
    }
    let mut places: HashMap<*const (), usize> = HashMap::new();
    let mut first = Vec::new();
    held::visit(plan, root, id.node, &mut |row| {
        if keeps(row, edge) {
            slot.visit(row, &mut |target| {
                let next = first.len();
                first.push(*places.entry(std::ptr::from_ref(target).cast()).or_insert(next));
            });
        }
    });
    if places.len() == first.len() { Vec::new() } else { first }
}
