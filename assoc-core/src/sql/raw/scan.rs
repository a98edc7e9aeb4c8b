//! Finds the placeholders of raw SQL and checks that it is closed, in one walk over the text, by the rules of the
//! database that will read it.
//!
//! The walk knows quotes, comments and parentheses, and no other SQL. That is enough to keep a text within its place:
//! an open quote at its end would swallow the SQL after it, and a closing parenthesis without an opening one would end
//! the one around the text.

/// How a database reads the text of a statement, as far as quotes, comments and placeholders go.
///
/// The default is standard SQL: `'…'` and `"…"` in which a doubled quote is a quote, `-- …` and `/* … */`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RawSyntax {
    /// In `'…'` and `"…"` a backslash takes the meaning from what follows.
    pub backslash_escapes: bool,
    /// `` `…` `` is an identifier.
    pub backticks: bool,
    /// `[…]` is an identifier.
    pub brackets: bool,
    /// `# …` is a comment.
    pub hash_comments: bool,
    /// `--` begins a comment only before a blank, a control character or the end.
    pub dashes_need_blank: bool,
    /// `/*! … */` and `/*M! … */` are read as code.
    pub executable_comments: bool,
    /// `/* … /* … */ … */` is one comment.
    pub nested_comments: bool,
    /// `$tag$ … $tag$` is text.
    pub dollar_quotes: bool,
    /// In `E'…'` a backslash takes the meaning from what follows.
    pub escape_strings: bool,
}

/// What a walk over raw SQL found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Scanned {
    /// Where in the text the `?` are that take a bind.
    pub placeholders: Vec<usize>,
    /// Where in the text the `??` are, which stand for a question mark.
    pub question_marks: Vec<usize>,
    /// Where the first semicolon is.
    pub semicolon: Option<usize>,
    /// Whether text other than blanks and comments follows it.
    pub goes_on: bool,
    /// Whether the text ends inside a comment that only a line break ends.
    pub open_line: bool,
}

/// Why raw SQL is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// A quote is opened and not closed.
    #[error("the quote opened at byte {0} is not closed")]
    OpenQuote(usize),
    /// A comment is opened and not closed.
    #[error("the comment opened at byte {0} is not closed")]
    OpenComment(usize),
    /// A parenthesis is opened and not closed.
    #[error("the parenthesis opened at byte {0} is not closed")]
    OpenParenthesis(usize),
    /// A parenthesis is closed that was not opened.
    #[error("the parenthesis closed at byte {0} was not opened")]
    StrayParenthesis(usize),
    /// A comment that the database may run.
    #[error("the comment at byte {0} is code for some servers: write it as code")]
    ExecutableComment(usize),
    /// `?1`.
    #[error("the placeholder at byte {0} has a number: binds are taken in their order, write `?`")]
    NumberedPlaceholder(usize),
    /// A NUL, at which databases stop reading.
    #[error("there is a NUL at byte {0}")]
    Nul(usize),
}

/// Walks over raw SQL.
///
/// # Errors
/// When the text does not hold together: a quote, comment or parenthesis is open at its end, or a parenthesis was never
/// opened.
///
/// ```
/// use assoc_core::sql::{RawSyntax, ScanError, scan};
///
/// let sql = "title = ? AND body <> 'why?' -- ?";
/// let scanned = scan(sql, RawSyntax::default()).unwrap();
/// assert_eq!((scanned.placeholders, scanned.open_line), (vec![8], true));
///
/// // What a quote is, the database says.
/// let mut syntax = RawSyntax::default();
/// assert_eq!(scan(r"title = 'it\'s ?'", syntax), Err(ScanError::OpenQuote(16)));
/// syntax.backslash_escapes = true;
/// assert!(scan(r"title = 'it\'s ?'", syntax).unwrap().placeholders.is_empty());
/// ```
pub fn scan(sql: &str, syntax: RawSyntax) -> Result<Scanned, ScanError> {
    let text = sql.as_bytes();
    if let Some(at) = text.iter().position(|byte| *byte == 0) {
        return Err(ScanError::Nul(at));
    }
    let mut scanned = Scanned::default();
    let mut open = Vec::new();
    // All marks are ASCII, so what lies between them is never cut inside a character.
    let mut at = 0;
    while let Some(byte) = text.get(at).copied() {
        let start = at;
        let next = text.get(at + 1).copied();
        at += 1;
        match byte {
            b'-' if next == Some(b'-') && begins_comment(text.get(start + 2).copied(), syntax) => {
                (at, scanned.open_line) = line_comment(text, start);
                continue;
            }
            b'#' if syntax.hash_comments => {
                (at, scanned.open_line) = line_comment(text, start);
                continue;
            }
            b'/' if next == Some(b'*') => {
                at = block_comment(text, start, syntax)?;
                continue;
            }
            byte if byte.is_ascii_whitespace() => continue,
            _ => {}
        }
        if scanned.semicolon.is_some() && byte != b';' {
            scanned.goes_on = true;
        }
        match byte {
            b'\'' => {
                let escapes = syntax.backslash_escapes || syntax.escape_strings && is_escape_string(text, start);
                at = quoted(text, start, b'\'', escapes)?;
            }
            b'"' => at = quoted(text, start, b'"', syntax.backslash_escapes)?,
            b'`' if syntax.backticks => at = quoted(text, start, b'`', false)?,
            b'[' if syntax.brackets => {
                let close = text[at..].iter().position(|byte| *byte == b']').ok_or(ScanError::OpenQuote(start))?;
                at += close + 1;
            }
            b'$' if syntax.dollar_quotes && !follows_word(text, start) => {
                if let Some(end) = dollar_quoted(text, start)? {
                    at = end;
                }
            }
            b'(' => open.push(start),
            b')' => {
                open.pop().ok_or(ScanError::StrayParenthesis(start))?;
            }
            b';' => {
                scanned.semicolon.get_or_insert(start);
            }
            b'?' if next == Some(b'?') => {
                at += 1;
                scanned.question_marks.push(start);
            }
            b'?' if next.is_some_and(|next| next.is_ascii_digit()) => {
                return Err(ScanError::NumberedPlaceholder(start));
            }
            b'?' => scanned.placeholders.push(start),
            _ => {}
        }
    }
    match open.pop() {
        Some(start) => Err(ScanError::OpenParenthesis(start)),
        None => Ok(scanned),
    }
}

