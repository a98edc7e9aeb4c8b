//! What SQLite says in its messages: of a violated constraint, which is in the message alone, and of any failure to a client
//! that passes no code on.

use assoc_core::{DriverError, DriverErrorKind};

use super::functions::REFUSED;

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
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    /// use assoc_dialects::sqlite::violation;
    ///
    /// let (kind, message) = (DriverErrorKind::UniqueViolation, "UNIQUE constraint failed: users.email");
    /// let error = violation(kind, message).describe(DriverError::new(kind, message));
    /// assert_eq!((error.table(), error.constraint()), (Some("users"), Some("users.email")));
    /// ```
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

/// The class of a failure that has no class by its code: the errors of `SUM`, of `LIKE` and of our functions. `None` of all
/// others.
///
/// ```
/// use assoc_core::DriverErrorKind;
/// use assoc_dialects::sqlite::class_of_answer;
///
/// assert_eq!(class_of_answer("integer overflow"), Some(DriverErrorKind::Value), "of `SUM`");
/// assert_eq!(class_of_answer("LIKE or GLOB pattern too complex"), Some(DriverErrorKind::TooLarge), "of more than 50,000 bytes");
/// assert_eq!(class_of_answer("no such table: users"), None);
/// ```
#[must_use]
pub fn class_of_answer(message: &str) -> Option<DriverErrorKind> {
    match message {
        "integer overflow" => Some(DriverErrorKind::Value),
        "LIKE or GLOB pattern too complex" => Some(DriverErrorKind::TooLarge),
        _ => message.starts_with(REFUSED).then_some(DriverErrorKind::Value),
    }
}

/// Reads the schema anew on a connection that knows an older one.
pub const READ_SCHEMA: &str = "SELECT 1 FROM sqlite_master LIMIT 1";

/// Whether a connection may have refused a statement by an older schema than the database has now: of a unique index that
/// another connection has made since, SQLite says that there is none. It does not look for a newer schema then, so the connection
/// refuses the statement until it has run another one, such as [`READ_SCHEMA`]. Nothing of the refused statement has run.
///
/// ```
/// use assoc_dialects::sqlite::may_know_an_older_schema;
///
/// let refused = "ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint";
/// assert!(may_know_an_older_schema(refused) && !may_know_an_older_schema("no such table: users"));
/// ```
#[must_use]
pub fn may_know_an_older_schema(message: &str) -> bool {
    message.contains("ON CONFLICT clause does not match any")
}

/// The class of a failure by its message, for a client that does not pass SQLite's code on.
///
/// All codes but `SQLITE_ERROR` and those of constraints have one message each (`sqlite3_errstr`), so what is none of them is
/// a statement that cannot be run as it stands. A message of `RAISE(ABORT, …)` in a trigger counts as one too.
///
/// ```
/// use assoc_core::DriverErrorKind;
/// use assoc_dialects::sqlite::class_of_message;
///
/// assert_eq!(class_of_message("database is locked"), DriverErrorKind::Retryable);
/// assert_eq!(class_of_message("no such table: users"), DriverErrorKind::Statement);
/// ```
#[must_use]
pub fn class_of_message(message: &str) -> DriverErrorKind {
    if let Some(kind) = class_of_answer(message) {
        return kind;
    }
    match message {
        "database is locked" | "database table is locked" | "database schema is locked" => DriverErrorKind::Retryable,
        "unable to open database file" | "file is not a database" => DriverErrorKind::Unavailable,
        "datatype mismatch" => DriverErrorKind::Value,
        "string or blob too big" => DriverErrorKind::TooLarge,
        "interrupted" => DriverErrorKind::Interrupted,
        "attempt to write a readonly database" => DriverErrorKind::ReadOnly,
        "database or disk is full" => DriverErrorKind::DiskFull,
        "database disk image is malformed" => DriverErrorKind::Corrupt,
        "disk I/O error"
        | "out of memory"
        | "internal logic error"
        | "access permission denied"
        | "callback requested query abort"
        | "query aborted"
        | "locking protocol"
        | "unknown operation"
        | "large file support is disabled"
        | "authorization denied"
        | "not authorized"
        | "constraint failed" => DriverErrorKind::Other,
        _ if message.starts_with("database table is locked: ") => DriverErrorKind::Retryable,
        _ if message.starts_with("UNIQUE constraint failed") => DriverErrorKind::UniqueViolation,
        _ if message.starts_with("NOT NULL constraint failed") => DriverErrorKind::NotNullViolation,
        _ if message.starts_with("CHECK constraint failed") => DriverErrorKind::CheckViolation,
        _ if message.starts_with("FOREIGN KEY constraint failed") => DriverErrorKind::ForeignKeyViolation,
        // A STRICT table refused a value's type.
        _ if message.starts_with("cannot store ") => DriverErrorKind::Value,
        _ => DriverErrorKind::Statement,
    }
}
