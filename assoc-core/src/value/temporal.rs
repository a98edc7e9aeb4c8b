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
    /// Reads `YYYY-MM-DD`.
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
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then_some(Date { year: sign * year, month, day })
    }
}

impl Time {
    /// Reads `HH:MM`, `HH:MM:SS` or `HH:MM:SS.ffffff`; digits past the microsecond are cut.
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
                    let digits = fraction.get(..fraction.len().min(6))?;
                    let micros: u32 = number(digits)?;
                    let scale = 10u32.pow(6 - u32::try_from(digits.len()).ok()?);
                    (number(second)?, micros * scale)
                }
            },
        };
        (minute < 60 && second <= 60).then_some(Time { negative, hour, minute, second, micros })
    }
}

impl DateTime {
    /// Reads a date and a time separated by a space or `T`, with an optional zone suffix `Z` or `±HH:MM` that is
    /// applied, so that the result is UTC. A date alone is midnight.
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
            let zone_time = Time::parse(zone.get(1..)?).or_else(|| {
                Some(Time { negative: false, hour: number(zone.get(1..)?)?, minute: 0, second: 0, micros: 0 })
            })?;
            let minutes = i64::from(zone_time.hour) * 60 + i64::from(zone_time.minute);
            (clock, if zone.starts_with('-') { -minutes } else { minutes })
        } else {
            (rest, 0)
        };
        let time = Time::parse(clock)?;
        let value = DateTime { date, time };
        Some(if offset == 0 { value } else { value.minus_minutes(offset) })
    }

    /// Microseconds since 1970-01-01 00:00:00.
    #[must_use]
    pub fn to_unix_micros(self) -> i64 {
        let seconds = days_from_civil(self.date) * 86_400
            + i64::from(self.time.hour) * 3_600
            + i64::from(self.time.minute) * 60
            + i64::from(self.time.second);
        seconds * 1_000_000 + i64::from(self.time.micros)
    }

    /// The date and time that lies so many microseconds after 1970-01-01 00:00:00.
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

    fn minus_minutes(self, minutes: i64) -> DateTime {
        DateTime::from_unix_micros(self.to_unix_micros() - minutes * 60_000_000)
    }
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
            assert_eq!(DateTime::from_unix_micros(parsed.to_unix_micros()), parsed);
        }
    }

    #[test]
    fn zones_become_utc() {
        let shown = |text| DateTime::parse(text).unwrap().to_string();
        assert_eq!(shown("2024-03-01T00:30:00+01:00"), "2024-02-29 23:30:00");
        assert_eq!(shown("2024-12-31T23:30:00-01"), "2025-01-01 00:30:00");
        assert_eq!(shown("2024-03-01T00:30:00Z"), "2024-03-01 00:30:00");
        assert_eq!(shown("2024-03-01"), "2024-03-01 00:00:00");
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "2024", "2024-13-01", "2024-01-00", "2024-01-01 1", "2024-01-01 10:61", "x 10:00:00", "2024-01-01 +"]
        {
            assert_eq!(DateTime::parse(text), None, "{text}");
        }
        assert_eq!(Time::parse("10:00:00.5").unwrap().micros, 500_000);
        assert_eq!(Time::parse("-838:59:59").unwrap().hour, 838);
    }
}
