//! Dates and times are texts, which compare as the times do for years of four digits.

use assoc_core::Value;

/// Why a date or time is not bound; `None` for one whose text compares as the time does, and for any other value.
///
/// ```
/// use assoc_core::Value;
/// use assoc_core::value::Date;
/// use assoc_dialects::sqlite::refused_date;
///
/// let of = |year| Value::Date(Date { year, month: 1, day: 1 });
/// assert_eq!(refused_date(&of(9_999)), None);
/// // As a text it would come before the year 2000.
/// assert!(refused_date(&of(10_000)).is_some());
/// ```
#[must_use]
pub fn refused_date(value: &Value<'_>) -> Option<&'static str> {
    let date = match value {
        Value::Date(date) => date,
        Value::DateTime(at) => &at.date,
        _ => return None,
    };
    (!(0..=9_999).contains(&date.year))
        .then_some("SQLite compares dates as texts, which is right for the years 0 to 9999 only")
}
