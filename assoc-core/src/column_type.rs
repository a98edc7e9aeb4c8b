//! Which Rust types a column can have, and how each is read and written.
//!
//! One trait, both directions, one file a family. Reading is lenient where databases differ (SQLite has no
//! booleans, a driver may answer a date as text) and strict where data would be lost: an integer that does not fit
//! is an error that names the column, never a wrapped number.

use std::borrow::Cow;

use crate::error::DecodeError;
use crate::value::{Date, DateTime, Time, Value, parse_uuid};

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "rust_decimal")]
mod decimal;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "serde_json")]
mod json;
mod numbers;
#[cfg(feature = "time")]
mod time;
#[cfg(feature = "uuid")]
mod uuid;

#[cfg(feature = "serde_json")]
pub use json::Json;

/// What a column stores, for `CREATE TABLE` text and for deciding how keys are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SqlType {
    /// A boolean.
    Bool,
    /// A signed integer of this many bits.
    Int(u8),
    /// An unsigned integer of this many bits.
    UInt(u8),
    /// A floating point number of this many bits.
    Real(u8),
    /// Text.
    Text,
    /// Bytes.
    Blob,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A date and time.
    DateTime,
    /// A UUID.
    Uuid,
    /// An exact decimal number.
    Decimal,
    /// A JSON document.
    Json,
}

impl SqlType {
    /// Whether the database considers two stored keys of this type equal exactly when their bytes are. Collations
    /// decide about text, so text keys are grouped by the matches that the database reports.
    ///
    /// ```
    /// use assoc_core::SqlType;
    ///
    /// assert!(SqlType::Int(64).is_byte_comparable());
    /// assert!(!SqlType::Text.is_byte_comparable());
    /// ```
    #[must_use]
    pub const fn is_byte_comparable(self) -> bool {
        matches!(self, SqlType::Bool | SqlType::Int(_) | SqlType::UInt(_) | SqlType::Blob | SqlType::Uuid)
    }

