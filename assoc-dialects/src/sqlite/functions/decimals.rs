//! Decimals on a database that has none: functions that a driver adds to every connection.
//!
//! SQLite stores a decimal as text, or, in a column of numeric affinity, as an integer or a float. It compares text by
//! its bytes. So statements compare, sort and group by `assoc_decimal(column)`: bytes that compare as the numbers do,
//! whatever a column stores ([`DecimalNumber::order_key`]). Sums, means and extremes are separate functions.
//!
//! The functions appear in queries only, never in a schema: no other client could use a table, index or view that names
//! one. An index is on `CAST(column AS REAL)`, which every SQLite client knows; conditions and orders contain that
//! expression beside the exact form. The design notes compare this with collations, scaled integers and normalised
//! text.
//!
//! | stored | counts as |
//! |---|---|
//! | text of a number | that number, however it is written |
//! | an integer | that number |
//! | a float | the shortest decimal that is nearest to it, which is also what it is read as |
//! | other text, bytes | nothing that equals a number; smaller than all of them |
//! | `NULL` | `NULL` |

use std::cmp::Ordering;

use assoc_core::dialect::Sign;
use assoc_core::value::decimal::{DecimalNumber, DecimalSum};

use super::{Answer, Argument, Refused};

fn number_of(value: Argument<'_>) -> Option<DecimalNumber> {
    match value {
        Argument::Text(text) => DecimalNumber::parse(std::str::from_utf8(text).ok()?),
        Argument::Integer(number) => DecimalNumber::parse(&number.to_string()),
        Argument::Real(number) => DecimalNumber::of_real(number),
        Argument::Blob(key) => DecimalNumber::from_order_key(key),
        Argument::Null => None,
    }
}

