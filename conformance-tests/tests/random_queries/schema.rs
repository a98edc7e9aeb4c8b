//! Items of shops of regions, with a column of every kind that has an order, and what hangs on them.

use std::cmp::Ordering;

use assoc_repo::prelude::*;
use chrono::{NaiveDate, NaiveDateTime};
use rust_decimal::Decimal;

/// Stored as texts, whose order is not that of the variants.
#[derive(ColumnType, Debug, Clone, Copy, PartialEq)]
pub(crate) enum State {
    Draft,
    #[column_type(rename = "aside")]
    Live,
    InReview,
}

#[derive(ColumnType, Debug, Clone, Copy, PartialEq)]
#[column_type(as = "i16")]
pub(crate) enum Level {
    High = 10,
    Middle = 0,
    Low = -10,
}

#[derive(ColumnType, Debug, Clone, Copy, PartialEq, Eq)]
#[column_type(key)]
pub(crate) enum Code {
    North,
    East,
    #[column_type(rename = "a")]
    South,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "regions", primary_key = "code")]
pub(crate) struct Region {
    #[column(length = 20)]
    pub(crate) code: Code,
    #[column(length = 20)]
    pub(crate) name: String,
    pub(crate) rank: Option<i64>,
    #[has_many(foreign_key = "region_code")]
    pub(crate) shops: HasMany<Shop>,
    #[has_many(through = "shops")]
    pub(crate) items: HasManyThrough<Item>,
    #[has_many(through = "shops", source = "item_notes")]
    pub(crate) item_notes: HasManyThrough<Note>,
    pub(crate) number: Aggregated<i64>,
    pub(crate) total: Aggregated<Option<i64>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "shops")]
pub(crate) struct Shop {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) region_code: Option<Code>,
    #[column(length = 20)]
    pub(crate) name: String,
    pub(crate) rank: Option<i64>,
    #[belongs_to(foreign_key = "region_code")]
    pub(crate) region: BelongsTo<Option<Region>>,
    #[has_many]
    pub(crate) items: HasMany<Item>,
    #[has_many(through = "items", source = "tags")]
    pub(crate) tags: HasManyThrough<Tag>,
    #[has_many(through = "items", source = "notes")]
    pub(crate) item_notes: HasManyThrough<Note>,
    #[has_many(as = "about")]
    pub(crate) notes: HasMany<Note>,
    pub(crate) number: Aggregated<i64>,
    pub(crate) total: Aggregated<Option<i64>>,
    pub(crate) prices: Aggregated<Option<Decimal>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "items")]
pub(crate) struct Item {
    pub(crate) id: i64,
    pub(crate) shop_id: Option<i64>,
    pub(crate) parent_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) state: State,
    pub(crate) level: Option<Level>,
    #[column(precision = 12, scale = 2)]
    pub(crate) price: Option<Decimal>,
    pub(crate) weight: Option<f64>,
    pub(crate) ratio: f32,
    #[column(length = 20)]
    pub(crate) name: String,
    #[column(length = 20)]
    pub(crate) remark: Option<String>,
    pub(crate) due: Option<NaiveDate>,
    pub(crate) made: NaiveDateTime,
    pub(crate) sold: bool,
    pub(crate) flag: Option<bool>,
    pub(crate) rank: i32,
    pub(crate) gone: bool,
    #[belongs_to]
    pub(crate) shop: BelongsTo<Option<Shop>>,
    #[belongs_to]
    pub(crate) parent: BelongsTo<Option<Item>>,
    #[has_many(foreign_key = "parent_id")]
    pub(crate) children: HasMany<Item>,
    #[has_and_belongs_to_many(join_table = "items_tags")]
    pub(crate) tags: HasAndBelongsToMany<Tag>,
    #[has_many(as = "about")]
    pub(crate) notes: HasMany<Note>,
    pub(crate) number: Aggregated<i64>,
    pub(crate) total: Aggregated<Option<i64>>,
    pub(crate) prices: Aggregated<Option<Decimal>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "tags")]
pub(crate) struct Tag {
    pub(crate) id: i64,
    #[column(length = 20)]
    pub(crate) word: String,
    pub(crate) rank: Option<i64>,
    #[has_and_belongs_to_many(join_table = "items_tags")]
    pub(crate) items: HasAndBelongsToMany<Item>,
    pub(crate) number: Aggregated<i64>,
    pub(crate) total: Aggregated<Option<i64>>,
    pub(crate) prices: Aggregated<Option<Decimal>>,
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "items_tags", primary_key = "item_id, tag_id")]
pub(crate) struct ItemTag {
    pub(crate) item_id: i64,
    pub(crate) tag_id: i64,
}

#[derive(Polymorphic, Debug, Clone, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "models of a test are as large as they are")]
pub(crate) enum About {
    Item(Item),
    Shop(Shop),
}

