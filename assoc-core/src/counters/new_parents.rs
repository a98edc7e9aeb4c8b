//! Rows that a save inserts together with rows that belong to them: they are inserted with their counters.

use std::collections::HashMap;

use super::Children;
use crate::change::timestamp;
use crate::key::KeyTuple;
use crate::metadata::association::{KeySide, Parent};
use crate::metadata::model::{ColumnDefault, ModelDef, position_of_model};
use crate::save::{PlannedRow, PlannedRows};
use crate::value::{DateTime, Value};

/// When the parent that a planned row will have follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// Before rows are written: the parent exists, and its key is known.
    Before,
    /// After rows were written.
    After,
    /// Not at all: it is inserted by the same save, with its counter.
    Inserted,
}

/// For each planned row that belongs to others, the timing of each of its parents.
pub type Timings = HashMap<u32, Vec<Timing>>;

/// What follows in rows that a save inserts, and when the others follow.
#[derive(Debug, Default)]
pub(crate) struct NewParents {
    pub(crate) timings: Timings,
    // Rows that are inserted, with columns that take the time of the save unless something else is given.
    touched: Vec<(u32, Vec<usize>)>,
}

impl NewParents {
    /// Counts the planned rows in those that are inserted with them. Rows of which only the database will know whom they belong
    /// to become such that are read back.
    pub(crate) fn count(rows: &mut PlannedRows) -> NewParents {
        let mut new_parents = NewParents::default();
        if !rows.models().any(ModelDef::has_followed_parents) {
            return new_parents;
        }
        let mut keys: HashMap<(usize, &'static [usize]), HashMap<KeyTuple, u32>> = HashMap::new();
        let mut sums: HashMap<(u32, usize), i64> = HashMap::new();
        let mut awaiting: Option<HashMap<u32, Vec<u32>>> = None;
        // Of each model once, with whether the save changes keys of its parents.
        let mut models: Vec<(&'static ModelDef, Option<(Children, Vec<bool>)>)> = Vec::new();
        for at in 0..rows.len() {
            if !rows.is_written(&rows[at]) {
                continue;
            }
            let model = rows[at].model;
            let known = position_of_model(&models, model, |(known, _)| known).unwrap_or_else(|| {
                let rekeyed = |children: &Children| {
                    children.parents.iter().map(|parent| is_rekeyed(rows, parent)).collect::<Vec<_>>()
                };
                models.push((model, Children::of(model).map(|children| (children.clone(), rekeyed(&children)))));
                models.len() - 1
            });
            let Some((children, rekeyed)) = &models[known].1 else { continue };
            let mut timings = Vec::with_capacity(children.parents.len());
            for (parent, is_rekeyed) in children.parents.iter().zip(rekeyed) {
                if parent.key_side == KeySide::Target {
                    let awaiting = awaiting.get_or_insert_with(|| awaiting_rows(rows));
                    let timing = touched_with(rows, at as u32, parent, awaiting, &mut new_parents);
                    rows[at].unread &= timing != Timing::After;
                    timings.push(timing);
                    continue;
                }
                let timing = match whose(rows, at, parent, &mut keys) {
                    Whose::Inserted(row) if parent.conditions.is_always() => {
                        if let Some(counter) = parent.counter {
                            *sums.entry((row, counter)).or_default() += 1;
                        }
                        if !parent.touched.is_empty() {
                            new_parents.touched.push((row, parent.touched.clone()));
                        }
                        Timing::Inserted
                    }
                    Whose::Inserted(_) => Timing::After,
                    Whose::Known if *is_rekeyed => Timing::After,
                    Whose::Known => Timing::Before,
                    Whose::Unknown => {
                        rows[at].unread = false;
                        Timing::After
                    }
                };
                timings.push(timing);
            }
            new_parents.timings.insert(at as u32, timings);
        }
        for ((row, counter), sum) in sums {
            rows.values_mut(row)[counter] = Some(Value::Int(sum));
        }
        new_parents
    }

    /// Fills in the times of rows that are inserted together with rows that touch them.
    pub(crate) fn touch(&self, rows: &mut PlannedRows, now: DateTime) {
        for (row, columns) in &self.touched {
            let (row, values) = rows.parts_mut(*row);
            for column in columns {
                let time = timestamp(row.model.columns[*column].sql_type, now);
                values[*column].get_or_insert(time);
            }
        }
    }
}

// The rows that take values of each row.
fn awaiting_rows(rows: &PlannedRows) -> HashMap<u32, Vec<u32>> {
    let mut awaiting: HashMap<u32, Vec<u32>> = HashMap::new();
    for (row, at) in rows.iter().zip(0..) {
        for awaited in &row.awaits {
            awaiting.entry(awaited.row).or_default().push(at);
        }
    }
    awaiting
}

// When the row of a `has_one` is touched with a planned row. A new row has none but what the save gives to it, unless its key is
// given.
fn touched_with(
    rows: &PlannedRows,
    at: u32,
    parent: &Parent,
    awaiting: &HashMap<u32, Vec<u32>>,
    new_parents: &mut NewParents,
) -> Timing {
    let row = &rows[at as usize];
    let mut timing = match row.base {
        None if parent.foreign_key.iter().any(|column| rows.values(row)[*column].is_none()) => Timing::Inserted,
        _ => Timing::After,
    };
    for own in awaiting.get(&at).into_iter().flatten() {
        let other = &rows[*own as usize];
        let refers = other.model == parent.model
            && other.awaits.iter().any(|awaited| awaited.row == at && parent.key.contains(&awaited.column));
        match (&other.base, refers) {
            (_, false) => {}
            (None, true) => new_parents.touched.push((*own, parent.touched.clone())),
            (Some(_), true) => timing = Timing::After,
        }
    }
    timing
}

enum Whose {
    // Of a row that exists, or of none.
    Known,
    // Of a row that the same save inserts.
    Inserted(u32),
    // Only the database knows.
    Unknown,
}

fn whose(
    rows: &PlannedRows,
    at: usize,
    parent: &Parent,
    keys: &mut HashMap<(usize, &'static [usize]), HashMap<KeyTuple, u32>>,
) -> Whose {
    let row = &rows[at];
    let model = row.model;
    let given = |column: usize| match (&rows.values(row)[column], &row.base) {
        (Some(value), _) => Some(value.clone()),
        (None, Some(base)) => Some(model.rows.value(&**base, column).into_owned()),
        (None, None) if model.columns[column].default == ColumnDefault::None => Some(Value::Null),
        (None, None) => None,
    };
    if let Some(named) = parent.named {
        match given(named.column) {
            Some(Value::Text(tag)) if tag == named.tag => {}
            Some(_) => return Whose::Known,
            None => return Whose::Unknown,
        }
    }
    let is_new = |row: u32| rows[row as usize].base.is_none() && rows[row as usize].model == parent.model;
    let mut is_awaited = false;
    for (column, of) in parent.foreign_key.iter().zip(parent.key) {
        let Some(awaited) = row.awaits.iter().find(|awaited| awaited.column == *column) else { continue };
        if awaited.of == *of && is_new(awaited.row) {
            return Whose::Inserted(awaited.row);
        }
        is_awaited = true;
    }
    if is_awaited {
        return Whose::Unknown;
    }
    let Some(values) = parent.foreign_key.iter().map(|column| given(*column)).collect::<Option<Vec<_>>>() else {
        return Whose::Unknown;
    };
    let Some(key) = KeyTuple::new(values) else { return Whose::Known };
    // The address is a hint: a constant may exist at several.
    let known = keys.entry((std::ptr::from_ref(parent.model) as usize, parent.key));
    let known = known.or_insert_with(|| given_keys(rows, parent.model, parent.key));
    known.get(&key).map_or(Whose::Known, |row| Whose::Inserted(*row))
}

// The rows of a model that are inserted with keys that are given.
fn given_keys(rows: &PlannedRows, model: &'static ModelDef, key: &[usize]) -> HashMap<KeyTuple, u32> {
    let new = rows.iter().zip(0_u32..).filter(|(row, _)| row.base.is_none() && row.model == model);
    let keyed = new.filter_map(|(row, at)| {
        let values: Option<Vec<_>> = key.iter().map(|column| rows.values(row)[*column].clone()).collect();
        Some((KeyTuple::new(values?)?, at))
    });
    keyed.collect()
}

// Whether the save changes keys by which parents are found.
fn is_rekeyed(rows: &PlannedRows, parent: &Parent) -> bool {
    let changes = |row: &PlannedRow| {
        row.base.is_some()
            && row.model.table == parent.model.table
            && (parent.key.iter().any(|column| rows.values(row)[*column].is_some())
                || row.awaits.iter().any(|awaited| parent.key.contains(&awaited.column)))
    };
    rows.iter().any(changes)
}
