//! The attach phase: from the leaves to the root, rows receive their associations and move into their owners.

use std::any::Any;

use assoc_core::planner::{Edge, Plan};
use assoc_core::rows::{Owners, Rows};
use assoc_core::{Children, Links};

use super::held::{self, Held};
use super::{EdgeLinks, NodeRows};

/// Attaches everything and returns the root's fetched rows.
pub(super) fn run<'r>(
    plan: &Plan,
    nodes: &mut [Option<NodeRows>],
    mut held_root: Option<&mut (dyn Held + 'r)>,
) -> Box<dyn Rows> {
    // A node comes after those that lead to it, so in reverse every node is complete before it moves into its owners.
    for node in (0..plan.nodes().len()).rev() {
        let Some(mut rows) = nodes[node].take() else { continue };
        for (at, edge) in plan.nodes()[node].edges.iter().enumerate().filter(|(_, edge)| !edge.hidden) {
            if let (Some(links), Some(children)) = (rows.links[at].take(), nodes[edge.child].take()) {
                attach(plan, node, edge, &mut rows, held_root.as_deref_mut(), &links, children.fetched);
            }
        }
        nodes[node] = Some(rows);
    }
    nodes[0].take().map_or_else(|| plan.nodes()[0].model.rows.new_rows(), |root| root.fetched)
}

fn attach(
    plan: &Plan,
    node: usize,
    edge: &Edge,
    rows: &mut NodeRows,
    held_root: Option<&mut (dyn Held + '_)>,
    EdgeLinks { links, kept, forgotten }: &EdgeLinks,
    children: Box<dyn Rows>,
) {
    let slot = edge.association.slot;
    let skip = |first: usize| move |at: usize| kept.get(first + at).copied().unwrap_or(false);
    let (held, fetched) = (rows.held, !rows.fetched.is_empty());
    // Rows that several owners hold, or that become an enum first, are wrapped once for all of them.
    let shared = match edge.variant {
        Some(variant) => Ok((variant.def.share)(children)),
        None if slot.is_shared() => Ok(children.into_shared()),
        None => Err(children),
    };
    let (shared, mut owned) = match shared {
        Ok(shared) => (Some(shared), None),
        Err(rows) => (None, Some(rows)),
    };
    if held > 0
        && let Some(root) = held_root
    {
        let mut owners = HeldOwners(Vec::with_capacity(held));
        held::visit_mut(plan, root, node, &mut |row| owners.0.push(row));
        for at in forgotten.iter().filter(|at| **at < held) {
            if let Some(owner) = owners.owner(*at) {
                slot.clear(owner);
            }
        }
        let children = match &shared {
            Some(shared) => Some(Children::Shared(&**shared)),
            // Fetched owners come after these, and take the rows for good.
            None if fetched => owned.as_deref().map(Children::Lent),
            None => owned.take().map(Children::Owned),
        };
        if let Some(children) = children {
            slot.attach(&mut owners, children, &part(links, 0, held), &skip(0), edge.state);
        }
    }
    let children = match &shared {
        Some(shared) => Some(Children::Shared(&**shared)),
        None => owned.map(Children::Owned),
    };
    if let Some(children) = children.filter(|_| fetched) {
        if held == 0 {
            slot.attach(rows.fetched.owners(), children, links, &skip(0), edge.state);
        } else {
            slot.attach(rows.fetched.owners(), children, &part(links, held, usize::MAX), &skip(held), edge.state);
        }
    }
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
