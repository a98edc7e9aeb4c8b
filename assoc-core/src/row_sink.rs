//! Where rows go: a driver pushes each into a [`RowSink`], which neither knows the driver nor the model.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;
use crate::value::Value;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receives rows: one call per row, with all columns.
pub trait RowSink: Send {
    /// Takes one row. The sink may take buffers out of `values`.
    ///
    /// # Errors
    /// When the row cannot be read; the driver stops the statement and returns this error.
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()>;

    /// Whether the sink wants to see the columns before the rows. The driver calls this once per statement.
    fn wants_columns(&self) -> bool {
        false
    }

    /// Takes the columns of the answer, if it wants them: once, before the first row and also where there is none.
    ///
    /// # Errors
    /// When they are not those it can read; the driver stops the statement and returns this error.
    fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> Result<()> {
        let _ = columns;
        Ok(())
    }
}

/// A column of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerColumn<'a> {
    /// The name of the column: the alias in the statement, or the column's name. An expression without an alias has the
    /// name that the database gives it.
    pub name: &'a str,
    /// Whether it is an expression, as far as the driver knows.
    pub is_computed: bool,
}

impl<F: FnMut(&mut [Value<'_>]) -> Result<()> + Send> RowSink for F {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        self(values)
    }
}
