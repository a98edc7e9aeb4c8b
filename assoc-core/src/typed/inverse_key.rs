//! The foreign key that an association takes from its inverse.

use std::marker::PhantomData;

/// The columns by which a `belongs_to` refers to `O`, with their types `F` as a tuple. A constant beside that of each
/// `belongs_to` to one model.
#[derive(Debug, Clone, Copy)]
pub struct KeyOfInverse<O, F> {
    columns: &'static [usize],
    types: PhantomData<fn() -> (O, F)>,
}

impl<O, F> KeyOfInverse<O, F> {
    /// These columns.
    #[must_use]
    pub const fn new(columns: &'static [usize]) -> Self {
        KeyOfInverse { columns, types: PhantomData }
    }

    /// The columns.
    #[must_use]
    pub const fn columns(&self) -> &'static [usize] {
        self.columns
    }
}

/// A foreign key that refers to `O`, which a `has_one` or `has_many` of `O` can take from the `belongs_to` that it names.
#[diagnostic::on_unimplemented(
    message = "`inverse_of` does not name a `belongs_to` that leads back to `{O}`",
    label = "no `belongs_to` of the target has this name and leads to `{O}`, so there is no foreign key to take from it",
    note = "name the `belongs_to` by its field, or say that there is none with `inverse_of = false`; a foreign key is named with `foreign_key = \"…\"`"
)]
pub trait RefersTo<O> {
    /// The types of its columns.
    type Columns;
}

impl<O, F> RefersTo<O> for KeyOfInverse<O, F> {
    type Columns = F;
}
