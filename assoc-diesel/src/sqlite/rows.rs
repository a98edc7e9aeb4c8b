//! The rows of an answer, on their way from Diesel to the reader.

use std::borrow::Cow;

use assoc_core::driver::{AnswerColumn, RowSink};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use assoc_dialects::Verb;
use assoc_dialects::sqlite::is_expression;
use diesel::connection::{DefaultLoadingMode, LoadConnection};
use diesel::deserialize::FromSql;
use diesel::row::{Field, Row};
use diesel::sql_types::Text;
use diesel::sqlite::{Sqlite, SqliteConnection, SqliteType};

use super::binds::Stored;
use super::{DynamicQuery, failed};
use crate::dynamic_query::Prepared;
use crate::errors;

/// Pushes the rows of a query into the sink.
///
/// Text and bytes are copied out of Diesel's row, because they would be borrowed from three objects per column there, all kept for
/// the time of the row. A reader that wants a `String` takes the copy.
pub(super) fn read(connection: &mut SqliteConnection, query: &DynamicQuery<'_>, sink: &mut dyn RowSink) -> Result<()> {
    let failed = |error| failed(error, query.sql);
    let mut is_empty = true;
    let mut values: Vec<Value<'static>> = Vec::new();
    for row in LoadConnection::<DefaultLoadingMode>::load(connection, query).map_err(failed)? {
        let row = row.map_err(failed)?;
        if is_empty && sink.wants_columns() {
            offer(&names_of(&row), sink)?;
        }
        is_empty = false;
        values.clear();
        values.reserve(row.field_count());
        for column in 0..row.field_count() {
            let Some(field) = row.get(column) else { continue };
            values.push(value_of(&field, query.sql)?);
        }
        sink.row(&mut values)?;
    }
    if is_empty && sink.wants_columns() {
        offer_of_none(connection, query, sink)?;
    }
    Ok(())
}

/// Runs a query to its last row.
pub(super) fn pass_over(connection: &mut SqliteConnection, query: &DynamicQuery<'_>) -> Result<()> {
    let failed = |error| failed(error, query.sql);
    let mut rows = LoadConnection::<DefaultLoadingMode>::load(connection, query).map_err(failed)?;
    rows.try_for_each(|row| row.map(drop)).map_err(failed)
}

fn value_of<'r>(field: &impl Field<'r, Sqlite>, sql: &str) -> Result<Value<'static>> {
    let Some(mut value) = field.value() else { return Ok(Value::Null) };
    Ok(match value.value_type() {
        None => Value::Null,
        Some(SqliteType::Text) => {
            let text = <String as FromSql<Text, Sqlite>>::from_sql(value);
            Value::Text(Cow::Owned(text.map_err(|error| not_utf8(field.field_name(), &*error, sql))?))
        }
        Some(SqliteType::Binary) => Value::Blob(Cow::Owned(value.read_blob().to_vec())),
        Some(SqliteType::Double | SqliteType::Float) => Value::Real(value.read_double()),
        Some(_) => Value::Int(value.read_long()),
    })
}

#[cold]
fn not_utf8(column: Option<&str>, error: &dyn std::error::Error, sql: &str) -> Error {
    let name = column.unwrap_or("?");
    let message =
        format!("column `{name}` holds text that is not UTF-8 ({error}): read it as bytes (`CAST(… AS BLOB)`)");
    errors::refused(DriverErrorKind::Value, message, sql)
}

fn names_of<'r>(row: &impl Row<'r, Sqlite>) -> Vec<String> {
    let name = |column| row.get(column).and_then(|field| field.field_name().map(str::to_owned));
    (0..row.field_count()).map(|column| name(column).unwrap_or_default()).collect()
}

fn offer(names: &[impl AsRef<str>], sink: &mut dyn RowSink) -> Result<()> {
    let columns =
        names.iter().map(|name| AnswerColumn { name: name.as_ref(), is_computed: is_expression(name.as_ref()) });
    sink.columns(&columns.collect::<Vec<_>>())
}

// Diesel tells names with a row only. So a statement that reads, and found none, is joined to a row that is there always. Of
// a statement that writes and returns no row the names stay unknown: it cannot run again.
fn offer_of_none(connection: &mut SqliteConnection, query: &DynamicQuery<'_>, sink: &mut dyn RowSink) -> Result<()> {
    if !matches!(Verb::of(query.sql), Verb::Read | Verb::With) {
        return Ok(());
    }
    let text = query.sql.trim_end().trim_end_matches(';');
    let sql = format!("SELECT answer.* FROM (SELECT 1) LEFT JOIN ({text}\n) AS answer ON 0");
    let binds = query.binds.iter().map(Stored::borrowed).collect();
    let joined = DynamicQuery { sql: &sql, binds, prepared: Prepared::Once };
    // `WITH … INSERT` is no query that can be joined.
    let Ok(mut rows) = LoadConnection::<DefaultLoadingMode>::load(connection, &joined) else { return Ok(()) };
    let Some(Ok(row)) = rows.next() else { return Ok(()) };
    let names = names_of(&row);
    offer(&names.iter().map(|name| as_selected(name, &names)).collect::<Vec<_>>(), sink)
}

// SQLite calls the second column `id` of a derived table `id:1`.
fn as_selected<'n>(name: &'n str, all: &[String]) -> &'n str {
    match name.rsplit_once(':') {
        Some((first, number))
            if number.bytes().all(|byte| byte.is_ascii_digit()) && all.iter().any(|other| other == first) =>
        {
            first
        }
        _ => name,
    }
}
