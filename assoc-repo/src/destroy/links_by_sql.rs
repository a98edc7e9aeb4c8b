//! Destroying an owner of a join table with `delete_sql`: that SQL runs for each target, in place of a DELETE by the owner's key.

use std::any::Any;
use std::collections::{HashMap, HashSet};

use assoc_core::change::Row;
use assoc_core::destroy::{DestroyEdge, Effect};
use assoc_core::driver::KeySet;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{JoinRecord, LinkSql, Linkage, ModelDef};
use assoc_core::select::KeyedSelect;
use assoc_core::{RawSql, Result};

use super::callbacks::decode;
use super::explore::{Consequences, StoredRow, key_in, number_in, read, read_rows};
use crate::repo::Repo;
use crate::session::Session;
use crate::touched_rows::Written;

/// Links that SQL has changed and that are still found by their owners, so that another association may delete them.
pub(super) struct Changed {
    edge: usize,
    owners: KeySet,
    // How many links the SQL has changed, how many of the owners' are left, and how many it was not run for.
    affected: u64,
    left: u64,
    leading_nowhere: u64,
}

/// Takes the links away, one statement for each target of each owner, before any row goes: the SQL sees both rows. What links
/// an owner to no target stays as it is.
///
/// 1 statement more where another association deletes rows of the same table: it counts the links that the SQL has left.
pub(super) async fn unlink(
    repo: &Repo,
    session: &mut Session<'_>,
    consequences: &mut Consequences<'_>,
) -> Result<Vec<Changed>> {
    let plan = consequences.plan;
    let mut changed = Vec::new();
    for (at, edge) in plan.edges().iter().enumerate() {
        let Some(sql) = edge.by_sql() else { continue };
        let Linkage::JoinRecord(record) = edge.association.linkage()? else { continue };
        let Some(keys) = consequences.by_owners.remove(&at) else { continue };
        let owners = KeySet::distinct(&keys);
        let (affected, leading_nowhere) =
            unlink_edge(repo, session, consequences, (edge, sql, record), &owners).await?;
        if affected == 0 || is_known(consequences, record.table) {
            // Rows that another association has found are in the report already.
            continue;
        }
        let deletes = |(other, of): (usize, &DestroyEdge)| {
            other != at && matches!(of.effect, Effect::Remove { .. }) && of.rows.model.table == record.table.table
        };
        if plan.edges().iter().enumerate().any(deletes) {
            let left = count(session, edge, &owners).await?;
            changed.push(Changed { edge: at, owners, affected, left, leading_nowhere });
        } else {
            consequences.note(edge, affected);
        }
    }
    Ok(changed)
}

/// Adds to the report what SQL has changed and no other association has deleted, once all rows are deleted. 1 statement for each
/// association of which links were left.
pub(super) async fn report(
    session: &mut Session<'_>,
    consequences: &mut Consequences<'_>,
    changed: Vec<Changed>,
) -> Result<()> {
    for Changed { edge, owners, affected, left, leading_nowhere } in changed {
        let edge = &consequences.plan.edges()[edge];
        let left = left.saturating_sub(leading_nowhere);
        let still = if left == 0 { 0 } else { count(session, edge, &owners).await?.saturating_sub(leading_nowhere) };
        consequences.note(edge, affected.saturating_sub(left.saturating_sub(still)));
    }
    Ok(())
}

// Whether rows of a table are among those that were found.
fn is_known(consequences: &Consequences<'_>, table: &ModelDef) -> bool {
    let mut nodes = consequences.plan.nodes().iter().zip(&consequences.of_nodes);
    nodes.any(|(node, rows)| node.model.table == table.table && !rows.is_empty())
}

async fn count(session: &mut Session<'_>, edge: &DestroyEdge, owners: &KeySet) -> Result<u64> {
    let rows = edge.keyed_rows();
    let mut counted = 0;
    for (part, chunk) in owners.chunks(rows.keys_per_statement(session.dialect())).iter().enumerate() {
        let statement = rows.count(session.dialect(), chunk)?.as_part(part);
        counted += number_in(&read(session, &statement).await?);
    }
    Ok(counted)
}

