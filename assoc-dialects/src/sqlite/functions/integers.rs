//! Sums of integers within the limits of a column's type. SQLite's `+` makes a float of a sum that overflows, and its
//! columns hold integers of any size, which a narrower field could not be read from.

use assoc_core::dialect::Sign;

use super::{Argument, Refused};

/// What [`INTEGER_PLUS`](super::INTEGER_PLUS) and [`INTEGER_MINUS`](super::INTEGER_MINUS) answer. Their arguments are the
/// column, the value, the least and the greatest sum.
///
/// # Errors
/// When the sum is not between the two, or one of the arguments is no integer.
///
/// ```
/// use assoc_core::dialect::Sign;
/// use assoc_dialects::sqlite::functions::Argument::Integer;
/// use assoc_dialects::sqlite::functions::integers;
///
/// // A column of 8 bits.
/// let byte = |one, other| integers::sum([Integer(one), Integer(other), Integer(-128), Integer(127)], Sign::Plus);
/// assert_eq!(byte(100, 27).unwrap(), Some(127));
/// assert!(byte(100, 28).is_err());
/// ```
pub fn sum(arguments: [Argument<'_>; 4], sign: Sign) -> Result<Option<i64>, Refused> {
    let (one, other) = match (arguments[0], arguments[1]) {
        (Argument::Null, _) | (_, Argument::Null) => return Ok(None),
        (Argument::Integer(one), Argument::Integer(other)) => (i128::from(one), i128::from(other)),
        (one, _) => return Err(Refused::new(format_args!("{} in the column is no integer", one.class()))),
    };
    let (Argument::Integer(least), Argument::Integer(greatest)) = (arguments[2], arguments[3]) else {
        return Err(Refused::new("the limits of the column are no integers"));
    };
    let sum = if sign == Sign::Plus { one + other } else { one - other };
    match i64::try_from(sum) {
        Ok(sum) if (least..=greatest).contains(&sum) => Ok(Some(sum)),
        _ => Err(Refused::new(format_args!("{sum} does not fit the column, which ends at {least} and {greatest}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Argument::{Integer, Null, Text};

    #[test]
    fn sums_stay_within_the_column() {
        let byte = |one, other, sign| sum([one, other, Integer(-128), Integer(127)], sign);
        assert_eq!(byte(Integer(100), Integer(27), Sign::Plus), Ok(Some(127)));
        assert_eq!(byte(Integer(-100), Integer(28), Sign::Minus), Ok(Some(-128)));
        assert_eq!(byte(Null, Integer(1), Sign::Plus), Ok(None));
        assert!(byte(Integer(100), Integer(28), Sign::Plus).unwrap_err().to_string().contains("does not fit"));
        assert!(byte(Text(b"1"), Integer(1), Sign::Plus).is_err());
        assert!(sum([Integer(i64::MAX), Integer(1), Integer(i64::MIN), Integer(i64::MAX)], Sign::Plus).is_err());
    }
}
