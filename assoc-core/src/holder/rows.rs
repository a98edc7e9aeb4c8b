//! Compares and shows the content of holders, by the functions in their tables.

use std::fmt;

use super::nesting;
use crate::row_traits::{DebugFn, RowTraits};

/// Rows in a holder. A trait and no closure, because a build without optimisation compiles a closure as three functions.
pub(super) trait ByPosition<T>: Sync {
    /// A row by its position; `None` beyond the last.
    fn at(&self, position: usize) -> Option<&T>;
}

/// Whether two holders contain equal rows. The caller's bound guarantees `PartialEq`, so the table has its function.
pub(super) fn same_rows<T>(traits: Option<RowTraits<T>>, one: &dyn ByPosition<T>, other: &dyn ByPosition<T>) -> bool {
    let mut same = true;
    nesting::run(&mut || {
        let mut at = 0;
        while same {
            same = match (one.at(at), other.at(at), traits) {
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
    let (one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (None, None) => return true,
        _ => return false,
    };
    let Some(RowTraits { eq: Some(eq), .. }) = traits else { return false };
    let mut same = false;
    nesting::run(&mut || same = eq(one, other));
    same
}

/// Rows that show themselves as a list.
pub(super) struct ShownRows<'f, T>(pub(super) Option<RowTraits<T>>, pub(super) &'f dyn ByPosition<T>);

impl<T> fmt::Debug for ShownRows<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        if let Some(RowTraits { debug: Some(debug), .. }) = self.0 {
            let mut at = 0;
            while let Some(row) = self.1.at(at) {
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
