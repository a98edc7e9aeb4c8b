//! Counting anew.
//!
//! What is corrected is the difference, and not the number: while an owner is locked no other transaction can count a row in it, so
//! the difference that is found under the lock is true, and rows that are written at the same time wait for it.

use std::collections::{BTreeMap, HashMap, HashSet};

use assoc_core::counters::CountedCollection;
use assoc_core::driver::{Access, KeySet, TransactionMode};
use assoc_core::execution::{KeyTuple, filtered};
use assoc_core::metadata::{AssociationDef, Expr};
use assoc_core::sql::{FollowedColumn, FollowedRows, Moved};
use assoc_core::{Error, ErrorKind, Result, Value};

use crate::destroy::stored;
use crate::repo::Repo;
use crate::session::Session;

const HIDES: &str =
    "cannot be counted: the filter of this repo hides rows that count; count with a repo that is not filtered so";

/// Counters of rows that are found by one key, under one condition.
struct Group {
    key: &'static [usize],
    filter: Expr,
    counters: Vec<CountedCollection>,
    // What rows with a wrong counter hold in the key.
    wrong: HashSet<KeyTuple>,
}

/// Corrects the counters of associations of one model; of all owners, or of those with some primary keys. How many were wrong.
pub(super) async fn run(repo: &Repo, associations: &[&'static AssociationDef], keys: Option<KeySet>) -> Result<u64> {
    let mut groups: Vec<Group> = Vec::new();
    for association in associations {
        let counted = CountedCollection::of(association)?;
        repo.require_here(counted.model)?;
        repo.require_here(counted.children)?;
        let mut filter = counted.conditions.clone();
        if let Some(hook) = &repo.filters {
            if !filtered(hook, counted.children, Expr::always())?.is_always() {
                let (model, association) = (counted.model.name, Some(association.qualified_name()));
                return Err(ErrorKind::OutsideFilter { model, association, reason: HIDES }.into());
            }
            filter = filtered(hook, counted.model, filter)?;
        }
        repo.require_condition(counted.model, &filter)?;
        let group = groups.iter_mut().find(|group| group.key == counted.key && group.filter == filter);
        match group {
            // An association that is named twice is counted once.
            Some(group) if group.counters.iter().any(|known| known.counter == counted.counter) => {}
            Some(group) => group.counters.push(counted),
            None => {
                let (key, wrong) = (counted.key, HashSet::new());
                groups.push(Group { key, filter, counters: vec![counted], wrong });
            }
        }
    }
    let mut session = repo.session(Access::Read).await?;
    for Group { filter, counters, wrong, .. } in &mut groups {
        let mut right = Vec::new();
        for (at, counted) in counters.iter().enumerate() {
            let some = keys.as_ref().map(|keys| (counted.model.primary_key, keys));
            let found = drift(&mut session, counted, filter, some).await?;
            if found.is_empty() {
                right.push(at);
            }
            wrong.extend(found.into_iter().map(|(key, _)| key));
        }
        right.iter().rev().for_each(|at| _ = counters.remove(*at));
    }
    drop(session);
    groups.retain(|group| !group.wrong.is_empty());
    if groups.is_empty() {
        return Ok(0);
    }
    let mut session = repo.session(Access::Write).await?;
    session.begin(TransactionMode::Write).await?;
    let result = async {
        let mut corrected = 0;
        for group in groups {
            corrected += correct(&mut session, group).await?;
        }
        Ok(corrected)
    }
    .await;
    session.finish(result).await
}

async fn correct(session: &mut Session<'_>, group: Group) -> Result<u64> {
    let Group { key, filter, counters, wrong } = group;
    let Some(model) = counters.first().map(|counted| counted.model) else { return Ok(0) };
    let wrong = KeySet::from_iter(wrong);
    session.query_locked(model, key, key, &wrong, &filter, &mut |_: &mut [Value<'_>]| Ok(())).await?;
    // No other transaction counts in these rows from here on.
    let mut corrected = 0;
    let mut amounts: HashMap<KeyTuple, Vec<(usize, i64)>> = HashMap::new();
    for counted in &counters {
        for (row, amount) in drift(session, counted, &filter, Some((key, &wrong))).await? {
            corrected += 1;
            let of_row = amounts.entry(row).or_default();
            if !of_row.iter().any(|(counter, _)| *counter == counted.counter) {
                of_row.push((counted.counter, amount));
            }
        }
    }
    let keys = KeySet::from_iter(amounts.keys().cloned());
    let dialect = session.dialect();
    // Each row is written once, whatever is wrong in it.
    for (part, chunk) in
        keys.chunks(FollowedRows::keys_per_statement(dialect, key.len(), counters.len())).into_iter().enumerate()
    {
        let mut by_counter: BTreeMap<usize, BTreeMap<i64, Vec<KeyTuple>>> = BTreeMap::new();
        for row in chunk.tuples() {
            for (counter, amount) in amounts.get(&row).into_iter().flatten() {
                by_counter.entry(*counter).or_default().entry(*amount).or_default().push(row.clone());
            }
        }
        let columns = by_counter.into_iter().map(|(column, amounts)| {
            let moved = amounts.into_iter().map(|(amount, keys)| (Moved::By(amount), KeySet::from_iter(keys)));
            FollowedColumn { column, moved: moved.collect() }
        });
        let rows = FollowedRows { model, key, keys: &chunk, filter: &filter };
        let statement = rows.update(dialect, &columns.collect::<Vec<_>>())?.as_part(part);
        session.execute(&statement).await?;
    }
    Ok(corrected)
}

// The owners whose counters are wrong, each with what is missing.
async fn drift(
    session: &mut Session<'_>,
    counted: &CountedCollection,
    filter: &Expr,
    some: Option<(&[usize], &KeySet)>,
) -> Result<Vec<(KeyTuple, i64)>> {
    let dialect = session.dialect();
    let mut found = Vec::new();
    let chunks = some.map(|(by, keys)| keys.chunks(dialect.keys_per_condition(by.len())));
    let width = counted.key.len();
    let mut sink = |values: &mut [Value<'_>]| {
        let (key, numbers) = values.split_at_mut(width.min(values.len()));
        let key = KeyTuple::new(stored(counted.model, counted.key, key));
        let [known, number] = numbers else {
            let model = counted.model.name;
            return Err(ErrorKind::RowWidth { model, expected: width + 2, found: width + numbers.len() }.into());
        };
        let amount = integer(number) - integer(known);
        let amount = i64::try_from(amount).map_err(|_| {
            let field = counted.model.columns[counted.counter].field;
            Error::invalid_query(counted.model.name, format!("`{field}` is further from the number of rows than 2^63"))
        })?;
        found.extend(key.map(|key| (key, amount)));
        Ok(())
    };
    match (some, chunks) {
        (Some((by, _)), Some(chunks)) => {
            for (part, chunk) in chunks.iter().enumerate() {
                let statement = counted.drift(filter).select(dialect, Some((by, chunk)))?.as_part(part);
                session.query(&statement, &mut sink).await?;
            }
        }
        _ => session.query(&counted.drift(filter).select(dialect, None)?, &mut sink).await?,
    }
    Ok(found)
}

fn integer(value: &Value<'_>) -> i128 {
    match value {
        Value::Int(number) => i128::from(*number),
        Value::UInt(number) => i128::from(*number),
        _ => 0,
    }
}
