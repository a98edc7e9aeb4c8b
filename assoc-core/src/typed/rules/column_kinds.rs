//! Which columns a rule is for.

use crate::column_type::{ColumnType, each_ordered_type};
use crate::typed::column::TextColumn;

/// A column whose values have a length: text (in characters), bytes, and `Option` of those. A newtype of text has one once it
/// is a [`TextColumn`].
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` has no length",
    label = "neither text nor bytes",
    note = "`length` is for columns of text or bytes, and `Option` of those; implement `TextColumn` for a newtype of text. \
            Numbers have a `range`, lists of members a count: `rules.members(User::POSTS, 1..)`"
)]
pub trait HasLength: ColumnType {}
impl<V: TextColumn> HasLength for V {}
impl HasLength for Vec<u8> {}
impl HasLength for Option<Vec<u8>> {}

/// A column whose values have an order that rules compare by: integers, floats, decimals, dates and times, and `Option` of
/// those.
///
/// Implement it for a newtype of one of them to have `range` on its columns:
///
/// ```
/// use assoc_core::OrderedColumn;
/// # use assoc_macros::ColumnType;
///
/// #[derive(ColumnType, Debug, Clone, Copy)]
/// struct Cents(i64);
///
/// impl OrderedColumn for Cents {
///     type Bound = i64;
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` has no range",
    label = "neither a number nor a date or time",
    note = "`range`, `greater` and `less` are for numbers, dates and times, and `Option` of those; implement `OrderedColumn` \
            for a newtype of one of them. Text has a `length`"
)]
pub trait OrderedColumn: ColumnType {
    /// The type of the range's ends.
    type Bound: ColumnType;
}

/// A column of integers, and `Option` of one.
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` holds no integers",
    label = "not an integer",
    note = "`odd`, `even` and `multiple` are for columns of integers, and `Option` of those"
)]
pub trait IntegerColumn: ColumnType {}

/// A column of booleans, and `Option` of one.
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` cannot be accepted",
    label = "not a boolean",
    note = "`accepted` is for columns of `bool`, and `Option` of it; what is not stored is accepted by `acceptance(\"terms\")`"
)]
pub trait BoolColumn: ColumnType {}
impl BoolColumn for bool {}
impl BoolColumn for Option<bool> {}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl IntegerColumn for $type {}
        impl IntegerColumn for Option<$type> {}
    )+};
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64);

macro_rules! ordered {
    ($($(#[$gate:meta])* $type:ty),* $(,)?) => {$(
        $(#[$gate])*
        impl OrderedColumn for $type {
            type Bound = $type;
        }
        $(#[$gate])*
        impl OrderedColumn for Option<$type> {
            type Bound = $type;
        }
    )*};
}

each_ordered_type!(ordered);
