//! The attach phase: from the leaves to the root, rows receive their associations and move into their owners.
//!
//! Existing rows that several owners share stay shared when associations are loaded below them.
//!
//! A shared row can only be changed by its only owner, so attaching first gives each owner a separate copy. Owners that
//! shared a row then have equal copies, with the same key. When a node is complete, and before its rows move into their
//! owners, such owners take the first one's copy again, and the others are dropped.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use assoc_core::execution::rows::{Owners, Rows};
use assoc_core::execution::{Children, JoinTableRows, KeyMark, Links, RowKeys};
use assoc_core::metadata::Chain;
use assoc_core::planner::{Edge, Plan, Source};
use assoc_core::{LoadState, RowOrigin};

use super::existing::{self, Existing, Keeping};
use super::{EdgeLinks, NodeRows, stale};

/// Attaches everything and returns the root's fetched rows.
pub(super) fn run<'r>(
    plan: &Plan,
    nodes: &mut [Option<NodeRows>],
    mut existing_root: Option<&mut (dyn Existing + 'r)>,
) -> Box<dyn Rows> {
    let mut sharing = Sharing::of(plan, nodes, existing_root.as_deref().map(|root| root as &dyn Existing));
    // A node follows the nodes of its owners, so in reverse order every node is complete before it moves into its
    // owners.
    for node in (0..plan.nodes().len()).rev() {
        let Some(mut rows) = nodes[node].take() else { continue };
        for (at, edge) in plan.nodes()[node].edges.iter().enumerate().filter(|(_, edge)| !edge.hidden) {
            let Some(links) = rows.links[at].take() else { continue };
            let Some(children) = nodes[edge.child].take() else { continue };
            let between = match edge.source {
                Source::Through { second, limits, .. } if limits.join_rows => nodes[second.node].take(),
                // A scope that depends on the owner: its look-ups began at these rows.
                Source::OwnerStep { behind: Some(first), .. } if links.via.is_some() => {
                    nodes[plan.edge(first).child].take()
                }
                Source::Step { .. } | Source::OwnerStep { .. } | Source::Joined { .. } | Source::Through { .. } => None,
            };
            let between = between.map(|between| between.fetched);
            let edge = Attached { node, edge, links, between };
            // Rows that keep what they hold are not even looked at: looking would copy those that are shared.
            let changes = edge.changes(rows.existing);
            if changes {
                sharing.touch(plan, node);
            }
            let existing_root = existing_root.as_deref_mut().filter(|_| changes);
            attach(plan, &mut rows, existing_root, &edge, children.fetched);
        }
        if !rows.given.is_empty() {
            if rows.existing > 0 {
                sharing.touch(plan, node);
            }
            give_aggregates(plan, &mut rows, existing_root.as_deref_mut(), node);
        }
        if let Some(root) = existing_root.as_deref_mut() {
            sharing.restore(plan, root, node);
        }
        nodes[node] = Some(rows);
    }
    nodes[0].take().map_or_else(|| plan.nodes()[0].model.rows.new_rows(), |root| root.fetched)
}

