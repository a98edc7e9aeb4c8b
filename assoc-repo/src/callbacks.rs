//! Functions of the application that run when rows are saved and destroyed: the callbacks of models ([`Callbacks`]) and
//! those of associations to many (`before_add` and its like).
//!
//! A model's definition holds them behind `Any`, because the core does not know [`Repo`]. Here they have their types again:
//! [`ModelFunctions`] and [`MemberFunctions`] are tables of plain function pointers, which executors call for rows of whose
//! type they know nothing.
//!
//! Callbacks use the transaction of the write that they are a part of. A request keeps its connection to itself, so the
//! executors let go of it while a callback runs.

use std::any::Any;
use std::fmt;
use std::future::{Future, ready};

use assoc_core::change::{RowChange, same_value};
use assoc_core::metadata::{AssociationDef, CallbackPoint, ColumnDef, HasCallbacks, ModelDef};
use assoc_core::{Column, ColumnType, ErrorKind, Model, Result, Value};

use crate::levels::LevelHandle;
use crate::repo::Repo;

mod change;
mod functions;

pub use change::Change;
pub use functions::{AddFunction, MemberFunction, MemberFunctions, ModelFunctions, change_as, row_as};
pub(crate) use functions::{AfterFunction, member_functions, model_functions};

/// Whether a call runs callbacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Firing {
    /// It does, where rows have any.
    Callbacks,
    /// It writes rows in bulk.
    Silent,
}

impl Firing {
    /// Whether rows of a model are saved with callbacks.
    pub(crate) fn concerns(self, model: &'static ModelDef) -> bool {
        self == Firing::Callbacks && model.has_save_callbacks()
    }

    /// Whether a `before_validate` belongs to a row that is part of a change.
    pub(crate) fn validates(self, change: &RowChange) -> bool {
        let has = |model: &'static ModelDef| model.has_callback(CallbackPoint::BeforeValidate);
        self == Firing::Callbacks && change.any_model(&has)
    }
}

/// How deep callbacks may run inside each other.
const DEEPEST: u16 = 16;

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
    fn before_validate(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (change, cx);
        ready(Ok(()))
    }

    /// Before the row is inserted or updated. Foreign keys are known. It may set columns.
    fn before_save(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (change, cx);
        ready(Ok(()))
    }

    /// Before the row is inserted.
    fn before_insert(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (change, cx);
        ready(Ok(()))
    }

    /// Before the row is updated.
    fn before_update(change: &mut Change<Self>, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (change, cx);
        ready(Ok(()))
    }

    /// After the row was inserted.
    fn after_insert(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After the row was updated.
    fn after_update(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After the row was inserted or updated, and all other rows of the save were written.
    fn after_save(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// Runs before the row and its dependents are destroyed. All restrictions have been checked by then.
    fn before_destroy(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After the row was destroyed, and what depended on it.
    fn after_destroy(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After the outermost transaction was committed, once for each row, however often it was written. It cannot undo
    /// anything: an error is reported as [`ErrorKind::AfterTransaction`] when all have run. The context's repo is that of
    /// the write, outside of the transaction.
    fn after_commit(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }

    /// After what was written to the row was undone, once for each row, when the outermost transaction has ended.
    fn after_rollback(row: &Self, cx: &CallbackContext<'_>) -> impl Future<Output = Result<()>> + Send {
        let _ = (row, cx);
        ready(Ok(()))
    }
}

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
    #[must_use]
    pub fn repo(&self) -> &'c Repo {
        self.repo
    }

    /// Why the row is written.
    #[must_use]
    pub fn cause(&self) -> Cause {
        self.cause
    }

    /// What is done with the row.
    #[must_use]
    pub fn action(&self) -> RowAction {
        self.action
    }

    /// The columns that were written, with their values before and after. Empty before the row is written, when
    /// [`Change::changed`] says it, and of a row that is destroyed.
    #[must_use]
    pub fn changes(&self) -> &'c [ColumnChange] {
        self.changes
    }

    /// What was written to a column; `None` if it has not changed.
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

/// A column that is written.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ColumnChange {
    /// The column.
    pub column: &'static ColumnDef,
    /// What it held before; `None` of a new row.
    pub before: Option<Value<'static>>,
    /// What it holds afterwards.
    pub after: Value<'static>,
}

/// What differs between a row and the row that it was; of a new row, what is not `NULL`.
pub(crate) fn changes_of(model: &'static ModelDef, before: Option<&dyn Any>, after: &dyn Any) -> Vec<ColumnChange> {
    let mut changes = Vec::new();
    for (at, column) in model.columns.iter().enumerate() {
        let value = model.rows.value(after, at);
        let known = before.map(|before| model.rows.value(before, at));
        let differs = known.as_ref().map_or(!value.is_null(), |known| !same_value(column, known, &value));
        if differs {
            let (before, after) = (known.map(Value::into_owned), value.into_owned());
            changes.push(ColumnChange { column, before, after });
        }
    }
    changes
}

/// What a change is about to write.
pub(crate) fn changes_to_come(change: &RowChange) -> Vec<ColumnChange> {
    let model = change.model();
    let changed = change.changed().into_iter().map(|(at, after)| {
        let before = change.base().map(|row| model.rows.value(&**row, at).into_owned());
        ColumnChange { column: &model.columns[at], before, after }
    });
    changed.collect()
}

impl Repo {
    /// The repo of a transaction, for the callbacks of a write.
    ///
    /// # Errors
    /// [`ErrorKind::CallbackDepth`] if too many callbacks run inside each other already.
    pub(crate) fn for_callbacks(&self, model: &'static ModelDef) -> Result<Repo> {
        if self.callback_depth >= DEEPEST {
            return Err(ErrorKind::CallbackDepth { model: model.name, limit: DEEPEST }.into());
        }
        Ok(Repo { callback_depth: self.callback_depth + 1, ..self.clone() })
    }

    /// The same repo, outside of the transaction.
    pub(crate) fn outside(&self) -> Repo {
        Repo { transaction: None, ..self.clone() }
    }

    /// How many requests that may write have begun in the transaction.
    pub(crate) fn writes(&self) -> usize {
        self.transaction.as_ref().map_or(0, LevelHandle::writes)
    }
}
