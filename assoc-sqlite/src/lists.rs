//! Guards `rarray`, the table function that lists are bound to.
//!
//! `rarray` takes a pointer, and a build with debug assertions ends the process over any other argument: the assertion
//! is in rusqlite, in a function that SQLite calls, where no panic can be caught. So the driver refuses a text with
//! another argument before SQLite sees it. It does not see a view that another program made with such a text; builds
//! without debug assertions read an empty list then.

use assoc_core::driver::{Bind, Statement};
use assoc_core::{Error, Result};

use crate::errors;

const NAME: &[u8] = b"rarray";
const CALL: &[u8] = b"rarray(?)";

/// How many lists a text takes. Refuses one in which `rarray` has another argument.
pub(crate) fn count(sql: &str) -> Result<usize> {
    let text = sql.as_bytes();
    let mut calls = 0;
    let mut named = false; // Without an argument.
    let mut at = 0;
    while let Some(found) = position(&text[at..], NAME) {
        let start = at + found;
        at = start + NAME.len();
        let is_part =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80);
        if is_part(start.checked_sub(1).and_then(|before| text.get(before))) || is_part(text.get(at)) {
            continue;
        }
        if text[start..].starts_with(CALL) {
            calls += 1;
        } else if takes_an_argument(&text[at..]) {
            return Err(refused(sql));
        } else {
            named = true;
        }
    }
    // A column or a text of that name takes nothing. The argument can be compared with the hidden column instead.
    if named && position(text, b"pointer").is_some() { Err(refused(sql)) } else { Ok(calls) }
}

/// Refuses a statement whose text takes lists, unless as many are bound.
pub(crate) fn refuse_unbound(taken: usize, statement: &Statement) -> Result<()> {
    let bound = || statement.binds().iter().filter(|bind| matches!(bind, Bind::List(_))).count();
    if taken > 0 && taken != bound() { Err(refused(statement.sql())) } else { Ok(()) }
}

/// Refuses a text without binds that takes lists.
pub(crate) fn refuse_lists(sql: &str) -> Result<()> {
    if count(sql)? > 0 { Err(refused(sql)) } else { Ok(()) }
}

// Whether a parenthesis follows, or a comment that may precede one. The name may be quoted.
fn takes_an_argument(after: &[u8]) -> bool {
    let after = match after {
        [b'"' | b'`' | b'\'' | b']', rest @ ..] => rest,
        rest => rest,
    };
    let next = after.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(next, Some(b'(' | b'/' | b'-'))
}

// Each statement is searched, so this compares one byte per place: the last of the word, a lower-case letter.
fn position(text: &[u8], word: &[u8]) -> Option<usize> {
    let (last, before) = word.split_last()?;
    let ends = text.get(before.len()..)?.iter().enumerate().filter(|(_, byte)| **byte | 0x20 == *last);
    ends.map(|(at, _)| at).find(|at| text[*at..][..before.len()].eq_ignore_ascii_case(before))
}

fn refused(sql: &str) -> Error {
    errors::refused("`rarray` takes only the lists that this driver binds to it".to_owned(), sql)
}

#[cfg(test)]
mod tests {
    use super::*;
    use assoc_core::driver::BindList;

    #[test]
    fn only_bound_lists_are_taken() {
        let list = || Bind::List(BindList::Ints([1].into()));
        let one = || Bind::Value(assoc_core::Value::Int(1));
        let check = |sql: &str, binds: Vec<Bind>| {
            let statement = Statement::new(sql, binds);
            count(sql).and_then(|taken| refuse_unbound(taken, &statement)).is_ok()
        };
        assert!(check("SELECT value FROM rarray(?)", vec![list()]));
        assert!(check("SELECT * FROM t WHERE a IN (SELECT +value FROM rarray(?)) AND b = ?", vec![list(), one()]));
        assert!(check("SELECT rarray, 'rarray' FROM rarrays", vec![]));
        assert!(check("SELECT \"rarray\" FROM t WHERE a IN (SELECT +value FROM rarray(?))", vec![list()]));
        for sql in [
            "SELECT value FROM rarray(5)",
            "SELECT value FROM RArray ( 5 )",
            "SELECT value FROM \"rarray\"(5)",
            "SELECT value FROM [rarray] (5)",
            "SELECT value FROM rarray/* */(5)",
            "SELECT value FROM rarray -- \n (5)",
            "SELECT value FROM rarray WHERE pointer = 5",
            "SELECT value FROM rarray WHERE \"Pointer\" = 5",
            "CREATE VIEW v AS SELECT value FROM rarray(NULL)",
            "SELECT value FROM rarray(?) WHERE value IN (SELECT value FROM rarray WHERE pointer = 5)",
        ] {
            let lists = if sql.contains("(?)") { vec![list()] } else { vec![] };
            assert!(!check(sql, lists), "{sql}");
        }
        assert!(!check("SELECT value FROM rarray(?)", vec![one()]));
        assert!(!check("SELECT value FROM rarray(?), rarray(?)", vec![list(), one()]));
    }
}
