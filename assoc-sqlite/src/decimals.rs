//! Decimals on a database that has none: functions that the driver adds to every connection.
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

use assoc_core::value::decimal::{DecimalNumber, DecimalSum};
use assoc_dialects::sqlite::functions;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result, ffi};

/// Makes the functions known to a connection.
pub(crate) fn register(conn: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("assoc_decimal", 1, flags, |context| Ok(key_of(context.get_raw(0))))?;
    conn.create_scalar_function(functions::DECIMAL_PLUS, 2, flags, |context| {
        sum_of(context.get_raw(0), context.get_raw(1), false)
    })?;
    conn.create_scalar_function(functions::DECIMAL_MINUS, 2, flags, |context| {
        sum_of(context.get_raw(0), context.get_raw(1), true)
    })?;
    conn.create_aggregate_function(functions::DECIMAL_SUM, 1, flags, Summed { mean: false })?;
    conn.create_aggregate_function(functions::DECIMAL_AVG, 1, flags, Summed { mean: true })?;
    conn.create_aggregate_function(functions::DECIMAL_MIN, 1, flags, Extreme(Ordering::Less))?;
    conn.create_aggregate_function(functions::DECIMAL_MAX, 1, flags, Extreme(Ordering::Greater))
}

fn number_of(value: ValueRef<'_>) -> Option<DecimalNumber> {
    match value {
        ValueRef::Text(text) => DecimalNumber::parse(std::str::from_utf8(text).ok()?),
        ValueRef::Integer(number) => DecimalNumber::parse(&number.to_string()),
        ValueRef::Real(number) => DecimalNumber::of_real(number),
        ValueRef::Blob(key) => DecimalNumber::from_order_key(key),
        ValueRef::Null => None,
    }
}

// Infinities lie beyond every number; what is none stays as it is, and text is smaller than bytes.
fn key_of(value: ValueRef<'_>) -> Value {
    if let Some(number) = number_of(value) {
        return Value::Blob(number.order_key());
    }
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Real(number) => Value::Blob(vec![if number > 0.0 { 0xff } else { 0 }]),
        ValueRef::Blob(bytes) => Value::Text(format!("x'{}'", hexadecimal(bytes))),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Integer(number) => Value::Integer(number),
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

fn places_of(value: ValueRef<'_>, number: &DecimalNumber) -> usize {
    match value {
        ValueRef::Text(text) => {
            let point = text.iter().position(|byte| *byte == b'.');
            let digits = |from: usize| text[from + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            point.map_or(0, digits).max(number.scale())
        }
        _ => number.scale(),
    }
}

/// How messages of these functions begin.
pub(crate) const REFUSED: &str = "numbers: ";

pub(crate) fn refused(message: impl std::fmt::Display) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_MISMATCH), Some(format!("{REFUSED}{message}")))
}

fn not_a_number(value: ValueRef<'_>) -> Error {
    refused(format_args!("{} among the values is no decimal number", value.data_type()))
}

// With as many places as the longer of both has.
fn sum_of(one: ValueRef<'_>, other: ValueRef<'_>, subtracts: bool) -> Result<Option<String>> {
    if one == ValueRef::Null || other == ValueRef::Null {
        return Ok(None);
    }
    let mut sum = DecimalSum::default();
    for (value, negated) in [(one, false), (other, subtracts)] {
        let number = number_of(value).ok_or_else(|| not_a_number(value))?;
        let places = places_of(value, &number);
        let number = if negated { number.negated() } else { number };
        sum.add(&number, places).map_err(refused)?;
    }
    sum.total().map_err(refused)
}

struct Summed {
    mean: bool,
}

impl Aggregate<DecimalSum, Option<String>> for Summed {
    fn init(&self, _: &mut Context<'_>) -> Result<DecimalSum> {
        Ok(DecimalSum::default())
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut DecimalSum) -> Result<()> {
        let value = context.get_raw(0);
        if value == ValueRef::Null {
            return Ok(());
        }
        let number = number_of(value).ok_or_else(|| not_a_number(value))?;
        sum.add(&number, places_of(value, &number)).map_err(refused)
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<DecimalSum>) -> Result<Option<String>> {
        let sum = sum.unwrap_or_default();
        if self.mean { sum.mean() } else { sum.total() }.map_err(refused)
    }
}

