//! Decimal numbers in their text form: what they are as numbers, whatever they look like.
//!
//! `9.5`, `9.50` and `+0950e-2` are one number. The core holds decimals as text ([`Value::Decimal`](super::Value)), so
//! that no decimal library is forced on anybody; what has to be known of a number (is it equal, which is larger, what
//! is the sum) is worked out here from its digits. Nothing in here is a float, except for the
//! [bounds](DecimalNumber::bounds), which are made to contain the number.

use std::fmt;

mod sum;

pub use sum::{DecimalSum, SumError};

/// A decimal number: a sign, digits, and where the point is. Any number of digits is exact.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DecimalNumber {
    negative: bool,
    // The digits (0 to 9) without zeros at either end; empty for zero.
    digits: Vec<u8>,
    // The value is 0.digits × 10^point.
    point: i32,
}

/// A number with an exponent beyond this is not read, because no decimal type can represent it.
const LARGEST_EXPONENT: i32 = 100_000;

impl DecimalNumber {
    /// Reads a number: digits with an optional sign, point and exponent, and blanks around it, as databases store them.
    ///
    /// ```
    /// use assoc_core::value::decimal::DecimalNumber;
    ///
    /// assert_eq!(DecimalNumber::parse("9.50"), DecimalNumber::parse("+0950e-2"));
    /// assert_eq!(DecimalNumber::parse("nine"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<DecimalNumber> {
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        let (negative, text) = match text.as_bytes().first()? {
            b'-' => (true, text.get(1..)?),
            b'+' => (false, text.get(1..)?),
            _ => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit())
        {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        let point = i32::try_from(whole.len()).ok()?.checked_add(exponent)?;
        Some(DecimalNumber::new(negative, digits, point))
    }

    /// The number that a float is read as: the shortest one that no other float is nearer to. `None` for infinity and
    /// what is no number.
    ///
    /// ```
    /// use assoc_core::value::decimal::DecimalNumber;
    ///
    /// assert_eq!(DecimalNumber::of_real(0.1), DecimalNumber::parse("0.1"));
    /// ```
    #[must_use]
    pub fn of_real(number: f64) -> Option<DecimalNumber> {
        number.is_finite().then(|| DecimalNumber::parse(&format!("{number:e}"))).flatten()
    }

    /// The number with the other sign.
    ///
    /// ```
    /// use assoc_core::value::decimal::DecimalNumber;
    ///
    /// let number = DecimalNumber::parse("9.50").expect("a number");
    /// assert_eq!(Some(number.negated()), DecimalNumber::parse("-9.5"));
    /// ```
    #[must_use]
    pub fn negated(self) -> DecimalNumber {
        DecimalNumber::new(!self.negative, self.digits, self.point)
    }

    fn new(negative: bool, mut digits: Vec<u8>, mut point: i32) -> DecimalNumber {
        let leading = digits.iter().take_while(|digit| **digit == 0).count();
        digits.drain(..leading);
        while digits.last() == Some(&0) {
            digits.pop();
        }
        if digits.is_empty() {
            return DecimalNumber { negative: false, digits, point: 0 };
        }
        point = point.saturating_sub(i32::try_from(leading).unwrap_or(i32::MAX));
        DecimalNumber { negative, digits, point }
    }

    /// The number of decimal places it needs.
    ///
    /// ```
    /// use assoc_core::value::decimal::DecimalNumber;
    ///
    /// let number = DecimalNumber::parse("9.50").expect("a number");
    /// assert_eq!(number.scale(), 1);
    /// ```
    #[must_use]
    pub fn scale(&self) -> usize {
        let digits = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        usize::try_from(digits - i64::from(self.point)).unwrap_or(0)
    }

    /// The nearest number of at most `digits` digits and `places` decimal places. Halves are rounded away from zero.
    ///
    /// ```
    /// use assoc_core::value::decimal::DecimalNumber;
    ///
    /// let number = DecimalNumber::parse("9.50").expect("a number");
    /// assert_eq!(Some(number.rounded(10, 0)), DecimalNumber::parse("10"));
    /// ```
    #[must_use]
    pub fn rounded(mut self, digits: usize, places: usize) -> DecimalNumber {
        let by_places = i64::from(self.point) + i64::try_from(places).unwrap_or(i64::MAX);
        let keep = digits.min(usize::try_from(by_places).unwrap_or(0));
        if by_places < 0 {
            return DecimalNumber::new(false, Vec::new(), 0);
        }
        if keep >= self.digits.len() {
            return self;
        }
        let up = self.digits[keep] >= 5;
        self.digits.truncate(keep);
        if up {
            match self.digits.iter().rposition(|digit| *digit < 9) {
                Some(at) => {
                    self.digits[at] += 1;
                    self.digits.truncate(at + 1);
                }
                None => {
                    self.digits = vec![1];
                    self.point = self.point.saturating_add(1);
                }
            }
        }
        DecimalNumber::new(self.negative, self.digits, self.point)
    }

