//! The connection of an open transaction, and which of its levels are open.
//!
//! A level is the transaction itself or a savepoint in it. A handle names its level by identity, not by depth, so a
//! handle of a level that has ended can never reach another level of the same depth. Statements belong to the innermost
//! level. Savepoints on one connection nest, so two overlapping ones would undo or keep each other's rows.
//!
//! # Futures that are dropped
//!
//! A level joins the list before its SAVEPOINT is sent and leaves it after its end was answered; in between it is
//! marked as abandoned. If a future is dropped half-way, the next user of the connection finds the mark and undoes the
//! level. The work may be half done by then, because [`Connection::rollback_to_savepoint`] can be repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};

use assoc_core::counters::ParentGroup;
use assoc_core::driver::{Connection, KeySet};
use assoc_core::value::DateTime;
use assoc_core::{Error, ErrorKind, Result};
use tokio::sync::{Mutex, MutexGuard};

use crate::touched_rows::TouchedRows;
use crate::transaction::Hooks;

/// A transaction or a savepoint in one.
pub(crate) struct Level {
    // Its handle is gone without an end, or its SAVEPOINT has not been answered. Beside the lock, because a drop cannot
    // wait for a statement that is running.
    abandoned: AtomicBool,
}

impl Level {
    fn new(abandoned: bool) -> Arc<Level> {
        Arc::new(Level { abandoned: AtomicBool::new(abandoned) })
    }

    /// Marks the level, so that the next user of the connection undoes its work.
    pub(crate) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Release);
    }

    fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }
}

/// One level of an open transaction, as handles share it.
#[derive(Clone)]
pub(crate) struct LevelHandle {
    transaction: Arc<Mutex<OpenTransaction>>,
    outermost: Arc<Level>,
    level: Arc<Level>,
    hooks: Hooks,
    read_only: bool,
    // How many requests that write have begun.
    writes: Arc<AtomicUsize>,
}

impl LevelHandle {
    /// The outermost level, on a connection that has begun a transaction. `open` counts it as long as it holds the
    /// connection.
    pub(crate) fn outermost(connection: Box<dyn Connection>, open: &Arc<AtomicUsize>, read_only: bool) -> Self {
        let level = Level::new(false);
        let connection = HeldConnection::new(connection, open);
        let hooks = Hooks::default();
        let levels = vec![Arc::clone(&level)];
        let transaction = OpenTransaction {
            connection: Some(connection),
            levels,
            hooks: hooks.clone(),
            touched: TouchedRows::default(),
            failed_for_now: false,
        };
        let transaction = Arc::new(Mutex::new(transaction));
        LevelHandle { transaction, outermost: Arc::clone(&level), level, hooks, read_only, writes: Arc::default() }
    }

    /// The transaction, when no other statement is running in it.
    pub(crate) async fn lock(&self) -> MutexGuard<'_, OpenTransaction> {
        self.transaction.lock().await
    }

    /// Whether both belong to one transaction, at any level.
    pub(crate) fn is_same_transaction(&self, other: &LevelHandle) -> bool {
        Arc::ptr_eq(&self.transaction, &other.transaction)
    }

    /// What runs after the transaction.
    pub(crate) fn hooks(&self) -> &Hooks {
        &self.hooks
    }

    /// Notes that a request which may write begins.
    pub(crate) fn note_write(&self) {
        self.writes.fetch_add(1, Ordering::Relaxed);
    }

    /// How many requests that may write have begun in the transaction, at any level.
    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::Relaxed)
    }

    /// Whether the transaction was begun for reading only.
    pub(crate) fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Whether this level is the transaction itself.
    pub(crate) fn is_outermost(&self) -> bool {
        Arc::ptr_eq(&self.outermost, &self.level)
    }

    /// Whether a statement of the transaction has failed in a way that may not happen again.
    pub(crate) async fn has_failed_for_now(&self) -> bool {
        self.lock().await.failed_for_now
    }

    /// The level this handle is of.
    pub(crate) fn level(&self) -> &Arc<Level> {
        &self.level
    }

    /// Opens a savepoint in this level.
    pub(crate) async fn nest(&self) -> Result<LevelHandle> {
        let level = self.lock().await.nest(&self.level).await?;
        Ok(LevelHandle { level, ..self.clone() })
    }

    /// Ends this level, keeping or undoing what was done in it.
    pub(crate) async fn end(&self, keep: bool) -> Result<()> {
        self.lock().await.end(&self.level, keep).await
    }

    /// Notes that the level's owner is gone without an end.
    pub(crate) fn abandon(&self) {
        self.level.abandon();
        self.let_go();
    }

    /// Gives the connection back if the whole transaction is abandoned and no call runs in it. A call that abandons a
    /// level calls this, and so does a call that releases the lock, so that one of the two sees the change of the
    /// other.
    pub(crate) fn let_go(&self) {
        fence(Ordering::SeqCst);
        if self.outermost.is_abandoned()
            && let Ok(mut transaction) = self.transaction.try_lock()
        {
            transaction.discard();
        }
    }
}

