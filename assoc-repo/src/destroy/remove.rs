//! Writing what a destroy leads to: keys are cleared, rows are deleted, those that refer to others first.

use std::collections::{BTreeMap, HashMap};

use assoc_core::destroy::{Effect, Referral, RowLink, Stage, removal_order};
use assoc_core::driver::{KeySet, Statement};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::sql::KeyedRows;
use assoc_core::{ErrorKind, Result, Value};

use super::explore::{Consequences, EdgeReferral, StoredRow, key_in, stored};
use super::follow::Following;
use crate::counters::Lock;
use crate::session::Session;
use crate::touched_rows::Written;

/// What is known of the rows that are destroyed before they are deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Roots {
    /// They are those of a struct: whether they exist, and are visible, the `DELETE` says.
    Unread,
    /// They are those of structs, and were found.
    Read,
    /// They are those of a query: what is gone meanwhile need not be there.
    Queried,
}

/// Clears the keys of rows that stay.
pub(super) async fn clear(
    session: &mut Session<'_>,
    consequences: &mut Consequences<'_>,
    following: &mut Following,
) -> Result<()> {
    // Rows without a primary key refer to others, and nothing refers to them: they go before a key is cleared by which
    // they would be found.
    remove_by_owners(session, consequences, following, |model, _| model.primary_key.is_empty()).await?;
    let plan = consequences.plan;
    let unread: Vec<usize> = consequences.by_owners.keys().copied().collect();
    for at in unread {
        let edge = &plan.edges()[at];
        let Effect::Clear { columns, .. } = &edge.effect else { continue };
        let keys = KeySet::distinct(&consequences.by_owners.remove(&at).unwrap_or_default());
        following.read_by_owners(session, edge, &keys, Lock::Taken).await?;
        let rows = edge.keyed_rows();
        let affected =
            execute(session, &rows, &keys, |rows, session, keys| rows.clear(session.dialect(), keys, columns)).await?;
        consequences.note(edge, affected);
    }
    for (at, keys) in consequences.staying() {
        let edge = &plan.edges()[at];
        let Effect::Clear { columns, .. } = &edge.effect else { continue };
        clear_by_key(session, edge.rows.model, &keys, columns).await?;
    }
    Ok(())
}

/// Deletes the rows that go, stage by stage.
pub(super) async fn remove(
    session: &mut Session<'_>,
    consequences: &mut Consequences<'_>,
    following: &mut Following,
    roots: Roots,
) -> Result<()> {
    let plan = consequences.plan;
    for stage in plan.stages() {
        remove_by_owners(session, consequences, following, |_, node| stage.nodes.contains(&node)).await?;
        let rows: Vec<usize> =
            (0..consequences.rows.len()).filter(|row| stage.nodes.contains(&consequences.rows[*row].node)).collect();
        let waves = if stage.in_waves { waves(session, consequences, stage, &rows).await? } else { vec![rows] };
        for wave in waves {
            delete_rows(session, consequences, following, &wave, roots).await?;
        }
    }
    Ok(())
}

// Deletes the rows of edges by the keys of their owners, of those that are chosen by model and node.
async fn remove_by_owners(
    session: &mut Session<'_>,
    consequences: &mut Consequences<'_>,
    following: &mut Following,
    chosen: impl Fn(&ModelDef, usize) -> bool,
) -> Result<()> {
    let plan = consequences.plan;
    let is_chosen = |at: &usize| match plan.edges()[*at].effect {
        Effect::Remove { node } => chosen(plan.edges()[*at].rows.model, node),
        Effect::Clear { .. } | Effect::Restrict(_) => false,
    };
    let edges: Vec<usize> = consequences.by_owners.keys().copied().filter(is_chosen).collect();
    for at in edges {
        let edge = &plan.edges()[at];
        let keys = KeySet::distinct(&consequences.by_owners.remove(&at).unwrap_or_default());
        following.read_by_owners(session, edge, &keys, Lock::Taken).await?;
        let affected = delete(session, following, &edge.keyed_rows(), &keys).await?;
        consequences.note(edge, affected);
    }
    Ok(())
}

