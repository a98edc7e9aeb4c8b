//! Queries as values. [`Query`] starts one, [`Select`] continues it; building never touches a database and never
//! changes another query.

use std::fmt;
use std::marker::PhantomData;

use assoc_core::metadata::{Expr, HasRowOrigin, OrderTerm};
use assoc_core::planner::QueryRequest;
use assoc_core::select::{LockStrength, RowLock, WhenLocked, keep_order_of_groups};
use assoc_core::{Error, Filter, IntoPreload, IntoSort, Model, Result, RowOrigin};

use crate::columns::Columns;
use crate::repo::Repo;

mod parts;
mod start;

pub(crate) use parts::{QueryParts, SharedParts};
pub use start::Query;

/// A query of model `M`.
///
/// Every method takes the query and returns another: keep a base query and derive from clones of it.
#[must_use = "a query does nothing until a repo runs it"]
pub struct Select<M> {
    pub(crate) parts: SharedParts,
    model: PhantomData<fn() -> M>,
}

impl<M> Clone for Select<M> {
    fn clone(&self) -> Self {
        Select { parts: self.parts.clone(), model: PhantomData }
    }
}

impl<M> fmt::Debug for Select<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select")
            .field("model", &self.parts.spec.model.name)
            .field("within", &self.parts.within)
            .field("filter", &self.parts.spec.filter)
            .field(
                "order",
                if self.parts.spec.order.is_empty() { &self.parts.own_order } else { &self.parts.spec.order },
            )
            .field("limit", &self.parts.spec.limit)
            .field("offset", &self.parts.spec.offset)
            .field("preloads", &self.parts.preloads)
            .field("joins", &self.parts.joins)
            .finish_non_exhaustive()
    }
}

/// The model of a query that is known at run time only, as the model of its [`QueryParts`]: what works on such a query is compiled
/// once, not once for each model.
pub(crate) enum AnyModel {}

impl<M> Select<M> {
    /// The same query of a model with another Rust type: of [`AnyModel`], or back.
    pub(crate) fn retyped<N>(self) -> Select<N> {
        Select { parts: self.parts, model: PhantomData }
    }

    /// With all its conditions in one, and all its orders: what the association says, what was added, and the keys that decide
    /// between rows that are equal then.
    pub(crate) fn settled(mut self) -> Self {
        let QueryParts { spec, within, said_order, own_order, .. } = &mut *self.parts;
        spec.filter = std::mem::take(within).and(std::mem::take(&mut spec.filter));
        let mut own = std::mem::take(own_order);
        for order in [&mut own, &mut *said_order] {
            keep_order_of_groups(spec.model, &spec.group, order, &[]);
        }
        if spec.order.is_empty() {
            spec.order = own;
        } else if !own.is_empty() {
            let added = std::mem::replace(&mut spec.order, std::mem::take(said_order));
            for term in added.into_iter().chain(own) {
                if !spec.order.iter().any(|known| known.operand == term.operand) {
                    spec.order.push(term);
                }
            }
        }
        self
    }

    /// Sorts by this order and no other.
    pub(crate) fn sort_by(&mut self, order: &[OrderTerm]) {
        self.parts.own_order.clear();
        self.parts.spec.order = order.to_vec();
    }

    // Limits the rows to `rows`, or to the query's limit if that is lower.
    pub(crate) fn at_most(mut self, rows: u64) -> Self {
        self.parts.spec.limit = Some(self.parts.spec.limit.map_or(rows, |limit| limit.min(rows)));
        self
    }

    // Refuses a lock where no rows are read that could be locked.
    pub(crate) fn refuse_lock(&self, call: &str) -> Result<()> {
        match self.parts.spec.lock {
            None => Ok(()),
            Some(_) => {
                let message =
                    format!("`{call}` reads no rows that could be locked: leave out the lock, or use `repo.all`");
                Err(Error::invalid_query(self.parts.spec.model.name, message))
            }
        }
    }
}

impl<M: Model> Select<M> {
    // Whether the query names only the model, so that a key alone decides about the row.
    pub(crate) fn is_plain(&self) -> bool {
        M::DEF.default_scope.is_none() && M::DEF.discriminator.is_none() && self.parts.say_nothing()
    }

    /// The query as data, to be compiled.
    pub(crate) fn into_request(self) -> QueryRequest {
        let QueryParts { spec: select, preloads, joins, raw_joins, join_chain, selected, unscoped, .. } =
            self.settled().parts.into_parts();
        QueryRequest { select, preloads, joins, raw_joins, join_chain, selected, unscoped }
    }

    /// From here on conditions are added to what the query says now, also by [`or_filter`](Self::or_filter), and orders to
    /// what the association says of its order.
    pub(crate) fn closed(mut self) -> Self {
        self = self.settled();
        let QueryParts { spec, within, own_order, .. } = &mut *self.parts;
        *within = std::mem::take(&mut spec.filter);
        // With a limit the whole order chooses the members, so none comes before its end.
        if spec.limit.is_none() && spec.offset.is_none() {
            *own_order = std::mem::take(&mut spec.order);
        }
        self
    }

