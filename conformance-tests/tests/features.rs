//! The feature table says the truth about itself: every test it names exists, and its first line counts its rows.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::HashSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn table() -> String {
    std::fs::read_to_string(root().join("docs/features.md")).expect("the feature table")
}

// What stands in backticks in the cells of tables.
fn named(table: &str) -> Vec<&str> {
    let cells = table.lines().filter(|line| line.starts_with('|'));
    cells.flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

#[test]
fn every_test_it_names_exists() {
    let cases: HashSet<&str> = conformance_tests::all().map(|case| case.id).collect();
    let areas: HashSet<&str> = cases.iter().filter_map(|case| Some(case.split_once('.')?.0)).collect();
    let table = table();
    let mut checked = 0;
    for name in named(&table) {
        let exists = if let Some((file, path)) = name.split_once(".rs::") {
            let function = path.rsplit("::").next().unwrap_or(path);
            let places = [
                format!("assoc-macros/tests/{file}.rs"),
                format!("assoc-core/tests/{file}.rs"),
                format!("assoc-core/src/{file}.rs"),
                format!("assoc-repo/src/{file}.rs"),
                format!("conformance-tests/tests/{file}.rs"),
                format!("conformance-tests/tests/{file}/mod.rs"),
            ];
            let sources = places.iter().filter_map(|place| std::fs::read_to_string(root().join(place)).ok());
            // A property test is named where a macro makes it.
            let forms = [format!("fn {function}("), format!("!({function},")];
            sources.into_iter().any(|source| forms.iter().any(|form| source.contains(form)))
        } else if name.starts_with("ui/") || name.starts_with("compiler/") {
            ["assoc-macros/tests/ui", "assoc-macros/tests", "assoc-repo/tests"]
                .iter()
                .any(|place| root().join(place).join(name).exists())
        } else if name.split_once('.').is_some_and(|(area, _)| areas.contains(area)) {
            cases.contains(name)
        } else {
            continue;
        };
        assert!(exists, "docs/features.md names `{name}`, and there is no such test");
        checked += 1;
    }
    assert!(checked > 200, "only {checked} tests are named");
}

#[test]
fn it_counts_its_rows() {
    let table = table();
    let (mut there, mut partly, mut missing) = (0, 0, 0);
    for line in table.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let is_numbered = cells
            .get(1)
            .is_some_and(|id| id.strip_prefix(['D', 'F']).is_some_and(|number| number.parse::<u32>().is_ok()));
        let Some(status) = cells.get(3).filter(|_| is_numbered) else { continue };
        match () {
            () if status.starts_with("yes") => there += 1,
            () if status.starts_with("partly") => partly += 1,
            () if status.starts_with("not yet") => missing += 1,
            () => panic!("a row without a status: {line}"),
        }
    }
    let all = there + partly + missing;
    let said = format!("Of {all} rows {there} are there, {partly} partly, {missing} not yet.");
    assert!(table.contains(&said), "the first line should say: {said}");
}
