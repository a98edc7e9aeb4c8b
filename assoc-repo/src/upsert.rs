//! Inserting rows that may be there already.

use assoc_core::change::RowChange;
use assoc_core::driver::BoxFuture;
use assoc_core::execution::FilledBy;
use assoc_core::execution::rows::Rows;
use assoc_core::metadata::{ColumnDefault, ModelDef};
use assoc_core::{ColumnList, Error, Model, Result};
use std::marker::PhantomData;

use crate::changeset::IntoChangeset;
use crate::repo::Repo;
use crate::row_guard::RowGuard;
use crate::save;
use crate::typed_future::finish_with;
use crate::write::{only_row, rows_of};

#[cfg(doc)]
use assoc_core::ErrorKind;

/// What an upsert does about a row that is there already: made by [`on_conflict`].
#[derive(Debug, Clone)]
#[must_use = "it says what `upsert` does about a row that is there"]
pub struct OnConflict<M> {
    columns: Vec<usize>,
    action: Action,
    // Columns that an existing row keeps under every action: the key of the owner whose member it is.
    kept: Vec<usize>,
    model: PhantomData<fn() -> M>,
}

#[derive(Debug, Clone)]
enum Action {
    /// Whatever the changeset gives.
    UpdateGiven,
    Update(Vec<usize>),
    Nothing,
}

/// The columns by which a row is known to be there: those of its primary key or of a unique index. All that the changeset
/// gives is written over it, except these columns, the primary key, `created_at` and what `default_with` makes; say
/// [`update`](OnConflict::update) or [`or_nothing`](OnConflict::or_nothing) to have it otherwise.
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_repo::on_conflict;
/// # use assoc_sqlite::Sqlite;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, pub email: String, pub name: String }
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<User>().await?;
/// # repo.execute_raw("CREATE UNIQUE INDEX users_email ON users(email)", []).await?;
/// let named = |name| User::build().set(User::EMAIL, "ada@example.org").set(User::NAME, name);
/// let ada = repo.upsert(named("Ada"), on_conflict(User::EMAIL)).await?;
/// let renamed = repo.upsert(named("Ada Lovelace"), on_conflict(User::EMAIL)).await?;
/// assert_eq!((renamed.id, &*renamed.name), (ada.id, "Ada Lovelace"));
/// let kept = repo.upsert(named("somebody"), on_conflict(User::EMAIL).or_nothing()).await?;
/// assert_eq!(kept.name, "Ada Lovelace");
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
pub fn on_conflict<M: Model>(columns: impl ColumnList<M>) -> OnConflict<M> {
    OnConflict { columns: columns.indexes(), action: Action::UpdateGiven, kept: Vec::new(), model: PhantomData }
}

impl<M> OnConflict<M> {
    /// Writes these columns over the row that is there, and no others (but `updated_at` and `lock_version`).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::on_conflict;
    ///
    /// let post = Post::build().set(Post::ID, 1).set(Post::TITLE, "Cards").set(Post::STARS, 0);
    /// let post = repo.upsert(post, on_conflict(Post::ID).update(Post::TITLE)).await?;
    /// assert_eq!((&*post.title, post.stars), ("Cards", 5));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn update(mut self, columns: impl ColumnList<M>) -> Self {
        self.action = Action::Update(columns.indexes());
        self
    }

    /// Leaves these columns of a row that is there as they are.
    pub(crate) fn keeping(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.kept.extend(columns);
        self
    }

    /// Leaves the row that is there as it is.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::on_conflict;
    ///
    /// let post = Post::build().set(Post::ID, 1).set(Post::TITLE, "Cards");
    /// let post = repo.upsert(post, on_conflict(Post::ID).or_nothing()).await?;
    /// assert_eq!(post.title, "Looms");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn or_nothing(mut self) -> Self {
        self.action = Action::Nothing;
        self
    }
}

