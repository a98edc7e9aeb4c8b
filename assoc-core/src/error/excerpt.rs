//! The part of a statement's text that a message shows.

use std::borrow::Cow;

/// The most bytes of SQL in one message.
const LIMIT: usize = 2_000;

/// SQL as messages and logs show it: a short text in full, and of a long one the first 2,000 bytes with the number of
/// bytes that follow.
///
/// ```
/// use assoc_core::sql::excerpt;
///
/// assert_eq!(excerpt("SELECT 1"), "SELECT 1");
/// let long = format!("SELECT 1 WHERE id IN ({})", vec!["?"; 10_000].join(", "));
/// assert!(excerpt(&long).len() < 2_100);
/// assert!(excerpt(&long).ends_with("more bytes)"));
/// ```
#[must_use]
pub fn excerpt(sql: &str) -> Cow<'_, str> {
    if sql.len() <= LIMIT {
        return Cow::Borrowed(sql);
    }
    let mut end = LIMIT;
    while !sql.is_char_boundary(end) {
        end -= 1;
    }
    Cow::Owned(format!("{}… ({} more bytes)", &sql[..end], sql.len() - end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_not_cut_apart() {
        for before in 0..5 {
            let sql = "x".repeat(before) + &"é…𝄞".repeat(1_000);
            let shown = excerpt(&sql);
            assert!(shown.len() < LIMIT + 40, "{}", shown.len());
            let (kept, rest) = shown.rsplit_once("… (").unwrap();
            let more: usize = rest.strip_suffix(" more bytes)").unwrap().parse().unwrap();
            assert!(sql.starts_with(kept) && kept.len() + more == sql.len());
        }
        assert_eq!(excerpt(&"x".repeat(LIMIT)), "x".repeat(LIMIT));
    }
}
