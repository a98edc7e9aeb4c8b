//! Keys: typed at the surface ([`Key`]), and erased for planning and grouping ([`KeyTuple`], [`RowKeys`], [`KeySet`]).

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::column_type::ColumnType;
use crate::error::DecodeError;
use crate::value::Value;
use crate::value::decimal::canonical;

mod mark;

pub use mark::KeyMark;

/// The type of a primary key: one column's type, or a tuple of them for a composite key. `()` is for tables without
/// one (join tables).
///
/// ```
/// use assoc_core::{Key, Value};
///
/// let key = (7_i64, "de".to_owned());
/// let mut values = Vec::new();
/// key.push_values(&mut values);
/// assert_eq!(values, [Value::Int(7), Value::from("de")]);
/// assert_eq!(<(i64, String)>::WIDTH, 2);
/// assert_eq!(<(i64, String)>::from_values(&values).unwrap(), key);
/// assert!(<(i64, String)>::from_values(&values[..1]).is_err());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a primary key",
    label = "not a key type",
    note = "keys are integers, String, Vec<u8>, UUIDs, dates, tuples of those, or a newtype with `#[column_type(key)]`"
)]
pub trait Key: Clone + PartialEq + fmt::Debug + Send + Sync + 'static {
    /// How many columns it has.
    const WIDTH: usize;

    /// Appends its values, in the order of the key's columns.
    fn push_values(&self, out: &mut Vec<Value<'static>>);

    /// Reads a key back from its values.
    ///
    /// # Errors
    /// When one of them does not fit, or is missing.
    fn from_values(values: &[Value<'static>]) -> Result<Self, DecodeError>;
}

impl Key for () {
    const WIDTH: usize = 0;

    fn push_values(&self, _: &mut Vec<Value<'static>>) {}

    fn from_values(_: &[Value<'static>]) -> Result<Self, DecodeError> {
        Ok(())
    }
}

/// A key of one column, of the first of some values.
pub(crate) fn single_key<V: ColumnType>(values: &[Value<'static>]) -> Result<V, DecodeError> {
    V::from_value(&mut values.first().cloned().unwrap_or_default())
}

macro_rules! scalar_key {
    ($($(#[$gate:meta])* $type:ty),* $(,)?) => {$(
        $(#[$gate])*
        impl Key for $type {
            const WIDTH: usize = 1;

            fn push_values(&self, out: &mut Vec<Value<'static>>) {
                out.push(self.to_value().into_owned());
            }

            fn from_values(values: &[Value<'static>]) -> Result<Self, DecodeError> {
                single_key(values)
            }
        }
    )*};
}

scalar_key! {
    i8, i16, i32, i64, u8, u16, u32, u64, bool, String, Vec<u8>,
    #[cfg(feature = "uuid")] ::uuid::Uuid,
    #[cfg(feature = "chrono")] ::chrono::NaiveDate,
    #[cfg(feature = "chrono")] ::chrono::NaiveDateTime,
    #[cfg(feature = "chrono")] ::chrono::DateTime<::chrono::Utc>,
    #[cfg(feature = "time")] ::time::Date,
    #[cfg(feature = "time")] ::time::OffsetDateTime,
    #[cfg(feature = "jiff")] ::jiff::civil::Date,
    #[cfg(feature = "jiff")] ::jiff::Timestamp,
    #[cfg(feature = "rust_decimal")] ::rust_decimal::Decimal,
}

macro_rules! tuple_key {
    ($($name:ident $index:tt),+) => {
        impl<$($name: Key),+> Key for ($($name,)+) {
            const WIDTH: usize = 0 $(+ $name::WIDTH)+;

            fn push_values(&self, out: &mut Vec<Value<'static>>) {
                $(self.$index.push_values(out);)+
            }

            fn from_values(values: &[Value<'static>]) -> Result<Self, DecodeError> {
                let mut rest = values;
                let mut next = |width| {
                    let (own, after) = rest.split_at_checked(width).unwrap_or((rest, &[]));
                    rest = after;
                    own
                };
                Ok(($($name::from_values(next($name::WIDTH))?,)+))
            }
        }
    };
}

tuple_key!(A 0, B 1);
tuple_key!(A 0, B 1, C 2);
tuple_key!(A 0, B 1, C 2, D 3);

/// The values of a key, comparable and hashable by their bytes. Integers of any sign type and decimals compare by
/// number, floats by their bits.
///
/// ```
/// use assoc_core::Value;
/// use assoc_core::execution::KeyTuple;
///
/// // A driver may give back another integer type than was bound.
/// assert_eq!(KeyTuple::new([Value::UInt(7)]), KeyTuple::new([Value::Int(7)]));
/// assert_eq!(KeyTuple::new([Value::Int(7), Value::Null]), None);
///
/// let row = KeyTuple::of_row([Value::Int(7), Value::Null]);
/// assert_eq!(row.values(), [Value::Int(7), Value::Null]);
/// assert!(KeyTuple::of_row([Value::Int(9)]).cmp_values(&KeyTuple::of_row([Value::Int(10)])).is_lt());
/// ```
#[derive(Debug, Clone)]
pub struct KeyTuple(Box<[Value<'static>]>);

impl KeyTuple {
    /// A key of these values; `None` if one of them is `NULL`, because such a key refers to nothing.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = Value<'static>>) -> Option<Self> {
        let values: Box<[_]> = values.into_iter().map(normalised).collect();
        (!values.iter().any(Value::is_null)).then_some(KeyTuple(values))
    }

    /// A key of these values, which may include `NULL`. Such a key refers to nothing, but it identifies a row.
    #[must_use]
    pub fn of_row(values: impl IntoIterator<Item = Value<'static>>) -> Self {
        KeyTuple(values.into_iter().map(normalised).collect())
    }

    /// The values.
    #[must_use]
    pub fn values(&self) -> &[Value<'static>] {
        &self.0
    }

    /// The key without what databases like to ignore in texts: case, and blanks at the end. Where two keys differ and these do
    /// not, a database may call them equal. It is a reason to ask it, and no answer.
    ///
    /// ```
    /// use assoc_core::execution::KeyTuple;
    ///
    /// let key = |text: &str| KeyTuple::of_row([text.to_owned().into()]);
    /// assert_eq!(key("Ada").folded(), key("ADA ").folded());
    /// ```
    #[must_use]
    pub fn folded(&self) -> KeyTuple {
        let folded = |value: &Value<'static>| match value {
            Value::Text(text) => Value::Text(text.trim_end_matches(' ').to_lowercase().into()),
            value => value.clone(),
        };
        KeyTuple(self.0.iter().map(folded).collect())
    }

    /// An order of keys that is the same each time: numbers by their size, text and bytes byte by byte. It is not the order of
    /// a database, which may compare text by a collation.
    #[must_use]
    pub fn cmp_values(&self, other: &Self) -> std::cmp::Ordering {
        self.0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| match (a, b) {
                (Value::Int(a), Value::Int(b)) => a.cmp(b),
                (Value::UInt(a), Value::UInt(b)) => a.cmp(b),
                (Value::Text(a), Value::Text(b)) => a.cmp(b),
                (Value::Blob(a), Value::Blob(b)) => a.cmp(b),
                (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
                // Only a stable order matters here, so that statements are reproducible.
                (a, b) => a.to_string().cmp(&b.to_string()),
            })
            .find(|order| order.is_ne())
            .unwrap_or(std::cmp::Ordering::Equal)
    }
}

fn normalised(value: Value<'static>) -> Value<'static> {
    match value {
        Value::UInt(number) => i64::try_from(number).map_or(Value::UInt(number), Value::Int),
        Value::Bool(flag) => Value::Int(flag.into()),
        // Keys of decimals are equal as numbers.
        Value::Decimal(text) => {
            let canonical = canonical(&text);
            Value::Decimal(canonical.map_or(text, Into::into))
        }
        other => other,
    }
}

impl PartialEq for KeyTuple {
    fn eq(&self, other: &Self) -> bool {
        self.0.len() == other.0.len()
            && self.0.iter().zip(&other.0).all(|pair| match pair {
                (Value::Real(a), Value::Real(b)) => a.to_bits() == b.to_bits(),
                (a, b) => a == b,
            })
    }
}

impl Eq for KeyTuple {}

impl Hash for KeyTuple {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for value in &self.0 {
            match value {
                Value::Null => 0u8.hash(state),
                Value::Bool(v) => v.hash(state),
                Value::Int(v) => v.hash(state),
                Value::UInt(v) => v.hash(state),
                Value::Real(v) => v.to_bits().hash(state),
                Value::Text(v) | Value::Decimal(v) | Value::Json(v) => v.hash(state),
                Value::Blob(v) => v.hash(state),
                Value::Date(v) => v.hash(state),
                Value::Time(v) => v.hash(state),
                Value::DateTime(v) => v.hash(state),
                Value::Uuid(v) => v.hash(state),
            }
        }
    }
}

/// `7`, `"de"`, or `(7, "de")` for a composite key.
impl fmt::Display for KeyTuple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            [single] => write!(f, "{single}"),
            several => {
                f.write_str("(")?;
                for (index, value) in several.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{value}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// The key of each of several rows; `None` where part of it is `NULL`. Nearly all keys are single integers, which stay
/// integers throughout.
///
/// ```
/// use assoc_core::Value;
/// use assoc_core::execution::{KeyTuple, RowKeys};
///
/// let mut keys = RowKeys::Ints(vec![Some(7), None]);
/// assert!(!keys.is_empty());
/// assert_eq!((keys.len(), keys.show(0), keys.show(1)), (2, "7".to_owned(), "NULL".to_owned()));
///
/// // Beside keys of another kind all are tuples.
/// keys.extend(RowKeys::from_iter([KeyTuple::of_row(["de".into()])]));
/// assert_eq!(keys.into_tuples(), [KeyTuple::new([Value::Int(7)]), None, KeyTuple::new(["de".into()])]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum RowKeys {
    /// Single integer columns.
    Ints(Vec<Option<i64>>),
    /// Everything else.
    Tuples(Vec<Option<KeyTuple>>),
}

impl RowKeys {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            RowKeys::Ints(keys) => keys.len(),
            RowKeys::Tuples(keys) => keys.len(),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of one row, for messages.
    #[must_use]
    pub fn show(&self, row: usize) -> String {
        match self {
            RowKeys::Ints(keys) => keys.get(row).copied().flatten().map(|key| key.to_string()),
            RowKeys::Tuples(keys) => keys.get(row).and_then(Option::as_ref).map(ToString::to_string),
        }
        .unwrap_or_else(|| "NULL".to_owned())
    }

    /// Appends the keys of more rows.
    pub fn extend(&mut self, other: RowKeys) {
        match (&mut *self, other) {
            (RowKeys::Ints(keys), RowKeys::Ints(more)) => keys.extend(more),
            (RowKeys::Tuples(keys), RowKeys::Tuples(more)) => keys.extend(more),
            (RowKeys::Tuples(keys), RowKeys::Ints(more)) => keys.extend(more.into_iter().map(tuple_of)),
            (RowKeys::Ints(keys), RowKeys::Tuples(more)) => {
                let mut all: Vec<_> = std::mem::take(keys).into_iter().map(tuple_of).collect();
                all.extend(more);
                *self = RowKeys::Tuples(all);
            }
        }
    }

    /// The keys as tuples, whatever they are stored as.
    #[must_use]
    pub fn into_tuples(self) -> Vec<Option<KeyTuple>> {
        match self {
            RowKeys::Ints(keys) => keys.into_iter().map(tuple_of).collect(),
            RowKeys::Tuples(keys) => keys,
        }
    }
}

fn tuple_of(key: Option<i64>) -> Option<KeyTuple> {
    key.map(|key| KeyTuple(Box::new([Value::Int(key)])))
}

/// Distinct keys to look up, in ascending order (integers) or first-seen order made stable by sorting (the rest).
///
/// ```
/// use assoc_core::driver::KeySet;
/// use assoc_core::execution::RowKeys;
///
/// let authors = RowKeys::Ints(vec![Some(3), None, Some(1), Some(3)]);
/// let editors = RowKeys::Ints(vec![Some(2)]);
/// let keys = KeySet::distinct([&authors, &editors]);
/// assert_eq!(keys, KeySet::Ints([1, 2, 3].into()));
/// assert_eq!((keys.len(), keys.width(), keys.tuples().len()), (3, 1, 3));
///
/// // As many statements as there are chunks.
/// assert_eq!(keys.chunks(2), [KeySet::Ints([1, 2].into()), KeySet::Ints([3].into())]);
/// let nothing = KeySet::distinct([]);
/// assert!(nothing.is_empty() && nothing.chunks(2).is_empty());
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum KeySet {
    /// Single integers.
    Ints(Arc<[i64]>),
    /// Anything else, each `width` values wide.
    Tuples(Arc<[KeyTuple]>),
}

impl KeySet {
    /// The distinct keys of rows, `NULL`s dropped, sorted.
    #[must_use]
    pub fn distinct<'a>(all: impl IntoIterator<Item = &'a RowKeys>) -> KeySet {
        let all: Vec<&RowKeys> = all.into_iter().collect();
        if all.iter().all(|keys| matches!(keys, RowKeys::Ints(_))) {
            let mut ints: Vec<i64> = Vec::with_capacity(all.iter().map(|keys| keys.len()).sum());
            for keys in all {
                if let RowKeys::Ints(keys) = keys {
                    ints.extend(keys.iter().flatten());
                }
            }
            sort_distinct(&mut ints);
            return KeySet::Ints(ints.into());
        }
        let mut seen = std::collections::HashSet::new();
        let mut tuples: Vec<KeyTuple> = Vec::new();
        for keys in all {
            for key in keys.clone().into_tuples().into_iter().flatten() {
                if seen.insert(key.clone()) {
                    tuples.push(key);
                }
            }
        }
        tuples.sort_by(KeyTuple::cmp_values);
        KeySet::Tuples(tuples.into())
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            KeySet::Ints(keys) => keys.len(),
            KeySet::Tuples(keys) => keys.len(),
        }
    }

    /// Whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many columns a key has.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            KeySet::Ints(_) => 1,
            KeySet::Tuples(keys) => keys.first().map_or(1, |key| key.values().len()),
        }
    }

    /// The keys as tuples.
    #[must_use]
    pub fn tuples(&self) -> Vec<KeyTuple> {
        match self {
            KeySet::Ints(keys) => keys.iter().filter_map(|key| KeyTuple::new([Value::Int(*key)])).collect(),
            KeySet::Tuples(keys) => keys.to_vec(),
        }
    }

    /// Parts of at most `size` keys, in order. Without keys there are none, so a look-up for each part runs no statement.
    #[must_use]
    pub fn chunks(&self, size: usize) -> Vec<KeySet> {
        if self.is_empty() {
            return Vec::new();
        }
        let size = size.max(1);
        if self.len() <= size {
            return vec![self.clone()];
        }
        match self {
            KeySet::Ints(keys) => keys.chunks(size).map(|chunk| KeySet::Ints(chunk.into())).collect(),
            KeySet::Tuples(keys) => keys.chunks(size).map(|chunk| KeySet::Tuples(chunk.into())).collect(),
        }
    }
}

// Sorts keys and drops those that are there already. Many rows often have few keys (posts and their tags), close to each
// other: marking them takes a pass, where sorting takes one for each halving of the list.
fn sort_distinct(keys: &mut Vec<i64>) {
    if keys.is_sorted_by(|a, b| a < b) {
        return;
    }
    let smallest = keys.iter().copied().min().unwrap_or(0);
    let span = keys.iter().map(|key| key.abs_diff(smallest)).max().unwrap_or(0);
    if span >= keys.len() as u64 * 4 {
        keys.sort_unstable();
        keys.dedup();
        return;
    }
    let mut present = vec![false; span as usize + 1];
    keys.iter().for_each(|key| present[key.abs_diff(smallest) as usize] = true);
    keys.clear();
    keys.extend((smallest..=i64::MAX).zip(present).filter_map(|(key, present)| present.then_some(key)));
}

/// Single integers stay integers.
impl FromIterator<KeyTuple> for RowKeys {
    fn from_iter<I: IntoIterator<Item = KeyTuple>>(keys: I) -> Self {
        let keys: Vec<KeyTuple> = keys.into_iter().collect();
        let int = |key: &KeyTuple| match key.values() {
            [Value::Int(key)] => Some(Some(*key)),
            _ => None,
        };
        match keys.iter().map(int).collect::<Option<Vec<_>>>() {
            Some(ints) => RowKeys::Ints(ints),
            None => RowKeys::Tuples(keys.into_iter().map(Some).collect()),
        }
    }
}

/// The distinct keys.
impl FromIterator<KeyTuple> for KeySet {
    fn from_iter<I: IntoIterator<Item = KeyTuple>>(keys: I) -> Self {
        KeySet::distinct([&RowKeys::from_iter(keys)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_drops_null_and_duplicates() {
        let keys = RowKeys::Ints(vec![Some(3), None, Some(1), Some(3)]);
        assert_eq!(KeySet::distinct([&keys]), KeySet::Ints([1, 3].into()));
    }

    #[test]
    fn close_and_scattered_keys_are_sorted_alike() {
        let close: Vec<i64> = (0..40).map(|at| at * 7 % 13 - 5).collect();
        let scattered: Vec<i64> = (0..40).map(|at| at * 7 % 13 * 1_000 - 5).collect();
        let ends = vec![i64::MAX, i64::MIN, 0, i64::MAX, i64::MIN];
        let last = vec![i64::MAX, i64::MAX - 1, i64::MAX, i64::MAX - 2];
        for keys in [close, scattered, ends, last, vec![3, 3], Vec::new()] {
            let mut sorted = keys.clone();
            sort_distinct(&mut sorted);
            let expected: std::collections::BTreeSet<i64> = keys.into_iter().collect();
            assert!(sorted.iter().eq(&expected), "{sorted:?}");
        }
    }

    #[test]
    fn a_partly_null_composite_key_refers_to_nothing() {
        assert_eq!(KeyTuple::new([Value::Int(1), Value::Null]), None);
    }

    #[test]
    fn signed_and_unsigned_compare_by_number() {
        let signed = KeyTuple::new([Value::Int(7)]).unwrap();
        let unsigned = KeyTuple::new([Value::UInt(7)]).unwrap();
        assert_eq!(signed, unsigned);
        assert_eq!(unsigned.to_string(), "7");
    }

    #[test]
    fn keys_are_read_back() {
        let key = (7_i64, ("de".to_owned(), 3_u16));
        let mut values = Vec::new();
        key.push_values(&mut values);
        assert_eq!(<(i64, (String, u16))>::from_values(&values), Ok(key));
        assert!(<(i64, i64)>::from_values(&values).is_err(), "text is no number");
        assert!(<(i64, i64)>::from_values(&values[..1]).is_err(), "one is missing");
    }

    #[test]
    fn chunks_cover_every_key_once() {
        let set = KeySet::Ints((0..10).collect());
        let chunks = set.chunks(4);
        assert_eq!(chunks.iter().map(KeySet::len).collect::<Vec<_>>(), [4, 4, 2]);
        assert!(KeySet::Ints([].into()).chunks(4).is_empty());
        assert!(KeySet::Tuples([].into()).chunks(4).is_empty());
    }
}
