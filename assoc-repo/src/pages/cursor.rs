//! A place in an order as text, which a program gives to its clients and takes back.
//!
//! The text is base64 in the alphabet that is safe in URLs, of: a version, the fingerprint of the order, which side of the row
//! is meant, the values that the row was sorted by, and a checksum. The checksum finds accidents. It is no signature: a
//! client can make a text of other values, and gets the page after those values, of the rows that the query allows.

use std::borrow::Cow;
use std::fmt;

use assoc_core::{CursorProblem, Value};

use crate::keyset::Fnv;

mod base64;
mod values;

/// A place in the order of a query, between two rows: where a page begins or ends. It is opaque text that is safe in URLs.
///
/// A cursor holds the values of the row that the query sorts by, readable for everybody who has the text. Sort by nothing
/// that is secret.
///
/// ```
/// use assoc_repo::{Cursor, Page};
///
/// // From a request: `/users?after=AQMC…`.
/// let page = Page::after("AQMC", 20);
/// assert_eq!(Cursor::from("AQMC").to_string(), "AQMC");
/// # let _ = page;
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor(Cow<'static, str>);

impl Cursor {
    /// Its text.
    ///
    /// ```
    /// use assoc_repo::Cursor;
    ///
    /// assert_eq!(Cursor::from("AQMC").as_str(), "AQMC");
    /// ```
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AsRef<str> for Cursor {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Any text can be a cursor. Whether it is one of a query is known when [`Repo::page`](crate::Repo::page) reads it.
impl From<String> for Cursor {
    fn from(text: String) -> Self {
        Cursor(Cow::Owned(text))
    }
}

impl From<&str> for Cursor {
    fn from(text: &str) -> Self {
        Cursor(Cow::Owned(text.to_owned()))
    }
}

impl From<&Cursor> for Cursor {
    fn from(cursor: &Cursor) -> Self {
        cursor.clone()
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.0.into_owned()
    }
}

/// The form of the bytes below.
const VERSION: u8 = 1;
const CHECKSUM: usize = 4;

/// Whether the row of a place is on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// It is not: the page begins after it, or ends before it.
    LeftOut,
    /// It is: of an empty page, the way back leads over the row of its cursor.
    Included,
}

impl Row {
    pub(super) const fn other(self) -> Self {
        match self {
            Row::LeftOut => Row::Included,
            Row::Included => Row::LeftOut,
        }
    }
}

/// What a cursor says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) row: Row,
    pub(super) values: Vec<Value<'static>>,
}

impl Place {
    pub(super) fn cursor(&self, fingerprint: u64) -> Cursor {
        let mut bytes = vec![VERSION];
        bytes.extend(fingerprint.to_le_bytes());
        bytes.push(u8::from(self.row == Row::Included));
        self.values.iter().for_each(|value| values::write(&mut bytes, value));
        let checksum = checksum(&bytes);
        bytes.extend(checksum);
        Cursor(Cow::Owned(base64::encode(&bytes)))
    }

    /// What a cursor says, if it is one of the order with this fingerprint, which takes `width` values.
    pub(super) fn read(cursor: &Cursor, fingerprint: u64, width: usize) -> Result<Place, CursorProblem> {
        let bytes = base64::decode(cursor.as_str()).ok_or(CursorProblem::Unreadable)?;
        let split = bytes.len().checked_sub(CHECKSUM).ok_or(CursorProblem::Unreadable)?;
        let (bytes, found) = bytes.split_at(split);
        if checksum(bytes) != found {
            return Err(CursorProblem::Unreadable);
        }
        let mut bytes = values::Bytes(bytes);
        if bytes.byte() != Some(VERSION) {
            return Err(CursorProblem::Unreadable);
        }
        let order = bytes.array().map(u64::from_le_bytes).ok_or(CursorProblem::Unreadable)?;
        if order != fingerprint {
            return Err(CursorProblem::OtherOrder);
        }
        bytes.place(width).ok_or(CursorProblem::Unreadable)
    }
}

impl values::Bytes<'_> {
    fn place(&mut self, width: usize) -> Option<Place> {
        let row = match self.byte()? {
            0 => Row::LeftOut,
            1 => Row::Included,
            _ => return None,
        };
        let values = (0..width).map(|_| self.value()).collect::<Option<Vec<_>>>()?;
        self.0.is_empty().then_some(Place { row, values })
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut hash = Fnv::default();
    hash.bytes(bytes);
    let [a, b, c, d, e, f, g, h] = hash.0.to_le_bytes();
    [a ^ e, b ^ f, c ^ g, d ^ h]
}

#[cfg(test)]
mod tests {
    use assoc_core::value::{Date, DateTime, Time};

    use super::*;

    fn values() -> Vec<Value<'static>> {
        let date = Date { year: -44, month: 3, day: 15 };
        let time = Time { negative: true, hour: 838, minute: 59, second: 59, micros: 999_999 };
        let mut values = vec![
            Value::Null,
            Value::Bool(true),
            Value::Bool(false),
            Value::Text("".into()),
            Value::Text("Zoë %_\\ 日本\0".into()),
            Value::Blob(vec![0, 255, 128].into()),
            Value::Date(date),
            Value::Date(Date { year: 0, month: 0, day: 0 }),
            Value::Time(time),
            Value::DateTime(DateTime { date, time: Time { hour: 23, negative: false, ..time } }),
            Value::Uuid([7; 16]),
            Value::Decimal("-12345678901234567890.050".into()),
            Value::Json("{\"a\": [1]}".into()),
            Value::UInt(u64::MAX),
        ];
        values.extend([0, 1, -1, 63, 64, -64, -65, i64::MAX, i64::MIN].map(Value::Int));
        values.extend([0.0, -0.0, 0.1, f64::MAX, f64::MIN_POSITIVE, f64::INFINITY].map(Value::Real));
        values
    }

    #[test]
    fn every_value_comes_back() {
        for row in [Row::LeftOut, Row::Included] {
            let place = Place { row, values: values() };
            let cursor = place.cursor(42);
            assert!(cursor.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
            assert_eq!(Place::read(&cursor, 42, values().len()), Ok(place));
        }
    }

    #[test]
    fn numbers_keep_their_bits() {
        for number in [-0.0, f64::NAN, -f64::NAN, 0.1] {
            let place = Place { row: Row::LeftOut, values: vec![Value::Real(number)] };
            let found = Place::read(&place.cursor(1), 1, 1).unwrap().values.remove(0);
            assert!(matches!(found, Value::Real(found) if found.to_bits() == number.to_bits()), "{number}");
        }
    }

    #[test]
    fn another_order_is_noticed() {
        let place = Place { row: Row::LeftOut, values: values() };
        assert_eq!(Place::read(&place.cursor(1), 2, values().len()), Err(CursorProblem::OtherOrder));
    }

    #[test]
    fn no_changed_text_is_a_cursor() {
        let place = Place { row: Row::LeftOut, values: values() };
        let text = place.cursor(42).to_string();
        let read = |text: &str| Place::read(&text.into(), 42, values().len());
        for at in 0..text.len() {
            assert_eq!(read(&text[..at]), Err(CursorProblem::Unreadable), "cut off at {at}");
            for other in ["A", "_", "9", "!", " ", "ä", "="] {
                if text[at..=at] != *other {
                    let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                    assert_eq!(read(&changed), Err(CursorProblem::Unreadable), "{other} at {at}");
                }
            }
        }
        for text in ["", "A", "AAAA", "null", "undefined", "💥", &"A".repeat(10_000), &format!("{text}A")] {
            assert_eq!(read(text), Err(CursorProblem::Unreadable), "{text}");
        }
    }

    // A text whose checksum is right, and whose values are not.
    #[test]
    fn forged_values_are_refused() {
        for tail in [
            &[6, 200][..],
            &[6, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            &[6, 1, 0xff],
            &[3, 128, 128, 128],
            &[8, 0, 13, 1],
            &[9, 0, 23, 61, 0, 0],
            &[5, 0, 0],
            &[14],
            &[0, 0],
        ] {
            let mut bytes = vec![VERSION];
            bytes.extend(42u64.to_le_bytes());
            bytes.push(0);
            bytes.extend(tail);
            let sum = checksum(&bytes);
            bytes.extend(sum);
            let text = base64::encode(&bytes);
            assert_eq!(Place::read(&text.as_str().into(), 42, 1), Err(CursorProblem::Unreadable), "{tail:?}");
        }
    }
}
