//! `time`: `Date`, `Time`, `PrimitiveDateTime`, and `OffsetDateTime`, which is stored as UTC.

use ::time::{Month, OffsetDateTime, PrimitiveDateTime};

use super::{ColumnType, SqlType};
use crate::error::DecodeError;
use crate::value::{Date, DateTime, Time, Value};

fn date_of(date: Date) -> Option<::time::Date> {
    ::time::Date::from_calendar_date(date.year, Month::try_from(date.month).ok()?, date.day).ok()
}

fn time_of(time: Time) -> Option<::time::Time> {
    if !time.is_of_day() {
        return None;
    }
    ::time::Time::from_hms_micro(u8::try_from(time.hour).ok()?, time.minute, time.second, time.micros).ok()
}

fn from_date(date: ::time::Date) -> Date {
    Date { year: date.year(), month: date.month().into(), day: date.day() }
}

fn from_time(time: ::time::Time) -> Time {
    let (hour, minute, second, micros) = time.as_hms_micro();
    Time { negative: false, hour: hour.into(), minute, second, micros }
}

fn primitive(value: &Value<'_>) -> Option<PrimitiveDateTime> {
    let stored = match value {
        Value::DateTime(stored) => *stored,
        Value::Text(text) => DateTime::parse(text)?,
        _ => return None,
    };
    Some(PrimitiveDateTime::new(date_of(stored.date)?, time_of(stored.time)?))
}

impl ColumnType for ::time::Date {
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

impl ColumnType for ::time::Time {
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

impl ColumnType for PrimitiveDateTime {
    const SQL_TYPE: SqlType = SqlType::DateTime;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        primitive(value).ok_or_else(|| DecodeError::new("a date and time", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::DateTime(DateTime { date: from_date(self.date()), time: from_time(self.time()) })
    }
}

impl ColumnType for OffsetDateTime {
    const SQL_TYPE: SqlType = SqlType::DateTime;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        primitive(value).map(PrimitiveDateTime::assume_utc).ok_or_else(|| DecodeError::new("a date and time", value))
    }

    fn to_value(&self) -> Value<'_> {
        // Not by `to_offset`, which panics where UTC is in a year that the library does not have.
        let micros = self.unix_timestamp_nanos().div_euclid(1_000);
        let end = if micros < 0 { i64::MIN } else { i64::MAX };
        Value::DateTime(DateTime::from_unix_micros(i64::try_from(micros).unwrap_or(end)))
    }
}

#[cfg(test)]
mod tests {
    use ::time::UtcOffset;

    use super::*;

    #[test]
    fn the_ends_of_the_calendar_do_not_panic() {
        let late = ::time::Date::MAX.midnight().assume_offset(UtcOffset::from_hms(-20, 0, 0).unwrap());
        let late = late + ::time::Duration::hours(23);
        assert!(matches!(late.to_value(), Value::DateTime(at) if at.date.year > ::time::Date::MAX.year()));
        assert!(OffsetDateTime::from_value(&mut late.to_value()).is_err());
    }

    #[test]
    fn offsets_are_stored_as_utc() {
        let instant = OffsetDateTime::from_unix_timestamp(1_700_000_000).unwrap();
        let elsewhere = instant.to_offset(UtcOffset::from_hms(5, 30, 0).unwrap());
        assert_eq!(elsewhere.to_value(), instant.to_value());
        assert_eq!(OffsetDateTime::from_value(&mut elsewhere.to_value()), Ok(instant));
    }
}
