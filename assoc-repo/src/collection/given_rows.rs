//! The rows that `delete` and `destroy` take.

use std::marker::PhantomData;
use std::sync::Arc;

use assoc_core::Model;

/// A row of model `T`: `&T`, an `Arc<T>` or a reference to one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no row of `{T}`",
    label = "only rows that exist can be taken away",
    note = "give `&{T}`, an `Arc<{T}>`, or an iterator of them"
)]
pub trait IntoRow<T> {
    /// Shows the row.
    #[doc(hidden)]
    fn show(self, take: &mut dyn FnMut(&T));
}

impl<T: Model> IntoRow<T> for &T {
    fn show(self, take: &mut dyn FnMut(&T)) {
        take(self);
    }
}

impl<T: Model> IntoRow<T> for &Arc<T> {
    fn show(self, take: &mut dyn FnMut(&T)) {
        take(self);
    }
}

impl<T: Model> IntoRow<T> for Arc<T> {
    fn show(self, take: &mut dyn FnMut(&T)) {
        take(&self);
    }
}

/// Rows of model `T` that exist: one ([`IntoRow`]), or an iterator of them.
///
/// `How` tells these cases apart; programs never name it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a row of `{T}` nor an iterator of such rows",
    label = "only rows that exist can be taken away",
    note = "give `&{T}`, an `Arc<{T}>`, or an iterator of them; `delete_ids` and `destroy_ids` take keys"
)]
pub trait IntoRows<T, How> {
    /// Shows the rows, one after the other.
    #[doc(hidden)]
    fn each_row(self, take: &mut dyn FnMut(&T));
}

/// One row.
#[doc(hidden)]
pub struct OneRow(());

/// Several.
#[doc(hidden)]
pub struct EachRow(PhantomData<()>);

impl<T, X: IntoRow<T>> IntoRows<T, OneRow> for X {
    fn each_row(self, take: &mut dyn FnMut(&T)) {
        self.show(take);
    }
}

impl<T, I: IntoIterator<Item: IntoRow<T>>> IntoRows<T, EachRow> for I {
    fn each_row(self, take: &mut dyn FnMut(&T)) {
        self.into_iter().for_each(|row| row.show(take));
    }
}
