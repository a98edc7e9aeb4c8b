//! Cases of the conformance suite: reading. `conformance-tests` runs them.
//!
//! Level `L1`: queries, conditions, aggregates.

use conformance_harness::Case;

mod aggregates;
mod batches;
mod collations;
mod collections;
mod decimals;
mod filters;
mod finders;
mod grouped;
mod groups;
mod joins;
mod pages;
mod queries;
mod scopes;
mod selections;
mod sums;

/// The cases, by what they prove.
#[must_use]
pub fn cases() -> &'static [&'static [Case]] {
    // A function, not a constant: a constant's cases would be compiled in the crate that reads it.
    &[
        queries::CASES,
        filters::CASES,
        aggregates::CASES,
        sums::CASES,
        decimals::CASES,
        joins::CASES,
        scopes::CASES,
        selections::CASES,
        groups::CASES,
        grouped::CASES,
        finders::CASES,
        collations::CASES,
        collections::CASES,
        batches::CASES,
        pages::CASES,
    ]
}
