//! Sums of integers within the limits of a column's type. SQLite's `+` makes a float of a sum that overflows, and its
//! columns hold integers of any size, which a narrower field could not be read from.

use assoc_dialects::sqlite::functions::{INTEGER_MINUS, INTEGER_PLUS};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use crate::decimals::refused;

/// Makes the functions known to a connection. Their arguments: column, value, least and greatest sum.
pub(crate) fn register(conn: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function(INTEGER_PLUS, 4, flags, |context| sum_of(context, 1))?;
    conn.create_scalar_function(INTEGER_MINUS, 4, flags, |context| sum_of(context, -1))
}

fn sum_of(context: &Context<'_>, sign: i128) -> Result<Option<i64>> {
    let (one, other) = match (context.get_raw(0), context.get_raw(1)) {
        (ValueRef::Null, _) | (_, ValueRef::Null) => return Ok(None),
        (ValueRef::Integer(one), ValueRef::Integer(other)) => (one, other),
        (one, _) => return Err(refused(format_args!("{} in the column is no integer", one.data_type()))),
    };
    let sum = i128::from(one) + sign * i128::from(other);
    let within: std::ops::RangeInclusive<i64> = context.get(2)?..=context.get(3)?;
    match i64::try_from(sum) {
        Ok(sum) if within.contains(&sum) => Ok(Some(sum)),
        _ => Err(refused(format_args!(
            "{sum} does not fit the column, which ends at {} and {}",
            within.start(),
            within.end()
        ))),
    }
}
