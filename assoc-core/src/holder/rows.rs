//! Comparing and showing what lies in a holder, by the functions in the table behind it.

use std::fmt;

use super::nesting;
use crate::row_traits::{DebugFn, RowTraits};

/// A row by its position; none beyond the last.
pub(super) type ByPosition<'f, 'a, T> = &'f (dyn Fn(usize) -> Option<&'a T> + Sync);

/// Whether two holders hold equal rows. That these have `PartialEq` is what the caller was asked for, so the table has it.
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

/// The same of single targets.
pub(super) fn same_target<T: Sync>(traits: Option<RowTraits<T>>, one: Option<&T>, other: Option<&T>) -> bool {
    same_rows(traits, &|at| one.filter(|_| at == 0), &|at| other.filter(|_| at == 0))
}

/// Rows as they are shown: like a list.
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

/// A target as it is shown: like an `Option`.
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

/// A row, shown by its function.
struct ShownRow<'a, T>(&'a T, DebugFn<T>);

impl<T> fmt::Debug for ShownRow<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.1)(self.0, f)
    }
}

/// Rows as they are serialised: a sequence. Each goes to the serialiser as it is: the compiler counts a reference to it as a
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
