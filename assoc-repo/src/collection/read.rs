//! Reading a collection: its rows as a query, how many there are, and what SQL computes of them.

use assoc_core::driver::BoxFuture;
use assoc_core::metadata::{AggregateFunction, Expr, Operand, ScopeDef};
use assoc_core::{Aggregate, Column, ColumnType, Error, Filter, MaybeNull, Model, Result, Summable, Value};

use super::Collection;
use crate::association_handle::{OwnerRef, ToManyAssociation};
use crate::columns::Columns;
use crate::get_association::{OwnQuery, own_query, rows};
use crate::query::{Query, Select};

#[cfg(doc)]
use assoc_core::ErrorKind;

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    pub(super) fn own(&self) -> Result<OwnQuery<T>> {
        own_query(self.handle.repo, self.reflection(), self.owner(), Query::new())
    }

    pub(super) async fn read(&self, query: Select<T>) -> Result<Vec<T>> {
        rows(self.handle.repo, self.reflection(), self.owner(), query).await
    }

    /// The members as a query, to add conditions, orders and preloads to. Whatever is added, also by
    /// [`or_filter`](Select::or_filter), it has no other owner's rows. An owner whose key is `NULL` has none.
    ///
    /// It costs no statement. Running it costs 1, whether the association is loaded or not.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidQuery`] if no single statement reads the association: it goes through a part that limits its rows,
    /// or through hand-written SQL, or it has groups, or it is `distinct` and not sorted by columns of its members.
    /// [`all`](Self::all) reads these.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # let user = repo.insert(User::build()).await?;
    /// let posts = repo.association(&user, User::POSTS);
    /// let recent = posts.query()?.filter(Post::TITLE.like("On %")).order_by(Post::ID.desc()).limit(3);
    /// assert!(repo.all(recent).await?.is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn query(&self) -> Result<Select<T>> {
        match self.own()? {
            OwnQuery::One(query) => Ok(query.closed()),
            OwnQuery::Nothing => Ok(nothing().closed()),
            OwnQuery::Parts(_) => Err(self.read_by_parts()),
        }
    }

    #[cold]
    fn read_by_parts(&self) -> Error {
        let definition = self.reflection();
        let context = self.handle.repo.context();
        let chain = context.chain(definition, ScopeDef::default()).ok().and_then(|chain| context.join_chain(&chain));
        let why = match chain {
            // One statement joins the tables, and could not say which of several rows between sorts a member.
            Some(chain) if !chain.is_readable() => {
                "because it is `distinct` and has no order by the members' own columns: declare one, such as \
                 `order = Tag::NAME.asc()`, or read its rows with `all` or `load`"
            }
            _ => {
                "because a part of it limits or groups its rows, or is hand-written SQL: read its rows with `all` or `load`"
            }
        };
        let message = format!("`{}` is no single query, {why}", definition.qualified_name());
        Error::invalid_query(R::Owner::DEF.name, message)
    }

    /// The members. Loaded: no statement, copies. Otherwise 1 statement, and nothing is loaded: see [`load`](Self::load).
    ///
    /// # Errors
    /// As [`Repo::get_association`](crate::Repo::get_association).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let posts: Vec<Post> = repo.association(&user, User::POSTS).all().await?;
    /// assert_eq!(posts.len(), 3);
    /// assert!(user.posts().is_err(), "nothing is loaded");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn all(&self) -> Result<Vec<T>> {
        match self.whole() {
            Some(rows) => Ok(rows.into_iter().cloned().collect()),
            None => self.read(Query::new()).await,
        }
    }

    /// The members, each once, however often it is linked. Loaded: no statement. Otherwise 1 statement.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let group = Group::build().set(Group::NAME, "Weavers");
    /// let mut groups = repo.association(&mut user, User::GROUPS);
    /// let group = groups.create(group).await?;
    /// groups.push(&group).await?;
    /// assert_eq!((groups.all().await?.len(), groups.distinct().await?.len()), (2, 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn distinct(&self) -> Result<Vec<T>> {
        let mut rows = self.all().await?;
        let mut seen = std::collections::HashSet::new();
        rows.retain(|row| T::DEF.key_of(row).is_none_or(|key| seen.insert(key)));
        Ok(rows)
    }

    /// The number of members in the database, whatever is in memory or in a counter cache. Always 1 statement; none if the
    /// owner's key is `NULL`.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// posts.load().await?;
    /// let (count, statements) = repo.count_statements(posts.count()).await;
    /// assert_eq!((count?, statements), (3, 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn count(&self) -> Result<u64> {
        match self.own()? {
            OwnQuery::Nothing => Ok(0),
            OwnQuery::One(query) => self.handle.repo.count(*query).await,
            OwnQuery::Parts(_) => {
                let owner = self.owner().bare();
                let counts = self.handle.repo.count_for(&[owner], self.handle.association.preload()).await?;
                Ok(counts.first().copied().unwrap_or(0))
            }
        }
    }

    /// The number of members. Loaded, or counted by an active counter cache of the owner: no statement. Otherwise 1 statement.
    ///
    /// The counter is the one in the struct. It changes by the same difference as the one in the database, so a struct whose
    /// number is stale stays stale by as much until it is read again; [`count`](Self::count) always asks the database.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// #[derive(Model, Debug, Clone)]
    /// pub struct User {
    ///     pub id: i64,
    ///     #[column(counter_cache)]
    ///     pub posts_count: i64,
    ///     #[has_many]
    ///     pub posts: HasMany<Post>,
    /// }
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub user_id: i64,
    ///     #[belongs_to(counter_cache)]
    ///     pub user: BelongsTo<User>,
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let mut user = repo.insert(User::build()).await?;
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// posts.push(Post::build()).await?;
    /// let (size, statements) = repo.count_statements(posts.size()).await;
    /// assert_eq!((size?, statements), (1, 0));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn size(&self) -> Result<u64> {
        match self.known_number() {
            Some(number) => Ok(number),
            None => self.count().await,
        }
    }

    // The number of members, if no statement is needed to know it.
    fn known_number(&self) -> Option<u64> {
        self.whole().map(|rows| rows.len() as u64).or_else(|| self.counted())
    }

    /// Whether there are no members. Loaded, or counted by an active counter cache of the owner: no statement. Otherwise 1
    /// statement, which reads at most one row.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert!(!repo.association(&user, User::POSTS).is_empty().await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn is_empty(&self) -> Result<bool> {
        Ok(!self.any().await?)
    }

    /// Whether there is no member: [`is_empty`](Self::is_empty).
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert!(repo.association(&user, User::GROUPS).none().await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn none(&self) -> Result<bool> {
        self.is_empty().await
    }

    /// Whether there is any member. Loaded, or counted by an active counter cache of the owner: no statement. Otherwise 1
    /// statement, which reads at most one row.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert!(repo.association(&user, User::POSTS).any().await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn any(&self) -> Result<bool> {
        match self.known_number() {
            Some(number) => Ok(number > 0),
            None => self.exists(Filter::all_of([])).await,
        }
    }

    /// Whether there is exactly one member. Loaded, or counted by an active counter cache of the owner: no statement. Otherwise
    /// 1 statement, which counts at most two rows.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert!(!repo.association(&user, User::POSTS).one().await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn one(&self) -> Result<bool> {
        Ok(self.up_to(2).await? == 1)
    }

    /// Whether there is more than one member. Loaded, or counted by an active counter cache of the owner: no statement.
    /// Otherwise 1 statement, which counts at most two rows.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let (many, statements) = repo.count_statements(repo.association(&user, User::POSTS).many()).await;
    /// assert_eq!((many?, statements), (true, 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn many(&self) -> Result<bool> {
        Ok(self.up_to(2).await? > 1)
    }

    // The number of members, of which no more than `most` are counted.
    async fn up_to(&self, most: u64) -> Result<u64> {
        if let Some(number) = self.known_number() {
            return Ok(number.min(most));
        }
        match self.own()? {
            OwnQuery::One(query) => self.handle.repo.count(query.at_most(most)).await,
            _ => Ok(self.count().await?.min(most)),
        }
    }

    /// Whether a member satisfies a condition. Always 1 statement, which reads at most one row; none if the owner's key is
    /// `NULL`. Of an association with a limit, an offset or groups 2 statements: one reads which rows are members.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let posts = repo.association(&user, User::POSTS);
    /// assert!(posts.exists(Post::STARS.gt(4)).await?);
    /// assert!(!posts.exists(Post::TITLE.eq("Letters")).await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn exists(&self, filter: Filter<T>) -> Result<bool> {
        if !filter.clone().into_expr().is_always()
            && let Some(query) = self.own_choice()?
        {
            return Ok(!self.chosen(query, filter, false).await?.is_empty());
        }
        match self.own()? {
            OwnQuery::Nothing => Ok(false),
            OwnQuery::One(query) => self.handle.repo.exists(query.closed().filter(filter)).await,
            OwnQuery::Parts(query) => Ok(!self.read(query.filter(filter)).await?.is_empty()),
        }
    }

    /// Columns and aggregates of the members in place of models, in the association's order: [`Repo::pluck`](crate::Repo::pluck).
    /// Always 1 statement; none if the owner's key is `NULL`.
    ///
    /// # Errors
    /// As [`query`](Self::query) and [`Repo::pluck`](crate::Repo::pluck).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let posts = repo.association(&user, User::POSTS).pluck((Post::ID, Post::TITLE)).await?;
    /// assert_eq!(posts[1], (2, "Engines".to_owned()));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn pluck<C: Columns<T>>(&self, columns: C) -> BoxFuture<'_, Result<Vec<C::Row>>> {
        let operands = columns.operands();
        Box::pin(async move {
            match self.own()? {
                OwnQuery::Nothing => Ok(Vec::new()),
                OwnQuery::One(query) => self.handle.repo.pluck_operands(operands, of_columns(*query), C::decode).await,
                OwnQuery::Parts(_) => Err(self.read_by_parts()),
            }
        })
    }

    /// An aggregate over the members: [`Repo::aggregate`](crate::Repo::aggregate). Always 1 statement; none if the owner's key
    /// is `NULL`.
    ///
    /// # Errors
    /// As [`query`](Self::query) and [`Repo::aggregate`](crate::Repo::aggregate).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let titles = repo.association(&user, User::POSTS).aggregate(Post::TITLE.count_distinct()).await?;
    /// assert_eq!(titles, 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn aggregate<Out: ColumnType>(&self, aggregate: Aggregate<T, Out>) -> BoxFuture<'_, Result<Out>> {
        Box::pin(async move {
            match self.own()? {
                OwnQuery::Nothing => {
                    let operand = aggregate.into_operand();
                    let counts = matches!(&operand, Operand::Aggregate { function: AggregateFunction::Count, .. });
                    let mut of_no_rows = if counts { Value::Int(0) } else { Value::Null };
                    Out::from_value(&mut of_no_rows).map_err(|mismatch| mismatch.at(T::DEF.name, operand.shown()))
                }
                OwnQuery::One(query) => self.handle.repo.aggregate(aggregate, of_columns(*query)).await,
                OwnQuery::Parts(_) => Err(self.read_by_parts()),
            }
        })
    }

    /// The sum of a column over the members, or `None` if there are none. Always 1 statement.
    ///
    /// # Errors
    /// As [`aggregate`](Self::aggregate).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert_eq!(repo.association(&user, User::POSTS).sum(Post::STARS).await?, Some(8));
    /// assert_eq!(repo.association(&user, User::GROUPS).sum(Group::ID).await?, None);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn sum<V: Summable>(&self, column: Column<T, V>) -> BoxFuture<'_, Result<V::Sum>> {
        self.aggregate(column.sum())
    }

    /// The mean of a column over the members, or `None` if there are none. Always 1 statement.
    ///
    /// # Errors
    /// As [`aggregate`](Self::aggregate).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mean = repo.association(&user, User::POSTS).avg(Post::STARS).await?.expect("posts");
    /// assert!(mean > 2.6 && mean < 2.7);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn avg<V: Summable>(&self, column: Column<T, V>) -> BoxFuture<'_, Result<V::Mean>> {
        self.aggregate(column.avg())
    }

    /// The smallest value of a column among the members, or `None` if there are none. Always 1 statement.
    ///
    /// # Errors
    /// As [`aggregate`](Self::aggregate).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert_eq!(repo.association(&user, User::POSTS).min(Post::STARS).await?, Some(0));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn min<V: MaybeNull + ColumnType>(&self, column: Column<T, V>) -> BoxFuture<'_, Result<V::Nullable>> {
        self.aggregate(column.min())
    }

    /// The largest value of a column among the members, or `None` if there are none. Always 1 statement.
    ///
    /// # Errors
    /// As [`aggregate`](Self::aggregate).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert_eq!(repo.association(&user, User::POSTS).max(Post::TITLE).await?, Some("Notes".to_owned()));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn max<V: MaybeNull + ColumnType>(&self, column: Column<T, V>) -> BoxFuture<'_, Result<V::Nullable>> {
        self.aggregate(column.max())
    }
}

/// A query that loads nothing beside the columns that are read.
pub(super) fn of_columns<T: Model>(mut query: Select<T>) -> Select<T> {
    query.parts.preloads.clear();
    query.parts.selected = None;
    query
}

fn nothing<T: Model>() -> Select<T> {
    let mut query = Query::new();
    query.parts.spec.filter = Expr::Any(Vec::new());
    query
}
