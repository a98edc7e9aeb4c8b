//! Reads: `get`, `all`, `one`, `count`, `exists`, `aggregate`, `pluck`, and raw SQL.
//!
//! They return boxed futures. The future of an `async fn` names the types of its arguments, and the compiler tells that one of them
//! is wrong wherever it meets the future: a wrong key of `get` would be three errors.

use std::any::TypeId;
use std::sync::Arc;

use assoc_core::driver::{Access, Bind, BoxFuture, Statement, StatementKind};
use assoc_core::execution::KeyTuple;
use assoc_core::execution::rows::{Rows, mark};
use assoc_core::metadata::{ModelDef, Operand, Strategy};
use assoc_core::planner::{CompiledQuery, Plan, Root};
use assoc_core::select::{RootSelect, RowLock};
use assoc_core::sql::SqlWriter;
use assoc_core::{Aggregate, ColumnType, Error, ErrorKind, Filter, Key, Model, Result, Selectable, Value};

use crate::carried::{Carried, TakeCarried, query_carrying};
use crate::columns::{Columns, Selected};
use crate::levels::LevelHandle;
use crate::preload;
use crate::primary_key_of::PrimaryKeyOf;
use crate::query::Select;
use crate::repo::Repo;
use crate::session::Session;
use crate::write::rows_of;

mod sinks;

pub(crate) use sinks::Named;
use sinks::OneRow;

