//! A pool that Diesel and `assoc` share: what it hands out, and what comes back. On each database the same cases, and those of
//! SQLite.

#![cfg(feature = "r2d2")]
// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod cases;
#[cfg(feature = "sqlite")]
mod on_sqlite;
#[path = "../served/mod.rs"]
#[macro_use]
mod served;

on_each! {
    both_libraries_use_one_pool,
    what_is_dropped_inside_a_transaction_is_rolled_back,
    a_future_that_is_dropped_half_way_leaves_nothing,
    a_panic_in_a_sink_costs_no_other_call,
    waiting_has_the_time_limit_of_the_pool,
}
