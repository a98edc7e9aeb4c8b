//! The types of sums and means, which are wider than the summed column.

use crate::column_type::ColumnType;

/// The type of a column that can be summed.
///
/// | column | sum | mean |
/// |---|---|---|
/// | `i8` to `i64`, `u8` to `u32`, `bool` | `i64` | `f64` |
/// | `u64` | `u64` | `f64` |
/// | `f32`, `f64` | `f64` | `f64` |
/// | `Decimal` | `Decimal`, exact | `Decimal`, to the last digit that one holds |
///
/// A newtype of a number has no sum until the program implements this trait for it:
///
/// ```
/// use assoc_core::Summable;
/// # use assoc_macros::ColumnType;
///
/// #[derive(ColumnType, Debug, Clone, Copy)]
/// struct Cents(i64);
///
/// impl Summable for Cents {
///     type Sum = Option<Cents>;
///     type Mean = Option<f64>;
/// }
/// ```
///
/// Over no rows both are `None`. A sum that does not fit is an error on every database; it is never wrapped or rounded.
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` cannot be summed",
    label = "neither an integer, a float nor a decimal",
    note = "`sum` and `avg` are for integers, floats, bool and decimals, and `Option` of those; implement \
            `Summable` for a newtype of one of them"
)]
pub trait Summable: ColumnType {
    /// The Rust type of the column's sum.
    type Sum: ColumnType;
    /// The Rust type of the column's mean.
    type Mean: ColumnType;
}

macro_rules! summable {
    ($($($type:ty),+ => $sum:ty, $mean:ty;)*) => {$($(
        impl Summable for $type {
            type Sum = Option<$sum>;
            type Mean = Option<$mean>;
        }
        impl Summable for Option<$type> {
            type Sum = Option<$sum>;
            type Mean = Option<$mean>;
        }
    )+)*};
}

summable! {
    i8, i16, i32, i64, u8, u16, u32, bool => i64, f64;
    u64 => u64, f64;
    f32, f64 => f64, f64;
}
#[cfg(feature = "rust_decimal")]
summable! {
    ::rust_decimal::Decimal => ::rust_decimal::Decimal, ::rust_decimal::Decimal;
}
