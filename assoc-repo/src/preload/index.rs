//! Which distinct key a row's key is, and which row was there before: the look-up tables of the executor.
//!
//! Integer keys dominate. Where they are dense (ids usually are) the table is an array indexed by `key - smallest`;
//! otherwise a hash map with a multiplicative hash, because the standard one costs more than the rest of grouping.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use assoc_core::Value;
use assoc_core::driver::KeySet;
use assoc_core::execution::{KeyTuple, RowKeys};

pub(super) enum KeyIndex<'k> {
    Dense { smallest: i64, places: Vec<u32> },
    Sparse(HashMap<i64, u32, BuildHasherDefault<IntHasher>>),
    Tuples(HashMap<&'k KeyTuple, u32>),
}

const ABSENT: u32 = u32::MAX;

impl<'k> KeyIndex<'k> {
    pub(super) fn new(keys: &'k KeySet) -> Self {
        match keys {
            KeySet::Tuples(keys) => KeyIndex::Tuples(keys.iter().zip(0..).collect()),
            KeySet::Ints(keys) => {
                let smallest = keys.first().copied().unwrap_or(0);
                let span = keys.last().map_or(0, |last| last.abs_diff(smallest));
                if span < keys.len() as u64 * 4 + 64 {
                    let mut places = vec![ABSENT; span as usize + 1];
                    for (at, key) in (0..).zip(keys.iter()) {
                        places[key.abs_diff(smallest) as usize] = at;
                    }
                    KeyIndex::Dense { smallest, places }
                } else {
                    KeyIndex::Sparse(keys.iter().copied().zip(0..).collect())
                }
            }
        }
    }

    pub(super) fn of_int(&self, key: i64) -> Option<usize> {
        let place = match self {
            KeyIndex::Dense { smallest, places } => {
                // Keys below the smallest are not there; the difference of the others fits.
                let offset = usize::try_from(key.checked_sub(*smallest)?).ok()?;
                *places.get(offset)?
            }
            KeyIndex::Sparse(places) => *places.get(&key)?,
            KeyIndex::Tuples(_) => return self.of_tuple(&KeyTuple::new([Value::Int(key)])?),
        };
        (place != ABSENT).then_some(place as usize)
    }

    pub(super) fn of_tuple(&self, key: &KeyTuple) -> Option<usize> {
        match self {
            KeyIndex::Tuples(places) => places.get(key).map(|place| *place as usize),
            _ => match key.values() {
                [Value::Int(key)] => self.of_int(*key),
                _ => None,
            },
        }
    }

    /// The distinct key of each row; `None` where the key is `NULL` or not among them.
    pub(super) fn of_rows(&self, keys: &RowKeys) -> Vec<Option<usize>> {
        match keys {
            RowKeys::Ints(keys) => keys.iter().map(|key| self.of_int((*key)?)).collect(),
            RowKeys::Tuples(keys) => keys.iter().map(|key| self.of_tuple(key.as_ref()?)).collect(),
        }
    }
}

/// Multiplies by a large odd constant: enough for keys that no one chooses in order to collide within one request.
#[derive(Default)]
pub(super) struct IntHasher(u64);

impl Hasher for IntHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    }

    fn write_i64(&mut self, value: i64) {
        self.write_u64(value.cast_unsigned());
    }
}

/// The positions of rows by their keys, in the order in which they came first.
#[derive(Default)]
pub(super) struct RowDedup {
    pub(super) count: u32,
    ints: HashMap<i64, u32, BuildHasherDefault<IntHasher>>,
    tuples: HashMap<KeyTuple, u32>,
    last: Option<(i64, u32)>,
}

impl RowDedup {
    /// The position of the row whose key is at these places, and whether it is new.
    pub(super) fn position(&mut self, values: &[Value<'_>], places: &[usize]) -> (u32, bool) {
        if let [place] = places
            && let Some(Value::Int(int)) = values.get(*place)
        {
            return self.of_int(*int);
        }
        let key = places.iter().map(|at| values.get(*at).cloned().unwrap_or_default().into_owned());
        let key = KeyTuple::of_row(key);
        if let [Value::Int(int)] = key.values() {
            return self.of_int(*int);
        }
        let next = self.count;
        let at = *self.tuples.entry(key).or_insert(next);
        self.add(at == next, at)
    }

    /// The position of a row that is known to be new.
    pub(super) fn next(&mut self) -> (u32, bool) {
        self.add(true, self.count)
    }

    // Rows of one owner come one after the other.
    fn of_int(&mut self, int: i64) -> (u32, bool) {
        if let Some((last, at)) = self.last
            && last == int
        {
            return (at, false);
        }
        let next = self.count;
        let at = *self.ints.entry(int).or_insert(next);
        self.last = Some((int, at));
        self.add(at == next, at)
    }

    fn add(&mut self, new: bool, at: u32) -> (u32, bool) {
        self.count += u32::from(new);
        (at, new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_and_sparse_agree() {
        for keys in [vec![-3, -2, 5], vec![i64::MIN, 0, i64::MAX], vec![7]] {
            let set = KeySet::Ints(keys.clone().into());
            let index = KeyIndex::new(&set);
            for (at, key) in keys.iter().enumerate() {
                assert_eq!(index.of_int(*key), Some(at), "{keys:?}");
            }
            for absent in [-1, 6, i64::MIN + 1, i64::MAX - 1] {
                assert_eq!(index.of_int(absent), None, "{keys:?} {absent}");
            }
        }
    }

    #[test]
    fn null_keys_are_no_key() {
        let set = KeySet::Ints([1, 2].into());
        let index = KeyIndex::new(&set);
        assert_eq!(index.of_rows(&RowKeys::Ints(vec![Some(2), None, Some(9)])), [Some(1), None, None]);
    }

    #[test]
    fn keys_of_all_kinds_are_found_again() {
        let mut dedup = RowDedup::default();
        let row = |one: i64, other: &str| [Value::Int(one), Value::from(other.to_owned()), Value::UInt(7)];
        assert_eq!(dedup.position(&row(1, "a"), &[0]), (0, true));
        assert_eq!(dedup.position(&row(1, "b"), &[0]), (0, false));
        assert_eq!(dedup.position(&row(2, "a"), &[0]), (1, true));
        assert_eq!(dedup.position(&row(1, "a"), &[0]), (0, false));
        assert_eq!(dedup.position(&row(1, "a"), &[1]), (2, true));
        assert_eq!(dedup.position(&row(9, "a"), &[1]), (2, false));
        assert_eq!(dedup.position(&row(1, "a"), &[0, 1]), (3, true));
        assert_eq!(dedup.position(&row(1, "b"), &[0, 1]), (4, true));
        assert_eq!(dedup.position(&row(1, "a"), &[0, 1]), (3, false));
        // An unsigned seven is a seven.
        assert_eq!(dedup.position(&row(7, ""), &[2]), (5, true));
        assert_eq!(dedup.position(&row(7, ""), &[0]), (5, false));
        assert_eq!(dedup.next(), (6, true));
    }
}
