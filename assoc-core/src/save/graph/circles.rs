//! New rows that need each other's keys: a country and its capital, a list whose last entry refers to the first.
//!
//! One row of each circle is written first, without the key that is not known yet, and takes it by an update once the others are
//! written ([`Closing`]). That needs a column that can be `NULL`. Where there is none, but the keys are known before (the
//! program makes them), the rows are written with them: if the database checks foreign keys at the end of the transaction, it
//! accepts that.

use std::collections::HashSet;

use super::{Awaited, Closing, PlannedRow, PlannedRows};

/// The circles that were met, each opened at one place.
#[derive(Default)]
pub(super) struct Circles {
    // Rows with the row that each waits for no longer.
    open: HashSet<(usize, usize)>,
    closings: Vec<Closing>,
    // The rows that wait for nothing, as far as they are known.
    ready: Vec<bool>,
    known: usize,
    // All rows before it are ready.
    first: usize,
}

impl Circles {
    /// Whether a row waits for another one no longer.
    pub(super) fn are_open(&self, row: usize, awaited: usize) -> bool {
        !self.open.is_empty() && self.open.contains(&(row, awaited))
    }

    pub(super) fn into_closings(self) -> Vec<Closing> {
        self.closings
    }

    /// Opens a circle of the rows that are not in the order. Answers with the row that waits for one row less, and by how many
    /// columns; `None` if no column can be left out.
    #[cold]
    pub(super) fn open_one(&mut self, rows: &mut PlannedRows, order: &[usize]) -> Option<(usize, usize)> {
        self.ready.resize(rows.len(), false);
        for at in &order[self.known..] {
            self.ready[*at] = true;
        }
        self.known = order.len();
        while *self.ready.get(self.first)? {
            self.first += 1;
        }
        let circle = self.circle_below(rows);
        let by_null = circle.iter().find(|(row, awaited)| can_wait(rows, *row, *awaited));
        let (row, awaited) = *by_null.or_else(|| circle.iter().find(|(row, of)| is_known(rows, *row, *of)))?;
        let columns = rows[row].awaits.take_of(awaited as u32);
        let count = columns.len();
        let mut later = Vec::new();
        for column in columns {
            match known_value(rows, row, column) {
                Some(value) if !is_optional(&rows[row], column.column) => {
                    rows.values_mut(row as u32)[column.column] = Some(value);
                }
                _ => later.push(column),
            }
        }
        if !later.is_empty() {
            self.closings.push(Closing { row: row as u32, columns: later });
        }
        self.open.insert((row, awaited));
        Some((row, count))
    }

    // Rows that wait for each other, each with the next one. A row that is not ready waits for one that is not ready, so the way
    // from row to row ends in a circle.
    fn circle_below(&self, rows: &PlannedRows) -> Vec<(usize, usize)> {
        let mut way: Vec<(usize, usize)> = Vec::new();
        let mut met: HashSet<usize> = HashSet::new();
        let mut at = self.first;
        while met.insert(at) {
            let waits = |awaited: &&Awaited| !self.ready[awaited.row as usize];
            let Some(awaited) = rows[at].awaits.iter().find(waits) else { return Vec::new() };
            way.push((at, awaited.row as usize));
            at = awaited.row as usize;
        }
        let begin = way.iter().position(|(row, _)| *row == at).unwrap_or(0);
        way.split_off(begin)
    }
}

fn columns<'r>(rows: &'r PlannedRows, row: usize, awaited: usize) -> impl Iterator<Item = Awaited> + 'r {
    rows[row].awaits.iter().copied().filter(move |column| column.row as usize == awaited)
}

// The key of a row that is inserted can come later where a column can be NULL so long, and the others are known.
fn can_wait(rows: &PlannedRows, row: usize, awaited: usize) -> bool {
    let is_new = rows[row].base.is_none() && !rows[row].unread;
    let fits = |column: Awaited| is_optional(&rows[row], column.column) || known_value(rows, row, column).is_some();
    is_new
        && columns(rows, row, awaited).all(fits)
        && columns(rows, row, awaited).any(|of| is_optional(&rows[row], of.column))
}

fn is_known(rows: &PlannedRows, row: usize, awaited: usize) -> bool {
    columns(rows, row, awaited).all(|column| known_value(rows, row, column).is_some())
}

fn is_optional(row: &PlannedRow, column: usize) -> bool {
    row.model.columns[column].nullable && !row.model.primary_key.contains(&column)
}

fn known_value(rows: &PlannedRows, row: usize, column: Awaited) -> Option<crate::Value<'static>> {
    let awaited = rows.get(column.row as usize).filter(|_| column.row as usize != row)?;
    rows.values(awaited).get(column.of)?.clone().filter(|value| !value.is_null())
}
