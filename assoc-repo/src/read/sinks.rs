//! Where the rows of a read go, if they are not simply a list.

use assoc_core::driver::{AnswerColumn, RowSink};
use assoc_core::metadata::ModelDef;
use assoc_core::{Model, Result, Value};

/// Rows of hand-written SQL. Their columns are checked before the first row is read.
pub(crate) struct Named<R> {
    pub(crate) model: &'static ModelDef,
    pub(crate) rows: R,
}

impl<R: RowSink> RowSink for Named<R> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        self.rows.row(values)
    }

    fn wants_columns(&self) -> bool {
        true
    }

    fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> Result<()> {
        self.model.check_columns(columns)
    }
}

// At most one row, without a vector for the most frequent query.
pub(super) struct OneRow<M>(pub(super) Option<M>);

impl<M: Model> RowSink for OneRow<M> {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        self.0 = Some(M::from_values(values)?);
        Ok(())
    }
}
