//! Values into binds.

use std::borrow::Cow;

use assoc_core::driver::Bind;
use assoc_core::{DriverErrorKind, Result, Value};
use assoc_dialects::sqlite::refused_date;
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::sql_types::{BigInt, Binary, Double, Nullable, Text};
use diesel::sqlite::Sqlite;

use crate::dynamic_query::Bound;
use crate::errors;

/// A value as SQLite stores it.
#[derive(Debug)]
pub(super) enum Stored<'s> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'s, str>),
    Blob(&'s [u8]),
}

impl Bound<Sqlite> for Stored<'_> {
    fn push<'b>(&'b self, pass: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match self {
            Stored::Null => pass.push_bind_param_value_only::<Nullable<BigInt>, Option<i64>>(&None),
            Stored::Integer(number) => pass.push_bind_param_value_only::<BigInt, i64>(number),
            Stored::Real(number) => pass.push_bind_param_value_only::<Double, f64>(number),
            Stored::Text(text) => pass.push_bind_param_value_only::<Text, str>(text),
            Stored::Blob(bytes) => pass.push_bind_param_value_only::<Binary, [u8]>(bytes),
        }
    }
}

impl Stored<'_> {
    /// The same, for another statement.
    pub(super) fn borrowed(&self) -> Stored<'_> {
        match self {
            Stored::Null => Stored::Null,
            Stored::Integer(number) => Stored::Integer(*number),
            Stored::Real(number) => Stored::Real(*number),
            Stored::Text(text) => Stored::Text(Cow::Borrowed(text)),
            Stored::Blob(bytes) => Stored::Blob(bytes),
        }
    }
}

/// A bind as SQLite stores it: what `assoc-sqlite` makes of each kind of value.
pub(super) fn stored<'s>(bind: &'s Bind, sql: &str) -> Result<Stored<'s>> {
    let Bind::Value(value) = bind else {
        return Err(errors::refused(DriverErrorKind::Statement, format!("Diesel cannot bind {bind:?}"), sql));
    };
    let refused = |why: &str| {
        let message = format!("{} ({value}) cannot be bound: {why}", value.kind());
        Err(errors::refused(DriverErrorKind::Value, message, sql))
    };
    Ok(match value {
        Value::Null => Stored::Null,
        Value::Bool(flag) => Stored::Integer((*flag).into()),
        Value::Int(number) => Stored::Integer(*number),
        Value::UInt(number) => match i64::try_from(*number) {
            Ok(number) => Stored::Integer(number),
            Err(_) => return refused("SQLite's integers end at 2^63 - 1"),
        },
        Value::Real(number) if number.is_nan() => return refused("SQLite would store NULL"),
        Value::Real(number) => Stored::Real(*number),
        Value::Text(text) | Value::Decimal(text) | Value::Json(text) => Stored::Text((&**text).into()),
        Value::Blob(bytes) => Stored::Blob(bytes),
        Value::Uuid(bytes) => Stored::Blob(bytes),
        Value::Date(_) | Value::Time(_) | Value::DateTime(_) => match refused_date(value) {
            Some(why) => return refused(why),
            None => Stored::Text(value.to_string().into()),
        },
        _ => return refused("SQLite has nothing like it"),
    })
}