    /// A value as the model has it that a driver read from a column of this type: UUIDs are stored as bytes or as text,
    /// integers perhaps in columns of decimals, and a driver may not know text in a binary collation from bytes.
    ///
    /// ```
    /// use assoc_core::{SqlType, Value};
    ///
    /// assert_eq!(SqlType::Uuid.stored(Value::Blob(vec![0xab; 16].into())), Value::Uuid([0xab; 16]));
    /// ```
    #[must_use]
    pub fn stored(self, value: Value<'static>) -> Value<'static> {
        let found = match (self, &value) {
            (SqlType::Uuid, Value::Blob(bytes)) => <[u8; 16]>::try_from(bytes.as_ref()).ok().map(Value::Uuid),
            (SqlType::Uuid, Value::Text(text)) => parse_uuid(text).map(Value::Uuid),
            (SqlType::Text, Value::Blob(bytes)) => {
                std::str::from_utf8(bytes).ok().map(|text| Value::Text(text.to_owned().into()))
            }
            (SqlType::Int(_) | SqlType::UInt(_), Value::Decimal(text)) => whole(text),
            _ => None,
        };
        found.unwrap_or(value)
    }

    /// A value in the form in which keys are compared, whatever form a driver gives it in.
    ///
    /// ```
    /// use assoc_core::{SqlType, Value};
    ///
    /// assert_eq!(SqlType::Decimal.as_key(Value::from("9.50")), Value::Decimal("9.50".into()));
    /// ```
    #[must_use]
    pub fn as_key(self, value: Value<'static>) -> Value<'static> {
        match (self, value) {
            (SqlType::Decimal, Value::Text(text)) => Value::Decimal(text),
            (SqlType::Decimal, Value::Int(number)) => Value::Decimal(number.to_string().into()),
            // Some databases store these as text.
            (SqlType::Date, Value::Text(text)) => Date::parse(&text).map_or(Value::Text(text), Value::Date),
            (SqlType::Time, Value::Text(text)) => Time::parse(&text).map_or(Value::Text(text), Value::Time),
            (SqlType::DateTime, Value::Text(text)) => DateTime::parse(&text).map_or(Value::Text(text), Value::DateTime),
            (of, value) => of.stored(value),
        }
    }

    /// Whether two types are the same, at compile time.
    pub(crate) const fn is(self, other: SqlType) -> bool {
        match self {
            SqlType::Int(bits) => matches!(other, SqlType::Int(others) if bits == others),
            SqlType::UInt(bits) => matches!(other, SqlType::UInt(others) if bits == others),
            SqlType::Real(bits) => matches!(other, SqlType::Real(others) if bits == others),
            SqlType::Bool => matches!(other, SqlType::Bool),
            SqlType::Text => matches!(other, SqlType::Text),
            SqlType::Blob => matches!(other, SqlType::Blob),
            SqlType::Date => matches!(other, SqlType::Date),
            SqlType::Time => matches!(other, SqlType::Time),
            SqlType::DateTime => matches!(other, SqlType::DateTime),
            SqlType::Uuid => matches!(other, SqlType::Uuid),
            SqlType::Decimal => matches!(other, SqlType::Decimal),
            SqlType::Json => matches!(other, SqlType::Json),
        }
    }

    /// Whether values of this type are integers.
    ///
    /// ```
    /// use assoc_core::SqlType;
    ///
    /// assert!(SqlType::UInt(8).is_integer());
    /// assert!(!SqlType::Decimal.is_integer());
    /// ```
    #[must_use]
    pub const fn is_integer(self) -> bool {
        matches!(self, SqlType::Int(_) | SqlType::UInt(_))
    }
}

/// A Rust type that a column can have.
///
/// Implemented for integers, floats, `bool`, `String`, `Vec<u8>`, [`Option`] of each, and behind features of the
/// same name for `uuid`, `chrono`, `time`, `jiff`, `rust_decimal` and `serde_json`, which has `Json<T>` for types of the
/// program as well. A newtype or an enum gets it by `#[derive(ColumnType)]`.
///
/// A type of the program by hand, where `#[derive(ColumnType)]` does not fit:
///
/// ```
/// use assoc_core::{ColumnType, DecodeError, SqlType, Value};
///
/// /// A price in cents, stored as an integer.
/// #[derive(Debug, Clone, PartialEq)]
/// struct Cents(i64);
///
/// impl ColumnType for Cents {
///     const SQL_TYPE: SqlType = SqlType::Int(64);
///
///     fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
///         i64::from_value(value).map(Cents)
///     }
///
///     fn to_value(&self) -> Value<'_> {
///         Value::Int(self.0)
///     }
/// }
///
/// assert_eq!(Cents::from_value(&mut Value::Int(950)).unwrap(), Cents(950));
/// assert!(Cents::from_value(&mut Value::from("9.50")).is_err());
/// assert_eq!(Cents(950).into_value(), Cents(950).to_value());
/// // A column that may be `NULL` has an empty value, which it keeps where it is not selected.
/// assert_eq!((Cents::absent(), Option::<Cents>::absent()), (None, Some(None)));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a column",
    label = "not a column type",
    note = "columns are integers, floats, bool, String, Vec<u8>, Option of those, feature-gated dates, UUIDs, decimals and JSON, or a newtype or enum with `#[derive(ColumnType)]`",
    note = "a type with `Serialize` and `Deserialize` is stored as JSON by a field of type `Json<…>` (feature `serde_json`)",
    note = "a field that is not stored takes `#[model(skip)]`"
)]
pub trait ColumnType: Clone + Send + Sync + Sized + 'static {
    /// What the column stores.
    const SQL_TYPE: SqlType;
    /// Whether values of this type may be `NULL`.
    const NULLABLE: bool = false;

    /// Reads a value, taking its buffer where the driver owned one.
    ///
    /// # Errors
    /// When the value is not of this type or does not fit.
    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError>;

    /// The value to bind.
    fn to_value(&self) -> Value<'_>;

    /// The value to bind, moved where [`to_value`](Self::to_value) would borrow.
    fn into_value(self) -> Value<'static> {
        self.to_value().into_owned()
    }

    /// What the field holds when the column was not selected; `None` if the type has no empty value.
    #[must_use]
    fn absent() -> Option<Self> {
        None
    }
}

