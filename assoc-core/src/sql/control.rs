//! Statements that begin, end or structure a transaction, recognised by their text.

/// What a statement does to the transaction it runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionControl {
    /// It begins or ends a transaction: `BEGIN`, `COMMIT`, `ROLLBACK`.
    Boundary,
    /// It sets a savepoint, or goes back to one, or forgets it.
    Savepoint,
}

/// Recognises a statement that controls transactions, in any of the dialects: what comes first in it, after comments.
///
/// ```
/// use assoc_core::sql::{TransactionControl, transaction_control};
///
/// assert_eq!(transaction_control("/* now */ begin"), Some(TransactionControl::Boundary));
/// assert_eq!(transaction_control("ROLLBACK TO SAVEPOINT before"), Some(TransactionControl::Savepoint));
/// assert_eq!(transaction_control("SELECT 1"), None);
/// ```
#[must_use]
pub fn transaction_control(sql: &str) -> Option<TransactionControl> {
    let mut words = Words(sql);
    let is = |word: &str, known: &str| word.eq_ignore_ascii_case(known);
    let first = words.next()?;
    let boundary = match first {
        // `BEGIN NOT ATOMIC` is a block of statements in MariaDB.
        word if is(word, "BEGIN") => !words.next().is_some_and(|next| is(next, "NOT")),
        word if is(word, "START") => words.next().is_some_and(|next| is(next, "TRANSACTION")),
        word if is(word, "COMMIT") || is(word, "END") || is(word, "ABORT") || is(word, "XA") => true,
        word if is(word, "ROLLBACK") => {
            let next = words.next();
            let next =
                if next.is_some_and(|next| is(next, "WORK") || is(next, "TRANSACTION")) { words.next() } else { next };
            if next.is_some_and(|next| is(next, "TO")) {
                return Some(TransactionControl::Savepoint);
            }
            true
        }
        word if is(word, "SAVEPOINT") || is(word, "RELEASE") => return Some(TransactionControl::Savepoint),
        // `SET autocommit = 0`, `SET SESSION autocommit = 0`, `SET @@autocommit = 0`.
        word if is(word, "SET") => {
            let named = |word: &str| is(word, "autocommit");
            words.next().is_some_and(|next| {
                named(next)
                    || ((is(next, "SESSION") || is(next, "LOCAL") || is(next, "@@session") || is(next, "@@local"))
                        && words.next().is_some_and(named))
            })
        }
        _ => false,
    };
    boundary.then_some(TransactionControl::Boundary)
}

// The first words of a text. It skips comments, spaces and MySQL's marks around a comment that is executed.
struct Words<'s>(&'s str);

impl<'s> Iterator for Words<'s> {
    type Item = &'s str;

    fn next(&mut self) -> Option<&'s str> {
        loop {
            let text = self.0.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ';' | '.' | '@' | '`'));
            self.0 = if let Some(executed) = text.strip_prefix("/*!").or_else(|| text.strip_prefix("/*M!")) {
                executed.trim_start_matches(|c: char| c.is_ascii_digit())
            } else if let Some(comment) = text.strip_prefix("/*") {
                comment.split_once("*/")?.1
            } else if text.starts_with("--") || text.starts_with('#') {
                text.split_once('\n')?.1
            } else {
                let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
                let (word, rest) = text.split_at(end);
                self.0 = rest;
                return Some(word).filter(|word| !word.is_empty());
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries() {
        let texts = [
            "BEGIN",
            " begin;",
            "BEGIN IMMEDIATE",
            "begin transaction",
            "BEGIN WORK",
            "START TRANSACTION READ ONLY",
            "COMMIT",
            "commit and chain",
            "END",
            "ROLLBACK",
            "ROLLBACK WORK",
            "rollback and no chain",
            "-- now\nCOMMIT",
            "# now\nCOMMIT",
            "/* a */ /* b */COMMIT",
            "/*!40000 COMMIT */",
            "/*M!100100 COMMIT */",
            "; COMMIT",
            "XA START 'x'",
            "SET autocommit = 0",
            "set session autocommit=0",
            "SET @@autocommit = 0",
            "SET @@session.autocommit = 0",
            "SET `autocommit` = 0",
        ];
        for sql in texts {
            assert_eq!(transaction_control(sql), Some(TransactionControl::Boundary), "{sql}");
        }
    }

    #[test]
    fn savepoints_and_others() {
        let savepoints =
            ["SAVEPOINT a", "RELEASE a", "release savepoint a", "ROLLBACK TO a", "rollback transaction to savepoint a"];
        for sql in savepoints {
            assert_eq!(transaction_control(sql), Some(TransactionControl::Savepoint), "{sql}");
        }
        let others = [
            "",
            "  ",
            "-- BEGIN",
            "/* BEGIN",
            "SELECT 1",
            "BEGINNING",
            "(SELECT 1)",
            "BEGIN NOT ATOMIC SELECT 1; END",
            "START REPLICA",
            "INSERT INTO commit VALUES (1)",
            "SET @begin = 1",
            "SET NAMES utf8mb4",
            "é",
            "'BEGIN'",
            "WITH begin AS (SELECT 1) SELECT * FROM begin",
            "SET SESSION sql_mode = ''",
        ];
        for sql in others {
            assert_eq!(transaction_control(sql), None, "{sql}");
        }
    }
}
