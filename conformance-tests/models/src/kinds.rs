//! One model with a column of every kind.

use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "samples")]
pub struct Sample {
    pub id: i64,
    pub tiny: i8,
    pub small: i16,
    pub medium: i32,
    pub big: i64,
    pub byte: u8,
    pub word: u16,
    pub long: u32,
    pub real: f64,
    pub single: f32,
    pub flag: bool,
    pub text: String,
    pub bytes: Vec<u8>,
    pub maybe_number: Option<i64>,
    pub maybe_flag: Option<bool>,
    pub maybe_text: Option<String>,
    pub maybe_bytes: Option<Vec<u8>>,
    #[column(name = "order")]
    pub reserved_word: i64,
}

/// Columns of the types that features add.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "moments", primary_key = "id", auto_increment = false)]
pub struct Moment {
    pub id: uuid::Uuid,
    pub day: chrono::NaiveDate,
    pub clock: chrono::NaiveTime,
    pub local: chrono::NaiveDateTime,
    pub instant: chrono::DateTime<chrono::Utc>,
    pub time_instant: time::OffsetDateTime,
    pub jiff_instant: jiff::Timestamp,
    pub amount: rust_decimal::Decimal,
    pub document: serde_json::Value,
    pub maybe_day: Option<chrono::NaiveDate>,
    pub parent_id: Option<uuid::Uuid>,
    #[belongs_to]
    pub parent: BelongsTo<Option<Moment>>,
    #[has_many(foreign_key = "parent_id")]
    pub children: HasMany<Moment>,
}

/// Columns whose values have bounds.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "extremes")]
pub struct Extreme {
    pub id: i64,
    pub whole: Option<u64>,
    pub real: Option<f64>,
    pub single: Option<f32>,
    pub text: Option<String>,
    pub bytes: Option<Vec<u8>>,
    pub day: Option<chrono::NaiveDate>,
    pub clock: Option<chrono::NaiveTime>,
    pub local: Option<chrono::NaiveDateTime>,
    pub instant: Option<chrono::DateTime<chrono::Utc>>,
    pub zoned: Option<time::OffsetDateTime>,
    pub stamp: Option<jiff::Timestamp>,
    pub amount: Option<rust_decimal::Decimal>,
    pub document: Option<serde_json::Value>,
    pub uuid: Option<uuid::Uuid>,
}

/// Integers of every width.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bounded")]
pub struct Bounded {
    pub id: i64,
    pub tiny: i8,
    pub small: i16,
    pub medium: i32,
    pub big: i64,
    pub byte: u8,
    #[column(name = "long_one")]
    pub long: u32,
}
