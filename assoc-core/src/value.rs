//! One column value, as it travels into or out of a database.

use std::borrow::Cow;
use std::fmt;

use decimal::DecimalNumber;

pub mod decimal;
mod temporal;

pub use temporal::{Date, DateTime, Time};

/// One column value: borrowed from the driver's row while reading, owned as a bind parameter.
///
/// The variants are what databases store, not what Rust offers: [`ColumnType`](crate::ColumnType) maps
/// Rust types onto them. A driver hands over the variant that is nearest to what it received (SQLite has no
/// booleans and answers [`Value::Int`]); reading is lenient about such differences, comparing is not.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub enum Value<'a> {
    /// SQL `NULL`.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A signed integer of up to 64 bits.
    Int(i64),
    /// An unsigned integer; only used for values above [`i64::MAX`] or columns declared unsigned.
    UInt(u64),
    /// A floating point number.
    Real(f64),
    /// Text.
    Text(Cow<'a, str>),
    /// Bytes.
    Blob(Cow<'a, [u8]>),
    /// A calendar date.
    Date(Date),
    /// A time of day, or (MySQL) a span of hours.
    Time(Time),
    /// A date and time without zone; zoned types are stored as UTC.
    DateTime(DateTime),
    /// A UUID; the dialect decides whether it is stored as bytes or text.
    Uuid([u8; 16]),
    /// An exact decimal number in its text form.
    Decimal(Cow<'a, str>),
    /// A JSON document in its text form.
    Json(Cow<'a, str>),
}

impl Value<'_> {
    /// Whether this is `NULL`.
    ///
    /// ```
    /// use assoc_core::Value;
    ///
    /// assert!(Value::Null.is_null());
    /// assert!(!Value::Int(0).is_null());
    /// ```
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether this is MySQL's `0000-00-00`, with or without a time, which is no date. An `Option` field reads it as
    /// `None`; for other fields it is an error.
    ///
    /// ```
    /// use assoc_core::value::{Date, Value};
    ///
    /// assert!(Value::Date(Date { year: 0, month: 0, day: 0 }).is_zero_date());
    /// ```
    #[must_use]
    pub fn is_zero_date(&self) -> bool {
        matches!(
            self,
            Value::Date(date) | Value::DateTime(DateTime { date, .. })
                if (date.year, date.month, date.day) == (0, 0, 0)
        )
    }

    /// Whether this is the same as another value of its column: equal, or a decimal of the same number (`9.5` and
    /// `9.50`).
    ///
    /// ```
    /// use assoc_core::Value;
    ///
    /// let (one, other) = (Value::Decimal("9.5".into()), Value::Decimal("9.50".into()));
    /// assert!(one != other && one.is_same(&other));
    /// ```
    #[must_use]
    pub fn is_same(&self, other: &Value<'_>) -> bool {
        match (self, other) {
            (Value::Decimal(one), Value::Decimal(other)) if one != other => {
                let (one, other) = (DecimalNumber::parse(one), DecimalNumber::parse(other));
                one.is_some() && one == other
            }
            (one, other) => one == other,
        }
    }

    /// The same value, owning its data: copies text and bytes that were borrowed, moves those that were owned.
    ///
    /// ```
    /// use assoc_core::Value;
    ///
    /// let text = String::from("Ada");
    /// let owned: Value<'static> = Value::from(text.as_str()).into_owned();
    /// assert_eq!(owned, Value::from("Ada"));
    /// ```
    #[must_use]
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Null => Value::Null,
            Value::Bool(v) => Value::Bool(v),
            Value::Int(v) => Value::Int(v),
            Value::UInt(v) => Value::UInt(v),
            Value::Real(v) => Value::Real(v),
            Value::Text(v) => Value::Text(Cow::Owned(v.into_owned())),
            Value::Blob(v) => Value::Blob(Cow::Owned(v.into_owned())),
            Value::Date(v) => Value::Date(v),
            Value::Time(v) => Value::Time(v),
            Value::DateTime(v) => Value::DateTime(v),
            Value::Uuid(v) => Value::Uuid(v),
            Value::Decimal(v) => Value::Decimal(Cow::Owned(v.into_owned())),
            Value::Json(v) => Value::Json(Cow::Owned(v.into_owned())),
        }
    }

    /// The kind of value in words, for messages: `"an integer"`, `"text"`.
    ///
    /// ```
    /// use assoc_core::Value;
    ///
    /// assert_eq!(Value::from("Ada").kind(), "text");
    /// ```
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "NULL",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::UInt(_) => "an unsigned integer",
            Value::Real(_) => "a floating point number",
            Value::Text(_) => "text",
            Value::Blob(_) => "bytes",
            Value::Date(_) => "a date",
            Value::Time(_) => "a time",
            Value::DateTime(_) => "a date and time",
            Value::Uuid(_) => "a UUID",
            Value::Decimal(_) => "a decimal number",
            Value::Json(_) => "JSON",
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Value::Text(Cow::Owned(text))
    }
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Value::Int(number)
    }
}