    /// Keeps the rows that satisfy a condition. Several calls combine with `AND`.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::filter(Post::STARS.gt(0)).filter(Post::TITLE.like("L%"));
    /// assert_eq!(repo.all(query).await?.len(), 1); // both conditions
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn filter(mut self, filter: Filter<M>) -> Self {
        let spec = &mut self.parts.spec;
        spec.filter = std::mem::take(&mut spec.filter).and(filter.into_expr());
        self
    }

    /// Adds the rows that satisfy a condition to those of all conditions before. As the first condition it is the only
    /// one.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::filter(Post::STARS.eq(0)).or_filter(Post::TITLE.eq("Looms"));
    /// assert_eq!(repo.count(query).await?, 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn or_filter(mut self, filter: Filter<M>) -> Self {
        let spec = &mut self.parts.spec;
        let before = std::mem::take(&mut spec.filter);
        spec.filter =
            if before.is_always() { Expr::always().and(filter.into_expr()) } else { before.or(filter.into_expr()) };
        self
    }

    /// Sorts by these terms, after the terms of earlier calls. The primary key decides between equal rows, so the order
    /// is total.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::order_by(Post::STARS.desc()).order_by(Post::TITLE.asc());
    /// assert_eq!(repo.all(query).await?[0].title, "Looms");
    ///
    /// let query = Query::order_by((Post::STARS.asc(), Post::TITLE.asc()));
    /// assert_eq!(repo.all(query).await?[0].title, "Notes");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn order_by(mut self, sort: impl IntoSort<M>) -> Self {
        self.parts.spec.order.extend(sort.into_terms());
        self
    }

    /// Limits the rows to the first by the query's order, then by primary key.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::order_by(Post::TITLE.asc()).limit(1);
    /// assert_eq!(repo.all(query).await?[0].title, "Engines");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn limit(mut self, limit: u64) -> Self {
        self.parts.spec.limit = Some(limit);
        self
    }

    /// Skips the first rows.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::order_by(Post::TITLE.asc()).limit(1).offset(1);
    /// assert_eq!(repo.all(query).await?[0].title, "Looms");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn offset(mut self, offset: u64) -> Self {
        self.parts.spec.offset = Some(offset);
        self
    }

    /// Returns equal rows once.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::join(User::POSTS).distinct();
    /// assert_eq!(repo.all(query).await?.len(), 1); // not once for each post
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn distinct(mut self) -> Self {
        self.parts.spec.distinct = true;
        self
    }

    /// Reads these columns only. The fields of all other columns must be `Option`s, and are `None` in the result. For
    /// values in place of models use [`Repo::pluck`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::select((Post::ID, Post::TITLE, Post::STARS));
    /// assert_eq!(repo.all(query).await?[0].user_id, None); // not read
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn select(mut self, columns: impl Columns<M>) -> Self {
        self.parts.selected.get_or_insert_default().extend(columns.operands());
        self
    }

    /// Returns one row for each combination of values of these columns. It is meant for [`Repo::pluck`] with
    /// aggregates. What else is read or sorted by has one value in a group only where these columns include the primary key
    /// of its row; otherwise the query is refused with [`ErrorKind::NotGrouped`](crate::ErrorKind::NotGrouped), before any
    /// SQL.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::group_by(Post::USER_ID);
    /// let counts = repo.pluck((Post::USER_ID, Post::ID.count()), query).await?;
    /// assert_eq!(counts, [(Some(1), 3)]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn group_by(mut self, columns: impl Columns<M>) -> Self {
        self.parts.spec.group.extend(columns.operands());
        self
    }

    /// Keeps the groups that satisfy a condition, which may contain aggregates. A column in it needs one value in each group,
    /// as [`group_by`](Self::group_by) says. Without `group_by` all rows are one group.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::group_by(Post::USER_ID).having(Post::ID.count().gt(3));
    /// assert!(repo.pluck(Post::USER_ID, query).await?.is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn having(mut self, filter: Filter<M>) -> Self {
        let spec = &mut self.parts.spec;
        spec.having = std::mem::take(&mut spec.having).and(filter.into_expr());
        self
    }

    /// Limits the statements of this query, preloads included: [`Repo::max_statements`] for a single query. One statement may read up to
    /// 32 levels of a recursion, so this is no limit of levels.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::preload(User::POSTS).max_statements(1);
    /// let error = repo.all(query).await.unwrap_err(); // and no statement
    /// assert!(matches!(error.kind(), ErrorKind::TooManyStatements { limit: 1, .. }));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn max_statements(mut self, limit: usize) -> Self {
        self.parts.most_statements = Some(limit);
        self
    }

    /// Marks its rows, so that the repo refuses to save or delete them: for data that is only shown. Their model needs
    /// a field of type [`RowOrigin`] for the mark; without one this does not compile. Rows of associations are not
    /// marked: declare `readonly` on the association for that.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// #[derive(Model, Debug, Clone)]
    /// pub struct User {
    ///     pub id: i64,
    ///     pub name: String,
    ///     pub origin: RowOrigin,
    /// }
    ///
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.insert(User::build().set(User::NAME, "Ada")).await?;
    /// let user = repo.get_or_fail::<User>(1, Query::readonly()).await?;
    /// assert!(repo.delete(&user).await.unwrap_err().is_read_only());
    /// let user = repo.get_or_fail::<User>(1, Query::new()).await?;
    /// repo.delete(&user).await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn readonly(mut self) -> Self
    where
        M: HasRowOrigin,
    {
        self.parts.origin = RowOrigin::read_only(None);
        self
    }

    /// Locks the rows that are read until the transaction ends, so that no other transaction changes or locks them:
    /// for reading what is then written. Only in a transaction; rows of associations are not locked.
    ///
    /// On SQLite there is one writer at a time: a transaction has the lock of the whole database from its beginning, and this
    /// changes nothing. Locks hold on one server: nodes of a cluster (Galera) do not see each other's.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Job { pub id: i64, pub done: bool }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Job>().await?;
    /// # repo.insert(Job::build().set(Job::DONE, false)).await?;
    /// // Several workers take a job each.
    /// let taken = repo
    ///     .transaction(async |tx| {
    ///         let waiting = Query::filter(Job::DONE.eq(false)).limit(1).for_update().skip_locked();
    ///         let Some(job) = tx.all(waiting).await?.pop() else { return Ok(None) };
    ///         tx.update(job.change().set(Job::DONE, true)).await.map(Some)
    ///     })
    ///     .await?;
    /// # assert!(taken.is_some());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn for_update(self) -> Self {
        self.locked(LockStrength::Update)
    }

    /// Locks the rows that are read until the transaction ends, so that no other transaction changes them; others may
    /// lock them in
    /// the same way. Otherwise as [`for_update`](Self::for_update).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let tx = repo.begin().await?;
    /// let post = tx.get::<Post>(1, Query::new().for_share()).await?;
    /// assert!(post.is_some());
    /// tx.commit().await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn for_share(self) -> Self {
        self.locked(LockStrength::Share)
    }

    /// Leaves out rows that others have locked, instead of waiting for them. Locks like [`for_update`](Self::for_update) if
    /// neither lock was asked for.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let tx = repo.begin().await?;
    /// let job = Query::order_by(Post::ID.asc()).limit(1).for_update().skip_locked();
    /// assert_eq!(tx.all(job).await?[0].title, "Looms"); // another worker gets the next
    /// tx.commit().await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn skip_locked(mut self) -> Self {
        let strength = self.parts.spec.lock.map_or(LockStrength::Update, |lock| lock.strength);
        self.parts.spec.lock = Some(RowLock { strength, when_locked: WhenLocked::Skip });
        self
    }

    fn locked(mut self, strength: LockStrength) -> Self {
        let when_locked = self.parts.spec.lock.map_or(WhenLocked::Wait, |lock| lock.when_locked);
        self.parts.spec.lock = Some(RowLock { strength, when_locked });
        self
    }

    /// Leaves out the model's default scope. The condition on the discriminator of a shared table stays.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// #[derive(Model, Debug, Clone)]
    /// #[model(default_scope = published)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub draft: bool,
    /// }
    ///
    /// fn published(scope: Scope<Post>) -> Scope<Post> {
    ///     scope.filter(Post::DRAFT.eq(false))
    /// }
    ///
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// repo.insert_all([true, false].map(|draft| Post::build().set(Post::DRAFT, draft))).await?;
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 1);
    /// assert_eq!(repo.count(Query::<Post>::new().unscoped()).await?, 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn unscoped(mut self) -> Self {
        self.parts.unscoped = true;
        self
    }

    /// Loads an association with the rows: `User::POSTS`, `User::POSTS.with(Post::COMMENTS)`, or a tuple of these. It
    /// costs one statement per association and level, whatever the number of rows, and fewer where rows are in memory
    /// already.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::preload(User::POSTS.order_by(Post::STARS.desc())).preload(User::ACCOUNT);
    /// let (users, statements) = repo.count_statements(repo.all(query)).await;
    /// assert_eq!((&*users?[0].posts()?[0].title, statements), ("Looms", 3));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn preload(mut self, preload: impl IntoPreload<M>) -> Self {
        self.parts.preloads.extend(preload.into_requests());
        self
    }

    /// Shows what running this query would do: the tree of associations and every statement. It runs no statement.
    ///
    /// # Errors
    /// When the query cannot run, with the same error that running it gives before any SQL.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let plan = Query::preload(User::POSTS).explain(&repo)?;
    /// assert!(plan.starts_with("User [1]"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn explain(&self, repo: &Repo) -> Result<String> {
        repo.explain(self)
    }
}
