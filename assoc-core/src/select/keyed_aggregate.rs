//! Aggregates for many owners.

use crate::metadata::association::ChainHop;
use crate::metadata::expr::{Expr, Operand};
use crate::metadata::model::ModelDef;

/// Aggregates over the rows of each key: `SELECT ordinal, COUNT(*), SUM(…) … GROUP BY ordinal`. The database says which key a
/// row belongs to, so one form serves every type of key. Of grouped rows it counts the groups.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::metadata::Chain;
/// use assoc_core::select::KeyedAggregate;
///
/// let chain = Chain::keys(User::POSTS.def())?;
/// let newest = KeyedAggregate::new(chain.hops()[0], vec![Post::ID.max().into_operand()]);
/// let statement = newest.statement(&StandardSql::default(), &KeySet::Ints([7, 9].into()))?;
/// let keys = "(SELECT 0 AS ordinal, ? AS k0 UNION ALL SELECT 1, ?) AS keys";
/// let sql = format!("SELECT keys.ordinal, MAX(posts.id) FROM {keys} INNER JOIN posts ON posts.user_id = keys.k0");
/// assert_eq!(statement.sql(), format!("{sql} GROUP BY keys.ordinal"));
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeyedAggregate {
    pub(crate) model: &'static ModelDef,
    pub(crate) columns: &'static [usize],
    pub(crate) filter: Expr,
    pub(crate) group: Vec<usize>,
    pub(crate) aggregates: Vec<Operand>,
}

impl KeyedAggregate {
    /// Aggregates over the rows of one table by their key. Limits are not part of it.
    #[must_use]
    pub fn new(hop: &ChainHop, aggregates: Vec<Operand>) -> Self {
        let (filter, group) = (hop.condition(), hop.scope.group.clone());
        KeyedAggregate { model: hop.model, columns: hop.key.target_columns, filter, group, aggregates }
    }
}
