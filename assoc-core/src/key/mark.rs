//! A key in 64 bits: what a holder remembers of the key by which its rows were loaded.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZeroU64;

use super::KeyTuple;
use crate::value::Value;

/// A key in 64 bits, to see that an owner has another key than before. Integers have different marks; of other keys two in
/// 2^64 have the same one. Texts that differ in case or in blanks at the end have one mark, because a database may match
/// them.
///
/// ```
/// use assoc_core::execution::{KeyMark, KeyTuple};
///
/// let of_text = |text: &'static str| KeyMark::of(KeyTuple::new([text.into()]).as_ref());
/// // A database may match these two, so their marks do not tell them apart.
/// assert_eq!(of_text("DE"), of_text("de "));
/// assert_ne!(of_text("de"), of_text("fr"));
/// assert_eq!(KeyMark::of(KeyTuple::new([7_i64.into()]).as_ref()), KeyMark::of_int(7));
/// assert_ne!(KeyMark::of(None), KeyMark::of_int(0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyMark(NonZeroU64);

impl KeyMark {
    /// The mark of a key, or of having none.
    #[must_use]
    pub fn of(key: Option<&KeyTuple>) -> Self {
        let values = match key {
            None => return KeyMark(NonZeroU64::MIN),
            Some(key) => key.values(),
        };
        if let [Value::Int(int)] = values {
            return KeyMark::of_int(*int);
        }
        let mut hasher = DefaultHasher::new();
        values.len().hash(&mut hasher);
        for value in values {
            let folded = match value {
                Value::Text(text) => Value::Text(folded(text).into()),
                other => other.clone(),
            };
            KeyTuple::of_row([folded]).hash(&mut hasher);
        }
        KeyMark::new(hasher.finish())
    }

    /// The mark of a key that is one integer.
    #[must_use]
    pub fn of_int(key: i64) -> Self {
        // One to one, and the keys that occur are far from the marks that mean something else.
        KeyMark::new(key.cast_unsigned().wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1 << 63))
    }

    fn new(mark: u64) -> Self {
        KeyMark(NonZeroU64::new(mark).unwrap_or(NonZeroU64::MAX))
    }
}

/// Text without what the databases' collations commonly ignore: case, and blanks at the end.
pub(crate) fn folded(text: &str) -> String {
    text.trim_end().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(values: &[Value<'static>]) -> KeyMark {
        KeyMark::of(KeyTuple::new(values.iter().cloned()).as_ref())
    }

    #[test]
    fn keys_have_marks_of_their_own() {
        let keys = [
            mark(&[Value::Null]),
            mark(&[Value::Int(0)]),
            mark(&[Value::Int(1)]),
            mark(&[Value::Int(-1)]),
            mark(&[Value::Int(i64::MIN)]),
            mark(&[Value::Int(1), Value::Int(2)]),
            mark(&[Value::Int(2), Value::Int(1)]),
            mark(&[Value::from("1")]),
            mark(&[Value::from("a"), Value::from("b")]),
            mark(&[Value::from("ab"), Value::from("")]),
            mark(&[Value::Uuid([7; 16])]),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(!keys[..at].contains(key), "{at}");
        }
    }

    #[test]
    fn what_a_database_may_match_has_one_mark() {
        assert_eq!(mark(&[Value::from("De ")]), mark(&[Value::from("de")]));
        assert_eq!(mark(&[Value::UInt(7)]), mark(&[Value::Int(7)]));
        assert_eq!(mark(&[Value::Int(7)]), KeyMark::of_int(7));
    }
}
