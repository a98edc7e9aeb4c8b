//! The rows of an answer, on their way from Diesel to the reader.
//!
//! Diesel tells of each value its type, and nothing of its column: neither how many places a decimal has, nor whether the column
//! is computed, nor the character set. So text in a binary collation comes as bytes, which a field of text takes where they are
//! UTF-8.

use std::mem::offset_of;
use std::os::raw::{c_uint, c_ulong};

use assoc_core::driver::{AnswerColumn, RowSink};
use assoc_core::value::{Date, DateTime, Time};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use assoc_dialects::mysql::effects::only_reads;
use assoc_dialects::mysql::values::{PADDED, bits, is_place, quotient, unpadded};
use assoc_dialects::sqlite::is_expression;
use diesel::connection::{DefaultLoadingMode, LoadConnection};
use diesel::mysql::data_types::MysqlTime;
use diesel::mysql::{Mysql, MysqlConnection, MysqlType, MysqlValue};
use diesel::result::Error as DieselError;
use diesel::row::{Field, Row};

use super::{DynamicQuery, binds, failed};
use crate::dynamic_query::Prepared;
use crate::errors;

/// Why rows could not be read.
pub(super) enum Failure {
    Diesel(DieselError),
    Sink(Error),
}

/// Pushes the rows of a query into the sink.
pub(super) fn read(connection: &mut MysqlConnection, query: &DynamicQuery<'_>, sink: &mut dyn RowSink) -> Result<()> {
    let is_empty = match collect(connection, query, sink) {
        Ok(count) => count == 0,
        Err(Failure::Sink(error)) => return Err(error),
        Err(Failure::Diesel(error)) if has_no_columns(&error) => return run(connection, query),
        Err(Failure::Diesel(error)) => {
            let error = failed(connection, error, query.sql);
            return if query.sent_as_text(&error) { run(connection, query) } else { Err(error) };
        }
    };
    if is_empty && sink.wants_columns() {
        offer_of_none(connection, query, sink)?;
    }
    Ok(())
}

/// Pushes the rows and counts them.
pub(super) fn collect(
    connection: &mut MysqlConnection,
    query: &DynamicQuery<'_>,
    sink: &mut dyn RowSink,
) -> Result<u64, Failure> {
    let mut count = 0;
    let mut values: Vec<Value<'static>> = Vec::new();
    for row in LoadConnection::<DefaultLoadingMode>::load(connection, query).map_err(Failure::Diesel)? {
        let row = row.map_err(Failure::Diesel)?;
        if count == 0 && sink.wants_columns() {
            offer(&names_of(&row), query.sql, sink).map_err(Failure::Sink)?;
        }
        count += 1;
        values.clear();
        let mut is_behind_a_list = false;
        for column in 0..row.field_count() {
            let Some(field) = row.get(column) else { continue };
            values.push(value_of(&field, &mut is_behind_a_list, query.sql).map_err(Failure::Sink)?);
        }
        sink.row(&mut values).map_err(Failure::Sink)?;
    }
    Ok(count)
}

// Diesel looks for the columns before it runs the statement.
fn has_no_columns(error: &DieselError) -> bool {
    matches!(error, DieselError::DeserializationError(error) if error.to_string() == "No metadata exists")
}

fn run(connection: &mut MysqlConnection, query: &DynamicQuery<'_>) -> Result<()> {
    super::execute(connection, query).map(drop)
}

fn value_of<'r>(field: &impl Field<'r, Mysql>, is_behind_a_list: &mut bool, sql: &str) -> Result<Value<'static>> {
    let was_behind_a_list = std::mem::take(is_behind_a_list);
    let Some(value) = field.value() else { return Ok(Value::Null) };
    let bytes = value.as_bytes();
    let read = match value.value_type() {
        MysqlType::Tiny => number(bytes, i8::from_ne_bytes).map(|number| Value::Int(number.into())),
        MysqlType::UnsignedTiny => number(bytes, u8::from_ne_bytes).map(|number| Value::Int(number.into())),
        MysqlType::Short => number(bytes, i16::from_ne_bytes).map(|number| Value::Int(number.into())),
        MysqlType::UnsignedShort => number(bytes, u16::from_ne_bytes).map(|number| Value::Int(number.into())),
        MysqlType::Long => number(bytes, i32::from_ne_bytes).map(|number| Value::Int(number.into())),
        MysqlType::UnsignedLong => number(bytes, u32::from_ne_bytes).map(|number| Value::Int(number.into())),
        MysqlType::LongLong => number(bytes, i64::from_ne_bytes).map(Value::Int),
        MysqlType::UnsignedLongLong => number(bytes, u64::from_ne_bytes).map(Value::UInt),
        MysqlType::Float => number(bytes, f32::from_ne_bytes).map(|number| Value::Real(number.into())),
        MysqlType::Double => number(bytes, f64::from_ne_bytes).map(|number| {
            let name = field.field_name().unwrap_or_default();
            // A list has at most 65,535 places, a set 64 bits.
            if is_place(name.as_bytes(), was_behind_a_list) { Value::UInt(number as u64) } else { Value::Real(number) }
        }),
        MysqlType::Numeric => text(bytes).map(decimal),
        MysqlType::Date => Moment::of(&value).map(|moment| Value::Date(moment.date())),
        MysqlType::DateTime | MysqlType::Timestamp => {
            Moment::of(&value).map(|moment| Value::DateTime(DateTime { date: moment.date(), time: moment.time() }))
        }
        MysqlType::Time => Moment::of(&value).map(|moment| Value::Time(moment.time())),
        MysqlType::Bit => Some(Value::UInt(bits(bytes))),
        MysqlType::Enum | MysqlType::Set => {
            *is_behind_a_list = true;
            text(bytes).map(|text| Value::Text(text.into()))
        }
        MysqlType::String => text(bytes).map(|text| Value::Text(text.into())),
        _ => None,
    };
    Ok(match (read, value.value_type()) {
        (Some(value), _) => value,
        // The session's results are utf8mb4. Should the server send something else all the same, it is bytes.
        (None, MysqlType::Blob | MysqlType::String) => Value::Blob(bytes.to_owned().into()),
        (None, other) => return Err(unreadable(field.field_name(), other, sql)),
    })
}

