//! Aggregates over rows in memory, as a database computes them: for rows of which only loading says whose they are.
//!
//! Numbers, booleans, dates and times, UUIDs and bytes are compared and added here. How texts compare is for the database to
//! say (its collation), so that is an error that names the column.

use std::any::Any;
use std::cmp::Ordering;
use std::collections::HashSet;

use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{AggregateFunction, AssociationDef, Operand};
use assoc_core::value::Time;
use assoc_core::value::decimal::{DecimalNumber, DecimalSum};
use assoc_core::{Error, Result, Value};

/// One aggregate while rows are added.
pub(super) struct Fold<'o> {
    association: &'static AssociationDef,
    operand: &'o Operand,
    // The values that count.
    count: i64,
    sum: Sum,
    best: Option<Value<'static>>,
    seen: HashSet<KeyTuple>,
}

#[derive(Default)]
enum Sum {
    #[default]
    Nothing,
    Integers(i128),
    Reals(f64),
    Decimals(DecimalSum),
}

impl<'o> Fold<'o> {
    pub(super) fn new(association: &'static AssociationDef, operand: &'o Operand) -> Self {
        Fold { association, operand, count: 0, sum: Sum::default(), best: None, seen: HashSet::new() }
    }

    /// Adds a row.
    pub(super) fn add(&mut self, row: &dyn Any) -> Result<()> {
        let Operand::Aggregate { function, column, distinct } = self.operand else { return Ok(()) };
        let Some(column) = column else {
            self.count += 1;
            return Ok(());
        };
        let model = (self.association.target)();
        let known = model.columns.iter().position(|known| known.name == column.name);
        let Some(value) = known.map(|at| model.rows.value(row, at)).filter(|value| !value.is_null()) else {
            return Ok(());
        };
        let is_text = matches!(value, Value::Text(_) | Value::Json(_));
        if is_text && (*distinct || *function != AggregateFunction::Count) {
            return Err(self.refusal("compared as text, which only the database does"));
        }
        if *distinct && !KeyTuple::new([value.clone().into_owned()]).is_some_and(|value| self.seen.insert(value)) {
            return Ok(());
        }
        self.count += 1;
        match function {
            AggregateFunction::Sum | AggregateFunction::Avg => self.add_to_sum(&value),
            AggregateFunction::Min | AggregateFunction::Max => self.compare(value, *function),
            _ => Ok(()),
        }
    }

    fn add_to_sum(&mut self, value: &Value<'_>) -> Result<()> {
        let too_large = |fold: &Self| fold.refusal("more than a sum holds");
        let integer = match value {
            Value::Int(number) => Some(i128::from(*number)),
            Value::UInt(number) => Some(i128::from(*number)),
            Value::Bool(is) => Some(i128::from(*is)),
            _ => None,
        };
        match (&mut self.sum, value, integer) {
            (sum @ Sum::Nothing, _, Some(number)) => *sum = Sum::Integers(number),
            (Sum::Integers(sum), _, Some(number)) => match sum.checked_add(number) {
                Some(total) => *sum = total,
                None => return Err(too_large(self)),
            },
            (sum @ Sum::Nothing, Value::Real(number), _) => *sum = Sum::Reals(*number),
            (Sum::Reals(sum), Value::Real(number), _) => *sum += number,
            (sum @ (Sum::Nothing | Sum::Decimals(_)), Value::Decimal(text), _) => {
                let mut total = match std::mem::take(sum) {
                    Sum::Decimals(total) => total,
                    _ => DecimalSum::default(),
                };
                let Some(number) = DecimalNumber::parse(text) else {
                    return Err(self.refusal("no decimal number"));
                };
                let places = text.split_once('.').map_or(0, |(_, fraction)| fraction.len()).max(number.scale());
                total.add(&number, places).map_err(|error| self.refusal(&error.to_string()))?;
                self.sum = Sum::Decimals(total);
            }
            _ => return Err(self.refusal(&format!("{}, which has no sum", value.kind()))),
        }
        Ok(())
    }

