//! Values into binds, columns into values, and failures into the classes that decide about retries and messages.

use assoc_core::driver::Bind;
use assoc_core::value::{Date, DateTime};
use assoc_core::{DriverError, DriverErrorKind, Error, Result, Value};
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use rusqlite::{Error as ClientError, Row, ffi};

pub(crate) fn to_sql<'b>(bind: &'b Bind, sql: &str) -> Result<ToSqlOutput<'b>> {
    let refused = |why: &str| error(DriverErrorKind::Value, format!("a value cannot be bound: {why}"), sql);
    // The dialect writes no list.
    let Bind::Value(value) = bind else { return Err(refused("it is a list")) };
    Ok(ToSqlOutput::Owned(match value {
        Value::Null => Stored::Null,
        Value::Bool(flag) => Stored::Integer((*flag).into()),
        Value::Int(number) => Stored::Integer(*number),
        Value::UInt(number) => Stored::Integer(i64::try_from(*number).map_err(|_| refused("it is above 2^63 - 1"))?),
        Value::Real(number) if number.is_nan() => return Err(refused("SQLite would store NULL")),
        Value::Real(number) => Stored::Real(*number),
        Value::Text(text) | Value::Decimal(text) | Value::Json(text) => {
            return Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())));
        }
        Value::Blob(bytes) => return Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
        Value::Uuid(bytes) => return Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
        // ISO 8601, which sorts by time where a year has four digits.
        Value::Date(Date { year, .. }) | Value::DateTime(DateTime { date: Date { year, .. }, .. })
            if !(0..=9_999).contains(year) =>
        {
            return Err(refused("as a text it would not compare as a date"));
        }
        Value::Date(_) | Value::Time(_) | Value::DateTime(_) => Stored::Text(value.to_string()),
        _ => return Err(refused("SQLite has nothing like it")),
    }))
}

/// The nearest variant. What a field of a model makes of it is the core's concern.
pub(crate) fn decode<'r>(row: &'r Row, at: usize, sql: &str) -> Result<Value<'r>> {
    Ok(match row.get_ref(at).map_err(|error| statement_error(error, sql))? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => {
                let why = format!("column {at} is not UTF-8");
                return Err(error(DriverErrorKind::Value, why, sql));
            }
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
    })
}

pub(crate) fn error(kind: DriverErrorKind, message: impl Into<String>, sql: &str) -> Error {
    DriverError::new(kind, message).with_sql(sql).into()
}

pub(crate) fn statement_error(error: ClientError, sql: &str) -> Error {
    let message = match &error {
        ClientError::SqliteFailure(_, Some(message)) | ClientError::SqlInputError { msg: message, .. } => {
            message.clone()
        }
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
        // Errors of `SUM` and of our functions, which have no code.
        (_, ffi::SQLITE_ERROR) if message.starts_with("integer overflow") => DriverErrorKind::Value,
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
