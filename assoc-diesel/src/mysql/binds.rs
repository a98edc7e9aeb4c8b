//! Values into binds.

use std::borrow::Cow;
use std::io::Write;

use assoc_core::driver::Bind;
use assoc_core::{DriverErrorKind, Error, Result, Value};
use assoc_dialects::mysql::Parameter;
use diesel::mysql::data_types::{MysqlTime, MysqlTimestampType};
use diesel::mysql::sql_types::{Datetime, Unsigned};
use diesel::mysql::{Mysql, MysqlType};
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Double, HasSqlType, Nullable, Text, Time};

use crate::dynamic_query::Bound;
use crate::errors;

/// Text, also of decimals and documents: the column decides what it becomes.
#[derive(Debug)]
pub(super) struct AnyText;

/// Bytes. As a string, they would have a fixed length beside a `BINARY(n)`, and be padded to it.
#[derive(Debug)]
pub(super) struct AnyBytes;

impl HasSqlType<AnyBytes> for Mysql {
    fn metadata((): &mut ()) -> MysqlType {
        MysqlType::Blob
    }
}

impl ToSql<AnyBytes, Mysql> for Bytes<'_> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
        out.write_all(&self.0)?;
        Ok(IsNull::No)
    }
}

impl HasSqlType<AnyText> for Mysql {
    fn metadata((): &mut ()) -> MysqlType {
        MysqlType::String
    }
}

/// What is sent as it is.
#[derive(Debug)]
pub(super) struct Bytes<'s>(Cow<'s, [u8]>);

impl ToSql<AnyText, Mysql> for Bytes<'_> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
        out.write_all(&self.0)?;
        Ok(IsNull::No)
    }
}

/// A value as it is sent.
#[derive(Debug)]
pub(super) enum Sent<'s> {
    Null,
    Int(i64),
    UInt(u64),
    Double(f64),
    Text(Bytes<'s>),
    Bytes(Bytes<'s>),
    DateTime(MysqlTime),
    Span(MysqlTime),
}

impl Bound<Mysql> for Sent<'_> {
    fn push<'b>(&'b self, pass: &mut AstPass<'_, 'b, Mysql>) -> QueryResult<()> {
        match self {
            Sent::Null => pass.push_bind_param_value_only::<Nullable<Text>, Option<String>>(&None),
            Sent::Int(number) => pass.push_bind_param_value_only::<BigInt, i64>(number),
            Sent::UInt(number) => pass.push_bind_param_value_only::<Unsigned<BigInt>, u64>(number),
            Sent::Double(number) => pass.push_bind_param_value_only::<Double, f64>(number),
            Sent::Text(bytes) => pass.push_bind_param_value_only::<AnyText, Bytes<'_>>(bytes),
            Sent::Bytes(bytes) => pass.push_bind_param_value_only::<AnyBytes, Bytes<'_>>(bytes),
            Sent::DateTime(at) => pass.push_bind_param_value_only::<Datetime, MysqlTime>(at),
            Sent::Span(span) => pass.push_bind_param_value_only::<Time, MysqlTime>(span),
        }
    }
}

impl Sent<'_> {
    pub(super) fn null() -> Self {
        Sent::Null
    }

    /// The same, for another statement.
    pub(super) fn borrowed(&self) -> Sent<'_> {
        match self {
            Sent::Null => Sent::Null,
            Sent::Int(number) => Sent::Int(*number),
            Sent::UInt(number) => Sent::UInt(*number),
            Sent::Double(number) => Sent::Double(*number),
            Sent::Text(Bytes(bytes)) => Sent::Text(Bytes(Cow::Borrowed(bytes))),
            Sent::Bytes(Bytes(bytes)) => Sent::Bytes(Bytes(Cow::Borrowed(bytes))),
            Sent::DateTime(at) => Sent::DateTime(*at),
            Sent::Span(span) => Sent::Span(*span),
        }
    }
}

/// A bind as it is sent.
pub(super) fn sent<'s>(bind: &'s Bind, sql: &str) -> Result<Sent<'s>> {
    let Bind::Value(value) = bind else {
        return Err(Error::unsupported("MySQL", "a list as one bind parameter"));
    };
    let parameter =
        Parameter::of(value, false).map_err(|message| errors::refused(DriverErrorKind::Value, message, sql))?;
    Ok(match parameter {
        Parameter::Null => Sent::Null,
        Parameter::Int(number) => Sent::Int(number),
        Parameter::UInt(number) => Sent::UInt(number),
        Parameter::Double(number) => Sent::Double(number),
        Parameter::Bytes(bytes) if matches!(value, Value::Blob(_) | Value::Uuid(_)) => Sent::Bytes(Bytes(bytes)),
        Parameter::Bytes(bytes) => Sent::Text(Bytes(bytes)),
        Parameter::DateTime(at) => Sent::DateTime(MysqlTime::new(
            at.year.into(),
            at.month.into(),
            at.day.into(),
            at.hour.into(),
            at.minute.into(),
            at.second.into(),
            at.micros.into(),
            false,
            MysqlTimestampType::MYSQL_TIMESTAMP_DATETIME,
            0,
        )),
        Parameter::Span(span) => Sent::Span(MysqlTime::new(
            0,
            0,
            span.days,
            span.hours.into(),
            span.minutes.into(),
            span.seconds.into(),
            span.micros.into(),
            span.negative,
            MysqlTimestampType::MYSQL_TIMESTAMP_TIME,
            0,
        )),
    })
}
