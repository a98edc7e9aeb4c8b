//! Ranges instead of lists, for look-ups by integers that are near each other.

use crate::key::KeySet;

/// When a look-up by integers reads a range: [`write_look_up_filter`](super::Dialect::write_look_up_filter) writes keys without gaps so.
/// Where few are missing, a look-up by primary key asks for these as well, and leaves their rows out before it reads them. By other keys it
/// does not, because one of them may have any number of rows.
///
/// ```
/// use assoc_core::dialect::KeyRanges;
/// use assoc_core::driver::KeySet;
///
/// let ranges = KeyRanges { from: 4, gaps_percent: 25 };
/// let set = |keys: &[i64]| KeySet::Ints(keys.into());
/// assert_eq!(ranges.range(&set(&[1, 2, 3, 4])), Some((1, 4)));
/// assert_eq!(ranges.filled(&set(&[1, 2, 4, 5])), Some(set(&[1, 2, 3, 4, 5])));
/// // Too few keys, and too many gaps.
/// assert_eq!((ranges.range(&set(&[1, 2])), ranges.filled(&set(&[1, 4, 8, 9]))), (None, None));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyRanges {
    /// The least number of keys.
    pub from: usize,
    /// How many keys may be missing between the first and the last, in percent of those that are there.
    pub gaps_percent: u64,
}

impl KeyRanges {
    /// The first and the last of keys that are to be read as a range: enough of them, without a gap.
    #[must_use]
    pub fn range(&self, keys: &KeySet) -> Option<(i64, i64)> {
        self.ends(keys).filter(|(.., gaps)| *gaps == 0).map(|(first, last, _)| (first, last))
    }

    /// The keys with those between them, where these make a range, because few are missing.
    #[must_use]
    pub fn filled(&self, keys: &KeySet) -> Option<KeySet> {
        let (first, last, gaps) = self.ends(keys)?;
        let most = keys.len() as u64 * self.gaps_percent / 100;
        (1..=most).contains(&gaps).then(|| KeySet::Ints((first..=last).collect()))
    }

    // The first and the last of enough keys, and how many are missing between.
    fn ends(&self, keys: &KeySet) -> Option<(i64, i64, u64)> {
        let KeySet::Ints(own) = keys else { return None };
        let (first, last) = (*own.first()?, *own.last()?);
        let gaps = last.abs_diff(first).checked_sub(own.len() as u64 - 1)?;
        (own.len() >= self.from).then_some((first, last, gaps))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyTuple;

    #[test]
    fn few_gaps_are_filled() {
        let ranges = KeyRanges { from: 4, gaps_percent: 25 };
        let set = |keys: &[i64]| KeySet::Ints(keys.into());
        for (keys, filled) in [([1, 2, 4, 5], [1, 2, 3, 4, 5]), ([-2, -1, 1, 2], [-2, -1, 0, 1, 2])] {
            assert_eq!((ranges.range(&set(&keys)), ranges.filled(&set(&keys))), (None, Some(set(&filled))));
        }
        // Without gaps it is a range already.
        assert_eq!((ranges.range(&set(&[1, 2, 3, 4])), ranges.filled(&set(&[1, 2, 3, 4]))), (Some((1, 4)), None));
        let texts: KeySet = ["a", "b", "c", "d"].into_iter().filter_map(|text| KeyTuple::new([text.into()])).collect();
        for keys in
            [set(&[1, 2, 5, 6]), set(&[1, 2, 4]), set(&[1, 2, 3]), set(&[i64::MIN, -1, 0, i64::MAX]), set(&[]), texts]
        {
            assert_eq!((ranges.range(&keys), ranges.filled(&keys)), (None, None), "{keys:?}");
        }
    }
}
