//! The cases, by what they prove.

pub use conformance_harness::{Case, CaseFuture, Level};

/// All cases.
pub fn all() -> impl Iterator<Item = &'static Case> {
    [
        conformance_driver::cases(),
        conformance_reading::cases(),
        conformance_kinds::cases(),
        conformance_writing::cases(),
        conformance_collections::cases(),
    ]
    .into_iter()
    .flatten()
    .copied()
    .flatten()
}
