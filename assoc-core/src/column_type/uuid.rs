//! `uuid::Uuid`.

use ::uuid::Uuid;

use super::{ColumnType, SqlType};
use crate::error::DecodeError;
use crate::value::{Value, parse_uuid};

impl ColumnType for Uuid {
    const SQL_TYPE: SqlType = SqlType::Uuid;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Uuid(bytes) => Some(*bytes),
            Value::Blob(bytes) => <[u8; 16]>::try_from(bytes.as_ref()).ok(),
            Value::Text(text) => parse_uuid(text),
            _ => None,
        }
        .map(Uuid::from_bytes)
        .ok_or_else(|| DecodeError::new("a UUID", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Uuid(*self.as_bytes())
    }
}
