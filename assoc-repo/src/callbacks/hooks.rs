//! The callbacks of a model.

use std::future::{Future, ready};

use assoc_core::metadata::HasCallbacks;
use assoc_core::{Model, Result};

use super::{CallbackContext, Change};
#[cfg(doc)]
use crate::Repo;
#[cfg(doc)]
use assoc_core::ErrorKind;

/// The callbacks of a model. All functions are optional: write those that are needed, with the attribute
/// [`#[callbacks]`](macro@crate::callbacks) above the `impl`, and `#[model(callbacks)]` on the struct.
///
/// They run in the transaction of the call that they belong to, in this order:
///
/// | [`insert`](Repo::insert) | [`update`](Repo::update) | [`destroy`](Repo::destroy) |
/// |---|---|---|
/// | `before_validate` | `before_validate` | |
/// | (problems are reported) | (problems are reported) | (restrictions are checked) |
/// | `before_save` | `before_save` | `before_destroy` |
/// | `before_insert` | `before_update` | |
/// | INSERT | UPDATE | what depends on the row, then DELETE |
/// | `after_insert` | `after_update` | `after_destroy` |
/// | `after_save` | `after_save` | |
/// | COMMIT | COMMIT | COMMIT |
/// | `after_commit` | `after_commit` | `after_commit` |
///
/// An error of any of them except `after_commit` and `after_rollback` refuses the whole call, and everything is undone. They
/// run for each row that a save writes, also for members; a change that writes nothing runs none. Rows are written batch by
/// batch, so `before_save` runs for all rows of a batch before the batch is written, and `after_insert` for all of them
/// afterwards. `after_save` runs when all rows of the save are written.
///
/// `delete`, `delete_all`, `update_all`, `upsert` and `insert_all` run no callbacks.
///
/// ```
/// use assoc_repo::prelude::*;
/// use assoc_repo::{CallbackContext, Callbacks, Change, callbacks};
/// # use assoc_sqlite::Sqlite;
///
/// #[derive(Model, Debug, Clone)]
/// #[model(callbacks)]
/// pub struct Post {
///     pub id: i64,
///     pub title: String,
///     pub slug: String,
/// }
///
/// #[callbacks]
/// impl Callbacks for Post {
///     async fn before_validate(post: &mut Change<Self>, _: &CallbackContext<'_>) -> Result<()> {
///         if let Some(title) = post.get(Post::TITLE)? {
///             post.set(Post::SLUG, title.to_lowercase().replace(' ', "-"));
///         }
///         Ok(())
///     }
///
///     async fn before_destroy(post: &Self, _: &CallbackContext<'_>) -> Result<()> {
///         if post.title == "Imprint" { Err(Error::other("the imprint stays")) } else { Ok(()) }
///     }
/// }
///
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<Post>().await?;
/// let post = repo.insert(Post::build().set(Post::TITLE, "On Engines")).await?;
/// assert_eq!(post.slug, "on-engines");
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no callbacks",
    note = "write `#[callbacks] impl Callbacks for {Self} {{ … }}`, and `#[model(callbacks)]` on the struct"
)]
pub trait Callbacks: Model + HasCallbacks {
    /// Before the problems of the change are looked for. It may set columns, and add problems. Keys that the row takes of others are
    /// in it as far as they are known: those of rows that exist, and those that were given to new ones.
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
    ///         let title = post.get(Post::TITLE)?.unwrap_or_default();
    ///         post.set(Post::TITLE, title.trim());
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, " Looms ")).await?;
    /// assert_eq!(post.title, "Looms");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn before_validate(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (change, cx);
        ready(Ok(()))
    }

    /// Before the row is inserted or updated. Foreign keys are known. It may set columns.
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
    ///         let edits = post.row().map_or(0, |row| row.edits + 1);
    ///         post.set(Post::EDITS, edits);
    ///         Ok(())
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// let post = repo.update(post.change().set(Post::TITLE, "Engines")).await?;
    /// assert_eq!(post.edits, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn before_save(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (change, cx);
        ready(Ok(()))
    }

    /// Before the row is inserted.
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
    ///         post.set(Post::EDITS, 1);
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
    fn before_insert(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (change, cx);
        ready(Ok(()))
    }

    /// Before the row is updated.
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
    /// let error = repo.update(post.change().set(Post::TITLE, "Engines")).await.unwrap_err();
    /// assert!(error.to_string().contains("a title stays"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn before_update(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (change, cx);
        ready(Ok(()))
    }

    /// After the row was inserted.
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
    ///         let text = format!("post {} is new", post.id); // the key is known
    ///         cx.repo().insert(Entry::build().set(Entry::TEXT, text)).await.map(drop)
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Entry>().await?;
    /// repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// assert_eq!(repo.count(Query::<Entry>::new()).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn after_insert(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After the row was updated.
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
    ///         let columns: Vec<_> = cx.changes().iter().map(|change| change.column.name).collect();
    ///         let text = format!("post {}: {}", post.id, columns.join(", "));
    ///         cx.repo().insert(Entry::build().set(Entry::TEXT, text)).await.map(drop)
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Entry>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// repo.update(post.change().set(Post::TITLE, "Engines")).await?;
    /// let entry = repo.one(Query::<Entry>::new()).await?;
    /// assert_eq!(entry.map(|entry| entry.text).as_deref(), Some("post 1: title"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn after_update(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After the row was inserted or updated, and all other rows of the save were written.
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
    ///     async fn after_save(post: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         let text = format!("{:?} of {}", cx.action(), post.title);
    ///         cx.repo().insert(Entry::build().set(Entry::TEXT, text)).await.map(drop)
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Entry>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// repo.update(post.change().set(Post::TITLE, "Engines")).await?;
    /// let texts = repo.pluck(Entry::TEXT, Query::order_by(Entry::ID.asc())).await?;
    /// assert_eq!(texts, ["Insert of Looms", "Update of Engines"]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn after_save(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// Runs before the row and its dependents are destroyed. All restrictions have been checked by then.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{CallbackContext, Callbacks, callbacks};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # #[model(callbacks)]
    /// # pub struct Post { pub id: i64, pub title: String, #[column(default = "0")] pub edits: i64 }
    /// #[callbacks]
    /// impl Callbacks for Post {
    ///     async fn before_destroy(post: &Self, _: &CallbackContext<'_>) -> Result<()> {
    ///         if post.edits > 0 { Err(Error::other("it was edited")) } else { Ok(()) }
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms").set(Post::EDITS, 1)).await?;
    /// assert!(repo.destroy(&post).await.is_err());
    /// assert!(repo.exists(Query::<Post>::new()).await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn before_destroy(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After the row was destroyed, and what depended on it.
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
    ///     async fn after_destroy(post: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         let text = format!("{} is gone", post.title);
    ///         cx.repo().insert(Entry::build().set(Entry::TEXT, text)).await.map(drop)
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Entry>().await?;
    /// let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// repo.destroy(&post).await?;
    /// assert_eq!(repo.count(Query::<Entry>::new()).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn after_destroy(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After the outermost transaction was committed, once for each row, however often it was written. It cannot undo
    /// anything: an error is reported as [`ErrorKind::AfterTransaction`] when all have run. The context's repo is that of
    /// the write, outside of the transaction.
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
    ///     async fn after_commit(post: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         // The row is in the database for everybody: now a message about it may be sent.
    ///         let text = format!("mail about {}", post.title);
    ///         cx.repo().insert(Entry::build().set(Entry::TEXT, text)).await.map(drop)
    ///     }
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Entry>().await?;
    /// repo.transaction(async |tx| {
    ///     tx.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    ///     assert_eq!(tx.count(Query::<Entry>::new()).await?, 0);
    ///     Ok::<(), Error>(())
    /// })
    /// .await?;
    /// assert_eq!(repo.count(Query::<Entry>::new()).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn after_commit(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After what was written to the row was undone, once for each row, when the outermost transaction has ended.
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
    ///     async fn after_rollback(post: &Self, cx: &CallbackContext<'_>) -> Result<()> {
    ///         let text = format!("{} was not kept", post.title);
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
    ///         Err(Error::other("changed my mind"))
    ///     })
    ///     .await;
    /// assert!(undone.is_err());
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 0);
    /// assert_eq!(repo.count(Query::<Entry>::new()).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    fn after_rollback(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }
}
