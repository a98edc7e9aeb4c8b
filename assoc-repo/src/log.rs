//! The statement log: one `tracing` event per statement, counters for tests, and budgets.
//!
//! Events have the target `assoc::statement`, level `DEBUG`, and the fields `sql`, `binds` (their number) and `micros`.
//! Failed statements are logged at `WARN` with the class of the `error`, and `code`, `table` and `constraint` where the
//! database reports them. Values are never logged. Bound values are left out, and the database's `message` is logged
//! only where it contains no value. (The error that the call returns contains the message in any case.)
//!
//! A tally counts the statements that run *while its future is polled*. So it attributes them to the right code even if
//! many tasks share a repo, and needs no runtime. Work that the future hands to another task is not counted.

use std::cell::RefCell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use assoc_core::driver::{BoxFuture, Statement};
use assoc_core::sql::excerpt;
use assoc_core::{DriverErrorKind, Error, ErrorKind, Result};

/// What a future may run, and has run.
struct Tally {
    used: AtomicUsize,
    limit: Option<usize>,
    exceeded: AtomicBool,
}

impl Tally {
    fn new(limit: Option<usize>) -> Arc<Tally> {
        Arc::new(Tally { used: AtomicUsize::new(0), limit, exceeded: AtomicBool::new(false) })
    }

    fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    // One future is polled by one thread at a time, so nothing else counts between this look and the count.
    fn allows_one_more(&self) -> bool {
        let allows = self.limit.is_none_or(|limit| self.used() < limit);
        if !allows {
            self.exceeded.store(true, Ordering::Relaxed);
        }
        allows
    }
}

thread_local! {
    static ACTIVE: RefCell<Vec<Arc<Tally>>> = const { RefCell::new(Vec::new()) };
}

/// Counts and times one statement, then logs it.
pub(crate) struct Timer(Option<Instant>);

impl Timer {
    /// Counts a statement that is about to run.
    ///
    /// # Errors
    /// When it is more than a budget around it allows.
    pub(crate) fn start(statement: &Statement) -> Result<Self> {
        ACTIVE.with_borrow(|active| match active.iter().find(|tally| !tally.allows_one_more()) {
            Some(full) => Err(too_many(full.limit.unwrap_or_default(), statement)),
            None => {
                active.iter().for_each(|tally| _ = tally.used.fetch_add(1, Ordering::Relaxed));
                Ok(())
            }
        })?;
        Ok(Timer(tracing::enabled!(target: "assoc::statement", tracing::Level::DEBUG).then(Instant::now)))
    }

    pub(crate) fn finish<T>(self, statement: &Statement, result: &Result<T>) {
        match (result, self.0) {
            (Ok(_), None) => {}
            (Ok(_), Some(start)) => {
                let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
                let (sql, binds) = (&*excerpt(statement.sql()), statement.bound_values());
                tracing::debug!(target: "assoc::statement", sql, binds, micros);
            }
            (Err(error), _) => warn(statement, error),
        }
    }
}

#[cold]
fn warn(statement: &Statement, error: &Error) {
    let (sql, binds) = (&*excerpt(statement.sql()), statement.bound_values());
    match error.kind() {
        ErrorKind::Driver(driver) => {
            let (code, table, constraint) = (driver.code(), driver.table(), driver.constraint());
            let message = Some(driver.message()).filter(|_| speaks_of_no_value(driver.kind()));
            tracing::warn!(
                target: "assoc::statement", sql, binds, error = %driver.kind(), message, code, table, constraint
            );
        }
        ErrorKind::Decode { model, column, expected, .. } => {
            let error = format!("column `{model}.{column}` cannot be read as {expected}");
            tracing::warn!(target: "assoc::statement", sql, binds, error);
        }
        // Names and numbers only.
        ErrorKind::RowWidth { .. } | ErrorKind::Transaction(_) | ErrorKind::Unsupported { .. } => {
            tracing::warn!(target: "assoc::statement", sql, binds, %error);
        }
        _ => tracing::warn!(target: "assoc::statement", sql, binds, error = "its rows were refused"),
    }
}

// What databases say of these is about the statement, the connection or the machine; of anything else it may repeat what
// was to be stored.
fn speaks_of_no_value(kind: DriverErrorKind) -> bool {
    use DriverErrorKind::{
        AmbiguousCommit, ConnectionLost, Corrupt, DiskFull, Interrupted, PoolTimeout, ReadOnly, Retryable, Statement,
        TimeLimit, Unavailable,
    };
    matches!(
        kind,
        AmbiguousCommit
            | ConnectionLost
            | Corrupt
            | DiskFull
            | Interrupted
            | PoolTimeout
            | ReadOnly
            | Retryable
            | Statement
            | TimeLimit
            | Unavailable
    )
}

/// A statement that is more than is allowed.
#[cold]
pub(crate) fn too_many(limit: usize, statement: &Statement) -> Error {
    ErrorKind::TooManyStatements { limit, plan: excerpt(statement.sql()).into_owned() }.into()
}

/// Runs a future and counts the statements it causes.
pub(crate) async fn count<F: Future>(future: F) -> (F::Output, usize) {
    let tally = Tally::new(None);
    let output = Tallied { future: Box::pin(future), tally: Arc::clone(&tally) }.await;
    (output, tally.used())
}

/// Runs a future with a limit on the statements it causes.
pub(crate) async fn limit<F: Future>(most: usize, future: F) -> Result<F::Output> {
    let tally = Tally::new(Some(most));
    let output = Tallied { future: Box::pin(future), tally: Arc::clone(&tally) }.await;
    if tally.exceeded.load(Ordering::Relaxed) {
        let plan = "more were asked for, and refused, while the future with this budget ran".to_owned();
        return Err(ErrorKind::TooManyStatements { limit: most, plan }.into());
    }
    Ok(output)
}

struct Tallied<F> {
    future: Pin<Box<F>>,
    tally: Arc<Tally>,
}

impl<F: Future> Future for Tallied<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _active = Active::enter(&self.tally);
        self.future.as_mut().poll(context)
    }
}

/// Runs a future whose statements no budget and no count includes. `None` if it panics.
pub(crate) async fn apart<T>(future: BoxFuture<'_, T>) -> Option<T> {
    Apart(future).await
}

struct Apart<'f, T>(BoxFuture<'f, T>);

impl<T> Future for Apart<'_, T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let active = ACTIVE.take();
        // A future that has panicked is not polled again.
        let polled = catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context)));
        ACTIVE.set(active);
        match polled {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        }
    }
}

// Leaves also when the future panics.
struct Active;

impl Active {
    fn enter(tally: &Arc<Tally>) -> Active {
        ACTIVE.with_borrow_mut(|active| active.push(Arc::clone(tally)));
        Active
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.with_borrow_mut(|active| _ = active.pop());
    }
}
