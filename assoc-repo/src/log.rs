//! The statement log: one `tracing` event a statement, and counters for tests.
//!
//! Events have the target `assoc::statement`, level `DEBUG`, and the fields `sql`, `binds` (their number; values are
//! never logged) and `micros`. Failed statements are logged at `WARN` with `error`.
//!
//! A counter counts the statements that run *while its future is polled*: that attributes them to the right piece of
//! code however many tasks share a repo, and needs no runtime. Work the future hands to another task is not counted.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use assoc_core::{Result, Statement};

type Counter = Arc<AtomicUsize>;

thread_local! {
    static ACTIVE: RefCell<Vec<Counter>> = const { RefCell::new(Vec::new()) };
}

/// Counts and times one statement, then logs it.
pub(crate) struct Timer(Option<Instant>);

impl Timer {
    pub(crate) fn start() -> Self {
        ACTIVE.with_borrow(|active| active.iter().for_each(|counter| _ = counter.fetch_add(1, Ordering::Relaxed)));
        Timer(tracing::enabled!(target: "assoc::statement", tracing::Level::DEBUG).then(Instant::now))
    }

    pub(crate) fn finish<T>(self, statement: &Statement, result: &Result<T>) {
        let (sql, binds) = (statement.sql(), statement.bound_values());
        match (result, self.0) {
            (Ok(_), None) => {}
            (Ok(_), Some(start)) => {
                let micros = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
                tracing::debug!(target: "assoc::statement", sql, binds, micros);
            }
            (Err(error), _) => tracing::warn!(target: "assoc::statement", sql, binds, %error),
        }
    }
}

/// Runs a future and counts the statements it causes.
pub(crate) async fn count<F: Future>(future: F) -> (F::Output, usize) {
    let counter = Counter::default();
    let output = Counted { future: Box::pin(future), counter: Arc::clone(&counter) }.await;
    (output, counter.load(Ordering::Relaxed))
}

struct Counted<F> {
    future: Pin<Box<F>>,
    counter: Counter,
}

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _active = Active::enter(&self.counter);
        self.future.as_mut().poll(context)
    }
}

// Leaves also when the future panics.
struct Active;

impl Active {
    fn enter(counter: &Counter) -> Active {
        ACTIVE.with_borrow_mut(|active| active.push(Arc::clone(counter)));
        Active
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.with_borrow_mut(|active| _ = active.pop());
    }
}
