//! What a statement selects beside the columns of its rows, and what becomes of it: the values that rows were sorted by, as
//! the database gave them. A page begins after them. The row itself does not say: a model may hold a value in another form
//! than the column does, or not read the column at all.

use assoc_core::driver::{RowSink, Statement};
use assoc_core::{Result, Value};

use crate::session::Session;

/// Takes what is selected beside the columns of each row.
pub(crate) trait TakeCarried: Send {
    /// Takes the values of one row, and says whether the row is read.
    fn take(&mut self, values: &mut [Value<'_>]) -> bool;
}

/// What was carried with the last row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried {
    /// Its values.
    pub(crate) values: Vec<Value<'static>>,
    /// The number of adjacent rows, up to the last, that carried the same values.
    pub(crate) equal: u64,
}

impl TakeCarried for Carried {
    fn take(&mut self, values: &mut [Value<'_>]) -> bool {
        if self.equal > 0 && self.values.iter().eq(values.iter()) {
            self.equal += 1;
            return true;
        }
        self.values.clear();
        self.values.extend(values.iter_mut().map(|value| std::mem::take(value).into_owned()));
        self.equal = 1;
        true
    }
}

/// What was carried with each of the first rows. Adjacent rows that carry the same are one row, which a join repeats. Rows
/// after the first ones are not read; that there are any is noted.
#[derive(Debug)]
pub(crate) struct Places {
    /// The values of each row.
    pub(crate) places: Vec<Vec<Value<'static>>>,
    /// Whether there are more rows.
    pub(crate) more: bool,
    most: u64,
}

impl Places {
    /// At most this many rows.
    pub(crate) fn of_first(most: u64) -> Self {
        Places { places: Vec::new(), more: false, most }
    }
}

impl TakeCarried for Places {
    fn take(&mut self, values: &mut [Value<'_>]) -> bool {
        if self.more {
            return false;
        }
        let repeats =
            |last: &Vec<Value<'static>>| last.iter().zip(values.iter()).all(|(one, other)| is_alike(one, other));
        if self.places.last().is_some_and(repeats) {
            return true;
        }
        if self.places.len() as u64 >= self.most {
            self.more = true;
            return false;
        }
        self.places.push(values.iter_mut().map(|value| std::mem::take(value).into_owned()).collect());
        true
    }
}

// A number that is none does not equal itself.
fn is_alike(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Real(one), Value::Real(other)) => one.to_bits() == other.to_bits(),
        (one, other) => one == other,
    }
}

/// Runs a statement that selects `count` more values after those that the sink takes.
pub(crate) async fn query_carrying(
    session: &mut Session<'_>,
    statement: &Statement,
    sink: &mut dyn RowSink,
    count: usize,
    carried: &mut dyn TakeCarried,
) -> Result<()> {
    if count == 0 {
        return session.query(statement, sink).await;
    }
    session.query(statement, &mut Split { sink, count, carried }).await
}

struct Split<'s> {
    sink: &'s mut dyn RowSink,
    count: usize,
    carried: &'s mut dyn TakeCarried,
}

impl RowSink for Split<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        let (own, carried) = values.split_at_mut(values.len().saturating_sub(self.count));
        if self.carried.take(carried) { self.sink.row(own) } else { Ok(()) }
    }
}
