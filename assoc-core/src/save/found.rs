//! The rows that a look-up has found, under the keys that the save knows.
//!
//! A database may call keys equal that are written otherwise: `ADA` and `ada`, in a column that ignores case. Such a row is a
//! member like any other, but it holds none of the keys that were asked for. Then the database says by which key it has found
//! each row, and what the members are called that rows between lead to.

use std::collections::{HashMap, HashSet};

use crate::error::Result;
use crate::key::{KeySet, KeyTuple, RowKeys};
use crate::metadata::rows::{LinkRows, Rows};
use crate::row_sink::RowSink;
use crate::value::Value;

/// The rows that a [`Lookup`](super::Lookup) has found.
#[derive(Debug)]
pub struct FoundRows {
    rows: LinkRows,
    // By which key each row was found, where the database has said so.
    asked: Vec<KeyTuple>,
    // What members are called whose keys rows between write otherwise.
    names: HashMap<KeyTuple, KeyTuple>,
}

impl RowSink for FoundRows {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        RowSink::row(&mut self.rows, values)
    }
}

impl FoundRows {
    pub(super) fn new(rows: LinkRows) -> Self {
        FoundRows { rows, asked: Vec::new(), names: HashMap::new() }
    }

    /// Adds a row, with the key by which the database has found it.
    ///
    /// # Errors
    /// When it has another width.
    pub fn push_asked(&mut self, key: KeyTuple, values: &mut [Value<'_>]) -> Result<()> {
        self.asked.push(key);
        RowSink::row(&mut self.rows, values)
    }

    /// Says what the members are called whose keys the rows write otherwise.
    pub fn name_members(&mut self, names: HashMap<KeyTuple, KeyTuple>) {
        self.names = names;
    }

    // The values of columns in each row, as the rows hold them.
    pub(super) fn keys(&self, columns: &[usize]) -> RowKeys {
        self.rows.keys(columns, 0)
    }

    pub(super) fn stored(&self, columns: &[usize]) -> Vec<Option<KeyTuple>> {
        self.keys(columns).into_tuples()
    }

    // The same as the save knows them: `place` is where they are in the key by which the rows were found.
    pub(super) fn known(&self, columns: &[usize], place: Option<usize>) -> Vec<Option<KeyTuple>> {
        match place.filter(|_| !self.asked.is_empty()) {
            Some(place) => {
                let part = |key: &KeyTuple| KeyTuple::new(key.values().iter().skip(place).take(columns.len()).cloned());
                self.asked.iter().map(part).collect()
            }
            None => self.stored(columns),
        }
    }

    pub(super) fn named(&self, key: KeyTuple) -> KeyTuple {
        self.names.get(&key).cloned().unwrap_or(key)
    }

    // Whether each row holds one of these keys.
    pub(super) fn hold(&self, by: &[usize], keys: &KeySet) -> bool {
        let keys: HashSet<KeyTuple> = keys.tuples().into_iter().collect();
        self.stored(by).into_iter().flatten().all(|key| keys.contains(&key))
    }
}
