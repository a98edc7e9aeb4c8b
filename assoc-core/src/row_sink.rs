//! Where rows go: a driver pushes each into a [`RowSink`], which neither knows the driver nor the model.

use std::future::Future;
use std::pin::Pin;

use crate::error::Result;
use crate::value::Value;

/// A boxed future that may move between threads.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Receives rows: one call per row, with all columns.
///
/// A sink for single numbers, which wants to know what they are called. A closure is one that does not:
///
/// ```
/// use assoc_core::driver::{AnswerColumn, RowSink};
/// use assoc_core::{ErrorKind, Result, Value};
///
/// #[derive(Default)]
/// struct Numbers(String, i64);
///
/// impl RowSink for Numbers {
///     fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
///         match values {
///             [Value::Int(number)] => Ok(self.1 += *number),
///             several => Err(ErrorKind::RowWidth { model: "numbers", expected: 1, found: several.len() }.into()),
///         }
///     }
///
///     fn wants_columns(&self) -> bool {
///         true
///     }
///
///     fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> Result<()> {
///         Ok(self.0 = columns.iter().map(|column| column.name).collect())
///     }
/// }
///
/// // What a driver does.
/// let mut sink = Numbers::default();
/// if sink.wants_columns() {
///     sink.columns(&[AnswerColumn { name: "stars", is_computed: false }])?;
/// }
/// sink.row(&mut [Value::Int(2)])?;
/// sink.row(&mut [Value::Int(3)])?;
/// assert_eq!((sink.0.as_str(), sink.1), ("stars", 5));
/// assert!(sink.row(&mut []).is_err());
///
/// let closure = |_: &mut [Value<'_>]| Ok(());
/// assert!(!closure.wants_columns());
/// # Ok::<(), assoc_core::Error>(())
/// ```
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