// How many links the SQL says it has changed, and how many lead to no target.
async fn unlink_edge(
    repo: &Repo,
    session: &mut Session<'_>,
    consequences: &Consequences<'_>,
    (edge, sql, record): (&DestroyEdge, LinkSql, JoinRecord),
    owners: &KeySet,
) -> Result<(u64, u64)> {
    let (by_owner, by_target) = (record.owner.target_columns, record.target.owner_columns);
    let mut columns = [by_owner, by_target].concat();
    columns.sort_unstable();
    columns.dedup();
    let links = KeyedSelect {
        only: Some(columns.clone()),
        filter: edge.rows.filter.clone(),
        ..KeyedSelect::new(record.table, by_owner)
    };
    let found = read_rows(session, &links, owners).await?;
    let all = found.len();
    let links: Vec<(KeyTuple, KeyTuple)> =
        found.into_iter().filter_map(|(owner, row)| Some((owner, key_in(&row, &columns, by_target)?))).collect();
    let target = (edge.association.target)();
    let by_key = KeyedSelect::new(target, record.target.target_columns);
    let wanted = KeySet::from_iter(links.iter().map(|(_, target)| target.clone()));
    let mut targets: HashMap<KeyTuple, Row> = HashMap::new();
    for (key, row) in read_rows(session, &by_key, &wanted).await? {
        targets.extend(decode(target, &row)?.map(|row| (key, row)));
    }
    let leading_nowhere = all - links.iter().filter(|(_, target)| targets.contains_key(target)).count();
    let mut linked: HashMap<&KeyTuple, Vec<&KeyTuple>> = HashMap::new();
    let mut known = HashSet::new();
    for (owner, target) in &links {
        // All links between the two go at once.
        if known.insert((owner, target)) {
            linked.entry(owner).or_default().push(target);
        }
    }
    let node = &consequences.plan.nodes()[edge.from];
    let mut affected = 0;
    for row in &consequences.of_nodes[edge.from] {
        let Some(key) = key_in(&row.values, &node.columns, edge.rows.key.owner_columns) else { continue };
        let Some(keys) = linked.get(&key) else { continue };
        let Some(owner) = decode(node.model, &row.values)? else { continue };
        for target in keys.iter().filter_map(|key| targets.get(key)) {
            affected += run_sql(repo, session, &sql(&*owner as &dyn Any, &**target)).await?;
        }
    }
    session.note_written(record.table, Written::Changed);
    Ok((affected, leading_nowhere as u64))
}

/// Of links that are found for a preview, those that lead to a target: for others no SQL runs.
pub(super) async fn leading_somewhere(
    session: &mut Session<'_>,
    edge: &DestroyEdge,
    found: &mut Vec<(KeyTuple, StoredRow)>,
    columns: &[usize],
) -> Result<()> {
    let Linkage::JoinRecord(record) = edge.association.linkage()? else { return Ok(()) };
    let key = |row: &StoredRow| key_in(row, columns, record.target.owner_columns);
    let wanted = KeySet::from_iter(found.iter().filter_map(|(_, row)| key(row)));
    let targets = KeyedSelect {
        only: Some(record.target.target_columns.to_vec()),
        ..KeyedSelect::new((edge.association.target)(), record.target.target_columns)
    };
    let targets: HashSet<KeyTuple> =
        read_rows(session, &targets, &wanted).await?.into_iter().map(|(key, _)| key).collect();
    found.retain(|(_, row)| key(row).is_some_and(|key| targets.contains(&key)));
    Ok(())
}

/// Runs the SQL of a link, and answers how many rows it says there were.
pub(crate) async fn run_sql(repo: &Repo, session: &mut Session<'_>, sql: &RawSql) -> Result<u64> {
    repo.refuse_transaction_control(sql.sql())?;
    let statement = repo.raw_statement(sql.sql(), sql.binds().iter().cloned())?;
    session.note_raw();
    Ok(session.execute(&statement).await?.affected)
}
