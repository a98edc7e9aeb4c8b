//! The functions that a client has to register, because SQLite has neither decimals, nor floats of single precision, nor sums
//! that fail where they overflow.
//!
//! What they answer is computed by [`decimals`], [`integers`] and [`reals`], for whatever client calls them: the client hands over
//! [`Argument`]s and takes an [`Answer`].

mod argument;
pub mod decimals;
pub mod integers;
pub mod reals;

pub(crate) use argument::REFUSED;
pub use argument::{Answer, Argument, Refused};

/// Before and behind a value: bytes that compare as decimals do.
pub const DECIMAL_KEY: (&str, &str) = ("assoc_decimal(", ")");
/// The aggregate that adds decimals.
pub const DECIMAL_SUM: &str = "assoc_decimal_sum";
/// The aggregate that is the mean of decimals.
pub const DECIMAL_AVG: &str = "assoc_decimal_avg";
/// The aggregate that is the least decimal.
pub const DECIMAL_MIN: &str = "assoc_decimal_min";
/// The aggregate that is the greatest decimal.
pub const DECIMAL_MAX: &str = "assoc_decimal_max";
/// The sum of two decimals.
pub const DECIMAL_PLUS: &str = "assoc_decimal_plus";
/// The difference of two decimals.
pub const DECIMAL_MINUS: &str = "assoc_decimal_minus";
/// Before and behind a column: what an index on decimals is on.
pub const DECIMAL_INDEXED: (&str, &str) = ("CAST(", " AS REAL)");

/// The sum of two integers, with the least and the greatest number that the column holds.
pub const INTEGER_PLUS: &str = "assoc_integer_plus";
/// The difference of two integers, with the same limits.
pub const INTEGER_MINUS: &str = "assoc_integer_minus";
/// The sum of two floats, of which the first is a column's, with the bits that the column has.
pub const REAL_PLUS: &str = "assoc_real_plus";
/// The difference of two floats, with the same bits.
pub const REAL_MINUS: &str = "assoc_real_minus";