fn begins_comment(after: Option<u8>, syntax: RawSyntax) -> bool {
    !syntax.dashes_need_blank || after.is_none_or(|byte| byte <= b' ' || byte == 0x7f)
}

// Where the comment ends, and whether the text ends before it does.
fn line_comment(text: &[u8], start: usize) -> (usize, bool) {
    match text[start..].iter().position(|byte| *byte == b'\n') {
        Some(length) => (start + length + 1, false),
        None => (text.len(), true),
    }
}

fn block_comment(text: &[u8], start: usize, syntax: RawSyntax) -> Result<usize, ScanError> {
    let inside = &text[start + 2..];
    if syntax.executable_comments && (inside.starts_with(b"!") || inside.starts_with(b"M!")) {
        return Err(ScanError::ExecutableComment(start));
    }
    let mut depth = 1;
    let mut at = start + 2;
    while depth > 0 {
        match text.get(at..at + 2) {
            Some(b"*/") => {
                depth -= 1;
                at += 2;
            }
            Some(b"/*") if syntax.nested_comments => {
                depth += 1;
                at += 2;
            }
            Some(_) => at += 1,
            None => return Err(ScanError::OpenComment(start)),
        }
    }
    Ok(at)
}

// Where the quoted text ends. A doubled quote ends it and begins it again, which comes to the same.
fn quoted(text: &[u8], start: usize, quote: u8, escapes: bool) -> Result<usize, ScanError> {
    let mut at = start + 1;
    loop {
        match text.get(at) {
            None => return Err(ScanError::OpenQuote(start)),
            Some(b'\\') if escapes => at += 2,
            Some(byte) if *byte == quote => {
                // Within `E'…'` the second half of a doubled quote is an escape string as well.
                if escapes && text.get(at + 1) == Some(&quote) {
                    at += 2;
                    continue;
                }
                return Ok(at + 1);
            }
            Some(_) => at += 1,
        }
    }
}

// Whether the quote follows an `E` that is a word by itself.
fn is_escape_string(text: &[u8], quote: usize) -> bool {
    let Some(before) = quote.checked_sub(1) else { return false };
    matches!(text[before], b'e' | b'E') && !follows_word(text, before)
}

fn follows_word(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|before| text[before]);
    before.is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80)
}

