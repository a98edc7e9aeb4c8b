//! Values as PostgreSQL's binary format has them, for clients that pass the bytes on.

use std::fmt::Write;

use assoc_core::Value;
use assoc_core::value::decimal::DecimalNumber;
use assoc_core::value::{DateTime, Time};

pub use encode::{date, date_time, numeric as numeric_bytes, time};

mod arrays;
mod encode;

/// How the bytes of a value are read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `boolean`.
    Bool,
    /// An integer of this number of bytes.
    Int(usize),
    /// `oid`.
    Oid,
    /// A float of this number of bytes.
    Real(usize),
    /// Text, and what is written like it: enums, names, `citext`.
    Text,
    /// `bytea`.
    Bytes,
    /// `uuid`.
    Uuid,
    /// `json`.
    Json,
    /// `jsonb`: with the number of its format before it.
    JsonB,
    /// `numeric`.
    Numeric,
    /// A `numeric` that was computed and may go on for ever, like a mean: beyond the places of a decimal it is rounded.
    Quotient,
    /// `date`.
    Date,
    /// `time`.
    Time,
    /// `timestamp`, and `timestamptz` in UTC.
    DateTime,
    /// An array of these.
    Array(Box<Kind>),
    /// No value has this type.
    Unknown(String),
}

/// The places of a decimal.
const MOST_PLACES: u16 = 28;

impl Kind {
    /// The kind of a type of the server's own by its number. `None` of types that a database defines, and of those that no value
    /// has.
    ///
    /// ```
    /// use assoc_dialects::postgres::binary::Kind;
    ///
    /// assert_eq!(Kind::of_oid(20), Some(Kind::Int(8)));
    /// assert_eq!(Kind::of_oid(1043), Some(Kind::Text), "varchar");
    /// // An `ENUM` of the database has a number of its own.
    /// assert_eq!(Kind::of_oid(65_536), None);
    /// ```
    #[must_use]
    pub fn of_oid(oid: u32) -> Option<Kind> {
        Some(match oid {
            16 => Kind::Bool,
            21 => Kind::Int(2),
            23 => Kind::Int(4),
            20 => Kind::Int(8),
            26 => Kind::Oid,
            700 => Kind::Real(4),
            701 => Kind::Real(8),
            // "char", name, text, xml, unknown, bpchar, varchar; void, which is NULL.
            18 | 19 | 25 | 142 | 705 | 1042 | 1043 | 2278 => Kind::Text,
            17 => Kind::Bytes,
            2950 => Kind::Uuid,
            114 => Kind::Json,
            3802 => Kind::JsonB,
            1700 => Kind::Numeric,
            1082 => Kind::Date,
            1083 => Kind::Time,
            1114 | 1184 => Kind::DateTime,
            _ => {
                let (_, element) = ARRAYS.iter().find(|(array, _)| *array == oid)?;
                Kind::Array(Box::new(Kind::of_oid(*element)?))
            }
        })
    }
}

/// The types of arrays, and of their elements.
const ARRAYS: [(u32, u32); 19] = [
    (1000, 16),
    (1001, 17),
    (1002, 18),
    (1003, 19),
    (1005, 21),
    (1007, 23),
    (1009, 25),
    (1014, 1042),
    (1015, 1043),
    (1016, 20),
    (1021, 700),
    (1022, 701),
    (1028, 26),
    (1115, 1114),
    (1182, 1082),
    (1183, 1083),
    (1185, 1184),
    (1231, 1700),
    (2951, 2950),
];

// From 1970 to 2000, where PostgreSQL counts from, in microseconds.
const EPOCH: i64 = 946_684_800_000_000;
const DAY: i64 = 86_400_000_000;

/// Reads a value. `None` where the bytes are none of this kind: cut off, an infinity, beyond the calendar.
///
/// ```
/// use assoc_core::Value;
/// use assoc_dialects::postgres::binary::{Kind, decode};
///
/// assert_eq!(decode(&[0, 0, 0, 7], &Kind::Int(4)), Some(Value::Int(7)));
/// assert_eq!(decode(&[0, 0], &Kind::Int(4)), None);
/// ```
#[must_use]
pub fn decode<'r>(bytes: &'r [u8], kind: &Kind) -> Option<Value<'r>> {
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
