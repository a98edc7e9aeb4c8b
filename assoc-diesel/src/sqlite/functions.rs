//! The functions of `assoc-dialects`, registered with Diesel.
//!
//! Diesel's functions have arguments of a SQL type. Ours take a value as it is stored, whatever its class: `Binary` stands for
//! that, and what reads and writes it are types of ours. A function cannot fail in Diesel either, but an answer can refuse to be
//! written: its message becomes that of the statement.

use assoc_core::dialect::Sign;
use assoc_dialects::sqlite::functions::{Answer, Argument, Refused, decimals, integers, reals};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::result::QueryResult;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Binary;
use diesel::sqlite::{Sqlite, SqliteAggregateFunction, SqliteConnection, SqliteType, SqliteValue};

/// A value as a function is given it.
#[derive(Debug, FromSqlRow)]
pub(super) struct Given(Answer);

/// What a function answers, or why it does not.
#[derive(Debug, AsExpression)]
#[diesel(sql_type = Binary)]
pub(super) struct Answered(Result<Answer, Refused>);

impl Given {
    fn argument(&self) -> Argument<'_> {
        match &self.0 {
            Answer::Null => Argument::Null,
            Answer::Integer(number) => Argument::Integer(*number),
            Answer::Real(number) => Argument::Real(*number),
            Answer::Text(text) => Argument::Text(text.as_bytes()),
            Answer::Blob(bytes) => Argument::Blob(bytes),
        }
    }
}

impl FromSql<Binary, Sqlite> for Given {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Ok(Given(match value.value_type() {
            None => Answer::Null,
            Some(SqliteType::Text) => Answer::Text(value.read_text().to_owned()),
            Some(SqliteType::Binary) => Answer::Blob(value.read_blob().to_vec()),
            Some(SqliteType::Double | SqliteType::Float) => Answer::Real(value.read_double()),
            Some(_) => Answer::Integer(value.read_long()),
        }))
    }

    fn from_nullable_sql(value: Option<SqliteValue<'_, '_, '_>>) -> deserialize::Result<Self> {
        value.map_or(Ok(Given(Answer::Null)), Self::from_sql)
    }
}

impl ToSql<Binary, Sqlite> for Answered {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        match self.0.as_ref().map_err(|refused| Box::new(refused.clone()))? {
            Answer::Null => return Ok(IsNull::Yes),
            Answer::Integer(number) => out.set_value(*number),
            Answer::Real(number) => out.set_value(*number),
            Answer::Text(text) => out.set_value(text.as_str()),
            Answer::Blob(bytes) => out.set_value(bytes.as_slice()),
        }
        Ok(IsNull::No)
    }
}

// The names are those of `assoc_dialects::sqlite::functions`; a test compares them.
#[diesel::declare_sql_function]
extern "SQL" {
    fn assoc_decimal(value: Binary) -> Binary;
    fn assoc_decimal_plus(one: Binary, other: Binary) -> Binary;
    fn assoc_decimal_minus(one: Binary, other: Binary) -> Binary;
    fn assoc_integer_plus(one: Binary, other: Binary, least: Binary, greatest: Binary) -> Binary;
    fn assoc_integer_minus(one: Binary, other: Binary, least: Binary, greatest: Binary) -> Binary;
    fn assoc_real_plus(one: Binary, other: Binary, bits: Binary) -> Binary;
    fn assoc_real_minus(one: Binary, other: Binary, bits: Binary) -> Binary;
    #[aggregate]
    fn assoc_decimal_sum(value: Binary) -> Binary;
    #[aggregate]
    fn assoc_decimal_avg(value: Binary) -> Binary;
    #[aggregate]
    fn assoc_decimal_min(value: Binary) -> Binary;
    #[aggregate]
    fn assoc_decimal_max(value: Binary) -> Binary;
}

/// Makes the functions known to a connection.
pub(super) fn register(connection: &mut SqliteConnection) -> QueryResult<()> {
    assoc_decimal_utils::register_impl(connection, |value: Given| Answered(Ok(decimals::key(value.argument()))))?;
    assoc_decimal_plus_utils::register_impl(connection, |one: Given, other: Given| {
        decimal_sum(&one, &other, Sign::Plus)
    })?;
    assoc_decimal_minus_utils::register_impl(connection, |one: Given, other: Given| {
        decimal_sum(&one, &other, Sign::Minus)
    })?;
    assoc_integer_plus_utils::register_impl(connection, |a: Given, b: Given, c: Given, d: Given| {
        integer_sum([&a, &b, &c, &d], Sign::Plus)
    })?;
    assoc_integer_minus_utils::register_impl(connection, |a: Given, b: Given, c: Given, d: Given| {
        integer_sum([&a, &b, &c, &d], Sign::Minus)
    })?;
    assoc_real_plus_utils::register_impl(connection, |a: Given, b: Given, bits: Given| {
        real_sum([&a, &b, &bits], Sign::Plus)
    })?;
    assoc_real_minus_utils::register_impl(connection, |a: Given, b: Given, bits: Given| {
        real_sum([&a, &b, &bits], Sign::Minus)
    })?;
    assoc_decimal_sum_utils::register_impl::<Total, _>(connection)?;
    assoc_decimal_avg_utils::register_impl::<Mean, _>(connection)?;
    assoc_decimal_min_utils::register_impl::<Least, _>(connection)?;
    assoc_decimal_max_utils::register_impl::<Greatest, _>(connection)
}

