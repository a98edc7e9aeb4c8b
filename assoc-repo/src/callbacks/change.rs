//! A row on its way into the database, as callbacks see it.

use std::fmt;
use std::marker::PhantomData;

use assoc_core::change::RowChange;
use assoc_core::{Column, ColumnType, FieldError, IntoColumn, Model, Result, Value};

use super::{ColumnChange, changes_to_come};

/// A row that is about to be written: a new one, or one that exists with the columns that change. Callbacks that are given it
/// by `&mut` may set columns.
///
/// ```
/// use assoc_repo::prelude::*;
/// use assoc_repo::{CallbackContext, Callbacks, Change, FieldError, callbacks};
/// # use assoc_sqlite::Sqlite;
///
/// #[derive(Model, Debug, Clone)]
/// #[model(callbacks)]
/// pub struct Post {
///     pub id: i64,
///     pub title: String,
///     #[column(default = "0")]
///     pub edits: i64,
/// }
///
/// #[callbacks]
/// impl Callbacks for Post {
///     async fn before_validate(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
///         if post.get(Post::TITLE)?.is_some_and(|title| title.contains('@')) {
///             post.add_error(FieldError::new("title", "is an address"));
///         }
///         Ok(())
///     }
///
///     async fn before_update(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
///         let before = post.row().map_or(0, |row| row.edits);
///         if post.is_changed(Post::TITLE) && post.value_of(Post::EDITS).is_none() {
///             post.set(Post::EDITS, before + 1);
///         }
///         Ok(())
///     }
/// }
///
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<Post>().await?;
/// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
/// let post = repo.update(post.change().set(Post::TITLE, "Engines")).await?;
/// assert_eq!(post.edits, 1);
/// let error = repo.update(post.change().set(Post::TITLE, "ada@example.org")).await.unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::Invalid { .. }));
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
pub struct Change<M> {
    pub(crate) row: RowChange,
    model: PhantomData<fn() -> M>,
}

impl<M: Model> Change<M> {
    pub(super) fn new(row: RowChange) -> Self {
        Change { row, model: PhantomData }
    }

    /// Whether the row is new.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.row.base().is_none()
    }

    /// The row as it is; `None` of a new one.
    #[must_use]
    pub fn row(&self) -> Option<&M> {
        self.row.base().and_then(|row| row.downcast_ref::<M>())
    }

    /// The value that a column will have; `None` if nothing was given for a new row, so that the database decides.
    ///
    /// # Errors
    /// When the value does not fit the column's type.
    pub fn get<V: ColumnType>(&self, column: Column<M, V>) -> Result<Option<V>> {
        let at = column.index();
        let given = self.row.values().get(at).and_then(Option::as_ref).cloned();
        let known = || self.row.base().map(|row| M::DEF.rows.value(&**row, at).into_owned());
        let Some(mut value) = given.or_else(known) else { return Ok(None) };
        V::from_value(&mut value).map(Some).map_err(|mismatch| mismatch.at(M::DEF.name, column.name()))
    }

    /// Sets a column.
    pub fn set<V: ColumnType>(&mut self, column: Column<M, V>, value: impl IntoColumn<V>) -> &mut Self {
        self.row.set(column.index(), value.into_column().into_value());
        self
    }

    /// The columns that change, with the values before and after; of a new row those that were given.
    #[must_use]
    pub fn changed(&self) -> Vec<ColumnChange> {
        changes_to_come(&self.row)
    }

    /// Whether a column changes.
    #[must_use]
    pub fn is_changed<V: ColumnType>(&self, column: Column<M, V>) -> bool {
        self.row.changed().iter().any(|(at, _)| *at == column.index())
    }

    /// The value that was given for a column, untyped; `None` if none was.
    #[must_use]
    pub fn value_of<V: ColumnType>(&self, column: Column<M, V>) -> Option<&Value<'static>> {
        self.row.values().get(column.index())?.as_ref()
    }

    /// Adds a problem, which refuses the row as the problems of a changeset do: with all others in `before_validate`, at once
    /// in later callbacks.
    pub fn add_error(&mut self, error: FieldError) -> &mut Self {
        self.row.add_error(error);
        self
    }
}

impl<M> fmt::Debug for Change<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.row, f)
    }
}
