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

/// The methods of the seeds' tables of generated methods, as the guide names them.
const GENERATED: [&[&str]; 2] = [
    &[
        "others",
        "others = rows",
        "other_ids",
        "other_ids = ids",
        "others << rows",
        "push",
        "concat",
        "append",
        "others.build",
        "others.create",
        "create!",
        "others.size",
        "others.length",
        "others.count",
        "others.sum",
        "others.empty?",
        "clear",
        "others.delete(rows)",
        "others.delete_all",
        "others.destroy(rows)",
        "others.destroy_all",
        "others.find(id)",
        "others.exists?",
        "others.distinct",
        "uniq",
        "others.reset",
        "others.reload",
        "others.include?",
        "others.first",
    ],
    &[
        "other",
        "other.nil?",
        "reload_other",
        "reset_other",
        "other = row",
        "other = nil",
        "build_other",
        "create_other",
        "create_other!",
    ],
];

#[test]
fn the_guide_has_every_generated_method() {
    let guide =
        std::fs::read_to_string(root().join("docs/guide/collections.md")).expect("the chapter about collections");
    let cases: HashSet<&str> = conformance_tests::all().map(|case| case.id).collect();
    let parts = ["\n## Methods of collections\n", "\n## Methods of single targets\n"];
    for (part, methods) in parts.into_iter().zip(GENERATED) {
        let (_, text) = guide.split_once(part).expect("a table of methods");
        let text = text.split_once("\n## ").map_or(text, |(text, _)| text);
        let rows: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| line.starts_with("| ") && !line.starts_with("| Rails"))
            .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
            .collect();
        for cells in &rows {
            assert!(cells.len() == 5 && cells.iter().all(|cell| !cell.is_empty()), "a cell is empty: {cells:?}");
            let tests: Vec<&str> = cells[4].split('`').skip(1).step_by(2).collect();
            assert!(!tests.is_empty() && tests.iter().all(|test| cases.contains(test)), "no such test: {cells:?}");
        }
        let named: Vec<&str> = rows.iter().flat_map(|cells| cells[0].split('`').skip(1).step_by(2)).collect();
        for method in methods {
            let is_named = |name: &&str| {
                name.strip_prefix(method).is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
            };
            assert!(named.iter().any(is_named), "`{method}` is not in the table of{part}");
        }
    }
}
