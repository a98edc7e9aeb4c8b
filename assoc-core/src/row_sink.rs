//! Where rows go: a driver pushes each into a [`RowSink`], which neither knows the driver nor the model.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;
use crate::value::Value;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receives rows: one call a row, all columns at once.
pub trait RowSink: Send {
    /// Takes one row. The sink may take buffers out of `values`.
    ///
    /// # Errors
    /// When the row cannot be read; the driver stops the statement and returns this error.
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()>;
}

impl<F: FnMut(&mut [Value<'_>]) -> Result<()> + Send> RowSink for F {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        self(values)
    }
}
