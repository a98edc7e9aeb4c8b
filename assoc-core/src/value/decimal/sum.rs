//! Exact sums and means of decimals, for databases that have floats only.

use super::DecimalNumber;

/// The decimal places that a sum keeps: all places of a decimal with 28.
const PLACES: usize = 28;
const UNIT: i128 = 10_i128.pow(28);
/// The digits before the point, with room for the largest possible number of rows.
const WHOLE_DIGITS: usize = 36;

/// An exact sum.
#[derive(Debug, Clone, Default)]
pub struct DecimalSum {
    whole: i128,
    // In units of 10^-28; may have another sign than the whole part, and be larger than one.
    fraction: i128,
    count: u64,
    places: usize,
}

/// Why a number cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SumError {
    /// It has more than 28 decimal places.
    Places,
    /// It, or the sum, is beyond any decimal.
    Overflow,
}

impl std::fmt::Display for SumError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            SumError::Places => "a number with more than 28 decimal places cannot be summed exactly",
            SumError::Overflow => "the sum of decimals overflows",
        })
    }
}

impl std::error::Error for SumError {}

impl DecimalSum {
    /// Adds a number. `places` are the decimal places in its text; a sum has as many as its longest part.
    ///
    /// # Errors
    /// When the number has too many digits, or the sum would.
    ///
    /// ```
    /// use assoc_core::value::decimal::{DecimalNumber, DecimalSum};
    ///
    /// let mut sum = DecimalSum::default();
    /// for text in ["0.1", "0.25"] {
    ///     let number = DecimalNumber::parse(text).expect("a number");
    ///     sum.add(&number, number.scale())?;
    /// }
    /// assert_eq!(sum.total()?.as_deref(), Some("0.35"));
    /// # Ok::<(), assoc_core::value::decimal::SumError>(())
    /// ```
    pub fn add(&mut self, number: &DecimalNumber, places: usize) -> Result<(), SumError> {
        if number.scale() > PLACES {
            return Err(SumError::Places);
        }
        let before = usize::try_from(number.point).unwrap_or(0);
        if before > WHOLE_DIGITS {
            return Err(SumError::Overflow);
        }
        // Zeros after the point, then digits; or digits, then zeros before the point.
        let digit = |at: i64| usize::try_from(at).ok().and_then(|at| number.digits.get(at)).copied().unwrap_or(0);
        let number_of =
            |from: i64, count: usize| (from..).take(count).fold(0_i128, |sum, at| sum * 10 + i128::from(digit(at)));
        let point = i64::from(number.point);
        let sign = if number.negative { -1 } else { 1 };
        let whole = if point > 0 { number_of(0, before) * sign } else { 0 };
        let fraction = number_of(point, PLACES) * sign;
        self.whole = self.whole.checked_add(whole).ok_or(SumError::Overflow)?;
        self.fraction = self.fraction.checked_add(fraction).ok_or(SumError::Overflow)?;
        self.count += 1;
        self.places = self.places.max(places.min(PLACES));
        Ok(())
    }

    /// How many numbers were added.
    ///
    /// ```
    /// use assoc_core::value::decimal::{DecimalNumber, DecimalSum};
    ///
    /// let mut sum = DecimalSum::default();
    /// for text in ["0.1", "0.25"] {
    ///     let number = DecimalNumber::parse(text).expect("a number");
    ///     sum.add(&number, number.scale())?;
    /// }
    /// assert_eq!(sum.count(), 2);
    /// # Ok::<(), assoc_core::value::decimal::SumError>(())
    /// ```
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    // Sign, whole part and fraction, of one sign.
    fn parts(&self) -> Option<(bool, u128, u128)> {
        let whole = self.whole.checked_add(self.fraction.div_euclid(UNIT))?;
        let fraction = self.fraction.rem_euclid(UNIT);
        if whole < 0 && fraction > 0 {
            return Some((true, (whole + 1).unsigned_abs(), (UNIT - fraction).unsigned_abs()));
        }
        Some((whole < 0, whole.unsigned_abs(), fraction.unsigned_abs()))
    }

    /// The sum, with the decimal places of the longest number; `None` if nothing was added.
    ///
    /// # Errors
    /// When it overflows.
    ///
    /// ```
    /// use assoc_core::value::decimal::{DecimalNumber, DecimalSum};
    ///
    /// let mut sum = DecimalSum::default();
    /// for text in ["0.1", "0.25"] {
    ///     let number = DecimalNumber::parse(text).expect("a number");
    ///     sum.add(&number, number.scale())?;
    /// }
    /// assert_eq!(sum.total()?.as_deref(), Some("0.35"));
    /// assert_eq!(DecimalSum::default().total()?, None);
    /// # Ok::<(), assoc_core::value::decimal::SumError>(())
    /// ```
    pub fn total(&self) -> Result<Option<String>, SumError> {
        if self.count == 0 {
            return Ok(None);
        }
        let (negative, whole, fraction) = self.parts().ok_or(SumError::Overflow)?;
        let sign = if negative { "-" } else { "" };
        let fraction = format!("{fraction:028}");
        Ok(Some(match self.places {
            0 => format!("{sign}{whole}"),
            places => format!("{sign}{whole}.{}", &fraction[..places]),
        }))
    }

