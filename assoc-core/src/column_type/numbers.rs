//! Integers, floats and booleans.

use super::{ColumnType, SqlType};
use crate::error::DecodeError;
use crate::value::Value;

macro_rules! integer {
    ($($type:ty, $sql:expr, $expected:literal;)*) => {$(
        impl ColumnType for $type {
            const SQL_TYPE: SqlType = $sql;

            #[inline]
            fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
                match value {
                    Value::Int(number) => <$type>::try_from(*number).ok(),
                    Value::UInt(number) => <$type>::try_from(*number).ok(),
                    Value::Bool(flag) => Some(<$type>::from(*flag)),
                    // COUNT, SUM and division answer in the widest type a database has.
                    Value::Decimal(text) => text.parse().ok(),
                    _ => None,
                }
                .ok_or_else(|| DecodeError::new($expected, value))
            }

            #[inline]
            #[allow(clippy::cast_lossless)]
            fn to_value(&self) -> Value<'_> {
                i64::try_from(*self).map_or(Value::UInt(*self as u64), Value::Int)
            }
        }
    )*};
}

integer! {
    i8, SqlType::Int(8), "an 8-bit integer";
    i16, SqlType::Int(16), "a 16-bit integer";
    i32, SqlType::Int(32), "a 32-bit integer";
    i64, SqlType::Int(64), "a 64-bit integer";
    u8, SqlType::UInt(8), "an unsigned 8-bit integer";
    u16, SqlType::UInt(16), "an unsigned 16-bit integer";
    u32, SqlType::UInt(32), "an unsigned 32-bit integer";
    u64, SqlType::UInt(64), "an unsigned 64-bit integer";
}

impl ColumnType for bool {
    const SQL_TYPE: SqlType = SqlType::Bool;

    #[inline]
    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Bool(flag) => Ok(*flag),
            Value::Int(0) | Value::UInt(0) => Ok(false),
            Value::Int(1) | Value::UInt(1) => Ok(true),
            other => Err(DecodeError::new("a boolean", other)),
        }
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Bool(*self)
    }
}

impl ColumnType for f64 {
    const SQL_TYPE: SqlType = SqlType::Real(64);

    #[inline]
    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Real(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            Value::UInt(number) => Some(*number as f64),
            Value::Decimal(text) => text.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| DecodeError::new("a floating point number", value))
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Real(*self)
    }
}

impl ColumnType for f32 {
    const SQL_TYPE: SqlType = SqlType::Real(32);

    #[inline]
    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        f64::from_value(value).map(|number| number as f32)
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Real(f64::from(*self))
    }
}
