//! Which rows of a joined statement were there before: a row of it brings the same targets again and again, and each is
//! decoded once.
//!
//! Nearly all keys are single integers, for which nothing is allocated.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use assoc_core::{KeyTuple, Value};

use super::index::IntHasher;

/// The positions of rows by their keys, in the order in which they came first.
#[derive(Default)]
pub(super) struct Known {
    pub(super) count: u32,
    ints: HashMap<i64, u32, BuildHasherDefault<IntHasher>>,
    tuples: HashMap<KeyTuple, u32>,
    last: Option<(i64, u32)>,
}

impl Known {
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
    fn keys_of_all_kinds_are_found_again() {
        let mut known = Known::default();
        let row = |one: i64, other: &str| [Value::Int(one), Value::from(other.to_owned()), Value::UInt(7)];
        assert_eq!(known.position(&row(1, "a"), &[0]), (0, true));
        assert_eq!(known.position(&row(1, "b"), &[0]), (0, false));
        assert_eq!(known.position(&row(2, "a"), &[0]), (1, true));
        assert_eq!(known.position(&row(1, "a"), &[0]), (0, false));
        assert_eq!(known.position(&row(1, "a"), &[1]), (2, true));
        assert_eq!(known.position(&row(9, "a"), &[1]), (2, false));
        assert_eq!(known.position(&row(1, "a"), &[0, 1]), (3, true));
        assert_eq!(known.position(&row(1, "b"), &[0, 1]), (4, true));
        assert_eq!(known.position(&row(1, "a"), &[0, 1]), (3, false));
        // An unsigned seven is a seven.
        assert_eq!(known.position(&row(7, ""), &[2]), (5, true));
        assert_eq!(known.position(&row(7, ""), &[0]), (5, false));
        assert_eq!(known.next(), (6, true));
    }
}
