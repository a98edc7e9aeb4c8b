//! Sums of floats within a column's type. SQLite knows double precision only: its `+` gives a sum that no float of single
//! precision equals, makes an infinity of a sum that is too large, and `NULL` of one that is no number.

use assoc_core::dialect::Sign;

use super::{Argument, Refused};

/// What [`REAL_PLUS`](super::REAL_PLUS) and [`REAL_MINUS`](super::REAL_MINUS) answer. Their arguments are the column, the value
/// and the column's bits, 32 or 64: the sum is the float of that many bits that is nearest.
///
/// # Errors
/// When one of the arguments is no number, or the sum is none: it is beyond the largest one, or that of opposite infinities.
///
/// ```
/// use assoc_core::dialect::Sign;
/// use assoc_dialects::sqlite::functions::Argument::{Integer, Real};
/// use assoc_dialects::sqlite::functions::reals;
///
/// let plus = |one, other, bits| reals::sum([Real(one), Real(other), Integer(bits)], Sign::Plus);
/// let single = plus(f64::from(0.1_f32), f64::from(0.2_f32), 32).unwrap();
/// assert_eq!(single, Some(f64::from(0.1_f32 + 0.2_f32)));
/// assert!(plus(f64::MAX, f64::MAX, 64).is_err());
/// ```
pub fn sum(arguments: [Argument<'_>; 3], sign: Sign) -> Result<Option<f64>, Refused> {
    let [one, other, bits] = arguments;
    if one == Argument::Null || other == Argument::Null {
        return Ok(None);
    }
    let (one, other) = (number(one)?, number(other)?);
    let sum = if sign == Sign::Plus { one + other } else { one - other };
    let sum = if bits == Argument::Integer(32) { narrowed(sum) } else { sum };
    if sum.is_nan() || sum.is_infinite() && one.is_finite() && other.is_finite() {
        let sign = if sign == Sign::Plus { '+' } else { '-' };
        return Err(Refused::new(format_args!("{one:e} {sign} {other:e} is beyond the numbers that the column holds")));
    }
    Ok(Some(sum))
}

fn number(value: Argument<'_>) -> Result<f64, Refused> {
    match value {
        Argument::Real(number) => Ok(number),
        // A column without a type keeps whole numbers as integers. What is lost beyond 2^53, the column's type does not hold.
        #[allow(clippy::cast_precision_loss)]
        Argument::Integer(number) => Ok(number as f64),
        other => Err(Refused::new(format_args!("{} in the column is no number", other.class()))),
    }
}

// Twice rounded is as once: a double has more than two times the digits of a single.
#[allow(clippy::cast_possible_truncation)]
fn narrowed(number: f64) -> f64 {
    f64::from(number as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Argument::{Integer, Null, Real, Text};

    #[test]
    fn sums_are_numbers_of_the_column() {
        let single = |one, other, sign| sum([one, other, Integer(32)], sign);
        let double = |one, other, sign| sum([one, other, Integer(64)], sign);
        assert_eq!(double(Real(0.1), Real(0.2), Sign::Plus), Ok(Some(0.1 + 0.2)));
        assert_eq!(double(Integer(3), Real(0.5), Sign::Minus), Ok(Some(2.5)));
        assert_eq!(single(Real(16_777_216.0), Real(1.0), Sign::Plus), Ok(Some(16_777_216.0)));
        assert_eq!(single(Null, Real(1.0), Sign::Plus), Ok(None));
        let largest = f64::from(f32::MAX);
        assert!(single(Real(largest), Real(largest), Sign::Plus).unwrap_err().to_string().contains("beyond"));
        assert_eq!(double(Real(largest), Real(largest), Sign::Plus), Ok(Some(largest * 2.0)));
        assert!(double(Real(f64::MIN), Real(f64::MAX), Sign::Minus).is_err());
        assert_eq!(double(Real(f64::INFINITY), Real(1.0), Sign::Plus), Ok(Some(f64::INFINITY)));
        assert!(double(Real(f64::INFINITY), Real(f64::INFINITY), Sign::Minus).is_err());
        assert!(double(Text(b"1.5"), Real(1.0), Sign::Plus).is_err());
    }
}
