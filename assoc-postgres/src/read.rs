//! Columns into values.

use std::error::Error as StdError;

use assoc_core::{DriverErrorKind, Error, Result, Value};
use assoc_dialects::postgres::binary::{Kind, decode};
use tokio_postgres::types::{FromSql, Kind as TypeKind, Type};
use tokio_postgres::{Column, Row};

use crate::error;

pub(crate) fn of_column(column: &Column) -> Kind {
    match of(column.type_()) {
        Kind::Numeric if column.table_oid().is_none() => Kind::Quotient,
        kind => kind,
    }
}

/// How the values of a type are read.
pub(crate) fn of(kind: &Type) -> Kind {
    match *kind {
        Type::BOOL => Kind::Bool,
        Type::INT2 => Kind::Int(2),
        Type::INT4 => Kind::Int(4),
        Type::INT8 => Kind::Int(8),
        Type::OID => Kind::Oid,
        Type::FLOAT4 => Kind::Real(4),
        Type::FLOAT8 => Kind::Real(8),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR | Type::UNKNOWN | Type::XML => Kind::Text,
        Type::BYTEA => Kind::Bytes,
        Type::UUID => Kind::Uuid,
        Type::JSON => Kind::Json,
        Type::JSONB => Kind::JsonB,
        Type::NUMERIC => Kind::Numeric,
        Type::DATE => Kind::Date,
        Type::TIME => Kind::Time,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => Kind::DateTime,
        // A function without an answer: NULL.
        Type::VOID => Kind::Text,
        _ => match kind.kind() {
            TypeKind::Enum(_) => Kind::Text,
            TypeKind::Domain(inner) => of(inner),
            TypeKind::Array(element) => match of(element) {
                Kind::Unknown(_) => Kind::Unknown(kind.to_string()),
                element => Kind::Array(Box::new(element)),
            },
            _ if kind.name() == "citext" => Kind::Text,
            _ => Kind::Unknown(kind.to_string()),
        },
    }
}

/// Appends the columns of a row. The kinds that most columns have are written where they stay: moving a value costs as much
/// as reading it.
pub(crate) fn append<'r>(values: &mut Vec<Value<'r>>, row: &'r Row, kinds: &[Kind], sql: &str) -> Result<()> {
    for (at, kind) in kinds.iter().enumerate() {
        match (row.try_get::<_, Option<Raw<'r>>>(at), kind) {
            (Ok(None), _) => values.push(Value::Null),
            (Ok(Some(Raw(bytes))), Kind::Int(8)) if bytes.len() == 8 => {
                let mut number = [0; 8];
                number.copy_from_slice(bytes);
                values.push(Value::Int(i64::from_be_bytes(number)));
            }
            (Ok(Some(Raw(bytes))), Kind::Text) => match std::str::from_utf8(bytes) {
                Ok(text) => values.push(Value::Text(text.into())),
                Err(_) => values.push(value(row, at, kind, sql)?),
            },
            _ => values.push(value(row, at, kind, sql)?),
        }
    }
    Ok(())
}

/// A column of a row.
fn value<'r>(row: &'r Row, at: usize, kind: &Kind, sql: &str) -> Result<Value<'r>> {
    let failed = |what: String| -> Error {
        let name = row.columns().get(at).map_or("?", |column| column.name());
        error::refused(DriverErrorKind::Value, format!("column `{name}` {what}"), sql)
    };
    let raw: Option<Raw<'r>> = row.try_get(at).map_err(|error| failed(format!("cannot be read: {error}")))?;
    let Some(Raw(bytes)) = raw else { return Ok(Value::Null) };
    if let Kind::Unknown(name) = kind {
        return Err(failed(format!("has the type {name}, which no value has: cast it to text in the statement")));
    }
    decode(bytes, kind).ok_or_else(|| failed(format!("holds what cannot be read as {kind:?}")))
}

struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> std::result::Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Raw(raw))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