impl Repo {
    /// The row with a primary key, or `None`. The query may add preloads and conditions; pass
    /// [`Query::new`](crate::Query::new) for the row alone. It costs 1 statement, and the statements of its preloads.
    ///
    /// # Errors
    /// When the model has no primary key, a row cannot be read, or the database fails.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// assert!(repo.get::<User>(1, Query::new()).await?.is_none());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn get<M: Model>(&self, key: impl PrimaryKeyOf<M>, query: Select<M>) -> BoxFuture<'_, Result<Option<M>>> {
        let key = key.into_primary_key();
        Box::pin(async move { self.row_with_key(&key, query).await })
    }

    // The row with a key, which satisfies a query.
    async fn row_with_key<M: Model>(&self, key: &M::Key, mut query: Select<M>) -> Result<Option<M>> {
        M::DEF.require_primary_key("`get`")?;
        let values = key_values(key);
        // A decimal key is compared in a special form, so its statement is not cached.
        let is_decimal = values.iter().any(|value| matches!(value, Value::Decimal(_)));
        if query.is_plain() && self.filters.is_none() && !is_decimal {
            let repo = self.in_database_of(M::DEF);
            let sql = repo.get_sql(TypeId::of::<M>(), || {
                let spec = RootSelect::new(M::DEF).with_key(vec![Value::Int(0); M::Key::WIDTH]);
                Ok(Arc::clone(spec.statement(repo.dialect())?.shared_sql()))
            })?;
            let binds = values.into_iter().map(Bind::Value).collect();
            let statement = Statement::new(sql, binds).of_kind(StatementKind::Select);
            let mut row = OneRow::<M>(None);
            let mut session = match repo.session_now(Access::Read) {
                Some(session) => session,
                None => repo.session(Access::Read).await?,
            };
            session.query(&statement, &mut row).await?;
            return Ok(row.0);
        }
        let spec = std::mem::replace(&mut query.parts.spec, RootSelect::new(M::DEF));
        query.parts.spec = spec.with_key(values);
        Ok(self.all(query).await?.into_iter().next())
    }

    /// The row with a primary key, which must exist. It costs what [`get`](Self::get) costs.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such row, and the errors of [`get`](Self::get).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::preload(Post::USER);
    /// let post = repo.get_or_fail::<Post>(1, query).await?; // 2 statements
    /// assert!(post.title == "Looms" && post.user()?.is_some());
    ///
    /// let error = repo.get_or_fail::<Post>(99, Query::new()).await.unwrap_err();
    /// assert!(error.is_not_found());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn get_or_fail<M: Model>(&self, key: impl PrimaryKeyOf<M>, query: Select<M>) -> BoxFuture<'_, Result<M>> {
        let key = key.into_primary_key();
        Box::pin(async move {
            match self.row_with_key(&key, query).await? {
                Some(row) => Ok(row),
                None => Err(ErrorKind::NotFound { model: M::DEF.name, key: show_key(&key) }.into()),
            }
        })
    }

    /// The first row, by primary key, that satisfies a condition, or `None`. It costs 1 statement, and the statements
    /// of its preloads.
    ///
    /// # Errors
    /// When the query cannot run, a row cannot be read, or the database fails.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let post = repo.get_by(Post::TITLE.eq("Notes"), Query::new()).await?;
    /// assert_eq!(post.map(|post| post.stars), Some(0));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn get_by<M: Model>(&self, filter: Filter<M>, query: Select<M>) -> BoxFuture<'_, Result<Option<M>>> {
        Box::pin(async move { Ok(self.all(query.filter(filter).at_most(1)).await?.into_iter().next()) })
    }

    /// The only row of a query, or `None`. It costs 1 statement, and the statements of its preloads.
    ///
    /// # Errors
    /// [`ErrorKind::NotUnique`] if there are several rows, and the errors of [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// assert!(repo.one(Query::filter(Post::STARS.eq(5))).await?.is_some());
    /// let error = repo.one(Query::filter(Post::STARS.gt(0))).await.unwrap_err();
    /// assert!(matches!(error.kind(), ErrorKind::NotUnique { .. }));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn one<M: Model>(&self, query: Select<M>) -> BoxFuture<'_, Result<Option<M>>> {
        Box::pin(async move {
            let mut rows = self.all(query.at_most(2)).await?.into_iter();
            match (rows.next(), rows.next()) {
                (first, None) => Ok(first),
                _ => Err(ErrorKind::NotUnique { model: M::DEF.name }.into()),
            }
        })
    }

    /// The rows of a query, with its preloads. It costs 1 statement, and one more per association and level.
    ///
    /// # Errors
    /// When the query cannot run (before any SQL), a row cannot be read, or the database fails.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let query = Query::order_by(Post::STARS.desc()).preload(Post::USER);
    /// let (posts, statements) = repo.count_statements(repo.all(query)).await;
    /// assert_eq!(posts?[0].title, "Looms");
    /// assert_eq!(statements, 2); // the posts, and their users
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn all<M: Model>(&self, query: Select<M>) -> BoxFuture<'_, Result<Vec<M>>> {
        Box::pin(async move { self.all_carrying(query, &mut Carried::default()).await })
    }

    /// As [`all`](Self::all), with the values that the query carries beside the last row.
    pub(crate) async fn all_carrying<M: Model>(
        &self,
        query: Select<M>,
        carried: &mut dyn TakeCarried,
    ) -> Result<Vec<M>> {
        let (limit, origin) = (query.parts.most_statements, query.parts.origin);
        let repo = self.in_database_of(M::DEF);
        repo.require_lockable(query.parts.spec.lock)?;
        let compiled = query.into_request().compile(&repo.context())?;
        let statement = compiled.statement(repo.dialect())?;
        let mut session = repo.reading(limit).await?;
        let mut rows = Vec::new();
        if compiled.plan.is_none() {
            query_carrying(&mut session, &statement, &mut rows, compiled.select.carried.len(), carried).await?;
        } else {
            // Boxed, so that a read without associations does not carry the state of one with associations. It knows no
            // model, so that it is compiled once.
            let all: BoxFuture<'_, _> = Box::pin(repo.all_with_plan(M::DEF, session, compiled, statement, carried));
            rows = rows_of(all.await?);
        }
        if origin.is_read_only() {
            mark(&mut rows, origin);
        }
        Ok(rows)
    }

    async fn all_with_plan(
        &self,
        model: &'static ModelDef,
        mut session: Session<'_>,
        compiled: CompiledQuery,
        statement: Statement,
        carried: &mut dyn TakeCarried,
    ) -> Result<Box<dyn Rows>> {
        let CompiledQuery { select, plan: Some(plan), load } = compiled else { return Ok(model.rows.new_rows()) };
        let mut work = async |session: &mut Session<'_>| match &load {
            Some(load) => preload::load_joined(session, &plan, load, &select, &statement, carried).await,
            None => {
                let mut rows = model.rows.new_rows();
                query_carrying(session, &statement, &mut *rows, select.carried.len(), carried).await?;
                preload::load_fetched(session, &plan, rows).await
            }
        };
        // A single statement is a snapshot by itself.
        let loads_nothing = plan.steps().is_empty() && plan.aggregates().is_empty();
        let rows = if loads_nothing && plan.deferred().is_empty() {
            work(&mut session).await
        } else {
            in_snapshot(&mut session, work).await
        };
        rows.map_err(|error| with_plan(self, error, &plan, Some(statement.sql())))
    }

    /// The number of rows of a query. It costs 1 statement.
    ///
    /// # Errors
    /// When the query cannot run or the database fails.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// assert_eq!(repo.count(Query::filter(Post::STARS.gt(0))).await?, 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn count<M: Model>(&self, query: Select<M>) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            query.refuse_lock("count")?;
            let repo = self.in_database_of(M::DEF);
            let limit = query.parts.most_statements;
            let spec = query.into_request().compile(&repo.context())?.of_roots();
            let count: i64 = repo.scalar(&spec.count_statement(repo.dialect())?, limit).await?.unwrap_or(0);
            // A count is not negative.
            Ok(count.unsigned_abs())
        })
    }

    /// Whether a query has any row. It costs 1 statement, which reads at most one row.
    ///
    /// # Errors
    /// When the query cannot run or the database fails.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// assert!(repo.exists(Query::filter(Post::TITLE.eq("Looms"))).await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn exists<M: Model>(&self, query: Select<M>) -> BoxFuture<'_, Result<bool>> {
        Box::pin(async move {
            query.refuse_lock("exists")?;
            let repo = self.in_database_of(M::DEF);
            let limit = query.parts.most_statements;
            let spec = query.into_request().compile(&repo.context())?.of_roots();
            let found: Option<i64> = repo.scalar(&spec.exists_statement(repo.dialect())?, limit).await?;
            Ok(found.is_some())
        })
    }

    /// An aggregate over the rows of a query: `User::AGE.max()`, `User::AGE.avg()`. If the query loads associations by
    /// a join, each of its rows counts once. It costs 1 statement.
    ///
    /// # Errors
    /// When the query cannot run, the aggregate is of a joined column and the query has no joined rows (it is distinct, or
    /// loads by a join), the value does not fit, or the database fails.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub age: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// assert_eq!(repo.aggregate(User::AGE.max(), Query::new()).await?, None);
    /// repo.insert(User::build().set(User::AGE, 36)).await?;
    /// assert_eq!(repo.aggregate(User::AGE.max(), Query::new()).await?, Some(36));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn aggregate<M: Model, Out: ColumnType>(
        &self,
        aggregate: Aggregate<M, Out>,
        query: Select<M>,
    ) -> BoxFuture<'_, Result<Out>> {
        Box::pin(async move {
            query.refuse_lock("aggregate")?;
            let repo = self.in_database_of(M::DEF);
            let limit = query.parts.most_statements;
            let aggregate = aggregate.into_selected();
            let mut of_joined = false;
            aggregate.visit_path(&[], &mut |path| of_joined |= !path.is_empty());
            if of_joined && query.parts.preloads.iter().any(|request| request.strategy != Strategy::Keyed) {
                let message = "an aggregate of a joined column is over joined rows, and a query that loads associations by a \
                           join is over its own: use `join` or `left_join` instead of `eager_load` or `includes`";
                return Err(Error::invalid_query(M::DEF.name, message));
            }
            let spec = query.into_request().compile(&repo.context())?.of_roots();
            if !spec.group.is_empty() || !spec.having.is_always() {
                let message = "`aggregate` gives one value: a grouped query is read with `repo.pluck`";
                return Err(Error::invalid_query(M::DEF.name, message));
            }
            if let (Some(operands), Operand::Aggregate { column: Some(column), .. }) = (&spec.operands, &aggregate)
                && !operands.contains(&Operand::Column(column.clone()))
            {
                let message =
                    format!("an aggregate of `{}`, which the distinct query does not select: add it", column.name);
                return Err(Error::invalid_query(M::DEF.name, message));
            }
            let statement = spec.aggregate_statement(repo.dialect(), &aggregate)?;
            let mut found = None;
            let mut sink = |values: &mut [Value<'_>]| {
                let value = values.first_mut().map_or(Ok(None), |value| Out::from_value(value).map(Some));
                found = value.map_err(|mismatch| mismatch.at(M::DEF.name, aggregate.shown()))?;
                Ok(())
            };
            repo.reading(limit).await?.query(&statement, &mut sink).await?;
            found
                .ok_or_else(|| Error::invalid_query(M::DEF.name, "the aggregate returned no row: it cannot be grouped"))
        })
    }

    /// Columns and aggregates of a query's rows in place of models, in the order of [`all`](Self::all). Aggregates without
    /// [`group_by`](Select::group_by) are one row. It costs 1 statement.
    ///
    /// # Errors
    /// When the query cannot run or has preloads, a group has several values of a column ([`ErrorKind::NotGrouped`]), a value does not fit, or the database fails.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub age: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// let users_by_age: Vec<(i64, i64)> =
    ///     repo.pluck((User::AGE, User::ID.count()), Query::group_by(User::AGE)).await?;
    /// # assert!(users_by_age.is_empty());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn pluck<M: Model, C: Columns<M>>(&self, columns: C, query: Select<M>) -> BoxFuture<'_, Result<Vec<C::Row>>> {
        Box::pin(self.pluck_operands(columns.operands(), query, C::decode))
    }

    /// The rows of some operands, each made by `decode`.
    pub(crate) async fn pluck_operands<M: Model, R: Send>(
        &self,
        operands: Vec<Operand>,
        query: Select<M>,
        decode: fn(&mut [Value<'_>], &Selected) -> Result<R>,
    ) -> Result<Vec<R>> {
        if !query.parts.preloads.is_empty() || query.parts.selected.is_some() {
            let message = "`pluck` reads the columns it is given: the query may have neither preloads nor `select`";
            return Err(Error::invalid_query(M::DEF.name, message));
        }
        let repo = self.in_database_of(M::DEF);
        repo.require_lockable(query.parts.spec.lock)?;
        let limit = query.parts.most_statements;
        let spec = query.into_request().compile_rows(&repo.context())?;
        if spec.distinct && !spec.order.iter().all(|term| operands.contains(&term.operand)) {
            let message =
                "distinct values can only be sorted by what is selected: add the column, or leave out the order";
            return Err(Error::invalid_query(M::DEF.name, message));
        }
        // The same rows in the same order as `all`, unless distinct or aggregates change the rows. Groups have an order too.
        let plain = !spec.distinct && (!spec.group.is_empty() || !operands.iter().any(Operand::is_aggregate));
        let spec = if plain { spec.with_total_order() } else { spec };
        let selected = Selected::new(M::DEF.name, operands.clone());
        let spec = RootSelect { operands: Some(operands), ..spec };
        let statement = spec.statement(repo.dialect())?;
        let mut rows = Vec::new();
        let mut sink = |values: &mut [Value<'_>]| {
            rows.push(decode(values, &selected)?);
            Ok(())
        };
        repo.reading(limit).await?.query(&statement, &mut sink).await?;
        Ok(rows)
    }

    /// Models from hand-written SQL, which must select exactly their columns, in their order. The repo checks the
    /// names, so `SELECT *` from a table with another order is an error. Each `?` takes a bind. It costs 1 statement.
    ///
    /// # Errors
    /// When the numbers of `?` and binds differ, the statement selects other columns or another order
    /// ([`ErrorKind::ColumnNames`]), a value does not fit its field, or the database fails.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let sql = "SELECT id, user_id, title, stars FROM posts WHERE stars > ?";
    /// let posts = repo.query_raw::<Post>(sql, [Value::Int(3)]).await?;
    /// assert_eq!(posts[0].title, "Looms");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn query_raw<M: Model>(
        &self,
        sql: &str,
        binds: impl IntoIterator<Item = Value<'static>>,
    ) -> BoxFuture<'_, Result<Vec<M>>> {
        let repo = self.in_database_of(M::DEF);
        let statement = self.refuse_transaction_control(sql).and_then(|()| repo.raw_statement(sql, binds));
        Box::pin(async move {
            let statement = statement?;
            let mut rows = Named { model: M::DEF, rows: Vec::<M>::new() };
            // Nothing says that the text only reads. In a transaction for reading the database finds out.
            let reads = repo.transaction.as_ref().is_some_and(LevelHandle::is_read_only);
            let access = if reads { Access::Read } else { Access::Write };
            let mut session = repo.session(access).await?;
            if access == Access::Write {
                session.note_raw();
            }
            session.query(&statement, &mut rows).await?;
            Ok(rows.rows)
        })
    }

    pub(crate) fn raw_statement(
        &self,
        sql: &str,
        binds: impl IntoIterator<Item = Value<'static>>,
    ) -> Result<Statement> {
        let mut writer = SqlWriter::of_kind(self.dialect(), StatementKind::Raw);
        writer.raw_statement(sql, &binds.into_iter().collect::<Vec<_>>())?;
        writer.finish_within_limit()
    }

    /// Shows what running a query would do: the tree of associations and every statement. It runs no statement.
    ///
    /// # Errors
    /// When the query cannot run, with the same error that running it gives before any SQL.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # let repo = Repo::new(Sqlite::memory().unwrap());
    /// println!("{}", repo.explain(&Query::preload(User::POSTS)).unwrap());
    /// ```
    pub fn explain<M: Model>(&self, query: &Select<M>) -> Result<String> {
        let repo = self.in_database_of(M::DEF);
        let compiled = query.clone().into_request().compile(&repo.context())?;
        let statement = compiled.statement(repo.dialect())?;
        let plan = match compiled.plan {
            Some(plan) => plan,
            None => Plan::new(M::DEF, Root::Fetched, Vec::new())?,
        };
        plan.explain_at(&|model| self.repo_for(model).dialect(), Some(statement.sql()))
    }

    // Locks last until the end of a transaction that may write.
    fn require_lockable(&self, lock: Option<RowLock>) -> Result<()> {
        let message = match (&self.transaction, lock) {
            (_, None) => return Ok(()),
            (None, Some(_)) => {
                "rows are locked until it ends, so there must be one: run the query on the handle (`tx`) of `repo.transaction`"
            }
            (Some(handle), Some(_)) if handle.is_read_only() => {
                "it was begun for reading only, and rows are locked to be written: lock them in another"
            }
            (Some(_), Some(_)) => return Ok(()),
        };
        Err(ErrorKind::Transaction(message).into())
    }

    // A connection for a query, which may limit its statements itself.
    pub(crate) async fn reading(&self, limit: Option<usize>) -> Result<Session<'_>> {
        let mut session = self.session(Access::Read).await?;
        if limit.is_some() {
            session.limit_statements(limit);
        }
        Ok(session)
    }

    async fn scalar<V: ColumnType>(&self, statement: &Statement, limit: Option<usize>) -> Result<Option<V>> {
        let mut found = None;
        let mut sink = |values: &mut [Value<'_>]| {
            if let Some(value) = values.first_mut() {
                found = Some(V::from_value(value).map_err(|mismatch| mismatch.at("query", "value"))?);
            }
            Ok(())
        };
        self.reading(limit).await?.query(statement, &mut sink).await?;
        Ok(found)
    }
}

/// The values of a typed key.
pub(crate) fn key_values<K: Key>(key: &K) -> Vec<Value<'static>> {
    let mut values = Vec::with_capacity(K::WIDTH);
    key.push_values(&mut values);
    values
}

fn show_key(key: &impl Key) -> String {
    KeyTuple::new(key_values(key)).map_or_else(|| "NULL".to_owned(), |key| key.to_string())
}

// Adds the planned statements to an error about their number.
pub(crate) fn with_plan(repo: &Repo, error: Error, plan: &Plan, root_sql: Option<&str>) -> Error {
    match error.kind() {
        ErrorKind::TooManyStatements { limit, .. } => {
            match plan.explain_at(&|at| repo.repo_for(at).dialect(), root_sql) {
                Ok(plan) => ErrorKind::TooManyStatements { limit: *limit, plan }.into(),
                Err(_) => error,
            }
        }
        _ => error,
    }
}

/// Runs several statements against one state of the database, where a snapshot is free.
pub(crate) async fn in_snapshot<T>(
    session: &mut Session<'_>,
    work: impl AsyncFnOnce(&mut Session<'_>) -> Result<T>,
) -> Result<T> {
    session.begin_snapshot().await?;
    let result = work(session).await;
    session.finish(result).await
}
