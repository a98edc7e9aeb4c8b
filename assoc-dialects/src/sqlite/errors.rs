//! What SQLite says of a violated constraint. It is in the message alone, whatever client passes it on.

use assoc_core::{DriverError, DriverErrorKind};

/// What a message says of a violated constraint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Violation<'m> {
    /// The table, if it is named.
    pub table: Option<&'m str>,
    /// The columns as they are named, the index, or the name or expression of the `CHECK`.
    pub constraint: Option<&'m str>,
    /// The columns, without their table.
    pub columns: Vec<&'m str>,
}

impl Violation<'_> {
    /// Adds what it says to an error.
    #[must_use]
    pub fn describe(&self, mut error: DriverError) -> DriverError {
        if let Some(table) = self.table {
            error = error.with_table(table);
        }
        if let Some(constraint) = self.constraint {
            error = error.with_columns(self.columns.iter().copied()).with_constraint(constraint);
        }
        error
    }
}

/// Reads the message of an error of this kind. What cannot be read is left out.
///
/// ```
/// use assoc_core::DriverErrorKind;
/// use assoc_dialects::sqlite::violation;
///
/// let violated = violation(DriverErrorKind::UniqueViolation, "UNIQUE constraint failed: users.a, users.b");
/// assert_eq!((violated.table, violated.columns), (Some("users"), vec!["a", "b"]));
/// ```
#[must_use]
pub fn violation(kind: DriverErrorKind, message: &str) -> Violation<'_> {
    use DriverErrorKind::{CheckViolation, NotNullViolation, UniqueViolation};
    let named = matches!(kind, UniqueViolation | NotNullViolation | CheckViolation)
        .then(|| message.split_once("constraint failed: "))
        .flatten();
    // What follows the colon: `users.email`, `users.a, users.b`, `index 'name'`, or the CHECK's name or expression.
    let Some((_, named)) = named else { return Violation::default() };
    let without_table = |constraint| Violation { constraint: Some(constraint), ..Violation::default() };
    if kind == CheckViolation {
        return without_table(named);
    }
    if let Some(index) = named.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
        return without_table(index);
    }
    let Some((table, _)) = named.split_once('.') else { return without_table(named) };
    let own = |part| str::strip_prefix(part, table)?.strip_prefix('.');
    let columns = named.split(", ").map(own).collect::<Option<_>>().unwrap_or_default();
    Violation { table: Some(table), constraint: Some(named), columns }
}
