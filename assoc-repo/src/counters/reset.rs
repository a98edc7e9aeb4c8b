//! Counting anew.
//!
//! What is corrected is the difference, and not the number: while an owner is locked no other transaction can count a row in it, so
//! the difference that is found under the lock is true, and rows that are written at the same time wait for it.

use std::collections::{BTreeMap, HashMap};

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

/// Corrects the counters of an association; of all owners, or of those with some primary keys. How many were wrong.
pub(super) async fn run(repo: &Repo, association: &'static AssociationDef, keys: Option<KeySet>) -> Result<u64> {
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
    let mut session = repo.session(Access::Read).await?;
    let some = keys.as_ref().map(|keys| (counted.model.primary_key, keys));
    let wrong = drift(&mut session, &counted, &filter, some).await?;
    drop(session);
    if wrong.is_empty() {
        return Ok(0);
    }
    let wrong = KeySet::from_iter(wrong.into_iter().map(|(key, _)| key));
    let mut session = repo.session(Access::Write).await?;
    session.begin(TransactionMode::Write).await?;
    let result = correct(&mut session, &counted, &filter, &wrong).await;
    session.finish(result).await
}

async fn correct(session: &mut Session<'_>, counted: &CountedCollection, filter: &Expr, wrong: &KeySet) -> Result<u64> {
    let CountedCollection { model, key, counter, .. } = *counted;
    session.query_locked(model, key, key, wrong, filter, &mut |_: &mut [Value<'_>]| Ok(())).await?;
    // No other transaction counts in these rows from here on.
    let amounts: HashMap<KeyTuple, i64> =
        drift(session, counted, filter, Some((key, wrong))).await?.into_iter().collect();
    let keys = KeySet::from_iter(amounts.keys().cloned());
    let dialect = session.dialect();
    let mut corrected = 0;
    for (part, chunk) in keys.chunks(FollowedRows::keys_per_statement(dialect, key.len(), 1)).iter().enumerate() {
        let mut by_amount: BTreeMap<i64, Vec<KeyTuple>> = BTreeMap::new();
        for key in chunk.tuples() {
            let Some(amount) = amounts.get(&key) else { continue };
            by_amount.entry(*amount).or_default().push(key);
        }
        let moved = by_amount.into_iter().map(|(amount, keys)| (Moved::By(amount), KeySet::from_iter(keys))).collect();
        let rows = FollowedRows { model, key, keys: chunk, filter };
        let statement = rows.update(dialect, &[FollowedColumn { column: counter, moved }])?.as_part(part);
        corrected += session.execute(&statement).await?.affected;
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
