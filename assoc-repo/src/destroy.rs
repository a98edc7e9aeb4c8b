//! Destroying rows with what depends on them. [`DestroyPlan`] says what that is; here it is run. Nothing below the calls
//! is generic, so that models share the code.
//!
//! One transaction, in two phases: `explore.rs` reads which rows go and whether any refuse, `remove.rs` writes. Between
//! the two, [`Consequences`] holds what is known of the rows: those that are read with their keys, those that go or are
//! cleared by the keys of their owners. What follows a destroy (counters, touches, callbacks) has its place in
//! [`run`], on either side of the writing, and works from the same list.

use std::any::Any;
use std::collections::{HashMap, HashSet};
use std::fmt;

use assoc_core::destroy::{DestroyPlan, Reading};
use assoc_core::driver::{Access, BoxFuture, KeySet, Statement, TransactionMode};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{ModelDef, Operand};
use assoc_core::select::{KeyedSelect, RootSelect};
use assoc_core::{Error, ErrorKind, Model, Result, Value};

use crate::changeset::refuse_read_only;
use crate::counters::{Lock, Mode};
use crate::one_row::OneRow;
use crate::query::Select;
use crate::repo::Repo;
use crate::session::Session;
use explore::{Consequences, Refusals};
use follow::Following;

#[cfg(doc)]
use crate::query::Query;

mod callbacks;
mod explore;
mod follow;
mod keyless;
mod links_by_sql;
mod remove;
mod report;

pub(crate) use callbacks::{ClearedMembers, Destruction, hook_after, run_callback};
pub(crate) use explore::{StoredRow, read_rows, stored};
pub(crate) use keyless::{KeylessRow, read_keyless};
pub(crate) use links_by_sql::run_sql;
pub use report::{DestroyReport, DestroyedModel};