// Gives the rows of a node their aggregates.
fn give_aggregates(plan: &Plan, rows: &mut NodeRows, existing_root: Option<&mut (dyn Existing + '_)>, node: usize) {
    let given = std::mem::take(&mut rows.given);
    if rows.existing > 0
        && let Some(root) = existing_root
    {
        let mut at = 0;
        existing::visit_mut(plan, root, node, &mut |row| {
            given.iter().for_each(|values| values.give(at, row));
            at += 1;
        });
    }
    for at in 0..rows.fetched.len() {
        if let Some(owner) = rows.fetched.owners().owner(at) {
            given.iter().for_each(|values| values.give(rows.existing + at, owner));
        }
    }
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
    // Whether an existing owner gets an association, or loses it.
    fn changes(&self, existing: usize) -> bool {
        let takes = (0..existing).any(|at| !self.links.kept.get(at).copied().unwrap_or(false));
        takes || self.links.forgotten.iter().any(|at| *at < existing)
    }

    // Gives some of the owners what is theirs: those from a position on, in the order of the links.
    fn give(
        &self,
        plan: &Plan,
        owners: &mut dyn Owners,
        children: Children<'_>,
        first: usize,
        links: &Links,
        via: &[u32],
    ) {
        let slot = self.edge.association.field_access;
        let skip = |at: usize| self.links.kept.get(first + at).copied().unwrap_or(false);
        match &self.between {
            None => slot.attach(owners, children, links, &skip, self.edge.state),
            Some(between) => {
                let join_rows = JoinTableRows { rows: between.as_any(), positions: via };
                slot.attach_with_join_rows(owners, children, join_rows, links, &skip, self.edge.state);
            }
        }
        self.note_hidden(plan, owners, first, links);
    }

    // Notes where a row that must exist is not found, and a filter may hide it. A key that is `NULL` refers to nothing in any case.
    fn note_hidden(&self, plan: &Plan, owners: &mut dyn Owners, first: usize, links: &Links) {
        if links.rows() >= links.owners() {
            return;
        }
        let Some(by) = plan.hidden_by(self.edge) else { return };
        let (model, key) = (plan.nodes()[self.node].model, plan.key_of_owner(self.edge));
        for at in 0..links.owners() {
            if !self.links.kept.get(first + at).copied().unwrap_or(false)
                && let Some(owner) = owners.owner(at)
                && model.key_in(owner, &key).is_some()
            {
                self.edge.association.field_access.may_be_hidden(owner, by);
            }
        }
    }

    // The key of the owners that the association's holder remembers.
    fn key_columns(&self) -> Option<Vec<usize>> {
        if self.edge.state != LoadState::Loaded {
            return None;
        }
        Chain::keys(self.edge.association).ok().and_then(|chain| stale::key_columns(&chain))
    }

    // Remembers by which keys some of the owners, those from a position on, took what is theirs.
    fn remember(&self, owners: &mut dyn Owners, first: usize, marks: Vec<KeyMark>) {
        let field = self.edge.association.field_access;
        for (at, mark) in marks.into_iter().enumerate() {
            if !self.links.kept.get(first + at).copied().unwrap_or(false)
                && let Some(owner) = owners.owner(at)
            {
                field.set_loaded_for(owner, mark);
            }
        }
    }
}

fn attach(
    plan: &Plan,
    rows: &mut NodeRows,
    existing_root: Option<&mut (dyn Existing + '_)>,
    edge: &Attached<'_>,
    mut children: Box<dyn Rows>,
) {
    // These rows are this edge's alone, so the mark goes nowhere else.
    if let Some(by) = edge.edge.association.read_only_by() {
        children.mark(RowOrigin::read_only(Some(by)));
    }
    let slot = edge.edge.association.field_access;
    let (existing, fetched) = (rows.existing, !rows.fetched.is_empty());
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
    let (model, key_columns) = (plan.nodes()[edge.node].model, edge.key_columns());
    if existing > 0
        && let Some(root) = existing_root
    {
        let mut owners = ExistingOwners(Vec::with_capacity(existing));
        existing::visit_mut(plan, root, edge.node, &mut |row| owners.0.push(row));
        for at in edge.links.forgotten.iter().filter(|at| **at < existing) {
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
            let (links, _) = part(&edge.links.links, 0, existing);
            edge.give(plan, &mut owners, children, 0, &links, via);
            if let Some(columns) = &key_columns {
                let mark = |owner: Option<&mut dyn Any>| {
                    KeyMark::of(owner.and_then(|owner| model.key_in(owner, columns)).as_ref())
                };
                let marks = (0..existing).map(|at| mark(owners.owner(at))).collect();
                edge.remember(&mut owners, 0, marks);
            }
        }
    }
    let children = match &shared {
        Some(shared) => Some(Children::Shared(&**shared)),
        None => owned.map(Children::Owned),
    };
    if let Some(children) = children.filter(|_| fetched) {
        if existing == 0 {
            edge.give(plan, rows.fetched.owners(), children, 0, &edge.links.links, via);
        } else {
            let (links, before) = part(&edge.links.links, existing, usize::MAX);
            edge.give(plan, rows.fetched.owners(), children, existing, &links, via.get(before..).unwrap_or_default());
        }
        if let Some(columns) = &key_columns {
            let marks = match rows.fetched.keys(columns, 0) {
                RowKeys::Ints(keys) => {
                    keys.into_iter().map(|key| key.map_or_else(|| KeyMark::of(None), KeyMark::of_int)).collect()
                }
                RowKeys::Tuples(keys) => keys.iter().map(|key| KeyMark::of(key.as_ref())).collect(),
            };
            edge.remember(rows.fetched.owners(), existing, marks);
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

struct ExistingOwners<'a>(Vec<&'a mut dyn Any>);

impl Owners for ExistingOwners<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn owner(&mut self, at: usize) -> Option<&mut dyn Any> {
        self.0.get_mut(at).map(|owner| &mut **owner)
    }
}

/// Which rows were one and the same, node by node.
struct Sharing {
    // For each node the rows its owners hold, in the order of a walk: the first place each is found at. Empty where no two
    // are the same.
    first: Vec<Vec<usize>>,
    // Nodes whose rows were walked over to be changed.
    touched: Vec<bool>,
}

impl Sharing {
    fn of(plan: &Plan, nodes: &[Option<NodeRows>], root: Option<&dyn Existing>) -> Self {
        let existing = |node: usize| nodes[node].as_ref().is_some_and(|rows| rows.existing > 1);
        let changes = |node: usize| {
            let given = nodes[node].as_ref().is_some_and(|rows| !rows.given.is_empty());
            given || !plan.nodes()[node].edges.is_empty()
        };
        let first = (0..plan.nodes().len())
            .map(|node| match root {
                Some(root) if existing(node) && changes(node) => firsts(plan, root, node),
                _ => Vec::new(),
            })
            .collect();
        Sharing { first, touched: vec![false; plan.nodes().len()] }
    }

    /// Notes that existing rows of a node were changed, and with them all rows between the root and the node.
    fn touch(&mut self, plan: &Plan, node: usize) {
        let mut next = Some(node);
        while let Some(node) = next {
            self.touched[node] = true;
            next = plan.nodes()[node].stored_by.map(|id| id.node);
        }
    }

    /// Makes one of what was one.
    fn restore(&self, plan: &Plan, root: &mut dyn Existing, node: usize) {
        let first = &self.first[node];
        let (true, Some(id)) = (self.touched[node] && !first.is_empty(), plan.nodes()[node].stored_by) else { return };
        let edge = plan.edge(id);
        let mut known: HashMap<usize, Arc<dyn Any + Send + Sync>> = HashMap::new();
        let mut at = 0;
        let keeping = Keeping::of(edge);
        existing::visit_mut(plan, root, id.node, &mut |row| {
            if !keeping.keeps(row) {
                return;
            }
            edge.association.field_access.share(row, &mut |target| {
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

fn firsts(plan: &Plan, root: &dyn Existing, node: usize) -> Vec<usize> {
    let Some(id) = plan.nodes()[node].stored_by else { return Vec::new() };
    let edge = plan.edge(id);
    let slot = edge.association.field_access;
    if !slot.is_shared() {
        return Vec::new();
    }
    let mut places: HashMap<*const (), usize> = HashMap::new();
    let mut first = Vec::new();
    let keeping = Keeping::of(edge);
    existing::visit(plan, root, id.node, &mut |row| {
        if keeping.keeps(row) {
            slot.visit(row, &mut |target| {
                let next = first.len();
                first.push(*places.entry(std::ptr::from_ref(target).cast()).or_insert(next));
            });
        }
    });
    if places.len() == first.len() { Vec::new() } else { first }
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
