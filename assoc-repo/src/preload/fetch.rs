//! The fetch phase: one step after the other, from keys to flat rows to links.

use std::any::Any;

use assoc_core::planner::{Edge, Plan, Step};
use assoc_core::rows::Rows;
use assoc_core::sql::Matching;
use assoc_core::{Cardinality, ColumnType, Error, ErrorKind, KeySet, Links, Result, RowKeys, RowSink, Value};

use super::held::{self, Held};
use super::index::KeyIndex;
use super::{EdgeLinks, NodeRows};
use crate::session::Session;

/// The root's rows, for the fetch phase.
pub(super) enum RootRows<'r> {
    Fetched(Box<dyn Rows>),
    Held(&'r dyn Held),
}

/// Rows of one step: flat, and for each distinct key where its run begins and how long it is.
struct Fetched {
    rows: Box<dyn Rows>,
    runs: Vec<(u32, u32)>,
}

pub(super) async fn run(
    session: &mut Session<'_>,
    plan: &Plan,
    root: RootRows<'_>,
    force: bool,
) -> Result<Vec<Option<NodeRows>>> {
    let mut nodes: Vec<Option<NodeRows>> = plan.nodes().iter().map(|_| None).collect();
    let (held_root, rows) = match root {
        RootRows::Fetched(rows) => (None, rows),
        RootRows::Held(held) => (Some(held), plan.nodes()[0].model.rows.new_rows()),
    };
    nodes[0] = Some(NodeRows {
        held: held_root.map_or(0, Held::len),
        fetched: rows,
        links: plan.nodes()[0].edges.iter().map(|_| None).collect(),
    });
    for step in plan.steps() {
        let owners: Vec<Owners> =
            step.serves.iter().map(|served| owners_of(plan, &nodes, held_root, *served, force)).collect();
        let keys = KeySet::distinct(owners.iter().map(|owners| &owners.keys));
        let fetched = rows_of(session, plan, &nodes, held_root, step, &keys).await?;
        deal_out(plan, &mut nodes, held_root, step, &keys, owners, fetched);
    }
    Ok(nodes)
}

/// The owners an edge is loaded for: each one's key, `None` if it has none or keeps what it holds.
struct Owners {
    keys: RowKeys,
    kept: Vec<bool>,
}

fn owners_of(
    plan: &Plan,
    nodes: &[Option<NodeRows>],
    root: Option<&dyn Held>,
    (node, edge): (usize, usize),
    force: bool,
) -> Owners {
    let edge = &plan.nodes()[node].edges[edge];
    let columns = edge.hop.owner_columns;
    // The plan's order guarantees that the owners' step has run.
    let Some(rows) = &nodes[node] else { return Owners { keys: RowKeys::Ints(Vec::new()), kept: Vec::new() } };
    let mut kept = Vec::new();
    let mut keys = match root {
        Some(root) if rows.held > 0 => {
            held::visit(plan, root, node, &mut |row| {
                kept.push(!force && held::keeps(edge.association.slot.state(row), edge.state));
            });
            let mut keys = held::keys(plan, root, node, columns);
            forget(&mut keys, &kept);
            keys.extend(rows.fetched.keys(columns, 0));
            keys
        }
        _ => rows.fetched.keys(columns, 0),
    };
    if let RowKeys::Tuples(tuples) = &keys
        && columns.len() == 1
        && let Some(ints) = as_ints(tuples)
    {
        keys = RowKeys::Ints(ints);
    }
    kept.resize(keys.len(), false);
    Owners { keys, kept }
}

fn forget(keys: &mut RowKeys, kept: &[bool]) {
    match keys {
        RowKeys::Ints(keys) => keys.iter_mut().zip(kept).filter(|(_, kept)| **kept).for_each(|(key, _)| *key = None),
        RowKeys::Tuples(keys) => keys.iter_mut().zip(kept).filter(|(_, kept)| **kept).for_each(|(key, _)| *key = None),
    }
}

fn as_ints(tuples: &[Option<assoc_core::KeyTuple>]) -> Option<Vec<Option<i64>>> {
    tuples
        .iter()
        .map(|key| match key.as_ref().map(|key| key.values()) {
            None => Some(None),
            Some([Value::Int(key)]) => Some(Some(*key)),
            Some(_) => None,
        })
        .collect()
}

