//! The class of each error. It decides about retries, and about the message that a user sees.

use assoc_core::{DriverError, DriverErrorKind, Error};
use rusqlite::ffi;

pub(crate) fn of_statement(error: rusqlite::Error, sql: &str) -> Error {
    let message = match &error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    };
    let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
    let kind = match (code, code & 0xff) {
        (ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY, _) => DriverErrorKind::UniqueViolation,
        (ffi::SQLITE_CONSTRAINT_FOREIGNKEY, _) => DriverErrorKind::ForeignKeyViolation,
        (ffi::SQLITE_CONSTRAINT_NOTNULL, _) => DriverErrorKind::NotNullViolation,
        (ffi::SQLITE_CONSTRAINT_CHECK, _) => DriverErrorKind::CheckViolation,
        (_, ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => DriverErrorKind::Retryable,
        (_, ffi::SQLITE_MISMATCH) => DriverErrorKind::Value,
        // The error of `SUM`, which has no code.
        (_, ffi::SQLITE_ERROR) if message == "integer overflow" => DriverErrorKind::Value,
        (_, ffi::SQLITE_ERROR | ffi::SQLITE_RANGE | ffi::SQLITE_MISUSE) => DriverErrorKind::Statement,
        (_, ffi::SQLITE_TOOBIG) => DriverErrorKind::TooLarge,
        (_, ffi::SQLITE_READONLY) => DriverErrorKind::ReadOnly,
        (_, ffi::SQLITE_FULL) => DriverErrorKind::DiskFull,
        (_, ffi::SQLITE_CORRUPT) => DriverErrorKind::Corrupt,
        _ => DriverErrorKind::Other,
    };
    let mut described = DriverError::new(kind, message.clone()).with_sql(sql).with_code(code.to_string());
    // `UNIQUE constraint failed: users.a, users.b`
    if let Some((_, constraint)) = message.split_once("constraint failed: ") {
        let columns = constraint.split(", ").filter_map(|name| Some(name.split_once('.')?.1));
        described = described.with_columns(columns).with_constraint(constraint);
        if let Some((table, _)) = constraint.split_once('.') {
            described = described.with_table(table);
        }
    }
    described.with_source(error).into()
}

pub(crate) fn of_statement_text(message: &str, sql: &str) -> Error {
    DriverError::new(DriverErrorKind::Statement, message).with_sql(sql).into()
}

pub(crate) fn of_value(message: String, sql: &str) -> Error {
    DriverError::new(DriverErrorKind::Value, message).with_sql(sql).into()
}

pub(crate) fn of_opening(error: rusqlite::Error) -> Error {
    DriverError::new(DriverErrorKind::Unavailable, error.to_string()).with_source(error).into()
}
