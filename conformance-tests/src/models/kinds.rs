//! One model with a column of every kind.

use assoc_repo::prelude::*;

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "samples")]
pub(crate) struct Sample {
    pub(crate) id: i64,
    pub(crate) tiny: i8,
    pub(crate) small: i16,
    pub(crate) medium: i32,
    pub(crate) big: i64,
    pub(crate) byte: u8,
    pub(crate) word: u16,
    pub(crate) long: u32,
    pub(crate) real: f64,
    pub(crate) single: f32,
    pub(crate) flag: bool,
    pub(crate) text: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) maybe_number: Option<i64>,
    pub(crate) maybe_flag: Option<bool>,
    pub(crate) maybe_text: Option<String>,
    pub(crate) maybe_bytes: Option<Vec<u8>>,
    #[column(name = "order")]
    pub(crate) reserved_word: i64,
}

/// Columns of the types that features add.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "moments", primary_key = "id", auto_increment = false)]
pub(crate) struct Moment {
    pub(crate) id: uuid::Uuid,
    pub(crate) day: chrono::NaiveDate,
    pub(crate) clock: chrono::NaiveTime,
    pub(crate) local: chrono::NaiveDateTime,
    pub(crate) instant: chrono::DateTime<chrono::Utc>,
    pub(crate) time_instant: time::OffsetDateTime,
    pub(crate) jiff_instant: jiff::Timestamp,
    pub(crate) amount: rust_decimal::Decimal,
    pub(crate) document: serde_json::Value,
    pub(crate) maybe_day: Option<chrono::NaiveDate>,
    pub(crate) parent_id: Option<uuid::Uuid>,
    #[belongs_to]
    pub(crate) parent: BelongsTo<Option<Moment>>,
    #[has_many(foreign_key = "parent_id")]
    pub(crate) children: HasMany<Moment>,
}

/// Columns whose values have bounds.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "extremes")]
pub(crate) struct Extreme {
    pub(crate) id: i64,
    pub(crate) whole: Option<u64>,
    pub(crate) real: Option<f64>,
    pub(crate) single: Option<f32>,
    pub(crate) text: Option<String>,
    pub(crate) bytes: Option<Vec<u8>>,
    pub(crate) day: Option<chrono::NaiveDate>,
    pub(crate) clock: Option<chrono::NaiveTime>,
    pub(crate) local: Option<chrono::NaiveDateTime>,
    pub(crate) instant: Option<chrono::DateTime<chrono::Utc>>,
    pub(crate) zoned: Option<time::OffsetDateTime>,
    pub(crate) stamp: Option<jiff::Timestamp>,
    pub(crate) amount: Option<rust_decimal::Decimal>,
    pub(crate) document: Option<serde_json::Value>,
    pub(crate) uuid: Option<uuid::Uuid>,
}

/// Integers of every width.
#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "bounded")]
pub(crate) struct Bounded {
    pub(crate) id: i64,
    pub(crate) tiny: i8,
    pub(crate) small: i16,
    pub(crate) medium: i32,
    pub(crate) big: i64,
    pub(crate) byte: u8,
    #[column(name = "long_one")]
    pub(crate) long: u32,
}
