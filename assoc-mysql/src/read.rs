//! Column values of a result: mysql_async's values as the core's.
//!
//! A column's type, flags and character set decide once per result set how its values are read. Each value then costs
//! one match; text and bytes are moved, not copied. The same readers understand both protocols: the binary one sends
//! numbers and dates in binary form, the text one sends everything as bytes.

use assoc_core::Value;
use assoc_core::value::{Date, DateTime, Time};
use assoc_dialects::mysql::values::{PADDED, bits, is_place, quotient, unpadded};
use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::{Column, Value as MyValue};

/// The character set that says "bytes, not text".
const BINARY: u16 = 63;

/// How the values of one column are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    Int,
    Real,
    Decimal,
    /// A decimal with more places than anybody wrote: what pads it is taken off.
    PaddedDecimal,
    /// A decimal that was computed and goes on for ever, like a mean: it is rounded to what a decimal holds.
    Quotient,
    Text,
    Blob,
    Json,
    Date,
    DateTime,
    Time,
    /// The place of an `ENUM` or `SET` in its list, which MySQL sends as a float.
    Place,
    /// `BIT(1)`.
    Flag,
    /// `BIT(n)`.
    Bits,
    /// An aggregate of `BIT(1)`, and of `BIT(n)`. MariaDB sends `MIN` and `MAX` of bits as digits and says that they are bits;
    /// only where groups went through a temporary table they are.
    FlagDigit,
    BitsDigits,
}

/// How the values of all columns of a result are read.
pub(crate) fn readers(columns: &[Column]) -> Vec<Reader> {
    let before = [None].into_iter().chain(columns.iter().map(Some));
    columns.iter().zip(before).map(|(column, before)| Reader::beside(column, before)).collect()
}

impl Reader {
    fn beside(column: &Column, before: Option<&Column>) -> Reader {
        let lists = ColumnFlags::ENUM_FLAG | ColumnFlags::SET_FLAG;
        match Reader::of(column) {
            Reader::Real
                if column.org_name_ref().is_empty()
                    && is_place(column.name_ref(), before.is_some_and(|before| before.flags().intersects(lists))) =>
            {
                Reader::Place
            }
            reader => reader,
        }
    }

    fn of(column: &Column) -> Reader {
        match column.column_type() {
            ColumnType::MYSQL_TYPE_TINY
            | ColumnType::MYSQL_TYPE_SHORT
            | ColumnType::MYSQL_TYPE_INT24
            | ColumnType::MYSQL_TYPE_LONG
            | ColumnType::MYSQL_TYPE_LONGLONG
            | ColumnType::MYSQL_TYPE_YEAR => Reader::Int,
            ColumnType::MYSQL_TYPE_FLOAT | ColumnType::MYSQL_TYPE_DOUBLE => Reader::Real,
            ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => {
                let is_computed = column.org_name_ref().is_empty();
                match usize::from(column.decimals()) {
                    places if places > PADDED && is_computed => Reader::Quotient,
                    PADDED.. => Reader::PaddedDecimal,
                    _ => Reader::Decimal,
                }
            }
            ColumnType::MYSQL_TYPE_DATE | ColumnType::MYSQL_TYPE_NEWDATE => Reader::Date,
            ColumnType::MYSQL_TYPE_DATETIME
            | ColumnType::MYSQL_TYPE_DATETIME2
            | ColumnType::MYSQL_TYPE_TIMESTAMP
            | ColumnType::MYSQL_TYPE_TIMESTAMP2 => Reader::DateTime,
            ColumnType::MYSQL_TYPE_TIME | ColumnType::MYSQL_TYPE_TIME2 => Reader::Time,
            ColumnType::MYSQL_TYPE_BIT => {
                // A column of a table, also of a temporary one, is not called binary.
                let is_computed = column.org_name_ref().is_empty() && column.flags().contains(ColumnFlags::BINARY_FLAG);
                match (is_computed, column.column_length() == 1) {
                    (false, true) => Reader::Flag,
                    (false, false) => Reader::Bits,
                    (true, true) => Reader::FlagDigit,
                    (true, false) => Reader::BitsDigits,
                }
            }
            // A JSON document is text, although its character set is said to be binary.
            ColumnType::MYSQL_TYPE_JSON => Reader::Json,
            ColumnType::MYSQL_TYPE_GEOMETRY | ColumnType::MYSQL_TYPE_VECTOR => Reader::Blob,
            _ if column.character_set() == BINARY => Reader::Blob,
            _ => Reader::Text,
        }
    }

