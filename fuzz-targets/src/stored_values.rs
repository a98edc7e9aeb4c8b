//! Any value that a database may hold, read as every type that a column can have.
//!
//! Reading never panics. What was read can be written, and reads as the same again: as the value it is bound as, and as
//! the text that SQLite keeps of a date. Keys equal themselves and those that were read back.

// A target tells by a panic.
#![allow(clippy::panic)]

use std::collections::HashSet;
use std::fmt::Debug;

use assoc_core::execution::KeyTuple;
use assoc_core::value::decimal::DecimalNumber;
use assoc_core::value::{Date, DateTime, Time};
use assoc_core::{ColumnType, Value};

/// Reads the values that an input stands for.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    while let Some(value) = input.value() {
        check(&value);
    }
}

struct Input<'d>(&'d [u8]);

impl<'d> Input<'d> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (own, rest) = self.0.split_at(self.0.len().min(N));
        self.0 = rest;
        let mut bytes = [0; N];
        bytes[..own.len()].copy_from_slice(own);
        bytes
    }

    // Up to the next zero, or to the end.
    fn bytes(&mut self) -> &'d [u8] {
        let end = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
        let (own, rest) = self.0.split_at(end);
        self.0 = rest.get(1..).unwrap_or_default();
        own
    }

    fn text(&mut self) -> String {
        String::from_utf8_lossy(self.bytes()).into_owned()
    }

    fn date(&mut self) -> Date {
        let [month, day] = self.take();
        Date { year: i32::from_le_bytes(self.take()), month, day }
    }

    fn time(&mut self) -> Time {
        let [sign, minute, second] = self.take();
        let (hour, micros) = (u32::from_le_bytes(self.take()), u32::from_le_bytes(self.take()));
        Time { negative: sign & 1 == 1, hour: hour % 1_000, minute, second, micros }
    }

    // The first byte says which kind: a letter, so that a corpus can be written by hand.
    fn value(&mut self) -> Option<Value<'static>> {
        let (kind, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(match kind {
            b'n' => Value::Null,
            b'b' => Value::Bool(self.take() == [1]),
            b'i' => Value::Int(i64::from_le_bytes(self.take())),
            b'u' => Value::UInt(u64::from_le_bytes(self.take())),
            b'r' => Value::Real(f64::from_le_bytes(self.take())),
            b'x' => Value::Blob(self.bytes().to_vec().into()),
            b'd' => Value::Date(self.date()),
            b'c' => Value::Time(self.time()),
            b'm' => Value::DateTime(DateTime { date: self.date(), time: self.time() }),
            b'g' => Value::Uuid(self.take()),
            b'e' => Value::Decimal(self.text().into()),
            b'j' => Value::Json(self.text().into()),
            _ => Value::Text(self.text().into()),
        })
    }
}

fn check(value: &Value<'static>) {
    numbers(value);
    strings(value);
    dates(value);
    decimals(value);
    // That it does not panic is enough: serde_json does not read every float again that it writes.
    let _ = serde_json::Value::from_value(&mut value.clone()).map(|document| document.to_value().into_owned());
    let key = KeyTuple::of_row([value.clone()]);
    assert!(HashSet::from([key.clone()]).contains(&key), "{value:?} is no key of its own");
    let _ = (value.to_string(), value.kind(), value.is_same(value), KeyTuple::new([value.clone()]));
}

fn numbers(value: &Value<'static>) {
    round_trip::<bool>(value);
    round_trip::<i8>(value);
    round_trip::<i16>(value);
    round_trip::<i32>(value);
    round_trip::<i64>(value);
    round_trip::<u8>(value);
    round_trip::<u16>(value);
    round_trip::<u32>(value);
    round_trip::<u64>(value);
    if let Ok(number) = f64::from_value(&mut value.clone()) {
        assert_eq!(read_again(&number).map(f64::to_bits), Some(number.to_bits()));
    }
    if let Ok(number) = f32::from_value(&mut value.clone()) {
        let again = read_again(&number);
        assert!(again == Some(number) || number.is_nan() && again.is_some_and(f32::is_nan));
    }
}

fn strings(value: &Value<'static>) {
    round_trip::<String>(value);
    round_trip::<Vec<u8>>(value);
    round_trip::<Option<String>>(value);
    round_trip::<uuid::Uuid>(value);
}

fn dates(value: &Value<'static>) {
    round_trip::<chrono::NaiveDate>(value);
    round_trip::<chrono::NaiveTime>(value);
    round_trip::<chrono::NaiveDateTime>(value);
    round_trip::<chrono::DateTime<chrono::Utc>>(value);
    round_trip::<time::Date>(value);
    round_trip::<time::Time>(value);
    round_trip::<time::PrimitiveDateTime>(value);
    round_trip::<time::OffsetDateTime>(value);
    round_trip::<jiff::civil::Date>(value);
    round_trip::<jiff::civil::Time>(value);
    round_trip::<jiff::civil::DateTime>(value);
    round_trip::<jiff::Timestamp>(value);
    round_trip::<Option<jiff::Timestamp>>(value);
    let text = value.to_string();
    for text in [text.trim_matches('"'), &text] {
        let _ = (Date::parse(text), Time::parse(text));
        if let Some(at) = DateTime::parse(text) {
            assert!(at.date.is_in_calendar() && at.time.is_of_day(), "{text} is {at}");
        }
    }
}

fn decimals(value: &Value<'static>) {
    round_trip::<rust_decimal::Decimal>(value);
    let number = match value {
        Value::Text(text) | Value::Decimal(text) => DecimalNumber::parse(text),
        Value::Real(number) => DecimalNumber::of_real(*number),
        _ => None,
    };
    let Some(number) = number else { return };
    let text = number.to_string();
    assert_eq!(DecimalNumber::parse(&text).as_ref(), Some(&number), "{text}");
    assert_eq!(DecimalNumber::from_order_key(&number.order_key()).as_ref(), Some(&number), "{text}");
    let (low, high) = number.bounds();
    assert!(low <= high, "{text}: {low} {high}");
    let rounded = number.clone().rounded_to_96_bits();
    assert_eq!(rounded.clone().rounded_to_96_bits(), rounded, "{text}");
}

// What a type makes of a value it makes again of what it writes.
fn round_trip<T: ColumnType + PartialEq + Debug>(value: &Value<'static>) {
    if let Ok(read) = T::from_value(&mut value.clone()) {
        assert_eq!(read_again(&read).as_ref(), Some(&read), "{value:?}");
    }
}

fn read_again<T: ColumnType + Debug>(read: &T) -> Option<T> {
    let written = read.to_value().into_owned();
    let mut stored = match written {
        // As SQLite keeps them.
        Value::Date(_) | Value::Time(_) | Value::DateTime(_) => Value::Text(written.to_string().into()),
        Value::Decimal(ref text) => Value::Text(text.clone()),
        _ => written.clone(),
    };
    let again = T::from_value(&mut stored);
    let bound = T::from_value(&mut written.clone());
    assert_eq!(again.is_ok(), bound.is_ok(), "{read:?} is written as {written:?}");
    again.ok()
}
