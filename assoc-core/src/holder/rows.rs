//! Compares and shows the content of holders, by the functions in their tables.

use std::fmt;

use super::nesting;
use crate::row_traits::{DebugFn, RowTraits};

/// A row by its position; `None` beyond the last.
pub(super) type ByPosition<'f, 'a, T> = &'f (dyn Fn(usize) -> Option<&'a T> + Sync);

/// Whether two holders contain equal rows. The caller's bound guarantees `PartialEq`, so the table has its function.
pub(super) fn same_rows<'a, T: 'a>(
    traits: Option<RowTraits<T>>,
    one: ByPosition<'_, 'a, T>,
    other: ByPosition<'_, 'a, T>,
) -> bool {
    let mut same = true;
    nesting::run(&mut || {
        let mut at = 0;
        while same {
            same = match (one(at), other(at), traits) {
                (Some(one), Some(other), Some(RowTraits { eq: Some(eq), .. })) => eq(one, other),
                (None, None, _) => break,
                _ => false,
            };
            at += 1;
        }
    });
    same
}

/// Whether two holders contain equal single targets.
pub(super) fn same_target<T: Sync>(traits: Option<RowTraits<T>>, one: Option<&T>, other: Option<&T>) -> bool {
    same_rows(traits, &|at| one.filter(|_| at == 0), &|at| other.filter(|_| at == 0))
}

/// Rows that show themselves as a list.
pub(super) struct ShownRows<'f, 'a, T>(pub(super) Option<RowTraits<T>>, pub(super) ByPosition<'f, 'a, T>);

impl<T> fmt::Debug for ShownRows<'_, '_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        if let Some(RowTraits { debug: Some(debug), .. }) = self.0 {
            let mut at = 0;
            while let Some(row) = (self.1)(at) {
                list.entry(&ShownRow(row, debug));
                at += 1;
            }
        }
        list.finish()
    }
}

/// A target that shows itself as an `Option`.
pub(super) struct ShownTarget<'a, T>(pub(super) Option<RowTraits<T>>, pub(super) Option<&'a T>);

impl<T> fmt::Debug for ShownTarget<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.1, self.0) {
            (Some(row), Some(RowTraits { debug: Some(debug), .. })) => {
                f.debug_tuple("Some").field(&ShownRow(row, debug)).finish()
            }
            _ => f.write_str("None"),
        }
    }
}

/// A row that shows itself by its `Debug` function.
struct ShownRow<'a, T>(&'a T, DebugFn<T>);

impl<T> fmt::Debug for ShownRow<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.1)(self.0, f)
    }
}

/// Rows that serialise as a sequence. Each row goes to the serialiser itself, because the compiler counts a reference
/// to it as one more level of nesting.
/// level more.
#[cfg(feature = "serde")]
pub(super) struct SerializedRows<'a, R, T>(pub(super) &'a [R], pub(super) fn(&R) -> &T);

#[cfg(feature = "serde")]
impl<R, T: serde::Serialize> serde::Serialize for SerializedRows<'_, R, T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;

        let mut sequence = serializer.serialize_seq(Some(self.0.len()))?;
        for row in self.0 {
            sequence.serialize_element((self.1)(row))?;
        }
        sequence.end()
    }
}
