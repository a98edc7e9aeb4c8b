//! Mistakes with changesets, with what the compiler prints. `TRYBUILD=overwrite cargo test -p assoc-repo --test ui`
//! records; read what it recorded.

use std::path::Path;
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

/// The compiler cuts long texts by their length, and the text of a closure's type holds the path of its file: whether it is
/// cut depends on where the project lies. Such mistakes belong in examples that do not compile, in the documentation.
#[test]
fn messages_do_not_depend_on_the_place_of_the_project() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut read = 0;
    for folder in ["assoc-macros/tests/ui", "assoc-macros/tests/ui/compiler", "assoc-repo/tests/ui"] {
        for entry in std::fs::read_dir(tests.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "stderr") {
                read += 1;
                let text = std::fs::read_to_string(&path).unwrap();
                assert!(!text.contains("closure@"), "{} names a closure by its place", path.display());
            }
        }
    }
    assert!(read > 30, "only {read} recorded messages found");
}
