//! Writing rows: insert, insert in batches, update of the changed columns, delete, and raw SQL.

use std::any::Any;
use std::sync::Arc;

use assoc_core::change::{Row, RowChange};
use assoc_core::counters::Children;
use assoc_core::driver::{Access, BoxFuture, ExecResult, KeySet};
use assoc_core::execution::rows::Rows;
use assoc_core::metadata::ModelDef;
use assoc_core::{Error, ErrorKind, Model, Result, Value, schema, sql};

use crate::callbacks::Firing;
use crate::changeset::{Changeset, IntoChangeset, refuse_read_only, refuse_read_only_row};
use crate::one_row::OneRow;
use crate::repo::Repo;
use crate::row_guard::RowGuard;
use crate::save;
use crate::touched_rows::Written;
use crate::typed_future::finish_with;

impl Repo {
    /// Inserts a row and returns it as the database stores it, with its key, its defaults and its stored values. It
    /// costs 1 statement where the database returns inserted rows, otherwise 2, and 1 more for a model with
    /// `#[model(read_back)]`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with all problems of the changeset. Also when a constraint is violated, the database
    /// fails, or a returned value cannot be read. No row is inserted in any of these cases.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let draft = Post::build().associate(Post::USER, &user).set(Post::TITLE, "Cards");
    /// let post = repo.insert(draft).await?; // 1 statement
    /// assert_eq!((post.id, post.stars), (4, 0)); // with its key and defaults
    ///
    /// let error = repo.insert(Post::build()).await.unwrap_err(); // no statement
    /// assert_eq!(error.to_string(), "Post cannot be saved: title is missing");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    // A boxed future, here and below: it does not depend on what is given, so a plain struct is one error of the compiler
    // and not three, and it is `Send` without a look into the model.
    pub fn insert<M: Model>(&self, changeset: impl IntoChangeset<M>) -> BoxFuture<'_, Result<M>> {
        finish_with(self.insert_row(M::DEF, changeset.into_changeset().into_row_change()), only_row)
    }

    fn insert_row(&self, model: &'static ModelDef, mut change: RowChange) -> BoxFuture<'_, Result<Box<dyn Rows>>> {
        Box::pin(async move {
            self.require_here(model)?;
            self.find_wanted(&mut change).await?;
            let refused = change.clone();
            match save::insert(self, model, vec![change], Firing::Callbacks).await {
                Ok(rows) => Ok(rows),
                Err(error) => Err(self.refused(model, refused, error).await),
            }
        })
    }

    /// Inserts rows, many per statement: all of them or none. Returns them in the given order, as the database stores
    /// them.
    ///
    /// Rows that set the same columns share statements, wherever they are in the list, so keys that the database makes
    /// need not ascend in the order of the list. A row that refers to an earlier one of the list is written after it.
    /// If the database neither returns inserted rows nor receives their keys, each row costs a statement, because ids
    /// are never guessed. The same holds if the database changes values so that the rows of one statement cannot be
    /// distinguished; the statements that reveal it are undone first.
    ///
    /// # Errors
    /// As [`insert`](Self::insert). The path of a problem says which row has it: `[2].title`. No row is inserted then.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let drafts = ["Cards", "Wheels"].map(|title| Post::build().set(Post::TITLE, title));
    /// let (posts, statements) = repo.count_statements(repo.insert_all(drafts)).await;
    /// assert_eq!((&*posts?[1].title, statements), ("Wheels", 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn insert_all<M: Model>(
        &self,
        changesets: impl IntoIterator<Item: IntoChangeset<M>>,
    ) -> BoxFuture<'_, Result<Vec<M>>> {
        let mut changes = Vec::new();
        // A build without optimisation compiles an adapter as a dozen functions for each list that is given.
        for changeset in changesets {
            changes.push(changeset.into_changeset().into_row_change());
        }
        finish_with(self.insert_rows(M::DEF, changes), |rows| Ok(rows_of(rows)))
    }

    fn insert_rows(&self, model: &'static ModelDef, changes: Vec<RowChange>) -> BoxFuture<'_, Result<Box<dyn Rows>>> {
        Box::pin(async move {
            self.require_here(model)?;
            let kept = if save::needs_changes(&changes) { changes.clone() } else { Vec::new() };
            match save::insert(self, model, changes, Firing::Silent).await {
                Ok(rows) => Ok(rows),
                Err(error) => Err(Box::pin(save::explain_violation(self, model, &kept, error)).await),
            }
        })
    }

    /// Writes the columns of a changeset that differ from its row, and returns the row as the database stores it then.
    /// Loaded associations stay, except those whose key columns changed. It costs no statement if no column differs.
    ///
    /// It costs 1 statement where the database returns updated rows (SQLite). On other databases it costs 1, and 1 more
    /// to read the row back if the database may store another value than the given one: a decimal, a fraction of a
    /// second, a column with `#[column(generated)]` or `#[column(read_back)]`, a model with `#[model(read_back)]`. All
    /// other columns that were not set keep the value they had when the row was loaded.
    ///
    /// # Errors
    /// [`ErrorKind::ReadOnly`] if the row was loaded as read-only, and [`ErrorKind::Invalid`] with all problems of the
    /// changeset (both before any SQL). [`ErrorKind::NotFound`] if the row does not exist any more, or a filtered repo
    /// hides it. [`ErrorKind::Stale`] if it has another `lock_version` than when it was read.
    /// [`ErrorKind::OutsideFilter`] if a filtered repo would not see it afterwards. Also when a constraint is violated,
    /// the database fails, or a value cannot be read back. Nothing is written in any of these cases.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(1, Query::new()).await?;
    /// let post = repo.update(post.change().set(Post::STARS, 4)).await?; // 1 statement
    /// assert_eq!(post.stars, 4);
    ///
    /// let same = post.change().set(Post::STARS, 4);
    /// let (post, statements) = repo.count_statements(repo.update(same)).await;
    /// assert_eq!((post?.stars, statements), (4, 0)); // nothing differs
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn update<M: Model>(&self, changeset: impl IntoChangeset<M>) -> BoxFuture<'_, Result<M>> {
        let update = self.update_found(changeset.into_changeset().into_row_change(), own_row::<M>, Firing::Callbacks);
        finish_with(update, |updated| Ok(updated_row(updated)?.0))
    }

    /// As [`update`](Self::update), with callbacks or without. It also answers how many members [`Changeset::clear`] removed.
    pub(crate) fn update_counted<M: Model>(
        &self,
        changeset: Changeset<M>,
        firing: Firing,
    ) -> BoxFuture<'_, Result<(M, u64)>> {
        finish_with(self.update_found(changeset.into_row_change(), own_row::<M>, firing), updated_row)
    }

    // Finds the members that the change names by their keys, and saves it.
    fn update_found(&self, mut change: RowChange, own: OwnRow, firing: Firing) -> BoxFuture<'_, Result<Updated>> {
        Box::pin(async move {
            self.find_wanted(&mut change).await?;
            let (model, refused) = (change.model(), change.clone());
            match self.update_row(change, own, firing).await {
                Ok(saved) => Ok(saved),
                Err(error) => Err(self.refused(model, refused, error).await),
            }
        })
    }

    // The error of a save with what it says of fields, and with the changes.
    #[cold]
    fn refused(&self, model: &'static ModelDef, change: RowChange, error: Error) -> BoxFuture<'_, Error> {
        Box::pin(async move {
            let error = save::explain_violation(self, model, std::slice::from_ref(&change), error).await;
            handed_back(error, change)
        })
    }

    // Finds the members that input names by their keys. If one is none of its owner's, the error has the changes.
    async fn find_wanted(&self, change: &mut RowChange) -> Result<()> {
        if !change.wants() {
            return Ok(());
        }
        let refused = change.clone();
        let found = Box::pin(save::find_wanted(self, std::slice::from_mut(change))).await;
        found.map_err(|error| error.with_refused(refused))
    }

    async fn update_row(&self, mut change: RowChange, own: OwnRow, firing: Firing) -> Result<Updated> {
        let model = change.model();
        self.require_here(model)?;
        model.require_primary_key("`update`")?;
        let new = || {
            let message = "`update` takes the changes of an existing row (`row.change()`); a new one is inserted";
            Error::invalid_query(model.name, message)
        };
        refuse_read_only_row(model, &**change.base().ok_or_else(new)?)?;
        if firing.validates(&change) {
            let check = |changes: &[RowChange]| changes.iter().try_for_each(RowChange::check);
            return save::save_validated(self, model, vec![change], check).await.map(Updated::Graph);
        }
        change.check()?;
        let concerns = firing.concerns(model) && change.has_changes();
        if change.has_members() || concerns || follows(self, &change) {
            return save::save_graph(self, model, vec![change], firing).await.map(Updated::Graph);
        }
        change.fill(self.now());
        let changes = change.changed();
        let (base, _) = change.into_parts();
        let mut row = base.and_then(own).ok_or_else(new)?;
        save::update(self, model, changes, &mut *row).await?;
        Ok(Updated::Row(row))
    }

    /// Shows the statements that saving a changeset would run, one line per kind of statement: it inserts a new row, and
    /// updates an existing one. It runs no statement.
    ///
    /// # Errors
    /// The errors that saving gives before any SQL.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String }
    /// # let repo = Repo::new(Sqlite::memory().unwrap());
    /// let draft = User::build().set(User::NAME, "Ada").push(User::POSTS, Post::build().set(Post::TITLE, "On engines"));
    /// let plan = repo.explain_save(&draft)?;
    /// assert_eq!(plan, "1. INSERT users (name): 1 row\n2. INSERT posts (user_id, title): 1 row\n");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn explain_save<M: Model>(&self, changeset: &Changeset<M>) -> Result<String> {
        self.require_here(M::DEF)?;
        save::explain(M::DEF, changeset.as_row_change().clone(), self.touches)
    }

    /// Deletes a row, but no dependent rows. It costs 1 statement.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if the row does not exist any more, or a filtered repo hides it. [`ErrorKind::Stale`] if it
    /// has another `lock_version`. [`ErrorKind::ReadOnly`] if it was loaded as read-only (before any SQL). Also when the
    /// model has no primary key, a constraint forbids it, or the database fails.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let post = repo.get_or_fail::<Post>(3, Query::new()).await?;
    /// repo.delete(&post).await?;
    /// assert!(repo.delete(&post).await.unwrap_err().is_not_found());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn delete<'a, M: OneRow>(&'a self, row: &'a M) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.require_here(M::DEF)?;
            M::DEF.require_primary_key("`delete`")?;
            refuse_read_only(row)?;
            let key = save::key_of(M::DEF, row)?;
            let guard = RowGuard::of(self, M::DEF)?;
            let known = save::Known::of(M::DEF, row, guard.as_ref());
            let statement = if known.condition.is_always() {
                let keys = match key.values() {
                    [Value::Int(key)] => KeySet::Ints([*key].into()),
                    _ => KeySet::Tuples([key.clone()].into()),
                };
                sql::delete_by_keys(self.dialect(), M::DEF, &keys)
            } else {
                sql::delete_row(self.dialect(), M::DEF, key.values(), &known.condition)?
            };
            let mut session = self.session(Access::Write).await?;
            session.note_written(M::DEF, Written::Changed);
            let affected = session.execute(&statement).await?.affected;
            known.require_written(&mut session, M::DEF, &key, affected).await
        })
    }

    /// Runs raw SQL that returns no rows. Each `?` takes a bind. It costs 1 statement.
    ///
    /// # Errors
    /// When the numbers of `?` and binds differ, or the database fails; [`ErrorKind::Transaction`] for SQL that begins
    /// or ends a transaction.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let sql = "UPDATE posts SET stars = stars + ?";
    /// let done = repo.execute_raw(sql, [Value::Int(1)]).await?;
    /// assert_eq!(done.affected, 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn execute_raw(
        &self,
        sql: &str,
        binds: impl IntoIterator<Item = Value<'static>>,
    ) -> BoxFuture<'_, Result<ExecResult>> {
        let statement = self.refuse_transaction_control(sql).and_then(|()| self.raw_statement(sql, binds));
        Box::pin(async move {
            let statement = statement?;
            let mut session = self.session(Access::Write).await?;
            session.note_raw();
            session.execute(&statement).await
        })
    }

    /// Creates a model's table and the indexes of its foreign keys, for tests, examples and prototypes; a production
    /// schema belongs to a migration tool. It costs 1 statement, and 1 per index.
    ///
    /// # Errors
    /// When the table exists or the database refuses.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// repo.drop_table::<Post>().await?;
    /// repo.create_table::<Post>().await?;
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 0);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn create_table<M: Model>(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.require_here(M::DEF)?;
            let mut session = self.session(Access::Write).await?;
            for statement in schema::create_table(M::DEF, self.dialect()) {
                session.execute(&statement).await?;
            }
            Ok(())
        })
    }

    /// Removes a model's table, if it exists. 1 statement.
    ///
    /// # Errors
    /// When the database refuses.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// repo.drop_table::<Post>().await?;
    /// assert!(repo.all(Query::<Post>::new()).await.is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn drop_table<M: Model>(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.require_here(M::DEF)?;
            let statement = schema::drop_table(M::DEF, self.dialect());
            self.session(Access::Write).await?.execute(&statement).await?;
            Ok(())
        })
    }
}

