//! Values into binds.
//!
//! Numbers, and lists of them, are sent as the bytes that the server keeps. Everything else is sent as text, which the server
//! reads as the type that it has found for the placeholder: so one value fits columns of several types.

use std::error::Error as StdError;
use std::fmt::Write;

use assoc_core::driver::{Bind, BindList};
use assoc_core::value::hyphenated;
use assoc_core::{DriverErrorKind, Error, Result, Value};
use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

use crate::{arrays, error};

/// A bind parameter.
#[derive(Debug)]
pub(crate) struct Param<'a>(pub(crate) &'a Bind);

impl Param<'_> {
    /// Refuses what cannot be sent, before anything is.
    pub(crate) fn check(&self, kind: &Type, sql: &str) -> Result<()> {
        let check = |value: &Value<'_>| match value {
            Value::Text(text) | Value::Decimal(text) | Value::Json(text) if text.contains('\0') => {
                Err(unrepresentable(value, "PostgreSQL has no NUL in a text", sql))
            }
            Value::Date(_) | Value::DateTime(_) if value.is_zero_date() => {
                Err(unrepresentable(value, "it is no date", sql))
            }
            _ => Ok(()),
        };
        match self.0 {
            Bind::Value(value @ Value::Json(json)) => {
                let is_array = arrays::element(kind).is_none_or(|element| arrays::literal(json, element).is_some());
                if !is_array {
                    return Err(unrepresentable(value, &format!("it is no array of the type {kind}"), sql));
                }
                check(value)
            }
            Bind::Value(value @ Value::Blob(bytes)) if is_text(kind) && text_of(bytes).is_none() => {
                Err(unrepresentable(value, "these bytes are no text", sql))
            }
            Bind::Value(value) => check(value),
            Bind::List(BindList::Ints(_)) => Ok(()),
            Bind::List(BindList::Values(values)) => values.iter().try_for_each(check),
            other => {
                let message = format!("PostgreSQL cannot bind {other:?} as {kind}");
                Err(error::refused(DriverErrorKind::Statement, message, sql))
            }
        }
    }

    // The number that is sent as bytes of a type, if it fits.
    fn number(&self, kind: &Type) -> Option<i64> {
        let Bind::Value(Value::Int(number)) = self.0 else { return None };
        let fits = match *kind {
            Type::INT2 => i16::try_from(*number).is_ok(),
            Type::INT4 => i32::try_from(*number).is_ok(),
            Type::INT8 => true,
            _ => false,
        };
        fits.then_some(*number)
    }

    // What is sent as it is stored.
    fn bytes(&self, kind: &Type) -> Option<&[u8]> {
        match (self.0, kind) {
            (Bind::Value(Value::Blob(bytes)), &Type::BYTEA) => Some(bytes),
            (Bind::Value(Value::Uuid(uuid)), &Type::UUID) => Some(uuid),
            _ => None,
        }
    }

    fn ints<'s>(&'s self, kind: &Type) -> Option<Box<dyn ExactSizeIterator<Item = i64> + 's>> {
        if *kind != Type::INT8_ARRAY {
            return None;
        }
        match self.0 {
            Bind::List(BindList::Ints(ints)) => Some(Box::new(ints.iter().copied())),
            Bind::List(BindList::Values(values)) if values.iter().all(|value| matches!(value, Value::Int(_))) => {
                Some(Box::new(values.iter().map(|value| if let Value::Int(number) = value { *number } else { 0 })))
            }
            _ => None,
        }
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Box<dyn StdError + Sync + Send>> {
        if let Some(number) = self.number(kind) {
            match *kind {
                Type::INT2 => out.put_i16(i16::try_from(number)?),
                Type::INT4 => out.put_i32(i32::try_from(number)?),
                _ => out.put_i64(number),
            }
            return Ok(IsNull::No);
        }
        if let Some(ints) = self.ints(kind) {
            let count = i32::try_from(ints.len())?;
            // One dimension, no NULL, the type of the elements, their number, the first index.
            out.put_i32(i32::from(count > 0));
            out.put_i32(0);
            out.put_u32(Type::INT8.oid());
            if count > 0 {
                out.put_i32(count);
                out.put_i32(1);
            }
            out.reserve(12 * ints.len());
            for number in ints {
                out.put_i32(8);
                out.put_i64(number);
            }
            return Ok(IsNull::No);
        }
        if let Some(bytes) = self.bytes(kind) {
            out.put_slice(bytes);
            return Ok(IsNull::No);
        }
        let mut text = String::new();
        match self.0 {
            Bind::Value(Value::Null) => return Ok(IsNull::Yes),
            Bind::Value(value) => push_text(&mut text, value, kind)?,
            Bind::List(BindList::Ints(ints)) => {
                let listed: Vec<String> = ints.iter().map(ToString::to_string).collect();
                write!(text, "{{{}}}", listed.join(","))?;
            }
            Bind::List(BindList::Values(values)) => push_array(&mut text, values, kind)?,
            other => return Err(format!("{other:?} cannot be bound").into()),
        }
        out.put_slice(text.as_bytes());
        Ok(IsNull::No)
    }

    // The server decides whether a text fits.
    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, kind: &Type) -> Format {
        let is_binary = self.number(kind).is_some() || self.ints(kind).is_some() || self.bytes(kind).is_some();
        if is_binary { Format::Binary } else { Format::Text }
    }

    to_sql_checked!();
}

fn push_array(text: &mut String, values: &[Value<'static>], kind: &Type) -> std::fmt::Result {
    text.push('{');
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        if value.is_null() {
            text.push_str("NULL");
            continue;
        }
        let mut own = String::new();
        push_text(&mut own, value, arrays::element(kind).unwrap_or(kind))?;
        arrays::push_quoted(text, &own);
    }
    text.push('}');
    Ok(())
}

fn push_text(text: &mut String, value: &Value<'_>, kind: &Type) -> std::fmt::Result {
    match value {
        // What is no array was refused before.
        Value::Json(json) if arrays::element(kind).is_some() => {
            let literal = arrays::element(kind).and_then(|element| arrays::literal(json, element));
            text.push_str(&literal.unwrap_or_default());
        }
        Value::Text(own) | Value::Decimal(own) | Value::Json(own) => text.push_str(own),
        Value::Blob(bytes) if is_text(kind) => text.push_str(text_of(bytes).unwrap_or_default()),
        Value::Blob(bytes) => {
            text.push_str("\\x");
            for byte in bytes.iter() {
                write!(text, "{byte:02x}")?;
            }
        }
        Value::Uuid(uuid) => text.push_str(&hyphenated(uuid)),
        // Either is read as a boolean, and the number as a number too.
        Value::Bool(flag) if is_text(kind) => text.push_str(if *flag { "true" } else { "false" }),
        Value::Bool(flag) => text.push(if *flag { '1' } else { '0' }),
        other => write!(text, "{other}")?,
    }
    Ok(())
}

fn is_text(kind: &Type) -> bool {
    matches!(*kind, Type::TEXT | Type::VARCHAR | Type::BPCHAR) || kind.name() == "citext"
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn unrepresentable(value: &Value<'_>, why: &str, sql: &str) -> Error {
    let message = format!("{} cannot be bound: {why}", value.kind());
    error::refused(DriverErrorKind::Value, message, sql)
}
