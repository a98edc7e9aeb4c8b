//! Values into binds: the bytes of PostgreSQL's binary format, and the type that they are of.

use assoc_core::driver::{Bind, BindList};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use assoc_dialects::postgres::binary;
use diesel::pg::{Pg, PgMetadataLookup, PgTypeMetadata};
use diesel::query_builder::AstPass;
use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::HasSqlType;

use crate::dynamic_query::Bound;
use crate::errors;

/// A type by its number.
#[derive(Debug)]
struct Oid<const NUMBER: u32>;

impl<const NUMBER: u32> HasSqlType<Oid<NUMBER>> for Pg {
    fn metadata(_: &mut (dyn PgMetadataLookup + 'static)) -> PgTypeMetadata {
        PgTypeMetadata::new(NUMBER, 0)
    }
}

/// A value as it is sent. `None` is NULL.
#[derive(Debug)]
struct Bytes(Option<Vec<u8>>);

impl<const NUMBER: u32> ToSql<Oid<NUMBER>, Pg> for Bytes {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        match &self.0 {
            None => Ok(IsNull::Yes),
            Some(bytes) => {
                std::io::Write::write_all(out, bytes)?;
                Ok(IsNull::No)
            }
        }
    }
}

/// The types that values have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    /// The one that the server finds for the placeholder. The bytes are a text, or what `bytea` holds.
    Found,
    Bool,
    Bytea,
    Int8,
    Oid,
    Text,
    Float8,
    Date,
    Time,
    Timestamp,
    Numeric,
    Uuid,
    Jsonb,
}

impl Type {
    /// The number of the type, where an array has to name it.
    fn number(self) -> u32 {
        match self {
            Type::Found => 0,
            Type::Bool => 16,
            Type::Bytea => 17,
            Type::Int8 => 20,
            Type::Oid => 26,
            Type::Text => 25,
            Type::Float8 => 701,
            Type::Date => 1082,
            Type::Time => 1083,
            Type::Timestamp => 1114,
            Type::Numeric => 1700,
            Type::Uuid => 2950,
            Type::Jsonb => 3802,
        }
    }
}

/// A bind with its type.
#[derive(Debug)]
pub(crate) struct Wire {
    element: Type,
    is_array: bool,
    bytes: Bytes,
}

impl Bound<Pg> for Wire {
    fn push<'b>(&'b self, pass: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let bytes = &self.bytes;
        match (self.element, self.is_array) {
            (Type::Found, _) => pass.push_bind_param_value_only::<Oid<0>, _>(bytes),
            (Type::Bool, false) => pass.push_bind_param_value_only::<Oid<16>, _>(bytes),
            (Type::Bytea, false) => pass.push_bind_param_value_only::<Oid<17>, _>(bytes),
            (Type::Int8, false) => pass.push_bind_param_value_only::<Oid<20>, _>(bytes),
            (Type::Oid, false) => pass.push_bind_param_value_only::<Oid<26>, _>(bytes),
            (Type::Text, false) => pass.push_bind_param_value_only::<Oid<25>, _>(bytes),
            (Type::Float8, false) => pass.push_bind_param_value_only::<Oid<701>, _>(bytes),
            (Type::Date, false) => pass.push_bind_param_value_only::<Oid<1082>, _>(bytes),
            (Type::Time, false) => pass.push_bind_param_value_only::<Oid<1083>, _>(bytes),
            (Type::Timestamp, false) => pass.push_bind_param_value_only::<Oid<1114>, _>(bytes),
            (Type::Numeric, false) => pass.push_bind_param_value_only::<Oid<1700>, _>(bytes),
            (Type::Uuid, false) => pass.push_bind_param_value_only::<Oid<2950>, _>(bytes),
            (Type::Jsonb, false) => pass.push_bind_param_value_only::<Oid<3802>, _>(bytes),
            (Type::Bool, true) => pass.push_bind_param_value_only::<Oid<1000>, _>(bytes),
            (Type::Bytea, true) => pass.push_bind_param_value_only::<Oid<1001>, _>(bytes),
            (Type::Int8, true) => pass.push_bind_param_value_only::<Oid<1016>, _>(bytes),
            (Type::Oid, true) => pass.push_bind_param_value_only::<Oid<1028>, _>(bytes),
            (Type::Text, true) => pass.push_bind_param_value_only::<Oid<1009>, _>(bytes),
            (Type::Float8, true) => pass.push_bind_param_value_only::<Oid<1022>, _>(bytes),
            (Type::Date, true) => pass.push_bind_param_value_only::<Oid<1182>, _>(bytes),
            (Type::Time, true) => pass.push_bind_param_value_only::<Oid<1183>, _>(bytes),
            (Type::Timestamp, true) => pass.push_bind_param_value_only::<Oid<1115>, _>(bytes),
            (Type::Numeric, true) => pass.push_bind_param_value_only::<Oid<1231>, _>(bytes),
            (Type::Uuid, true) => pass.push_bind_param_value_only::<Oid<2951>, _>(bytes),
            (Type::Jsonb, true) => pass.push_bind_param_value_only::<Oid<3807>, _>(bytes),
        }
    }
}

impl Wire {
    /// The same, for another statement.
    pub(super) fn again(&self) -> Wire {
        Wire { element: self.element, is_array: self.is_array, bytes: Bytes(self.bytes.0.clone()) }
    }
}

/// The number of a type.
pub(super) fn number(number: u32) -> Wire {
    Wire { element: Type::Oid, is_array: false, bytes: Bytes(Some(number.to_be_bytes().to_vec())) }
}

