//! The chapter about errors names every kind of error.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

const KINDS: &str = include_str!("../../assoc-core/src/error/kind.rs");
const CLASSES: &str = include_str!("../../assoc-core/src/error/driver.rs");
const CHAPTER: &str = include_str!("../guide/errors.md");

/// The variants of an enum in a source that rustfmt has formatted.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let (_, rest) = source.split_once(&format!("pub enum {name} {{\n")).unwrap();
    let (body, _) = rest.split_once("\n}\n").unwrap();
    let names =
        body.lines().filter_map(|line| line.strip_prefix("    ")).filter(|line| line.starts_with(char::is_uppercase));
    names.map(|line| line.chars().take_while(char::is_ascii_alphanumeric).collect()).collect()
}

/// The names in the first column of the tables below a line.
fn named(chapter: &str, heading: &str) -> BTreeSet<String> {
    let (_, table) = chapter.split_once(heading).unwrap();
    let rows =
        table.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.split('|').nth(1));
    cells.flat_map(|cell| cell.split(',').map(|name| name.trim().trim_matches('`').to_owned())).collect()
}

#[test]
fn every_kind_has_a_row() {
    assert_eq!(named(CHAPTER, "| kind | when |"), variants(KINDS, "ErrorKind"));
}

#[test]
fn every_class_has_a_row() {
    assert_eq!(named(CHAPTER, "| class | predicate | remark |"), variants(CLASSES, "DriverErrorKind"));
}