// The rows of a stage in waves. Keys of rows in a ring are cleared.
async fn waves(
    session: &mut Session<'_>,
    consequences: &Consequences<'_>,
    stage: &Stage,
    rows: &[usize],
) -> Result<Vec<Vec<usize>>> {
    let place: HashMap<usize, usize> = rows.iter().enumerate().map(|(place, row)| (*row, place)).collect();
    let mut referrals = Vec::new();
    // By which columns of which node.
    let mut keys: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut add = |from: usize, to: usize, node: usize, columns: &[usize]| {
        let model = consequences.plan.nodes()[node].model;
        let clearable =
            columns.iter().copied().filter(|at| model.columns[*at].nullable && !model.primary_key.contains(at));
        let clearable: Vec<usize> = clearable.collect();
        referrals.push(Referral { from, to, clearable: !clearable.is_empty() });
        keys.push((node, clearable));
    };
    for EdgeReferral { owner, dependent, edge } in &consequences.referrals {
        let edge = &consequences.plan.edges()[*edge];
        let Effect::Remove { node } = edge.effect else { continue };
        let (Some(owner), Some(dependent)) = (place.get(owner), place.get(dependent)) else { continue };
        if edge.is_after() {
            add(*owner, *dependent, edge.from, edge.rows.key.owner_columns);
        } else {
            add(*dependent, *owner, node, edge.rows.key.target_columns);
        }
    }
    for link in consequences.plan.links().iter().filter(|link| stage.nodes.contains(&link.from)) {
        for (from, to) in referring(consequences, link) {
            if let (Some(from), Some(to)) = (place.get(&from), place.get(&to)) {
                add(*from, *to, link.from, &link.columns);
            }
        }
    }
    let order = removal_order(rows.len(), &referrals);
    let mut cleared: BTreeMap<&(usize, Vec<usize>), Vec<KeyTuple>> = BTreeMap::new();
    for at in &order.cleared {
        let row = &consequences.rows[rows[referrals[*at].from]];
        cleared.entry(&keys[*at]).or_default().push(row.key.clone());
    }
    for ((node, columns), keys) in cleared {
        clear_by_key(session, consequences.plan.nodes()[*node].model, &KeySet::from_iter(keys), columns).await?;
    }
    Ok(order.waves.into_iter().map(|wave| wave.into_iter().map(|place| rows[place]).collect()).collect())
}

// Which rows refer to which by a link, in the rows that are known.
fn referring(consequences: &Consequences<'_>, link: &RowLink) -> Vec<(usize, usize)> {
    let known = |node: usize| &consequences.plan.nodes()[node].columns;
    let mut by_key: HashMap<KeyTuple, Vec<usize>> = HashMap::new();
    for row in &consequences.of_nodes[link.to] {
        if let Some(key) = key_in(&row.values, known(link.to), &link.to_columns) {
            by_key.entry(key).or_default().push(row.row);
        }
    }
    let of = |from: usize, key: KeyTuple| by_key.get(&key).into_iter().flatten().map(move |to| (from, *to));
    let rows = consequences.of_nodes[link.from].iter();
    let keyed = rows.filter_map(|row| Some((row.row, key_in(&row.values, known(link.from), &link.columns)?)));
    keyed.flat_map(|(from, key)| of(from, key).collect::<Vec<_>>()).collect()
}

