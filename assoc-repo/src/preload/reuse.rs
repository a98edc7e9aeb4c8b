//! Rows between owners and targets that are in memory already.
//!
//! An association through others begins at the rows of another association of its owners. Where an owner holds all of
//! those rows, by the key it has now, no statement reads them again: the hidden edge takes copies. The same holds for the
//! source association of each of those rows, to any depth, and for what is loaded below a copied target. So a struct never
//! contradicts itself, whatever happened to the database since the struct was loaded.
//!
//! What is in memory is known before the first statement, so all of it is collected first: for each owner of an edge, by
//! position, the rows it has. A node's reused rows come after those that its step fetches.
//!
//! The rows that one owner has in memory are taken as they are, in their order. A condition, an order, a group or a
//! selection of the association itself is said of its targets: then these are looked up, by the keys of the rows between.

use std::any::Any;
use std::collections::HashMap;

use assoc_core::driver::RowSink;
use assoc_core::execution::Links;
use assoc_core::execution::rows::Rows;
use assoc_core::metadata::{AssociationDef, Cardinality};
use assoc_core::planner::{Edge, EdgeId, Fetch, Plan, Source};
use assoc_core::select::KeyedSelect;
use assoc_core::{LoadState, Result, Value};

use super::NodeRows;
use super::existing::{self, Existing, Keeping};
use super::fetch::{new_rows, position};

/// What is in memory of the rows that a plan's hidden edges lead to.
#[derive(Default)]
pub(super) struct Reused {
    // For each node, how many rows, and the rows until its step has run.
    counts: Vec<usize>,
    rows: Vec<Option<Box<dyn Rows>>>,
    edges: HashMap<EdgeId, KnownTargets>,
}

/// For each owner of an edge its rows, as positions among the child node's reused rows. `None`: the edge looks them up.
#[derive(Default)]
struct KnownTargets {
    // Owners that were there before the first step.
    initial: Vec<Option<Vec<u32>>>,
    // Owners that are reused rows themselves.
    reused: Vec<Option<Vec<u32>>>,
}

impl KnownTargets {
    fn set(&mut self, owner: Owner, targets: Vec<u32>) {
        let (list, at) = match owner {
            Owner::Initial(at) => (&mut self.initial, at),
            Owner::Reused(at) => (&mut self.reused, at),
        };
        if list.len() <= at {
            list.resize(at + 1, None);
        }
        list[at] = Some(targets);
    }
}

impl Reused {
    /// Nothing is in memory.
    pub(super) fn nothing(plan: &Plan) -> Self {
        let nodes = plan.nodes().len();
        Reused { counts: vec![0; nodes], rows: (0..nodes).map(|_| None).collect(), edges: HashMap::new() }
    }

    /// How many of a node's fetched rows, at their end, are reused ones.
    pub(super) fn count(&self, node: usize) -> usize {
        self.counts.get(node).copied().unwrap_or(0)
    }

    /// Appends a node's reused rows to those its step fetched.
    pub(super) fn append_to(&mut self, node: usize, fetched: &mut Box<dyn Rows>) {
        if let Some(rows) = self.rows.get_mut(node).and_then(Option::take) {
            fetched.append(rows);
        }
    }

    /// Drops the rows of the first nodes, whose steps have run.
    pub(super) fn forget_rows(&mut self, nodes: usize) {
        self.rows.iter_mut().take(nodes).for_each(|rows| *rows = None);
    }

    /// Which of an edge's owners have their rows in memory. `owners` is the number of owners.
    pub(super) fn known(&self, id: EdgeId, owners: usize) -> Vec<bool> {
        let Some(known) = self.edges.get(&id) else { return Vec::new() };
        (0..owners).map(|at| self.targets(id, known, at, owners).is_some()).collect()
    }

