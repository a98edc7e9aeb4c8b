//! The feature table is made of its source and the case table, by `cargo xtask features`: every row has a case or a reason
//! why it has none, and every test that it names exists.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, HashSet};
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
                format!("assoc-repo/tests/{file}.rs"),
                format!("conformance-tests/tests/{file}.rs"),
                format!("conformance-tests/tests/{file}/mod.rs"),
                format!("assoc-diesel/tests/{file}.rs"),
                format!("assoc-diesel/tests/lent/{file}.rs"),
                format!("examples/diesel-app/tests/{file}.rs"),
            ];
            let sources = places.iter().filter_map(|place| std::fs::read_to_string(root().join(place)).ok());
            // A property test is named where a macro makes it, and a case that runs on several databases is generic.
            let forms = [format!("fn {function}("), format!("fn {function}<"), format!("!({function},")];
            sources.into_iter().any(|source| forms.iter().any(|form| source.contains(form)))
        } else if name.starts_with("ui/") || name.starts_with("compiler/") {
            ["assoc-macros/tests/ui", "assoc-macros/tests", "assoc-repo/tests", "assoc-diesel/tests"]
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

/// What is written by hand: the rows with their texts, and those tests that do not name their features.
const SOURCE: &str = "docs/features.in.md";
const TABLE: &str = "docs/features.md";

/// Set by `cargo xtask features`: the table is written, not compared.
const WRITE: &str = "ASSOC_WRITE_FEATURES";

#[test]
fn the_table_is_made_of_its_source_and_the_cases() {
    let source = std::fs::read_to_string(root().join(SOURCE)).expect("the source of the feature table");
    let made = made_of(&source).unwrap_or_else(|wrong| panic!("{SOURCE}: {wrong}"));
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(root().join(TABLE), made).expect("the feature table can be written");
        return;
    }
    assert!(made == table(), "{TABLE} is not what {SOURCE} and the cases make: run `cargo xtask features`");
}

/// The table: each row has the cases that name it (`handles_links.f61_f63_multisets`) before the tests of its source.
fn made_of(source: &str) -> Result<String, String> {
    let cases = cases_of_features();
    let mut made = String::new();
    let (mut seen, mut there, mut partly, mut missing) = (HashSet::new(), 0, 0, 0);
    for line in source.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        let is_row = line.starts_with('|') && cells.first().is_some_and(|cell| feature(cell).is_some());
        if !is_row {
            made.push_str(line);
            made.push('\n');
            continue;
        }
        let [number, text, status, tests] = cells[..] else { return Err(format!("a row of four cells: {line}")) };
        if !seen.insert(number.to_owned()) {
            return Err(format!("{number} has two rows"));
        }
        match status.split([':', ',', ';']).next().unwrap_or_default() {
            "yes" => there += 1,
            "partly" => partly += 1,
            "not yet" => missing += 1,
            other => return Err(format!("{number} is yes, partly or not yet, and not `{other}`")),
        }
        let named = named(line);
        let own = cases.get(number).into_iter().flatten().filter(|case| !named.contains(case));
        let mut shown: Vec<String> = own.map(|case| format!("`{case}`")).collect();
        let has_case = !shown.is_empty() || named.iter().any(|name| is_case(name));
        let has_reason = tests.split_once("no case: ").is_some_and(|(_, reason)| reason.len() > 5);
        if has_case == has_reason {
            let wrong = if has_case {
                "a case, and a reason why it has none"
            } else {
                "no case, and no reason (`no case: …`)"
            };
            return Err(format!("{number} has {wrong}"));
        }
        if !tests.is_empty() {
            shown.push(tests.to_owned());
        }
        made.push_str(&format!("| {number} | {text} | {status} | {} |\n", shown.join(" ")));
    }
    if let Some(unknown) = cases.keys().find(|number| !seen.contains(*number)) {
        return Err(format!("cases name {unknown}, which has no row"));
    }
    let all = there + partly + missing;
    let counts = format!("Of {all} rows {there} are there, {partly} partly, {missing} not yet.");
    if !made.contains("{counts}") {
        return Err("there is no place for the counts".to_owned());
    }
    Ok(made.replace("{counts}", &counts))
}

fn is_case(name: &str) -> bool {
    conformance_tests::all().any(|case| case.id == name)
}

// `F61` of `f61`, and `None` of anything else.
fn feature(word: &str) -> Option<String> {
    let word = word.to_ascii_uppercase();
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    word.strip_prefix(['D', 'F']).is_some_and(is_number).then_some(word)
}

fn cases_of_features() -> BTreeMap<String, Vec<&'static str>> {
    let mut cases: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for case in conformance_tests::all() {
        let Some((_, name)) = case.id.split_once('.') else { continue };
        for number in name.split('_').filter_map(feature) {
            cases.entry(number).or_default().push(case.id);
        }
    }
    cases
}

#[test]
fn a_row_without_case_and_reason_is_refused() {
    let made = |row: &str| made_of(&format!("{{counts}}\n{row}\n"));
    let alone = |row: &str| made(row).expect_err("not all features have rows");
    assert!(alone("| D900 | a feature | yes | |").contains("no case, and no reason"));
    assert!(alone("| D900 | a feature | yes | `writes.no_such_case` |").contains("no case, and no reason"));
    assert!(alone("| D900 | a feature | yes | `writes.insert` no case: it is text |").contains("a reason why"));
    assert!(alone("| D900 | a feature | maybe | `writes.insert` |").contains("`maybe`"));
    assert!(alone("| D900 | a feature | yes | `writes.insert` |").contains("which has no row"));
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
