//! The owners an edge is loaded for, and the key each goes by.

use assoc_core::planner::{EdgeId, Plan, Source, VariantEdge};
use assoc_core::{ErrorKind, KeyTuple, Result, RowKeys, Value};

use super::NodeRows;
use super::held::{self, Held};

/// Each owner's key, `None` if it has none or does not take part, and whether the edge leaves it alone.
pub(super) struct Owners {
    pub(super) keys: RowKeys,
    pub(super) kept: Vec<bool>,
}

impl Owners {
    fn none() -> Self {
        Owners { keys: RowKeys::Ints(Vec::new()), kept: Vec::new() }
    }
}

pub(super) fn owners_of(
    plan: &Plan,
    nodes: &[Option<NodeRows>],
    root: Option<&dyn Held>,
    id: EdgeId,
    force: bool,
) -> Result<Owners> {
    let edge = plan.edge(id);
    // The plan's order guarantees that the owners' step has run.
    let (Source::Step { hop, .. }, Some(rows)) = (edge.source, &nodes[id.node]) else { return Ok(Owners::none()) };
    let mut kept = if force { Vec::new() } else { kept_owners(plan, rows, root, id) };
    let mut keys = all_keys(plan, rows, root, id.node, hop.owner_columns);
    kept.resize(keys.len(), false);
    forget(&mut keys, &kept);
    if let Some(variant) = edge.variant {
        let tags = all_keys(plan, rows, root, id.node, &[variant.discriminator.column]).into_tuples();
        if variant.stores_absent && !edge.hidden {
            refuse_unknown(plan, rows, root, id, variant, &tags, &kept)?;
        }
        let mine: Vec<Option<bool>> =
            tags.iter().map(|tag| Some(tag_of(tag.as_ref())? == variant.discriminator.tag)).collect();
        let others: Vec<bool> = mine.iter().map(|mine| *mine != Some(true)).collect();
        forget(&mut keys, &others);
        for (kept, mine) in kept.iter_mut().zip(mine) {
            *kept |= !mine.unwrap_or(variant.stores_absent);
        }
    }
    if let RowKeys::Tuples(tuples) = &keys
        && hop.owner_columns.len() == 1
        && let Some(ints) = as_ints(tuples)
    {
        keys = RowKeys::Ints(ints);
    }
    Ok(Owners { keys, kept })
}

/// The held owners whose association is in memory already; an edge that only works for another goes by that one.
pub(super) fn kept_owners(plan: &Plan, rows: &NodeRows, root: Option<&dyn Held>, id: EdgeId) -> Vec<bool> {
    let mut kept = Vec::new();
    let edge = plan.edge(id);
    let stored = match edge.serves {
        Some(serves) => Some(&plan.nodes()[id.node].edges[serves]),
        None => Some(edge).filter(|edge| !edge.hidden),
    };
    if let (Some(root), Some(stored)) = (root, stored)
        && rows.held > 0
    {
        held::visit(plan, root, id.node, &mut |row| kept.push(held::keeps(row, stored)));
    }
    kept
}

// What rows of a node, held and fetched, have in some of their columns.
fn all_keys(plan: &Plan, rows: &NodeRows, root: Option<&dyn Held>, node: usize, columns: &[usize]) -> RowKeys {
    match root {
        Some(root) if rows.held > 0 => {
            let mut keys = held::keys(plan, root, node, columns);
            keys.extend(rows.fetched.keys(columns, 0));
            keys
        }
        _ => rows.fetched.keys(columns, 0),
    }
}

fn forget(keys: &mut RowKeys, marks: &[bool]) {
    match keys {
        RowKeys::Ints(keys) => keys.iter_mut().zip(marks).filter(|(_, mark)| **mark).for_each(|(key, _)| *key = None),
        RowKeys::Tuples(keys) => keys.iter_mut().zip(marks).filter(|(_, mark)| **mark).for_each(|(key, _)| *key = None),
    }
}

fn as_ints(tuples: &[Option<KeyTuple>]) -> Option<Vec<Option<i64>>> {
    tuples
        .iter()
        .map(|key| match key.as_ref().map(KeyTuple::values) {
            None => Some(None),
            Some([Value::Int(key)]) => Some(Some(*key)),
            Some(_) => None,
        })
        .collect()
}

// An empty tag names no type.
fn tag_of(tag: Option<&KeyTuple>) -> Option<&str> {
    match tag?.values() {
        [Value::Text(tag)] if !tag.is_empty() => Some(tag),
        _ => None,
    }
}

fn refuse_unknown(
    plan: &Plan,
    rows: &NodeRows,
    root: Option<&dyn Held>,
    id: EdgeId,
    variant: VariantEdge,
    tags: &[Option<KeyTuple>],
    kept: &[bool],
) -> Result<()> {
    let known = |tag: &str| variant.all.iter().any(|known| known.tag == tag);
    let unknown = tags.iter().zip(kept).enumerate().find_map(|(at, (tag, kept))| {
        let tag = tag_of(tag.as_ref())?;
        (!kept && !known(tag)).then_some((at, tag))
    });
    let Some((at, tag)) = unknown else { return Ok(()) };
    let model = plan.nodes()[id.node].model;
    let key = all_keys(plan, rows, root, id.node, model.primary_key);
    Err(ErrorKind::UnknownType {
        model: model.name,
        key: key.show(at),
        association: plan.edge(id).association.name,
        tag: tag.to_owned(),
        known: variant.all.iter().map(|known| known.tag).collect(),
    }
    .into())
}
