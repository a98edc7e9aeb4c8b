//! The attach phase: from the leaves to the root, rows receive their associations and move into their owners.

use std::any::Any;

use assoc_core::planner::{Edge, Plan, Source};
use assoc_core::rows::{Owners, Rows};
use assoc_core::{Children, JoinTableRows, Links, RowOrigin};

use super::held::{self, Held};
use super::sharing::Sharing;
use super::{EdgeLinks, NodeRows};

/// Attaches everything and returns the root's fetched rows.
pub(super) fn run<'r>(
    plan: &Plan,
    nodes: &mut [Option<NodeRows>],
    mut held_root: Option<&mut (dyn Held + 'r)>,
) -> Box<dyn Rows> {
    let mut sharing = Sharing::of(plan, nodes, held_root.as_deref().map(|root| root as &dyn Held));
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
            // Rows that keep what they hold are not even looked at: looking would copy those that are shared.
            let changes = edge.changes(rows.held);
            if changes {
                sharing.touch(plan, node);
            }
            let held_root = held_root.as_deref_mut().filter(|_| changes);
            attach(plan, &mut rows, held_root, &edge, children.fetched);
        }
        if let Some(root) = held_root.as_deref_mut() {
            sharing.restore(plan, root, node);
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
    // Whether one of the owners in hand takes something, or forgets it.
    fn changes(&self, held: usize) -> bool {
        let takes = (0..held).any(|at| !self.links.kept.get(at).copied().unwrap_or(false));
        takes || self.links.forgotten.iter().any(|at| *at < held)
    }

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
    let to = to.min(links.owners());
    let from = from.min(to);
    let cut = |rows: &[u32], ends: &[u32]| {
        let start = if from == 0 { 0 } else { ends[from - 1] };
        let end = if to == 0 { 0 } else { ends[to - 1] };
        let ends = ends[from..to].iter().map(|end| end - start).collect();
        (Links::Many { rows: rows[start as usize..end as usize].to_vec(), ends }, start as usize)
    };
    match links {
        Links::Runs(runs) if from == 0 => (Links::Runs(runs[..to].to_vec()), 0),
        Links::Runs(runs) => {
            // Runs begin at the first row, and these do not.
            let before: u32 = runs[..from].iter().sum();
            let ends: Vec<u32> = runs[from..to]
                .iter()
                .scan(0, |end, run| {
                    *end += run;
                    Some(*end)
                })
                .collect();
            let count = ends.last().copied().unwrap_or(0);
            (Links::Many { rows: (before..before + count).collect(), ends }, before as usize)
        }
        Links::One(ones) => (Links::One(ones[from..to].to_vec()), ones[..from].iter().flatten().count()),
        Links::Many { rows, ends } => cut(rows, ends),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_the_positions_of_the_whole() {
        let all = [
            Links::Runs(vec![2, 0, 1, 3]),
            Links::One(vec![Some(1), None, Some(0), Some(1)]),
            Links::Many { rows: vec![4, 1, 1, 0], ends: vec![2, 2, 3, 4] },
            Links::Runs(Vec::new()),
        ];
        for links in all {
            let whole = links.positions();
            for from in 0..=whole.len() + 1 {
                for to in from..=whole.len() + 1 {
                    let (part, before) = part(&links, from, to);
                    let (from, to) = (from.min(whole.len()), to.min(whole.len()));
                    assert_eq!(part.positions(), whole[from..to], "{links:?} {from}..{to}");
                    assert_eq!(before, whole[..from].iter().map(Vec::len).sum::<usize>(), "{links:?} {from}..{to}");
                }
            }
        }
    }
}
