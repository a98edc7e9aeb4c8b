//! SQL of the application's own: its placeholders become the dialect's, and each takes a bind.

use super::SqlWriter;
use crate::error::{Error, Result, excerpt};
use crate::value::Value;

impl SqlWriter<'_> {
    /// Appends the application's own SQL, its `?` replaced by placeholders.
    ///
    /// # Errors
    /// When the number of `?` outside quotes and comments is not the number of binds.
    pub fn raw(&mut self, sql: &str, binds: &[Value<'static>]) -> Result<()> {
        let mut rest = binds.iter();
        let mut wanted = 0;
        for piece in RawPieces::new(sql) {
            match piece {
                RawPiece::Text(text) => self.push(text),
                RawPiece::Placeholder => {
                    wanted += 1;
                    if let Some(value) = rest.next() {
                        self.bind(value.clone());
                    }
                }
            }
        }
        if wanted == binds.len() {
            Ok(())
        } else {
            Err(Error::invalid_query(
                "raw SQL",
                format!("`{}` has {wanted} placeholders (`?`) and {} binds were given", excerpt(sql), binds.len()),
            ))
        }
    }
}

enum RawPiece<'s> {
    Text(&'s str),
    Placeholder,
}

/// Splits SQL at the `?` that are placeholders: not inside quotes or comments.
struct RawPieces<'s> {
    rest: &'s str,
}

impl<'s> RawPieces<'s> {
    fn new(sql: &'s str) -> Self {
        RawPieces { rest: sql }
    }

    // Where the next placeholder is; all of these marks are ASCII, so byte positions are char boundaries.
    fn next_placeholder(&self) -> Option<usize> {
        let bytes = self.rest.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'?' => return Some(at),
                quote @ (b'\'' | b'"' | b'`') => {
                    at += 1;
                    while at < bytes.len() && bytes[at] != quote {
                        at += 1;
                    }
                }
                b'-' if bytes.get(at + 1) == Some(&b'-') => {
                    while at < bytes.len() && bytes[at] != b'\n' {
                        at += 1;
                    }
                }
                b'/' if bytes.get(at + 1) == Some(&b'*') => {
                    at += 2;
                    while at < bytes.len() && !bytes[at..].starts_with(b"*/") {
                        at += 1;
                    }
                    at += 1;
                }
                _ => {}
            }
            at += 1;
        }
        None
    }
}

impl<'s> Iterator for RawPieces<'s> {
    type Item = RawPiece<'s>;

    fn next(&mut self) -> Option<RawPiece<'s>> {
        if self.rest.is_empty() {
            return None;
        }
        match self.next_placeholder() {
            Some(0) => {
                self.rest = &self.rest[1..];
                Some(RawPiece::Placeholder)
            }
            Some(at) => {
                let (text, rest) = self.rest.split_at(at);
                self.rest = rest;
                Some(RawPiece::Text(text))
            }
            None => Some(RawPiece::Text(std::mem::take(&mut self.rest))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RawPiece, RawPieces};

    #[test]
    fn placeholders_are_outside_quotes_and_comments() {
        let cases: [(&str, &[&str]); 8] = [
            ("", &[]),
            ("?", &["?"]),
            ("a = ? AND b = ?", &["a = ", "?", " AND b = ", "?"]),
            ("a = '?' AND \"?\" = `?`", &["a = '?' AND \"?\" = `?`"]),
            ("a = 'it''s ?' OR a = ?", &["a = 'it''s ?' OR a = ", "?"]),
            ("a -- why?\n= ?", &["a -- why?\n= ", "?"]),
            ("a /* ? */ = ?", &["a /* ? */ = ", "?"]),
            ("a = 'open ?", &["a = 'open ?"]),
        ];
        for (sql, expected) in cases {
            let pieces: Vec<&str> = RawPieces::new(sql)
                .map(|piece| match piece {
                    RawPiece::Text(text) => text,
                    RawPiece::Placeholder => "?",
                })
                .collect();
            assert_eq!(pieces, expected, "{sql}");
        }
    }
}
