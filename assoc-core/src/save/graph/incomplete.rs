//! Rows between that a save makes of two keys, and whose model needs more.

use std::collections::HashSet;

use super::{PlannedRow, SavePlan};
use crate::change::{RowChange, column_problems_of};
use crate::error::{ErrorKind, FieldError, Result};
use crate::metadata::CallbackPoint;
use crate::metadata::association::Linkage;
use crate::save::members::Ask;

/// The callbacks that may give a row between the values that it lacks.
const GIVING: [CallbackPoint; 3] =
    [CallbackPoint::BeforeValidate, CallbackPoint::BeforeSave, CallbackPoint::BeforeInsert];

impl SavePlan {
    /// The rows between that are written only if the two rows are not linked already. A [look-up](Self::lookups) says it.
    #[must_use]
    pub fn links_in_question(&self) -> HashSet<u32> {
        let questions = self.lookups.iter().flat_map(|lookup| &lookup.questions);
        let rows = questions.flat_map(|question| match &question.ask {
            Ask::All { keep, link } => keep.iter().map(|kept| kept.row).chain(*link).collect(),
            Ask::Member { .. } => Vec::new(),
        });
        rows.collect()
    }

    /// Refuses rows between that are written, of which nothing was said but whom they link, and whose model has columns that need a
    /// value. If callbacks run before the row is written, they may give it.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with the columns of the first such row.
    pub fn check_links(&self, is_written: &dyn Fn(u32) -> bool) -> Result<()> {
        for (at, row) in (0..).zip(self.rows.iter()) {
            if row.is_bare_link && self.lacks_values(row) && is_written(at) {
                let errors = self.problems_of_link(row)?;
                if let Some(group) = self.groups.first().filter(|_| !errors.is_empty()) {
                    return Err(ErrorKind::Invalid { model: group.model.name, errors }.into());
                }
            }
        }
        Ok(())
    }

    fn lacks_values(&self, row: &PlannedRow) -> bool {
        let is_awaited = |column: usize| row.awaits.iter().any(|awaited| awaited.column == column);
        let mut columns = row.model.columns.iter().zip(self.rows.values(row)).enumerate();
        columns.any(|(at, (column, value))| value.is_none() && !column.may_be_left_out() && !is_awaited(at))
            && !GIVING.iter().any(|point| row.model.has_callback(*point))
            && row.association.is_none_or(|association| association.options.insert_sql.is_none())
    }

    #[cold]
    fn problems_of_link(&self, row: &PlannedRow) -> Result<Vec<FieldError>> {
        let change = RowChange::with_values(row.model, None, self.rows.values(row).to_vec());
        let awaited = row.awaits.iter().map(|awaited| (awaited.column, None)).collect::<Vec<_>>();
        // As where the row between is given beside the member.
        let rows = match row.association.map(|association| association.linkage()).transpose()? {
            Some(Linkage::JoinRecord(record)) => record.rows,
            _ => None,
        };
        let name = rows.map_or(row.model.name, |rows| rows.name);
        Ok(column_problems_of(&change, &awaited).into_iter().map(|error| error.within(name)).collect())
    }
}