    /// Puts the rows that owners of an edge have in memory among its links.
    pub(super) fn complete(&self, plan: &Plan, nodes: &[Option<NodeRows>], id: EdgeId, links: Links) -> Links {
        let Some(known) = self.edges.get(&id) else { return links };
        let edge = plan.edge(id);
        let fetched = nodes[edge.child].as_ref().map_or(0, |rows| rows.fetched.len());
        let first = position(fetched.saturating_sub(self.count(edge.child)));
        let owners = links.owners();
        let (mut rows, mut ends) = (Vec::new(), Vec::with_capacity(owners));
        for (at, own) in links.by_owner() {
            match self.targets(id, known, at, owners) {
                Some(targets) => rows.extend(targets.iter().map(|row| first + row)),
                None => rows.extend(own.map(position)),
            }
            ends.push(position(rows.len()));
        }
        match edge.cardinality {
            Cardinality::One => Links::first_of(&rows, &ends),
            Cardinality::Many => Links::Many { rows, ends },
        }
    }

    fn targets<'k>(&self, id: EdgeId, known: &'k KnownTargets, at: usize, owners: usize) -> Option<&'k Vec<u32>> {
        let fetched = owners.saturating_sub(self.count(id.node));
        let own = if at < fetched { known.initial.get(at) } else { known.reused.get(at - fetched) };
        own?.as_ref()
    }
}

/// An owner of an edge, by its position.
#[derive(Clone, Copy)]
enum Owner {
    Initial(usize),
    Reused(usize),
}

/// Where a row that is in memory lies.
#[derive(Clone, Copy)]
enum Origin<'r> {
    /// A struct of the application's.
    Struct(&'r dyn Any),
    /// A row that the root's statement brought.
    Joined { node: usize, at: usize },
}

/// Collects what is in memory.
pub(super) struct Collecting<'r> {
    plan: &'r Plan,
    nodes: &'r [Option<NodeRows>],
    found: Reused,
    // For each node the origins of its reused rows, and where the rows of structs are among them.
    origins: Vec<Vec<Origin<'r>>>,
    places: Vec<HashMap<*const (), u32>>,
    joined_places: Vec<HashMap<(usize, usize), u32>>,
    // The rows of each owner of a joined edge.
    joined_links: HashMap<(usize, usize), Vec<Vec<usize>>>,
}

impl<'r> Collecting<'r> {
    /// What structs hold.
    pub(super) fn of_structs(plan: &'r Plan, root: &'r dyn Existing) -> Result<Reused> {
        if !plan.nodes().iter().flat_map(|node| &node.edges).any(begins_at_rows_between) {
            return Ok(Reused::nothing(plan));
        }
        let mut collecting = Collecting::new(plan, &[]);
        for node in 0..plan.nodes().len() {
            for id in collecting.stored_edges(node) {
                collecting.below_reused(id)?;
                let edge = plan.edge(id);
                if !begins_at_rows_between(edge) {
                    continue;
                }
                let keeping = Keeping::of(edge);
                let (mut owners, mut at) = (Vec::new(), 0);
                existing::visit(plan, root, node, &mut |row| {
                    if !keeping.keeps(row) {
                        owners.push((Owner::Initial(at), Origin::Struct(row)));
                    }
                    at += 1;
                });
                collecting.parts(id, &owners, true)?;
            }
        }
        Ok(collecting.found)
    }

    /// What the root's statement brought.
    pub(super) fn of_joined(plan: &'r Plan, nodes: &'r [Option<NodeRows>]) -> Result<Reused> {
        if plan.joined().is_empty() {
            return Ok(Reused::nothing(plan));
        }
        let mut collecting = Collecting::new(plan, nodes);
        for (node, rows) in nodes.iter().enumerate() {
            for id in collecting.stored_edges(node) {
                collecting.below_reused(id)?;
                if let Some(rows) = rows
                    && begins_at_rows_between(plan.edge(id))
                {
                    let origin = |at| (Owner::Initial(at), Origin::Joined { node, at });
                    let owners: Vec<_> = (0..rows.fetched.len()).map(origin).collect();
                    collecting.parts(id, &owners, true)?;
                }
            }
        }
        Ok(collecting.found)
    }

    fn new(plan: &'r Plan, nodes: &'r [Option<NodeRows>]) -> Self {
        let count = plan.nodes().len();
        Collecting {
            plan,
            nodes,
            found: Reused::nothing(plan),
            origins: vec![Vec::new(); count],
            places: vec![HashMap::new(); count],
            joined_places: vec![HashMap::new(); count],
            joined_links: HashMap::new(),
        }
    }

