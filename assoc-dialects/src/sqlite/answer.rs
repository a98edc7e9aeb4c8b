//! How SQLite names the columns of an answer.

/// Whether a column of an answer is an expression without an alias, by its name: SQLite calls one by its text.
///
/// ```
/// use assoc_dialects::sqlite::is_expression;
///
/// assert!(is_expression("COUNT(*)") && is_expression("1") && is_expression("NULL"));
/// assert!(!is_expression("user_id"));
/// ```
#[must_use]
pub fn is_expression(name: &str) -> bool {
    let is_word = name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
        && !name.starts_with(|c: char| c.is_ascii_digit());
    let is_constant = ["NULL", "TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word));
    !is_word || is_constant
}