// Where `$tag$ … $tag$` ends, if it is one that begins here.
fn dollar_quoted(text: &[u8], start: usize) -> Result<Option<usize>, ScanError> {
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    let length = text[start + 1..].iter().take_while(|byte| is_name(byte)).count();
    let end = start + 1 + length;
    if text.get(end) != Some(&b'$') || text[start + 1].is_ascii_digit() {
        return Ok(None);
    }
    let tag = &text[start..=end];
    let inside = &text[end + 1..];
    let close = inside.windows(tag.len()).position(|part| part == tag).ok_or(ScanError::OpenQuote(start))?;
    Ok(Some(end + 1 + close + tag.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mysql() -> RawSyntax {
        RawSyntax {
            backslash_escapes: true,
            backticks: true,
            hash_comments: true,
            dashes_need_blank: true,
            executable_comments: true,
            ..RawSyntax::default()
        }
    }

    fn sqlite() -> RawSyntax {
        RawSyntax { backticks: true, brackets: true, ..RawSyntax::default() }
    }

    fn postgres() -> RawSyntax {
        RawSyntax { nested_comments: true, dollar_quotes: true, escape_strings: true, ..RawSyntax::default() }
    }

    fn places(sql: &str, syntax: RawSyntax) -> Vec<usize> {
        scan(sql, syntax).unwrap_or_else(|error| panic!("{sql}: {error}")).placeholders
    }

    #[test]
    fn placeholders_are_outside_quotes_and_comments() {
        for syntax in [RawSyntax::default(), mysql(), sqlite(), postgres()] {
            assert!(places("", syntax).is_empty());
            assert_eq!(places("?", syntax), [0]);
            assert_eq!(places("a = ? AND b = ?", syntax), [4, 14]);
            assert_eq!(places("a = '?' AND \"?\" = ?", syntax), [18]);
            assert_eq!(places("a = 'it''s ?' OR a = ?", syntax), [21]);
            assert_eq!(places("a -- why?\n= ?", syntax), [12]);
            assert_eq!(places("a /* ? */ = ?", syntax), [12]);
        }
    }

    #[test]
    fn each_database_has_rules_of_its_own() {
        assert_eq!(places(r"a = 'it\'s ?' OR b = ?", mysql()), [21]);
        assert_eq!(scan(r"a = 'it\'s ?' OR b = ?", sqlite()), Err(ScanError::OpenQuote(12)));
        assert_eq!(places(r"a = '\' OR b = ?", sqlite()), [15]);
        assert_eq!(places("a # why?\n= ?", mysql()), [11]);
        assert_eq!(places("a # ?", sqlite()), [4]);
        assert_eq!(places("a = 5--?", mysql()), [7]);
        assert!(places("a = 5--?", sqlite()).is_empty());
        assert_eq!(places("[a?] = ? AND `b?` = ?", sqlite()), [7, 20]);
        assert_eq!(scan("a[1] = ?", postgres()).unwrap().placeholders, [7]);
        assert_eq!(places("a = $x$ ' ? $x$ AND b = ?", postgres()), [24]);
        assert_eq!(places("a = $1 AND b$c$ = ?", postgres()), [18]);
        assert_eq!(places(r"a = E'\' ?' AND b = ?", postgres()), [20]);
        assert_eq!(places(r"a = E'''\' ?' AND b = ?", postgres()), [22]);
        assert_eq!(places("/* /* ? */ ? */ ?", postgres()), [16]);
        assert_eq!(places("/* /* ? */ ? ", sqlite()), [11]);
        assert_eq!(scan("/*! ) */", mysql()), Err(ScanError::ExecutableComment(0)));
        assert_eq!(scan("1 /*M!100 ) */", mysql()), Err(ScanError::ExecutableComment(2)));
    }

    #[test]
    fn what_does_not_hold_together_is_refused() {
        for (sql, error) in [
            ("1=1) OR (1=1", ScanError::StrayParenthesis(3)),
            ("(a", ScanError::OpenParenthesis(0)),
            ("a = 'x", ScanError::OpenQuote(4)),
            ("a = \"x", ScanError::OpenQuote(4)),
            ("a /* x", ScanError::OpenComment(2)),
            ("a /*/", ScanError::OpenComment(2)),
            ("a = ?1", ScanError::NumberedPlaceholder(4)),
            ("a\0b", ScanError::Nul(1)),
        ] {
            for syntax in [RawSyntax::default(), mysql(), sqlite(), postgres()] {
                assert_eq!(scan(sql, syntax), Err(error), "{sql}");
            }
        }
        assert_eq!(scan("a = '\\", mysql()), Err(ScanError::OpenQuote(4)));
        assert_eq!(scan("[a", sqlite()), Err(ScanError::OpenQuote(0)));
        assert_eq!(scan("$$a$", postgres()), Err(ScanError::OpenQuote(0)));
    }

    #[test]
    fn ends_are_seen() {
        let end = |sql: &str| scan(sql, mysql()).unwrap();
        assert!(end("a -- all").open_line && end("a #").open_line && end("a --").open_line);
        assert!(!end("a -- all\n").open_line && !end("a /* x */").open_line && !end("a - -1").open_line);
        assert!(end("a -- x\n# y").open_line);
        assert!(!end("a; -- x").goes_on && end("a; -- x").semicolon == Some(1));
        assert!(end("a; b").goes_on && !end("a;;").goes_on && end("a;'x'").goes_on);
        assert_eq!(end("';' ?? ?").question_marks, [4]);
    }
}
