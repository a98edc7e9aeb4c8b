//! What a lent connection promises: Diesel is at the depth of transactions that it had, whatever becomes of the future and of
//! what it handed out. On each database the same cases, and those of one.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

mod cases;
#[cfg(feature = "mysql")]
mod on_mariadb;
#[cfg(feature = "sqlite")]
mod on_sqlite;
#[path = "../served/mod.rs"]
#[macro_use]
mod served;

on_each! {
    every_operation_keeps_the_depth,
    a_handle_that_outlives_its_loan_is_rolled_back_and_refused,
    a_panic_rolls_back,
    a_panic_in_a_sink_leaves_the_connection_usable,
    a_dropped_future_rolls_back,
    another_thread_is_refused_with_the_remedy,
    another_task_is_refused_with_the_remedy,
    a_call_that_waits_for_itself_ends_with_the_remedy,
    another_driver_is_refused,
    threads_share_a_repo,
    what_diesel_rolls_back_is_undone,
    errors_convert_both_ways,
    a_transaction_that_a_statement_ended_is_noticed,
}
