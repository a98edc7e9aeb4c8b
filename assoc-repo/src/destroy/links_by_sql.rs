//! Destroying an owner of a join table with `delete_sql`: that SQL runs for each target, in place of a DELETE by the owner's key.

use std::any::Any;
use std::collections::{HashMap, HashSet};

use assoc_core::change::Row;
use assoc_core::destroy::{DestroyEdge, Effect};
use assoc_core::driver::KeySet;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{JoinRecord, LinkSql, Linkage};
use assoc_core::select::KeyedSelect;
use assoc_core::{RawSql, Result};

use super::callbacks::decode;
use super::explore::{Consequences, key_in, read_rows};
use crate::repo::Repo;
use crate::session::Session;
use crate::touched_rows::Written;

/// Takes the links away, one statement for each target of each owner, before any row goes: the SQL sees both rows. What links
/// an owner to no target stays as it is.
pub(super) async fn unlink(repo: &Repo, session: &mut Session<'_>, consequences: &mut Consequences<'_>) -> Result<()> {
    let plan = consequences.plan;
    for (at, edge) in plan.edges().iter().enumerate() {
        let Some(sql) = edge.by_sql() else { continue };
        let Linkage::JoinRecord(record) = edge.association.linkage()? else { continue };
        let Some(keys) = consequences.by_owners.remove(&at) else { continue };
        let affected = unlink_edge(repo, session, consequences, (edge, sql, record), &KeySet::distinct(&keys)).await?;
        // Rows that another association has found are in the report already.
        if matches!(edge.effect, Effect::Remove { node } if consequences.of_nodes[node].is_empty()) {
            consequences.note(edge, affected);
        }
    }
    Ok(())
}

async fn unlink_edge(
    repo: &Repo,
    session: &mut Session<'_>,
    consequences: &Consequences<'_>,
    (edge, sql, record): (&DestroyEdge, LinkSql, JoinRecord),
    owners: &KeySet,
) -> Result<u64> {
    let (by_owner, by_target) = (record.owner.target_columns, record.target.owner_columns);
    let mut columns = [by_owner, by_target].concat();
    columns.sort_unstable();
    columns.dedup();
    let links = KeyedSelect {
        only: Some(columns.clone()),
        filter: edge.rows.filter.clone(),
        ..KeyedSelect::new(record.table, by_owner)
    };
    let links: Vec<(KeyTuple, KeyTuple)> = read_rows(session, &links, owners)
        .await?
        .into_iter()
        .filter_map(|(owner, row)| Some((owner, key_in(&row, &columns, by_target)?)))
        .collect();
    let target = (edge.association.target)();
    let by_key = KeyedSelect::new(target, record.target.target_columns);
    let wanted = KeySet::from_iter(links.iter().map(|(_, target)| target.clone()));
    let mut targets: HashMap<KeyTuple, Row> = HashMap::new();
    for (key, row) in read_rows(session, &by_key, &wanted).await? {
        targets.extend(decode(target, &row)?.map(|row| (key, row)));
    }
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
    Ok(affected)
}

/// Runs the SQL of a link, and answers how many rows it says there were.
pub(crate) async fn run_sql(repo: &Repo, session: &mut Session<'_>, sql: &RawSql) -> Result<u64> {
    repo.refuse_transaction_control(sql.sql())?;
    let statement = repo.raw_statement(sql.sql(), sql.binds().iter().cloned())?;
    session.note_raw();
    Ok(session.execute(&statement).await?.affected)
}
