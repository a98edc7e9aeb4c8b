//! Comparing and showing the rows in a holder, by the functions behind it. Rows are asked for by position.

use std::fmt;

use super::nesting;
use crate::row_traits::{DebugFn, RowTraits};

/// Whether two holders hold equal rows. That these have `PartialEq` is what the caller was asked for, so the table has it.
pub(super) fn same_rows<'a, T: 'a>(
    traits: Option<RowTraits<T>>,
    one: impl Fn(usize) -> Option<&'a T> + Sync,
    other: impl Fn(usize) -> Option<&'a T> + Sync,
) -> bool {
    let eq = traits.and_then(|traits| traits.eq);
    let mut same = true;
    nesting::run(&mut || {
        for at in 0.. {
            same = match (one(at), other(at)) {
                (Some(one), Some(other)) => eq.is_some_and(|eq| eq(one, other)),
                (None, None) => break,
                _ => false,
            };
            if !same {
                break;
            }
        }
    });
    same
}

/// A single target by position.
pub(super) fn at_first<'a, T: Sync>(target: Option<&'a T>) -> impl Fn(usize) -> Option<&'a T> + Sync {
    move |at| target.filter(|_| at == 0)
}

/// Rows as they are shown: like a list.
pub(super) struct ShownRows<T, F>(pub(super) Option<RowTraits<T>>, pub(super) F);

impl<'a, T: 'a, F: Fn(usize) -> Option<&'a T>> fmt::Debug for ShownRows<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        if let Some(debug) = self.0.and_then(|traits| traits.debug) {
            list.entries((0..).map_while(&self.1).map(|row| ShownRow(row, debug)));
        }
        list.finish()
    }
}

/// A target as it is shown: like an `Option`.
pub(super) struct ShownTarget<'a, T>(pub(super) Option<RowTraits<T>>, pub(super) Option<&'a T>);

impl<T> fmt::Debug for ShownTarget<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.1, self.0.and_then(|traits| traits.debug)) {
            (Some(row), Some(debug)) => f.debug_tuple("Some").field(&ShownRow(row, debug)).finish(),
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
