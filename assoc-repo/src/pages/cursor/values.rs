//! Values as bytes: a tag, and what it takes. Numbers are as short as they are small.

use std::borrow::Cow;

use assoc_core::Value;
use assoc_core::value::{Date, DateTime, Time};

pub(super) fn write(bytes: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Null => bytes.push(0),
        Value::Bool(false) => bytes.push(1),
        Value::Bool(true) => bytes.push(2),
        Value::Int(number) => {
            bytes.push(3);
            write_signed(bytes, *number);
        }
        Value::UInt(number) => {
            bytes.push(4);
            write_number(bytes, *number);
        }
        Value::Real(number) => {
            bytes.push(5);
            bytes.extend(number.to_bits().to_le_bytes());
        }
        Value::Text(text) => write_sized(bytes, 6, text.as_bytes()),
        Value::Blob(blob) => write_sized(bytes, 7, blob),
        Value::Date(date) => {
            bytes.push(8);
            write_date(bytes, *date);
        }
        Value::Time(time) => {
            bytes.push(9);
            write_time(bytes, *time);
        }
        Value::DateTime(at) => {
            bytes.push(10);
            write_date(bytes, at.date);
            write_time(bytes, at.time);
        }
        Value::Uuid(uuid) => {
            bytes.push(11);
            bytes.extend(uuid);
        }
        Value::Decimal(text) => write_sized(bytes, 12, text.as_bytes()),
        Value::Json(text) => write_sized(bytes, 13, text.as_bytes()),
        // No such tag is read: a value of a kind that this version does not know makes no cursor that works.
        _ => bytes.push(u8::MAX),
    }
}

// Seven bits a byte, the lowest first.
fn write_number(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        bytes.push((number & 127) as u8 | 128);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn write_signed(bytes: &mut Vec<u8>, number: i64) {
    write_number(bytes, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

fn write_sized(bytes: &mut Vec<u8>, tag: u8, own: &[u8]) {
    bytes.push(tag);
    write_number(bytes, own.len() as u64);
    bytes.extend(own);
}

fn write_date(bytes: &mut Vec<u8>, date: Date) {
    write_signed(bytes, i64::from(date.year));
    bytes.extend([date.month, date.day]);
}

fn write_time(bytes: &mut Vec<u8>, time: Time) {
    bytes.push(u8::from(time.negative));
    write_number(bytes, u64::from(time.hour));
    bytes.extend([time.minute, time.second]);
    write_number(bytes, u64::from(time.micros));
}

/// Bytes that are read from their beginning. Whatever they are, reading answers `None` and does not fail otherwise.
pub(super) struct Bytes<'b>(pub(super) &'b [u8]);

impl<'b> Bytes<'b> {
    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 127);
            if (bits << shift) >> shift != bits {
                return None;
            }
            number |= bits << shift;
            if byte < 128 {
                return Some(number);
            }
        }
        None
    }

    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    fn sized(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (own, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(own)
    }

    fn text(&mut self) -> Option<Cow<'static, str>> {
        Some(Cow::Owned(std::str::from_utf8(self.sized()?).ok()?.to_owned()))
    }

    // MySQL has dates without a month or a day.
    fn date(&mut self) -> Option<Date> {
        let date = Date { year: i32::try_from(self.signed()?).ok()?, month: self.byte()?, day: self.byte()? };
        (date.month <= 12 && date.day <= 31).then_some(date)
    }

    fn time(&mut self) -> Option<Time> {
        let negative = match self.byte()? {
            0 => false,
            1 => true,
            _ => return None,
        };
        let hour = u32::try_from(self.number()?).ok()?;
        let (minute, second) = (self.byte()?, self.byte()?);
        let micros = u32::try_from(self.number()?).ok()?;
        let fits = hour <= 838 && minute < 60 && second <= 60 && micros < 1_000_000;
        fits.then_some(Time { negative, hour, minute, second, micros })
    }

    pub(super) fn value(&mut self) -> Option<Value<'static>> {
        Some(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(self.signed()?),
            4 => Value::UInt(self.number()?),
            5 => Value::Real(f64::from_bits(u64::from_le_bytes(self.array()?))),
            6 => Value::Text(self.text()?),
            7 => Value::Blob(Cow::Owned(self.sized()?.to_vec())),
            8 => Value::Date(self.date()?),
            9 => Value::Time(self.time()?),
            10 => Value::DateTime(DateTime { date: self.date()?, time: self.time()? }),
            11 => Value::Uuid(self.array()?),
            12 => Value::Decimal(self.text()?),
            13 => Value::Json(self.text()?),
            _ => return None,
        })
    }
}
