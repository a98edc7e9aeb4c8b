//! What holds for every text that the scanner of raw SQL is given: a plain function, for this test and for a fuzzer.

use assoc_core::sql::{RawSyntax, Scanned, scan};

/// The syntaxes of databases, near enough.
fn syntaxes() -> [RawSyntax; 4] {
    let standard = RawSyntax::default();
    let mut mysql = standard;
    mysql.backslash_escapes = true;
    mysql.backticks = true;
    mysql.hash_comments = true;
    mysql.dashes_need_blank = true;
    mysql.executable_comments = true;
    let mut sqlite = standard;
    sqlite.backticks = true;
    sqlite.brackets = true;
    let mut postgres = standard;
    postgres.nested_comments = true;
    postgres.dollar_quotes = true;
    postgres.escape_strings = true;
    [standard, mysql, sqlite, postgres]
}

/// Checks a text under each syntax; gives back under how many it holds together.
///
/// # Panics
/// When the scanner reads the text in another way than a naive lexer does, or a text that it takes swallows what follows.
pub(crate) fn scanning_holds(text: &str) -> usize {
    let mut whole = 0;
    for syntax in syntaxes() {
        let scanned = scan(text, syntax).ok();
        let naive = naive(text, syntax);
        let parts = |scanned: &Scanned| {
            let Scanned { placeholders, question_marks, semicolon, goes_on, open_line, .. } = scanned.clone();
            (placeholders, question_marks, semicolon, goes_on, open_line)
        };
        assert_eq!(scanned.as_ref().map(parts), naive, "{text:?} {syntax:?}");
        let Some(scanned) = scanned else { continue };
        whole += 1;
        // Within parentheses nothing of what stands around it belongs to it.
        let end = if scanned.open_line { "\n" } else { "" };
        let around = format!("(? AND ({text}{end})) AND ?");
        let placed = scan(&around, syntax).unwrap_or_else(|error| panic!("{text:?} {syntax:?}: {error}"));
        let shift = "(? AND (".len();
        let mut expected = vec![1];
        expected.extend(scanned.placeholders.iter().map(|at| at + shift));
        expected.push(around.len() - 1);
        assert_eq!(placed.placeholders, expected, "{text:?} {syntax:?}");
    }
    whole
}

type Parts = (Vec<usize>, Vec<usize>, Option<usize>, bool, bool);

/// Reads a text token by token, from its front, by comparing beginnings.
fn naive(sql: &str, syntax: RawSyntax) -> Option<Parts> {
    if sql.contains('\0') {
        return None;
    }
    let (mut placeholders, mut marks, mut semicolon, mut goes_on, mut open_line) = (vec![], vec![], None, false, false);
    let mut depth = 0_i64;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let at = sql.len() - rest.len();
        let dashes = rest.strip_prefix("--").is_some_and(|after| {
            let next = after.chars().next();
            !syntax.dashes_need_blank || next.is_none_or(|c| c <= ' ' || c == '\u{7f}')
        });
        if dashes || syntax.hash_comments && first == '#' {
            match rest.split_once('\n') {
                Some((_, after)) => rest = after,
                None => {
                    open_line = true;
                    rest = "";
                }
            }
            continue;
        }
        if let Some(after) = rest.strip_prefix("/*") {
            if syntax.executable_comments && (after.starts_with('!') || after.starts_with("M!")) {
                return None;
            }
            rest = after_comment(after, syntax.nested_comments)?;
            continue;
        }
        if first.is_ascii_whitespace() {
            rest = &rest[1..];
            continue;
        }
        goes_on |= semicolon.is_some() && first != ';';
        let before = &sql[..at];
        rest = match first {
            '\'' | '"' => {
                let escape_string = first == '\'' && syntax.escape_strings && {
                    let mut last = before.chars().rev();
                    last.next().is_some_and(|c| c.eq_ignore_ascii_case(&'e')) && !last.next().is_some_and(is_word)
                };
                after_quote(&rest[1..], first, syntax.backslash_escapes || escape_string)?
            }
            '`' if syntax.backticks => rest[1..].split_once('`')?.1,
            '[' if syntax.brackets => rest.split_once(']')?.1,
            '$' if syntax.dollar_quotes && !before.chars().next_back().is_some_and(is_word) => {
                let tag = rest[1..].split_once('$').map(|(tag, _)| tag);
                let is_tag = |tag: &&str| {
                    tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii())
                        && !tag.starts_with(|c: char| c.is_ascii_digit())
                };
                match tag.filter(is_tag) {
                    Some(tag) => {
                        let tag = format!("${tag}$");
                        rest[tag.len()..].split_once(&tag)?.1
                    }
                    None => &rest[1..],
                }
            }
            '(' => {
                depth += 1;
                &rest[1..]
            }
            ')' => {
                depth -= 1;
                if depth < 0 {
                    return None;
                }
                &rest[1..]
            }
            ';' => {
                semicolon = semicolon.or(Some(at));
                &rest[1..]
            }
            '?' => match rest[1..].chars().next() {
                Some('?') => {
                    marks.push(at);
                    &rest[2..]
                }
                Some(next) if next.is_ascii_digit() => return None,
                _ => {
                    placeholders.push(at);
                    &rest[1..]
                }
            },
            other => &rest[other.len_utf8()..],
        };
    }
    (depth == 0).then_some((placeholders, marks, semicolon, goes_on, open_line))
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$' || !c.is_ascii()
}

fn after_quote(mut rest: &str, quote: char, escapes: bool) -> Option<&str> {
    loop {
        let c = rest.chars().next()?;
        rest = &rest[c.len_utf8()..];
        if c == '\\' && escapes {
            let skipped = rest.chars().next()?;
            rest = &rest[skipped.len_utf8()..];
        } else if c == quote {
            match rest.strip_prefix(quote) {
                Some(after) => rest = after,
                None => return Some(rest),
            }
        }
    }
}

fn after_comment(mut rest: &str, nested: bool) -> Option<&str> {
    let mut depth = 1;
    while depth > 0 {
        if let Some(after) = rest.strip_prefix("*/") {
            depth -= 1;
            rest = after;
        } else if let Some(after) = rest.strip_prefix("/*").filter(|_| nested) {
            depth += 1;
            rest = after;
        } else {
            let c = rest.chars().next()?;
            rest = &rest[c.len_utf8()..];
        }
    }
    Some(rest)
}
