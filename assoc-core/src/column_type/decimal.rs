//! `rust_decimal::Decimal`, stored as exact text or in the database's decimal type.

use ::rust_decimal::Decimal;

use super::{ColumnType, SqlType};
use crate::error::DecodeError;
use crate::value::Value;
use crate::value::decimal::DecimalNumber;

impl ColumnType for Decimal {
    const SQL_TYPE: SqlType = SqlType::Decimal;

    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Decimal(text) | Value::Text(text) => exactly(text),
            Value::Int(number) => Some(Decimal::from(*number)),
            Value::UInt(number) => Some(Decimal::from(*number)),
            // The decimal that no other float is nearer to: `0.1` where a column of floats was given 0.1.
            Value::Real(number) => DecimalNumber::of_real(*number).and_then(|number| exactly(&number.to_string())),
            _ => None,
        }
        .ok_or_else(|| DecodeError::new("a decimal number", value))
    }

    fn to_value(&self) -> Value<'_> {
        // There is one zero: a database would give a negative one back as what it is not.
        let unsigned = if self.is_zero() { self.abs() } else { *self };
        Value::Decimal(unsigned.to_string().into())
    }
}

// With the decimal places it is written with where they fit; never rounded.
fn exactly(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok().or_else(|| {
        let number = DecimalNumber::parse(text)?;
        Decimal::from_str_exact(&number.to_string()).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_exactly_or_not_at_all() {
        let read = |text: &str| Decimal::from_value(&mut Value::Text(text.into())).ok().map(|read| read.to_string());
        for text in ["9.50", "0.00", "-0.0000000000000000000000000001", "79228162514264337593543950335"] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
        assert_eq!(read("9.500000000000000000000000000000000").as_deref(), Some("9.5"));
        assert_eq!(read(" 1e3").as_deref(), Some("1000"));
        for text in ["0.00000000000000000000000000001", "79228162514264337593543950336", "1e29", "", "abc", "inf"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn floats_and_zeros() {
        let read = |number: f64| Decimal::from_value(&mut Value::Real(number)).ok().map(|read| read.to_string());
        assert_eq!(read(0.1).as_deref(), Some("0.1"));
        assert_eq!(read(1e22).as_deref(), Some("10000000000000000000000"));
        assert_eq!((read(1e300), read(f64::NAN)), (None, None));
        assert_eq!(Decimal::new(-0, 2).to_value(), Value::Decimal("0.00".into()));
        let mut negative = Decimal::new(0, 2);
        negative.set_sign_negative(true);
        assert_eq!(negative.to_value(), Value::Decimal("0.00".into()));
    }
}
