//! Regular expressions of `format`.

use regex::Regex;

/// A regular expression: a `&str` or `String` of one, or a [`Regex`].
///
/// ```
/// use assoc_core::IntoPattern;
///
/// assert!("^[a-z]+$".into_pattern().is_ok_and(|pattern| pattern.is_match("ada")));
/// assert!("[a-z".into_pattern().is_err());
/// ```
pub trait IntoPattern {
    /// The compiled expression.
    ///
    /// # Errors
    /// The reason why the text is no regular expression. A rule with such a text refuses every row.
    fn into_pattern(self) -> Result<Regex, String>;
}

impl IntoPattern for Regex {
    fn into_pattern(self) -> Result<Regex, String> {
        Ok(self)
    }
}

impl IntoPattern for &str {
    fn into_pattern(self) -> Result<Regex, String> {
        Regex::new(self).map_err(|error| format!("`{self}` is no regular expression ({error})"))
    }
}

impl IntoPattern for String {
    fn into_pattern(self) -> Result<Regex, String> {
        self.as_str().into_pattern()
    }
}
