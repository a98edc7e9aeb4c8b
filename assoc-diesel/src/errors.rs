//! From Diesel's errors to the classes of [`DriverErrorKind`]. Diesel passes no code of the database on: it knows some
//! constraints, and the rest is in the message, which each database words in its own way.

use assoc_core::{DriverError, DriverErrorKind, Error};
use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};

/// How a database's report is read: the class that Diesel knows, if it knows one, and what the database says.
pub(crate) type Reading = fn(Option<DriverErrorKind>, &dyn DatabaseErrorInformation) -> DriverError;

/// The error of a statement, with its text.
#[cold]
pub(crate) fn of_statement(error: DieselError, reading: Reading, sql: &str) -> Error {
    read(error, reading).with_sql(sql).into()
}

/// The error of Diesel as the core has it, of a database that is not known.
#[cold]
pub(crate) fn of_diesel(error: DieselError) -> DriverError {
    read(error, guess)
}

/// The error of Diesel as the core has it.
#[cold]
pub(crate) fn read(error: DieselError, reading: Reading) -> DriverError {
    // Of a COMMIT that failed, and of the ROLLBACK after it, which failed as well.
    let error = match error {
        DieselError::RollbackErrorOnCommit { commit_error, .. } => *commit_error,
        error => error,
    };
    let report = match &error {
        DieselError::DatabaseError(kind, information) => reading(class_of(kind), &**information),
        DieselError::SerializationError(_) | DieselError::DeserializationError(_) => {
            DriverError::new(DriverErrorKind::Value, error.to_string())
        }
        DieselError::QueryBuilderError(source) if source.is::<diesel::result::EmptyQuery>() => {
            DriverError::new(DriverErrorKind::Statement, EMPTY)
        }
        DieselError::QueryBuilderError(_) | DieselError::InvalidCString(_) => {
            DriverError::new(DriverErrorKind::Statement, error.to_string())
        }
        DieselError::BrokenTransactionManager => DriverError::new(DriverErrorKind::ConnectionLost, error.to_string()),
        _ => DriverError::new(DriverErrorKind::Other, error.to_string()),
    };
    report.with_source(error)
}

const EMPTY: &str = "there is no statement in the text: it is empty, or only a comment";

fn class_of(kind: &DatabaseErrorKind) -> Option<DriverErrorKind> {
    Some(match kind {
        DatabaseErrorKind::UniqueViolation | DatabaseErrorKind::ExclusionViolation => DriverErrorKind::UniqueViolation,
        DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation => {
            DriverErrorKind::ForeignKeyViolation
        }
        DatabaseErrorKind::NotNullViolation => DriverErrorKind::NotNullViolation,
        DatabaseErrorKind::CheckViolation => DriverErrorKind::CheckViolation,
        DatabaseErrorKind::SerializationFailure => DriverErrorKind::Retryable,
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => DriverErrorKind::ConnectionLost,
        DatabaseErrorKind::ReadOnlyTransaction => DriverErrorKind::ReadOnly,
        _ => return None,
    })
}

/// Reads a report of SQLite's, which is a message alone.
pub(crate) fn of_sqlite(class: Option<DriverErrorKind>, information: &dyn DatabaseErrorInformation) -> DriverError {
    use assoc_dialects::sqlite::{class_of_message, violation};
    let message = information.message();
    let kind = class.unwrap_or_else(|| class_of_message(message));
    violation(kind, message).describe(DriverError::new(kind, message))
}

/// Reads a report of PostgreSQL's, which names the table, the column and the constraint in fields of their own.
pub(crate) fn of_postgres(class: Option<DriverErrorKind>, information: &dyn DatabaseErrorInformation) -> DriverError {
    use assoc_dialects::postgres::errors::{class_of_message, key_columns};
    let message = information.message();
    let kind = class.unwrap_or_else(|| class_of_message(message, information.statement_position()));
    let mut report = DriverError::new(kind, message);
    if let Some(table) = information.table_name() {
        report = report.with_table(table);
    }
    // NOT NULL has no name before version 18.
    if let Some(name) = information.constraint_name().or(information.column_name()) {
        report = report.with_constraint(name);
    }
    match information.column_name() {
        Some(column) => report.with_columns([column]),
        None => report.with_columns(information.details().map(key_columns).unwrap_or_default()),
    }
}

/// Reads a report of MySQL's, which is a message alone as well. A client that has the connection asks the server for the number.
pub(crate) fn of_mysql(class: Option<DriverErrorKind>, information: &dyn DatabaseErrorInformation) -> DriverError {
    use assoc_dialects::mysql::ServerError;
    let message = information.message();
    match ServerError::of_message(message) {
        Some(error) => error.error(""),
        None => DriverError::new(class.unwrap_or(DriverErrorKind::Other), message),
    }
}

// SQLite and MySQL have a message and nothing else.
fn guess(class: Option<DriverErrorKind>, information: &dyn DatabaseErrorInformation) -> DriverError {
    if cfg!(feature = "mysql") && assoc_dialects::mysql::ServerError::of_message(information.message()).is_some() {
        return of_mysql(class, information);
    }
    let has_fields = information.table_name().is_some()
        || information.details().is_some()
        || information.statement_position().is_some();
    if has_fields || !cfg!(any(feature = "mysql", feature = "sqlite")) {
        of_postgres(class, information)
    } else if cfg!(feature = "sqlite") {
        of_sqlite(class, information)
    } else {
        of_mysql(class, information)
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
