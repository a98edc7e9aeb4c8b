//! Columns into values.

use std::error::Error as StdError;
use std::fmt::Write;

use assoc_core::value::decimal::DecimalNumber;
use assoc_core::value::{DateTime, Time};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use tokio_postgres::types::{FromSql, Kind as TypeKind, Type};
use tokio_postgres::{Column, Row};

use crate::{arrays, error};

/// How the bytes of a column are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    Int(usize),
    Oid,
    Real(usize),
    Text,
    Bytes,
    Uuid,
    Json,
    // With the number of its format before it.
    JsonB,
    Numeric,
    /// A decimal that was computed and may go on for ever, like a mean: beyond the places of a decimal it is rounded.
    Quotient,
    Date,
    Time,
    DateTime,
    Array(Box<Kind>),
    // No value has such a type.
    Unknown(String),
}

/// The places of a decimal.
const MOST_PLACES: u16 = 28;

impl Kind {
    pub(crate) fn of_column(column: &Column) -> Kind {
        match Kind::of(column.type_()) {
            Kind::Numeric if column.table_oid().is_none() => Kind::Quotient,
            kind => kind,
        }
    }

    pub(crate) fn of(kind: &Type) -> Kind {
        match *kind {
            Type::BOOL => Kind::Bool,
            Type::INT2 => Kind::Int(2),
            Type::INT4 => Kind::Int(4),
            Type::INT8 => Kind::Int(8),
            Type::OID => Kind::Oid,
            Type::FLOAT4 => Kind::Real(4),
            Type::FLOAT8 => Kind::Real(8),
            Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR | Type::UNKNOWN | Type::XML => {
                Kind::Text
            }
            Type::BYTEA => Kind::Bytes,
            Type::UUID => Kind::Uuid,
            Type::JSON => Kind::Json,
            Type::JSONB => Kind::JsonB,
            Type::NUMERIC => Kind::Numeric,
            Type::DATE => Kind::Date,
            Type::TIME => Kind::Time,
            Type::TIMESTAMP | Type::TIMESTAMPTZ => Kind::DateTime,
            // A function without an answer: NULL.
            Type::VOID => Kind::Text,
            _ => match kind.kind() {
                TypeKind::Enum(_) => Kind::Text,
                TypeKind::Domain(inner) => Kind::of(inner),
                TypeKind::Array(element) => match Kind::of(element) {
                    Kind::Unknown(_) => Kind::Unknown(kind.to_string()),
                    element => Kind::Array(Box::new(element)),
                },
                _ if kind.name() == "citext" => Kind::Text,
                _ => Kind::Unknown(kind.to_string()),
            },
        }
    }
}

/// Appends the columns of a row. The kinds that most columns have are written where they stay: moving a value costs as much
/// as reading it.
pub(crate) fn append<'r>(values: &mut Vec<Value<'r>>, row: &'r Row, kinds: &[Kind], sql: &str) -> Result<()> {
    for (at, kind) in kinds.iter().enumerate() {
        match (row.try_get::<_, Option<Raw<'r>>>(at), kind) {
            (Ok(None), _) => values.push(Value::Null),
            (Ok(Some(Raw(bytes))), Kind::Int(8)) if bytes.len() == 8 => {
                let mut number = [0; 8];
                number.copy_from_slice(bytes);
                values.push(Value::Int(i64::from_be_bytes(number)));
            }
            (Ok(Some(Raw(bytes))), Kind::Text) => match std::str::from_utf8(bytes) {
                Ok(text) => values.push(Value::Text(text.into())),
                Err(_) => values.push(value(row, at, kind, sql)?),
            },
            _ => values.push(value(row, at, kind, sql)?),
        }
    }
    Ok(())
}

/// A column of a row.
fn value<'r>(row: &'r Row, at: usize, kind: &Kind, sql: &str) -> Result<Value<'r>> {
    let failed = |what: String| -> Error {
        let name = row.columns().get(at).map_or("?", |column| column.name());
        error::refused(DriverErrorKind::Value, format!("column `{name}` {what}"), sql)
    };
    let raw: Option<Raw<'r>> = row.try_get(at).map_err(|error| failed(format!("cannot be read: {error}")))?;
    let Some(Raw(bytes)) = raw else { return Ok(Value::Null) };
    if let Kind::Unknown(name) = kind {
        return Err(failed(format!("has the type {name}, which no value has: cast it to text in the statement")));
    }
    decode(bytes, kind).ok_or_else(|| failed(format!("holds what cannot be read as {kind:?}")))
}

struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

// From 1970 to 2000, where PostgreSQL counts from, in microseconds.
const EPOCH: i64 = 946_684_800_000_000;
const DAY: i64 = 86_400_000_000;

