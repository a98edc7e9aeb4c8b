//! Rows between that a save makes of two keys, and whose model needs more or has rules.

use std::collections::HashSet;

use super::{PlannedRow, SavePlan};
use crate::change::{RowChange, column_problems_of, rule_problems_of};
use crate::error::{ErrorKind, FieldError, Result};
use crate::metadata::CallbackPoint;
use crate::metadata::association::Linkage;
use crate::save::questions::Ask;

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

    /// Refuses rows between that are written, of which nothing was said but whom they link: those whose model has columns that
    /// need a value, and those that violate its rules. If the callbacks of the model run, those that run before the row is written
    /// may give values, and rules judge what `before_validate` leaves.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with the problems of the first such row.
    pub fn check_links(&self, callbacks_run: bool, is_written: &dyn Fn(u32) -> bool) -> Result<()> {
        for (at, row) in (0..).zip(self.rows.iter()).filter(|(_, row)| row.is_bare_link) {
            let runs = |point| callbacks_run && row.model.has_callback(point);
            let is_judged = row.is_judged_link() && !runs(CallbackPoint::BeforeValidate);
            let lacks = self.lacks_values(row) && !GIVING.into_iter().any(runs);
            if (is_judged || lacks) && is_written(at) {
                let errors = self.problems_of_link(row, is_judged, lacks)?;
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
            && row.association.is_none_or(|association| association.options.insert_sql.is_none())
    }

    fn problems_of_link(&self, row: &PlannedRow, is_judged: bool, lacks: bool) -> Result<Vec<FieldError>> {
        let change = RowChange::with_values(row.model, None, self.rows.values(row).to_vec());
        let awaited = row.awaits.iter().map(|awaited| (awaited.column, None)).collect::<Vec<_>>();
        // As where the row between is given beside the member.
        let rows = match row.association.map(|association| association.linkage()).transpose()? {
            Some(Linkage::JoinRecord(record)) => record.rows,
            _ => None,
        };
        let name = rows.map_or(row.model.name, |rows| rows.name);
        let mut errors = if lacks { column_problems_of(&change, &awaited) } else { Vec::new() };
        if is_judged {
            errors.extend(rule_problems_of(&change, &awaited));
        }
        Ok(errors.into_iter().map(|error| error.within(name)).collect())
    }
}

impl PlannedRow {
    /// Whether nothing was said of a row between, and rules of its model judge it all the same: unless its association says
    /// `validate = false`.
    #[must_use]
    pub fn is_judged_link(&self) -> bool {
        self.is_bare_link
            && self.model.rules.is_some()
            && self.association.is_none_or(|association| association.options.validate)
    }
}