/// A connection that counts as one more transaction, until it is dropped.
struct HeldConnection {
    connection: Box<dyn Connection>,
    open: Arc<AtomicUsize>,
}

impl HeldConnection {
    fn new(connection: Box<dyn Connection>, open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        HeldConnection { connection, open: Arc::clone(open) }
    }
}

impl Drop for HeldConnection {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection inside a transaction.
pub(crate) struct OpenTransaction {
    connection: Option<HeldConnection>,
    // The open levels, outermost first. The place of one is the depth of its savepoint.
    levels: Vec<Arc<Level>>,
    hooks: Hooks,
    touched: TouchedRows,
    // A statement met a deadlock, a lock timeout or a busy database.
    failed_for_now: bool,
}

impl OpenTransaction {
    /// Takes note of how a statement ended.
    pub(crate) fn note<T>(&mut self, result: &Result<T>) {
        self.failed_for_now |= result.as_ref().is_err_and(Error::is_retryable);
    }

    /// The rows whose times the transaction has moved.
    pub(crate) fn touched(&self) -> &TouchedRows {
        &self.touched
    }

    /// The same, to forget some.
    pub(crate) fn touched_mut(&mut self) -> &mut TouchedRows {
        &mut self.touched
    }

    /// Notes rows whose times the innermost level has moved.
    pub(crate) fn note_touched(&mut self, group: &ParentGroup, keys: &KeySet, now: DateTime) {
        self.touched.note(self.levels.len().saturating_sub(1), group, keys, now);
    }

    // Dropping the connection inside a transaction rolls it back: the driver's contract.
    fn discard(&mut self) {
        self.connection = None;
        self.levels.clear();
    }

    /// The connection, for a statement of a level.
    pub(crate) async fn connection(&mut self, level: &Arc<Level>) -> Result<&mut Box<dyn Connection>> {
        self.undo_abandoned().await?;
        self.require_innermost(level)?;
        self.current()
    }

    fn current(&mut self) -> Result<&mut Box<dyn Connection>> {
        self.connection.as_mut().map(|held| &mut held.connection).ok_or_else(ended)
    }

    // Only what was answered leaves the list: this future may be dropped as well.
    async fn undo_abandoned(&mut self) -> Result<()> {
        let Some(depth) = self.levels.iter().position(|level| level.is_abandoned()) else { return Ok(()) };
        match &mut self.connection {
            Some(held) if depth > 0 => {
                held.connection.rollback_to_savepoint(number(depth)).await?;
                self.hooks.undo(&self.levels[depth..]);
                self.touched.undo(depth);
                self.levels.truncate(depth);
            }
            _ => self.discard(),
        }
        Ok(())
    }

    fn require_innermost(&self, level: &Arc<Level>) -> Result<()> {
        if self.levels.last().is_some_and(|innermost| Arc::ptr_eq(innermost, level)) {
            return Ok(());
        }
        if self.levels.iter().any(|open| Arc::ptr_eq(open, level)) { Err(busy()) } else { Err(ended()) }
    }

    /// Opens a savepoint in a level.
    pub(crate) async fn nest(&mut self, outer: &Arc<Level>) -> Result<Arc<Level>> {
        self.undo_abandoned().await?;
        self.require_innermost(outer)?;
        let level = Level::new(true);
        let depth = self.levels.len();
        self.levels.push(Arc::clone(&level));
        self.current()?.savepoint(number(depth)).await?;
        level.abandoned.store(false, Ordering::Release);
        Ok(level)
    }

    /// Ends a level, keeping or undoing what was done in it.
    pub(crate) async fn end(&mut self, level: &Arc<Level>, keep: bool) -> Result<()> {
        self.undo_abandoned().await?;
        self.require_innermost(level)?;
        let depth = self.levels.len() - 1;
        if depth == 0 {
            // Whatever happens, this connection is done: after a failed COMMIT there is nothing left to roll back.
            self.levels.clear();
            let mut held = self.connection.take().ok_or_else(ended)?;
            return if keep { held.connection.commit().await } else { held.connection.rollback().await };
        }
        if keep {
            self.current()?.release_savepoint(number(depth)).await?;
            self.hooks.keep(level, &self.levels[depth - 1]);
            self.touched.keep(depth);
        } else {
            self.current()?.rollback_to_savepoint(number(depth)).await?;
            self.hooks.undo(&self.levels[depth..]);
            self.touched.undo(depth);
        }
        self.levels.pop();
        Ok(())
    }
}

// Memory limits the number of levels far below the range of `u32`.
fn number(depth: usize) -> u32 {
    u32::try_from(depth).unwrap_or(u32::MAX)
}

#[cold]
fn ended() -> Error {
    ErrorKind::Transaction("it has ended already: use the handle it was begun on").into()
}

#[cold]
fn busy() -> Error {
    ErrorKind::Transaction(
        "a transaction nested in it is open: use that one's handle until it has ended, and run those that are nested in \
         the same transaction one after the other",
    )
    .into()
}