    fn compare(&mut self, value: Value<'_>, function: AggregateFunction) -> Result<()> {
        let Some(best) = &self.best else {
            self.best = Some(value.into_owned());
            return Ok(());
        };
        let Some(order) = order_of(&value, best) else {
            return Err(self.refusal(&format!("{} beside {}", value.kind(), best.kind())));
        };
        let better = if function == AggregateFunction::Min { Ordering::Less } else { Ordering::Greater };
        if order == better {
            self.best = Some(value.into_owned());
        }
        Ok(())
    }

    /// The aggregate of all rows that were added.
    pub(super) fn finish(self) -> Result<Value<'static>> {
        let Operand::Aggregate { function, .. } = self.operand else { return Ok(Value::Null) };
        Ok(match function {
            AggregateFunction::Count => Value::Int(self.count),
            AggregateFunction::Min | AggregateFunction::Max => self.best.unwrap_or_default(),
            AggregateFunction::Avg => match &self.sum {
                Sum::Nothing => Value::Null,
                Sum::Integers(sum) => Value::Real(*sum as f64 / self.count as f64),
                Sum::Reals(sum) => Value::Real(sum / self.count as f64),
                Sum::Decimals(sum) => decimal(sum.mean().map_err(|error| self.refusal(&error.to_string()))?),
            },
            _ => match &self.sum {
                Sum::Nothing => Value::Null,
                Sum::Integers(sum) => match (i64::try_from(*sum), u64::try_from(*sum)) {
                    (Ok(sum), _) => Value::Int(sum),
                    (_, Ok(sum)) => Value::UInt(sum),
                    _ => return Err(self.refusal("more than a sum holds")),
                },
                Sum::Reals(sum) => Value::Real(*sum),
                Sum::Decimals(sum) => decimal(sum.total().map_err(|error| self.refusal(&error.to_string()))?),
            },
        })
    }

    #[cold]
    fn refusal(&self, what: &str) -> Error {
        let association = self.association.name;
        let message = format!(
            "`{}` of `{association}` is computed in memory, because only loading says which rows an owner has, and a value \
             is {what}",
            self.operand.shown()
        );
        Error::invalid_query((self.association.owner)().name, message)
    }
}

fn decimal(text: Option<String>) -> Value<'static> {
    text.map_or(Value::Null, |text| Value::Decimal(text.into()))
}

fn micros(Time { negative, hour, minute, second, micros }: Time) -> i64 {
    let seconds = (i64::from(hour) * 60 + i64::from(minute)) * 60 + i64::from(second);
    let span = seconds * 1_000_000 + i64::from(micros);
    if negative { -span } else { span }
}

// How two values of one column compare; `None` if only a database knows.
fn order_of(one: &Value<'_>, other: &Value<'_>) -> Option<Ordering> {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
        (Value::UInt(one), Value::UInt(other)) => Some(one.cmp(other)),
        (Value::Int(one), Value::UInt(other)) => Some(i128::from(*one).cmp(&i128::from(*other))),
        (Value::UInt(one), Value::Int(other)) => Some(i128::from(*one).cmp(&i128::from(*other))),
        (Value::Real(one), Value::Real(other)) => one.partial_cmp(other),
        (Value::Blob(one), Value::Blob(other)) => Some(one.cmp(other)),
        (Value::Date(one), Value::Date(other)) => Some(one.cmp(other)),
        (Value::Time(one), Value::Time(other)) => Some(micros(*one).cmp(&micros(*other))),
        (Value::DateTime(one), Value::DateTime(other)) => {
            Some((one.date, micros(one.time)).cmp(&(other.date, micros(other.time))))
        }
        (Value::Uuid(one), Value::Uuid(other)) => Some(one.cmp(other)),
        (Value::Decimal(one), Value::Decimal(other)) => {
            Some(DecimalNumber::parse(one)?.cmp(&DecimalNumber::parse(other)?))
        }
        _ => None,
    }
}
