//! Cases of the conformance suite: writing. `conformance-tests` runs them.
//!
//! Level `L3`: changesets, saved graphs, callbacks, counters, destroys.

use conformance_harness::Case;

mod acceptance;
mod autosave;
mod bulk_writes;
mod callbacks;
mod casts;
mod changed_targets;
mod changesets;
mod circles;
mod counters;
mod destroy;
mod destroy_graphs;

mod filled_columns;
mod filtered_writes;
mod form_versions;
mod handles_extended;
mod known_keys;
mod links_by_sql;
mod member_callbacks;
mod nested_input;
mod owner_presets;
mod read_back;
mod read_only;
mod removals;
mod save_changes;
mod save_graphs;
mod saved_join_rows;
mod strained_writes;
mod touch;
mod touch_once;
mod touch_one;
mod typed_columns;
mod upserts;
mod validation;
mod writes;

/// The cases, by what they prove.
#[must_use]
pub fn cases() -> &'static [&'static [Case]] {
    // A function, not a constant: a constant's cases would be compiled in the crate that reads it.
    &[
        acceptance::CASES,
        links_by_sql::CASES,
        handles_extended::CASES,
        circles::CASES,
        writes::CASES,
        changesets::CASES,
        bulk_writes::CASES,
        filled_columns::CASES,
        typed_columns::CASES,
        filtered_writes::CASES,
        upserts::CASES,
        save_graphs::CASES,
        autosave::CASES,
        owner_presets::CASES,
        saved_join_rows::CASES,
        callbacks::CASES,
        known_keys::CASES,
        strained_writes::CASES,
        member_callbacks::CASES,
        removals::CASES,
        save_changes::CASES,
        validation::CASES,
        casts::CASES,
        form_versions::CASES,
        nested_input::CASES,
        changed_targets::CASES,
        read_back::CASES,
        read_only::CASES,
        destroy::CASES,
        destroy_graphs::CASES,
        counters::CASES,
        touch::CASES,
        touch_one::CASES,
        touch_once::CASES,
    ]
}
