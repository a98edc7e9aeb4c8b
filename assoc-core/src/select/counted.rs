//! Counts for many owners.

use crate::metadata::association::ChainHop;
use crate::metadata::expr::Expr;
use crate::metadata::model::ModelDef;

/// The number of rows of each key: `SELECT ordinal, COUNT(*) … GROUP BY ordinal`. The database says which key a row
/// belongs to, so one form serves every type of key. Of grouped rows it counts the groups.
#[derive(Debug, Clone)]
pub struct KeyedCount {
    pub(crate) model: &'static ModelDef,
    pub(crate) columns: &'static [usize],
    pub(crate) filter: Expr,
    pub(crate) group: Vec<usize>,
}

impl KeyedCount {
    /// Counts the rows of one table by their key. Limits are not part of it.
    #[must_use]
    pub fn new(hop: &ChainHop) -> Self {
        let (filter, group) = (hop.condition(), hop.scope.group.clone());
        KeyedCount { model: hop.model, columns: hop.key.target_columns, filter, group }
    }
}
