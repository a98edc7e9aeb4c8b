//! What kind of statement a text is.

/// What a statement begins with.
///
/// ```
/// use assoc_dialects::Verb;
///
/// assert_eq!(Verb::of(" select 1"), Verb::Read);
/// assert_eq!(Verb::of("PRAGMA foreign_keys = ON"), Verb::Other);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// `SELECT`, `VALUES`: reads.
    Read,
    /// `INSERT`, `REPLACE`.
    Insert,
    /// `UPDATE`, `DELETE`.
    Change,
    /// `WITH`, which may begin any of those.
    With,
    /// Anything else, or a comment.
    Other,
}

impl Verb {
    /// The verb of a text.
    #[must_use]
    pub fn of(sql: &str) -> Verb {
        let sql = sql.trim_start().as_bytes();
        let begins =
            |word: &str| sql.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word.as_bytes()));
        if begins("SELECT") || begins("VALUES") {
            Verb::Read
        } else if begins("INSERT") || begins("REPLACE") {
            Verb::Insert
        } else if begins("UPDATE") || begins("DELETE") {
            Verb::Change
        } else if begins("WITH") {
            Verb::With
        } else {
            Verb::Other
        }
    }
}

/// Whether a text has some words, in capitals or not: an `INSERT` with `ON CONFLICT` may have left a row out or updated one.
///
/// ```
/// use assoc_dialects::mentions;
///
/// assert!(mentions("INSERT INTO t VALUES (1) on conflict DO NOTHING", "ON CONFLICT"));
/// ```
#[must_use]
pub fn mentions(sql: &str, words: &str) -> bool {
    let words = words.as_bytes();
    let Some(first) = words.first() else { return true };
    // The first letter decides for most places of a long text.
    let begins = |part: &[u8]| part[0] | 0x20 == *first | 0x20 && part.eq_ignore_ascii_case(words);
    sql.as_bytes().windows(words.len()).any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs() {
        assert_eq!(Verb::of(" select 1"), Verb::Read);
        assert_eq!(Verb::of("INSERT INTO t"), Verb::Insert);
        assert_eq!(Verb::of("delete from t"), Verb::Change);
        assert_eq!(Verb::of("with a as (select 1) select * from a"), Verb::With);
        assert_eq!(Verb::of("PRAGMA x"), Verb::Other);
        assert_eq!(Verb::of(""), Verb::Other);
        assert_eq!(Verb::of("é"), Verb::Other);
    }

    #[test]
    fn words() {
        assert!(mentions("INSERT INTO t VALUES (1) on conflict DO NOTHING", "ON CONFLICT"));
        assert!(!mentions("INSERT INTO conflicts VALUES ('on')", "ON CONFLICT"));
        assert!(!mentions("", "ON CONFLICT"));
    }
}