    pub(crate) fn read(self, value: MyValue) -> Value<'static> {
        match value {
            MyValue::NULL => Value::Null,
            MyValue::Bytes(bytes) => self.read_bytes(bytes),
            MyValue::Int(number) => Value::Int(number),
            MyValue::UInt(number) => Value::UInt(number),
            MyValue::Float(number) => Value::Real(f64::from(number)),
            // A list has at most 65,535 places, a set 64 bits.
            MyValue::Double(number) if self == Reader::Place => Value::UInt(number as u64),
            MyValue::Double(number) => Value::Real(number),
            MyValue::Date(year, month, day, hour, minute, second, micros) => {
                let date = Date { year: i32::from(year), month, day };
                if self == Reader::Date {
                    return Value::Date(date);
                }
                let time = Time { negative: false, hour: u32::from(hour), minute, second, micros };
                Value::DateTime(DateTime { date, time })
            }
            MyValue::Time(negative, days, hours, minute, second, micros) => {
                let hour = days.saturating_mul(24).saturating_add(u32::from(hours));
                Value::Time(Time { negative, hour, minute, second, micros })
            }
        }
    }

    fn read_bytes(self, bytes: Vec<u8>) -> Value<'static> {
        match self {
            Reader::Text => text(bytes, |text| Value::Text(text.into())),
            Reader::Blob => Value::Blob(bytes.into()),
            Reader::Decimal => text(bytes, |text| Value::Decimal(text.into())),
            Reader::PaddedDecimal => text(bytes, unpadded),
            Reader::Quotient => text(bytes, quotient),
            Reader::Json => text(bytes, |text| Value::Json(text.into())),
            Reader::Flag => Value::Bool(bytes.iter().any(|byte| *byte != 0)),
            Reader::FlagDigit => Value::Bool(bytes != b"0"),
            Reader::Bits => Value::UInt(bits(&bytes)),
            _ => text(bytes, |text| self.parse(text)),
        }
    }

    // Only the text protocol sends these as text, apart from digits for bits.
    #[cold]
    fn parse(self, text: String) -> Value<'static> {
        match self {
            Reader::BitsDigits | Reader::Place => text.parse().map(Value::UInt).ok(),
            Reader::Int => text.parse().map(Value::Int).or_else(|_| text.parse().map(Value::UInt)).ok(),
            Reader::Real => text.parse().map(Value::Real).ok(),
            Reader::Date => date(&text).map(Value::Date),
            Reader::DateTime => date_time(&text).map(Value::DateTime),
            Reader::Time => Time::parse(&text).map(Value::Time),
            _ => None,
        }
        .unwrap_or_else(|| Value::Text(text.into()))
    }
}

