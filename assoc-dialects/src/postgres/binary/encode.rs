//! Values into bytes.

use assoc_core::value::{Date, DateTime, Time};

use super::{DAY, EPOCH};

/// The most places of a `numeric`, and the most digits before its point.
const MOST_PLACES: usize = 16_383;
const MOST_DIGITS: usize = 131_072;

/// The bytes of a `numeric`, with the places that the text has. `None` where the text is no number, or one beyond its range.
///
/// ```
/// use assoc_dialects::postgres::binary::numeric_bytes;
///
/// // Two groups of four digits, the first of weight 0; negative, with two places: 9 and 5000.
/// assert_eq!(numeric_bytes("-9.50").unwrap(), [0, 2, 0, 0, 0x40, 0, 0, 2, 0, 9, 0x13, 0x88]);
/// ```
#[must_use]
pub fn numeric(text: &str) -> Option<Vec<u8>> {
    let (is_negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, places) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + places.len() == 0 || !are_digits(whole) || !are_digits(places) {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    if whole.len() > MOST_DIGITS || places.len() > MOST_PLACES {
        return None;
    }
    // Groups of four are counted from the point.
    let padded: Vec<u8> = std::iter::repeat_n(b'0', whole.len().wrapping_neg() % 4)
        .chain(whole.bytes())
        .chain(places.bytes())
        .chain(std::iter::repeat_n(b'0', places.len().wrapping_neg() % 4))
        .collect();
    let mut groups: Vec<u16> = padded
        .chunks(4)
        .map(|group| group.iter().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
        .collect();
    let mut weight = i16::try_from(whole.len().div_ceil(4)).ok()? - 1;
    while groups.last() == Some(&0) {
        groups.pop();
    }
    let leading = groups.iter().take_while(|group| **group == 0).count();
    groups.drain(..leading);
    weight -= i16::try_from(leading).ok()?;
    if groups.is_empty() {
        weight = 0;
    }
    let sign = if is_negative && !groups.is_empty() { 0x4000 } else { 0 };
    let count = u16::try_from(groups.len()).ok()?;
    let head = [count, weight.cast_unsigned(), sign, u16::try_from(places.len()).ok()?];
    Some(head.into_iter().chain(groups).flat_map(u16::to_be_bytes).collect())
}

/// The bytes of a `date`. `None` where there is no such day.
///
/// ```
/// use assoc_core::value::Date;
/// use assoc_dialects::postgres::binary::date;
///
/// // Days since the beginning of 2000.
/// assert_eq!(date(Date { year: 2000, month: 1, day: 2 }), Some([0, 0, 0, 1]));
/// assert_eq!(date(Date { year: 2023, month: 2, day: 30 }), None);
/// ```
#[must_use]
pub fn date(date: Date) -> Option<[u8; 4]> {
    let midnight = Time { negative: false, hour: 0, minute: 0, second: 0, micros: 0 };
    let micros = DateTime { date, time: midnight }.to_unix_micros()?.checked_sub(EPOCH)?;
    Some(i32::try_from(micros.div_euclid(DAY)).ok()?.to_be_bytes())
}

/// The bytes of a `time`. `None` beyond 24 hours.
///
/// ```
/// use assoc_core::value::Time;
/// use assoc_dialects::postgres::binary::time;
///
/// let of_day = Time { negative: false, hour: 0, minute: 0, second: 1, micros: 0 };
/// assert_eq!(time(of_day), Some(1_000_000_i64.to_be_bytes()));
/// assert_eq!(time(Time { hour: 25, ..of_day }), None);
/// ```
#[must_use]
pub fn time(time: Time) -> Option<[u8; 8]> {
    let seconds = (i64::from(time.hour) * 60 + i64::from(time.minute)) * 60 + i64::from(time.second);
    let micros = seconds * 1_000_000 + i64::from(time.micros);
    (!time.negative && micros <= DAY).then(|| micros.to_be_bytes())
}

/// The bytes of a `timestamp`, or of a `timestamptz` in UTC. `None` where there is no such time.
///
/// ```
/// use assoc_core::value::{Date, DateTime, Time};
/// use assoc_dialects::postgres::binary::date_time;
///
/// let time = Time { negative: false, hour: 0, minute: 0, second: 1, micros: 0 };
/// let at = DateTime { date: Date { year: 2000, month: 1, day: 1 }, time };
/// assert_eq!(date_time(at), Some(1_000_000_i64.to_be_bytes()));
/// ```
#[must_use]
pub fn date_time(at: DateTime) -> Option<[u8; 8]> {
    Some(at.to_unix_micros()?.checked_sub(EPOCH)?.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use assoc_core::Value;

    use super::super::{Kind, decode};
    use super::*;

    #[test]
    fn numerics_are_read_as_they_were_written() {
        for text in [
            "0",
            "0.00",
            "9.50",
            "-9.50",
            "120000",
            "0.00000007",
            "-0.0001",
            "99999999",
            "10000",
            "10000.0001",
            "79228162514264337593543950335",
            "0.1234567890123456789012345678",
        ] {
            let bytes = numeric(text).unwrap();
            assert_eq!(decode(&bytes, &Kind::Numeric), Some(Value::Decimal(text.into())), "{text}");
        }
        assert_eq!(numeric("-0"), numeric("0"));
        assert_eq!(numeric("+007.5"), numeric("7.5"));
        for refused in ["", "-", ".", "1e5", "NaN", "1.2.3"] {
            assert_eq!(numeric(refused), None, "{refused}");
        }
    }

    #[test]
    fn times_are_read_as_they_were_written() {
        let at = DateTime::parse("1999-12-31 23:59:59.000001").unwrap();
        assert_eq!(decode(&date_time(at).unwrap(), &Kind::DateTime), Some(Value::DateTime(at)));
        assert_eq!(decode(&date(at.date).unwrap(), &Kind::Date), Some(Value::Date(at.date)));
        assert_eq!(decode(&time(at.time).unwrap(), &Kind::Time), Some(Value::Time(at.time)));
        assert_eq!(time(Time::parse("24:00:01").unwrap()), None);
    }
}
