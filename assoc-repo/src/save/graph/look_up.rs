//! Looking members up: which rows there are, and what the save calls them.
//!
//! The rows are found by a plain condition, and hold the keys that were asked for. Where one holds another key, because the
//! database calls keys equal that are written otherwise, 1 statement more asks it which row it has found by which key.

use std::collections::HashSet;

use assoc_core::driver::KeySet;
use assoc_core::execution::rows::{LinkRows, Rows};
use assoc_core::execution::{KeyTuple, filtered};
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::save::{Lookup, MemberCondition, Resolved};
use assoc_core::{Result, Value};

use crate::repo::Repo;
use crate::session::Session;

pub(super) async fn look_up(repo: &Repo, session: &mut Session<'_>, lookup: &Lookup) -> Result<Resolved> {
    let (table, columns, by) = (lookup.table, &lookup.columns, &lookup.by);
    let filter = seen_by(repo, table, &lookup.filter)?;
    let mut found = lookup.rows();
    let keys = KeySet::distinct([&lookup.keys()]);
    if lookup.compares_versions() {
        session.query_locked(table, columns, by, &keys, &filter, &mut found).await?;
    } else {
        session.query_keyed(table, columns, by, &keys, &filter, &mut found).await?;
    }
    if !repo.compares_bytes(table, by) && !lookup.holds_keys(&found, &keys) {
        found = lookup.rows();
        let mut sink = |key: KeyTuple, values: &mut [Value<'_>]| found.push_asked(key, values);
        session.query_matched(table, columns, by, &keys, &filter, &mut sink).await?;
    }
    let Some(MemberCondition { model, by, filter }) = &lookup.targets else {
        if let Some((model, by, keys)) = lookup.unnamed_members(&found)
            && !repo.compares_bytes(model, by)
        {
            found.name_members(session.stored_keys(model, by, &keys, &Expr::always()).await?);
        }
        return lookup.resolve(&found, None);
    };
    let filter = seen_by(repo, model, filter)?;
    let keys = KeySet::distinct([&lookup.member_keys(&found)]);
    let mut seen = LinkRows::of(model, by.clone());
    session.query_keyed(model, by, by, &keys, &filter, &mut seen).await?;
    let mut seen: HashSet<KeyTuple> = seen.keys(by, 0).into_tuples().into_iter().flatten().collect();
    if !repo.compares_bytes(model, by) && seems_to_miss(&keys.tuples(), &seen) {
        let names = session.stored_keys(model, by, &keys, &filter).await?;
        seen = names.keys().cloned().collect();
        found.name_members(names);
    }
    lookup.resolve(&found, Some(&seen))
}

// Whether a row was found by a key that is written otherwise.
fn seems_to_miss(asked: &[KeyTuple], seen: &HashSet<KeyTuple>) -> bool {
    let known: HashSet<&KeyTuple> = asked.iter().collect();
    let near: HashSet<KeyTuple> = seen.iter().map(KeyTuple::folded).collect();
    seen.iter().any(|key| !known.contains(key))
        || asked.iter().any(|key| !seen.contains(key) && near.contains(&key.folded()))
}

// What a filtered repo does not see it does not let go.
fn seen_by(repo: &Repo, model: &'static ModelDef, filter: &Expr) -> Result<Expr> {
    match &repo.filters {
        Some(hook) => filtered(hook, model, filter.clone()),
        None => Ok(filter.clone()),
    }
}