// The session's results are utf8mb4. Should a server send something else all the same, it is bytes, and reading it as
// text is a decoding error that names the column.
fn text(bytes: Vec<u8>, value: impl FnOnce(String) -> Value<'static>) -> Value<'static> {
    match String::from_utf8(bytes) {
        Ok(text) => value(text),
        Err(error) => Value::Blob(error.into_bytes().into()),
    }
}

// `Date::parse` takes no zeros, and here they may come.
fn date(text: &str) -> Option<Date> {
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    Some(Date { year, month: parts.next()?.parse().ok()?, day: parts.next()?.parse().ok()? })
}

fn date_time(text: &str) -> Option<DateTime> {
    let (day, time) = text.split_once(' ')?;
    Some(DateTime { date: date(day)?, time: Time::parse(time)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_moved() {
        let bytes = b"some text".to_vec();
        let address = bytes.as_ptr();
        let Value::Text(std::borrow::Cow::Owned(text)) = Reader::Text.read(MyValue::Bytes(bytes)) else {
            panic!("not owned text")
        };
        assert_eq!(text.as_ptr(), address);
    }

    #[test]
    fn decimals_lose_what_pads_them() {
        let read = |reader: Reader, text: &str| reader.read(MyValue::Bytes(text.into())).to_string();
        assert_eq!(read(Reader::Decimal, "9.50"), "9.50");
        assert_eq!(read(Reader::PaddedDecimal, "9.5000000000000000000000000000"), "9.5");
        assert_eq!(read(Reader::PaddedDecimal, "0.123456789012345678901234567891"), "0.123456789012345678901234567891");
        assert_eq!(read(Reader::Quotient, "6.66666666666666666666666666666667"), "6.6666666666666666666666666667");
    }

    #[test]
    fn places_in_lists_are_integers() {
        let number = Column::new(ColumnType::MYSQL_TYPE_DOUBLE).with_name(b"`size` + 0");
        let listed = Column::new(ColumnType::MYSQL_TYPE_STRING).with_flags(ColumnFlags::ENUM_FLAG);
        let text = Column::new(ColumnType::MYSQL_TYPE_STRING);
        let real = Column::new(ColumnType::MYSQL_TYPE_DOUBLE).with_name(b"real").with_org_name(b"real");
        let columns = [listed.clone(), number.clone(), text, number, listed, real];
        assert_eq!(
            readers(&columns)[..],
            [Reader::Text, Reader::Place, Reader::Text, Reader::Real, Reader::Text, Reader::Real]
        );
        assert_eq!(Reader::Place.read(MyValue::Double(3.0)), Value::UInt(3));
        assert_eq!(Reader::Place.read(MyValue::Bytes(b"3".to_vec())), Value::UInt(3));
    }

    #[test]
    fn broken_text_is_bytes_and_bits_are_numbers() {
        assert_eq!(Reader::Text.read(MyValue::Bytes(vec![0xff])), Value::Blob(vec![0xff].into()));
        assert_eq!(Reader::Bits.read(MyValue::Bytes(vec![1, 2])), Value::UInt(258));
        assert_eq!(Reader::Flag.read(MyValue::Bytes(vec![1])), Value::Bool(true));
        assert_eq!(Reader::FlagDigit.read(MyValue::Bytes(b"0".to_vec())), Value::Bool(false));
        assert_eq!(Reader::FlagDigit.read(MyValue::Bytes(b"1".to_vec())), Value::Bool(true));
        assert_eq!(Reader::BitsDigits.read(MyValue::Bytes(b"300".to_vec())), Value::UInt(300));
    }

    #[test]
    fn the_text_protocol_reads_like_the_binary_one() {
        let read = |reader: Reader, text: &str| reader.read(MyValue::Bytes(text.into()));
        assert_eq!(read(Reader::Int, "-7"), Value::Int(-7));
        assert_eq!(read(Reader::Int, "18446744073709551615"), Value::UInt(u64::MAX));
        assert_eq!(read(Reader::Real, "1.5"), Value::Real(1.5));
        assert_eq!(read(Reader::Date, "0000-00-00"), Value::Date(Date { year: 0, month: 0, day: 0 }));
        assert_eq!(read(Reader::DateTime, "2024-02-29 01:02:03.5").to_string(), "2024-02-29 01:02:03.500000");
        assert_eq!(read(Reader::Time, "-838:59:59").to_string(), "-838:59:59");
        assert_eq!(read(Reader::Int, "odd"), Value::Text("odd".into()));
    }
}
