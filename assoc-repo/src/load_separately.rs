//! Rows beside their owners: the repo loads and counts them without storing them, so one association can be loaded in
//! several forms at once.

use assoc_core::driver::{Access, BoxFuture};
use assoc_core::metadata::Request;
use assoc_core::planner::{AggregateSource, AggregateStep};
use assoc_core::{Aggregate, ColumnType, Error, IntoPreload, Model, Preload, Result};

use crate::get_association::targets_in;
use crate::preload::aggregates::{self, Computed};
use crate::preload::{Existing, ExistingRows};
use crate::read::in_snapshot;
use crate::repo::Repo;

impl Repo {
    /// The targets of an association of several owners: one list per owner, in the owners' order. The owners are not
    /// changed. It costs what preloading the association costs.
    ///
    /// # Errors
    /// As [`Repo::preload`].
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub published: bool }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let users = repo.all(Query::<User>::new()).await?;
    /// let published = repo.load_separately(&users, User::POSTS.filter(Post::PUBLISHED.eq(true))).await?;
    /// let latest = repo.load_separately(&users, User::POSTS.order_by(Post::ID.desc()).limit(3)).await?;
    /// assert_eq!((published.len(), latest.len()), (users.len(), users.len()));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn load_separately<'a, O: Model, T: Model>(
        &'a self,
        owners: &'a [O],
        preload: impl Into<Preload<O, T>>,
    ) -> BoxFuture<'a, Result<Vec<Vec<T>>>> {
        let requests = preload.into().into_requests();
        Box::pin(async move {
            let [request]: [Request; 1] = requests
                .try_into()
                .map_err(|_| Error::invalid_query(O::DEF.name, "`load` reads one association at a time"))?;
            let association = request.association;
            let mut copies = Vec::with_capacity(owners.len());
            for owner in owners {
                copies.push(owner.bare());
            }
            self.preload_rows(&mut copies, vec![request]).await?;
            let mut targets = Vec::with_capacity(copies.len());
            for copy in &copies {
                targets.push(targets_in(association, copy));
            }
            Ok(targets)
        })
    }

    /// The number of targets of an association for each of several owners, in their order. It costs 1 grouped
    /// statement, which joins the tables of a through association. If only loading says which rows count (a scope that
    /// depends on the owner, several target models, a part that limits its rows), it costs what loading costs. For
    /// hand-written SQL it costs one statement per distinct SQL.
    ///
    /// To put counts into a field of the owners, also below other preloads, see
    /// [`count_into`](assoc_core::Preload::count_into).
    ///
    /// # Errors
    /// As [`Repo::preload`].
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub published: bool }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let users = repo.all(Query::<User>::new()).await?;
    /// let published = repo.count_for(&users, User::POSTS.filter(Post::PUBLISHED.eq(true))).await?;
    /// assert_eq!(published.len(), users.len());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn count_for<'a, O: Model, T: Model>(
        &'a self,
        owners: &'a [O],
        preload: impl Into<Preload<O, T>>,
    ) -> BoxFuture<'a, Result<Vec<u64>>> {
        let counts = self.aggregate_for(owners, preload, Aggregate::count_all());
        Box::pin(async move {
            let counts = counts.await?;
            // A count is not negative.
            Ok(counts.into_iter().map(i64::unsigned_abs).collect())
        })
    }

    /// An aggregate over the targets of an association for each of several owners, in their order. Of an owner without
    /// targets a count is 0, and any other aggregate `None`. It costs what [`count_for`](Self::count_for) costs.
    ///
    /// To put the values into a field of the owners, also below other preloads, see
    /// [`aggregate_into`](assoc_core::Preload::aggregate_into).
    ///
    /// # Errors
    /// As [`Repo::preload`]. Also when a value does not fit, the aggregate is of a joined column, or rows that have to be
    /// loaded would be compared as text, which only the database does.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub orders: HasMany<Order> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Order { pub id: i64, pub user_id: i64, pub cents: i32 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Order>().await?;
    /// let users = repo.insert_all([User::build(), User::build()]).await?;
    /// repo.insert(Order::build().set(Order::USER_ID, users[0].id).set(Order::CENTS, 950)).await?;
    /// assert_eq!(repo.aggregate_for(&users, User::ORDERS, Order::CENTS.sum()).await?, [Some(950), None]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn aggregate_for<'a, O: Model, T: Model, Out: ColumnType>(
        &'a self,
        owners: &'a [O],
        preload: impl Into<Preload<O, T>>,
        aggregate: Aggregate<T, Out>,
    ) -> BoxFuture<'a, Result<Vec<Out>>> {
        let preload = preload.into();
        Box::pin(async move {
            let operand = aggregate.into_operand();
            let name = operand.shown();
            let step = self.context().aggregate_step(preload.request().clone(), operand)?;
            if owners.is_empty() {
                return Ok(Vec::new());
            }
            let owners_held = ExistingRows::Lent(owners);
            // Boxed and without a model, so that it is compiled once.
            let computed: BoxFuture<'_, _> = Box::pin(self.computed(&step, &owners_held));
            let computed = computed.await?;
            let value = |owner: usize| {
                Out::from_value(&mut computed.value(owner, 0))
                    .map_err(|mismatch| mismatch.at(T::DEF.name, name.clone()))
            };
            (0..owners.len()).map(value).collect::<Result<_, _>>()
        })
    }

    async fn computed(&self, step: &AggregateStep, owners: &(dyn Existing + '_)) -> Result<Computed> {
        let repo = self.in_database_of((step.association.target)());
        let mut session = repo.session(Access::Read).await?;
        match step.source {
            AggregateSource::ByKey { .. } | AggregateSource::JoinChain { .. } => {
                aggregates::compute(&mut session, step, owners).await
            }
            AggregateSource::CustomSql { .. } | AggregateSource::Rows(_) => {
                in_snapshot(&mut session, async |session| aggregates::compute(session, step, owners).await).await
            }
        }
    }
}
