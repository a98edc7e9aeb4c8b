//! What a callback knows beside the row.

use std::fmt;

use assoc_core::metadata::AssociationDef;
use assoc_core::{Column, ColumnType, Model};

#[cfg(doc)]
use super::Change;
use super::ColumnChange;
use crate::repo::Repo;

/// What a callback knows beside the row.
///
/// ```
/// use assoc_repo::prelude::*;
/// use assoc_repo::{CallbackContext, Callbacks, Cause, callbacks};
/// # use assoc_sqlite::Sqlite;
///
/// #[derive(Model, Debug, Clone)]
/// #[model(callbacks)]
/// pub struct Post {
///     pub id: i64,
///     pub title: String,
/// }
///
/// #[derive(Model, Debug, Clone)]
/// pub struct Rename {
///     pub id: i64,
///     pub from: String,
/// }
///
/// #[callbacks]
/// impl Callbacks for Post {
///     async fn after_update(_: &Self, cx: &CallbackContext<'_>) -> Result<()> {
///         if let (Some(title), Cause::OwnCall) = (cx.change_of(Post::TITLE), cx.cause()) {
///             let from = title.before.as_ref().map(ToString::to_string).unwrap_or_default();
///             cx.repo().insert(Rename::build().set(Rename::FROM, from)).await?; // in the same transaction
///         }
///         Ok(())
///     }
/// }
///
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<Post>().await?;
/// # repo.create_table::<Rename>().await?;
/// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
/// repo.update(post.change().set(Post::TITLE, "Engines")).await?;
/// assert_eq!(repo.count(Query::<Rename>::new()).await?, 1);
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
pub struct CallbackContext<'c> {
    repo: &'c Repo,
    cause: Cause,
    action: RowAction,
    changes: &'c [ColumnChange],
}

impl<'c> CallbackContext<'c> {
    pub(crate) fn new(repo: &'c Repo, cause: Cause, action: RowAction, changes: &'c [ColumnChange]) -> Self {
        CallbackContext { repo, cause, action, changes }
    }

    /// The repo of the transaction that the write is a part of: what is done with it is undone with the write. After the
    /// transaction it is the repo outside of it.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Entry { pub id: i64, pub text: String }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn after_insert(post: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         let text = format!("{} is new", post.title);
    ///         cx.repo().insert(Entry::build().set(Entry::TEXT, text)).await.map(drop)
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Entry>().await?;
    /// let undone: Result<()> = repo
    ///     .transaction(async |tx| {
    ///         tx.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    ///         assert_eq!(tx.count(Query::<Entry>::new()).await?, 1);
    ///         Err(Error::other("changed my mind"))
    ///     })
    ///     .await;
    /// assert!(undone.is_err());
    /// assert_eq!(repo.count(Query::<Entry>::new()).await?, 0); // undone with the post
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn repo(&self) -> &'c Repo {
        self.repo
    }

    /// Why the row is written.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, Cause, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_destroy(_: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         // It goes with its author, and not by itself.
    ///         if cx.cause() == Cause::OwnCall { Err(Error::other("destroy its author")) } else { Ok(()) }
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// assert!(repo.destroy(&post).await.is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// What is done with the row.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, RowAction, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Entry { pub id: i64, pub text: String }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn after_save(post: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         if cx.action() == RowAction::Insert {
    ///             let text = format!("{} is new", post.title);
    ///             cx.repo().insert(Entry::build().set(Entry::TEXT, text)).await?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Entry>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// repo.update(post.change().set(Post::TITLE, "Engines")).await?;
    /// assert_eq!(repo.count(Query::<Entry>::new()).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn action(&self) -> RowAction {
        self.action
    }

    /// The columns that were written, with their values before and after. Empty before the row is written, when
    /// [`Change::changed`] says it, and of a row that is destroyed.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Entry { pub id: i64, pub text: String }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn after_update(_: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         for change in cx.changes() {
    ///             let text = format!("{} is {:?}", change.column.name, change.after);
    ///             cx.repo().insert(Entry::build().set(Entry::TEXT, text)).await?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Entry>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// repo.update(post.change().set(Post::EDITS, 2)).await?;
    /// let entry = repo.one(Query::<Entry>::new()).await?.expect("one column has changed");
    /// assert!(entry.text.starts_with("edits is"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn changes(&self) -> &'c [ColumnChange] {
        self.changes
    }

    /// What was written to a column; `None` if it has not changed.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Entry { pub id: i64, pub text: String }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn after_update(post: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         if cx.change_of(Post::TITLE).is_some() {
    ///             let text = format!("it is called {} now", post.title);
    ///             cx.repo().insert(Entry::build().set(Entry::TEXT, text)).await?;
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Entry>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// let post = repo.update(post.change().set(Post::EDITS, 2)).await?;
    /// assert_eq!(repo.count(Query::<Entry>::new()).await?, 0);
    /// repo.update(post.change().set(Post::TITLE, "Engines")).await?;
    /// assert_eq!(repo.count(Query::<Entry>::new()).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn change_of<M: Model, V: ColumnType>(&self, column: Column<M, V>) -> Option<&'c ColumnChange> {
        let changed = M::DEF.columns.get(column.index())?;
        self.changes.iter().find(|change| change.column.name == changed.name)
    }
}

impl fmt::Debug for CallbackContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackContext")
            .field("cause", &self.cause)
            .field("action", &self.action)
            .field("changes", &self.changes)
            .finish_non_exhaustive()
    }
}

/// Why a row is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// It was given to the call.
    OwnCall,
    /// It is saved, or becomes a member, by this association of another row that is saved.
    Member(&'static AssociationDef),
    /// It is no longer a member of this association of a row that is saved.
    Removed(&'static AssociationDef),
    /// It depends, by this association, on another row that is destroyed.
    Dependent(&'static AssociationDef),
}

impl Cause {
    /// The association.
    ///
    /// ```
    /// use assoc_repo::Cause;
    /// use assoc_repo::prelude::*;
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct User {
    ///     pub id: i64,
    ///     #[has_many]
    ///     pub posts: HasMany<Post>,
    /// }
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub user_id: i64,
    /// }
    ///
    /// let cause = Cause::Dependent(User::POSTS.def());
    /// assert_eq!(cause.association().map(|association| association.name), Some("posts"));
    /// assert!(Cause::OwnCall.association().is_none());
    /// ```
    #[must_use]
    pub fn association(self) -> Option<&'static AssociationDef> {
        match self {
            Cause::OwnCall => None,
            Cause::Member(association) | Cause::Removed(association) | Cause::Dependent(association) => {
                Some(association)
            }
        }
    }
}

/// `member of User.posts`.
impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::OwnCall => f.write_str("own call"),
            Cause::Member(association) => write!(f, "member of {}", association.qualified_name()),
            Cause::Removed(association) => write!(f, "removed from {}", association.qualified_name()),
            Cause::Dependent(association) => write!(f, "dependent of {}", association.qualified_name()),
        }
    }
}

/// What is done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RowAction {
    /// It is new.
    Insert,
    /// Columns of it change.
    Update,
    /// It goes.
    Destroy,
}