impl Repo {
    /// Destroys a row, with what depends on it: the rows of its associations by their `dependent` option, and its rows in
    /// join tables. All in one transaction, or in a savepoint of an open one.
    ///
    /// First everything is read that has to be known: rows that refuse, and the keys of rows that something hangs on.
    /// Only then is anything written, so nothing has happened if a row refuses, at whatever depth. Rows go before those
    /// they refer to.
    ///
    /// Statements: 1 for a model on which nothing depends. Otherwise, for each table and not for each row: 1 that checks a
    /// restriction, 1 that reads the keys of rows on which something depends, 1 that clears, 1 that deletes; for rows that
    /// refer to others of their own table, 1 that reads and 1 that deletes for each level. More where there are more keys
    /// than a statement takes. [`explain_destroy`](Self::explain_destroy) shows them.
    ///
    /// A repo that is [`filtered`](Self::filtered) destroys no row that it does not see: a hidden row is
    /// [`ErrorKind::NotFound`], and hidden rows that depend on it neither go nor refuse. A default scope hides nothing.
    ///
    /// # Errors
    /// [`ErrorKind::Restricted`] naming the association, the rows and the rule; [`ErrorKind::NotFound`] if the row is no
    /// longer there; [`ErrorKind::ReadOnly`] if it was loaded for reading only; [`ErrorKind::InAnotherDatabase`] if what
    /// depends on it is in another database; a foreign key of a table of which no association knows; a failing database.
    /// Nothing has changed then.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// #[derive(Model, Debug, Clone)]
    /// pub struct User {
    ///     pub id: i64,
    ///     #[has_many(dependent = "destroy")]
    ///     pub posts: HasMany<Post>,
    /// }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let user = repo.insert(User::build()).await?;
    /// repo.insert_all([1, 1].map(|user: i64| Post::build().set(Post::USER_ID, user))).await?;
    /// let report = repo.destroy(&user).await?;
    /// assert_eq!(report.to_string(), "User: 1 destroyed; Post: 2 destroyed");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn destroy<M: OneRow>(&self, row: &M) -> BoxFuture<'_, Result<DestroyReport>> {
        self.destroy_rows([row])
    }

    /// Destroys several rows of a model with what depends on them, as [`destroy`](Self::destroy) does and in as many
    /// statements, all or none; the rows themselves are read once more, by their keys.
    ///
    /// # Errors
    /// As [`destroy`](Self::destroy); [`ErrorKind::NotFound`] if one of them is no longer there.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let posts = repo.all(Query::<Post>::new()).await?;
    /// let report = repo.destroy_rows(&posts[..2]).await?;
    /// assert_eq!(report.to_string(), "Post: 2 destroyed");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn destroy_rows<'m, M: Model>(
        &self,
        rows: impl IntoIterator<Item = &'m M>,
    ) -> BoxFuture<'_, Result<DestroyReport>> {
        self.run_destroy(self.given_rows(rows, Reading::Needed))
    }

    fn run_destroy(&self, work: Result<(DestroyPlan, Roots)>) -> BoxFuture<'_, Result<DestroyReport>> {
        Box::pin(async move {
            let (plan, roots) = work?;
            run(self, &plan, roots).await
        })
    }

    /// Destroys the rows of a query with what depends on them, as [`destroy`](Self::destroy) does and in as many
    /// statements, and one that reads the rows' keys. The query's conditions, order and limit say which rows; its preloads
    /// are left out.
    ///
    /// # Errors
    /// As [`destroy`](Self::destroy); when the query groups, or cannot run.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String, #[has_many(dependent = "destroy")] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # repo.insert_all(["a", "b"].map(|name| User::build().set(User::NAME, name))).await?;
    /// let report = repo.destroy_all(Query::filter(User::NAME.eq("a"))).await?;
    /// assert_eq!(report.of::<User>().map(|users| users.destroyed), Some(1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn destroy_all<M: Model>(&self, query: Select<M>) -> BoxFuture<'_, Result<DestroyReport>> {
        self.run_destroy(self.queried_rows(query))
    }

    /// What destroying a row would do: for each model how many rows would be destroyed, deleted, cleared, and how many
    /// refuse. Reads the keys of all those rows, and changes nothing.
    ///
    /// # Errors
    /// As [`destroy`](Self::destroy), except that rows which refuse are counted.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many(dependent = "restrict_with_error")] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # let user = repo.insert(User::build()).await?;
    /// # repo.insert(Post::build().set(Post::USER_ID, user.id)).await?;
    /// assert_eq!(repo.preview_destroy(&user).await?.to_string(), "User: 1 destroyed; Post: 1 refusing");
    /// assert!(repo.destroy(&user).await.unwrap_err().is_restricted());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn preview_destroy<M: OneRow>(&self, row: &M) -> BoxFuture<'_, Result<DestroyReport>> {
        self.run_preview(self.given_rows([row], Reading::All))
    }

    fn run_preview(&self, work: Result<(DestroyPlan, Roots)>) -> BoxFuture<'_, Result<DestroyReport>> {
        Box::pin(async move {
            let (plan, roots) = work?;
            preview(self, &plan, roots).await
        })
    }

    /// What destroying a row of a model runs: the tree of what depends on it, and the statements, each for a single key.
    /// Runs nothing.
    ///
    /// # Errors
    /// When a declaration does not hold together: the same errors as [`destroy`](Self::destroy), before any SQL.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many(dependent = "delete")] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # let repo = Repo::new(Sqlite::memory().unwrap());
    /// let plan = repo.explain_destroy::<User>().unwrap();
    /// assert!(plan.starts_with("User (destroyed)\n└─ posts: Post (deleted)\n"));
    /// ```
    pub fn explain_destroy<M: Model>(&self) -> Result<String> {
        self.destroy_plan(M::DEF, Reading::Needed)?.explain(self.dialect())
    }

    // The plan, of models that are all in this database.
    pub(crate) fn destroy_plan(&self, model: &'static ModelDef, reading: Reading) -> Result<DestroyPlan> {
        self.require_here(model)?;
        model.require_primary_key("`destroy`")?;
        let plan = DestroyPlan::new(model, reading, self.filters.as_ref())?;
        let plan = if self.touches { plan } else { plan.without_touches() };
        self.require_condition(model, plan.root_filter())?;
        for rows in plan.edges().iter().map(|edge| &edge.rows) {
            self.require_here(rows.model)?;
            self.require_condition(rows.model, &rows.filter)?;
            if let Some(targets) = &rows.targets {
                self.require_here(targets.model)?;
                self.require_condition(targets.model, &targets.filter)?;
            }
        }
        Ok(plan)
    }

    fn given_rows<'m, M: Model>(
        &self,
        rows: impl IntoIterator<Item = &'m M>,
        reading: Reading,
    ) -> Result<(DestroyPlan, Roots)> {
        let plan = self.destroy_plan(M::DEF, reading)?;
        let mut given =
            GivenRows { model: M::DEF, columns: &plan.nodes()[0].columns, seen: HashSet::new(), rows: Vec::new() };
        for row in rows {
            refuse_read_only(row)?;
            given.add(row)?;
        }
        let rows = given.rows;
        Ok((plan, Roots::Given(rows)))
    }

    fn queried_rows<M: Model>(&self, query: Select<M>) -> Result<(DestroyPlan, Roots)> {
        let plan = self.destroy_plan(M::DEF, Reading::Needed)?;
        if !query.parts.spec.group.is_empty() || !query.parts.spec.having.is_always() {
            let message =
                "`destroy_all` destroys rows, and a grouped query has none: leave out `group_by` and `having`";
            return Err(Error::invalid_query(M::DEF.name, message));
        }
        if query.parts.origin.is_read_only() {
            let message = "the query says `readonly`, and its rows refuse to be destroyed: leave it out";
            return Err(Error::invalid_query(M::DEF.name, message));
        }
        let limit = query.parts.most_statements;
        let mut query = query;
        query.parts.preloads.clear();
        query.parts.selected = None;
        let spec = query.into_request().compile_rows(&self.context())?.with_total_order();
        let column = |at: &usize| Operand::Column(M::DEF.columns[*at].column_ref());
        let operands = Some(plan.nodes()[0].columns.iter().map(column).collect());
        // Rows that joins repeat are destroyed once.
        let spec = RootSelect { operands, ..spec };
        let statement = spec.statement(self.dialect())?;
        Ok((plan, Roots::Queried { statement, limit }))
    }
}

