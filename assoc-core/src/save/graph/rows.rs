//! The rows of a plan, with the values of all of them.

use std::ops::{Deref, DerefMut, Range};

use super::{Awaits, PlannedRow};
use crate::change::Row;
use crate::metadata::association::AssociationDef;
use crate::metadata::model::{ModelDef, position_of_model};
use crate::value::Value;

/// The rows that a save writes, and those that it only leads to. Their values are in one list, because a save may have very
/// many rows.
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
/// use assoc_core::change::RowChange;
/// use assoc_core::save::SavePlan;
///
/// let rust = RowChange::with_values(Tag::DEF, None, vec![None, Some("rust".into())]);
/// let mut plan = SavePlan::new(Tag::DEF, vec![rust])?;
/// let rows = plan.rows();
/// let (_, tag) = rows.written().next().expect("a tag");
/// assert_eq!(rows.values(tag), [None, Some("rust".into())]);
/// assert!(rows.is_written(tag) && rows.is_set(tag, Tag::NAME.index()) && !rows.is_set(tag, Tag::ID.index()));
///
/// let tag = tag.clone();
/// assert!(!plan.rows().is_taken(&tag));
/// let values = plan.take_values(&[Tag::DEF]);
/// assert!(plan.rows().is_taken(&tag) && values.of(&tag).len() == 2);
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Default)]
pub struct PlannedRows {
    rows: Vec<PlannedRow>,
    values: RowValues,
    // The list to which rows are added.
    open: Option<usize>,
    // Their models, each once, and whether there are rows of them that exist.
    models: Vec<(&'static ModelDef, bool)>,
    // The models whose new rows have lost their values.
    taken: Vec<&'static ModelDef>,
}

/// The values of planned rows: of each row one entry for each column. They are in lists of some rows each, which are never
/// copied when there are more.
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
/// use assoc_core::change::RowChange;
/// use assoc_core::save::SavePlan;
///
/// let rust = RowChange::with_values(Tag::DEF, None, vec![None, Some("rust".into())]);
/// let mut plan = SavePlan::new(Tag::DEF, vec![rust])?;
/// let tag = plan.rows().written().next().expect("a tag").1.clone();
/// let mut values = plan.take_values(&[Tag::DEF]);
///
/// // The key that the database has made.
/// values.of_mut(&tag)[Tag::ID.index()] = Some(7_i64.into());
/// assert_eq!(values.of(&tag), [Some(7_i64.into()), Some("rust".into())]);
/// values.done_with(&tag);
/// assert!(!values.is_empty() && values.of(&tag).is_empty());
/// // A save that is repeated needs them again.
/// values.put_back(&tag, vec![None, Some("rust".into())]);
/// assert_eq!(values.of(&tag), [None, Some("rust".into())]);
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct RowValues(Vec<ValueList>);

#[derive(Debug, Clone, Default)]
struct ValueList {
    values: Vec<Option<Value<'static>>>,
    // How many rows have their values here, less those that were done with.
    rows: usize,
}

/// Where the values of a row are: which list, and where they begin there.
#[derive(Clone, Copy)]
pub(super) struct ValuesAt {
    list: u32,
    first: u32,
}

// For how many rows a list that is begun has room.
const ROWS_PER_LIST: usize = 128;

impl RowValues {
    /// The values of a row; none if the plan has given them up.
    #[must_use]
    pub fn of(&self, row: &PlannedRow) -> &[Option<Value<'static>>] {
        let first = row.at.first as usize;
        let list = self.0.get(row.at.list as usize);
        list.and_then(|list| list.values.get(first..first + row.model.columns.len())).unwrap_or_default()
    }

    /// The same to be changed.
    #[must_use]
    pub fn of_mut(&mut self, row: &PlannedRow) -> &mut [Option<Value<'static>>] {
        let first = row.at.first as usize;
        let list = self.0.get_mut(row.at.list as usize);
        list.and_then(|list| list.values.get_mut(first..first + row.model.columns.len())).unwrap_or_default()
    }

    /// Gives a row the values again that were taken out.
    pub fn put_back(&mut self, row: &PlannedRow, values: Vec<Option<Value<'static>>>) {
        let Some(list) = self.0.get_mut(row.at.list as usize) else { return };
        let first = row.at.first as usize;
        if list.values.len() < first + values.len() {
            list.values.resize(first + values.len(), None);
        }
        list.values[first..].iter_mut().zip(values).for_each(|(known, value)| *known = value);
        list.rows += 1;
    }

