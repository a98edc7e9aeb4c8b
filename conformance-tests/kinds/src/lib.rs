//! Cases of the conformance suite: kinds of associations, and the planner. `conformance-tests` runs them.
//!
//! Level `L2`: preloads, joins, load states, polymorphic and through associations.

use conformance_harness::Case;

mod apart;
mod by_way;
mod chosen_rows;
mod composite_keys;
mod deep_requests;
mod eager_load;
mod equal_keys;
mod extensions;
mod in_hand;
mod includes;
mod inverses;
mod join_rows;
mod join_tables;
mod load_states;
mod load_with;
mod merging;
mod nested_through;
mod polymorphic;
mod polymorphic_keys;
mod preload_belongs_to;
mod preload_has_many;
mod preload_has_one;
mod recursions;
mod rows_between;
mod saved_lists;
mod tags;
mod tallies;
mod text_keys;
mod through;
mod together;
mod unjoinable;
mod uuid_keys;
mod ways;

/// The cases, by what they prove.
#[must_use]
pub fn cases() -> &'static [&'static [Case]] {
    // A function, not a constant: a constant's cases would be compiled in the crate that reads it.
    &[
        chosen_rows::CASES,
        load_states::CASES,
        load_with::CASES,
        preload_belongs_to::CASES,
        preload_has_one::CASES,
        preload_has_many::CASES,
        deep_requests::CASES,
        recursions::CASES,
        merging::CASES,
        includes::CASES,
        tallies::CASES,
        through::CASES,
        nested_through::CASES,
        by_way::CASES,
        ways::CASES,
        join_tables::CASES,
        join_rows::CASES,
        eager_load::CASES,
        polymorphic::CASES,
        polymorphic_keys::CASES,
        saved_lists::CASES,
        unjoinable::CASES,
        extensions::CASES,
        in_hand::CASES,
        rows_between::CASES,
        together::CASES,
        inverses::CASES,
        apart::CASES,
        composite_keys::CASES,
        text_keys::CASES,
        uuid_keys::CASES,
        tags::CASES,
        equal_keys::CASES,
    ]
}