impl From<f64> for Value<'_> {
    fn from(number: f64) -> Self {
        Value::Real(number)
    }
}

impl From<bool> for Value<'_> {
    fn from(flag: bool) -> Self {
        Value::Bool(flag)
    }
}

/// Shows the value as a reader of a message wants it: text quoted, bytes as hexadecimal digits.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("NULL"),
            Value::Bool(v) => write!(f, "{v}"),
            Value::Int(v) => write!(f, "{v}"),
            Value::UInt(v) => write!(f, "{v}"),
            Value::Real(v) => write!(f, "{v}"),
            Value::Text(v) => write!(f, "{v:?}"),
            Value::Blob(v) => {
                f.write_str("0x")?;
                v.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
            Value::Date(v) => write!(f, "{v}"),
            Value::Time(v) => write!(f, "{v}"),
            Value::DateTime(v) => write!(f, "{v}"),
            Value::Uuid(v) => f.write_str(&hyphenated(v)),
            Value::Decimal(v) | Value::Json(v) => f.write_str(v),
        }
    }
}

/// The usual text form of a UUID: 32 lower-case hexadecimal digits in five groups.
///
/// ```
/// use assoc_core::value::hyphenated;
///
/// assert_eq!(hyphenated(&[0xab; 16]), "abababab-abab-abab-abab-abababababab");
/// ```
#[must_use]
pub fn hyphenated(uuid: &[u8; 16]) -> String {
    let mut out = String::with_capacity(36);
    for (index, byte) in uuid.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            out.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    out
}

/// Reads the text form of a UUID, with or without hyphens. `None` if the text is none.
///
/// ```
/// use assoc_core::value::parse_uuid;
///
/// assert_eq!(parse_uuid("ABABABAB-abab-abab-abab-abababababab"), Some([0xab; 16]));
/// assert_eq!(parse_uuid("abab"), None);
/// ```
#[must_use]
pub fn parse_uuid(text: &str) -> Option<[u8; 16]> {
    let mut out = [0u8; 16];
    let mut digits = 0;
    for c in text.chars().filter(|c| *c != '-') {
        let digit = u8::try_from(c.to_digit(16)?).ok()?;
        let byte = out.get_mut(digits / 2)?;
        *byte = (*byte << 4) | digit;
        digits += 1;
    }
    (digits == 32).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuid_text_round_trips() {
        let bytes = *b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff";
        let text = hyphenated(&bytes);
        assert_eq!(text, "00112233-4455-6677-8899-aabbccddeeff");
        assert_eq!(parse_uuid(&text), Some(bytes));
        assert_eq!(parse_uuid("00112233"), None);
        assert_eq!(parse_uuid(&format!("{text}0")), None);
        assert_eq!(parse_uuid("zz112233-4455-6677-8899-aabbccddeeff"), None);
    }

    #[test]
    fn values_display_for_messages() {
        assert_eq!(Value::Text("a\"b".into()).to_string(), "\"a\\\"b\"");
        assert_eq!(Value::Blob(vec![1, 255].into()).to_string(), "0x01ff");
        assert_eq!(Value::Null.to_string(), "NULL");
    }
}