impl Repo {
    /// Inserts a row, or, if there is one with the same values in the [conflicting columns](on_conflict), updates that, or
    /// leaves it. Returns the row as the database has it then, whichever it was. No callbacks, counters or touches.
    ///
    /// 1 statement in a transaction. `created_at`, `updated_at`, the version and `default_with` are filled in as by
    /// [`insert`](Self::insert); of a row that is updated `updated_at` and the version follow.
    ///
    /// SQLite names the unique index by its columns. MariaDB answers to a conflict with any unique index: which row came
    /// back is checked, and an upsert that met another row than the one with these values is undone and fails as a
    /// violation of that other index.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] as [`insert`](Self::insert); when a conflicting or updated column is not given, before any
    /// SQL; [`ErrorKind::Unsupported`] where the database does not return such rows (MySQL);
    /// [`ErrorKind::OutsideFilter`] if a filtered repo does not see the row that is there, or would not see it afterwards;
    /// a constraint violation; a failing database. Nothing was written then.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::on_conflict;
    ///
    /// let post = Post::build().set(Post::ID, 1).set(Post::TITLE, "Looms, again");
    /// let post = repo.upsert(post, on_conflict(Post::ID)).await?; // 1 statement
    /// assert_eq!((&*post.title, post.stars), ("Looms, again", 5)); // the row was there
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn upsert<M: Model>(
        &self,
        changeset: impl IntoChangeset<M>,
        conflict: OnConflict<M>,
    ) -> BoxFuture<'_, Result<M>> {
        let changes = vec![changeset.into_changeset().into_row_change()];
        let OnConflict { columns, action, kept, .. } = conflict;
        finish_with(self.upsert_rows(M::DEF, changes, columns, action, kept), only_row)
    }

    /// As [`upsert`](Self::upsert), for many rows, all or none; returned in the given order. Rows that set the same columns
    /// share statements. Where values come back in another form than they were given, so that it is not known which row is
    /// whose, each is a statement of its own.
    ///
    /// # Errors
    /// As [`upsert`](Self::upsert); [`ErrorKind::SameRow`] when two rows are the same row, because the database calls their
    /// values in the conflicting columns equal: `X` and `x`, in a column that ignores case.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::on_conflict;
    ///
    /// let posts = [(1, "Looms, again"), (9, "Cards")];
    /// let posts = posts.map(|(id, title)| Post::build().set(Post::ID, id).set(Post::TITLE, title));
    /// let posts = repo.upsert_all(posts, on_conflict(Post::ID)).await?; // 1 statement
    /// assert_eq!((posts[0].stars, posts[1].stars), (5, 0));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn upsert_all<M: Model>(
        &self,
        changesets: impl IntoIterator<Item: IntoChangeset<M>>,
        conflict: OnConflict<M>,
    ) -> BoxFuture<'_, Result<Vec<M>>> {
        let changes = changesets.into_iter().map(|changeset| changeset.into_changeset().into_row_change()).collect();
        let OnConflict { columns, action, kept, .. } = conflict;
        finish_with(self.upsert_rows(M::DEF, changes, columns, action, kept), |rows| Ok(rows_of(rows)))
    }

    fn upsert_rows(
        &self,
        model: &'static ModelDef,
        changes: Vec<RowChange>,
        conflict: Vec<usize>,
        action: Action,
        own: Vec<usize>,
    ) -> BoxFuture<'_, Result<Box<dyn Rows>>> {
        Box::pin(async move {
            self.require_here(model)?;
            let guard = RowGuard::of(self, model)?;
            let updates = Updates { model, conflict: &conflict, action: &action, own: &own, guard };
            let kept = if save::needs_changes(&changes) { changes.clone() } else { Vec::new() };
            match save::upsert(self, changes, &updates).await {
                Ok(rows) => Ok(rows),
                Err(error) => Err(Box::pin(save::explain_violation(self, model, &kept, error)).await),
            }
        })
    }
}

/// Which columns of rows that are there take new values.
pub(crate) struct Updates<'u> {
    pub(crate) model: &'static ModelDef,
    pub(crate) conflict: &'u [usize],
    action: &'u Action,
    own: &'u [usize],
    pub(crate) guard: Option<RowGuard<'u>>,
}

impl Updates<'_> {
    /// Of rows that set these columns. `given` are those that the application set itself.
    pub(crate) fn of(&self, given: &[usize], set: &[usize]) -> Result<Vec<usize>> {
        let model = self.model;
        let absent = |columns: &[usize]| columns.iter().find(|column| !given.contains(column)).copied();
        if self.conflict.is_empty() {
            return Err(Error::invalid_query(model.name, "`on_conflict` names no column"));
        }
        if let Some(column) = absent(self.conflict) {
            let message = format!(
                "`on_conflict` names `{}`, and the changeset gives it no value: without it nothing is known to be there",
                model.columns[column].field
            );
            return Err(Error::invalid_query(model.name, message));
        }
        let mut columns: Vec<usize> = match self.action {
            Action::Nothing => return Ok(Vec::new()),
            Action::Update(columns) => {
                let wrong = columns.iter().find(|column| self.conflict.contains(column)).map(|column| {
                    (*column, "is what the row that is there has in common with the new one: it does not change")
                });
                let counter = columns.iter().find(|column| model.is_counter(**column));
                let counter =
                    counter.map(|column| (*column, "counts the rows that belong to the row: no upsert sets it"));
                let own = columns.iter().find(|column| self.own.contains(column));
                let own = own.map(|column| (*column, "says whose member the row is: it stays with its owner"));
                let wrong = wrong.or(counter).or(own);
                let missing =
                    absent(columns).map(|column| (column, "is to be updated, and the changeset gives it no value"));
                if let Some((column, what)) = wrong.or(missing) {
                    let message = format!("`upsert`: `{}` {what}", model.columns[column].field);
                    return Err(Error::invalid_query(model.name, message));
                }
                if let Some(guard) = &self.guard {
                    guard.require_independent(columns)?;
                }
                columns.clone()
            }
            Action::UpdateGiven => {
                let kept = |column: &usize| {
                    self.conflict.contains(column)
                        || self.own.contains(column)
                        || model.primary_key.contains(column)
                        || model.discriminator.is_some_and(|own| own.column == *column)
                        || matches!(
                            model.columns[*column].default,
                            ColumnDefault::Filled(FilledBy::CreatedAt | FilledBy::LockVersion)
                        )
                        // Otherwise a hidden row could be taken over.
                        || self.guard.as_ref().is_some_and(|guard| guard.depends_on(*column))
                };
                given.iter().copied().filter(|column| !kept(column)).collect()
            }
        };
        let is_time = |column: &usize| model.columns[*column].default == ColumnDefault::Filled(FilledBy::UpdatedAt);
        if !columns.is_empty() {
            columns.extend(set.iter().copied().filter(is_time));
        }
        columns.sort_unstable();
        columns.dedup();
        Ok(columns)
    }
}