// Whether a counter or a time of another row follows when an existing row is saved.
fn follows(repo: &Repo, change: &RowChange) -> bool {
    let Some(children) = Children::of(change.model()) else { return false };
    let changed = change.changed();
    !changed.is_empty() && children.follow(repo.touches, |column| changed.iter().any(|(at, _)| *at == column))
}

// An error with the change that it refused. A change that was committed is not handed back, also if a hook fails afterwards.
fn handed_back(error: Error, change: RowChange) -> Error {
    match error.kind() {
        ErrorKind::AfterTransaction { committed: true, .. } => error,
        _ => error.with_refused(change),
    }
}

// The rows, with their type again.
/// What an update has written.
enum Updated {
    /// One row: an `M`.
    Row(Box<dyn Any + Send>),
    /// The row with others.
    Graph(save::Saved),
}

// Takes a row out of its `Arc`, as a `Box` of its model.
type OwnRow = fn(Row) -> Option<Box<dyn Any + Send>>;

fn own_row<M: Model>(row: Row) -> Option<Box<dyn Any + Send>> {
    let Ok(row) = row.downcast::<M>() else { return None };
    Some(Box::new(match Arc::try_unwrap(row) {
        Ok(row) => row,
        Err(shared) => M::clone(&shared),
    }))
}

// The row and how many members were let go.
fn updated_row<M: Model>(updated: Updated) -> Result<(M, u64)> {
    let (row, let_go) = match updated {
        Updated::Row(row) => match row.downcast() {
            Ok(row) => (Some(*row), 0),
            Err(_) => (None, 0),
        },
        Updated::Graph(saved) => (rows_of(saved.rows).pop(), saved.let_go),
    };
    match row {
        Some(row) => Ok((row, let_go)),
        None => Err(Error::invalid_query(M::DEF.name, "nothing was saved")),
    }
}

/// The one row that was written.
pub(crate) fn only_row<M: Model>(rows: Box<dyn Rows>) -> Result<M> {
    match rows_of(rows).pop() {
        Some(row) => Ok(row),
        None => Err(Error::invalid_query(M::DEF.name, "the database accepted the row but returned none")),
    }
}

/// Rows of a model, as the caller knows them.
pub(crate) fn rows_of<M: Model>(rows: Box<dyn Rows>) -> Vec<M> {
    match rows.into_any().downcast::<Vec<M>>() {
        Ok(rows) => *rows,
        Err(_) => Vec::new(),
    }
}
