//! The rows of a plan, with the values of all of them.

use std::ops::{Deref, DerefMut};

use super::{Awaits, PlannedRow};
use crate::change::Row;
use crate::metadata::association::AssociationDef;
use crate::metadata::model::{ModelDef, position_of_model};
use crate::value::Value;

/// The rows that a save writes, and those that it only leads to. Their values are in one list, because a save may have very
/// many rows.
#[derive(Default)]
pub struct PlannedRows {
    rows: Vec<PlannedRow>,
    values: RowValues,
}

/// The values of planned rows: of each row one entry for each column.
#[derive(Debug, Clone, Default)]
pub struct RowValues(Vec<Option<Value<'static>>>);

impl RowValues {
    /// The values of a row; none if the plan has given them up.
    #[must_use]
    pub fn of(&self, row: &PlannedRow) -> &[Option<Value<'static>>] {
        self.0.get(row.range()).unwrap_or_default()
    }

    /// The same to be changed.
    #[must_use]
    pub fn of_mut(&mut self, row: &PlannedRow) -> &mut [Option<Value<'static>>] {
        self.0.get_mut(row.range()).unwrap_or_default()
    }

    /// Whether there are no values at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PlannedRows {
    pub(super) fn expecting(rows: usize) -> Self {
        PlannedRows { rows: Vec::with_capacity(rows), values: RowValues::default() }
    }

    /// Adds a row. Columns beyond the values have none.
    pub(super) fn add(
        &mut self,
        model: &'static ModelDef,
        base: Option<Row>,
        values: impl IntoIterator<Item = Option<Value<'static>>>,
        association: Option<&'static AssociationDef>,
    ) -> u32 {
        let first = self.values.0.len();
        self.values.0.extend(values);
        self.values.0.resize(first + model.columns.len(), None);
        let awaits = Awaits::default();
        self.rows.push(PlannedRow { model, base, first, taken: false, awaits, level: 0, unread: false, association });
        self.rows.len() as u32 - 1
    }

    /// The values to write to a row, one entry for each column; of a row that exists those that differ. None if
    /// [`take_values`](super::SavePlan::take_values) has taken them.
    #[must_use]
    pub fn values(&self, row: &PlannedRow) -> &[Option<Value<'static>>] {
        self.values.of(row)
    }

    pub(crate) fn values_mut(&mut self, row: u32) -> &mut [Option<Value<'static>>] {
        self.parts_mut(row).1
    }

    pub(crate) fn parts_mut(&mut self, row: u32) -> (&mut PlannedRow, &mut [Option<Value<'static>>]) {
        let row = &mut self.rows[row as usize];
        let values = self.values.of_mut(row);
        (row, values)
    }

    /// Whether anything is written to a row.
    #[must_use]
    pub fn is_written(&self, row: &PlannedRow) -> bool {
        row.base.is_none() || !row.awaits.is_empty() || self.values(row).iter().any(Option::is_some)
    }

    /// The rows that are written.
    pub fn written(&self) -> impl Iterator<Item = (u32, &PlannedRow)> {
        (0_u32..).zip(&self.rows).filter(|(_, row)| self.is_written(row))
    }

    /// Whether a row takes a value in a column: its own, or that of another row.
    #[must_use]
    pub fn is_set(&self, row: &PlannedRow, column: usize) -> bool {
        self.values(row)[column].is_some() || row.awaits.iter().any(|awaited| awaited.column == column)
    }

    /// The values of new rows of some models, given up.
    pub(super) fn take_values(&mut self, models: &[&'static ModelDef]) -> RowValues {
        for row in &mut self.rows {
            row.taken = row.base.is_none() && position_of_model(models, row.model, |model| model).is_some();
        }
        if self.rows.iter().all(PlannedRow::is_taken) {
            return std::mem::take(&mut self.values);
        }
        let mut taken = RowValues(Vec::new());
        taken.0.resize(self.values.0.len(), None);
        for row in self.rows.iter().filter(|row| row.is_taken()) {
            taken.of_mut(row).swap_with_slice(self.values.of_mut(row));
        }
        taken
    }
}

impl Deref for PlannedRows {
    type Target = [PlannedRow];

    fn deref(&self) -> &[PlannedRow] {
        &self.rows
    }
}

impl DerefMut for PlannedRows {
    fn deref_mut(&mut self) -> &mut [PlannedRow] {
        &mut self.rows
    }
}