async fn rows_of(
    session: &mut Session<'_>,
    plan: &Plan,
    nodes: &[Option<NodeRows>],
    held_root: Option<&dyn Held>,
    step: &Step,
    keys: &KeySet,
) -> Result<Fetched> {
    let model = step.select.model;
    let mut fetched = Fetched { rows: model.rows.new_rows(), runs: vec![(0, 0); keys.len()] };
    if keys.is_empty() {
        return Ok(fetched);
    }
    let index = KeyIndex::new(keys);
    take_from_memory(plan, nodes, held_root, step, &index, &mut fetched);
    let missing = missing_keys(keys, &fetched.runs);
    if missing.is_empty() {
        return Ok(fetched);
    }
    let dialect = session.dialect();
    let by_ordinal = step.select.matching(dialect) == Matching::ByOrdinal;
    let chunk_size = dialect.keys_per_statement(missing.width());
    let mut chunk_start = 0;
    for chunk in missing.chunks(chunk_size) {
        let statement = step.select.statement(session.dialect(), &chunk)?;
        let first_row = fetched.rows.len();
        if by_ordinal {
            let mut sink = OrdinalSink { rows: &mut *fetched.rows, ordinals: Vec::new() };
            session.query(&statement, &mut sink).await?;
            let places: Vec<Option<usize>> = sink
                .ordinals
                .iter()
                .map(|ordinal| place_in(keys, &index, &missing, chunk_start + usize::try_from(*ordinal).ok()?))
                .collect();
            assign(plan, step, &mut fetched, first_row, &places)?;
        } else {
            session.query(&statement, &mut *fetched.rows).await?;
            let places = index.of_rows(&fetched.rows.keys(step.select.columns, first_row));
            assign(plan, step, &mut fetched, first_row, &places)?;
        }
        chunk_start += chunk.len();
    }
    Ok(fetched)
}

// The place among all keys of the key at a position among the missing ones.
fn place_in(keys: &KeySet, index: &KeyIndex<'_>, missing: &KeySet, at: usize) -> Option<usize> {
    if keys.len() == missing.len() {
        return (at < keys.len()).then_some(at);
    }
    match missing {
        KeySet::Ints(missing) => index.of_int(*missing.get(at)?),
        KeySet::Tuples(missing) => index.of_tuple(missing.get(at)?),
    }
}

// Rows that are in memory already stand for rows of the database, copied without their associations.
fn take_from_memory(
    plan: &Plan,
    nodes: &[Option<NodeRows>],
    held_root: Option<&dyn Held>,
    step: &Step,
    index: &KeyIndex<'_>,
    fetched: &mut Fetched,
) {
    let columns = step.select.columns;
    for node in &step.memory {
        let Some(rows) = &nodes[*node] else { continue };
        if let Some(root) = held_root
            && rows.held > 0
        {
            let places = index.of_rows(&held::keys(plan, root, *node, columns));
            let mut places = places.into_iter();
            held::visit(plan, root, *node, &mut |row| take(fetched, places.next().flatten(), row));
        }
        for (at, place) in index.of_rows(&rows.fetched.keys(columns, 0)).into_iter().enumerate() {
            if let Some(row) = rows.fetched.row(at) {
                take(fetched, place, row);
            }
        }
    }
}

fn take(fetched: &mut Fetched, place: Option<usize>, row: &dyn Any) {
    if let Some(place) = place
        && fetched.runs[place].1 == 0
    {
        fetched.runs[place] = (position(fetched.rows.len()), 1);
        fetched.rows.push_bare(row);
    }
}

fn missing_keys(keys: &KeySet, runs: &[(u32, u32)]) -> KeySet {
    if runs.iter().all(|run| run.1 == 0) {
        return keys.clone();
    }
    match keys {
        KeySet::Ints(keys) => {
            KeySet::Ints(keys.iter().zip(runs).filter(|(_, run)| run.1 == 0).map(|(key, _)| *key).collect())
        }
        KeySet::Tuples(keys) => {
            KeySet::Tuples(keys.iter().zip(runs).filter(|(_, run)| run.1 == 0).map(|(key, _)| key.clone()).collect())
        }
    }
}

/// Takes the ordinal off each row and decodes the rest.
struct OrdinalSink<'r> {
    rows: &'r mut dyn Rows,
    ordinals: Vec<i64>,
}

impl RowSink for OrdinalSink<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        let Some((ordinal, columns)) = values.split_first_mut() else {
            return Err(Error::invalid_query("preload", "the statement returned a row without columns"));
        };
        self.ordinals.push(i64::from_value(ordinal).map_err(|mismatch| mismatch.at("preload", "ordinal"))?);
        RowSink::row(self.rows, columns)
    }
}

// Records the run of each key. Rows come grouped by key: by the statement's order, or because a key has one row.
fn assign(plan: &Plan, step: &Step, fetched: &mut Fetched, first_row: usize, places: &[Option<usize>]) -> Result<()> {
    for (at, place) in (first_row..).zip(places) {
        let run = place.map(|place| &mut fetched.runs[place]);
        match run {
            Some(run) if run.1 == 0 => *run = (position(at), 1),
            Some(run) if (run.0 + run.1) as usize == at => run.1 += 1,
            _ => return Err(unmatched(plan, step, fetched, at)),
        }
    }
    Ok(())
}

#[cold]
fn unmatched(plan: &Plan, step: &Step, fetched: &Fetched, at: usize) -> Error {
    let (node, edge) = step.serves[0];
    let association = plan.nodes()[node].edges[edge].association;
    let model = step.select.model;
    let columns = if model.primary_key.is_empty() { step.select.columns } else { model.primary_key };
    let key = fetched.rows.keys(columns, at);
    ErrorKind::UnmatchedRow {
        model: (association.owner)().name,
        association: association.name,
        target: model.name,
        key: key.show(0),
    }
    .into()
}