/// What [`DECIMAL_KEY`](super::DECIMAL_KEY) answers.
///
/// Infinities lie beyond every number; what is none stays as it is, and text is smaller than bytes.
///
/// ```
/// use assoc_dialects::sqlite::functions::{Answer, Argument, decimals};
///
/// // Keys compare as the numbers do, where text would not.
/// let key = |text: &'static str| match decimals::key(Argument::Text(text.as_bytes())) {
///     Answer::Blob(key) => key,
///     other => panic!("{other:?}"),
/// };
/// assert_eq!(key("9.5"), key("9.50"));
/// assert!(key("-2") < key("9.5") && key("9.5") < key("10"));
/// ```
#[must_use]
pub fn key(value: Argument<'_>) -> Answer {
    if let Some(number) = number_of(value) {
        return Answer::Blob(number.order_key());
    }
    match value {
        Argument::Real(number) => Answer::Blob(vec![if number > 0.0 { 0xff } else { 0 }]),
        Argument::Blob(bytes) => Answer::Text(format!("x'{}'", hexadecimal(bytes))),
        other => other.to_answer(),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn places_of(value: Argument<'_>, number: &DecimalNumber) -> usize {
    match value {
        Argument::Text(text) => {
            let point = text.iter().position(|byte| *byte == b'.');
            let digits = |from: usize| text[from + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            point.map_or(0, digits).max(number.scale())
        }
        _ => number.scale(),
    }
}

fn number_or_refusal(value: Argument<'_>) -> Result<DecimalNumber, Refused> {
    let message = || Refused::new(format_args!("{} among the values is no decimal number", value.class()));
    number_of(value).ok_or_else(message)
}

/// What [`DECIMAL_PLUS`](super::DECIMAL_PLUS) and [`DECIMAL_MINUS`](super::DECIMAL_MINUS) answer: with as many places as
/// the longer of both has.
///
/// # Errors
/// When one of them is no number, or the sum has too many digits.
///
/// ```
/// use assoc_core::dialect::Sign;
/// use assoc_dialects::sqlite::functions::{Argument, decimals};
///
/// let (price, more) = (Argument::Text(b"9.50"), Argument::Text(b"0.5"));
/// assert_eq!(decimals::sum(price, more, Sign::Plus).unwrap().as_deref(), Some("10.00"));
/// assert_eq!(decimals::sum(price, Argument::Null, Sign::Minus).unwrap(), None);
/// assert!(decimals::sum(price, Argument::Text(b"much"), Sign::Plus).is_err());
/// ```
pub fn sum(one: Argument<'_>, other: Argument<'_>, sign: Sign) -> Result<Option<String>, Refused> {
    if one == Argument::Null || other == Argument::Null {
        return Ok(None);
    }
    let mut sum = DecimalSum::default();
    for (value, negated) in [(one, false), (other, sign == Sign::Minus)] {
        let number = number_or_refusal(value)?;
        let places = places_of(value, &number);
        let number = if negated { number.negated() } else { number };
        sum.add(&number, places).map_err(Refused::new)?;
    }
    sum.total().map_err(Refused::new)
}

/// The state of [`DECIMAL_SUM`](super::DECIMAL_SUM) and [`DECIMAL_AVG`](super::DECIMAL_AVG).
///
/// ```
/// use assoc_dialects::sqlite::functions::{Argument, decimals::Summed};
///
/// let mut sum = Summed::default();
/// assert_eq!(sum.total().unwrap(), None);
/// for price in [Argument::Text(b"9.50"), Argument::Null, Argument::Integer(1)] {
///     sum.add(price).unwrap();
/// }
/// assert_eq!((sum.total().unwrap().as_deref(), sum.mean().unwrap().as_deref()), (Some("10.50"), Some("5.25")));
/// ```
#[derive(Debug, Default)]
pub struct Summed(DecimalSum);

impl Summed {
    /// Adds the value of a row.
    ///
    /// # Errors
    /// When it is no number, or the sum has too many digits.
    pub fn add(&mut self, value: Argument<'_>) -> Result<(), Refused> {
        if value == Argument::Null {
            return Ok(());
        }
        let number = number_or_refusal(value)?;
        self.0.add(&number, places_of(value, &number)).map_err(Refused::new)
    }

    /// The sum; none of no rows.
    ///
    /// # Errors
    /// When it has too many digits.
    pub fn total(&self) -> Result<Option<String>, Refused> {
        self.0.total().map_err(Refused::new)
    }

    /// The mean; none of no rows.
    ///
    /// # Errors
    /// When it has too many digits.
    pub fn mean(&self) -> Result<Option<String>, Refused> {
        self.0.mean().map_err(Refused::new)
    }
}

/// The state of [`DECIMAL_MIN`](super::DECIMAL_MIN) and [`DECIMAL_MAX`](super::DECIMAL_MAX): the value as it is stored. Of
/// equal ones it is the longest text, so that the answer does not depend on the order of the rows.
///
/// ```
/// use assoc_dialects::sqlite::functions::{Answer, Argument, decimals::Extreme};
///
/// let (mut least, mut greatest) = (Extreme::least(), Extreme::greatest());
/// for price in [Argument::Text(b"9.5"), Argument::Text(b"10"), Argument::Text(b"9.50")] {
///     least.add(price);
///     greatest.add(price);
/// }
/// // As it is stored; of equal ones the longest.
/// assert_eq!((least.answer(), greatest.answer()), (Answer::Text("9.50".into()), Answer::Text("10".into())));
/// assert_eq!(Extreme::least().answer(), Answer::Null);
/// ```
#[derive(Debug)]
pub struct Extreme {
    better: Ordering,
    best: Option<(Answer, Answer)>,
}

impl Extreme {
    /// Of no rows yet, for the least value.
    #[must_use]
    pub fn least() -> Self {
        Extreme { better: Ordering::Less, best: None }
    }

    /// Of no rows yet, for the greatest value.
    #[must_use]
    pub fn greatest() -> Self {
        Extreme { better: Ordering::Greater, best: None }
    }

    /// Looks at the value of a row.
    pub fn add(&mut self, value: Argument<'_>) {
        let key = key(value);
        let better = match (&key, &self.best) {
            (Answer::Null, _) => false,
            (_, None) => true,
            (key, Some((best, stored))) => {
                let order = ordered(key, best);
                order == self.better
                    || order == Ordering::Equal && text_length(&value.to_answer()) > text_length(stored)
            }
        };
        if better {
            self.best = Some((key, value.to_answer()));
        }
    }

    /// The value; `NULL` of no rows.
    #[must_use]
    pub fn answer(self) -> Answer {
        self.best.map_or(Answer::Null, |(_, stored)| stored)
    }
}

// As SQLite compares keys: text before bytes.
fn ordered(one: &Answer, other: &Answer) -> Ordering {
    match (one, other) {
        (Answer::Blob(one), Answer::Blob(other)) => one.cmp(other),
        (Answer::Text(one), Answer::Text(other)) => one.cmp(other),
        (Answer::Text(_), _) => Ordering::Less,
        (_, Answer::Text(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

fn text_length(value: &Answer) -> usize {
    match value {
        Answer::Text(text) => text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_as_stored() {
        let mut least = Extreme::least();
        for value in [Argument::Text(b"10"), Argument::Null, Argument::Text(b"9.5"), Argument::Text(b"9.50")] {
            least.add(value);
        }
        assert_eq!(least.answer(), Answer::Text("9.50".into()));
        assert_eq!(Extreme::greatest().answer(), Answer::Null);
    }

    #[test]
    fn sums_keep_their_places() {
        let text = |text: &'static str| Argument::Text(text.as_bytes());
        assert_eq!(sum(text("1.50"), Argument::Integer(1), Sign::Plus), Ok(Some("2.50".into())));
        assert_eq!(sum(text("1.50"), text("0.25"), Sign::Minus), Ok(Some("1.25".into())));
        assert_eq!(sum(Argument::Null, Argument::Integer(1), Sign::Plus), Ok(None));
        let refused = sum(text("abc"), Argument::Integer(1), Sign::Plus).unwrap_err();
        assert_eq!(refused.to_string(), "numbers: Text among the values is no decimal number");
    }
}
