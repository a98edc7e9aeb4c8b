//! Models that disagree with a `table!`, with what the compiler prints. `TRYBUILD=overwrite cargo test -p assoc-diesel --test ui`
//! records; read what it recorded.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used)]

use std::process::Command;

/// The compiler writes around our words, and changes what it writes from release to release.
#[test]
fn messages() {
    const RECORDED_WITH: &str = "rustc 1.95.";
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    if version.starts_with(RECORDED_WITH.as_bytes()) {
        trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
    } else {
        eprintln!("skipped: recorded with {RECORDED_WITH}x, this is {}", String::from_utf8_lossy(&version).trim());
    }
}
