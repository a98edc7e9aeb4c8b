//! What a statement selects beside the columns of its rows, and what becomes of it: the values that the last row was sorted
//! by, as the database gave them. A page begins after them. The row itself does not say: a model may hold a value in
//! another form than the column does, or not read the column at all.

use assoc_core::driver::{RowSink, Statement};
use assoc_core::{Result, Value};

use crate::session::Session;

/// What was carried with the last row.
#[derive(Debug, Clone, Default)]
pub(crate) struct Carried {
    /// Its values.
    pub(crate) values: Vec<Value<'static>>,
    /// The number of adjacent rows, up to the last, that carried the same values.
    pub(crate) equal: u64,
}

impl Carried {
    fn take(&mut self, values: &mut [Value<'_>]) {
        if self.equal > 0 && self.values.iter().eq(values.iter()) {
            self.equal += 1;
            return;
        }
        self.values.clear();
        self.values.extend(values.iter_mut().map(|value| std::mem::take(value).into_owned()));
        self.equal = 1;
    }
}

/// Runs a statement that selects `count` more values after those that the sink takes.
pub(crate) async fn query_carrying(
    session: &mut Session<'_>,
    statement: &Statement,
    sink: &mut dyn RowSink,
    count: usize,
    carried: &mut Carried,
) -> Result<()> {
    if count == 0 {
        return session.query(statement, sink).await;
    }
    session.query(statement, &mut Split { sink, count, carried }).await
}

struct Split<'s> {
    sink: &'s mut dyn RowSink,
    count: usize,
    carried: &'s mut Carried,
}

impl RowSink for Split<'_> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        let (own, carried) = values.split_at_mut(values.len().saturating_sub(self.count));
        self.carried.take(carried);
        self.sink.row(own)
    }
}
