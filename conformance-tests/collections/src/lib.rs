//! Cases of the conformance suite: collections and single targets. `conformance-tests` runs them.
//!
//! Level `L4`: handles of collections and of single targets.

use conformance_harness::Case;

mod handles;
mod handles_between;
mod handles_bulk;
mod handles_counted;
mod handles_drifted;
mod handles_failing;
mod handles_given;
mod handles_grouped;
mod handles_hidden;
mod handles_input;
mod handles_judged;
mod handles_keyless;
mod handles_keys;
mod handles_links;
mod handles_of_types;
mod handles_one;
mod handles_replaced;
mod handles_stale;
mod handles_strained;
mod handles_themselves;
mod handles_told;
mod handles_versions;
mod handles_write;
mod orchards;

/// The cases, by what they prove.
#[must_use]
pub fn cases() -> &'static [&'static [Case]] {
    // A function, not a constant: a constant's cases would be compiled in the crate that reads it.
    &[
        handles::CASES,
        handles_between::CASES,
        handles_input::CASES,
        handles_strained::CASES,
        handles_write::CASES,
        handles_one::CASES,
        handles_replaced::CASES,
        handles_counted::CASES,
        handles_bulk::CASES,
        handles_links::CASES,
        handles_told::CASES,
        handles_keyless::CASES,
        handles_keys::CASES,
        handles_themselves::CASES,
        handles_failing::CASES,
        handles_given::CASES,
        handles_hidden::CASES,
        handles_drifted::CASES,
        handles_stale::CASES,
        handles_versions::CASES,
        handles_judged::CASES,
        handles_grouped::CASES,
        handles_of_types::CASES,
        orchards::CASES,
    ]
}
