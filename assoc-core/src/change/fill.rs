//! What is filled in before a row is written: times, the version of a new row, values that the application makes.

use super::RowChange;
use crate::column_type::SqlType;
use crate::metadata::model::{ColumnDefault, FilledBy, ModelDef};
use crate::value::{DateTime, Value};

impl RowChange {
    /// Fills in the columns of a new row to which nothing was given: `created_at`, `updated_at`, the first version, and
    /// what `default_with` functions return, and 0 in
    /// counters. Of an existing row `updated_at`, if anything is to be written. What was given
    /// stays.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::change::RowChange;
    /// use assoc_core::value::{Date, DateTime, Time};
    ///
    /// let date = Date { year: 2024, month: 2, day: 29 };
    /// let now = DateTime { date, time: Time { negative: false, hour: 12, minute: 0, second: 0, micros: 0 } };
    /// let mut team = RowChange::new(Team::DEF);
    /// team.fill(now);
    /// assert_eq!(team.changed(), [(Team::USERS_COUNT.index(), 0_i64.into())], "a counter begins at 0");
    /// ```
    pub fn fill(&mut self, now: DateTime) {
        let is_new = self.base.is_none();
        if is_new || self.has_changes() {
            fill(self.model, is_new, &mut self.values, now);
        }
    }
}

/// Fills in columns of a row that is written.
pub(crate) fn fill(model: &ModelDef, is_new: bool, values: &mut [Option<Value<'static>>], now: DateTime) {
    for (column, value) in model.columns.iter().zip(values) {
        let (None, ColumnDefault::Filled(by)) = (&value, column.default) else { continue };
        let filled = match by {
            FilledBy::UpdatedAt => timestamp(column.sql_type, now),
            _ if !is_new => continue,
            FilledBy::CreatedAt => timestamp(column.sql_type, now),
            FilledBy::LockVersion | FilledBy::CounterCache => column.sql_type.stored(Value::Int(0)),
            FilledBy::Function(make) => make(),
        };
        *value = Some(filled);
    }
}

/// A time as a column of this type holds it.
///
/// ```
/// use assoc_core::change::timestamp;
/// use assoc_core::value::{Date, DateTime, Time};
/// use assoc_core::{SqlType, Value};
///
/// let date = Date { year: 2024, month: 2, day: 29 };
/// let now = DateTime { date, time: Time { negative: false, hour: 12, minute: 0, second: 0, micros: 0 } };
/// assert_eq!(timestamp(SqlType::DateTime, now), Value::DateTime(now));
/// assert_eq!(timestamp(SqlType::Date, now), Value::Date(date));
/// ```
#[must_use]
pub fn timestamp(sql_type: SqlType, now: DateTime) -> Value<'static> {
    if sql_type == SqlType::Date { Value::Date(now.date) } else { Value::DateTime(now) }
}
