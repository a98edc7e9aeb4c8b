//! Queries that join associations: to filter and sort by their columns, and to load them with the same statement.

use assoc_core::joins::{JoinKind, RawJoin};

use assoc_core::metadata::{Request, Strategy};
use assoc_core::{IntoPreload, Model, Value};

use crate::query::{Query, Select};

impl<M: Model> Query<M> {
    /// Rows that have a target: [`Select::join`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::join(User::POSTS).filter(User::POSTS.joined(Post::STARS.gt(0)));
    /// assert_eq!(repo.all(query).await?.len(), 2); // the user once for each post
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn join(associations: impl IntoPreload<M>) -> Select<M> {
        Self::new().join(associations)
    }

    /// Rows with the targets they have: [`Select::left_join`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let title = User::POSTS.joined(Post::TITLE).optional();
    /// let query = Query::left_join(User::POSTS).order_by(User::POSTS.joined(Post::TITLE).asc());
    /// assert_eq!(repo.pluck(title, query).await?[0].as_deref(), Some("Engines"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn left_join(associations: impl IntoPreload<M>) -> Select<M> {
        Self::new().left_join(associations)
    }

    /// Begins a query with [`Select::raw_join`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let on = "INNER JOIN posts ON posts.user_id = users.id AND posts.stars > ?";
    /// assert_eq!(repo.count(Query::<User>::raw_join(on, [Value::Int(3)])).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn raw_join(sql: impl Into<String>, binds: impl IntoIterator<Item = Value<'static>>) -> Select<M> {
        Self::new().raw_join(sql, binds)
    }

    /// Begins a query with [`Select::eager_load`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let (users, statements) = repo.count_statements(repo.all(Query::eager_load(User::POSTS))).await;
    /// assert_eq!((users?[0].posts()?.len(), statements), (3, 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn eager_load(associations: impl IntoPreload<M>) -> Select<M> {
        Self::new().eager_load(associations)
    }

    /// Begins a query with [`Select::includes`].
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let (users, statements) = repo.count_statements(repo.all(Query::includes(User::POSTS))).await;
    /// assert_eq!((users?[0].posts()?.len(), statements), (3, 2)); // by key: nothing needs the join
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn includes(associations: impl IntoPreload<M>) -> Select<M> {
        Self::new().includes(associations)
    }
}

impl<M: Model> Select<M> {
    /// Joins associations, so that conditions and orders can name their columns
    /// ([`joined`](assoc_core::Association::joined)). This loads no association. Rows without a target are left out.
    /// Rows with several targets are repeated, unless the query is [`distinct`](Self::distinct). To select rows by
    /// whether they have a target, use [`any`](assoc_core::Association::any), which repeats nothing.
    ///
    /// A join uses the rows that satisfy the association's condition, and the limited rows of a `has_one` or of an
    /// association with a limit. It ignores the limit of a through association. Joining the same association twice
    /// joins it once. It costs no further statement.
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
    /// let titles = User::POSTS.joined(Post::TITLE);
    /// let query = Query::join(User::POSTS).filter(User::POSTS.joined(Post::TITLE.like("A%"))).order_by(titles.asc());
    /// let users: Vec<User> = repo.all(query).await?;
    /// # assert!(users.is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn join(mut self, associations: impl IntoPreload<M>) -> Self {
        self.add_joins(JoinKind::Inner, associations.into_requests());
        self
    }

    /// As [`join`](Self::join), but rows without a target stay: the target's columns are `NULL` then.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let number = User::ACCOUNT.joined(Account::NUMBER).optional();
    /// let numbers = repo.pluck(number, Query::left_join(User::ACCOUNT)).await?;
    /// assert_eq!(numbers, [Some("1".to_owned())]); // `None` for a user without one
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn left_join(mut self, associations: impl IntoPreload<M>) -> Self {
        self.add_joins(JoinKind::Left, associations.into_requests());
        self
    }

    /// Adds a hand-written join after all joins by association: `INNER JOIN visits ON visits.user_id = users.id`. Each
    /// `?` takes a bind. Its table names count as taken: an association over one of these tables gets another name,
    /// which [`explain`](Self::explain) shows. Associations that the same statement loads are partial, because the join
    /// may leave out some of their rows.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let on = "INNER JOIN posts ON posts.user_id = users.id AND posts.stars > ?";
    /// let query = Query::<User>::new().raw_join(on, [Value::Int(3)]);
    /// assert_eq!(repo.count(query).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn raw_join(mut self, sql: impl Into<String>, binds: impl IntoIterator<Item = Value<'static>>) -> Self {
        self.parts.raw_joins.push(RawJoin { sql: sql.into(), binds: binds.into_iter().collect() });
        self
    }

    /// Loads associations to any depth with the rows, by one statement that joins them. It is for conditions and orders
    /// that name their columns. It loads what [`preload`](Self::preload) loads, in the same order, unless a condition
    /// of the query names a column of the association. Then it loads the rows that satisfy the condition, and the
    /// association is partial. An association that is also [joined](Self::join) leaves out rows without a target.
    ///
    /// Every joined collection repeats the rows of the others, so `preload` is faster where no condition or order names
    /// the association. [`limit`](Self::limit) still counts rows of this model.
    ///
    /// It costs 1 statement in all, also with a limit. Polymorphic associations, scopes that depend on the owner,
    /// groups, `finder_sql` and `load_with` cannot be joined; they are an error before any SQL.
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
    /// # let ada = repo.insert(User::build()).await?;
    /// # repo.insert_all(["On engines", "A letter"].map(|title| Post::build().set(Post::USER_ID, ada.id).set(Post::TITLE, title))).await?;
    /// let query = Query::eager_load(User::POSTS).filter(User::POSTS.joined(Post::TITLE.like("A%")));
    /// let users: Vec<User> = repo.all(query).await?;
    /// assert_eq!(users[0].posts()?.len(), 1);
    /// assert!(users[0].posts.is_partial());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn eager_load(self, associations: impl IntoPreload<M>) -> Self {
        self.load(associations, Strategy::Joined)
    }

    /// Loads associations with the rows, each by the better kind of statement. An association is joined, as
    /// [`eager_load`](Self::eager_load) does, if a condition or order names it or the query joins it. Otherwise it is
    /// loaded by key, as [`preload`](Self::preload) does. [`explain`](Self::explain) shows which.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// // By join, because the condition reaches into the posts: 1 statement.
    /// let good = User::POSTS.joined(Post::STARS.gt(3));
    /// let users = repo.all(Query::includes(User::POSTS).filter(good)).await?;
    /// assert_eq!(users[0].posts()?.len(), 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn includes(self, associations: impl IntoPreload<M>) -> Self {
        self.load(associations, Strategy::Auto)
    }

    fn load(mut self, associations: impl IntoPreload<M>, strategy: Strategy) -> Self {
        for request in associations.into_requests() {
            self.parts.preloads.push(request.with_strategy(strategy));
        }
        self
    }
}

impl<M> Select<M> {
    fn add_joins(&mut self, kind: JoinKind, requests: Vec<Request>) {
        for request in requests {
            self.parts.joins.push((kind, request));
        }
    }
}