/// The values of the rows of structs, each row once.
struct GivenRows<'p> {
    model: &'static ModelDef,
    columns: &'p [usize],
    seen: HashSet<KeyTuple>,
    rows: Vec<StoredRow>,
}

impl GivenRows<'_> {
    fn add(&mut self, row: &dyn Any) -> Result<()> {
        if self.seen.insert(crate::save::key_of(self.model, row)?) {
            let values = self.columns.iter().map(|column| self.model.rows.value(row, *column).into_owned());
            self.rows.push(values.collect());
        }
        Ok(())
    }
}

/// The rows that are destroyed.
enum Roots {
    /// Those of structs: the values of the root node's columns.
    Given(Vec<StoredRow>),
    /// Those of a query, which selects these columns, perhaps with a limit of statements of its own.
    Queried { statement: Statement, limit: Option<usize> },
}

async fn run(repo: &Repo, plan: &DestroyPlan, roots: Roots) -> Result<DestroyReport> {
    if plan.has_callbacks() {
        // Callbacks use the transaction, so it is one with a handle.
        let transaction = repo.begin().await?;
        let result = run_with_callbacks(&transaction, plan, roots).await;
        return transaction.finish(result).await.map_err(|error| with_plan(repo, error, plan));
    }
    let mut session = repo.session(Access::Write).await?;
    if let Roots::Queried { limit: limit @ Some(_), .. } = roots {
        session.limit_statements(limit);
    }
    let single = plan.is_single() && matches!(&roots, Roots::Given(rows) if rows.len() <= 1);
    // A row that refers to itself is cleared before it is deleted.
    let follows = Following::new(repo, plan)?.concerns(plan.nodes()[0].model);
    let single = single && !plan.stage_of(0).in_waves && !follows;
    let result = if single {
        // One statement is all or nothing by itself.
        destroy_in(repo, &mut session, plan, roots).await
    } else {
        session.begin(TransactionMode::Write).await?;
        let result = destroy_in(repo, &mut session, plan, roots).await;
        session.finish(result).await
    };
    result.map_err(|error| with_plan(repo, error, plan))
}

async fn run_with_callbacks(transaction: &Repo, plan: &DestroyPlan, roots: Roots) -> Result<DestroyReport> {
    let repo = transaction.for_callbacks(plan.nodes()[0].model)?;
    let mut session = repo.session(Access::Write).await?;
    if let Roots::Queried { limit: limit @ Some(_), .. } = roots {
        session.limit_statements(limit);
    }
    let mut destruction = explored(&mut session, plan, roots).await?;
    destruction.before(&repo, &mut session).await?;
    destruction.write(&repo, &mut session).await?;
    destruction.after(&repo, &mut session).await?;
    Ok(destruction.into_report())
}

async fn destroy_in(repo: &Repo, session: &mut Session<'_>, plan: &DestroyPlan, roots: Roots) -> Result<DestroyReport> {
    let mut destruction = explored(session, plan, roots).await?;
    destruction.write(repo, session).await?;
    Ok(destruction.into_report())
}

