//! The rows of an answer, on their way from SQLite to the reader.

use assoc_core::driver::{AnswerColumn, RowSink};
use assoc_core::{Result, Value};
use assoc_dialects::sqlite::is_expression;

use crate::{errors, values};

/// Tells the reader the columns of the answer, if it wants to know them.
pub(super) fn offer_columns(prepared: &rusqlite::Statement<'_>, sink: &mut dyn RowSink) -> Result<()> {
    if !sink.wants_columns() {
        return Ok(());
    }
    let columns = |name| AnswerColumn { name, is_computed: is_expression(name) };
    // A list in older versions of rusqlite, an iterator in newer ones.
    #[allow(clippy::useless_conversion)]
    sink.columns(&prepared.column_names().into_iter().map(columns).collect::<Vec<_>>())
}

/// Moves rows from SQLite to the sink through one buffer.
pub(super) struct Pump<'p> {
    pub(super) sql: &'p str,
    pub(super) sink: &'p mut dyn RowSink,
    pub(super) buffer: Vec<Value<'static>>,
    pub(super) columns: Option<usize>,
}

impl Pump<'_> {
    /// Reads up to `limit` rows. Returns whether there are no more.
    pub(super) fn run(&mut self, rows: &mut rusqlite::Rows<'_>, limit: usize) -> Result<bool> {
        for _ in 0..limit {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => return Ok(true),
                Err(error) => return Err(errors::of_statement(error, self.sql)),
            };
            // Read after the first step, in which SQLite may have prepared the statement again for a changed schema.
            let columns = match self.columns {
                Some(columns) => columns,
                None => {
                    offer_columns(row.as_ref(), self.sink)?;
                    *self.columns.insert(row.as_ref().column_count())
                }
            };
            let mut values: Vec<Value<'_>> = values::recycle(std::mem::take(&mut self.buffer));
            values::read(row, columns, &mut values, self.sql)?;
            self.sink.row(&mut values)?;
            self.buffer = values::recycle(values);
        }
        Ok(false)
    }
}
