//! The error of a value that a column type does not take.

use std::borrow::Cow;

use super::{Error, ErrorKind};
use crate::value::Value;

/// The error of a [`ColumnType`](crate::ColumnType) for a value that is not its own. The model adds its name and the
/// column to make an [`Error`] of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DecodeError {
    pub(crate) expected: &'static str,
    pub(crate) found: String,
}

impl DecodeError {
    /// Makes the error. `expected` says in words what the type takes: "a 32-bit integer".
    ///
    /// ```
    /// use assoc_core::{DecodeError, Value};
    ///
    /// let error = DecodeError::new("a 32-bit integer", &Value::Int(3_000_000_000)).at("User", "age");
    /// assert!(error.to_string().contains("a 32-bit integer"));
    /// ```
    #[cold]
    #[must_use]
    pub fn new(expected: &'static str, found: &Value<'_>) -> Self {
        let found = match found {
            Value::Null => "NULL".to_owned(),
            // Data may be long or private, so the message has its kind and a short beginning: enough to find the row.
            value => {
                let shown = value.to_string();
                let mut short: String = shown.chars().take(40).collect();
                if short.len() < shown.len() {
                    short.push('…');
                }
                format!("{} ({short})", value.kind())
            }
        };
        DecodeError { expected, found }
    }

    /// Adds what is wrong with it.
    #[cfg(feature = "serde_json")]
    #[cold]
    pub(crate) fn because(mut self, reason: &str) -> Self {
        self.found = format!("{}: {reason}", self.found);
        self
    }

    /// Names the place the value came from.
    ///
    /// ```
    /// use assoc_core::{DecodeError, ErrorKind, Value};
    ///
    /// let error = DecodeError::new("text", &Value::Null).at("User", "name");
    /// assert!(matches!(error.kind(), ErrorKind::Decode { model: "User", .. }));
    /// ```
    #[cold]
    #[must_use]
    pub fn at(self, model: &'static str, column: impl Into<Cow<'static, str>>) -> Error {
        ErrorKind::Decode { model, column: column.into(), expected: self.expected, found: self.found }.into()
    }
}
