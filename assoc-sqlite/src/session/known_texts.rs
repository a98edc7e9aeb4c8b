//! What was found in the texts of statements, so that a text that runs again is not searched again.

use std::sync::Arc;

use assoc_core::Result;
use assoc_core::driver::Statement;
use assoc_dialects::{Verb, mentions};

use super::refuse_nul;
use crate::lists;

/// An `INSERT` with these words may have left a row out or updated one.
const CONFLICT: &str = "ON CONFLICT";

/// The places for texts. One request rarely takes more statements.
const SLOTS: usize = 16;

/// A longer text is not worth the memory that it would keep.
const LONGEST: usize = 64 * 1024;

/// The texts that ran last, each in the slot of its address. A slot shares its text, so that no other text gets its address.
#[derive(Debug, Default)]
pub(super) struct KnownTexts([Option<KnownText>; SLOTS]);

#[derive(Debug)]
struct KnownText {
    sql: Arc<str>,
    found: Found,
}

/// What the driver has to know of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) verb: Verb,
    /// An `INSERT` may leave a row out, or update one.
    pub(super) mentions_conflict: bool,
    /// How many lists it takes.
    pub(super) lists: usize,
}

impl KnownTexts {
    /// What is known of a statement's text, or found now. Refuses what SQLite would misread, and lists that are not bound.
    pub(super) fn look(&mut self, statement: &Statement) -> Result<Found> {
        let sql = statement.shared_sql();
        let slot = &mut self.0[slot_of(sql)];
        let found = match slot {
            Some(known) if Arc::ptr_eq(&known.sql, sql) => known.found,
            _ => {
                let found = search(sql)?;
                *slot = (sql.len() <= LONGEST).then(|| KnownText { sql: Arc::clone(sql), found });
                found
            }
        };
        lists::refuse_unbound(found.lists, statement)?;
        Ok(found)
    }
}

fn slot_of(sql: &Arc<str>) -> usize {
    // Allocations are multiples of 16; their next bits differ most.
    (sql.as_ptr().addr() >> 4) % SLOTS
}

fn search(sql: &str) -> Result<Found> {
    refuse_nul(sql)?;
    let verb = Verb::of(sql);
    Ok(Found { verb, mentions_conflict: verb == Verb::Insert && mentions(sql, CONFLICT), lists: lists::count(sql)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_known_for_what_it_is() {
        let texts =
            ["SELECT 1", "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "PRAGMA x"];
        let statements: Vec<_> = (0..100).map(|at| Statement::plain(texts[at % 4])).collect();
        let mut known = KnownTexts::default();
        for _ in 0..3 {
            for statement in &statements {
                assert_eq!(known.look(statement).unwrap(), search(statement.sql()).unwrap(), "{}", statement.sql());
            }
        }
    }

    #[test]
    fn a_refused_text_is_refused_again() {
        let mut known = KnownTexts::default();
        for sql in ["SELECT 1\0", "SELECT value FROM rarray(5)", "SELECT value FROM rarray(?)"] {
            let statement = Statement::plain(sql);
            assert!(known.look(&statement).is_err(), "{sql}");
            assert!(known.look(&statement).is_err(), "{sql}, again");
        }
    }

    #[test]
    fn long_texts_are_not_kept() {
        let mut known = KnownTexts::default();
        let long = Statement::plain(format!("SELECT '{}'", "x".repeat(LONGEST)));
        known.look(&long).unwrap();
        assert!(known.0.iter().all(Option::is_none));
    }
}
