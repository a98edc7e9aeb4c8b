//! The driver against a real server: `cargo xtask db mysql -- cargo test -p assoc-mysql`.
//!
//! Every test has a database of its own, dropped at its end also when it fails.

// Helpers fail a test by panicking, as the tests themselves do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod collations;
mod errors;
mod keys;
mod killed;
mod pool;
mod sessions;
mod spare;
mod statements;
mod support;
mod tls;
mod transactions;
mod types;