impl<T: ColumnType> ColumnType for Option<T> {
    const SQL_TYPE: SqlType = T::SQL_TYPE;
    const NULLABLE: bool = true;

    #[inline]
    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        if value.is_null() {
            return Ok(None);
        }
        match T::from_value(value) {
            Err(_) if value.is_zero_date() => Ok(None),
            read => read.map(Some),
        }
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    #[inline]
    fn into_value(self) -> Value<'static> {
        self.map_or(Value::Null, T::into_value)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl ColumnType for String {
    const SQL_TYPE: SqlType = SqlType::Text;

    #[inline]
    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Text(Cow::Borrowed(text)) => Ok((*text).to_owned()),
            Value::Text(Cow::Owned(text)) => Ok(std::mem::take(text)),
            other => text_of_other(other).ok_or_else(|| DecodeError::new("text", other)),
        }
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Text(Cow::Borrowed(self))
    }

    #[inline]
    fn into_value(self) -> Value<'static> {
        Value::Text(Cow::Owned(self))
    }
}

// Columns that a driver reports by a more precise type, read into a plain `String` on purpose.
#[cold]
fn text_of_other(value: &mut Value<'_>) -> Option<String> {
    match value {
        Value::Decimal(text) | Value::Json(text) => Some(std::mem::take(text).into_owned()),
        Value::Date(_) | Value::Time(_) | Value::DateTime(_) | Value::Uuid(_) => Some(value.to_string()),
        // Where a driver does not know text in a binary collation from bytes.
        Value::Blob(bytes) => std::str::from_utf8(bytes).ok().map(str::to_owned),
        _ => None,
    }
}

impl ColumnType for Vec<u8> {
    const SQL_TYPE: SqlType = SqlType::Blob;

    #[inline]
    fn from_value(value: &mut Value<'_>) -> Result<Self, DecodeError> {
        match value {
            Value::Blob(Cow::Borrowed(bytes)) => Ok((*bytes).to_owned()),
            Value::Blob(Cow::Owned(bytes)) => Ok(std::mem::take(bytes)),
            Value::Text(text) => Ok(std::mem::take(text).into_owned().into_bytes()),
            Value::Uuid(bytes) => Ok(bytes.to_vec()),
            other => Err(DecodeError::new("bytes", other)),
        }
    }

    #[inline]
    fn to_value(&self) -> Value<'_> {
        Value::Blob(Cow::Borrowed(self))
    }

    #[inline]
    fn into_value(self) -> Value<'static> {
        Value::Blob(Cow::Owned(self))
    }
}

/// A Rust value that can be written to a column of type `V`: the type itself or a reference to it, a `&str` or `Cow<str>` for a
/// `String`, an `f32` for an `f64`, an integer for a decimal, and each of them for an `Option`, which is also taken by reference.
/// References are what a list of keys is walked through with: `User::ID.is_in(&ids)`.
///
/// A newtype is taken by value: `is_in(ids.iter().copied())`. An `i32` is not taken for an `i64`, nor `Some("x")` for an
/// `Option<String>`: the compiler could not tell the types of `5_000_000_000` and of `None` any more.
///
/// ```
/// use assoc_core::IntoColumn;
///
/// fn set<V>(value: impl IntoColumn<V>) -> V {
///     value.into_column()
/// }
///
/// assert_eq!(set::<i64>(5_000_000_000), 5_000_000_000);
/// assert_eq!(set::<Option<i64>>(5), Some(5));
/// let small: i32 = 5;
/// assert_eq!(set::<i64>(i64::from(small)), 5);
/// assert_eq!(set::<f64>(1.5_f32), 1.5);
///
/// let none: Option<String> = set(None);
/// let by_reference: Option<String> = set(&none);
/// assert_eq!(by_reference, None);
/// assert_eq!(set::<Option<String>>("x"), Some("x".to_owned()));
/// let part: Option<&str> = Some("x");
/// assert_eq!(set::<Option<String>>(part.map(str::to_owned)), Some("x".to_owned()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value of a column of type `{V}`",
    label = "the column holds `{V}`",
    note = "the types have to agree: convert the value, an `i32` for an `i64` by `i64::from(…)`",
    note = "a column that may be `NULL` takes the bare value, `None`, and an `Option` of its own type: `\"x\"` or `Some(\"x\".to_owned())`, not `Some(\"x\")`"
)]
pub trait IntoColumn<V> {
    /// The value in the type of the column.
    fn into_column(self) -> V;
}