fn number<const N: usize, T>(bytes: &[u8], read: impl FnOnce([u8; N]) -> T) -> Option<T> {
    bytes.first_chunk::<N>().map(|bytes| read(*bytes))
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(str::to_owned)
}

fn decimal(text: String) -> Value<'static> {
    match text.split_once('.').map_or(0, |(_, places)| places.len()) {
        places if places > PADDED => quotient(text),
        PADDED => unpadded(text),
        _ => Value::Decimal(text.into()),
    }
}

/// The client library's date or time. Diesel reads it as well, but no time that is negative.
struct Moment<'r>(&'r [u8]);

impl<'r> Moment<'r> {
    fn of(value: &MysqlValue<'r>) -> Option<Self> {
        let bytes = value.as_bytes();
        (bytes.len() > offset_of!(MysqlTime, neg)).then_some(Moment(bytes))
    }

    fn part(&self, at: usize) -> u32 {
        self.0.get(at..).and_then(|bytes| number(bytes, c_uint::from_ne_bytes)).unwrap_or_default()
    }

    // The library's parts of dates and times fit into a byte.
    fn small(&self, at: usize) -> u8 {
        u8::try_from(self.part(at)).unwrap_or(u8::MAX)
    }

    fn date(&self) -> Date {
        Date {
            year: i32::try_from(self.part(offset_of!(MysqlTime, year))).unwrap_or(i32::MAX),
            month: self.small(offset_of!(MysqlTime, month)),
            day: self.small(offset_of!(MysqlTime, day)),
        }
    }

    // Of a time, some libraries leave the days apart, and some make them hours.
    fn time(&self) -> Time {
        let days = if self.part(offset_of!(MysqlTime, year)) == 0 && self.part(offset_of!(MysqlTime, month)) == 0 {
            self.part(offset_of!(MysqlTime, day))
        } else {
            0
        };
        let micros = self.0.get(offset_of!(MysqlTime, second_part)..);
        let micros = micros.and_then(|bytes| number(bytes, c_ulong::from_ne_bytes)).unwrap_or_default();
        Time {
            negative: self.0.get(offset_of!(MysqlTime, neg)).is_some_and(|flag| *flag != 0),
            hour: days.saturating_mul(24).saturating_add(self.part(offset_of!(MysqlTime, hour))),
            minute: self.small(offset_of!(MysqlTime, minute)),
            second: self.small(offset_of!(MysqlTime, second)),
            micros: u32::try_from(micros).unwrap_or(u32::MAX),
        }
    }
}

#[cold]
fn unreadable(column: Option<&str>, of: MysqlType, sql: &str) -> Error {
    let name = column.unwrap_or("?");
    errors::refused(DriverErrorKind::Value, format!("column `{name}` holds what cannot be read as {of:?}"), sql)
}

fn names_of<'r>(row: &impl Row<'r, Mysql>) -> Vec<String> {
    let name = |column| row.get(column).and_then(|field| field.field_name().map(str::to_owned));
    (0..row.field_count()).map(|column| name(column).unwrap_or_default()).collect()
}

// Without an alias, the server names the column of an expression after the expression's text, and that of a string after the string.
fn offer(names: &[String], text: &str, sink: &mut dyn RowSink) -> Result<()> {
    let is_string = |name: &str| text.contains(&format!("'{name}'")) || text.contains(&format!("\"{name}\""));
    let columns = names.iter().map(|name| AnswerColumn { name, is_computed: is_expression(name) || is_string(name) });
    sink.columns(&columns.collect::<Vec<_>>())
}

// Diesel tells names with a row only. So a statement that reads, and found none, is joined to a row that is there always. The
// server refuses that where two columns have one name. Of a statement that writes and returns no row the names stay unknown:
// it cannot run again.
fn offer_of_none(connection: &mut MysqlConnection, query: &DynamicQuery<'_>, sink: &mut dyn RowSink) -> Result<()> {
    if !only_reads(query.sql) {
        return Ok(());
    }
    let text = query.sql.trim_end().trim_end_matches(';');
    let sql = format!("SELECT `answer`.* FROM (SELECT 1) AS `one` LEFT JOIN ({text}\n) AS `answer` ON FALSE");
    let binds = query.binds.iter().map(binds::Sent::borrowed).collect();
    let joined = DynamicQuery { sql: &sql, binds, prepared: Prepared::Once };
    let Ok(mut rows) = LoadConnection::<DefaultLoadingMode>::load(connection, &joined) else { return Ok(()) };
    match rows.next() {
        Some(Ok(row)) => offer(&names_of(&row), query.sql, sink),
        _ => Ok(()),
    }
}