    /// Says that the values of a row are needed no longer. Those of the rows of one list are freed together, with the last.
    pub fn done_with(&mut self, row: &PlannedRow) {
        let Some(list) = self.0.get_mut(row.at.list as usize) else { return };
        list.rows = list.rows.saturating_sub(1);
        if list.rows == 0 {
            list.values = Vec::new();
        }
    }

    /// Whether there are no values at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PlannedRows {
    pub(super) fn expecting(rows: usize) -> Self {
        PlannedRows { rows: Vec::with_capacity(rows), ..PlannedRows::default() }
    }

    /// Adds a row. Columns beyond the values have none.
    pub(super) fn add(
        &mut self,
        model: &'static ModelDef,
        base: Option<Row>,
        values: impl IntoIterator<Item = Option<Value<'static>>>,
        association: Option<&'static AssociationDef>,
    ) -> u32 {
        let columns = model.columns.len();
        let has_room = |list: &Vec<_>| list.capacity() - list.len() >= columns;
        let list = match self.open.filter(|open| has_room(&self.values.0[*open].values)) {
            Some(open) => open,
            None => {
                let values = Vec::with_capacity(columns * ROWS_PER_LIST);
                self.values.0.push(ValueList { values, rows: 0 });
                *self.open.insert(self.values.0.len() - 1)
            }
        };
        let own = &mut self.values.0[list];
        let first = own.values.len();
        own.values.extend(values);
        own.values.resize(first + columns, None);
        own.rows += 1;
        self.push(model, base, ValuesAt { list: list as u32, first: first as u32 }, association)
    }

    /// Adds new rows of which all values are in one list. It answers which they are.
    pub(super) fn add_all(
        &mut self,
        model: &'static ModelDef,
        values: Vec<Option<Value<'static>>>,
        association: Option<&'static AssociationDef>,
    ) -> Range<u32> {
        let list = self.values.0.len() as u32;
        let first_row = self.rows.len() as u32;
        for first in (0..values.len()).step_by(model.columns.len().max(1)) {
            self.push(model, None, ValuesAt { list, first: first as u32 }, association);
        }
        let rows = self.rows.len() - first_row as usize;
        self.values.0.push(ValueList { values, rows });
        first_row..self.rows.len() as u32
    }

    fn push(
        &mut self,
        model: &'static ModelDef,
        base: Option<Row>,
        at: ValuesAt,
        association: Option<&'static AssociationDef>,
    ) -> u32 {
        let known = position_of_model(&self.models, model, |(model, _)| model).unwrap_or_else(|| {
            self.models.push((model, false));
            self.models.len() - 1
        });
        self.models[known].1 |= base.is_some();
        let awaits = Awaits::default();
        self.rows.push(PlannedRow {
            model,
            base,
            at,
            awaits,
            level: 0,
            unread: false,
            is_bare_link: false,
            association,
        });
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

    /// The models of the rows, each once.
    pub(crate) fn models(&self) -> impl Iterator<Item = &'static ModelDef> {
        self.models.iter().map(|(model, _)| *model)
    }

    /// The models of the rows that are written, each once.
    pub(crate) fn written_models(&self) -> Vec<&'static ModelDef> {
        if self.models.iter().all(|(_, exist)| !exist) {
            return self.models().collect();
        }
        let mut models: Vec<&'static ModelDef> = Vec::new();
        for (_, row) in self.written() {
            if position_of_model(&models, row.model, |model| model).is_none() {
                models.push(row.model);
            }
        }
        models
    }

    /// Whether [`take_values`](super::SavePlan::take_values) has taken the values of a row.
    #[must_use]
    pub fn is_taken(&self, row: &PlannedRow) -> bool {
        is_of(&self.taken, row)
    }

    /// The values of new rows of some models, given up.
    pub(super) fn take_values(&mut self, models: &[&'static ModelDef]) -> RowValues {
        if models.is_empty() {
            return RowValues::default();
        }
        self.taken = models.to_vec();
        let is_of_all = |(model, exist): &(&'static ModelDef, bool)| {
            !exist && position_of_model(models, model, |model| model).is_some()
        };
        if self.models.iter().all(is_of_all) {
            self.open = None;
            return std::mem::take(&mut self.values);
        }
        let empty = |list: &ValueList| ValueList { values: vec![None; list.values.len()], rows: list.rows };
        let mut taken = RowValues(self.values.0.iter().map(empty).collect());
        for row in self.rows.iter().filter(|row| is_of(models, row)) {
            taken.of_mut(row).swap_with_slice(self.values.of_mut(row));
        }
        taken
    }
}

// Whether it is a new row of one of these models.
fn is_of(models: &[&'static ModelDef], row: &PlannedRow) -> bool {
    row.base.is_none() && position_of_model(models, row.model, |model| model).is_some()
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