// Deletes rows by their keys.
async fn delete_rows(
    session: &mut Session<'_>,
    consequences: &Consequences<'_>,
    following: &mut Following,
    wave: &[usize],
    roots: Roots,
) -> Result<()> {
    let plan = consequences.plan;
    let mut by_node: BTreeMap<usize, Vec<KeyTuple>> = BTreeMap::new();
    // Rows that were given with versions go as long as they have them.
    let mut versioned: BTreeMap<String, (Expr, Vec<KeyTuple>)> = BTreeMap::new();
    for at in wave {
        let row = &consequences.rows[*at];
        match version(consequences, *at, roots) {
            Some((text, condition)) => {
                versioned.entry(text).or_insert_with(|| (condition, Vec::new())).1.push(row.key.clone());
            }
            None => by_node.entry(row.node).or_default().push(row.key.clone()),
        }
    }
    let always = Expr::always();
    let root_filter = if roots == Roots::Unread { plan.root_filter() } else { &always };
    for (condition, keys) in versioned.into_values() {
        let model = plan.nodes()[0].model;
        let filter = root_filter.clone().and(condition);
        let rows = KeyedRows { model, columns: model.primary_key, filter: &filter };
        let set = KeySet::from_iter(keys);
        let affected = delete(session, following, &rows, &set).await?;
        if affected < set.len() as u64 {
            let left = super::read_by_keys(session, plan, &set.tuples()).await?;
            let root = &plan.nodes()[0];
            let stale = left.iter().find_map(|row| key_in(row, &root.columns, model.primary_key));
            return Err(match stale {
                Some(key) => ErrorKind::Stale { model: model.name, key: key.to_string() }.into(),
                None => {
                    ErrorKind::NotFound { model: model.name, key: rows_given(consequences, wave).join(", ") }.into()
                }
            });
        }
    }
    for (node, keys) in by_node {
        let model = plan.nodes()[node].model;
        let filter = if node == 0 { root_filter } else { &always };
        let rows = KeyedRows { model, columns: model.primary_key, filter };
        let set = KeySet::from_iter(keys);
        let affected = delete(session, following, &rows, &set).await?;
        let gone = affected < set.len() as u64 && roots != Roots::Queried;
        let given = rows_given(consequences, wave);
        if gone && node == 0 && !given.is_empty() {
            return Err(ErrorKind::NotFound { model: model.name, key: given.join(", ") }.into());
        }
    }
    Ok(())
}

// The version that a row must still have: one that was given, of a model that has versions.
fn version(consequences: &Consequences<'_>, row: usize, roots: Roots) -> Option<(String, Expr)> {
    if roots == Roots::Queried || row >= consequences.given {
        return None;
    }
    let root = &consequences.plan.nodes()[0];
    let column = root.model.lock_version()?;
    // The rows that were given come first, in their order.
    let known = consequences.of_nodes[0].get(row).filter(|known| known.row == row)?;
    let value = known.values.get(root.columns.iter().position(|own| *own == column)?)?.clone();
    Some((value.to_string(), Expr::column_equals(&root.model.columns[column], value)))
}

// The keys of those rows of a wave that were given to be destroyed.
fn rows_given(consequences: &Consequences<'_>, wave: &[usize]) -> Vec<String> {
    let given = wave.iter().filter(|row| **row < consequences.given);
    given.map(|row| consequences.rows[*row].key.to_string()).collect()
}

async fn clear_by_key(
    session: &mut Session<'_>,
    model: &'static ModelDef,
    keys: &KeySet,
    columns: &[usize],
) -> Result<()> {
    let always = Expr::always();
    let rows = KeyedRows { model, columns: model.primary_key, filter: &always };
    execute(session, &rows, keys, |rows, session, keys| rows.clear(session.dialect(), keys, columns)).await?;
    Ok(())
}

// Deletes rows, and takes in whom they belonged to. The number of rows that are gone.
async fn delete(
    session: &mut Session<'_>,
    following: &mut Following,
    rows: &KeyedRows<'_>,
    keys: &KeySet,
) -> Result<u64> {
    let Some(columns) = following.returned(rows.model) else {
        return execute(session, rows, keys, |rows, session, keys| rows.delete(session.dialect(), keys)).await;
    };
    session.note_written(rows.model, Written::Changed);
    let mut gone: Vec<StoredRow> = Vec::new();
    for (part, chunk) in keys.chunks(rows.keys_per_statement(session.dialect())).iter().enumerate() {
        let statement = rows.delete_returning(session.dialect(), chunk, columns)?.as_part(part);
        let mut sink = |values: &mut [Value<'_>]| {
            gone.push(stored(rows.model, columns, values));
            Ok(())
        };
        session.query(&statement, &mut sink).await?;
    }
    following.deleted(rows.model, &gone);
    Ok(gone.len() as u64)
}

// Runs a statement for each chunk of keys. The number of rows that matched.
async fn execute(
    session: &mut Session<'_>,
    rows: &KeyedRows<'_>,
    keys: &KeySet,
    statement: impl Fn(&KeyedRows<'_>, &Session<'_>, &KeySet) -> Result<Statement>,
) -> Result<u64> {
    let mut affected = 0;
    session.note_written(rows.model, Written::Changed);
    for (part, chunk) in keys.chunks(rows.keys_per_statement(session.dialect())).iter().enumerate() {
        let statement = statement(rows, session, chunk)?.as_part(part);
        affected += session.execute(&statement).await?.affected;
    }
    Ok(affected)
}
