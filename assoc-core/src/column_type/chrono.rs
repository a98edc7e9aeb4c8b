//! `chrono`: `NaiveDate`, `NaiveTime`, `NaiveDateTime`, and `DateTime<Utc>`, which is stored as UTC.

use ::chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};

use super::{ColumnType, SqlType};
use crate::error::DecodeError;
use crate::value::{Date, DateTime, Time, Value};

fn date_of(date: Date) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(date.year, date.month.into(), date.day.into())
}

fn time_of(time: Time) -> Option<NaiveTime> {
    if !time.is_of_day() {
        return None;
    }
    NaiveTime::from_hms_micro_opt(time.hour, time.minute.into(), time.second.into(), time.micros)
}

fn from_date(date: NaiveDate) -> Date {
    // chrono keeps months and days within a byte.
    Date { year: date.year(), month: date.month() as u8, day: date.day() as u8 }
}

fn from_time(time: NaiveTime) -> Time {
    // A leap second is a nanosecond count of over a thousand million: it is stored as the last microsecond.
    let micros = (time.nanosecond() / 1_000).min(999_999);
    Time { negative: false, hour: time.hour(), minute: time.minute() as u8, second: time.second() as u8, micros }
}

fn naive(value: &Value<'_>) -> Option<NaiveDateTime> {
    let stored = match value {
        Value::DateTime(stored) => *stored,
        Value::Text(text) => DateTime::parse(text)?,
        _ => return None,
    };
    Some(date_of(stored.date)?.and_time(time_of(stored.time)?))
}

impl ColumnType for NaiveDate {
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

impl ColumnType for NaiveTime {
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

impl ColumnType for NaiveDateTime {
    const SQL_TYPE: SqlType = SqlType::DateTime;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        naive(value).ok_or_else(|| DecodeError::new("a date and time", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::DateTime(DateTime { date: from_date(self.date()), time: from_time(self.time()) })
    }
}

impl ColumnType for ::chrono::DateTime<Utc> {
    const SQL_TYPE: SqlType = SqlType::DateTime;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        naive(value).map(|stored| stored.and_utc()).ok_or_else(|| DecodeError::new("a date and time", value))
    }

    fn to_value(&self) -> Value<'_> {
        let stored = self.naive_utc();
        Value::DateTime(DateTime { date: from_date(stored.date()), time: from_time(stored.time()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_reads_text() {
        let instant = ::chrono::DateTime::<Utc>::from_timestamp_micros(1_700_000_000_123_456).unwrap();
        assert_eq!(::chrono::DateTime::<Utc>::from_value(&mut instant.to_value()), Ok(instant));
        let mut text = Value::Text("2023-11-14T22:13:20.123456Z".into());
        assert_eq!(::chrono::DateTime::<Utc>::from_value(&mut text), Ok(instant));
        let zero = Date { year: 0, month: 0, day: 0 };
        assert!(NaiveDate::from_value(&mut Value::Date(zero)).is_err());
    }
}
