//! Rows in an order that a case can rely on.

use assoc_core::execution::KeyTuple;
use assoc_core::{Model, Result, Value};
use assoc_repo::{Repo, Select};

/// Reads rows in the order of their primary keys. A query without an order promises none, so a case that shows its rows, or
/// counts on their places, sorts them.
pub trait KeyOrder {
    /// As `all`, sorted.
    fn all_by_key<M: Model>(&self, query: Select<M>) -> impl Future<Output = Result<Vec<M>>>;
}

impl KeyOrder for Repo {
    async fn all_by_key<M: Model>(&self, query: Select<M>) -> Result<Vec<M>> {
        let rows = self.all(query).await?;
        let mut keys = Vec::with_capacity(rows.len());
        let mut left = Vec::with_capacity(rows.len());
        for row in rows {
            keys.push(key(M::PRIMARY_KEY, &|column| row.value(column).into_owned()));
            left.push(Some(row));
        }
        let mut sorted = Vec::with_capacity(left.len());
        for place in ascending(&keys) {
            sorted.extend(left[place].take());
        }
        Ok(sorted)
    }
}

// These two know no model, so that they are compiled once.

fn key(columns: &[usize], value: &dyn Fn(usize) -> Value<'static>) -> KeyTuple {
    KeyTuple::of_row(columns.iter().map(|column| value(*column)))
}

fn ascending(keys: &[KeyTuple]) -> Vec<usize> {
    let mut places: Vec<usize> = (0..keys.len()).collect();
    places.sort_by(|one, other| keys[*one].cmp_values(&keys[*other]));
    places
}
