//! Where queries start: functions that each call the method of the same name on a query of all rows.

use std::marker::PhantomData;

use assoc_core::metadata::HasRowOrigin;
use assoc_core::{Filter, IntoPreload, IntoSort, Model};

use super::Select;
use super::parts::{QueryParts, SharedParts};
use crate::columns::Columns;

/// Where queries start: `Query::filter(User::NAME.eq("Ada"))`, `Query::preload(User::POSTS)`. Every function has the
/// same name as the [`Select`] method it calls.
#[derive(Debug)]
pub struct Query<M = ()>(PhantomData<fn() -> M>);

impl<M: Model> Query<M> {
    /// All rows of the model.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert_eq!(repo.all(Query::<Post>::new()).await?.len(), 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[allow(clippy::new_ret_no_self)] // `Query` is where queries begin; `Select` is their type.
    pub fn new() -> Select<M> {
        Select { parts: SharedParts::new(const { &QueryParts::new(M::DEF) }), model: PhantomData }
    }

    /// Rows that satisfy a condition: [`Select::filter`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::filter(Post::STARS.gt(0)).filter(Post::TITLE.like("L%"));
    /// assert_eq!(repo.all(query).await?.len(), 1); // both conditions
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn filter(filter: Filter<M>) -> Select<M> {
        Self::new().filter(filter)
    }

    /// Rows that satisfy a condition: [`Select::or_filter`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::or_filter(Post::STARS.eq(0)).or_filter(Post::TITLE.eq("Looms"));
    /// assert_eq!(repo.count(query).await?, 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn or_filter(filter: Filter<M>) -> Select<M> {
        Self::new().or_filter(filter)
    }

    /// Rows in an order: [`Select::order_by`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::order_by(Post::STARS.desc()).order_by(Post::TITLE.asc());
    /// assert_eq!(repo.all(query).await?[0].title, "Looms");
    ///
    /// let query = Query::order_by((Post::STARS.asc(), Post::TITLE.asc()));
    /// assert_eq!(repo.all(query).await?[0].title, "Notes");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn order_by(sort: impl IntoSort<M>) -> Select<M> {
        Self::new().order_by(sort)
    }

    /// The first rows only: [`Select::limit`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::order_by(Post::TITLE.asc()).limit(1);
    /// assert_eq!(repo.all(query).await?[0].title, "Engines");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn limit(limit: u64) -> Select<M> {
        Self::new().limit(limit)
    }

    /// All but the first rows: [`Select::offset`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::offset(2).order_by(Post::TITLE.asc());
    /// assert_eq!(repo.all(query).await?[0].title, "Notes");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn offset(offset: u64) -> Select<M> {
        Self::new().offset(offset)
    }

    /// Leaves out repeated rows: [`Select::distinct`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::distinct().join(User::POSTS);
    /// assert_eq!(repo.all(query).await?.len(), 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn distinct() -> Select<M> {
        Self::new().distinct()
    }

    /// Some columns only: [`Select::select`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::select((Post::ID, Post::TITLE, Post::STARS));
    /// assert_eq!(repo.all(query).await?[0].user_id, None); // not read
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn select(columns: impl Columns<M>) -> Select<M> {
        Self::new().select(columns)
    }

    /// One row per group: [`Select::group_by`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::group_by(Post::USER_ID);
    /// let counts = repo.pluck((Post::USER_ID, Post::ID.count()), query).await?;
    /// assert_eq!(counts, [(Some(1), 3)]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn group_by(columns: impl Columns<M>) -> Select<M> {
        Self::new().group_by(columns)
    }

    /// Groups that satisfy a condition: [`Select::having`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::having(Post::ID.count().gt(2)).group_by(Post::USER_ID);
    /// assert_eq!(repo.pluck(Post::USER_ID, query).await?, [Some(1)]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn having(filter: Filter<M>) -> Select<M> {
        Self::new().having(filter)
    }

    /// Rows that the repo refuses to save or delete: [`Select::readonly`].
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// #[derive(Model, Debug, Clone)]
    /// pub struct User {
    ///     pub id: i64,
    ///     pub origin: RowOrigin,
    /// }
    ///
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.insert(User::build()).await?;
    /// let user = repo.get_or_fail::<User>(1, Query::readonly()).await?;
    /// assert!(repo.delete(&user).await.unwrap_err().is_read_only());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn readonly() -> Select<M>
    where
        M: HasRowOrigin,
    {
        Self::new().readonly()
    }

    /// Rows regardless of the model's default scope: [`Select::unscoped`].
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(default_scope = published)]
    /// # pub struct Post {
    /// #     pub id: i64,
    /// #     pub draft: bool,
    /// # }
    /// # fn published(scope: Scope<Post>) -> Scope<Post> {
    /// #     scope.filter(Post::DRAFT.eq(false))
    /// # }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.insert_all([true, false].map(|draft| Post::build().set(Post::DRAFT, draft))).await?;
    /// assert_eq!(repo.count(Query::<Post>::unscoped()).await?, 2); // drafts, too
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn unscoped() -> Select<M> {
        Self::new().unscoped()
    }

    /// Begins a query with [`Select::preload`].
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let query = Query::preload(User::POSTS.order_by(Post::STARS.desc())).preload(User::ACCOUNT);
    /// let (users, statements) = repo.count_statements(repo.all(query)).await;
    /// assert_eq!((&*users?[0].posts()?[0].title, statements), ("Looms", 3));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn preload(preload: impl IntoPreload<M>) -> Select<M> {
        Self::new().preload(preload)
    }
}
