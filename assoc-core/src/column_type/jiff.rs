//! `jiff`: `civil::Date`, `civil::Time`, `civil::DateTime`, and `Timestamp`, which is stored as UTC.

use ::jiff::Timestamp;
use ::jiff::civil;

use super::{ColumnType, SqlType};
use crate::error::DecodeError;
use crate::value::{Date, DateTime, Time, Value};

fn date_of(date: Date) -> Option<civil::Date> {
    civil::Date::new(i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?).ok()
}

fn time_of(time: Time) -> Option<civil::Time> {
    if !time.is_of_day() {
        return None;
    }
    let nanos = i32::try_from(time.micros).ok()?.checked_mul(1_000)?;
    let (hour, minute) = (i8::try_from(time.hour).ok()?, i8::try_from(time.minute).ok()?);
    civil::Time::new(hour, minute, i8::try_from(time.second).ok()?, nanos).ok()
}

// jiff keeps every field within its range, so none of these conversions cuts anything.
fn from_date(date: civil::Date) -> Date {
    Date { year: date.year().into(), month: date.month().unsigned_abs(), day: date.day().unsigned_abs() }
}

fn from_time(time: civil::Time) -> Time {
    Time {
        negative: false,
        hour: time.hour().unsigned_abs().into(),
        minute: time.minute().unsigned_abs(),
        second: time.second().unsigned_abs(),
        micros: time.subsec_nanosecond().unsigned_abs() / 1_000,
    }
}

fn stored(value: &Value<'_>) -> Option<DateTime> {
    match value {
        Value::DateTime(stored) => Some(*stored),
        Value::Text(text) => DateTime::parse(text),
        _ => None,
    }
}

impl ColumnType for civil::Date {
    const SQL_TYPE: SqlType = SqlType::Date;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Date(date) => date_of(*date),
            Value::DateTime(stored) => date_of(stored.date),
            Value::Text(text) => Date::parse(text).and_then(date_of),
            _ => None,
        }
        .ok_or_else(|| DecodeError::new("a date", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Date(from_date(*self))
    }
}

impl ColumnType for civil::Time {
    const SQL_TYPE: SqlType = SqlType::Time;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Time(time) => time_of(*time),
            Value::Text(text) => Time::parse(text).and_then(time_of),
            _ => None,
        }
        .ok_or_else(|| DecodeError::new("a time of day", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Time(from_time(*self))
    }
}

impl ColumnType for civil::DateTime {
    const SQL_TYPE: SqlType = SqlType::DateTime;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        stored(value)
            .and_then(|stored| Some(civil::DateTime::from_parts(date_of(stored.date)?, time_of(stored.time)?)))
            .ok_or_else(|| DecodeError::new("a date and time", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::DateTime(DateTime { date: from_date(self.date()), time: from_time(self.time()) })
    }
}

impl ColumnType for Timestamp {
    const SQL_TYPE: SqlType = SqlType::DateTime;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        stored(value)
            .filter(|stored| date_of(stored.date).is_some() && time_of(stored.time).is_some())
            .and_then(|stored| Timestamp::from_microsecond(stored.to_unix_micros()?).ok())
            .ok_or_else(|| DecodeError::new("a date and time", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::DateTime(DateTime::from_unix_micros(self.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_round_trip() {
        let instant = Timestamp::from_microsecond(-1_234_567).unwrap();
        assert_eq!(Timestamp::from_value(&mut instant.to_value()), Ok(instant));
        assert!(civil::Time::from_value(&mut Value::Text("25:00".into())).is_err());
    }
}