// What goes, read.
async fn explored<'p>(session: &mut Session<'_>, plan: &'p DestroyPlan, roots: Roots) -> Result<Destruction<'p>> {
    let reads_root = matches!(&roots, Roots::Given(rows) if rows.len() > 1 || plan.reads_root());
    let existence = match &roots {
        Roots::Given(_) if reads_root => remove::Roots::Read,
        Roots::Given(_) => remove::Roots::Unread,
        Roots::Queried { .. } => remove::Roots::Queried,
    };
    let roots = read_roots(session, plan, roots, reads_root).await?;
    Destruction::of(session, plan, roots, existence).await
}

async fn preview(repo: &Repo, plan: &DestroyPlan, roots: Roots) -> Result<DestroyReport> {
    let mut session = repo.session(Access::Read).await?;
    session.begin_snapshot().await?;
    let result = async {
        let roots = read_roots(&mut session, plan, roots, true).await?;
        let mut consequences = Consequences::new(plan, roots);
        consequences.explore(&mut session, Refusals::Count).await?;
        let mut following = Following::new(repo, plan)?;
        following.read(&mut session, &consequences, Lock::None).await?;
        consequences.count_unread(&mut session, &mut following).await?;
        let going = consequences.going();
        following.finish(repo, &mut session, &mut consequences, Mode::Count(&going)).await?;
        Ok(consequences.into_report())
    }
    .await;
    session.finish(result).await.map_err(|error| with_plan(repo, error, plan))
}

// The roots' columns as the database has them, where that has to be known.
async fn read_roots(
    session: &mut Session<'_>,
    plan: &DestroyPlan,
    roots: Roots,
    reads: bool,
) -> Result<Vec<StoredRow>> {
    let root = &plan.nodes()[0];
    let given = match roots {
        Roots::Given(rows) if !reads => return Ok(rows),
        Roots::Given(rows) => rows,
        Roots::Queried { statement, .. } => {
            let columns = &root.columns;
            let mut rows: Vec<StoredRow> = Vec::new();
            let mut sink = |values: &mut [Value<'_>]| {
                rows.push(stored(root.model, columns, values));
                Ok(())
            };
            session.query(&statement, &mut sink).await?;
            return Ok(rows);
        }
    };
    let key = |row: &StoredRow| explore::key_in(row, &root.columns, root.model.primary_key);
    let keys: Vec<KeyTuple> = given.iter().filter_map(key).collect();
    let found = read_by_keys(session, plan, &keys).await?;
    let present: HashMap<KeyTuple, &StoredRow> = found.iter().filter_map(|row| Some((key(row)?, row))).collect();
    for row in &given {
        let Some(key) = key(row) else { continue };
        let Some(found) = present.get(&key) else {
            return Err(ErrorKind::NotFound { model: root.model.name, key: key.to_string() }.into());
        };
        if version_of(plan, row) != version_of(plan, found) {
            return Err(ErrorKind::Stale { model: root.model.name, key: key.to_string() }.into());
        }
    }
    Ok(found)
}

// The version of a row that is destroyed, if its model has versions.
fn version_of<'r>(plan: &DestroyPlan, row: &'r StoredRow) -> Option<&'r Value<'static>> {
    let root = &plan.nodes()[0];
    let version = root.model.lock_version()?;
    root.columns.iter().position(|column| *column == version).and_then(|at| row.get(at))
}

// Rows that are destroyed, by their keys, as far as they are there: in the order of the keys, in which callbacks run.
async fn read_by_keys(session: &mut Session<'_>, plan: &DestroyPlan, keys: &[KeyTuple]) -> Result<Vec<StoredRow>> {
    let root = &plan.nodes()[0];
    let select = KeyedSelect {
        only: Some(root.columns.clone()),
        filter: plan.root_filter().clone(),
        ..KeyedSelect::new(root.model, root.model.primary_key)
    };
    let mut found = read_rows(session, &select, &KeySet::from_iter(keys.iter().cloned())).await?;
    let places: HashMap<&KeyTuple, usize> = keys.iter().zip(0..).collect();
    found.sort_by_key(|(key, _)| places.get(key).copied());
    Ok(found.into_iter().map(|(_, row)| row).collect())
}

// An error about the number of statements says which ones they were to be.
fn with_plan(repo: &Repo, error: Error, plan: &DestroyPlan) -> Error {
    match error.kind() {
        ErrorKind::TooManyStatements { limit, .. } => match plan.explain(repo.dialect()) {
            Ok(plan) => ErrorKind::TooManyStatements { limit: *limit, plan }.into(),
            Err(_) => error,
        },
        _ => error,
    }
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Roots::Given(rows) => f.debug_tuple("Given").field(&rows.len()).finish(),
            Roots::Queried { statement, .. } => f.debug_tuple("Queried").field(&statement.sql()).finish(),
        }
    }
}
