//! One statement for the root's rows and those of joined associations: `eager_load`.
//!
//! # What is selected
//!
//! All columns of the root and of every stored table, or those that their associations `select`. Also the key columns
//! of the intermediate tables: two chains to the same target are two links, and only their keys distinguish them from
//! the repetitions that joined siblings cause. All columns together identify the rows of a table without a primary key.
//! Associations that share a table may select different columns of it; each reads its own. Columns are named `t0_r0`,
//! `t0_r1`, …, `t1_r0`: table by table.
//!
//! # Orders
//!
//! Every association has an order (its scope's, then its primary key), but the statement can have only one: the root's.
//! Where values compare in memory as they do in the database (integers that are not `NULL`, which primary keys nearly
//! always are), the rows are sorted in memory. Any other order becomes one more column, the row's rank: `DENSE_RANK()
//! OVER (ORDER BY …)`. Sorting the whole statement by all orders, one after the other, was the alternative. It is wrong
//! where a condition names two branches, because the first row under one owner need not be the first under the next.
//!
//! A query's order by columns of a collection sorts the collection, unless the association has an order: the rows of
//! the statement come in that order, and the peer libraries keep their lists in it.
//!
//! # Limits
//!
//! `LIMIT` counts rows, and a joined collection repeats the root's. So the keys of the page's roots come first, as a
//! derived table that the root is joined to: `page.rs`. Still one statement.

use super::keyed::column_in_memory;
use super::{KeyedSelect, RootSelect, RowOrder};
use crate::error::{Error, Result};
use crate::metadata::association::KeyJoin;
use crate::metadata::expr::{Direction, OrderTerm};
use crate::metadata::model::{ModelDef, ascending_once};

/// A table whose columns are among those selected.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::select::LoadedTable;
///
/// // The root's three columns come first; of a post the key and the title are selected.
/// let posts = LoadedTable { table: Some(0), model: Post::DEF, columns: vec![0, 2], first: 3, key: vec![0] };
/// assert_eq!([0, 1, 2].map(|column| posts.place_of(column)), [Some(3), None, Some(4)]);
/// assert_eq!(posts.places_of(None), Some(vec![Some(0), None, Some(1)]));
/// assert!(!posts.is_keyless());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedTable {
    /// Which of the statement's joins; `None` for the root.
    pub table: Option<usize>,
    /// The model.
    pub model: &'static ModelDef,
    /// The model's columns that are selected, in their order.
    pub columns: Vec<usize>,
    /// Where in a row its first column is.
    pub first: usize,
    /// The columns that identify the model's rows: the primary key, or all columns where there is none.
    pub key: Vec<usize>,
}

impl LoadedTable {
    /// For each column of the model its position among this table's selected columns, if it is one of the columns to
    /// read. `None` if the row has all columns in their order.
    #[must_use]
    pub fn places_of(&self, read: Option<&[usize]>) -> Option<Vec<Option<usize>>> {
        let read = |column: &usize| read.is_none_or(|read| read.contains(column));
        let place = |column: &usize| self.columns.iter().position(|selected| selected == column);
        let all = 0..self.model.columns.len();
        let whole = self.columns.len() == all.len() && all.clone().all(|column| read(&column));
        (!whole).then(|| all.map(|column| Some(column).filter(read).as_ref().and_then(place)).collect())
    }

    /// Where in a row a column of the model is, if it is selected.
    #[must_use]
    pub fn place_of(&self, column: usize) -> Option<usize> {
        self.columns.iter().position(|selected| *selected == column).map(|at| self.first + at)
    }

    /// Whether equal rows cannot be distinguished.
    #[must_use]
    pub fn is_keyless(&self) -> bool {
        self.model.primary_key.is_empty()
    }
}

/// In which order the rows of a joined edge are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rank {
    /// An owner has one row.
    Single,
    /// By values of the row at these places, each ascending or descending.
    Values(Vec<(usize, Direction)>),
    /// By the rank at this place of the row.
    Selected(usize),
}

/// What a query's order says of the rows of a joined association.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryOrder {
    /// Terms over columns of the rows' own table.
    Own(Vec<OrderTerm>),
    /// Terms over columns of several tables, seen from the query's root.
    Joined(Vec<OrderTerm>),
}

