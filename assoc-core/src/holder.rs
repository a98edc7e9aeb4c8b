//! The field types of associations: [`HasMany`], [`HasOne`], [`BelongsTo`], [`HasManyThrough`].
//!
//! Each holder is in one of three states ([`LoadState`](crate::LoadState)): not loaded, loaded, or partly loaded
//! through a filter or limit. Reading an association that is not loaded is an error, never an empty list: the two are
//! different facts, and a program that confuses them deletes data one day. "Loaded and empty" is loaded.

mod aggregated;
mod belongs_to;
mod cell;
mod erased;
mod field_accessor;
mod has_many;
mod has_many_through;
mod has_one;
mod join_rows;
mod nesting;
mod rows;
mod taken;

pub use aggregated::{AggregateAccess, Aggregated};
pub use belongs_to::BelongsTo;
pub use field_accessor::FieldAccessor;
pub use has_many::HasMany;
pub use has_many_through::{HasAndBelongsToMany, HasManyThrough};
pub use has_one::HasOne;
pub use join_rows::{JoinRow, WithJoinRows, WithJoinRowsMut};
pub use taken::Taken;

use crate::error::NotLoadedReason;
use crate::metadata::model::Model;
use crate::row_traits::RowTraits;

// `ToOne` and `JoinRow` are for these types alone.
mod sealed {
    use super::TargetRow;
    use crate::metadata::model::Model;

    pub trait ToOne {}
    impl<T: TargetRow> ToOne for T {}
    impl<T: TargetRow> ToOne for Option<T> {}

    pub trait JoinRow {}
    impl JoinRow for () {}
    impl<M: Model> JoinRow for M {}
}

/// A single target: a model, or an enum of models.
///
/// `#[derive(Model)]` and `#[derive(Polymorphic)]` implement it; a program does not implement it by hand.
pub trait TargetRow: Clone + Send + Sync + 'static {
    /// The functions of the target's `PartialEq` and `Debug`, where it has them.
    #[doc(hidden)]
    const ROW_TRAITS: RowTraits<Self>;
}

impl<M: Model> TargetRow for M {
    const ROW_TRAITS: RowTraits<M> = <M as Model>::ROW_TRAITS;
}

/// The parameter of a to-one holder: a model `T`, if there must be a target, or `Option<T>`.
///
/// ```
/// use assoc_core::{NotLoadedReason, ToOne};
/// # #[derive(assoc_macros::Model, Debug, Clone, PartialEq)]
/// # struct Team { id: i64 }
///
/// let team = Team { id: 7 };
/// assert_eq!(<Team as ToOne>::read(Some(&team)), Ok(&team));
/// // Without a target one holder has an error, the other has no target.
/// assert_eq!(<Team as ToOne>::read(None), Err(NotLoadedReason::NoRow));
/// assert_eq!(<Option<Team> as ToOne>::read(None), Ok(None));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the target of an association",
    label = "neither a model nor an `Option` of one",
    note = "add `#[derive(Model)]` to the target"
)]
pub trait ToOne: sealed::ToOne + 'static {
    /// The target's model.
    type Target: TargetRow;

    /// The type that reading gives: `&T`, or `Option<&T>`.
    type Read<'a>;

    /// Whether the association may have no target.
    const OPTIONAL: bool;

    /// Turns the loaded target into what reading gives.
    ///
    /// # Errors
    /// [`NotLoadedReason::NoRow`] if there must be a target and the loaded association has none.
    fn read(target: Option<&Self::Target>) -> Result<Self::Read<'_>, NotLoadedReason>;
}

impl<T: TargetRow> ToOne for T {
    type Target = T;
    type Read<'a> = &'a T;
    const OPTIONAL: bool = false;

    fn read(target: Option<&T>) -> Result<&T, NotLoadedReason> {
        target.ok_or(NotLoadedReason::NoRow)
    }
}

impl<T: TargetRow> ToOne for Option<T> {
    type Target = T;
    type Read<'a> = Option<&'a T>;
    const OPTIONAL: bool = true;

    fn read(target: Option<&T>) -> Result<Option<&T>, NotLoadedReason> {
        Ok(target)
    }
}
