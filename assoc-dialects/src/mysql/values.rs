//! Values on their way to the server and back, whatever client carries them.

use std::borrow::Cow;

use assoc_core::Value;
use assoc_core::value::decimal::DecimalNumber;
use assoc_core::value::{Date, Time, hyphenated};

/// From this number of decimal places on, zeros at the end are padding: 28 places are the default scale of a decimal
/// column, and the mean of decimals has more.
pub const PADDED: usize = 28;

/// A value as the binary protocol sends it. Whatever is text or bytes is a string, and the column decides what it becomes.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter<'v> {
    /// `NULL`.
    Null,
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    UInt(u64),
    /// A float.
    Double(f64),
    /// Text or bytes.
    Bytes(Cow<'v, [u8]>),
    /// A date and a time of the day.
    DateTime(MomentOfDay),
    /// A time, which may be negative and longer than a day.
    Span(Span),
}

/// A date and a time of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct MomentOfDay {
    pub year: u16,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
    pub micros: u32,
}

/// A time in days and less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Span {
    pub negative: bool,
    pub days: u32,
    pub hours: u8,
    pub minutes: u8,
    pub seconds: u8,
    pub micros: u32,
}

impl<'v> Parameter<'v> {
    /// A value of the core's. With `uuid_as_text` a UUID is its hyphenated text.
    ///
    /// # Errors
    /// With the reason why MySQL cannot hold it.
    ///
    /// ```
    /// use assoc_core::Value;
    /// use assoc_dialects::mysql::Parameter;
    ///
    /// assert_eq!(Parameter::of(&Value::Bool(true), false), Ok(Parameter::Int(1)));
    /// ```
    pub fn of(value: &'v Value<'_>, uuid_as_text: bool) -> Result<Self, String> {
        Ok(match value {
            Value::Null => Parameter::Null,
            Value::Bool(flag) => Parameter::Int(i64::from(*flag)),
            Value::Int(number) => Parameter::Int(*number),
            Value::UInt(number) => Parameter::UInt(*number),
            // It would be refused in a row, and be less than every number in a condition.
            Value::Real(number) if number.is_nan() => return Err("MySQL has no NaN".to_owned()),
            Value::Real(number) => Parameter::Double(*number),
            Value::Text(text) | Value::Decimal(text) | Value::Json(text) => Parameter::Bytes(text.as_bytes().into()),
            Value::Blob(bytes) => Parameter::Bytes(Cow::Borrowed(bytes)),
            Value::Uuid(uuid) if uuid_as_text => Parameter::Bytes(hyphenated(uuid).into_bytes().into()),
            Value::Uuid(uuid) => Parameter::Bytes(Cow::Borrowed(uuid)),
            Value::Date(date) => Parameter::DateTime(day(*date)?),
            Value::DateTime(at) => Parameter::DateTime(MomentOfDay {
                hour: u8::try_from(at.time.hour).map_err(|_| format!("{at} has no such hour"))?,
                minute: at.time.minute,
                second: at.time.second,
                micros: at.time.micros,
                ..day(at.date)?
            }),
            Value::Time(time) => span(*time),
            other => return Err(format!("{} cannot be bound", other.kind())),
        })
    }
}

fn day(date: Date) -> Result<MomentOfDay, String> {
    match u16::try_from(date.year) {
        Ok(year) if year <= 9_999 => {
            Ok(MomentOfDay { year, month: date.month, day: date.day, ..MomentOfDay::default() })
        }
        _ => Err(format!("{date} is beyond the years 0 to 9999 that MySQL can store")),
    }
}

fn span<'v>(time: Time) -> Parameter<'v> {
    // MySQL calls what is beyond `838:59:58` out of range in a time, and takes it in a text.
    if time.hour >= 838 {
        return Parameter::Bytes(time.to_string().into_bytes().into());
    }
    Parameter::Span(Span {
        negative: time.negative,
        days: time.hour / 24,
        // Below 24 after the division.
        hours: u8::try_from(time.hour % 24).unwrap_or(0),
        minutes: time.minute,
        seconds: time.second,
        micros: time.micros,
    })
}

/// A decimal without the zeros that pad it to the places of its column.
///
/// ```
/// use assoc_core::Value;
/// use assoc_dialects::mysql::values::unpadded;
///
/// // A `DECIMAL(10, 4)`.
/// assert_eq!(unpadded("9.5000".into()), Value::Decimal("9.5".into()));
/// ```
#[must_use]
pub fn unpadded(text: String) -> Value<'static> {
    changed(text, |number| number)
}

/// A decimal that was computed and may go on for ever, like a mean: rounded to what a decimal of a program holds.
///
/// ```
/// use assoc_dialects::mysql::values::quotient;
///
/// assert_eq!(quotient("6.66666666666666666666666666666667".into()).to_string(), "6.6666666666666666666666666667");
/// ```
#[must_use]
pub fn quotient(text: String) -> Value<'static> {
    changed(text, DecimalNumber::rounded_to_96_bits)
}

fn changed(text: String, change: impl FnOnce(DecimalNumber) -> DecimalNumber) -> Value<'static> {
    let number = DecimalNumber::parse(&text).map(|number| change(number).to_string());
    Value::Decimal(number.unwrap_or(text).into())
}

/// The bits of a `BIT(n)`, which are sent as bytes.
///
/// ```
/// use assoc_dialects::mysql::values::bits;
///
/// // A `BIT(9)`.
/// assert_eq!(bits(&[0b1, 0b0000_0010]), 258);
/// ```
#[must_use]
pub fn bits(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |bits, byte| (bits << 8) | u64::from(*byte))
}

/// Whether a column that was computed is the place of an `ENUM` or `SET` in its list, by its name and whether the column before
/// it is one: `size + 0` is an integer if `size` is an `ENUM`, and a float if it is text. MariaDB says so; MySQL calls both floats,
/// and what the column is can be seen at the column alone, which stands before it.
///
/// ```
/// use assoc_dialects::mysql::values::is_place;
///
/// // `SELECT size, size + 0 FROM shirts`, where `size` is an `ENUM`.
/// assert!(is_place(b"size + 0", true));
/// assert!(!is_place(b"size + 0", false) && !is_place(b"size", true));
/// ```
#[must_use]
pub fn is_place(name: &[u8], is_behind_a_list: bool) -> bool {
    is_behind_a_list && name.ends_with(b" + 0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_lose_what_pads_them() {
        assert_eq!(unpadded("9.5000000000000000000000000000".into()).to_string(), "9.5");
        assert_eq!(unpadded("0.123456789012345678901234567891".into()).to_string(), "0.123456789012345678901234567891");
        assert_eq!(quotient("6.66666666666666666666666666666667".into()).to_string(), "6.6666666666666666666666666667");
    }

    #[test]
    fn times_are_days_and_less() {
        let time = Time::parse("-49:02:03.5").unwrap();
        let span = Span { negative: true, days: 2, hours: 1, minutes: 2, seconds: 3, micros: 500_000 };
        assert_eq!(Parameter::of(&Value::Time(time), false), Ok(Parameter::Span(span)));
        let last = Time::parse("838:59:59").unwrap();
        assert_eq!(Parameter::of(&Value::Time(last), false), Ok(Parameter::Bytes(b"838:59:59"[..].into())));
        let far = Date { year: 10_000, month: 1, day: 1 };
        assert!(Parameter::of(&Value::Date(far), false).unwrap_err().contains("beyond the years"));
    }
}
