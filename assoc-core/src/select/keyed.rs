//! `SELECT` of the rows that belong to a set of keys: the statement behind every preload.

use crate::column_type::SqlType;
use crate::metadata::expr::{ColumnRef, Direction, Expr, Operand, OrderTerm};
use crate::metadata::model::ModelDef;

/// How the rows of an answer are assigned to keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matching {
    /// By the value of the row's key columns.
    ByValue,
    /// By the ordinal of the key, which the database returns as the first column.
    ByOrdinal,
}

/// In which order the rows have to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowOrder {
    /// Any order: a key has one row, or the order does not matter.
    Any,
    /// Grouped by key, in the requested order within each.
    ByKey,
    /// In the requested order, whatever their keys: the rows of several keys are merged in memory afterwards.
    GloballyOrdered,
}

/// A limit for each key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PerOwner {
    /// The largest number of rows.
    pub limit: Option<u64>,
    /// The number of rows to skip first.
    pub offset: u64,
}

/// Rows of a model by keys.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::metadata::Direction;
/// use assoc_core::select::{KeyedSelect, Matching, RowOrder};
///
/// let dialect = StandardSql::default();
/// let keys = KeySet::Ints([7, 9].into());
/// let mut select = KeyedSelect::new(Post::DEF, &[1]); // By `user_id`.
/// assert_eq!(select.statement(&dialect, &keys)?.sql(), "SELECT id, user_id, title FROM posts WHERE user_id IN (?, ?)");
/// // Integers compare by their bytes: a row says by its column which key it belongs to.
/// assert_eq!(select.matching(&dialect), Matching::ByValue);
/// assert!(select.keys_per_statement(&dialect) > 2);
///
/// select.order = vec![Post::ID.desc().into_term()];
/// select.row_order = RowOrder::ByKey;
/// let sql = select.statement(&dialect, &keys)?.sql().to_owned();
/// assert!(sql.ends_with("ORDER BY user_id, id DESC"));
/// // Integers are sorted in memory as the database sorts them, where it would sort whole rows.
/// assert_eq!(select.order_in_memory(), Some(vec![(0, Direction::Desc)]));
/// assert_eq!(select.sorted_in_memory(&dialect), None);
///
/// let of_keys = select.order_of_keys().statement(&dialect, &keys)?;
/// assert_eq!(of_keys.sql(), "SELECT id FROM posts WHERE id IN (?, ?) ORDER BY id DESC");
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KeyedSelect {
    /// The model whose rows are read.
    pub model: &'static ModelDef,
    /// The columns that hold the keys, as indexes into the model's columns.
    pub columns: &'static [usize],
    /// The columns to read instead of all, where only keys are needed.
    pub only: Option<Vec<usize>>,
    /// The columns to read into whole rows, in ascending order; the others are `NULL` in the answer.
    pub selected: Option<Vec<usize>>,
    /// Which of the rows.
    pub filter: Expr,
    /// Their order within one key.
    pub order: Vec<OrderTerm>,
    /// How the rows have to come.
    pub row_order: RowOrder,
    /// Of the rows of each key one for each combination of values of these columns: the first in their order.
    pub group: Vec<usize>,
    /// How many of each key; of one for each group, if they are grouped.
    pub per_owner: Option<PerOwner>,
    /// The answer says for each row which combination of values it has in these columns: a number, the same for what the
    /// database calls equal. It stands before the row's columns, and means something within one statement only.
    pub rank_groups: Vec<usize>,
}

impl KeyedSelect {
    /// All rows of a model by keys, in no order.
    #[must_use]
    pub fn new(model: &'static ModelDef, columns: &'static [usize]) -> Self {
        KeyedSelect {
            model,
            columns,
            only: None,
            selected: None,
            filter: Expr::always(),
            order: Vec::new(),
            row_order: RowOrder::Any,
            group: Vec::new(),
            per_owner: None,
            rank_groups: Vec::new(),
        }
    }

    // The order within one key, made total.
    pub(crate) fn total_order(&self) -> Vec<OrderTerm> {
        let mut order = self.order.clone();
        self.model.append_primary_key(&mut order);
        order
    }

    /// The order within one key, made total, as columns by which rows can be sorted in memory as the database sorts them;
    /// `None` if one of them cannot.
    #[must_use]
    pub fn order_in_memory(&self) -> Option<Vec<(usize, Direction)>> {
        let read = |column: usize| match (&self.only, &self.selected) {
            (Some(read), _) | (None, Some(read)) => read.contains(&column),
            (None, None) => true,
        };
        let columns =
            self.total_order().iter().map(|term| column_in_memory(self.model, term)).collect::<Option<Vec<_>>>();
        columns.filter(|columns| columns.iter().all(|(column, _)| read(*column)))
    }

    /// The look-up of these rows by their primary key in the same order, which reads no more than that key.
    #[must_use]
    pub fn order_of_keys(&self) -> KeyedSelect {
        KeyedSelect {
            only: Some(self.model.primary_key.to_vec()),
            order: self.order.clone(),
            row_order: RowOrder::GloballyOrdered,
            ..KeyedSelect::new(self.model, self.model.primary_key)
        }
    }
}

/// The column of a term by which rows can be sorted in memory as they would be in the database: integers that are not
/// `NULL` compare alike everywhere.
pub(super) fn column_in_memory(model: &ModelDef, term: &OrderTerm) -> Option<(usize, Direction)> {
    let Operand::Column(ColumnRef { path, name, .. }) = &term.operand else { return None };
    let at = model.columns.iter().position(|column| column.name == *name).filter(|_| path.is_empty())?;
    let column = &model.columns[at];
    let exact = matches!(column.sql_type, SqlType::Int(_) | SqlType::UInt(_) | SqlType::Bool);
    (exact && !column.nullable).then_some((at, term.direction))
}
