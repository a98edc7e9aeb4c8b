//! A sheet with a column of every type, filled from outside of the program.

use assoc_core::Result;
use assoc_core::{DecodeError, SqlType};
use assoc_repo::Repo;
use assoc_repo::prelude::*;

#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cents(pub(crate) i64);

/// An enum of the program as a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
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
pub(crate) struct Sheet {
    pub(crate) id: i64,
    pub(crate) tiny: i8,
    pub(crate) short: i16,
    pub(crate) int: i32,
    pub(crate) big: i64,
    pub(crate) byte: u8,
    pub(crate) word: u16,
    pub(crate) long: u32,
    pub(crate) huge: u64,
    pub(crate) single: f32,
    pub(crate) double: f64,
    pub(crate) flag: bool,
    #[column(length = 40)]
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) uuid: uuid::Uuid,
    #[column(precision = 20, scale = 6)]
    pub(crate) decimal: rust_decimal::Decimal,
    pub(crate) json: serde_json::Value,
    pub(crate) day: chrono::NaiveDate,
    pub(crate) clock: chrono::NaiveTime,
    pub(crate) moment: chrono::NaiveDateTime,
    pub(crate) instant: chrono::DateTime<chrono::Utc>,
    pub(crate) jiff_day: jiff::civil::Date,
    pub(crate) jiff_instant: jiff::Timestamp,
    pub(crate) time_day: time::Date,
    pub(crate) time_moment: time::PrimitiveDateTime,
    pub(crate) cents: Cents,
    #[column(length = 10)]
    pub(crate) size: Size,
    pub(crate) maybe_int: Option<i32>,
    #[column(length = 40)]
    pub(crate) maybe_text: Option<String>,
    pub(crate) maybe_flag: Option<bool>,
    #[column(precision = 20, scale = 1)]
    pub(crate) maybe_decimal: Option<rust_decimal::Decimal>,
    pub(crate) maybe_day: Option<chrono::NaiveDate>,
    pub(crate) maybe_uuid: Option<uuid::Uuid>,
    pub(crate) maybe_json: Option<serde_json::Value>,
    pub(crate) maybe_bytes: Option<Vec<u8>>,
}

/// All columns but the key.
pub(crate) fn permit_all() -> Permit<Sheet> {
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
pub(crate) async fn tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Sheet>().await
}
