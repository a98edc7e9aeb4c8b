//! The page that lists the rules of a backend is whole and true: it has every MUST of the contract, and the cases and faults
//! that it names exist.

#![allow(clippy::expect_used, clippy::panic)]

use std::collections::HashSet;
use std::path::Path;

use conformance_tests::Fault;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).expect(path)
}

struct Rule {
    text: String,
    cases: Vec<String>,
    faults: Vec<String>,
}

fn in_backticks(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rules() -> Vec<Rule> {
    let page = read("docs/guide/contract.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| rule |"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let [_, text, cases, faults, _] = cells[..] else { panic!("a row of three cells: {row}") };
        Rule { text: plain(text), cases: in_backticks(cases), faults: in_backticks(faults) }
    })
    .collect()
}

// Without the marks of documentation: links, backticks, line breaks.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("](") {
        plain.push_str(before);
        rest = after.split_once(')').map_or("", |(_, behind)| behind);
    }
    plain.push_str(rest);
    plain.retain(|character| !matches!(character, '`' | '[' | ']' | '*'));
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn documentation(path: &str) -> String {
    let source = read(path);
    let lines = source.lines().filter_map(|line| {
        let line = line.trim_start();
        line.strip_prefix("//!").or_else(|| line.strip_prefix("///"))
    });
    plain(&lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn every_must_has_a_rule() {
    let rules = rules();
    for path in ["assoc-core/src/driver.rs", "assoc-core/src/dialect.rs"] {
        let text = documentation(path);
        let mut count = 0;
        for (at, _) in text.match_indices("MUST") {
            count += 1;
            let is_listed = rules
                .iter()
                .any(|rule| text.match_indices(&rule.text).any(|(from, _)| from <= at && at < from + rule.text.len()));
            let sentence: String = text[at..].chars().take(80).collect();
            assert!(is_listed, "{path}: docs/guide/contract.md has no rule for `… {sentence} …`");
        }
        assert!(count > 8, "{path} has {count} rules");
    }
}

#[test]
fn every_rule_is_one_of_the_contract() {
    let text = documentation("assoc-core/src/driver.rs") + &documentation("assoc-core/src/dialect.rs");
    for rule in rules() {
        assert!(text.contains(&rule.text), "the contract does not say `{}`", rule.text);
    }
}

#[test]
fn every_rule_has_cases_and_faults_that_exist() {
    let cases: HashSet<&str> = conformance_tests::all().map(|case| case.id).collect();
    let faults: HashSet<String> = Fault::ALL.iter().map(|fault| format!("{fault:?}")).collect();
    for Rule { text, cases: named, faults: planted } in rules() {
        assert!(!named.is_empty() && !planted.is_empty(), "`{text}` has a case and a fault");
        for case in named {
            assert!(cases.contains(case.as_str()), "there is no case `{case}`");
        }
        for fault in planted {
            assert!(faults.contains(&fault), "there is no fault `{fault}`");
        }
    }
}
