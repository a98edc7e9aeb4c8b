//! What kind of statement a text is.

/// What a statement begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `SELECT`, `VALUES`: reads.
    Read,
    /// `INSERT`, `REPLACE`.
    Insert,
    /// `UPDATE`, `DELETE`, and `WITH`, which may begin anything.
    Change,
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
        } else if begins("UPDATE") || begins("DELETE") || begins("WITH") {
            Verb::Change
        } else {
            Verb::Other
        }
    }
}

/// Whether an `INSERT` may have left a row out or updated one.
pub(super) fn mentions_conflict(sql: &str) -> bool {
    let word = b"ON CONFLICT";
    let begins = |part: &[u8]| part[0] | 0x20 == b'o' && part.eq_ignore_ascii_case(word);
    sql.as_bytes().windows(word.len()).any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs() {
        assert_eq!(Verb::of(" select 1"), Verb::Read);
        assert_eq!(Verb::of("INSERT INTO t"), Verb::Insert);
        assert_eq!(Verb::of("PRAGMA x"), Verb::Other);
        assert_eq!(Verb::of(""), Verb::Other);
        assert_eq!(Verb::of("é"), Verb::Other);
        assert!(mentions_conflict("INSERT INTO t VALUES (1) on conflict DO NOTHING"));
    }
}
