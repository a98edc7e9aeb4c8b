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
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_save(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
    ///         if post.is_new() {
    ///             post.set(Post::EDITS, 1);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// assert_eq!(post.edits, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.row.base().is_none()
    }

    /// The row as it is; `None` of a new one.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_update(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
    ///         match post.row() {
    ///             Some(row) if row.edits == 3 => Err(Error::other("three edits are enough")),
    ///             _ => Ok(()),
    ///         }
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms").set(Post::EDITS, 3)).await?;
    /// assert!(repo.update(post.change().set(Post::TITLE, "Engines")).await.is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn row(&self) -> Option<&M> {
        self.row.base().and_then(|row| row.downcast_ref::<M>())
    }

    /// The value that a column will have; `None` if nothing was given for a new row, so that the database decides.
    ///
    /// # Errors
    /// When the value does not fit the column's type.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_validate(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
    ///         let title: Option<String> = post.get(Post::TITLE)?;
    ///         assert_eq!(title.as_deref(), Some("Looms"));
    ///         assert_eq!(post.get(Post::EDITS)?, None); // the database will say 0
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// assert_eq!(post.edits, 0);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn get<V: ColumnType>(&self, column: Column<M, V>) -> Result<Option<V>> {
        let at = column.index();
        let given = self.row.values().get(at).and_then(Option::as_ref).cloned();
        let known = || self.row.base().map(|row| M::DEF.rows.value(&**row, at).into_owned());
        let Some(mut value) = given.or_else(known) else { return Ok(None) };
        V::from_value(&mut value).map(Some).map_err(|mismatch| mismatch.at(M::DEF.name, column.name()))
    }

    /// Sets a column.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_validate(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
    ///         post.set(Post::TITLE, "Untitled").set(Post::EDITS, 1);
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build()).await?;
    /// assert_eq!((post.title.as_str(), post.edits), ("Untitled", 1));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn set<V: ColumnType>(&mut self, column: Column<M, V>, value: impl IntoColumn<V>) -> &mut Self {
        self.row.set(column.index(), value.into_column().into_value());
        self
    }

    /// The columns that change, with the values before and after; of a new row those that were given.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_update(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
    ///         let columns: Vec<_> = post.changed().iter().map(|change| change.column.name).collect();
    ///         assert_eq!(columns, ["title"]);
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// repo.update(post.change().set(Post::TITLE, "Engines").set(Post::EDITS, 0)).await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn changed(&self) -> Vec<ColumnChange> {
        changes_to_come(&self.row)
    }

    /// Whether a column changes.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_update(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
    ///         if post.is_changed(Post::TITLE) { Err(Error::other("a title stays")) } else { Ok(()) }
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// assert!(repo.update(post.change().set(Post::EDITS, 1)).await.is_ok());
    /// assert!(repo.update(post.change().set(Post::TITLE, "Engines")).await.is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn is_changed<V: ColumnType>(&self, column: Column<M, V>) -> bool {
        self.row.changed().iter().any(|(at, _)| *at == column.index())
    }

    /// The value that was given for a column, untyped; `None` if none was.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_insert(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
    ///         if post.value_of(Post::EDITS).is_none() {
    ///             post.set(Post::EDITS, 1); // nothing was given, also no 0
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// assert_eq!(post.edits, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn value_of<V: ColumnType>(&self, column: Column<M, V>) -> Option<&Value<'static>> {
        self.row.values().get(column.index())?.as_ref()
    }

    /// Adds a problem, which refuses the row as the problems of a changeset do: with all others in `before_validate`, at once
    /// in later callbacks.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Change, FieldError, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_validate(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
    ///         if post.get(Post::TITLE)?.is_some_and(|title| title.contains('@')) {
    ///             post.add_error(FieldError::new("title", "is an address"));
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let error = repo.insert(Post::build().set(Post::TITLE, "ada@example.org")).await.unwrap_err();
    /// assert!(error.to_string().contains("is an address"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
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