/// An association whose rows a [`JoinedSelect`] reads.
#[derive(Debug, Clone, Copy)]
pub struct LoadedEdge<'p> {
    /// Which of the statement's joins is its table.
    pub table: usize,
    /// Which columns are read, in which order the rows are.
    pub select: &'p KeyedSelect,
    /// The key from the row before.
    pub hop: KeyJoin,
    /// Whether its rows only refer to others, so that their keys are enough.
    pub keys_only: bool,
    /// The query's order, as far as it sorts the rows of this association.
    pub order: Option<&'p QueryOrder>,
}

/// A `SELECT` that loads joined associations with the root.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::joins::{JoinKind, Joins};
/// use assoc_core::metadata::{Chain, Direction, Request};
/// use assoc_core::select::{JoinedSelect, KeyedSelect, LoadedEdge, Rank, RootSelect};
///
/// let mut joins = Joins::default();
/// joins.join(&Request::new(User::POSTS.def()), JoinKind::Left, None)?;
/// joins.assign_names(User::DEF, 63);
/// let hop = Chain::keys(User::POSTS.def())?.hops()[0].key;
/// let posts = KeyedSelect::new(Post::DEF, hop.target_columns);
/// let edge = LoadedEdge { table: 0, select: &posts, hop, keys_only: false, order: None };
/// let query = RootSelect { joins, ..RootSelect::new(User::DEF) };
/// let select = JoinedSelect::new(query, None, &[edge])?;
///
/// let sql = select.statement(&StandardSql::default())?.sql().to_owned();
/// assert!(sql.starts_with("SELECT users.id AS t0_r0, users.name AS t0_r1, users.team_id AS t0_r2, posts.id AS t1_r0"));
/// assert!(sql.ends_with("FROM users LEFT OUTER JOIN posts ON posts.user_id = users.id"));
/// // Where the values are in a row, and what the rows are like.
/// assert_eq!((select.width(), select.selected()), (6, None));
/// assert!(!select.roots_are_single() && !select.has_raw_joins());
/// assert_eq!(select.ranks(), [Rank::Values(vec![(3, Direction::Asc)])], "posts are sorted by their key in memory");
/// let [_, posts] = select.tables() else { unreachable!() };
/// assert_eq!((posts.place_of(2), posts.places_of(None), posts.is_keyless()), (Some(5), None, false));
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct JoinedSelect {
    pub(crate) select: RootSelect,
    // Of the root's columns, if not all are read.
    selected: Option<Vec<usize>>,
    tables: Vec<LoadedTable>,
    // For each of the associations that are loaded.
    ranks: Vec<Rank>,
    // What is selected after the columns: orders within a table, or over columns of several.
    pub(crate) selected_ranks: Vec<(Option<usize>, Vec<OrderTerm>)>,
}

