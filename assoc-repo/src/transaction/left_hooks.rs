//! Hooks that are due and could not be waited for: of a transaction whose handle was dropped without an end (a future that was
//! cancelled, a panic), and those that were still to run when the call that ran them was dropped.
//!
//! A hook is a future, and nothing can be awaited while a value is dropped. So the next call that takes a connection runs them
//! first, in any task, or [`Repo::run_left_hooks`](crate::Repo::run_left_hooks) does. To poll them on the spot
//! would be another way; but then they would run in the middle of an unwinding, under the locks of the task that drops the future,
//! and most of them could not go on without an executor.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::hooks::Work;
use crate::log::apart;
use crate::repo::Repo;

/// Hooks that wait for the next call.
#[derive(Default)]
pub(crate) struct LeftHooks {
    // Whether there may be any, so that calls need no lock.
    any: AtomicBool,
    // Whether a call runs them: their own calls do not.
    running: AtomicBool,
    works: Mutex<VecDeque<Work>>,
}

impl LeftHooks {
    fn works(&self) -> MutexGuard<'_, VecDeque<Work>> {
        // A panic while the lock is held leaves a list that is whole.
        self.works.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes hooks in.
    pub(super) fn leave(&self, due: impl IntoIterator<Item = Work>) {
        let mut works = self.works();
        works.extend(due);
        self.any.store(!works.is_empty(), Ordering::Release);
    }

    /// Whether there may be any that no call runs yet.
    pub(crate) fn are_there(&self) -> bool {
        self.any.load(Ordering::Acquire) && !self.running.load(Ordering::Acquire)
    }

    fn take(&self) -> Option<Work> {
        let mut works = self.works();
        let work = works.pop_front();
        self.any.store(!works.is_empty(), Ordering::Release);
        work
    }
}

/// Hooks that are being run: what is left of them when this is dropped is left to the next call.
pub(super) struct Due<'l> {
    works: VecDeque<Work>,
    left: &'l LeftHooks,
}

impl<'l> Due<'l> {
    pub(super) fn new(works: Vec<Work>, left: &'l LeftHooks) -> Self {
        Due { works: works.into(), left }
    }

    pub(super) fn next(&mut self) -> Option<Work> {
        self.works.pop_front()
    }
}

impl Drop for Due<'_> {
    fn drop(&mut self) {
        if !self.works.is_empty() {
            self.left.leave(self.works.drain(..));
        }
    }
}

struct Running<'l>(&'l LeftHooks);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.store(false, Ordering::Release);
    }
}

impl Repo {
    /// Runs the hooks ([`after_rollback`](Self::after_rollback), and callbacks of that name) of transactions that were dropped
    /// without an end: their future was cancelled, or there was a panic. The next call that takes a connection from the pool
    /// runs them as well, before anything else, so this is for the end of a program, and for tests.
    ///
    /// Their statements count towards no budget. Each runs once; one that fails, or panics, is logged (`tracing`, target
    /// `assoc::hooks`), because the call that runs them has nothing to do with them. As long as they wait they keep what they
    /// hold: a repo, perhaps.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # use std::sync::atomic::{AtomicBool, Ordering};
    /// # use std::sync::Arc;
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// let told = Arc::new(AtomicBool::new(false));
    /// let tx = repo.begin().await?;
    /// let hook = Arc::clone(&told);
    /// tx.after_rollback(move || async move {
    ///     hook.store(true, Ordering::Relaxed);
    ///     Ok(())
    /// })?;
    /// drop(tx);
    /// repo.run_left_hooks().await;
    /// assert!(told.load(Ordering::Relaxed));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn run_left_hooks(&self) {
        let left = &self.shared.left_hooks;
        if !left.any.load(Ordering::Acquire) || left.running.swap(true, Ordering::AcqRel) {
            return;
        }
        let _running = Running(left);
        while let Some(work) = left.take() {
            match apart(Box::pin(work.run())).await {
                Some(Ok(())) => {}
                Some(Err(error)) => tracing::warn!(target: "assoc::hooks", %error, "a hook that was left has failed"),
                None => tracing::warn!(target: "assoc::hooks", "a hook that was left has panicked"),
            }
        }
    }
}
