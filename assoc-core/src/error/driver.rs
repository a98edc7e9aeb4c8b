//! The errors that a driver reports: a class for the repo, the database's code and message, and the statement.

use std::fmt;

use super::excerpt;

/// The class of a driver's failure. Drivers MUST classify; [`DriverErrorKind::Other`] is for failures that fit no
/// class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DriverErrorKind {
    /// No connection could be made.
    Unavailable,
    /// All connections of the pool were in use, and none became free in time.
    PoolTimeout,
    /// The connection broke. Inside a transaction everything since its start is lost.
    ConnectionLost,
    /// The outcome is unknown: the connection broke during COMMIT, or the first statement of a transaction ran though its BEGIN
    /// was refused. The repo never retries it.
    AmbiguousCommit,
    /// A deadlock, a lock timeout or a busy database: the same transaction may succeed when run again.
    Retryable,
    /// A unique or primary key constraint was violated.
    UniqueViolation,
    /// A foreign key constraint was violated.
    ForeignKeyViolation,
    /// A NOT NULL constraint was violated.
    NotNullViolation,
    /// A CHECK constraint was violated.
    CheckViolation,
    /// The statement is wrong: unknown table or column, syntax.
    Statement,
    /// A value cannot be represented on the other side.
    Value,
    /// A value, a row or a statement is larger than the database takes.
    TooLarge,
    /// The statement ran longer than its time limit.
    TimeLimit,
    /// The statement was stopped before its end: by an administrator, or because the program dropped its future.
    Interrupted,
    /// The database, the server or the transaction is read-only.
    ReadOnly,
    /// There is no space left to write.
    DiskFull,
    /// The database's files are damaged.
    Corrupt,
    /// Anything else.
    Other,
}

/// A failure of the database or its driver.
///
/// [`Display`](fmt::Display) gives the class, the database's message and the beginning of the statement;
/// [`source`](std::error::Error::source) the driver's own error.
pub struct DriverError {
    kind: DriverErrorKind,
    message: String,
    code: Option<String>,
    table: Option<String>,
    constraint: Option<String>,
    columns: Vec<String>,
    sql: Option<Box<str>>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl DriverError {
    /// An error of one class with the database's message.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry");
    /// assert_eq!(error.to_string(), "unique constraint violated: Duplicate entry");
    /// ```
    pub fn new(kind: DriverErrorKind, message: impl Into<String>) -> Self {
        DriverError {
            kind,
            message: message.into(),
            code: None,
            table: None,
            constraint: None,
            columns: Vec::new(),
            sql: None,
            source: None,
        }
    }

    /// Adds the database's error code: `SQLITE_CONSTRAINT_UNIQUE`, `1062`.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry").with_code("1062");
    /// assert_eq!(error.code(), Some("1062"));
    /// ```
    #[must_use]
    pub fn with_code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Adds the table a constraint belongs to, where the database says it.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry").with_table("users");
    /// assert_eq!(error.table(), Some("users"));
    /// ```
    #[must_use]
    pub fn with_table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(table.into());
        self
    }

    /// Adds the constraint, as the database names it: an index, or the columns (`users.email`).
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry").with_constraint("users_email");
    /// assert_eq!(error.constraint(), Some("users_email"));
    /// ```
    #[must_use]
    pub fn with_constraint(mut self, constraint: impl Into<String>) -> Self {
        self.constraint = Some(constraint.into());
        self
    }