    /// The nearest number that a decimal of 96 bits and 28 places can hold, as far as its digits are concerned.
    ///
    /// ```
    /// use assoc_core::value::decimal::DecimalNumber;
    ///
    /// let number = DecimalNumber::parse("9.50").expect("a number");
    /// assert_eq!(number.clone().rounded_to_96_bits(), number);
    /// ```
    #[must_use]
    pub fn rounded_to_96_bits(self) -> DecimalNumber {
        let rounded = self.clone().rounded(29, 28);
        let fits = rounded.digits.len() < 29
            || rounded.digits.iter().map(|digit| b'0' + digit).le(LARGEST_96_BITS.iter().copied());
        if fits { rounded } else { self.rounded(28, 28) }
    }

    /// Bytes that compare as the numbers do, byte by byte: the same for equal numbers.
    ///
    /// A byte for the sign, four for the place of the point, then two digits a byte. Of a negative number they are
    /// complemented, and a byte larger than all others ends them.
    ///
    /// ```
    /// use assoc_core::value::decimal::DecimalNumber;
    ///
    /// let key = |text| DecimalNumber::parse(text).expect("a number").order_key();
    /// assert!(key("-10") < key("9.5") && key("9.5") < key("10") && key("9.5") == key("9.50"));
    /// ```
    #[must_use]
    pub fn order_key(&self) -> Vec<u8> {
        if self.digits.is_empty() {
            return vec![ZERO];
        }
        let flip = if self.negative { 0xff } else { 0 };
        let mut key = Vec::with_capacity(self.digits.len() / 2 + 7);
        key.push(if self.negative { NEGATIVE } else { POSITIVE });
        // The sign bit turned over, so that small exponents come first.
        let point = self.point.cast_unsigned() ^ (1 << 31);
        key.extend(point.to_be_bytes().map(|byte| byte ^ flip));
        for pair in self.digits.chunks(2) {
            let pair = pair[0] * 10 + pair.get(1).copied().unwrap_or(0) + 1;
            key.push(pair ^ flip);
        }
        if self.negative {
            key.push(0xff);
        }
        key
    }

    /// The number whose [order key](Self::order_key) this is.
    ///
    /// ```
    /// use assoc_core::value::decimal::DecimalNumber;
    ///
    /// let number = DecimalNumber::parse("9.50").expect("a number");
    /// assert_eq!(DecimalNumber::from_order_key(&number.order_key()), Some(number));
    /// ```
    #[must_use]
    pub fn from_order_key(key: &[u8]) -> Option<DecimalNumber> {
        let (first, rest) = key.split_first()?;
        let (negative, rest, flip) = match *first {
            ZERO if rest.is_empty() => return Some(DecimalNumber::new(false, Vec::new(), 0)),
            POSITIVE => (false, rest, 0),
            NEGATIVE => (true, rest.strip_suffix(&[0xff])?, 0xff),
            _ => return None,
        };
        let (point, pairs) = rest.split_first_chunk::<4>()?;
        let point = (u32::from_be_bytes(point.map(|byte| byte ^ flip)) ^ (1 << 31)).cast_signed();
        let mut digits = Vec::with_capacity(pairs.len() * 2);
        for pair in pairs {
            let pair = (pair ^ flip).checked_sub(1).filter(|pair| *pair < 100)?;
            digits.extend([pair / 10, pair % 10]);
        }
        Some(DecimalNumber::new(negative, digits, point))
    }

    /// Two floats around the number, as far apart as the error of a database's conversion may be.
    ///
    /// ```
    /// use assoc_core::value::decimal::DecimalNumber;
    ///
    /// let number = DecimalNumber::parse("9.50").expect("a number");
    /// let (low, high) = number.bounds();
    /// assert!(low < 9.5 && 9.5 < high);
    /// ```
    #[must_use]
    pub fn bounds(&self) -> (f64, f64) {
        let near: f64 = self.to_string().parse().unwrap_or(0.0);
        if near.is_infinite() {
            return if near < 0.0 { (near, f64::MIN) } else { (f64::MAX, near) };
        }
        // A number too small for a float is zero, or next to it.
        let margin = if self.digits.is_empty() { 0.0 } else { (near.abs() * ROUGHLY).max(f64::MIN_POSITIVE) };
        (near - margin, near + margin)
    }
}

/// The part of a float by which its neighbours may differ from it and still be taken for the same decimal: four to nine
/// steps. Converting a text is at most one step off in SQLite.
pub const ROUGHLY: f64 = 1e-15;

// 2^96 - 1.
const LARGEST_96_BITS: &[u8; 29] = b"79228162514264337593543950335";

const NEGATIVE: u8 = 0x40;
const ZERO: u8 = 0x80;
const POSITIVE: u8 = 0xc0;

fn parse_exponent(text: &str) -> Option<i32> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|exponent: &i32| exponent.abs() <= LARGEST_EXPONENT)
}

