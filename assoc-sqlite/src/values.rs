//! Values into binds and columns into values.
//!
//! SQLite stores five kinds: `NULL`, integers, floats, text and bytes. What else the core knows is mapped here, once:
//!
//! | value | stored as |
//! |---|---|
//! | `Bool` | 0 or 1 |
//! | `UInt` | an integer; above [`i64::MAX`] an error, because it would come back negative |
//! | `Real` | a float; NaN is an error, because SQLite would store `NULL` |
//! | `Date`, `Time`, `DateTime` | ISO 8601 text, which SQLite's date functions read and which sorts by time; an error where it would not |
//! | `Uuid` | 16 bytes, or text where the driver was told so |
//! | `Decimal`, `Json` | text, exactly as given |

use std::borrow::Cow;
use std::rc::Rc;

use assoc_core::driver::{Bind, BindList};
use assoc_core::value::hyphenated;
use assoc_core::{Result, Value};
use assoc_dialects::sqlite::refused_date;
use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};

use crate::errors;

/// Binds one parameter; positions count from 1.
pub(crate) fn bind(
    statement: &mut rusqlite::Statement<'_>,
    position: usize,
    bind: &Bind,
    uuid_as_text: bool,
    sql: &str,
) -> Result<()> {
    let done = match bind {
        // Most values are one of these.
        Bind::Value(Value::Int(number)) => statement.raw_bind_parameter(position, *number),
        Bind::Value(Value::Text(text)) => statement.raw_bind_parameter(position, &**text),
        Bind::Value(value) => statement.raw_bind_parameter(position, stored(value, uuid_as_text, sql)?),
        Bind::List(list) => statement.raw_bind_parameter(position, Rc::new(stored_list(list, uuid_as_text, sql)?)),
        other => return Err(errors::refused(format!("SQLite cannot bind {other:?}"), sql)),
    };
    done.map_err(|error| errors::of_statement(error, sql))
}

// A value as it is stored, borrowed where it can be: rusqlite copies text and bytes into SQLite in any case.
fn stored<'v>(value: &'v Value<'_>, uuid_as_text: bool, sql: &str) -> Result<ToSqlOutput<'v>> {
    Ok(match value {
        Value::Null => ToSqlOutput::Owned(Stored::Null),
        Value::Bool(flag) => ToSqlOutput::Owned(Stored::Integer((*flag).into())),
        Value::Int(number) => ToSqlOutput::Owned(Stored::Integer(*number)),
        Value::UInt(number) => match i64::try_from(*number) {
            Ok(number) => ToSqlOutput::Owned(Stored::Integer(number)),
            Err(_) => return Err(errors::unrepresentable(value, "SQLite's integers end at 2^63 - 1", sql)),
        },
        Value::Real(number) if number.is_nan() => {
            return Err(errors::unrepresentable(value, "SQLite would store NULL", sql));
        }
        Value::Real(number) => ToSqlOutput::Owned(Stored::Real(*number)),
        Value::Text(text) | Value::Decimal(text) | Value::Json(text) => {
            ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))
        }
        Value::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        Value::Uuid(bytes) if uuid_as_text => ToSqlOutput::Owned(Stored::Text(hyphenated(bytes))),
        Value::Uuid(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        Value::Date(_) | Value::Time(_) | Value::DateTime(_) => match refused_date(value) {
            Some(why) => return Err(errors::unrepresentable(value, why, sql)),
            None => ToSqlOutput::Owned(Stored::Text(value.to_string())),
        },
        other => return Err(errors::unrepresentable(other, "SQLite has nothing like it", sql)),
    })
}

// The list behind `rarray(?)`. It is shared with SQLite for as long as it is bound, hence the `Rc` of the caller; it
// never leaves the call that binds it, so a connection between calls holds none and may move to another thread.
fn stored_list(list: &BindList, uuid_as_text: bool, sql: &str) -> Result<Vec<Stored>> {
    match list {
        BindList::Ints(ints) => Ok(ints.iter().map(|number| Stored::Integer(*number)).collect()),
        BindList::Values(values) => values
            .iter()
            .map(|value| {
                Ok(match stored(value, uuid_as_text, sql)? {
                    ToSqlOutput::Owned(value) => value,
                    ToSqlOutput::Borrowed(ValueRef::Text(text)) => {
                        Stored::Text(String::from_utf8_lossy(text).into_owned())
                    }
                    ToSqlOutput::Borrowed(ValueRef::Blob(bytes)) => Stored::Blob(bytes.to_vec()),
                    _ => Stored::Null,
                })
            })
            .collect(),
        other => Err(errors::refused(format!("SQLite cannot bind {other:?}"), sql)),
    }
}

/// Reads a row's columns into `values`, borrowing text and bytes from SQLite.
#[inline]
pub(crate) fn read<'r>(
    row: &'r rusqlite::Row<'_>,
    columns: usize,
    values: &mut Vec<Value<'r>>,
    sql: &str,
) -> Result<()> {
    for column in 0..columns {
        let value = match row.get_ref(column) {
            Ok(ValueRef::Null) => Value::Null,
            Ok(ValueRef::Integer(number)) => Value::Int(number),
            Ok(ValueRef::Real(number)) => Value::Real(number),
            Ok(ValueRef::Text(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) => Value::Text(Cow::Borrowed(text)),
                Err(error) => {
                    let name = row.as_ref().column_name(column).unwrap_or("?");
                    return Err(errors::not_utf8(name, error, sql));
                }
            },
            Ok(ValueRef::Blob(bytes)) => Value::Blob(Cow::Borrowed(bytes)),
            Err(error) => return Err(errors::of_statement(error, sql)),
        };
        values.push(value);
    }
    Ok(())
}

/// Empties a buffer of values and lets it hold ones of another lifetime. The standard library collects in place
/// where the types' layouts agree, as they do here, so the allocation is kept without any `unsafe`.
#[inline]
pub(crate) fn recycle<'new>(mut values: Vec<Value<'_>>) -> Vec<Value<'new>> {
    values.clear();
    values.into_iter().map(|_| Value::Null).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recycling_keeps_the_allocation() {
        let text = String::from("borrowed");
        let mut values = Vec::with_capacity(17);
        values.push(Value::Text(Cow::Borrowed(&text)));
        let address = values.as_ptr() as usize;
        let recycled: Vec<Value<'static>> = recycle(values);
        assert_eq!((recycled.len(), recycled.capacity(), recycled.as_ptr() as usize), (0, 17, address));
    }

    #[test]
    fn what_sqlite_cannot_hold_is_refused() {
        let error = stored(&Value::UInt(u64::MAX), false, "SELECT ?").unwrap_err();
        assert_eq!(error.driver().unwrap().kind(), assoc_core::DriverErrorKind::Value);
        assert!(error.to_string().contains("2^63 - 1"), "{error}");
        assert!(stored(&Value::Real(f64::NAN), false, "SELECT ?").is_err());
        assert!(stored(&Value::Real(f64::INFINITY), false, "SELECT ?").is_ok());
        assert!(stored(&Value::UInt(7), false, "SELECT ?").is_ok());
    }
}
