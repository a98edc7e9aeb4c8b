//! The attach phase: from the leaves to the root, rows receive their associations and move into their owners.

use std::any::Any;

use assoc_core::planner::Plan;
use assoc_core::rows::{Owners, Rows};
use assoc_core::{Children, Links};

use super::NodeRows;
use super::held::{self, Held};

/// Attaches everything and returns the root's fetched rows.
pub(super) fn run(plan: &Plan, nodes: &mut [Option<NodeRows>], mut held_root: Option<&mut dyn Held>) -> Box<dyn Rows> {
    // A node comes after the one above it, so in reverse every node is complete before it moves into its owners.
    for node in (0..plan.nodes().len()).rev() {
        let Some(mut rows) = nodes[node].take() else { continue };
        for (at, edge) in plan.nodes()[node].edges.iter().enumerate() {
            let (Some(links), Some(children)) = (rows.links[at].take(), nodes[edge.child].take()) else { continue };
            let slot = edge.association.slot;
            let kept = links.kept;
            let mut children = Some(children.fetched);
            if rows.held > 0
                && let Some(root) = held_root.as_deref_mut()
            {
                let mut owners = HeldOwners(Vec::with_capacity(rows.held));
                held::visit_mut(plan, root, node, &mut |row| owners.0.push(row));
                let own = part(&links.links, 0, rows.held);
                let skip = |at: usize| kept[at];
                if rows.fetched.is_empty() {
                    if let Some(children) = children.take() {
                        slot.attach(&mut owners, Children::Owned(children), &own, &skip, edge.state);
                    }
                } else if let Some(children) = &children {
                    slot.attach(&mut owners, Children::Lent(&**children), &own, &skip, edge.state);
                }
            }
            if let Some(children) = children
                && !rows.fetched.is_empty()
            {
                let own = if rows.held == 0 { links.links } else { part(&links.links, rows.held, usize::MAX) };
                slot.attach(rows.fetched.owners(), Children::Owned(children), &own, &|_| false, edge.state);
            }
        }
        nodes[node] = Some(rows);
    }
    nodes[0].take().map_or_else(|| plan.nodes()[0].model.rows.new_rows(), |root| root.fetched)
}

// The links of the owners from one position up to another.
fn part(links: &Links, from: usize, to: usize) -> Links {
    let positions = links.positions();
    let to = to.min(positions.len());
    let mut rows = Vec::new();
    let mut ends = Vec::new();
    for own in &positions[from.min(to)..to] {
        rows.extend(own.iter().map(|at| *at as u32));
        ends.push(rows.len() as u32);
    }
    Links::Many { rows, ends }
}

struct HeldOwners<'a>(Vec<&'a mut dyn Any>);

impl Owners for HeldOwners<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn owner(&mut self, at: usize) -> Option<&mut dyn Any> {
        self.0.get_mut(at).map(|owner| &mut **owner)
    }
}
