//! Rows without a primary key that callbacks see: they are read before they are destroyed.

use std::collections::HashMap;

use assoc_core::change::Row;
use assoc_core::destroy::Effect;
use assoc_core::driver::KeySet;
use assoc_core::execution::KeyTuple;
use assoc_core::sql::KeyedRows;
use assoc_core::{Result, Value};

use super::callbacks::decode;
use super::explore::{Consequences, key_in, stored};
use crate::session::Session;

/// A row without a primary key.
pub(crate) struct KeylessRow {
    /// All its values, and a number: the first of equal rows has 0.
    pub(crate) identity: KeyTuple,
    /// The key by which it was found.
    pub(super) found_by: Option<KeyTuple>,
    /// The row.
    pub(crate) row: Row,
}

/// Reads rows by the keys that they hold, in the order of their values. 1 statement for each chunk of keys.
pub(crate) async fn read_keyless(
    session: &mut Session<'_>,
    rows: &KeyedRows<'_>,
    keys: &KeySet,
) -> Result<Vec<KeylessRow>> {
    let KeyedRows { model, columns, filter } = *rows;
    let all: Vec<usize> = (0..model.columns.len()).collect();
    let mut found = Vec::new();
    let mut sink = |values: &mut [Value<'_>]| {
        found.push(stored(model, &all, values));
        Ok(())
    };
    session.query_keyed(model, &all, columns, keys, filter, &mut sink).await?;
    let mut equal: HashMap<KeyTuple, i64> = HashMap::new();
    let mut keyless = Vec::new();
    for values in found {
        let Some(row) = decode(model, &values)? else { continue };
        let number = equal.entry(KeyTuple::of_row(values.to_vec())).or_default();
        let identity = KeyTuple::of_row(values.iter().cloned().chain([Value::Int(*number)]));
        *number += 1;
        keyless.push(KeylessRow { identity, found_by: key_in(&values, &all, columns), row });
    }
    keyless.sort_by(|one, other| one.identity.cmp_values(&other.identity));
    Ok(keyless)
}

/// Reads those rows of a destroy that callbacks see, each with the edge that leads to it. 1 statement for each such edge and
/// chunk of owners.
pub(super) async fn read_shown(
    session: &mut Session<'_>,
    consequences: &Consequences<'_>,
) -> Result<Vec<(usize, KeylessRow)>> {
    let plan = consequences.plan;
    let mut shown = Vec::new();
    for (at, keys) in &consequences.by_owners {
        let edge = &plan.edges()[*at];
        if !matches!(edge.effect, Effect::Remove { .. }) || !plan.shows_keyless(edge) {
            continue;
        }
        let rows = read_keyless(session, &edge.keyed_rows(), &KeySet::distinct(keys)).await?;
        shown.extend(rows.into_iter().map(|row| (*at, row)));
    }
    Ok(shown)
}
