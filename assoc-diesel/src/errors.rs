//! From Diesel's errors to the classes of [`DriverErrorKind`]. Diesel passes no code of the database on: it knows four
//! constraints, and the rest is in the message.

use assoc_core::{DriverError, DriverErrorKind, Error};
use assoc_dialects::sqlite::{class_of_message, violation};
use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// The error of a statement, with its text.
#[cold]
pub(crate) fn of_statement(error: DieselError, sql: &str) -> Error {
    of_diesel(error).with_sql(sql).into()
}

/// The error of Diesel as the core has it.
#[cold]
pub(crate) fn of_diesel(error: DieselError) -> DriverError {
    let (kind, message) = match &error {
        DieselError::DatabaseError(kind, information) => {
            let message = information.message().to_owned();
            (class_of(kind, &message), message)
        }
        DieselError::SerializationError(_) | DieselError::DeserializationError(_) => {
            (DriverErrorKind::Value, error.to_string())
        }
        DieselError::QueryBuilderError(source) if source.is::<diesel::result::EmptyQuery>() => {
            let message = "there is no statement in the text: it is empty, or only a comment";
            (DriverErrorKind::Statement, message.to_owned())
        }
        DieselError::QueryBuilderError(_) | DieselError::InvalidCString(_) => {
            (DriverErrorKind::Statement, error.to_string())
        }
        DieselError::BrokenTransactionManager => (DriverErrorKind::ConnectionLost, error.to_string()),
        _ => (DriverErrorKind::Other, error.to_string()),
    };
    violation(kind, &message).describe(DriverError::new(kind, &*message)).with_source(error)
}

fn class_of(kind: &DatabaseErrorKind, message: &str) -> DriverErrorKind {
    match kind {
        DatabaseErrorKind::UniqueViolation => DriverErrorKind::UniqueViolation,
        DatabaseErrorKind::ForeignKeyViolation => DriverErrorKind::ForeignKeyViolation,
        DatabaseErrorKind::NotNullViolation => DriverErrorKind::NotNullViolation,
        DatabaseErrorKind::CheckViolation => DriverErrorKind::CheckViolation,
        DatabaseErrorKind::SerializationFailure => DriverErrorKind::Retryable,
        DatabaseErrorKind::ClosedConnection => DriverErrorKind::ConnectionLost,
        DatabaseErrorKind::ReadOnlyTransaction => DriverErrorKind::ReadOnly,
        _ => class_of_message(message),
    }
}

/// A statement or a value that is refused before Diesel sees it.
#[cold]
pub(crate) fn refused(kind: DriverErrorKind, message: impl Into<String>, sql: &str) -> Error {
    DriverError::new(kind, message).with_sql(sql).into()
}

/// Something that has no statement.
#[cold]
pub(crate) fn plain(kind: DriverErrorKind, message: impl Into<String>) -> Error {
    DriverError::new(kind, message).into()
}
