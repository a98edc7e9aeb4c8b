//! The rows of an answer, on their way from Diesel to the reader.

use assoc_core::driver::{AnswerColumn, RowSink};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use assoc_dialects::postgres::binary::{Kind, decode};
use assoc_dialects::{Verb, mentions};
use diesel::connection::{DefaultLoadingMode, LoadConnection};
use diesel::pg::{Pg, PgConnection};
use diesel::row::{Field, Row};

use super::types::Types;
use super::{DynamicQuery, failed};
use crate::dynamic_query::Prepared;
use crate::errors;

/// Pushes the rows of a query into the sink.
pub(super) fn read(
    connection: &mut PgConnection,
    query: &DynamicQuery<'_>,
    sink: &mut dyn RowSink,
    types: &Types,
) -> Result<()> {
    let failed = |error| failed(error, query.sql);
    let mut is_empty = true;
    // A type is known with a value only, and NULL is none.
    let mut kinds: Vec<Option<Kind>> = Vec::new();
    // Diesel has all rows, and so the connection is free for another question.
    for row in LoadConnection::<DefaultLoadingMode>::load(connection, query).map_err(failed)? {
        let row = row.map_err(failed)?;
        if is_empty {
            kinds.resize(row.field_count(), None);
            if sink.wants_columns() {
                offer(&row, query.sql, sink)?;
            }
        }
        is_empty = false;
        let fields: Vec<_> = (0..row.field_count()).filter_map(|column| row.get(column)).collect();
        let mut values = Vec::with_capacity(fields.len());
        for (field, kind) in fields.iter().zip(&mut kinds) {
            values.push(value_of(field, kind, connection, types, query.sql)?);
        }
        sink.row(&mut values)?;
    }
    if is_empty && sink.wants_columns() {
        offer_of_none(connection, query, sink)?;
    }
    Ok(())
}

fn value_of<'f, 'r>(
    field: &'f impl Field<'r, Pg>,
    kind: &mut Option<Kind>,
    connection: &mut PgConnection,
    types: &Types,
    sql: &str,
) -> Result<Value<'f>> {
    let Some(value) = field.value() else { return Ok(Value::Null) };
    let kind = match kind {
        Some(kind) => kind,
        None => kind.insert(types.kind(value.get_oid().get(), connection)?),
    };
    decode(value.as_bytes(), kind).ok_or_else(|| unreadable(field.field_name(), kind, sql))
}

#[cold]
fn unreadable(column: Option<&str>, kind: &Kind, sql: &str) -> Error {
    let name = column.unwrap_or("?");
    let message = match kind {
        Kind::Unknown(own) => {
            format!("column `{name}` has the type {own}, which no value has: cast it to text in the statement")
        }
        kind => format!("column `{name}` holds what cannot be read as {kind:?}"),
    };
    errors::refused(DriverErrorKind::Value, message, sql)
}

// Diesel does not tell which columns are computed. Without a name of its own, what a function answers has the function's name.
fn offer<'r>(row: &impl Row<'r, Pg>, text: &str, sink: &mut dyn RowSink) -> Result<()> {
    let name = |column| row.get(column).and_then(|field| field.field_name().map(str::to_owned));
    let names: Vec<String> = (0..row.field_count()).map(|column| name(column).unwrap_or_default()).collect();
    let columns = names.iter().map(|name| AnswerColumn { name, is_computed: is_computed(name, text) });
    sink.columns(&columns.collect::<Vec<_>>())
}

fn is_computed(name: &str, text: &str) -> bool {
    name == "?column?" || mentions(text, &format!("{name}("))
}

// Diesel tells names with a row only. So a statement that reads, and found none, is joined to a row that is there always. Of
// a statement that writes and returns no row the names stay unknown: it cannot run again.
fn offer_of_none(connection: &mut PgConnection, query: &DynamicQuery<'_>, sink: &mut dyn RowSink) -> Result<()> {
    let writes = || ["INSERT", "UPDATE", "DELETE", "MERGE"].iter().any(|word| mentions(query.sql, word));
    match Verb::of(query.sql) {
        Verb::Read => {}
        Verb::With if !writes() => {}
        _ => return Ok(()),
    }
    let text = query.sql.trim_end().trim_end_matches(';');
    let sql = format!("SELECT \"answer\".* FROM (SELECT 1) AS \"one\" LEFT JOIN ({text}\n) AS \"answer\" ON FALSE");
    let binds = query.binds.iter().map(super::binds::Wire::again).collect();
    let joined = DynamicQuery { sql: &sql, binds, prepared: Prepared::Once };
    let mut rows =
        LoadConnection::<DefaultLoadingMode>::load(connection, &joined).map_err(|error| failed(error, &sql))?;
    match rows.next() {
        Some(row) => offer(&row.map_err(|error| failed(error, &sql))?, query.sql, sink),
        None => Ok(()),
    }
}