/// A bind of the core's as it is sent.
pub(super) fn wire(bind: &Bind, sql: &str) -> Result<Wire> {
    match bind {
        Bind::Value(value) => {
            let (element, bytes) = encode(value, sql)?;
            Ok(Wire { element, is_array: false, bytes: Bytes(bytes) })
        }
        Bind::List(BindList::Ints(ints)) => {
            let elements: Vec<_> = ints.iter().map(|number| Some(number.to_be_bytes().to_vec())).collect();
            array(Type::Int8, &elements, sql)
        }
        Bind::List(BindList::Values(values)) => {
            let encoded = values.iter().map(|value| encode(value, sql)).collect::<Result<Vec<_>>>()?;
            let mut element = match values.iter().find(|value| !value.is_null()) {
                None | Some(Value::Text(_)) => Type::Text,
                Some(Value::Blob(_)) => Type::Bytea,
                Some(_) => {
                    encoded.iter().map(|(kind, _)| *kind).find(|kind| *kind != Type::Found).unwrap_or(Type::Text)
                }
            };
            // Large unsigned integers are decimals, and the smaller ones beside them too.
            let has_decimals = encoded.iter().any(|(kind, _)| *kind == Type::Numeric);
            if element != Type::Numeric && has_decimals {
                element = Type::Numeric;
                let decimals = values.iter().map(|value| Ok(binary::numeric_bytes(&value.to_string())));
                return array(element, &decimals.collect::<Result<Vec<_>>>()?, sql);
            }
            let elements: Vec<_> = encoded.into_iter().map(|(_, bytes)| bytes).collect();
            array(element, &elements, sql)
        }
        other => Err(errors::refused(DriverErrorKind::Statement, format!("PostgreSQL cannot bind {other:?}"), sql)),
    }
}

/// The type of a value and its bytes.
fn encode(value: &Value<'_>, sql: &str) -> Result<(Type, Option<Vec<u8>>)> {
    let bound = |kind, bytes: &[u8]| Ok((kind, Some(bytes.to_vec())));
    let dated = |kind, bytes: Option<&[u8]>| match bytes {
        Some(bytes) => bound(kind, bytes),
        None => Err(unrepresentable(value, "PostgreSQL has no such date or time", sql)),
    };
    match value {
        Value::Text(text) | Value::Json(text) if text.contains('\0') => {
            Err(unrepresentable(value, "PostgreSQL has no NUL in a text", sql))
        }
        Value::Date(_) | Value::DateTime(_) if value.is_zero_date() => {
            Err(unrepresentable(value, "it is no date", sql))
        }
        Value::Null => Ok((Type::Found, None)),
        Value::Bool(flag) => bound(Type::Bool, &[u8::from(*flag)]),
        Value::Int(number) => bound(Type::Int8, &number.to_be_bytes()),
        Value::UInt(number) => match i64::try_from(*number) {
            Ok(number) => bound(Type::Int8, &number.to_be_bytes()),
            Err(_) => Ok((Type::Numeric, binary::numeric_bytes(&number.to_string()))),
        },
        Value::Real(number) => bound(Type::Float8, &number.to_be_bytes()),
        Value::Text(text) => bound(Type::Found, text.as_bytes()),
        Value::Blob(bytes) => bound(Type::Found, bytes),
        Value::Decimal(text) => match binary::numeric_bytes(text) {
            Some(bytes) => Ok((Type::Numeric, Some(bytes))),
            None => Err(unrepresentable(value, "it is no number that PostgreSQL has", sql)),
        },
        // The number of the format stands before the text.
        Value::Json(text) => Ok((Type::Jsonb, Some([&[1], text.as_bytes()].concat()))),
        Value::Uuid(bytes) => bound(Type::Uuid, bytes),
        Value::Date(date) => dated(Type::Date, binary::date(*date).as_ref().map(|bytes| &bytes[..])),
        Value::Time(time) => dated(Type::Time, binary::time(*time).as_ref().map(|bytes| &bytes[..])),
        Value::DateTime(at) => dated(Type::Timestamp, binary::date_time(*at).as_ref().map(|bytes| &bytes[..])),
        _ => Err(unrepresentable(value, "PostgreSQL has nothing like it", sql)),
    }
}

/// An array: the number of dimensions, whether there are `NULL`s, the type; of the dimension its length and its first index; then
/// the elements, each behind its length.
fn array(element: Type, elements: &[Option<Vec<u8>>], sql: &str) -> Result<Wire> {
    let too_long = |_| errors::refused(DriverErrorKind::TooLarge, "PostgreSQL has no array of this length", sql);
    let has_nulls = elements.iter().any(Option::is_none);
    let mut bytes = Vec::with_capacity(20 + elements.len() * 12);
    bytes.extend(i32::from(!elements.is_empty()).to_be_bytes());
    bytes.extend(i32::from(has_nulls).to_be_bytes());
    bytes.extend(element.number().to_be_bytes());
    if !elements.is_empty() {
        bytes.extend(i32::try_from(elements.len()).map_err(too_long)?.to_be_bytes());
        bytes.extend(1_i32.to_be_bytes());
    }
    for own in elements {
        match own {
            None => bytes.extend((-1_i32).to_be_bytes()),
            Some(own) => {
                bytes.extend(i32::try_from(own.len()).map_err(too_long)?.to_be_bytes());
                bytes.extend(own);
            }
        }
    }
    Ok(Wire { element, is_array: true, bytes: Bytes(Some(bytes)) })
}

#[cold]
fn unrepresentable(value: &Value<'_>, why: &str, sql: &str) -> Error {
    errors::refused(DriverErrorKind::Value, format!("{} cannot be bound: {why}", value.kind()), sql)
}