impl<T> IntoColumn<T> for T {
    fn into_column(self) -> T {
        self
    }
}

impl<T> IntoColumn<Option<T>> for T {
    fn into_column(self) -> Option<T> {
        Some(self)
    }
}

impl IntoColumn<String> for &str {
    fn into_column(self) -> String {
        self.to_owned()
    }
}

impl IntoColumn<Option<String>> for &str {
    fn into_column(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl IntoColumn<String> for Cow<'_, str> {
    fn into_column(self) -> String {
        self.into_owned()
    }
}

impl IntoColumn<Option<String>> for Cow<'_, str> {
    fn into_column(self) -> Option<String> {
        Some(self.into_owned())
    }
}

// Not `Option<&str>`: a bare `None` could be either of both then, and would not compile. Not `i32` for `i64`: a literal could be
// either of both, would become an `i32`, and large ones would not compile; for a `u64` or an `i16` no literal would.
impl<T: ColumnType> IntoColumn<Option<T>> for &Option<T> {
    fn into_column(self) -> Option<T> {
        self.clone()
    }
}

impl IntoColumn<f64> for f32 {
    fn into_column(self) -> f64 {
        self.into()
    }
}

impl IntoColumn<Option<f64>> for f32 {
    fn into_column(self) -> Option<f64> {
        Some(self.into())
    }
}

// A literal becomes an `i32`, because no literal is a decimal.
#[cfg(feature = "rust_decimal")]
macro_rules! whole_decimals {
    ($($integer:ty),+) => {$(
        impl IntoColumn<::rust_decimal::Decimal> for $integer {
            fn into_column(self) -> ::rust_decimal::Decimal {
                self.into()
            }
        }

        impl IntoColumn<Option<::rust_decimal::Decimal>> for $integer {
            fn into_column(self) -> Option<::rust_decimal::Decimal> {
                Some(self.into())
            }
        }
    )+};
}

#[cfg(feature = "rust_decimal")]
whole_decimals!(i8, i16, i32, i64, u8, u16, u32, u64);

// Calls a macro with the types of columns that are numbers, dates or times: their values have an order.
macro_rules! each_ordered_type {
    ($with:ident) => {
        $with! {
            i8, i16, i32, i64, u8, u16, u32, u64, f32, f64,
            #[cfg(feature = "chrono")] ::chrono::NaiveDate,
            #[cfg(feature = "chrono")] ::chrono::NaiveTime,
            #[cfg(feature = "chrono")] ::chrono::NaiveDateTime,
            #[cfg(feature = "chrono")] ::chrono::DateTime<::chrono::Utc>,
            #[cfg(feature = "time")] ::time::Date,
            #[cfg(feature = "time")] ::time::Time,
            #[cfg(feature = "time")] ::time::PrimitiveDateTime,
            #[cfg(feature = "time")] ::time::OffsetDateTime,
            #[cfg(feature = "jiff")] ::jiff::civil::Date,
            #[cfg(feature = "jiff")] ::jiff::civil::Time,
            #[cfg(feature = "jiff")] ::jiff::civil::DateTime,
            #[cfg(feature = "jiff")] ::jiff::Timestamp,
            #[cfg(feature = "rust_decimal")] ::rust_decimal::Decimal,
        }
    };
}
pub(crate) use each_ordered_type;

// Calls a macro with all types of columns that stand for one value each. JSON is not among them, because JSON has a `null` beside SQL's `NULL`.
macro_rules! each_plain_type {
    ($with:ident) => {
        $crate::column_type::each_ordered_type!($with);
        $with! {
            bool, String, Vec<u8>,
            #[cfg(feature = "uuid")] ::uuid::Uuid,
        }
    };
}
pub(crate) use each_plain_type;

