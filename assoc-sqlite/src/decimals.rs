//! The decimals of `assoc-dialects`, as functions of a connection.

use assoc_core::dialect::Sign;
use assoc_dialects::sqlite::functions::{self, Answer, Argument, Refused, decimals};
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error, Result, ffi};

/// Makes the functions known to a connection.
pub(crate) fn register(conn: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    conn.create_scalar_function("assoc_decimal", 1, flags, |context| {
        Ok(stored(decimals::key(argument(context.get_raw(0)))))
    })?;
    conn.create_scalar_function(functions::DECIMAL_PLUS, 2, flags, |context| sum_of(context, Sign::Plus))?;
    conn.create_scalar_function(functions::DECIMAL_MINUS, 2, flags, |context| sum_of(context, Sign::Minus))?;
    conn.create_aggregate_function(functions::DECIMAL_SUM, 1, flags, Summed(decimals::Summed::total))?;
    conn.create_aggregate_function(functions::DECIMAL_AVG, 1, flags, Summed(decimals::Summed::mean))?;
    conn.create_aggregate_function(functions::DECIMAL_MIN, 1, flags, Extreme(decimals::Extreme::least))?;
    conn.create_aggregate_function(functions::DECIMAL_MAX, 1, flags, Extreme(decimals::Extreme::greatest))
}

/// A value of rusqlite's, as the functions take it.
pub(crate) fn argument(value: ValueRef<'_>) -> Argument<'_> {
    match value {
        ValueRef::Null => Argument::Null,
        ValueRef::Integer(number) => Argument::Integer(number),
        ValueRef::Real(number) => Argument::Real(number),
        ValueRef::Text(text) => Argument::Text(text),
        ValueRef::Blob(bytes) => Argument::Blob(bytes),
    }
}

fn stored(answer: Answer) -> Value {
    match answer {
        Answer::Null => Value::Null,
        Answer::Integer(number) => Value::Integer(number),
        Answer::Real(number) => Value::Real(number),
        Answer::Text(text) => Value::Text(text),
        Answer::Blob(bytes) => Value::Blob(bytes),
    }
}

pub(crate) fn refused(refused: Refused) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_MISMATCH), Some(refused.to_string()))
}

fn sum_of(context: &Context<'_>, sign: Sign) -> Result<Option<String>> {
    decimals::sum(argument(context.get_raw(0)), argument(context.get_raw(1)), sign).map_err(refused)
}

struct Summed(fn(&decimals::Summed) -> std::result::Result<Option<String>, Refused>);

impl Aggregate<decimals::Summed, Option<String>> for Summed {
    fn init(&self, _: &mut Context<'_>) -> Result<decimals::Summed> {
        Ok(decimals::Summed::default())
    }

    fn step(&self, context: &mut Context<'_>, sum: &mut decimals::Summed) -> Result<()> {
        sum.add(argument(context.get_raw(0))).map_err(refused)
    }

    fn finalize(&self, _: &mut Context<'_>, sum: Option<decimals::Summed>) -> Result<Option<String>> {
        self.0(&sum.unwrap_or_default()).map_err(refused)
    }
}

struct Extreme(fn() -> decimals::Extreme);

impl Aggregate<decimals::Extreme, Value> for Extreme {
    fn init(&self, _: &mut Context<'_>) -> Result<decimals::Extreme> {
        Ok(self.0())
    }

    fn step(&self, context: &mut Context<'_>, extreme: &mut decimals::Extreme) -> Result<()> {
        extreme.add(argument(context.get_raw(0)));
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, extreme: Option<decimals::Extreme>) -> Result<Value> {
        Ok(extreme.map_or(Value::Null, |extreme| stored(extreme.answer())))
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