#[derive(Model, Debug, Clone, PartialEq)]
#[model(table = "notes", default_scope = shown)]
pub(crate) struct Note {
    pub(crate) id: i64,
    pub(crate) about_id: Option<i64>,
    #[column(length = 20)]
    pub(crate) about_type: Option<String>,
    #[column(length = 20)]
    pub(crate) body: String,
    pub(crate) rank: Option<i64>,
    pub(crate) hidden: bool,
    #[belongs_to(polymorphic)]
    pub(crate) about: BelongsTo<Option<About>>,
}

fn shown(notes: Scope<Note>) -> Scope<Note> {
    notes.filter(Note::HIDDEN.eq(false))
}

pub(crate) async fn make_tables(repo: &Repo) -> Result<()> {
    repo.create_table::<Region>().await?;
    repo.create_table::<Shop>().await?;
    repo.create_table::<Item>().await?;
    repo.create_table::<Tag>().await?;
    repo.create_table::<ItemTag>().await?;
    repo.create_table::<Note>().await
}

/// A value as a database sorts it. Values of one column are of one kind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Null,
    Int(i64),
    Float(f64),
    Decimal(Decimal),
    Text(String),
    Date(NaiveDate),
    Time(NaiveDateTime),
}

impl Key {
    /// How two values compare; `None` if one of them is `NULL`.
    pub(crate) fn compare(&self, other: &Key) -> Option<Ordering> {
        match (self, other) {
            (Key::Int(a), Key::Int(b)) => Some(a.cmp(b)),
            (Key::Float(a), Key::Float(b)) => a.partial_cmp(b),
            (Key::Decimal(a), Key::Decimal(b)) => Some(a.cmp(b)),
            (Key::Text(a), Key::Text(b)) => Some(a.cmp(b)),
            (Key::Date(a), Key::Date(b)) => Some(a.cmp(b)),
            (Key::Time(a), Key::Time(b)) => Some(a.cmp(b)),
            (Key::Null, _) | (_, Key::Null) => None,
            other => unreachable!("{other:?}"),
        }
    }
}

/// The type of a column: how its values sort, and some of them.
pub(crate) trait Sorted: Sized {
    fn key(&self) -> Key;
    fn some(random: &mut crate::Random) -> Self;
}

macro_rules! sorted {
    ($($type:ty: $key:expr, $values:expr;)+) => {
        $(impl Sorted for $type {
            fn key(&self) -> Key {
                let key: fn(&$type) -> Key = $key;
                key(self)
            }

            fn some(random: &mut crate::Random) -> Self {
                random.pick(&$values).clone().into()
            }
        })+
    };
}

sorted! {
    i64: |value| Key::Int(*value), [1_i64, 2, 3, 4, 5, -1, 0];
    i32: |value| Key::Int(i64::from(*value)), [0, 1, 1, 2, i32::MAX, i32::MIN];
    bool: |value| Key::Int(i64::from(*value)), [true, false];
    f64: |value| Key::Float(*value), [0.0, -0.0, 0.1, 0.5, -1.5, 1e100, 1e-100, 0.1 + 0.2, 0.3];
    f32: |value| Key::Float(f64::from(*value)), [0.0_f32, 0.1, 0.3, 1.5, -2.25, 16_777_216.0, 3.4e38];
    String: |value| Key::Text(value.clone()), ["", "a", "aa", "ab", "b", "c"];
    Decimal: |value| Key::Decimal(*value),
        [Decimal::new(0, 0), Decimal::new(95, 1), Decimal::new(950, 2), Decimal::new(-1, 2), Decimal::new(10, 0),
         Decimal::new(999_999_999_999, 2)];
    NaiveDate: |value| Key::Date(*value),
        [NaiveDate::from_ymd_opt(2024, 2, 29).unwrap(), NaiveDate::from_ymd_opt(2024, 12, 31).unwrap(),
         NaiveDate::from_ymd_opt(1999, 12, 31).unwrap()];
    NaiveDateTime: |value| Key::Time(*value),
        [NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_opt(0, 0, 0).unwrap(),
         NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_micro_opt(0, 0, 0, 1).unwrap(),
         NaiveDate::from_ymd_opt(2024, 2, 29).unwrap().and_hms_micro_opt(0, 0, 0, 100_000).unwrap(),
         NaiveDate::from_ymd_opt(2024, 2, 28).unwrap().and_hms_micro_opt(23, 59, 59, 999_999).unwrap()];
    State: |value| Key::Text(match value { State::Draft => "draft", State::Live => "aside", State::InReview => "in_review" }.into()),
        [State::Draft, State::Live, State::InReview];
    Level: |value| Key::Int(*value as i64), [Level::High, Level::Middle, Level::Low];
    Code: |value| Key::Text(match value { Code::North => "north", Code::East => "east", Code::South => "a" }.into()),
        [Code::North, Code::East, Code::South];
}

impl<T: Sorted> Sorted for Option<T> {
    fn key(&self) -> Key {
        self.as_ref().map_or(Key::Null, Sorted::key)
    }

    fn some(random: &mut crate::Random) -> Self {
        if random.once_in(4) { None } else { Some(T::some(random)) }
    }
}
