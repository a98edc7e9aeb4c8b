//! The public conformance suite: proves that a backend behaves as `assoc` promises.
//!
//! A backend's author writes one test without harness:
//!
//! ```no_run
//! # use conformance_tests::{Backend, Database};
//! # use assoc_core::{BoxFuture, Result};
//! struct MyBackend;
//!
//! impl Backend for MyBackend {
//!     fn name(&self) -> &'static str {
//!         "my-database"
//!     }
//!
//!     fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
//!         Box::pin(async { todo_open_an_empty_database().await })
//!     }
//! }
//! # async fn todo_open_an_empty_database() -> Result<Database> { unreachable!() }
//!
//! fn main() -> std::process::ExitCode {
//!     conformance_tests::run(MyBackend)
//! }
//! ```
//!
//! # What is checked
//!
//! The suite is data: a table of [`Case`]s, each an async function over a [`Context`]. It runs against the object-safe
//! driver, so it is compiled once for all backends. Every case gets an empty database and leaves a transcript: for each
//! step the number of statements, what came back, and the kind of error if one did. The transcript must equal the
//! *behaviour golden* that ships with this crate, the same for all backends: a statement too many anywhere is a
//! failure everywhere. The SQL text of each step is compared with the backend's own *overlay* where it has one.
//!
//! # Levels
//!
//! `L0` the driver: values, affected rows, error classes. `L1` reading: queries, preloads, load states. `L2` writing.
//! `L3` transactions and concurrency.
//!
//! A case names the capability it needs; a backend that says it lacks it has the case reported as skipped, with the
//! reason. Nothing can be excluded by hand.

mod backend;
pub mod cases;
mod context;
pub mod golden;
mod models;
mod recorder;
mod run;

pub use backend::{Backend, Database};
pub use cases::{Case, Level, all};
pub use context::{Context, Transcript};
pub use recorder::{CommitFault, Recorded, Recorder};
pub use run::{Outcome, execute, run};
