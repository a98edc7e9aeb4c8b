//! Reading large tables in pages by key: no open cursor, no growing offset, and each page has its preloads.
//!
//! A page begins after the last row of the one before: `WHERE (a, id) > (last a, last id)`, written out column by
//! column so that orders may mix directions and columns may be `NULL`. Rows that are inserted or deleted meanwhile do
//! not shift what comes next.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use assoc_core::{BoxFuture, ColumnRef, Comparison, Direction, Error, Expr, Model, Operand, OrderTerm, Result};
use futures_core::Stream;

use crate::query::Select;
use crate::repo::Repo;

impl Repo {
    /// The rows of a query in pages of `size`. 1 statement a page, and what the preloads cost a page.
    ///
    /// # Errors
    /// When the model has no primary key, or the query is grouped, distinct or sorted by something else than its own
    /// columns.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// let mut pages = repo.in_batches(Query::<User>::new(), 1_000)?;
    /// while let Some(users) = pages.next().await? {
    ///     println!("{} users", users.len());
    /// }
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn in_batches<M: Model>(&self, query: Select<M>, size: u64) -> Result<Batches<M>> {
        let model = M::DEF;
        model.require_primary_key("reading in batches")?;
        let spec = &query.spec;
        if spec.distinct || !spec.group.is_empty() || !spec.having.is_always() {
            return Err(Error::invalid_query(model.name, "a distinct or grouped query cannot be read in batches"));
        }
        if size == 0 {
            return Err(Error::invalid_query(model.name, "a batch needs a size of at least 1"));
        }
        let query = query.in_total_order();
        let order = query
            .spec
            .order
            .iter()
            .map(|term| match &term.operand {
                Operand::Column(column) if column.path.is_empty() => {
                    model.columns.iter().position(|known| known.name == column.name).map(|index| OrderColumn {
                        index,
                        name: column.name,
                        descending: term.direction == Direction::Desc,
                    })
                }
                _ => None,
            })
            .collect::<Option<Vec<_>>>();
        let Some(order) = order else {
            return Err(Error::invalid_query(model.name, "batches can only be sorted by the model's own columns"));
        };
        Ok(Batches { repo: self.clone(), remaining: query.spec.limit, query, order, size, done: false })
    }

    /// The rows of a query one after the other, read in pages of 1,000 behind the scenes.
    ///
    /// # Errors
    /// As [`in_batches`](Self::in_batches).
    pub fn stream<M: Model>(&self, query: Select<M>) -> Result<RowStream<M>> {
        Ok(RowStream { batches: Some(self.in_batches(query, 1_000)?), loading: None, rows: Vec::new().into_iter() })
    }
}

#[derive(Debug, Clone, Copy)]
struct OrderColumn {
    index: usize,
    name: &'static str,
    descending: bool,
}

/// Pages of a query's rows: [`Repo::in_batches`].
#[must_use = "pages are read by calling `next`"]
pub struct Batches<M> {
    repo: Repo,
    query: Select<M>,
    order: Vec<OrderColumn>,
    size: u64,
    remaining: Option<u64>,
    done: bool,
}

impl<M> fmt::Debug for Batches<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batches").field("size", &self.size).field("done", &self.done).finish_non_exhaustive()
    }
}

impl<M: Model> Batches<M> {
    /// The next page, or `None` after the last.
    ///
    /// # Errors
    /// When a row cannot be read or the database fails. The page can be asked for again.
    pub async fn next(&mut self) -> Result<Option<Vec<M>>> {
        let size = self.remaining.map_or(self.size, |remaining| remaining.min(self.size));
        if self.done || size == 0 {
            return Ok(None);
        }
        let rows = self.repo.all(self.query.clone().limit(size)).await?;
        self.done = (rows.len() as u64) < size;
        let Some(last) = rows.last() else { return Ok(None) };
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(rows.len() as u64));
        self.query.spec.offset = None;
        let after = self.after(last);
        self.query.after(after);
        Ok(Some(rows))
    }

    // (a > x) OR (a = x AND b > y) OR …; NULL is smaller than everything.
    fn after(&self, last: &M) -> Expr {
        let mut any = Vec::new();
        let mut equal: Vec<Expr> = Vec::new();
        for column in &self.order {
            let value = last.value(column.index).into_owned();
            let operand = || Operand::Column(ColumnRef::own(column.name));
            let compare = |op| Expr::Compare { left: operand(), op, right: Operand::Value(value.clone()) };
            let nullable = M::DEF.columns[column.index].nullable;
            let beyond = match (column.descending, value.is_null()) {
                (false, false) => Some(compare(Comparison::Gt)),
                (false, true) => Some(Expr::IsNull(operand()).negated()),
                (true, false) if nullable => Some(compare(Comparison::Lt).or(Expr::IsNull(operand()))),
                (true, false) => Some(compare(Comparison::Lt)),
                (true, true) => None,
            };
            if let Some(beyond) = beyond {
                let mut all = equal.clone();
                all.push(beyond);
                any.push(Expr::All(all));
            }
            equal.push(compare(Comparison::Eq));
        }
        Expr::Any(any)
    }
}

/// The rows of a query as a [`Stream`]: [`Repo::stream`].
#[must_use = "streams do nothing until they are polled"]
pub struct RowStream<M> {
    batches: Option<Batches<M>>,
    loading: Option<BoxFuture<'static, (Batches<M>, Result<Option<Vec<M>>>)>>,
    rows: std::vec::IntoIter<M>,
}

impl<M> fmt::Debug for RowStream<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowStream").field("buffered", &self.rows.len()).finish_non_exhaustive()
    }
}

impl<M: Model> RowStream<M> {
    /// The next row, or `None` after the last; for programs without a stream library.
    ///
    /// # Errors
    /// When a row cannot be read or the database fails; the stream has ended then.
    pub async fn next(&mut self) -> Result<Option<M>> {
        std::future::poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await.transpose()
    }
}

impl<M: Model> Stream for RowStream<M> {
    type Item = Result<M>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<M>>> {
        let this = self.get_mut();
        loop {
            if let Some(row) = this.rows.next() {
                return Poll::Ready(Some(Ok(row)));
            }
            let loading = match (&mut this.loading, this.batches.take()) {
                (Some(loading), _) => loading,
                (None, None) => return Poll::Ready(None),
                (None, Some(mut batches)) => this.loading.insert(Box::pin(async move {
                    let page = batches.next().await;
                    (batches, page)
                })),
            };
            let Poll::Ready((batches, page)) = loading.as_mut().poll(context) else { return Poll::Pending };
            this.loading = None;
            match page {
                Ok(Some(rows)) => {
                    this.batches = Some(batches);
                    this.rows = rows.into_iter();
                }
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }
}

// Nothing in a stream refers to itself.
impl<M> Unpin for RowStream<M> {}

impl<M: Model> Select<M> {
    /// Sorted by what was asked for, then by primary key, whether or not rows are counted off.
    pub(crate) fn in_total_order(mut self) -> Self {
        for name in M::DEF.primary_key_names() {
            let operand = Operand::Column(ColumnRef::own(name));
            if !self.spec.order.iter().any(|term| term.operand == operand) {
                self.spec.order.push(OrderTerm { operand, direction: Direction::Asc });
            }
        }
        self
    }

    // Replaces the condition of the page before.
    fn after(&mut self, after: Expr) {
        self.spec.after = Some(after);
    }
}
