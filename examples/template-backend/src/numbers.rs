//! What SQLite does not have: decimals, floats of single precision, and sums that overflow with an error. These are functions of the connection.

use assoc_core::value::decimal::{DecimalNumber, DecimalSum};
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value as Stored, ValueRef};
use rusqlite::{Connection, Error, Result, ffi};

pub(crate) fn register(client: &Connection) -> Result<()> {
    // What is no number comes before all numbers, as text.
    let key = |text: &str| match DecimalNumber::parse(text) {
        Some(number) => (true, number.order_key()),
        None => (false, text.into()),
    };
    client.create_collation("decimal", move |one, other| key(one).cmp(&key(other)))?;
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    client.create_scalar_function("plus", 4, flags, |context| sum(context, false))?;
    client.create_scalar_function("minus", 4, flags, |context| sum(context, true))?;
    client.create_aggregate_function("decimal_sum", 1, flags, Total { mean: false })?;
    client.create_aggregate_function("decimal_avg", 1, flags, Total { mean: true })
}

fn refused(why: impl std::fmt::Display) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(format!("integer overflow: {why}")))
}

fn add(total: &mut DecimalSum, value: ValueRef<'_>, negated: bool) -> Result<()> {
    let text = match value {
        ValueRef::Null => return Ok(()),
        ValueRef::Integer(number) => number.to_string(),
        other => other.as_str().map_err(refused)?.to_owned(),
    };
    let number = DecimalNumber::parse(&text).ok_or_else(|| refused("no decimal number"))?;
    let places = text.split_once('.').map_or(0, |(_, places)| places.len());
    total.add(&if negated { number.negated() } else { number }, places).map_err(refused)
}

// The column, the value, and the least and the greatest number that the column holds.
fn sum(context: &Context<'_>, negated: bool) -> Result<Stored> {
    Ok(match (context.get_raw(0), context.get_raw(1)) {
        (ValueRef::Null, _) | (_, ValueRef::Null) => Stored::Null,
        (ValueRef::Real(one), ValueRef::Real(other)) => {
            let (sum, most) = (if negated { one - other } else { one + other }, context.get::<f64>(3)?);
            #[allow(clippy::cast_possible_truncation)] // To the nearest float of the column.
            let sum = if most > f64::from(f32::MAX) { sum } else { f64::from(sum as f32) };
            if sum.abs() > most || sum.is_nan() {
                return Err(refused("it does not fit"));
            }
            Stored::Real(sum)
        }
        (ValueRef::Integer(one), ValueRef::Integer(other)) => {
            let sum = if negated { one.checked_sub(other) } else { one.checked_add(other) };
            let within = context.get(2)?..=context.get(3)?;
            Stored::Integer(sum.filter(|sum| within.contains(sum)).ok_or_else(|| refused("it does not fit"))?)
        }
        (one, other) => {
            let mut total = DecimalSum::default();
            add(&mut total, one, false)?;
            add(&mut total, other, negated)?;
            total.total().map_err(refused)?.map_or(Stored::Null, Stored::Text)
        }
    })
}

struct Total {
    mean: bool,
}

impl Aggregate<DecimalSum, Option<String>> for Total {
    fn init(&self, _: &mut Context<'_>) -> Result<DecimalSum> {
        Ok(DecimalSum::default())
    }

    fn step(&self, context: &mut Context<'_>, total: &mut DecimalSum) -> Result<()> {
        add(total, context.get_raw(0), false)
    }

    fn finalize(&self, _: &mut Context<'_>, total: Option<DecimalSum>) -> Result<Option<String>> {
        let total = total.unwrap_or_default();
        if self.mean { total.mean() } else { total.total() }.map_err(refused)
    }
}
