//! Dates and times as databases store them: plain fields, no calendar arithmetic, no time zone.
//!
//! The core takes no side between the date libraries: features `chrono`, `time` and `jiff` convert their types
//! from and to these three structs, and drivers only ever see these. Text forms are ISO 8601 with a space between
//! date and time, the form SQLite's date functions read.

use std::fmt;

/// A calendar date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Date {
    /// Year; may be zero or negative where the database allows it.
    pub year: i32,
    /// Month, 1 to 12.
    pub month: u8,
    /// Day of the month, 1 to 31.
    pub day: u8,
}

/// A time of day; MySQL's `TIME` may also be a negative or a long span, hence the sign and the wide hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Time {
    /// Whether the span is negative (MySQL only).
    pub negative: bool,
    /// Hours, 0 to 23 for a time of day.
    pub hour: u32,
    /// Minutes.
    pub minute: u8,
    /// Seconds.
    pub second: u8,
    /// Microseconds.
    pub micros: u32,
}

/// A date and a time of day, without zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DateTime {
    /// The date.
    pub date: Date,
    /// The time of day.
    pub time: Time,
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        write!(f, "{sign}{:02}:{:02}:{:02}", self.hour, self.minute, self.second)?;
        if self.micros != 0 {
            write!(f, ".{:06}", self.micros)?;
        }
        Ok(())
    }
}

impl fmt::Display for DateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.time)
    }
}

impl Date {
    /// Reads `YYYY-MM-DD`, a day that the calendar has.
    ///
    /// ```
    /// use assoc_core::value::Date;
    ///
    /// assert_eq!(Date::parse("2026-02-28"), Some(Date { year: 2026, month: 2, day: 28 }));
    /// assert_eq!(Date::parse("2026-02-30"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Date> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text),
        };
        let mut parts = digits.splitn(3, '-');
        let year: i32 = number(parts.next()?)?;
        let month = number(parts.next()?)?;
        let day = number(parts.next()?)?;
        // A negative year fits where the positive one does.
        let date = Date { year: sign * year, month, day };
        date.is_in_calendar().then_some(date)
    }
}

impl Date {
    /// Whether the day exists in the calendar, by the Gregorian rules for every year.
    ///
    /// ```
    /// use assoc_core::value::Date;
    ///
    /// assert!(Date { year: 2024, month: 2, day: 29 }.is_in_calendar());
    /// assert!(!Date { year: 2026, month: 2, day: 29 }.is_in_calendar());
    /// ```
    #[must_use]
    pub fn is_in_calendar(self) -> bool {
        let leap = self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0);
        let days = match self.month {
            2 if leap => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        (1..=days).contains(&self.day)
    }
}

/// The longest span of a `TIME` column, that of MySQL and MariaDB, in hours.
const LONGEST_SPAN: u32 = 838;

impl Time {
    /// Reads `HH:MM`, `HH:MM:SS` or `HH:MM:SS.ffffff`; digits past the microsecond are cut. Hours go up to 838, the
    /// longest span that a database stores as a time.
    ///
    /// ```
    /// use assoc_core::value::Time;
    ///
    /// let time = Time::parse("12:30:05.25").expect("a time");
    /// assert_eq!((time.hour, time.minute, time.second, time.micros), (12, 30, 5, 250_000));
    /// assert!(Time::parse("12:60").is_none());
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Time> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let mut parts = digits.splitn(3, ':');
        let hour = number(parts.next()?)?;
        let minute = number(parts.next()?)?;
        let (second, micros) = match parts.next() {
            None => (0, 0),
            Some(rest) => match rest.split_once('.') {
                None => (number(rest)?, 0),
                Some((second, fraction)) => {
                    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
                        return None;
                    }
                    let digits = fraction.get(..fraction.len().min(6))?;
                    let micros: u32 = number(digits)?;
                    let scale = 10u32.pow(6 - u32::try_from(digits.len()).ok()?);
                    (number(second)?, micros * scale)
                }
            },
        };
        (hour <= LONGEST_SPAN && minute < 60 && second <= 60).then_some(Time { negative, hour, minute, second, micros })
    }

    /// Whether this is a time of day and not a longer or negative span.
    ///
    /// ```
    /// use assoc_core::value::Time;
    ///
    /// assert!(Time::parse("23:59").is_some_and(Time::is_of_day));
    /// assert!(Time::parse("100:00").is_some_and(|span| !span.is_of_day()));
    /// ```
    #[must_use]
    pub fn is_of_day(self) -> bool {
        !self.negative && self.hour < 24 && self.minute < 60 && self.second <= 60 && self.micros < 1_000_000
    }
}

