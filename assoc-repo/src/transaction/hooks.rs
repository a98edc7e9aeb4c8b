//! What runs once a transaction has ended: after COMMIT, or after what a hook was given in was undone.
//!
//! A hook belongs to the level (the transaction or a savepoint in it) on whose handle it was given. When a savepoint is
//! kept, its hooks become those of the level around it; when it is undone, its `after_commit` hooks are dropped and its
//! `after_rollback` hooks are due. Whatever is due runs after the end of the outermost transaction, when its connection is
//! back in the pool, so that hooks can use the repo.

use std::any::TypeId;
use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use assoc_core::change::Row;
use assoc_core::driver::BoxFuture;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{CallbackPoint, ModelDef};
use assoc_core::{Error, ErrorKind, Result};

use super::left_hooks::{Due, LeftHooks};
use crate::callbacks::{AfterFunction, CallbackContext, Cause, ColumnChange, RowAction, model_functions};
use crate::levels::Level;
use crate::repo::Repo;

/// A function that is to run once.
type Run = Box<dyn FnOnce() -> BoxFuture<'static, Result<()>> + Send>;

/// A hook, not yet run.
pub(super) enum Work {
    /// A function that the application has given.
    Function(Run),
    /// A callback of a row that was written.
    Row(Box<RowHook>),
}

/// A callback of a model, for a row that was written.
pub(crate) struct RowHook {
    /// Which row it is; `None` of a model without primary key.
    pub(crate) identity: Option<(TypeId, KeyTuple)>,
    pub(crate) function: AfterFunction,
    pub(crate) row: Row,
    /// Outside of the transaction.
    pub(crate) repo: Repo,
    pub(crate) cause: Cause,
    pub(crate) action: RowAction,
    pub(crate) changes: Vec<ColumnChange>,
}

impl Work {
    pub(super) async fn run(self) -> Result<()> {
        match self {
            Work::Function(run) => run().await,
            Work::Row(hook) => {
                let RowHook { function, row, repo, cause, action, changes, .. } = *hook;
                function(&row, &CallbackContext::new(&repo, cause, action, &changes)).await
            }
        }
    }
}

struct Hook {
    level: Arc<Level>,
    after_commit: bool,
    work: Work,
}

// A row that was written several times is told of once, as it is at last, in the place of the first time.
fn each_row_once(due: impl Iterator<Item = Work>) -> Vec<Work> {
    let mut places: HashMap<(TypeId, KeyTuple), usize> = HashMap::new();
    let mut once: Vec<Work> = Vec::new();
    for work in due {
        let identity = match &work {
            Work::Row(hook) => hook.identity.clone(),
            Work::Function(_) => None,
        };
        let Some(identity) = identity else {
            once.push(work);
            continue;
        };
        match places.get(&identity) {
            None => {
                places.insert(identity, once.len());
                once.push(work);
            }
            Some(at) => {
                let earlier = std::mem::replace(&mut once[*at], work);
                if let (Work::Row(earlier), Work::Row(last)) = (earlier, &mut once[*at])
                    && (earlier.action, last.action) == (RowAction::Insert, RowAction::Update)
                {
                    last.action = RowAction::Insert;
                }
            }
        }
    }
    once
}

/// The hooks of an open transaction. Its handles share them.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    waiting: Vec<Hook>,
    // `after_rollback` hooks of savepoints that were undone.
    due: Vec<Work>,
}

impl Hooks {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while the lock is held leaves lists that are whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, level: &Arc<Level>, after_commit: bool, work: Work) {
        self.state().waiting.push(Hook { level: Arc::clone(level), after_commit, work });
    }

    /// A savepoint is kept: its hooks are those of the level around it.
    pub(crate) fn keep(&self, level: &Arc<Level>, outer: &Arc<Level>) {
        for hook in &mut self.state().waiting {
            if Arc::ptr_eq(&hook.level, level) {
                hook.level = Arc::clone(outer);
            }
        }
    }

    /// Levels are undone.
    pub(crate) fn undo(&self, levels: &[Arc<Level>]) {
        let mut state = self.state();
        let is_undone = |hook: &Hook| levels.iter().any(|level| Arc::ptr_eq(level, &hook.level));
        let (undone, waiting) = std::mem::take(&mut state.waiting).into_iter().partition(is_undone);
        state.waiting = waiting;
        let undone: Vec<Hook> = undone;
        // A key may be another row's once it was undone, so rows are told apart within what is undone together.
        let due = undone.into_iter().filter(|hook| !hook.after_commit).map(|hook| hook.work);
        state.due.extend(each_row_once(due));
    }

    /// Takes what is due after the end of the transaction, in the order in which it was given.
    pub(super) fn take(&self, committed: bool) -> Vec<Work> {
        let (waiting, mut due) = {
            let mut state = self.state();
            (std::mem::take(&mut state.waiting), std::mem::take(&mut state.due))
        };
        let waiting = waiting.into_iter().filter(|hook| hook.after_commit == committed);
        due.extend(each_row_once(waiting.map(|hook| hook.work)));
        due
    }

    /// Runs what is due after the end of the transaction, in the order in which it was given, also after one has failed.
    ///
    /// # Errors
    /// [`ErrorKind::AfterTransaction`] with the first failure.
    pub(super) async fn run(&self, committed: bool, left: &LeftHooks) -> Result<()> {
        let mut due = Due::new(self.take(committed), left);
        let mut first: Option<Error> = None;
        let mut failed = 0;
        while let Some(work) = due.next() {
            if let Err(error) = work.run().await {
                failed += 1;
                first.get_or_insert(error);
            }
        }
        match first {
            None => Ok(()),
            Some(source) => Err(ErrorKind::AfterTransaction { committed, failed, source: Box::new(source) }.into()),
        }
    }
}

