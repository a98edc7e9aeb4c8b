//! What a case of the conformance suite works with: an empty database, the recorder of its statements, the transcript.
//! `conformance-tests` runs the suite, and gives on what the author of a backend needs.

mod backend;
mod case;
mod context;
mod key_order;
mod native_sql;
mod recorder;
mod refusal;
mod suspension;
mod wrapped;

pub use backend::{Backend, Database};
pub use case::{Case, CaseFuture, Level};
pub use context::{Context, Transcript};
pub use key_order::KeyOrder;
pub use native_sql::{FailingState, NativeSql};
pub use recorder::{CommitFault, Recorded, RecordedStatement, Recorder};
pub use refusal::refusal;
pub use suspension::{both, dropped_at};
pub use wrapped::{Control, Interceptor, Wrapped};
