//! `serde_json::Value`.

use super::{ColumnType, SqlType};
use crate::error::DecodeError;
use crate::value::Value;

impl ColumnType for ::serde_json::Value {
    const SQL_TYPE: SqlType = SqlType::Json;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Json(text) | Value::Text(text) => ::serde_json::from_str(text).ok(),
            Value::Blob(bytes) => ::serde_json::from_slice(bytes).ok(),
            _ => None,
        }
        .ok_or_else(|| DecodeError::new("JSON", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Json(self.to_string().into())
    }
}
