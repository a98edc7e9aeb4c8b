//! A table with the functions of a target's `PartialEq` and `Debug`, where it has them.
//!
//! `HasMany<Post>` is `PartialEq` if `Post` is. A direct call of `Post`'s `eq` makes the compiler instantiate it, then
//! the `eq` of the holders in `Post`, of the models in these and so on through the program. The compiler stops at its
//! recursion limit: 128 models that refer to each other. So holders find the function in a table behind their trait
//! object (`holder/erased.rs`), and instantiate nothing. The derive fills the table, because there the target is a
//! named type; a generic function cannot ask whether its parameter has a trait.
//!
//! `Serialize` is not in the table: its method is generic over the serialiser, and no table can have a function for
//! each. Serialisers behind a trait object (`erased_serde`) are wrapped once more at each level of nested rows, and
//! each wrapper wraps what passes through it, so the work doubles with each level. Serialising therefore instantiates
//! model after model.

use std::fmt;
use std::marker::PhantomData;

/// Compares two rows.
pub(crate) type EqFn<T> = fn(&T, &T) -> bool;

/// Shows a row.
pub(crate) type DebugFn<T> = fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result;

/// The traits of a target; `None` for those it does not have.
pub struct RowTraits<T> {
    pub(crate) eq: Option<EqFn<T>>,
    pub(crate) debug: Option<DebugFn<T>>,
}

impl<T> RowTraits<T> {
    /// The table. Written by the derives.
    #[must_use]
    pub const fn new(eq: Option<EqFn<T>>, debug: Option<DebugFn<T>>) -> Self {
        RowTraits { eq, debug }
    }
}

impl<T> Clone for RowTraits<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for RowTraits<T> {}

impl RowTraits<()> {
    /// The traits of what is not there.
    pub(crate) const NOTHING: Self = RowTraits::new(Some(|(), ()| true), Some(fmt::Debug::fmt));
}

/// Finds out which traits a type has. A constant of `TraitsOf<T>` itself wins over the one of [`MissingTraits`], and it exists
/// only if `T` has the trait.
pub struct TraitsOf<T>(PhantomData<T>);

/// The answer for traits that a type does not have.
pub trait MissingTraits<T> {
    /// No `PartialEq`.
    const EQ: Option<EqFn<T>> = None;
    /// No `Debug`.
    const DEBUG: Option<DebugFn<T>> = None;
}

impl<T> MissingTraits<T> for TraitsOf<T> {}

impl<T: PartialEq> TraitsOf<T> {
    /// Its `PartialEq`.
    pub const EQ: Option<EqFn<T>> = Some(T::eq);
}

impl<T: fmt::Debug> TraitsOf<T> {
    /// Its `Debug`.
    pub const DEBUG: Option<DebugFn<T>> = Some(T::fmt);
}
