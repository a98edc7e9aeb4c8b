//! Reading large tables in pages by key: no open cursor, no growing offset, and each page has its preloads.
//!
//! A page begins after the last row of the page before: `WHERE (a, id) > (last a, last id)`, written column by column
//! so that orders may mix directions and columns may be `NULL`. Rows that are inserted or deleted meanwhile do not
//! shift later pages.
//!
//! The values of the last row are those that the database sorted by (`keyset.rs`). Where joins repeat rows, equal rows are adjacent; the next page begins with the last row again and
//! skips the number of equal rows already returned. The keys of the joined rows would identify them as well, but some
//! tables have no key.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use assoc_core::driver::BoxFuture;
use assoc_core::metadata::{ColumnRef, Direction, Operand, OrderTerm};
use assoc_core::planner::CompiledQuery;
use assoc_core::{Error, Model, Result};
use futures_core::Stream;

use crate::carried::Carried;
use crate::keyset::{Equals, Keyset};
use crate::query::Select;
use crate::repo::Repo;

impl Repo {
    /// The rows of a query in pages of `size` rows. Each page costs 1 statement, and the statements of its preloads.
    ///
    /// # Errors
    /// When the model has no primary key, or the query is grouped, distinct without its key, or sorted by an expression
    /// that no page can begin after.
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
        let spec = &query.parts.spec;
        if !spec.group.is_empty() || !spec.having.is_always() {
            return Err(Error::invalid_query(model.name, "a grouped query cannot be read in batches"));
        }
        if size == 0 {
            return Err(Error::invalid_query(model.name, "a batch needs a size of at least 1"));
        }
        let repo = self.in_database_of(model);
        // Scopes may add an order and a limit. All refusals come before the first page.
        query.refuse_lock("batches")?;
        let CompiledQuery { select: spec, load, .. } = query.clone().into_request().compile(&repo.context())?;
        if spec.distinct && load.is_none() && !spec.selects_key() {
            let message = "a distinct query of some columns cannot be read in batches: add the primary key to `select`";
            return Err(Error::invalid_query(model.name, message));
        }
        if load.is_some() && spec.is_sorted_by_collection() {
            let message = "batches cannot be sorted by a collection that the query loads by a join: sort the collection by \
                           `order_by` on the association, or load it with `preload`";
            return Err(Error::invalid_query(model.name, message));
        }
        let mut query = query;
        query.sort_by(&spec.order);
        query.parts.spec.limit = spec.limit;
        query.parts.spec.offset = spec.offset;
        let query = query.in_total_order();
        let Ok(keyset) = Keyset::of(model, &query.parts.spec.order, repo.dialect().capabilities()) else {
            return Err(Error::invalid_query(model.name, "batches can only be sorted by columns"));
        };
        let repeats = load.is_none() && !spec.distinct && spec.repeats_roots();
        Ok(Batches {
            repo: self.clone(),
            remaining: query.parts.spec.limit,
            left_out: query.parts.spec.offset.unwrap_or(0),
            query,
            keyset,
            repeats,
            size,
            last: Carried::default(),
            seen: 0,
            done: false,
        })
    }

    /// The rows of a query one after the other, read in pages of 1,000. Each page costs 1 statement, and the statements
    /// of its preloads.
    ///
    /// # Errors
    /// As [`in_batches`](Self::in_batches).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let mut posts = repo.stream(Query::order_by(Post::TITLE.asc()))?;
    /// let mut titles = Vec::new();
    /// while let Some(post) = posts.next().await? {
    ///     titles.push(post.title);
    /// }
    /// assert_eq!(titles, ["Engines", "Looms", "Notes"]); // 1 statement
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn stream<M: Model>(&self, query: Select<M>) -> Result<RowStream<M>> {
        Ok(RowStream { batches: Some(self.in_batches(query, 1_000)?), loading: None, rows: Vec::new().into_iter() })
    }
}

/// Pages of a query's rows: [`Repo::in_batches`].
#[must_use = "pages are read by calling `next`"]
pub struct Batches<M> {
    repo: Repo,
    query: Select<M>,
    keyset: Keyset,
    // Whether joins repeat rows, so that a page may end between equal rows.
    repeats: bool,
    size: u64,
    remaining: Option<u64>,
    // The values by which the last row was sorted.
    last: Carried,
    // The number of rows returned so far, and the query's offset.
    seen: u64,
    left_out: u64,
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
    /// When a row cannot be read or the database fails. A second call reads the same page again.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let mut pages = repo.in_batches(Query::<Post>::new(), 2)?;
    /// assert_eq!(pages.next().await?.map(|posts| posts.len()), Some(2));
    /// assert_eq!(pages.next().await?.map(|posts| posts.len()), Some(1));
    /// assert!(pages.next().await?.is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn next(&mut self) -> Result<Option<Vec<M>>> {
        let size = self.remaining.map_or(self.size, |remaining| remaining.min(self.size));
        if self.done || size == 0 {
            return Ok(None);
        }
        let mut query = self.query.clone().limit(size);
        query.parts.spec.carried = self.keyset.carried();
        if self.repeats && self.left_out > 0 && self.last.equal == self.seen {
            // The number of the first equal rows among the skipped ones is unknown.
            query.parts.spec.offset = Some(self.left_out.saturating_add(self.seen));
        } else if self.last.equal > 0 {
            let repo = self.repo.in_database_of(M::DEF);
            let equals = if self.repeats { Equals::Included } else { Equals::LeftOut };
            query.parts.spec.after = Some(self.keyset.after(repo.dialect(), &self.last.values, equals)?);
            // Equal rows cannot be distinguished, so the page skips the number of rows already returned.
            query.parts.spec.offset = match (self.repeats, M::DEF.default_scope) {
                (true, _) => Some(self.last.equal),
                // The offset of the default scope applied to the first page.
                (false, Some(_)) => Some(0),
                (false, None) => None,
            };
        }
        let mut last = self.last.clone();
        let rows = self.repo.all_carrying(query, &mut last).await?;
        self.last = last;
        self.seen = self.seen.saturating_add(rows.len() as u64);
        self.done = (rows.len() as u64) < size;
        self.remaining = self.remaining.map(|remaining| remaining.saturating_sub(rows.len() as u64));
        Ok(Some(rows).filter(|rows| !rows.is_empty()))
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
    /// The next row, or `None` after the last. It is for programs without a stream library.
    ///
    /// # Errors
    /// When a row cannot be read or the database fails. The stream ends then.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let mut posts = repo.stream(Query::<Post>::new())?;
    /// assert!(posts.next().await?.is_some_and(|post| post.title == "Looms"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
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

// No part of a stream refers to another part of it.
impl<M> Unpin for RowStream<M> {}

impl<M> Select<M> {
    /// Sorts by the requested order, then by primary key, with or without an offset.
    pub(crate) fn in_total_order(mut self) -> Self {
        for name in self.parts.spec.model.primary_key_names() {
            let operand = Operand::Column(ColumnRef::own(name));
            if !self.parts.spec.order.iter().any(|term| term.operand == operand) {
                self.parts.spec.order.push(OrderTerm::new(operand, Direction::Asc));
            }
        }
        self
    }
}
