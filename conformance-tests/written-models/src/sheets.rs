//! A sheet with a column of every type, filled from outside of the program.

use assoc_core::Result;
use assoc_core::{DecodeError, SqlType};
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cents(pub i64);

/// An enum of the program as a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Small,
    Large,
}

impl assoc_core::ColumnType for Size {
    const SQL_TYPE: SqlType = SqlType::Text;

    fn from_value(value: &mut Value<'_>) -> std::result::Result<Self, DecodeError> {
        match value {
            Value::Text(text) if text == "small" => Ok(Size::Small),
            Value::Text(text) if text == "large" => Ok(Size::Large),
            other => Err(DecodeError::new("one of: small, large", other)),
        }
    }

    fn to_value(&self) -> Value<'_> {
        Value::from(match self {
            Size::Small => "small",
            Size::Large => "large",
        })
    }
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "sheets")]
pub struct Sheet {
    pub id: i64,
    pub tiny: i8,
    pub short: i16,
    pub int: i32,
    pub big: i64,
    pub byte: u8,
    pub word: u16,
    pub long: u32,
    pub huge: u64,
    pub single: f32,
    pub double: f64,
    pub flag: bool,
    #[column(length = 40)]
    pub text: String,
    pub bytes: Vec<u8>,
    pub uuid: uuid::Uuid,
    #[column(precision = 20, scale = 6)]
    pub decimal: rust_decimal::Decimal,
    pub json: serde_json::Value,
    pub day: chrono::NaiveDate,
    pub clock: chrono::NaiveTime,
    pub moment: chrono::NaiveDateTime,
    pub instant: chrono::DateTime<chrono::Utc>,
    pub jiff_day: jiff::civil::Date,
    pub jiff_instant: jiff::Timestamp,
    pub time_day: time::Date,
    pub time_moment: time::PrimitiveDateTime,
    pub cents: Cents,
    #[column(length = 10)]
    pub size: Size,
    pub maybe_int: Option<i32>,
    #[column(length = 40)]
    pub maybe_text: Option<String>,
    pub maybe_flag: Option<bool>,
    #[column(precision = 20, scale = 1)]
    pub maybe_decimal: Option<rust_decimal::Decimal>,
    pub maybe_day: Option<chrono::NaiveDate>,
    pub maybe_uuid: Option<uuid::Uuid>,
    pub maybe_json: Option<serde_json::Value>,
    pub maybe_bytes: Option<Vec<u8>>,
}

/// All columns but the key.
pub fn permit_all() -> Permit<Sheet> {
    permit!(Sheet {
        tiny,
        short,
        int,
        big,
        byte,
        word,
        long,
        huge,
        single,
        double,
        flag,
        text,
        bytes,
        uuid,
        decimal,
        json,
        day,
        clock,
        moment,
        instant,
        jiff_day,
        jiff_instant,
        time_day,
        time_moment,
        cents,
        size,
        maybe_int,
        maybe_text,
        maybe_flag,
        maybe_decimal,
        maybe_day,
        maybe_uuid,
        maybe_json,
        maybe_bytes,
    })
}

/// Makes the table.
pub async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Sheet>().await
}
