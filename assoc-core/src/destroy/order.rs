//! In which order nodes are followed, and in which order tables lose their rows.

use std::collections::BTreeSet;

use super::{DestroyEdge, DestroyNode, Effect, RowLink, Stage};
use crate::metadata::association::{AssociationDef, KeySide, Linkage};
use crate::metadata::model::ModelDef;

/// Gives each node its rank: behind all nodes that lead to it, as far as no edges lead back.
pub(super) fn ranks(nodes: &mut [DestroyNode], edges: &[DestroyEdge]) {
    let targets = |at: usize| -> Vec<usize> {
        let of = |edge: &usize| match edges[*edge].effect {
            Effect::Remove { node } => Some(node),
            Effect::Restrict(_) | Effect::Clear { .. } => None,
        };
        nodes[at].edges.iter().filter_map(of).collect()
    };
    // Depth first with a stack of its own; a node is done when all that it leads to is.
    let mut done: Vec<usize> = Vec::with_capacity(nodes.len());
    let mut seen = vec![false; nodes.len()];
    seen[0] = true;
    let mut stack = vec![(0, targets(0).into_iter())];
    while let Some((at, rest)) = stack.last_mut() {
        match rest.next() {
            Some(next) if !seen[next] => {
                seen[next] = true;
                stack.push((next, targets(next).into_iter()));
            }
            Some(_) => {}
            None => {
                done.push(*at);
                stack.pop();
            }
        }
    }
    for (rank, at) in done.into_iter().rev().enumerate() {
        nodes[at].rank = rank;
    }
}

/// The keys by which rows of the nodes refer to each other, as the associations of their models know them. A key with a
/// type beside it is none: no foreign key holds it.
pub(super) fn links(nodes: &[DestroyNode]) -> Vec<RowLink> {
    let mut links: Vec<RowLink> = Vec::new();
    for model in nodes.iter().map(|node| node.model) {
        let known = model.associations.iter().flat_map(|association| keys(model, association));
        for (holder, columns, referred, to_columns) in known {
            for (from, columns) in nodes_of(nodes, holder, columns) {
                for (to, to_columns) in nodes_of(nodes, referred, to_columns) {
                    let link = RowLink { from, columns: columns.clone(), to, to_columns };
                    if !links.contains(&link) {
                        links.push(link);
                    }
                }
            }
        }
    }
    links
}

type Key = (&'static ModelDef, &'static [usize], &'static ModelDef, &'static [usize]);

// Who holds which key to whom.
fn keys(model: &'static ModelDef, association: &AssociationDef) -> Vec<Key> {
    match association.linkage() {
        Ok(Linkage::OwnerKey(key)) => {
            vec![(model, key.owner_columns, (association.target)(), key.target_columns)]
        }
        Ok(Linkage::TargetKey(key)) if key.target_type.is_none() => {
            vec![((association.target)(), key.target_columns, model, key.owner_columns)]
        }
        Ok(Linkage::JoinRecord(record)) if record.owner.target_type.is_none() && record.target_type.is_none() => vec![
            (record.table, record.owner.target_columns, model, record.owner.owner_columns),
            (record.table, record.target.owner_columns, (association.target)(), record.target.target_columns),
        ],
        _ => Vec::new(),
    }
}

// The nodes that have rows of a model's table, with its columns as theirs.
fn nodes_of(nodes: &[DestroyNode], model: &ModelDef, columns: &[usize]) -> Vec<(usize, Vec<usize>)> {
    let same_columns = |node: &DestroyNode| -> Option<Vec<usize>> {
        if node.model.table != model.table {
            return None;
        }
        let place = |column: &usize| {
            let name = model.columns[*column].name;
            node.model.columns.iter().position(|own| own.name == name)
        };
        columns.iter().map(place).collect()
    };
    nodes.iter().enumerate().filter_map(|(at, node)| Some((at, same_columns(node)?))).collect()
}

/// Tables in the order in which they lose their rows: those that refer to others first. Tables that refer to each other in
/// a circle are one stage.
pub(super) fn stages(nodes: &[DestroyNode], edges: &[DestroyEdge], links: &[RowLink]) -> Vec<Stage> {
    let tables = nodes.iter().map(|node| node.table + 1).max().unwrap_or(0);
    let mut refers = vec![BTreeSet::new(); tables];
    for link in links {
        refers[nodes[link.from].table].insert(nodes[link.to].table);
    }
    for edge in edges {
        let Effect::Remove { node } = edge.effect else { continue };
        let (from, to) = match edge.rows.foreign_key {
            KeySide::Target => (node, edge.from),
            KeySide::Owner => (edge.from, node),
        };
        refers[nodes[from].table].insert(nodes[to].table);
    }
    let reached: Vec<BTreeSet<usize>> = (0..tables).map(|table| reached_from(table, &refers)).collect();
    let mut left: Vec<usize> = (0..tables).collect();
    let mut stages = Vec::new();
    // The last found first: as a rule it is the deepest.
    while let Some(last) = left.iter().rev().copied().find(|table| {
        // Nothing that is left refers to it, except what it refers to itself.
        left.iter().all(|other| !reached[*other].contains(table) || reached[*table].contains(other) || other == table)
    }) {
        let circle: Vec<usize> = left
            .iter()
            .copied()
            .filter(|other| *other == last || (reached[last].contains(other) && reached[*other].contains(&last)))
            .collect();
        left.retain(|table| !circle.contains(table));
        let in_waves = reached[last].contains(&last);
        let nodes = (0..nodes.len()).filter(|at| circle.contains(&nodes[*at].table)).collect();
        stages.push(Stage { nodes, in_waves });
    }
    stages
}

// All tables that a table refers to, directly or through others. The table is among them if it is in a circle.
fn reached_from(table: usize, refers: &[BTreeSet<usize>]) -> BTreeSet<usize> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<usize> = refers[table].iter().copied().collect();
    while let Some(at) = next.pop() {
        if reached.insert(at) {
            next.extend(refers[at].iter().copied());
        }
    }
    reached
}
