//! Bind parameters: the core's values as values of mysql_async.

use assoc_core::driver::{Bind, Statement};
use assoc_core::{DriverError, DriverErrorKind, Error, Result, Value};
use assoc_dialects::mysql::Parameter;
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

fn parameter(value: &Value<'static>, uuid_as_text: bool) -> Result<MyValue, String> {
    Ok(match Parameter::of(value, uuid_as_text)? {
        Parameter::Null => MyValue::NULL,
        Parameter::Int(number) => MyValue::Int(number),
        Parameter::UInt(number) => MyValue::UInt(number),
        Parameter::Double(number) => MyValue::Double(number),
        Parameter::Bytes(bytes) => MyValue::Bytes(bytes.into_owned()),
        Parameter::DateTime(at) => MyValue::Date(at.year, at.month, at.day, at.hour, at.minute, at.second, at.micros),
        Parameter::Span(span) => {
            MyValue::Time(span.negative, span.days, span.hours, span.minutes, span.seconds, span.micros)
        }
    })
}