// The smallest or the largest: as it is stored. Of equal ones the longest text, so that the answer does not depend on
// the order of the rows.
struct Extreme(Ordering);

impl Aggregate<Option<(Value, Value)>, Value> for Extreme {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<(Value, Value)>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, best: &mut Option<(Value, Value)>) -> Result<()> {
        let value = context.get_raw(0);
        let key = key_of(value);
        let better = match (&key, best.as_ref()) {
            (Value::Null, _) => false,
            (_, None) => true,
            (key, Some((best, stored))) => {
                let order = ordered(key, best);
                order == self.0 || order == Ordering::Equal && length(value) > length(ValueRef::from(stored))
            }
        };
        if better {
            *best = Some((key, Value::try_from(value)?));
        }
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, best: Option<Option<(Value, Value)>>) -> Result<Value> {
        Ok(best.flatten().map_or(Value::Null, |(_, stored)| stored))
    }
}

// As SQLite compares keys: text before bytes.
fn ordered(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Blob(one), Value::Blob(other)) => one.cmp(other),
        (Value::Text(one), Value::Text(other)) => one.cmp(other),
        (Value::Text(_), _) => Ordering::Less,
        (_, Value::Text(_)) => Ordering::Greater,
        _ => Ordering::Equal,
    }
}

fn length(value: ValueRef<'_>) -> usize {
    match value {
        ValueRef::Text(text) => text.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        register(&conn).unwrap();
        conn
    }

    fn answer(conn: &Connection, sql: &str) -> Value {
        conn.query_row(sql, [], |row| row.get(0)).unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    #[test]
    fn all_storage_classes_compare_as_numbers() {
        let conn = connection();
        for condition in [
            "assoc_decimal('9.50') = assoc_decimal(9.5)",
            "assoc_decimal('10') = assoc_decimal(10)",
            "assoc_decimal('0.1') = assoc_decimal(0.1)",
            "assoc_decimal(0.1 + 0.2) > assoc_decimal('0.3')",
            "assoc_decimal('-0') = assoc_decimal(0)",
            "assoc_decimal('-10') < assoc_decimal('-9')",
            "assoc_decimal(9e999) > assoc_decimal('1e400')",
            "assoc_decimal(-9e999) < assoc_decimal('-1e400')",
            "assoc_decimal('abc') < assoc_decimal('-1e400')",
            "assoc_decimal('abc') <> assoc_decimal('abd')",
            "assoc_decimal(x'01') < assoc_decimal(-9e999)",
            "assoc_decimal(NULL) IS NULL",
            "assoc_decimal(9223372036854775807) > assoc_decimal('9223372036854775806.9')",
        ] {
            assert_eq!(answer(&conn, &format!("SELECT {condition}")), Value::Integer(1), "{condition}");
        }
    }

    #[test]
    fn aggregates_are_exact() {
        let conn = connection();
        conn.execute_batch(
            "CREATE TABLE t(v); INSERT INTO t VALUES ('123456789123456789.123456789'), ('100.10'), (NULL)",
        )
        .unwrap();
        let text = |sql: &str| answer(&conn, sql);
        assert_eq!(text("SELECT assoc_decimal_sum(v) FROM t"), Value::Text("123456789123456889.223456789".into()));
        assert_eq!(text("SELECT assoc_decimal_avg(v) FROM t"), Value::Text("61728394561728444.6117283945".into()));
        assert_eq!(text("SELECT assoc_decimal_min(v) FROM t"), Value::Text("100.10".into()));
        assert_eq!(text("SELECT assoc_decimal_max(v) FROM t WHERE v IS NULL"), Value::Null);
        assert_eq!(text("SELECT assoc_decimal_sum(v) FROM t WHERE 0"), Value::Null);
        assert_eq!(
            text("SELECT assoc_decimal_sum(DISTINCT assoc_decimal(v)) FROM t WHERE v < '11'"),
            Value::Text("100.1".into())
        );
        conn.execute_batch("INSERT INTO t VALUES ('abc')").unwrap();
        let error = conn.query_row("SELECT assoc_decimal_sum(v) FROM t", [], |_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("no decimal number"), "{error}");
    }
}