fn decimal_sum(one: &Given, other: &Given, sign: Sign) -> Answered {
    Answered(decimals::sum(one.argument(), other.argument(), sign).map(Answer::from))
}

fn integer_sum(arguments: [&Given; 4], sign: Sign) -> Answered {
    Answered(integers::sum(arguments.map(Given::argument), sign).map(Answer::from))
}

fn real_sum(arguments: [&Given; 3], sign: Sign) -> Answered {
    let sum = reals::sum(arguments.map(Given::argument), sign);
    Answered(sum.map(|sum| sum.map_or(Answer::Null, Answer::Real)))
}

// The sum so far. Diesel takes a refusal at the end only.
#[derive(Debug)]
struct Summed(Result<decimals::Summed, Refused>);

impl Default for Summed {
    fn default() -> Self {
        Summed(Ok(decimals::Summed::default()))
    }
}

impl Summed {
    fn add(&mut self, value: &Given) {
        if let Ok(sum) = &mut self.0
            && let Err(refused) = sum.add(value.argument())
        {
            self.0 = Err(refused);
        }
    }

    fn answer(self, of: impl FnOnce(&decimals::Summed) -> Result<Option<String>, Refused>) -> Answered {
        Answered(self.0.and_then(|sum| of(&sum)).map(Answer::from))
    }
}

#[derive(Debug, Default)]
struct Total(Summed);

impl SqliteAggregateFunction<Given> for Total {
    type Output = Answered;

    fn step(&mut self, value: Given) {
        self.0.add(&value);
    }

    fn finalize(sum: Option<Self>) -> Answered {
        sum.unwrap_or_default().0.answer(decimals::Summed::total)
    }
}

#[derive(Debug, Default)]
struct Mean(Summed);

impl SqliteAggregateFunction<Given> for Mean {
    type Output = Answered;

    fn step(&mut self, value: Given) {
        self.0.add(&value);
    }

    fn finalize(sum: Option<Self>) -> Answered {
        sum.unwrap_or_default().0.answer(decimals::Summed::mean)
    }
}

#[derive(Debug)]
struct Least(decimals::Extreme);

impl Default for Least {
    fn default() -> Self {
        Least(decimals::Extreme::least())
    }
}

impl SqliteAggregateFunction<Given> for Least {
    type Output = Answered;

    fn step(&mut self, value: Given) {
        self.0.add(value.argument());
    }

    fn finalize(extreme: Option<Self>) -> Answered {
        Answered(Ok(extreme.unwrap_or_default().0.answer()))
    }
}

#[derive(Debug)]
struct Greatest(decimals::Extreme);

impl Default for Greatest {
    fn default() -> Self {
        Greatest(decimals::Extreme::greatest())
    }
}

impl SqliteAggregateFunction<Given> for Greatest {
    type Output = Answered;

    fn step(&mut self, value: Given) {
        self.0.add(value.argument());
    }

    fn finalize(extreme: Option<Self>) -> Answered {
        Answered(Ok(extreme.unwrap_or_default().0.answer()))
    }
}

#[cfg(test)]
mod tests {
    use assoc_dialects::sqlite::functions::{
        DECIMAL_AVG, DECIMAL_KEY, DECIMAL_MAX, DECIMAL_MIN, DECIMAL_MINUS, DECIMAL_PLUS, DECIMAL_SUM, INTEGER_MINUS,
        INTEGER_PLUS, REAL_MINUS, REAL_PLUS,
    };
    use diesel::connection::{Connection, SimpleConnection};

    use super::*;

    #[test]
    fn all_functions_of_the_dialect_are_registered() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        register(&mut connection).unwrap();
        let (before, behind) = DECIMAL_KEY;
        connection.batch_execute(&format!("SELECT {before}'1'{behind}")).unwrap();
        for name in [DECIMAL_SUM, DECIMAL_AVG, DECIMAL_MIN, DECIMAL_MAX] {
            connection.batch_execute(&format!("SELECT {name}(1)")).unwrap();
        }
        for name in [DECIMAL_PLUS, DECIMAL_MINUS] {
            connection.batch_execute(&format!("SELECT {name}(1, '2.5')")).unwrap();
        }
        for name in [INTEGER_PLUS, INTEGER_MINUS] {
            connection.batch_execute(&format!("SELECT {name}(1, 1, -128, 127)")).unwrap();
            let refused = connection.batch_execute(&format!("SELECT {name}(1, 1, 5, 6)")).unwrap_err();
            assert!(refused.to_string().starts_with("numbers: "), "{refused}");
        }
        for name in [REAL_PLUS, REAL_MINUS] {
            connection.batch_execute(&format!("SELECT {name}(1, 0.5, 32)")).unwrap();
        }
    }
}