impl DateTime {
    /// Reads a date and a time separated by a space or `T`, with an optional zone suffix `Z`, `±HH:MM`, `±HHMM` or `±HH`
    /// that is applied, so that the result is UTC. A date alone is midnight. `None` for days, hours and zones that do
    /// not exist.
    ///
    /// ```
    /// use assoc_core::value::DateTime;
    ///
    /// let instant = DateTime::parse("2026-01-01T01:00:00+02:00").expect("a date and time");
    /// assert_eq!(instant, DateTime::parse("2025-12-31 23:00:00").expect("the same"));
    /// assert_eq!(DateTime::parse("2026-01-01 25:00:00"), None);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<DateTime> {
        let Some(split) = text.find([' ', 'T', 't']) else {
            let midnight = Time { negative: false, hour: 0, minute: 0, second: 0, micros: 0 };
            return Date::parse(text).map(|date| DateTime { date, time: midnight });
        };
        let date = Date::parse(&text[..split])?;
        let rest = text[split + 1..].trim_end();
        let (clock, offset) = if let Some(clock) = rest.strip_suffix(['Z', 'z']) {
            (clock, 0)
        } else if let Some(at) = rest.rfind(['+', '-']) {
            let (clock, zone) = rest.split_at(at);
            let seconds = zone_seconds(zone.get(1..)?)?;
            (clock, if zone.starts_with('-') { -seconds } else { seconds })
        } else {
            (rest, 0)
        };
        let time = Time::parse(clock).filter(|time| time.is_of_day())?;
        let value = DateTime { date, time };
        if offset == 0 { Some(value) } else { value.minus_seconds(offset) }
    }

    /// Microseconds since 1970-01-01 00:00:00; `None` where they do not fit, nearly 300,000 years from then, and for a
    /// day or a time that does not exist.
    ///
    /// ```
    /// use assoc_core::value::DateTime;
    ///
    /// assert_eq!(DateTime::parse("1970-01-02").and_then(DateTime::to_unix_micros), Some(86_400_000_000));
    /// ```
    #[must_use]
    pub fn to_unix_micros(self) -> Option<i64> {
        if !self.date.is_in_calendar() || !self.time.is_of_day() {
            return None;
        }
        let of_day = i64::from(self.time.hour) * 3_600 + i64::from(self.time.minute) * 60 + i64::from(self.time.second);
        // A year of 32 bits and the microseconds of its end are far below 128 bits.
        let seconds = i128::from(days_from_civil(self.date)) * 86_400 + i128::from(of_day);
        i64::try_from(seconds * 1_000_000 + i128::from(self.time.micros)).ok()
    }

    /// The date and time this number of microseconds after 1970-01-01 00:00:00.
    ///
    /// ```
    /// use assoc_core::value::DateTime;
    ///
    /// assert_eq!(DateTime::from_unix_micros(-1).to_string(), "1969-12-31 23:59:59.999999");
    /// ```
    #[must_use]
    pub fn from_unix_micros(micros: i64) -> DateTime {
        let seconds = micros.div_euclid(1_000_000);
        let of_day = seconds.rem_euclid(86_400);
        DateTime {
            date: civil_from_days(seconds.div_euclid(86_400)),
            time: Time {
                negative: false,
                hour: (of_day / 3_600) as u32,
                minute: (of_day / 60 % 60) as u8,
                second: (of_day % 60) as u8,
                micros: micros.rem_euclid(1_000_000) as u32,
            },
        }
    }

    fn minus_seconds(self, seconds: i64) -> Option<DateTime> {
        let micros = self.to_unix_micros()?.checked_sub(seconds.checked_mul(1_000_000)?)?;
        Some(DateTime::from_unix_micros(micros))
    }
}

