//! Every mistake the derives know of, with what the compiler prints. `TRYBUILD=overwrite cargo test -p assoc-macros
//! --test ui` records; read what it recorded.

use std::process::Command;

/// Messages that are all ours.
#[test]
fn messages() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}

/// Mistakes that the compiler finds in what we write, at places and partly in words of ours, but with its own around
/// them, which change from release to release.
#[test]
fn messages_around_which_the_compiler_writes() {
    const RECORDED_WITH: &str = "rustc 1.95.";
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let version = Command::new(rustc).arg("--version").output().unwrap().stdout;
    if version.starts_with(RECORDED_WITH.as_bytes()) {
        trybuild::TestCases::new().compile_fail("tests/ui/compiler/*.rs");
    } else {
        eprintln!("skipped: recorded with {RECORDED_WITH}x, this is {}", String::from_utf8_lossy(&version).trim());
    }
}
