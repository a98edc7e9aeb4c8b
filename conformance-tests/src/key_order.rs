//! Rows in an order that a case can rely on.

use assoc_core::execution::KeyTuple;
use assoc_core::{Model, Result};
use assoc_repo::{Repo, Select};

/// Reads rows in the order of their primary keys. A query without an order promises none, so a case that shows its rows, or
/// counts on their places, sorts them.
pub(crate) trait KeyOrder {
    /// As `all`, sorted.
    async fn all_by_key<M: Model>(&self, query: Select<M>) -> Result<Vec<M>>;
}

impl KeyOrder for Repo {
    async fn all_by_key<M: Model>(&self, query: Select<M>) -> Result<Vec<M>> {
        let mut rows = self.all(query).await?;
        let key = |row: &M| KeyTuple::of_row(M::PRIMARY_KEY.iter().map(|column| row.value(*column).into_owned()));
        rows.sort_by(|one, other| key(one).cmp_values(&key(other)));
        Ok(rows)
    }
}