    /// The mean, as near as a decimal of 96 bits and 28 places comes to it; `None` if nothing was added.
    ///
    /// # Errors
    /// When the sum overflows.
    ///
    /// ```
    /// use assoc_core::value::decimal::{DecimalNumber, DecimalSum};
    ///
    /// let mut sum = DecimalSum::default();
    /// for text in ["0.1", "0.25"] {
    ///     let number = DecimalNumber::parse(text).expect("a number");
    ///     sum.add(&number, number.scale())?;
    /// }
    /// assert_eq!(sum.mean()?.as_deref(), Some("0.175"));
    /// # Ok::<(), assoc_core::value::decimal::SumError>(())
    /// ```
    pub fn mean(&self) -> Result<Option<String>, SumError> {
        if self.count == 0 {
            return Ok(None);
        }
        let (negative, whole, fraction) = self.parts().ok_or(SumError::Overflow)?;
        let dividend = format!("{whole}{fraction:028}");
        let point = i32::try_from(dividend.len() - PLACES).unwrap_or(i32::MAX);
        // Division as on paper, with more digits than are kept.
        let count = u128::from(self.count);
        let mut rest = 0_u128;
        let digits = dividend
            .bytes()
            .map(|byte| byte - b'0')
            .chain(std::iter::repeat_n(0, 24))
            .map(|digit| {
                rest = rest * 10 + u128::from(digit);
                let quotient = rest / count;
                rest %= count;
                // Less than ten, because the rest was less than the count.
                u8::try_from(quotient).unwrap_or(9)
            })
            .collect();
        Ok(Some(DecimalNumber::new(negative, digits, point).rounded_to_96_bits().to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(texts: &[&str]) -> DecimalSum {
        let mut sum = DecimalSum::default();
        for text in texts {
            let places = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            sum.add(&DecimalNumber::parse(text).unwrap(), places).unwrap();
        }
        sum
    }

    #[test]
    fn sums_are_exact() {
        let total = |texts: &[&str]| sum(texts).total().unwrap().unwrap();
        assert_eq!(
            total(&["123456789123456789.123456789", "100.10", "-0.0000000001"]),
            "123456789123456889.2234567889"
        );
        assert_eq!(total(&["0.1", "0.2"]), "0.3");
        assert_eq!(total(&["1.50", "2", "-0.05"]), "3.45");
        assert_eq!(total(&["0.5", "-1"]), "-0.5");
        assert_eq!(total(&["-0.5", "1"]), "0.5");
        assert_eq!(total(&["-0.5", "-0.6"]), "-1.1");
        assert_eq!(total(&["9.50", "-9.50"]), "0.00");
        assert_eq!(total(&["1200", "34e2"]), "4600");
        let largest = "79228162514264337593543950335";
        assert_eq!(
            total(&[largest, largest, "0.0000000000000000000000000001"]),
            "158456325028528675187087900670.0000000000000000000000000001"
        );
        assert_eq!(sum(&[]).total(), Ok(None));
    }

    #[test]
    fn means_are_rounded_once() {
        let mean = |texts: &[&str]| sum(texts).mean().unwrap().unwrap();
        assert_eq!(mean(&["10", "0", "0"]), "3.3333333333333333333333333333");
        assert_eq!(mean(&["20", "0", "0"]), "6.6666666666666666666666666667");
        assert_eq!(mean(&["9.50", "10.50"]), "10");
        assert_eq!(mean(&["-1", "-2"]), "-1.5");
        assert_eq!(mean(&["0.0000000000000000000000000001", "0", "0"]), "0");
        assert_eq!(
            mean(&["79228162514264337593543950335", "79228162514264337593543950335"]),
            "79228162514264337593543950335"
        );
        assert_eq!(sum(&[]).mean(), Ok(None));
    }

    #[test]
    fn what_cannot_be_held_is_an_error() {
        let mut sum = DecimalSum::default();
        let number = |text| DecimalNumber::parse(text).unwrap();
        assert_eq!(sum.add(&number("1e-29"), 29), Err(SumError::Places));
        assert_eq!(sum.add(&number("1e36"), 0), Err(SumError::Overflow));
        assert_eq!(sum.add(&number("1e35"), 0), Ok(()));
    }
}
