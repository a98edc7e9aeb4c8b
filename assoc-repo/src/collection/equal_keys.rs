//! Keys that are written otherwise than those of the rows, and that the database calls equal: `ADA` and `ada` in a column that
//! ignores case. Only the database knows them, so it is asked, where a row holds another key than the one that was asked for.

use std::collections::HashSet;

use assoc_core::driver::KeySet;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::{Result, Value};

use crate::destroy::stored;
use crate::repo::Repo;

/// The keys as the rows hold them. 1 statement, where the database does not compare such keys by their bytes.
pub(super) async fn stored_keys(
    repo: &Repo,
    model: &'static ModelDef,
    keys: &[KeyTuple],
) -> Result<Option<Vec<KeyTuple>>> {
    let columns = model.primary_key;
    if repo.compares_bytes(model, columns) {
        return Ok(None);
    }
    let repo = repo.in_database_of(model);
    let wanted = KeySet::from_iter(keys.iter().cloned());
    let names = repo.reading(None).await?.stored_keys(model, columns, &wanted, &Expr::always()).await?;
    Ok(Some(keys.iter().map(|key| names.get(key).unwrap_or(key).clone()).collect()))
}

/// The rows that hold a key in some columns, of those that satisfy a condition: their primary keys. 1 statement.
pub(super) async fn holders(
    repo: &Repo,
    model: &'static ModelDef,
    columns: &[usize],
    key: KeyTuple,
    of: &Expr,
) -> Result<HashSet<KeyTuple>> {
    let mut holders = HashSet::new();
    let mut sink = |values: &mut [Value<'_>]| {
        holders.insert(KeyTuple::of_row(stored(model, model.primary_key, values)));
        Ok(())
    };
    let repo = repo.in_database_of(model);
    let key = KeySet::from_iter([key]);
    repo.reading(None).await?.query_keyed(model, model.primary_key, columns, &key, of, &mut sink).await?;
    Ok(holders)
}