// Positions are kept in 32 bits: four thousand million rows do not fit into memory as structs.
fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

// Gives the rows of a step to the nodes it serves, and works out which owner gets which.
fn deal_out(
    plan: &Plan,
    nodes: &mut [Option<NodeRows>],
    held_root: Option<&dyn Held>,
    step: &Step,
    keys: &KeySet,
    owners: Vec<Owners>,
    mut fetched: Fetched,
) {
    let index = KeyIndex::new(keys);
    let last = step.serves.len() - 1;
    for (at, ((node, edge), owners)) in step.serves.iter().zip(owners).enumerate() {
        let edge_def = &plan.nodes()[*node].edges[*edge];
        let places = if is_identity(keys, &owners.keys) {
            (0..keys.len()).map(Some).collect()
        } else {
            index.of_rows(&owners.keys)
        };
        // Which keys' rows this node wants, and at most how many each.
        let most = if edge_def.cardinality == Cardinality::One { 1 } else { u32::MAX };
        let mut wanted = vec![false; keys.len()];
        places.iter().flatten().for_each(|place| wanted[*place] = true);
        let whole = fetched.runs.iter().zip(&wanted).all(|(run, wanted)| run.1 == 0 || (*wanted && run.1 <= most));
        let (rows, runs) = if at == last {
            let mut rows = std::mem::replace(&mut fetched.rows, step.select.model.rows.new_rows());
            if whole {
                (rows, std::mem::take(&mut fetched.runs))
            } else {
                let (marks, runs) = selection(&fetched.runs, &wanted, most, rows.len());
                rows.keep(&marks);
                (rows, runs)
            }
        } else {
            let (marks, runs) = selection(&fetched.runs, &wanted, most, fetched.rows.len());
            let mut rows = step.select.model.rows.new_rows();
            for row in marks.iter().enumerate().filter(|(_, mark)| **mark).filter_map(|(row, _)| fetched.rows.row(row))
            {
                rows.push_bare(row);
            }
            (rows, runs)
        };
        let links = links(edge_def, &places, &runs, rows.len());
        let child = edge_def.child;
        let mut held = 0;
        if let Some(root) = held_root {
            held::visit(plan, root, child, &mut |_| held += 1);
        }
        nodes[child] =
            Some(NodeRows { held, fetched: rows, links: plan.nodes()[child].edges.iter().map(|_| None).collect() });
        if let Some(rows) = &mut nodes[*node] {
            rows.links[*edge] = Some(EdgeLinks { links, kept: owners.kept });
        }
    }
}

fn is_identity(keys: &KeySet, owners: &RowKeys) -> bool {
    match (keys, owners) {
        (KeySet::Ints(keys), RowKeys::Ints(owners)) => {
            keys.len() == owners.len() && keys.iter().zip(owners).all(|(key, owner)| Some(*key) == *owner)
        }
        _ => false,
    }
}

// Marks the rows that are wanted, at most so many a key, and gives the runs as they are once the others are gone.
fn selection(runs: &[(u32, u32)], wanted: &[bool], most: u32, rows: usize) -> (Vec<bool>, Vec<(u32, u32)>) {
    let mut marks = vec![false; rows];
    for ((start, len), _) in runs.iter().zip(wanted).filter(|(_, wanted)| **wanted) {
        for row in *start..*start + (*len).min(most) {
            marks[row as usize] = true;
        }
    }
    // Where each row will be: the number of marked rows before it.
    let mut before = Vec::with_capacity(rows);
    let mut count = 0;
    for mark in &marks {
        before.push(count);
        count += u32::from(*mark);
    }
    let runs = runs
        .iter()
        .zip(wanted)
        .map(
            |((start, len), wanted)| {
                if *wanted && *len > 0 { (before[*start as usize], (*len).min(most)) } else { (0, 0) }
            },
        )
        .collect();
    (marks, runs)
}

fn links(edge: &Edge, places: &[Option<usize>], runs: &[(u32, u32)], rows: usize) -> Links {
    let run_of = |place: &Option<usize>| place.map_or((0, 0), |place| runs[place]);
    if edge.cardinality == Cardinality::One {
        return Links::One(
            places.iter().map(|place| Some(run_of(place)).filter(|run| run.1 > 0).map(|run| run.0)).collect(),
        );
    }
    let mut next = 0;
    let in_order = places.iter().map(run_of).filter(|run| run.1 > 0).all(|(start, len)| {
        let follows = start == next;
        next = start + len;
        follows
    });
    if in_order && next as usize == rows {
        return Links::Runs(places.iter().map(|place| run_of(place).1).collect());
    }
    let mut positions = Vec::new();
    let mut ends = Vec::with_capacity(places.len());
    for (start, len) in places.iter().map(run_of) {
        positions.extend(start..start + len);
        ends.push(position(positions.len()));
    }
    Links::Many { rows: positions, ends }
}