macro_rules! by_reference {
    ($($(#[$gate:meta])* $type:ty),* $(,)?) => {$(
        $(#[$gate])*
        impl IntoColumn<$type> for &$type {
            fn into_column(self) -> $type {
                <$type as Clone>::clone(self)
            }
        }
        $(#[$gate])*
        impl IntoColumn<Option<$type>> for &$type {
            fn into_column(self) -> Option<$type> {
                Some(<$type as Clone>::clone(self))
            }
        }
    )*};
}

each_plain_type!(by_reference);

impl IntoColumn<Vec<u8>> for &[u8] {
    fn into_column(self) -> Vec<u8> {
        self.to_vec()
    }
}

fn whole(text: &str) -> Option<Value<'static>> {
    text.parse().map(Value::Int).or_else(|_| text.parse().map(Value::UInt)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_of_decimal_columns_are_integers() {
        let read = |text: &'static str| SqlType::UInt(64).as_key(Value::Decimal(text.into()));
        assert_eq!(read("7"), Value::Int(7));
        assert_eq!(read("18446744073709551615"), Value::UInt(u64::MAX));
        assert_eq!(read("7.5"), Value::Decimal("7.5".into()));
        assert_eq!(SqlType::Decimal.as_key(Value::Decimal("7".into())), Value::Decimal("7".into()));
    }

    #[cfg(feature = "rust_decimal")]
    #[test]
    fn integers_are_decimals() {
        use ::rust_decimal::Decimal;
        fn decimal(value: impl IntoColumn<Decimal>) -> Decimal {
            value.into_column()
        }
        fn maybe(value: impl IntoColumn<Option<Decimal>>) -> Option<Decimal> {
            value.into_column()
        }
        assert_eq!(decimal(5).to_string(), "5");
        assert_eq!(decimal(u64::MAX).to_string(), "18446744073709551615");
        assert_eq!(decimal(i64::MIN).to_string(), "-9223372036854775808");
        assert_eq!((maybe(7), maybe(None)), (Some(Decimal::from(7)), None));
    }

    #[test]
    fn owned_text_is_moved_not_copied() {
        let text = String::from("a text");
        let address = text.as_ptr();
        let mut value = Value::Text(Cow::Owned(text));
        let moved = String::from_value(&mut value).unwrap();
        assert_eq!(moved.as_ptr(), address);
    }

    #[test]
    fn a_zero_date_is_none_or_an_error() {
        let zero = Value::Date(crate::value::Date { year: 0, month: 0, day: 0 });
        assert_eq!(Option::<i64>::from_value(&mut zero.clone()), Ok(None));
        let error = i64::from_value(&mut zero.clone()).unwrap_err().at("User", "born");
        assert!(error.to_string().ends_with("the database holds a date (0000-00-00)"), "{error}");
        let first = Value::Date(crate::value::Date { year: 1, month: 1, day: 1 });
        assert!(Option::<i64>::from_value(&mut first.clone()).is_err());
    }

    #[test]
    fn null_is_only_for_options() {
        assert_eq!(Option::<i64>::from_value(&mut Value::Null), Ok(None));
        let error = i64::from_value(&mut Value::Null).unwrap_err().at("User", "age");
        assert_eq!(error.to_string(), "column `User.age` cannot be read as a 64-bit integer: the database holds NULL");
    }

    #[test]
    fn numbers_are_never_wrapped() {
        assert_eq!(u8::from_value(&mut Value::Int(255)), Ok(255));
        assert!(u8::from_value(&mut Value::Int(256)).is_err());
        assert!(u64::from_value(&mut Value::Int(-1)).is_err());
        assert!(i64::from_value(&mut Value::UInt(u64::MAX)).is_err());
        assert_eq!(bool::from_value(&mut Value::Int(1)), Ok(true));
        assert!(bool::from_value(&mut Value::Int(2)).is_err());
        assert_eq!(f64::from_value(&mut Value::Int(2)), Ok(2.0));
    }
}