impl JoinedSelect {
    /// The statement of a query whose joins have their names, and of the associations that it loads; of the root's columns
    /// all are read, or those `selected`.
    ///
    /// # Errors
    /// When the root has no primary key, the query or is grouped.
    pub fn new(select: RootSelect, selected: Option<Vec<usize>>, edges: &[LoadedEdge<'_>]) -> Result<Self> {
        let root = select.model;
        root.require_primary_key("loading associations by a join")?;
        if !select.group.is_empty() || !select.having.is_always() || select.operands.is_some() {
            let message = "a query that loads associations by a join gives rows, so it cannot be grouped: use `preload`, or \
                           read values with `repo.pluck`";
            return Err(Error::invalid_query(root.name, message));
        }
        let is_raw = |joined: &&LoadedEdge<'_>| joined.select.order.iter().any(|term| term.operand.is_raw());
        if let Some(joined) = edges.iter().find(is_raw) {
            let message = format!(
                "rows of {} that are sorted by hand-written SQL are not loaded by a join, where it could mean another \
                 table's columns: load them with `preload`",
                joined.select.model.name
            );
            return Err(Error::invalid_query(root.name, message));
        }
        let mut wanted: Vec<Option<Vec<usize>>> = vec![None; select.joins.tables().len()];
        let mut orders = Vec::with_capacity(edges.len());
        for joined in edges {
            let model = joined.select.model;
            let columns = wanted[joined.table].get_or_insert_default();
            match &joined.select.selected {
                _ if model.primary_key.is_empty() => columns.extend(0..model.columns.len()),
                _ if joined.keys_only => columns.extend(model.primary_key),
                Some(selected) => columns.extend(selected),
                None => columns.extend(0..model.columns.len()),
            }
            let (within, order) = match joined.order {
                None => (true, order_of(joined.select, joined.hop)),
                Some(QueryOrder::Own(order)) => (true, Some(order.clone())),
                Some(QueryOrder::Joined(order)) => (false, Some(order.clone())),
            };
            let here = order.as_ref().map(|order| order.iter().map(|term| column_in_memory(model, term)).collect());
            let here: Option<Option<Vec<(usize, Direction)>>> = here;
            if let Some(Some(here)) = &here {
                columns.extend(here.iter().map(|(column, _)| *column));
            }
            orders.push((joined.table, within, order, here.flatten()));
        }
        // Equal rows of a table without a key are counted, which other tables' repetitions must not disturb.
        let keyless = |at: &usize| wanted[*at].is_some() && select.joins.tables()[*at].hop.model.primary_key.is_empty();
        if (0..wanted.len()).any(|at| keyless(&at)) {
            for (table, wanted) in select.joins.tables().iter().zip(&mut wanted) {
                if wanted.is_none() && table.multiplies() {
                    *wanted = Some(table.hop.model.primary_key.to_vec());
                }
            }
        }
        let columns = match &selected {
            Some(selected) => ascending_once(&[selected, root.primary_key].concat()),
            None => (0..root.columns.len()).collect(),
        };
        let mut first = columns.len();
        let key = root.primary_key.to_vec();
        let mut tables = vec![LoadedTable { table: None, model: root, columns, first: 0, key }];
        for (at, columns) in wanted.into_iter().enumerate() {
            let Some(columns) = columns.map(|columns| ascending_once(&columns)) else { continue };
            let model = select.joins.tables()[at].hop.model;
            let key = if model.primary_key.is_empty() { columns.clone() } else { model.primary_key.to_vec() };
            let width = columns.len();
            tables.push(LoadedTable { table: Some(at), model, columns, first, key });
            first += width;
        }
        let mut this = JoinedSelect { select, selected, tables, ranks: Vec::new(), selected_ranks: Vec::new() };
        for (table, within, order, here) in orders {
            let rank = this.rank(table, within, order, here, first);
            this.ranks.push(rank);
        }
        Ok(this)
    }

    fn rank(
        &mut self,
        table: usize,
        within: bool,
        order: Option<Vec<OrderTerm>>,
        here: Option<Vec<(usize, Direction)>>,
        width: usize,
    ) -> Rank {
        let Some(order) = order else { return Rank::Single };
        if let Some(here) = here {
            let loaded = self.tables.iter().find(|loaded| loaded.table == Some(table));
            let place = |(column, direction): &(usize, Direction)| Some((loaded?.place_of(*column)?, *direction));
            let places: Option<Vec<_>> = here.iter().map(place).collect();
            // All of them were added to what is selected.
            return places.map_or(Rank::Single, Rank::Values);
        }
        let rank = (within.then_some(table), order);
        let at = self.selected_ranks.iter().position(|known| *known == rank).unwrap_or_else(|| {
            self.selected_ranks.push(rank);
            self.selected_ranks.len() - 1
        });
        Rank::Selected(width + at)
    }

    /// The tables whose columns are selected; the root's are the first.
    #[must_use]
    pub fn tables(&self) -> &[LoadedTable] {
        &self.tables
    }

    /// The root's columns that are read, if not all are.
    #[must_use]
    pub fn selected(&self) -> Option<&[usize]> {
        self.selected.as_deref()
    }

    /// For each of the associations that it loads, the order of its rows.
    #[must_use]
    pub fn ranks(&self) -> &[Rank] {
        &self.ranks
    }

    /// The number of values in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        let columns: usize = self.tables.iter().map(|table| table.columns.len()).sum();
        columns + self.selected_ranks.len()
    }

    /// Whether each row of the statement is a different root.
    #[must_use]
    pub fn roots_are_single(&self) -> bool {
        !self.select.repeats_roots()
    }

    /// Whether the query has a hand-written join.
    #[must_use]
    pub fn has_raw_joins(&self) -> bool {
        !self.select.joins.raw().is_empty()
    }
}

// The order in which an owner's rows are, if it has several.
fn order_of(select: &KeyedSelect, hop: KeyJoin) -> Option<Vec<OrderTerm>> {
    let single = hop.unique && select.row_order != RowOrder::GloballyOrdered;
    (!single).then(|| select.total_order())
}
