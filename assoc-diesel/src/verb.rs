//! What kind of statement a text is.

/// What a statement begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
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
    pub(crate) fn of(sql: &str) -> Verb {
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

/// Whether a text has a word, in capitals or not.
pub(crate) fn mentions(sql: &str, word: &str) -> bool {
    sql.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs() {
        assert_eq!(Verb::of(" select 1"), Verb::Read);
        assert_eq!(Verb::of("INSERT INTO t"), Verb::Insert);
        assert_eq!(Verb::of("with a as (select 1) select * from a"), Verb::With);
        assert_eq!(Verb::of("PRAGMA x"), Verb::Other);
        assert_eq!(Verb::of("é"), Verb::Other);
        assert!(mentions("INSERT INTO t VALUES (1) on conflict DO NOTHING", "ON CONFLICT"));
    }
}