/// In plain notation where that is short, without zeros that say nothing.
impl fmt::Display for DecimalNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_char('-')?;
        }
        let digits = |f: &mut fmt::Formatter<'_>, digits: &[u8]| {
            digits.iter().try_for_each(|digit| f.write_char(char::from(b'0' + digit)))
        };
        let zeros = |f: &mut fmt::Formatter<'_>, count: usize| (0..count).try_for_each(|_| f.write_char('0'));
        let before = usize::try_from(self.point).unwrap_or(0);
        match self.point {
            point if !(-100..=400).contains(&point) => {
                f.write_str("0.")?;
                digits(f, &self.digits)?;
                write!(f, "e{point}")
            }
            point if point <= 0 => {
                f.write_str("0.")?;
                zeros(f, usize::try_from(-point).unwrap_or(0))?;
                digits(f, &self.digits)
            }
            _ if before >= self.digits.len() => {
                digits(f, &self.digits)?;
                zeros(f, before - self.digits.len())
            }
            _ => {
                digits(f, &self.digits[..before])?;
                f.write_char('.')?;
                digits(f, &self.digits[before..])
            }
        }
    }
}

impl PartialOrd for DecimalNumber {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for DecimalNumber {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order_key().cmp(&other.order_key())
    }
}

/// The one text that all forms of a number have: `9.5` for `9.50`. `None` for what is no number.
///
/// ```
/// use assoc_core::value::decimal::canonical;
///
/// assert_eq!(canonical("+09.50").as_deref(), Some("9.5"));
/// assert_eq!(canonical("9.5"), canonical("9.500"));
/// assert_eq!(canonical("nine"), None);
/// ```
#[must_use]
pub fn canonical(text: &str) -> Option<String> {
    DecimalNumber::parse(text).map(|number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> DecimalNumber {
        DecimalNumber::parse(text).unwrap_or_else(|| panic!("{text}"))
    }

    #[test]
    fn a_number_has_one_text() {
        for (text, expected) in [
            ("9.50", "9.5"),
            ("0009.5", "9.5"),
            ("+9.5", "9.5"),
            (" 95e-1 ", "9.5"),
            ("100", "100"),
            ("1E2", "100"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-0.00", "0"),
            ("0e99", "0"),
            ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
            ("-79228162514264337593543950335", "-79228162514264337593543950335"),
            ("1e5000", "0.1e5001"),
        ] {
            assert_eq!(canonical(text).as_deref(), Some(expected), "{text}");
            assert_eq!(canonical(expected).as_deref(), Some(expected));
        }
        for text in ["", "-", ".", "e5", "1e", "1e+", "abc", "1 2", "0x10", "1e999999999", "--1", "1_000", "١", "NaN"]
        {
            assert_eq!(canonical(text), None, "{text}");
        }
    }

    #[test]
    fn order_keys_compare_as_numbers() {
        let ascending = [
            "-79228162514264337593543950335",
            "-100.1",
            "-100",
            "-10",
            "-9.51",
            "-9.5",
            "-1",
            "-0.0000000000000000000000000001",
            "0",
            "0.0000000000000000000000000001",
            "0.1",
            "0.11",
            "1",
            "9.4999999999999999999999999999",
            "9.5",
            "9.51",
            "10",
            "100",
            "79228162514264337593543950335",
            "1e300",
        ];
        for (at, text) in ascending.iter().enumerate() {
            assert_eq!(DecimalNumber::from_order_key(&number(text).order_key()), Some(number(text)));
            for (other, larger) in ascending.iter().enumerate() {
                assert_eq!(number(text).cmp(&number(larger)), at.cmp(&other), "{text} {larger}");
            }
            let (low, high) = number(text).bounds();
            let value: f64 = text.parse().unwrap();
            assert!(low <= value && value <= high, "{text}");
        }
        for key in [&b""[..], b"\x80\x01", b"\xc0", b"\xc0\x80\0\0\x01\x00", b"\x40\x7f\xff\xff\xfe\x9b", b"abc"] {
            assert_eq!(DecimalNumber::from_order_key(key), None, "{key:?}");
        }
    }

    #[test]
    fn floats_are_read_by_their_shortest_text() {
        assert_eq!(DecimalNumber::of_real(0.1).unwrap().to_string(), "0.1");
        assert_eq!(DecimalNumber::of_real(0.1 + 0.2).unwrap().to_string(), "0.30000000000000004");
        assert_eq!(DecimalNumber::of_real(-1e22).unwrap().to_string(), "-10000000000000000000000");
        assert_eq!(DecimalNumber::of_real(-0.0).unwrap().to_string(), "0");
        assert_eq!(DecimalNumber::of_real(f64::INFINITY), None);
        assert_eq!(DecimalNumber::of_real(f64::NAN), None);
    }

    #[test]
    fn rounding_keeps_so_many_digits_and_places() {
        let rounded = |text: &str, digits, places| number(text).rounded(digits, places).to_string();
        assert_eq!(rounded("9.996", 3, 28), "10");
        assert_eq!(rounded("-2.345", 3, 28), "-2.35");
        assert_eq!(rounded("0.00049", 28, 3), "0");
        assert_eq!(rounded("0.0005", 28, 3), "0.001");
        assert_eq!(rounded("123456", 2, 28), "120000");
        assert_eq!(rounded("0.9", 28, 0), "1");
        assert_eq!(rounded("0.09", 28, 0), "0");
        assert_eq!(number("12.50").scale(), 1);
        assert_eq!(number("1200").scale(), 0);
    }
}
