//! `rust_decimal::Decimal`, stored as exact text or the database's own decimal type.

use ::rust_decimal::Decimal;

use super::{ColumnType, SqlType};
use crate::error::Mismatch;
use crate::value::Value;

impl ColumnType for Decimal {
    const SQL_TYPE: SqlType = SqlType::Decimal;

    fn from_value(value: &mut Value<'_>) -> Result<Self, Mismatch> {
        match value {
            Value::Decimal(text) | Value::Text(text) => text.parse().ok(),
            Value::Int(number) => Some(Decimal::from(*number)),
            Value::UInt(number) => Some(Decimal::from(*number)),
            Value::Real(number) => Decimal::try_from(*number).ok(),
            _ => None,
        }
        .ok_or_else(|| Mismatch::new("a decimal number", value))
    }

    fn to_value(&self) -> Value<'_> {
        Value::Decimal(self.to_string().into())
    }
}
