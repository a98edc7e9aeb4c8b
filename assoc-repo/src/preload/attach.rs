//! The attach phase: from the leaves to the root, rows receive their associations and move into their owners.

use std::any::Any;

use assoc_core::planner::{Edge, Plan, Source};
use assoc_core::rows::{Owners, Rows};
use assoc_core::{Children, JoinTableRows, Links, RowOrigin};

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
            let Some(links) = rows.links[at].take() else { continue };
            let Some(children) = nodes[edge.child].take() else { continue };
            let between = match edge.source {
                Source::Composed { second, finish, .. } if finish.join_rows => nodes[second.node].take(),
                // A scope by owner: its look-ups began at these rows.
                Source::Step { .. } if links.via.is_some() => {
                    edge.behind.and_then(|first| nodes[plan.edge(first).child].take())
                }
                _ => None,
            };
            let between = between.map(|between| between.fetched);
            let edge = Attached { node, edge, links, between };
            attach(plan, &mut rows, held_root.as_deref_mut(), &edge, children.fetched);
        }
        nodes[node] = Some(rows);
    }
    nodes[0].take().map_or_else(|| plan.nodes()[0].model.rows.new_rows(), |root| root.fetched)
}

/// An edge with what it gives to its owners.
struct Attached<'p> {
    node: usize,
    edge: &'p Edge,
    links: EdgeLinks,
    // The rows of the join table that the links came from, if they are kept.
    between: Option<Box<dyn Rows>>,
}

impl Attached<'_> {
    // Gives some of the owners what is theirs: those from a position on, in the order of the links.
    fn give(&self, owners: &mut dyn Owners, children: Children<'_>, first: usize, links: &Links, via: &[u32]) {
        let slot = self.edge.association.slot;
        let skip = |at: usize| self.links.kept.get(first + at).copied().unwrap_or(false);
        match &self.between {
            None => slot.attach(owners, children, links, &skip, self.edge.state),
            Some(between) => {
                let join_rows = JoinTableRows { rows: between.as_any(), positions: via };
                slot.attach_with_join_rows(owners, children, join_rows, links, &skip, self.edge.state);
            }
        }
    }
}

fn attach(
    plan: &Plan,
    rows: &mut NodeRows,
    held_root: Option<&mut (dyn Held + '_)>,
    edge: &Attached<'_>,
    mut children: Box<dyn Rows>,
) {
    // These rows are this edge's alone, so the mark goes nowhere else.
    if let Some(by) = edge.edge.association.read_only_by() {
        children.mark(RowOrigin::read_only(Some(by)));
    }
    let slot = edge.edge.association.slot;
    let (held, fetched) = (rows.held, !rows.fetched.is_empty());
    // Rows that several owners hold, or that become an enum first, are wrapped once for all of them.
    let shared = match edge.edge.variant {
        Some(variant) => Ok((variant.def.share)(children)),
        None if slot.is_shared() => Ok(children.into_shared()),
        None => Err(children),
    };
    let (shared, mut owned) = match shared {
        Ok(shared) => (Some(shared), None),
        Err(rows) => (None, Some(rows)),
    };
    let via = edge.links.via.as_deref().unwrap_or_default();
    if held > 0
        && let Some(root) = held_root
    {
        let mut owners = HeldOwners(Vec::with_capacity(held));
        held::visit_mut(plan, root, edge.node, &mut |row| owners.0.push(row));
        for at in edge.links.forgotten.iter().filter(|at| **at < held) {
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
            let (links, _) = part(&edge.links.links, 0, held);
            edge.give(&mut owners, children, 0, &links, via);
        }
    }
    let children = match &shared {
        Some(shared) => Some(Children::Shared(&**shared)),
        None => owned.map(Children::Owned),
    };
    if let Some(children) = children.filter(|_| fetched) {
        if held == 0 {
            edge.give(rows.fetched.owners(), children, 0, &edge.links.links, via);
        } else {
            let (links, before) = part(&edge.links.links, held, usize::MAX);
            edge.give(rows.fetched.owners(), children, held, &links, via.get(before..).unwrap_or_default());
        }
    }
}

// The links of the owners from one position up to another, and how many come before them.
fn part(links: &Links, from: usize, to: usize) -> (Links, usize) {
    let positions = links.positions();
    let to = to.min(positions.len());
    let before = positions[..from.min(to)].iter().map(Vec::len).sum();
    let mut rows = Vec::new();
    let mut ends = Vec::new();
    for own in &positions[from.min(to)..to] {
        rows.extend(own.iter().map(|at| *at as u32));
        ends.push(rows.len() as u32);
    }
    (Links::Many { rows, ends }, before)
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