pub(crate) fn decode<'r>(bytes: &'r [u8], kind: &Kind) -> Option<Value<'r>> {
    let text = |bytes: &'r [u8]| std::str::from_utf8(bytes).ok();
    Some(match kind {
        Kind::Bool => Value::Bool(*bytes.first()? != 0),
        Kind::Int(2) => Value::Int(i16::from_be_bytes(bytes.try_into().ok()?).into()),
        Kind::Int(4) => Value::Int(i32::from_be_bytes(bytes.try_into().ok()?).into()),
        Kind::Int(_) => Value::Int(i64::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Oid => Value::Int(u32::from_be_bytes(bytes.try_into().ok()?).into()),
        Kind::Real(4) => Value::Real(f32::from_be_bytes(bytes.try_into().ok()?).into()),
        Kind::Real(_) => Value::Real(f64::from_be_bytes(bytes.try_into().ok()?)),
        Kind::Text => Value::Text(text(bytes)?.into()),
        Kind::Bytes => Value::Blob(bytes.into()),
        Kind::Uuid => Value::Uuid(bytes.try_into().ok()?),
        Kind::Json => Value::Json(text(bytes)?.into()),
        Kind::JsonB => Value::Json(text(bytes.get(1..)?)?.into()),
        Kind::Numeric => Value::Decimal(numeric(bytes)?.into()),
        Kind::Quotient => Value::Decimal(quotient(bytes)?.into()),
        Kind::Date => {
            let days = i64::from(i32::from_be_bytes(bytes.try_into().ok()?));
            Value::Date(at(days.checked_mul(DAY)?)?.date)
        }
        Kind::Time => {
            let micros = i64::from_be_bytes(bytes.try_into().ok()?);
            // 24:00:00 is the end of the day.
            let time = if micros == DAY { Time::parse("24:00:00")? } else { DateTime::from_unix_micros(micros).time };
            Value::Time(time)
        }
        Kind::DateTime => Value::DateTime(at(i64::from_be_bytes(bytes.try_into().ok()?))?),
        Kind::Array(element) => Value::Json(arrays::read(bytes, element)?.into()),
        Kind::Unknown(_) => return None,
    })
}

// Infinity, and what lies beyond the calendar, is none.
fn at(micros: i64) -> Option<DateTime> {
    let read = DateTime::from_unix_micros(micros.checked_add(EPOCH)?);
    (read.to_unix_micros()? == micros + EPOCH && read.date.is_in_calendar()).then_some(read)
}

// Groups of four digits: how many, the weight of the first, the sign, the number of places; then the groups.
fn numeric(bytes: &[u8]) -> Option<String> {
    let word = |at: usize| Some(u16::from_be_bytes([*bytes.get(2 * at)?, *bytes.get(2 * at + 1)?]));
    let (count, weight) = (i32::from(word(0)?), i32::from(word(1)?.cast_signed()));
    let (sign, scale) = (word(2)?, usize::from(word(3)?));
    let mut text = String::new();
    match sign {
        0 => {}
        0x4000 => text.push('-'),
        // NaN and the infinities are no decimals.
        _ => return None,
    }
    let group = |place: i32| {
        let at = weight - place;
        if (0..count).contains(&at) { word(4 + usize::try_from(at).ok()?) } else { Some(0) }
    };
    if weight < 0 {
        text.push('0');
    }
    for place in (0..=weight).rev() {
        let digits = group(place)?;
        // Writing to a String cannot fail.
        let _ = if place == weight { write!(text, "{digits}") } else { write!(text, "{digits:04}") };
    }
    if scale > 0 {
        text.push('.');
        let end = text.len() + scale;
        let mut place = -1;
        while text.len() < end {
            let _ = write!(text, "{:04}", group(place)?);
            place -= 1;
        }
        text.truncate(end);
    }
    Some(text)
}

fn quotient(bytes: &[u8]) -> Option<String> {
    let places = u16::from_be_bytes([*bytes.get(6)?, *bytes.get(7)?]);
    let text = numeric(bytes)?;
    if places <= MOST_PLACES {
        return Some(text);
    }
    DecimalNumber::parse(&text).map(|number| number.rounded_to_96_bits().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_words(words: &[u16]) -> Option<String> {
        numeric(&words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>())
    }

    #[test]
    fn numerics_keep_their_places() {
        assert_eq!(of_words(&[0, 0, 0, 0]).unwrap(), "0");
        assert_eq!(of_words(&[0, 0, 0, 2]).unwrap(), "0.00");
        assert_eq!(of_words(&[2, 0, 0x4000, 2, 9, 5000]).unwrap(), "-9.50");
        assert_eq!(of_words(&[1, 1, 0, 0, 12]).unwrap(), "120000");
        assert_eq!(of_words(&[1, 0xFFFE, 0, 8, 7]).unwrap(), "0.00000007");
        assert_eq!(of_words(&[0, 0, 0xC000, 0]), None);
        assert_eq!(numeric(&[0]), None);
        // Thirty places: 6.666…
        let words: Vec<u16> = [9, 0, 0, 30, 6].into_iter().chain([6666; 8]).collect();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        assert_eq!(quotient(&bytes).unwrap(), "6.6666666666666666666666666667");
        let short: Vec<u8> = [2, 0, 0x4000, 2, 9, 5000].into_iter().flat_map(u16::to_be_bytes).collect();
        assert_eq!(quotient(&short).unwrap(), "-9.50");
    }
}
