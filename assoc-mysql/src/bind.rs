//! Bind parameters: the core's values as values of mysql_async.

use assoc_core::driver::{Bind, Statement};
use assoc_core::value::{Date, Time, hyphenated};
use assoc_core::{DriverError, DriverErrorKind, Error, Result, Value};
use mysql_async::{Params, Value as MyValue};

/// The most parameters the protocol can count.
const LIMIT: usize = 65_535;

/// The parameters of a statement.
pub(crate) fn parameters(statement: &Statement, uuid_as_text: bool) -> Result<Params> {
    let binds = statement.binds();
    if binds.is_empty() {
        return Ok(Params::Empty);
    }
    if binds.len() > LIMIT {
        let message = format!("a statement can have {LIMIT} bind parameters, this one has {}", binds.len());
        return Err(DriverError::new(DriverErrorKind::Statement, message).with_sql(statement.sql()).into());
    }
    let values: Result<Vec<MyValue>> = binds
        .iter()
        .map(|bind| match bind {
            Bind::Value(value) => {
                parameter(value, uuid_as_text).map_err(|message| unsendable(message, statement.sql()))
            }
            _ => Err(Error::unsupported("MySQL", "a list as one bind parameter")),
        })
        .collect();
    values.map(Params::Positional)
}

fn unsendable(message: String, sql: &str) -> Error {
    DriverError::new(DriverErrorKind::Value, message).with_sql(sql).into()
}

// The binary protocol sends whatever is text or bytes as a string, and the column decides what it becomes.
fn parameter(value: &Value<'static>, uuid_as_text: bool) -> Result<MyValue, String> {
    Ok(match value {
        Value::Null => MyValue::NULL,
        Value::Bool(flag) => MyValue::Int(i64::from(*flag)),
        Value::Int(number) => MyValue::Int(*number),
        Value::UInt(number) => MyValue::UInt(*number),
        Value::Real(number) => MyValue::Double(*number),
        Value::Text(text) | Value::Decimal(text) | Value::Json(text) => MyValue::Bytes(text.as_bytes().to_vec()),
        Value::Blob(bytes) => MyValue::Bytes(bytes.to_vec()),
        Value::Uuid(uuid) if uuid_as_text => MyValue::Bytes(hyphenated(uuid).into_bytes()),
        Value::Uuid(uuid) => MyValue::Bytes(uuid.to_vec()),
        Value::Date(date) => MyValue::Date(year(*date)?, date.month, date.day, 0, 0, 0, 0),
        Value::DateTime(at) => MyValue::Date(
            year(at.date)?,
            at.date.month,
            at.date.day,
            u8::try_from(at.time.hour).map_err(|_| format!("{at} has no such hour"))?,
            at.time.minute,
            at.time.second,
            at.time.micros,
        ),
        Value::Time(time) => time_span(*time),
        other => return Err(format!("{} cannot be bound", other.kind())),
    })
}

fn year(date: Date) -> Result<u16, String> {
    match u16::try_from(date.year) {
        Ok(year) if year <= 9_999 => Ok(year),
        _ => Err(format!("{date} is beyond the years 0 to 9999 that MySQL can store")),
    }
}

fn time_span(time: Time) -> MyValue {
    // MySQL calls what is beyond `838:59:58` out of range in a time, and takes it in a text.
    if time.hour >= 838 {
        return MyValue::Bytes(time.to_string().into_bytes());
    }
    // Below 24 after the division.
    let hours = u8::try_from(time.hour % 24).unwrap_or(0);
    MyValue::Time(time.negative, time.hour / 24, hours, time.minute, time.second, time.micros)
}
