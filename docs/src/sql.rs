//! The SQL below an example of the guide is what the example has sent.
//!
//! A page shows it in a block below the comment `<!-- sql: name -->`. The example records its statements in hidden lines and
//! compares them with this block, so that the two cannot differ. `cargo xtask guide` writes the blocks.

// This crate is part of the tests: what does not fit fails them.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use assoc_repo::{Repo, Result};
use assoc_sqlite::Sqlite;
use conformance_harness::{Recorded, Recorder};

/// Tells the tests of this crate to write what they compare.
pub const WRITE: &str = "ASSOC_WRITE_GUIDE";

/// The width of a line of SQL.
const WIDTH: usize = 80;

/// The words of a statement that begin a line, if it does not fit into one.
const CLAUSES: [&str; 12] = [
    "FROM",
    "WHERE",
    "INNER JOIN",
    "LEFT OUTER JOIN",
    "LEFT JOIN",
    "GROUP BY",
    "HAVING",
    "ORDER BY",
    "LIMIT",
    "VALUES",
    "SET",
    "RETURNING",
];

/// A repo on an empty database, and what it sends.
///
/// # Errors
/// Fails if SQLite makes no database.
pub fn recorded() -> Result<(Repo, Recorder)> {
    let recorder = Recorder::default();
    let driver = Recorded::new(Arc::new(Sqlite::memory()?), recorder.clone());
    Ok((Repo::new(driver), recorder))
}

/// Compares what was recorded with the block of a page, or writes the block.
///
/// # Panics
/// Panics if the page has no such block, or another one.
pub fn shown(page: &str, name: &str, recorder: &Recorder) {
    let sent: Vec<String> = recorder.take().iter().map(|statement| folded(&statement.sql)).collect();
    let sent = sent.join("\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("guide").join(page);
    let text = std::fs::read_to_string(&path).unwrap();
    let begin = format!("<!-- sql: {name} -->\n```sql\n");
    let at = text.find(&begin).map(|at| at + begin.len());
    let at = at.unwrap_or_else(|| panic!("{page} has no block of SQL below `<!-- sql: {name} -->`"));
    let length = text[at..].find("```\n").unwrap();
    let block = &text[at..at + length];
    if letters(block) == letters(&sent) {
        return;
    }
    let write = std::env::var_os(WRITE).is_some();
    assert!(write, "{page} shows other SQL for `{name}` than its example sends; `cargo xtask guide` writes:\n{sent}\n");
    std::fs::write(&path, format!("{}{sent}\n{}", &text[..at], &text[at + length..])).unwrap();
}

/// Where lines are broken is no difference.
fn letters(sql: &str) -> String {
    sql.split_whitespace().collect()
}

/// A statement with a line for each of its clauses, if it is too long for one line.
fn folded(sql: &str) -> String {
    let one_line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
    if one_line.len() <= WIDTH {
        return one_line + ";";
    }
    if one_line.starts_with("CREATE TABLE") {
        return columns(&one_line) + ";";
    }
    let (mut lines, mut line, mut depth) = (Vec::new(), String::new(), 0_i32);
    for (at, word) in one_line.split(' ').scan(0, |at, word| Some((std::mem::replace(at, *at + word.len() + 1), word)))
    {
        let begins = depth == 0 && CLAUSES.iter().any(|clause| begins_with(&one_line[at..], clause));
        if begins && !line.is_empty() && !after_join(&line) {
            lines.push(std::mem::take(&mut line));
        } else if line.len() + 1 + word.len() > WIDTH {
            lines.push(std::mem::replace(&mut line, "   ".to_owned()));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        depth += count(word, '(') - count(word, ')');
    }
    lines.push(line);
    lines.join("\n") + ";"
}

/// A table with a line for each of its columns.
fn columns(sql: &str) -> String {
    let (mut text, mut depth) = (String::new(), 0);
    for char in sql.chars() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        match (char, depth) {
            ('(', 1) => text.push_str("(\n    "),
            (')', 0) => text.push_str("\n)"),
            (',', 1) => text.push_str(",\n   "),
            _ => text.push(char),
        }
    }
    text
}

fn begins_with(rest: &str, clause: &str) -> bool {
    rest.strip_prefix(clause).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

/// `DO UPDATE SET` is one clause, and so is `DELETE FROM`.
fn after_join(line: &str) -> bool {
    line == "DELETE" || line.ends_with("DO UPDATE")
}

fn count(word: &str, bracket: char) -> i32 {
    word.chars().map(|char| i32::from(char == bracket)).sum()
}
