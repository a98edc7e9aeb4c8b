//! The public conformance suite: proves that a backend behaves as `assoc` promises.
//!
//! The author of a backend writes one test without harness:
//!
//! ```no_run
//! # use conformance_tests::{Backend, Database};
//! # use assoc_core::driver::BoxFuture;
//! # use assoc_core::Result;
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
//! driver, so it is compiled once for all backends. Every case gets an empty database and writes a transcript: for each
//! step the number of statements, the result, and the kind of the error if the step failed. The transcript must equal
//! the *behaviour golden* of this crate, the same for all backends, so one statement too many is a failure on every
//! backend. The SQL text of each step is compared with the *overlay* of the backend, if it has one.
//!
//! # Levels
//!
//! `L0` the driver: values, affected rows, error classes. `L1` reading: queries, conditions, aggregates. `L2` kinds of
//! associations and the planner: preloads, joins, load states. `L3` writing. `L4` collections and single targets, by
//! handles. `L5` transactions and faults.
//!
//! # Running
//!
//! A case that hangs, panics or cannot connect fails by its name, and the others run. One case is run by its name:
//! `cargo test --test suite -- --exact values.extremes`. [`run`] lists the options; `--report card.md` writes the report
//! card, and `--bless` records the backend's SQL.
//!
//! A case names the capability it needs. If the backend's dialect lacks it, the case is reported as not run, with the
//! reason. No case can be excluded by hand.

mod altered_dialect;
mod backend;
pub mod cases;
mod context;
pub mod golden;
mod key_order;
mod models;
mod native_sql;
mod planted;
mod recorder;
mod refusal;
mod report;
mod run;
mod shuffled;
mod suspension;
mod without;
mod wrapped;

pub use backend::{Backend, Database};
pub use cases::{Case, Level, all};
pub use context::{Context, Transcript};
pub use native_sql::{FailingState, NativeSql};
pub use planted::{Fault, Planted};
pub use recorder::{CommitFault, Recorded, RecordedStatement, Recorder};
pub use report::{CaseReport, ReportCard, SqlCheck, Totals, Verdict};
pub use run::{Outcome, execute, report, run};
pub use shuffled::Shuffled;
pub use suspension::dropped_at;
pub use without::{Capability, Without};
pub use wrapped::{Control, Interceptor, Wrapped};
