//! The thread on which a statement runs.
//!
//! SQLite is a library, and its calls block. A blocked thread of a runtime runs no other task, so calls that may take
//! long must leave it. But leaving costs as much as several short statements (the table is in the documentation of
//! [`Execution`]).
//!
//! Hence the default, [`Execution::Auto`]:
//!
//! * Without a runtime there is no other task to stall, and everything runs inline.
//! * Work that may wait for a lock or a disk (`COMMIT`, a write outside a transaction, `BEGIN IMMEDIATE` when the lock
//!   is not free) always leaves.
//! * A statement whose recent runs on this connection were shorter than 50 µs stays ([`costs`](crate::costs)); tokio
//!   advises to stay below 10 to 100 µs between two `.await`s. Any other statement leaves. If a query that stayed turns
//!   out to be long, a runtime with several threads finishes it in place after half a millisecond.
//! * A task that runs only short statements still yields, because every statement spends from tokio's cooperative
//!   budget.
//!
//! *Leaving* is [`block_in_place`](tokio::task::block_in_place) on a multi-threaded runtime: the statement stays on its
//! thread and the other tasks move, so rows are still borrowed from SQLite. A current-thread runtime has no other
//! thread for its tasks, so there the *connection* moves to a blocking thread, and rows return packed, some thousand
//! values at a time, through a bounded channel. The sink stays with the task and need not be `'static`.
//!
//! # Cancellation
//!
//! Inline and in place, a statement runs within one `poll`, so no future can be dropped in the middle of it. A
//! statement on another thread can lose its future. It is interrupted then, and the thread rolls the connection back
//! and returns it to the pool when the statement has ended. If the program drops only the future and not the
//! connection, the next statement waits for that.

#[cfg(feature = "tokio")]
use tokio::runtime::{Handle, RuntimeFlavor};

/// The thread on which statements run.
///
/// Without a tokio runtime around the call, or without the feature `tokio`, every statement runs inline, whatever this
/// says.
///
/// The costs of each variant, measured on 2 cores with one task (medians of interleaved rounds; ratios to hand-written
/// rusqlite that reuses one prepared statement, of two runs; `cargo run --release -p assoc-sqlite --example measure`):
///
/// | | point query | ratio | 10,000 rows | ratio |
/// |---|---:|---:|---:|---:|
/// | rusqlite by hand | 4.6 µs | 1.00 | 4.5 ms | 1.00 |
/// | no runtime: inline | 5.1 µs | 1.12–1.17 | 4.6 ms | 0.94–1.02 |
/// | 2 threads: inline | 5.1 µs | 1.11–1.13 | 4.5 ms | 0.92–0.99 |
/// | 2 threads: auto | 5.3 µs | 1.16–1.19 | 5.2 ms | 0.88–1.14 |
/// | 2 threads: in place | 6.1 µs | 1.35–1.47 | 5.3 ms | 0.97–1.18 |
/// | 2 threads: offload | 78 µs | 7.8–17 | 5.9 ms | 1.06–1.30 |
/// | 1 thread: auto | 5.4 µs | 1.19–1.26 | 5.7 ms | 1.04–1.26 |
/// | 1 thread: offload | 34 µs | 6.9–7.4 | 5.5 ms | 1.03–1.22 |
///
/// Moving a large load to another thread costs little, because that thread steps while this one decodes; the rows are
/// copied, a few chunks at a time. Moving a point query costs a multiple of the query, hence [`Auto`](Execution::Auto).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Execution {
    /// Inline without a runtime. In a runtime, short statements run inline. Longer ones run in place on a
    /// multi-threaded runtime, and on a blocking thread of a current-thread one.
    ///
    /// A `LocalSet` on a multi-threaded runtime is the one place where this does not work: tokio refuses to block in
    /// place there, by a panic, and does not say so beforehand. Use [`Offload`](Execution::Offload) there.
    #[default]
    Auto,
    /// Always on the calling thread. It is for programs without other tasks to stall: tools, tests, or a thread that
    /// serves only the database.
    Inline,
    /// Always in place on a multi-threaded runtime, on a blocking thread of a current-thread one.
    BlockInPlace,
    /// Always on one of the runtime's blocking threads.
    Offload,
}

/// How to leave the thread, where there is a runtime.
#[cfg(feature = "tokio")]
pub(crate) struct Leaving {
    pub(crate) placement: Placement,
    /// Whether short statements stay.
    pub(crate) short_stays: bool,
}

#[cfg(feature = "tokio")]
pub(crate) enum Placement {
    InPlace,
    Offloaded(Handle),
}

#[cfg(feature = "tokio")]
impl Execution {
    /// `None`: nothing leaves.
    pub(crate) fn leaving(self) -> Option<Leaving> {
        if self == Execution::Inline {
            return None;
        }
        let handle = Handle::try_current().ok()?;
        let placement = match handle.runtime_flavor() {
            RuntimeFlavor::MultiThread if self != Execution::Offload => Placement::InPlace,
            _ => Placement::Offloaded(handle),
        };
        Some(Leaving { placement, short_stays: self == Execution::Auto })
    }
}
