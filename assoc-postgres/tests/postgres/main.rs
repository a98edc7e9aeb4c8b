//! The driver against a real server: `cargo xtask db postgres -- cargo test -p assoc-postgres`.
//!
//! Every test has a schema of its own, dropped at its end also when it fails.

// Helpers fail a test by panicking, as the tests themselves do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod errors;
mod keys;
mod pool;
mod proxy;
mod sessions;
mod statements;
mod support;
#[cfg(feature = "native-tls")]
mod tls;
mod transactions;
mod turns;
mod types;
