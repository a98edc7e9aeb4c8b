//! Values into binds, and columns into values.

use assoc_core::driver::Bind;
use assoc_core::{Result, Value};
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};

use crate::errors;

pub(crate) fn to_sql<'b>(bind: &'b Bind, sql: &str) -> Result<ToSqlOutput<'b>> {
    // The dialect writes no list.
    let Bind::Value(value) = bind else { return Err(errors::of_statement_text("a list cannot be bound", sql)) };
    let refused = |why: &str| errors::of_value(format!("{} cannot be bound: {why}", value.kind()), sql);
    Ok(match value {
        Value::Text(text) | Value::Decimal(text) | Value::Json(text) => {
            ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
        }
        Value::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        Value::Uuid(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        value => ToSqlOutput::Owned(match value {
            Value::Null => Stored::Null,
            Value::Bool(flag) => Stored::Integer((*flag).into()),
            Value::Int(number) => Stored::Integer(*number),
            Value::UInt(number) => Stored::Integer(i64::try_from(*number).map_err(|_| refused("it is above 2^63 - 1"))?),
            Value::Real(number) if number.is_nan() => return Err(refused("SQLite would store NULL")),
            Value::Real(number) => Stored::Real(*number),
            // ISO 8601, which sorts by time.
            Value::Date(_) | Value::Time(_) | Value::DateTime(_) => Stored::Text(value.to_string()),
            _ => return Err(refused("SQLite has nothing like it")),
        }),
    })
}

/// The nearest variant. What a field of a model makes of it is the core's concern.
pub(crate) fn from_sql<'r>(row: &'r rusqlite::Row<'_>, column: usize, sql: &str) -> Result<Value<'r>> {
    Ok(match row.get_ref(column).map_err(|error| errors::of_statement(error, sql))? {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(error) => return Err(errors::of_value(format!("column {column} is not UTF-8: {error}"), sql)),
        },
        ValueRef::Blob(bytes) => Value::Blob(bytes.into()),
    })
}