impl Repo {
    /// On a transaction's handle, runs a function once the outermost transaction is committed: to send a message, to fill a
    /// cache. It does not run if the transaction, or the savepoint whose handle this is, is undone. Several run in the order
    /// in which they were given, when the connection is back in the pool.
    ///
    /// What fails there cannot undo the transaction: all functions run, and the call that committed answers
    /// [`ErrorKind::AfterTransaction`], which says that the transaction is committed. It is never run again for that.
    ///
    /// # Errors
    /// [`ErrorKind::Transaction`] on a handle that is not a transaction's.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # use std::sync::{Arc, Mutex};
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// let greeted = Arc::new(Mutex::new(Vec::new()));
    /// repo.transaction(async |tx| {
    ///     let user = tx.insert(User::build().set(User::NAME, "Ada")).await?;
    ///     let greeted = Arc::clone(&greeted);
    ///     tx.after_commit(move || async move {
    ///         greeted.lock().unwrap().push(user.name);
    ///         Ok(())
    ///     })
    /// })
    /// .await?;
    /// assert_eq!(*greeted.lock().unwrap(), ["Ada"]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn after_commit<F>(&self, hook: impl FnOnce() -> F + Send + 'static) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.add_hook(true, Work::Function(Box::new(move || Box::pin(hook()))))
    }

    /// On a transaction's handle, runs a function once the transaction has ended, if what was done on this handle was
    /// undone: with the savepoint whose handle this is, with one around it, or with the whole transaction.
    ///
    /// Of a transaction that is dropped without an end (its future was cancelled, or there was a panic) nothing can be waited for.
    /// Then the next call that takes a connection of this repo runs the hooks first, or
    /// [`run_left_hooks`](Self::run_left_hooks) does. No hook runs if it is unknown whether COMMIT took effect.
    ///
    /// # Errors
    /// [`ErrorKind::Transaction`] on a handle that is not a transaction's.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// # use std::sync::Arc;
    /// # use std::sync::atomic::{AtomicBool, Ordering};
    /// let undone = Arc::new(AtomicBool::new(false));
    /// let tx = repo.begin().await?;
    /// let note = Arc::clone(&undone);
    /// tx.after_rollback(move || async move {
    ///     note.store(true, Ordering::Relaxed);
    ///     Ok(())
    /// })?;
    /// tx.rollback().await?;
    /// assert!(undone.load(Ordering::Relaxed));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn after_rollback<F>(&self, hook: impl FnOnce() -> F + Send + 'static) -> Result<()>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        self.add_hook(false, Work::Function(Box::new(move || Box::pin(hook()))))
    }

    /// On a transaction's handle, runs a callback of a row once the outermost transaction has ended.
    pub(crate) fn after_transaction(
        &self,
        model: &ModelDef,
        hook: impl Fn(AfterFunction) -> Result<RowHook>,
    ) -> Result<()> {
        let Some(functions) = model_functions(model) else { return Ok(()) };
        for (point, after_commit) in [(CallbackPoint::AfterCommit, true), (CallbackPoint::AfterRollback, false)] {
            if let Some(function) = functions.after(point) {
                self.add_hook(after_commit, Work::Row(Box::new(hook(function)?)))?;
            }
        }
        Ok(())
    }

    fn add_hook(&self, after_commit: bool, work: Work) -> Result<()> {
        let Some(handle) = &self.transaction else {
            let message = "`after_commit` and `after_rollback` are for its handle (`tx`): outside of one nothing is to be \
                           waited for";
            return Err(ErrorKind::Transaction(message).into());
        };
        handle.hooks().push(handle.level(), after_commit, work);
        Ok(())
    }
}
