//! The sums of integers and floats of `assoc-dialects`, as functions of a connection.

use assoc_core::dialect::Sign;
use assoc_dialects::sqlite::functions::{INTEGER_MINUS, INTEGER_PLUS, REAL_MINUS, REAL_PLUS, integers, reals};
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, Result};

use crate::decimals::{argument, refused};

/// Makes the functions known to a connection.
pub(crate) fn register(conn: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function(INTEGER_PLUS, 4, flags, |context| integer_sum(context, Sign::Plus))?;
    conn.create_scalar_function(INTEGER_MINUS, 4, flags, |context| integer_sum(context, Sign::Minus))?;
    conn.create_scalar_function(REAL_PLUS, 3, flags, |context| real_sum(context, Sign::Plus))?;
    conn.create_scalar_function(REAL_MINUS, 3, flags, |context| real_sum(context, Sign::Minus))
}

fn integer_sum(context: &Context<'_>, sign: Sign) -> Result<Option<i64>> {
    let arguments = [0, 1, 2, 3].map(|at| argument(context.get_raw(at)));
    integers::sum(arguments, sign).map_err(refused)
}

fn real_sum(context: &Context<'_>, sign: Sign) -> Result<Option<f64>> {
    let arguments = [0, 1, 2].map(|at| argument(context.get_raw(at)));
    reals::sum(arguments, sign).map_err(refused)
}