    /// Adds the columns of the constraint by their names in the database, where it says them.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry").with_columns(["email"]);
    /// assert_eq!(error.columns(), ["email"]);
    /// ```
    #[must_use]
    pub fn with_columns(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Adds the statement that failed. Its text contains no values, because they are bound.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry").with_sql("INSERT INTO users …");
    /// assert_eq!(error.sql(), Some("INSERT INTO users …"));
    /// ```
    #[must_use]
    pub fn with_sql(mut self, sql: &str) -> Self {
        self.sql = Some(sql.into());
        self
    }

    /// Adds the driver's own error.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry").with_source("the client's own error");
    /// assert!(std::error::Error::source(&error).is_some());
    /// ```
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The class.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry");
    /// assert_eq!(error.kind(), DriverErrorKind::UniqueViolation);
    /// ```
    #[must_use]
    pub fn kind(&self) -> DriverErrorKind {
        self.kind
    }

    /// The database's message.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry");
    /// assert_eq!(error.message(), "Duplicate entry");
    /// ```
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The database's error code.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry");
    /// assert_eq!(error.code(), None); // the driver did not say it
    /// ```
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The table whose constraint was violated.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry").with_table("users");
    /// if error.table() == Some("users") {
    ///     println!("there is such a user");
    /// }
    /// ```
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        self.table.as_deref()
    }

    /// The constraint that was violated.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry").with_constraint("users.email");
    /// assert_eq!(error.constraint(), Some("users.email"));
    /// ```
    #[must_use]
    pub fn constraint(&self) -> Option<&str> {
        self.constraint.as_deref()
    }

    /// The columns of the constraint, by their names in the database; empty where it does not say them.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry");
    /// assert!(error.columns().is_empty());
    /// ```
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The statement that failed.
    ///
    /// ```
    /// use assoc_core::{DriverError, DriverErrorKind};
    ///
    /// let error = DriverError::new(DriverErrorKind::UniqueViolation, "Duplicate entry").with_sql("INSERT INTO users …");
    /// println!("{}", error.sql().unwrap_or_default());
    /// ```
    #[must_use]
    pub fn sql(&self) -> Option<&str> {
        self.sql.as_deref()
    }
}

impl fmt::Display for DriverErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DriverErrorKind::Unavailable => "database unavailable",
            DriverErrorKind::PoolTimeout => "no connection free in time",
            DriverErrorKind::ConnectionLost => "connection lost",
            DriverErrorKind::AmbiguousCommit => "outcome unknown",
            DriverErrorKind::Retryable => "conflict with another transaction, retry",
            DriverErrorKind::UniqueViolation => "unique constraint violated",
            DriverErrorKind::ForeignKeyViolation => "foreign key constraint violated",
            DriverErrorKind::NotNullViolation => "NOT NULL constraint violated",
            DriverErrorKind::CheckViolation => "CHECK constraint violated",
            DriverErrorKind::Statement => "statement refused",
            DriverErrorKind::Value => "value refused",
            DriverErrorKind::TooLarge => "too large",
            DriverErrorKind::TimeLimit => "time limit reached",
            DriverErrorKind::Interrupted => "statement interrupted",
            DriverErrorKind::ReadOnly => "database is read-only",
            DriverErrorKind::DiskFull => "disk full",
            DriverErrorKind::Corrupt => "database damaged",
            DriverErrorKind::Other => "database error",
        })
    }
}

impl fmt::Display for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)?;
        if let Some(sql) = &self.sql {
            write!(f, " [in: {}]", excerpt(sql))?;
        }
        Ok(())
    }
}

// Not derived, because a statement may be very long.
impl fmt::Debug for DriverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DriverError")
            .field("kind", &self.kind)
            .field("message", &self.message)
            .field("code", &self.code)
            .field("table", &self.table)
            .field("constraint", &self.constraint)
            .field("columns", &self.columns)
            .field("sql", &self.sql.as_deref().map(excerpt))
            .field("source", &self.source)
            .finish()
    }
}

impl std::error::Error for DriverError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_statements_are_cut_in_messages_and_kept_as_data() {
        let sql = format!("SELECT 1 WHERE id IN ({})", vec!["?"; 100_000].join(", "));
        let error = crate::Error::from(DriverError::new(DriverErrorKind::Other, "no").with_sql(&sql));
        for shown in [format!("{error}"), format!("{error:?}"), format!("{error:#?}")] {
            assert!(shown.len() < 3_000 && shown.contains("SELECT 1 WHERE id IN (?, "), "{}", shown.len());
        }
        assert_eq!(error.driver().and_then(DriverError::sql), Some(sql.as_str()));
    }
}