    fn stored_edges(&self, node: usize) -> Vec<EdgeId> {
        let edges = self.plan.nodes()[node].edges.iter().enumerate();
        edges.filter(|(_, edge)| !edge.hidden).map(|(edge, _)| EdgeId { node, edge }).collect()
    }

    // An edge below copied rows takes what the originals hold.
    fn below_reused(&mut self, id: EdgeId) -> Result<()> {
        let owners = self.reused_owners(id.node);
        if owners.is_empty() {
            return Ok(());
        }
        let edge = self.plan.edge(id);
        let plain = edge.state == LoadState::Loaded && !edge.reordered && !keeps_join_rows(edge);
        self.whole(id, &owners, plain)
    }

    fn reused_owners(&self, node: usize) -> Vec<(Owner, Origin<'r>)> {
        self.origins[node].iter().enumerate().map(|(at, origin)| (Owner::Reused(at), *origin)).collect()
    }

    // The rows of an edge that stands for a whole association. `plain` if rows in memory are what it is to have.
    fn whole(&mut self, id: EdgeId, owners: &[(Owner, Origin<'r>)], plain: bool) -> Result<()> {
        let edge = self.plan.edge(id);
        let mut others = Vec::new();
        // Nothing is looked up for what the root's statement joins.
        if self.select_of(edge.child).is_none() {
            return Ok(());
        }
        if plain {
            let keeping = Keeping::whole(edge.association);
            for (owner, origin) in owners {
                let Some(rows) = self.rows_of(edge, &keeping, *origin) else {
                    others.push((*owner, *origin));
                    continue;
                };
                let mut targets = Vec::with_capacity(rows.len());
                for row in rows {
                    targets.extend(self.copy(edge.child, row)?);
                }
                self.found.edges.entry(id).or_default().set(*owner, targets);
                self.asks_for_nothing(edge, *owner);
            }
        } else {
            others.extend_from_slice(owners);
        }
        self.parts(id, &others, plain)
    }

    // An owner that has an association asks for nothing by the first of its parts.
    fn asks_for_nothing(&mut self, edge: &Edge, owner: Owner) {
        let mut next = first_part(edge);
        while let Some(first) = next {
            self.found.edges.entry(first).or_default().set(owner, Vec::new());
            next = first_part(self.plan.edge(first));
        }
    }

    // The rows of an edge's parts, for owners that do not have the association itself.
    fn parts(&mut self, id: EdgeId, owners: &[(Owner, Origin<'r>)], plain: bool) -> Result<()> {
        let edge = self.plan.edge(id);
        if owners.is_empty() || !begins_at_rows_between(edge) {
            return Ok(());
        }
        let Some(first) = first_part(edge) else { return Ok(()) };
        self.whole(first, owners, true)?;
        if let Source::Through { second, plain: adds_nothing, .. } = edge.source {
            let between = self.reused_owners(second.node);
            self.whole(second, &between, plain && adds_nothing)?;
        }
        Ok(())
    }

    // The rows that an owner has of an association, if it is known to have all of them.
    fn rows_of(&mut self, edge: &Edge, keeping: &Keeping, origin: Origin<'r>) -> Option<Vec<Origin<'r>>> {
        match origin {
            Origin::Struct(owner) => {
                if !keeping.keeps(owner) {
                    return None;
                }
                let mut rows = Vec::new();
                edge.association.field_access.visit(owner, &mut |row| match edge.variant {
                    None => rows.push(Origin::Struct(row)),
                    // A target of another type is not what this edge leads to.
                    Some(variant) => rows.extend((variant.def.row)(row).map(Origin::Struct)),
                });
                Some(rows)
            }
            Origin::Joined { node, at } => {
                let of_plan = &self.plan.nodes()[node].edges;
                let joined = of_plan.iter().position(|other| self.is_whole_join(other, edge.association))?;
                let child = of_plan[joined].child;
                let links = &self.nodes[node].as_ref()?.links[joined].as_ref()?.links;
                let of_owners = self.joined_links.entry((node, joined)).or_insert_with(|| links.positions());
                Some(of_owners.get(at)?.iter().map(|at| Origin::Joined { node: child, at: *at }).collect())
            }
        }
    }

    // Whether the root's statement loads an association as it is declared.
    fn is_whole_join(&self, edge: &Edge, association: &AssociationDef) -> bool {
        let Source::Joined { joined } = edge.source else { return false };
        edge.association == association
            && !edge.hidden
            && !edge.reordered
            && edge.state == LoadState::Loaded
            && self.plan.joined()[joined].order.is_none()
    }

    // Copies a row's columns to a node, once, and says where they are.
    fn copy(&mut self, node: usize, origin: Origin<'r>) -> Result<Option<u32>> {
        let Some(select) = self.select_of(node) else { return Ok(None) };
        let row = match origin {
            Origin::Struct(row) => Some(row),
            Origin::Joined { node, at } => self.nodes[node].as_ref().and_then(|rows| rows.fetched.row(at)),
        };
        let Some(row) = row else { return Ok(None) };
        let next = position(self.origins[node].len());
        let place = match origin {
            Origin::Struct(row) => *self.places[node].entry(std::ptr::from_ref(row).cast()).or_insert(next),
            Origin::Joined { node: from, at } => *self.joined_places[node].entry((from, at)).or_insert(next),
        };
        if place == next {
            let rows = self.found.rows[node].get_or_insert_with(|| new_rows(select));
            push(&mut **rows, select, row)?;
            self.origins[node].push(origin);
            self.found.counts[node] += 1;
        }
        Ok(Some(place))
    }

    // What the step of a node selects.
    fn select_of(&self, node: usize) -> Option<&'r KeyedSelect> {
        let fetched_by = self.plan.nodes()[node].fetched_by?;
        match self.plan.edge(fetched_by).source {
            Source::Step { step, .. } | Source::OwnerStep { step, .. } => Some(&self.plan.steps()[step].select),
            Source::Joined { .. } | Source::Through { .. } => None,
        }
    }
}

// Of a table whose rows only lead on, the keys.
fn push(rows: &mut dyn Rows, select: &KeyedSelect, row: &dyn Any) -> Result<()> {
    match &select.only {
        None => rows.push_bare(row),
        Some(only) => {
            let mut values: Vec<Value<'_>> = only.iter().map(|column| select.model.rows.value(row, *column)).collect();
            RowSink::row(rows, &mut values)?;
        }
    }
    Ok(())
}

// The first part of an edge that goes through others: a hidden edge to the rows between, or to a join table's rows.
fn first_part(edge: &Edge) -> Option<EdgeId> {
    match edge.source {
        Source::Through { first, .. } => Some(first),
        Source::OwnerStep { behind, .. } => behind,
        Source::Step { .. } | Source::Joined { .. } => None,
    }
}

fn begins_at_rows_between(edge: &Edge) -> bool {
    edge.association.kind.parts().is_some() && first_part(edge).is_some()
}

// Whether a join table's rows come along, of which copies have nothing.
fn keeps_join_rows(edge: &Edge) -> bool {
    match edge.source {
        Source::Through { limits, .. } => limits.join_rows,
        Source::OwnerStep { behind, .. } => behind.is_some() && edge.association.kind.parts().is_none(),
        Source::Step { .. } | Source::Joined { .. } => false,
    }
}

/// The associations of a plan that one statement joins as a whole, though one of the structs holds the rows between.
pub(super) fn joined_in_vain(plan: &Plan, root: &dyn Existing) -> Vec<&'static AssociationDef> {
    let mut found = Vec::new();
    for (node, edges) in plan.nodes().iter().map(|node| &node.edges).enumerate() {
        for edge in edges {
            let Source::Step { step, .. } = edge.source else { continue };
            let Some([through, _]) = edge.association.kind.parts() else { continue };
            if !matches!(plan.steps()[step].fetch, Fetch::JoinChain(_)) {
                continue;
            }
            let (keeping, between) = (Keeping::of(edge), Keeping::whole(through));
            let mut holds = false;
            existing::visit(plan, root, node, &mut |row| holds |= !keeping.keeps(row) && between.keeps(row));
            if holds {
                found.push(edge.association);
            }
        }
    }
    found
}