// `HH`, `HHMM`, `HH:MM` or `HH:MM:SS`, less than a day.
fn zone_seconds(zone: &str) -> Option<i64> {
    let mut parts = zone.split(':');
    let first = parts.next()?;
    let (hours, minutes): (i64, i64) = match (first.len(), parts.next()) {
        (4, None) => (number(first.get(..2)?)?, number(first.get(2..)?)?),
        (1..=2, minutes) => (number(first)?, minutes.map_or(Some(0), number)?),
        _ => return None,
    };
    let seconds: i64 = parts.next().map_or(Some(0), number)?;
    let known = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60;
    known.then_some(hours * 3_600 + minutes * 60 + seconds)
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

// Days since 1970-01-01 of a date in the proleptic Gregorian calendar, counting years from March so that the
// leap day is the last of its year.
fn days_from_civil(date: Date) -> i64 {
    let year = i64::from(date.year) - i64::from(date.month <= 2);
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month = (i64::from(date.month) + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + i64::from(date.day) - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> Date {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    Date { year: year as i32, month: month as u8, day: day as u8 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_round_trip() {
        for text in ["2024-02-29 23:59:58.000123", "0001-01-01 00:00:00", "1969-12-31 12:00:00"] {
            let parsed = DateTime::parse(text).unwrap();
            assert_eq!(parsed.to_string(), text);
            assert_eq!(DateTime::from_unix_micros(parsed.to_unix_micros().unwrap()), parsed);
        }
    }

    #[test]
    fn zones_become_utc() {
        let shown = |text| DateTime::parse(text).unwrap().to_string();
        assert_eq!(shown("2024-03-01T00:30:00+01:00"), "2024-02-29 23:30:00");
        assert_eq!(shown("2024-12-31T23:30:00-01"), "2025-01-01 00:30:00");
        assert_eq!(shown("2024-03-01T00:30:00Z"), "2024-03-01 00:30:00");
        assert_eq!(shown("2024-03-01"), "2024-03-01 00:00:00");
        assert_eq!(shown("2024-03-01 00:30:00+0530"), "2024-02-29 19:00:00");
        assert_eq!(shown("2024-03-01 00:30:00-00:30:10"), "2024-03-01 01:00:10");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "2024", "2024-13-01", "2024-01-00", "2024-01-01 1", "2024-01-01 10:61", "x 10:00:00", "2024-01-01 +"]
        {
            assert_eq!(DateTime::parse(text), None, "{text}");
        }
        // What made earlier versions panic, wrap or invent a date.
        for text in [
            "2024-01-01 00:00:00+4294967295:00",
            "300000-01-01 00:00:00+01:00",
            "2147483647-12-31 23:59:59+01:00",
            "-2147483647-01-01 00:00:00-01:00",
            "2024-01-01 4294967295:00:00+01:00",
            "2024-01-01 00:00:00+99999999",
            "2024-01-01 00:00:00+24:00",
            "2024-01-01 00:00:00+01:60",
            "2024-01-01 00:00:00+01:00:00:00",
            "2024-01-01 00:00:00+-1:00",
            "2024-02-30 00:00:00+01:00",
            "2024-02-30 00:00:00",
            "2023-02-29",
            "1900-02-29",
            "2024-04-31",
            "2024-01-01 24:00:00",
            "2024-01-01 -10:00:00",
            "2024-01-01 10:00:00.5x",
            "2024-01-01 10:00:00.1234567x",
            "99999999999-01-01",
            "+2024-01-01",
            "2024-٠١-01",
        ] {
            assert_eq!(DateTime::parse(text), None, "{text}");
        }
        assert_eq!(Time::parse("839:00:00"), None);
        assert_eq!(Time::parse("10:00:00.5").unwrap().micros, 500_000);
        assert_eq!(Time::parse("-838:59:59").unwrap().hour, 838);
    }

    // Every combination of what the ends of each part are, and of what lies beyond them, in every place: no panic, no
    // wrapped number, and what is read can be written and read again.
    #[test]
    fn no_text_is_read_as_another_date() {
        let years =
            ["-2147483648", "-9999", "-1", "0000", "0001", "1970", "2024", "9999", "262142", "294247", "2147483647"];
        let months = ["0", "1", "02", "12", "13", "255", "256"];
        let days = ["0", "01", "28", "29", "30", "31", "32", "255"];
        let hours = ["", "0", "00", "23", "24", "838", "839", "4294967295", "4294967296", "-1"];
        let rests = ["", ":00", ":59:59", ":60:00", ":00:60", ":00:61", ":00:00.", ":00:00.999999999", ":00:00.9a"];
        let zones = [
            "",
            "Z",
            "+00:00",
            "-00:00",
            "+14:00",
            "-23:59:59",
            "+24",
            "+9999",
            "+99999",
            "-4294967295:00",
            "+",
            "-:1",
        ];
        let mut read = 0;
        for (year, month) in years.iter().flat_map(|year| months.map(|month| (year, month))) {
            for (day, hour) in days.iter().flat_map(|day| hours.map(|hour| (day, hour))) {
                for (rest, zone) in rests.iter().flat_map(|rest| zones.map(|zone| (rest, zone))) {
                    let text = format!("{year}-{month}-{day} {hour}{rest}{zone}");
                    let Some(parsed) = DateTime::parse(&text) else { continue };
                    read += 1;
                    assert!(parsed.date.is_in_calendar() && parsed.time.is_of_day(), "{text}: {parsed}");
                    assert_eq!(DateTime::parse(&parsed.to_string()), Some(parsed), "{text}");
                    if let Some(micros) = parsed.to_unix_micros().filter(|_| parsed.time.second < 60) {
                        assert_eq!(DateTime::from_unix_micros(micros), parsed, "{text}");
                    }
                }
            }
        }
        assert!(read > 5_000, "{read}");
    }

    // Fields that no text has, as a driver may hand them over.
    #[test]
    fn fields_of_any_value_are_converted_or_refused() {
        for year in [i32::MIN, -1, 0, 2024, 300_000, i32::MAX] {
            for (month, day) in [(0, 0), (1, 1), (2, 30), (12, 31), (13, 1), (255, 255)] {
                for (hour, minute, second, micros) in [(0, 0, 0, 0), (24, 0, 0, 0), (u32::MAX, 255, 255, u32::MAX)] {
                    for negative in [false, true] {
                        let time = Time { negative, hour, minute, second, micros };
                        let at = DateTime { date: Date { year, month, day }, time };
                        let exists = (month, day) == (1, 1) || (month, day) == (12, 31);
                        if !exists || hour > 0 || negative {
                            assert_eq!(at.to_unix_micros(), None, "{at:?}");
                        }
                    }
                }
            }
        }
        for micros in [i64::MIN, -1, 0, i64::MAX] {
            let at = DateTime::from_unix_micros(micros);
            assert_eq!(at.to_unix_micros(), Some(micros));
        }
    }
}
