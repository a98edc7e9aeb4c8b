//! Assigns the rows that an `INSERT … RETURNING` returns to the given rows.
//!
//! No database promises an order. The assignment is proven in this order:
//!
//! 1. by the primary key, if it was given;
//! 2. by the key that the database made, if the dialect says that such keys ascend in the order of the rows
//!    ([`Capabilities::ascending_keys`](crate::driver::Capabilities::ascending_keys)), and the values agree;
//! 3. by the given values: rows with equal values may be exchanged. First all values are compared; then only those that
//!    columns surely keep ([`Dialect::keeps`]), if they identify the rows.

use std::any::Any;
use std::collections::HashMap;

use crate::change::same_value;
use crate::dialect::Dialect;
use crate::key::{KeyTuple, RowKeys};
use crate::metadata::model::{ColumnDefault, ModelDef};
use crate::metadata::rows::Rows;
use crate::statement::Bind;
use crate::value::Value;

/// For each row from position `first` on, the position of the given row that it is; `None` if that cannot be proven.
/// There are as many rows as were inserted, of these columns with these values.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::Bind;
/// use assoc_core::save::inputs_of;
///
/// // `INSERT … RETURNING` may give back the rows in any order.
/// let binds = ["rust", "sql"].map(|name| Bind::Value(name.into()));
/// let rows = vec![Tag { id: 8, name: "sql".into() }, Tag { id: 7, name: "rust".into() }];
/// let inputs = inputs_of(Tag::DEF, &StandardSql::default(), &[Tag::NAME.index()], &binds, &rows, 0);
/// assert_eq!(inputs, Some(vec![1, 0]));
/// ```
#[must_use]
pub fn inputs_of(
    model: &ModelDef,
    dialect: &dyn Dialect,
    columns: &[usize],
    binds: &[Bind],
    rows: &dyn Rows,
    first: usize,
) -> Option<Vec<u32>> {
    let count = rows.len() - first;
    if count == 1 {
        return Some(vec![0]);
    }
    let given = Given { model, columns, binds, rows, first, count };
    given.by_given_key().or_else(|| given.by_ascending_key(dialect)).or_else(|| given.by_values(dialect))
}

struct Given<'g> {
    model: &'g ModelDef,
    columns: &'g [usize],
    binds: &'g [Bind],
    rows: &'g dyn Rows,
    first: usize,
    count: usize,
}

impl<'g> Given<'g> {
    fn value(&self, input: usize, place: usize) -> &'g Value<'static> {
        match self.binds.get(input * self.columns.len() + place) {
            Some(Bind::Value(value)) => value,
            _ => &Value::Null,
        }
    }

    fn row(&self, at: usize) -> &'g dyn Any {
        self.rows.row(self.first + at).unwrap_or(&())
    }

    fn returned(&self, at: usize, place: usize) -> Value<'g> {
        self.model.rows.value(self.row(at), self.columns[place])
    }

    fn agrees(&self, input: usize, at: usize, places: &[usize]) -> bool {
        places.iter().all(|place| {
            let column = &self.model.columns[self.columns[*place]];
            same_value(column, self.value(input, *place), &self.returned(at, *place))
        })
    }

    fn all_places(&self) -> Vec<usize> {
        (0..self.columns.len()).collect()
    }

    fn in_order(&self) -> Vec<u32> {
        (0..self.count as u32).collect()
    }

    // Whether each row is at the position where it was given.
    fn stands(&self, places: &[usize]) -> bool {
        (0..self.count).all(|at| self.agrees(at, at, places))
    }

    fn by_given_key(&self) -> Option<Vec<u32>> {
        let places = self.model.primary_key.iter().map(|key| self.columns.iter().position(|column| column == key));
        let places: Vec<usize> = places.collect::<Option<_>>()?;
        if places.is_empty() {
            return None;
        }
        if self.stands(&places) {
            return Some(self.in_order());
        }
        let mut inputs: HashMap<KeyTuple, u32> = HashMap::with_capacity(self.count);
        for input in 0..self.count {
            let key = KeyTuple::of_row(places.iter().map(|place| self.value(input, *place).clone()));
            inputs.insert(key, input as u32);
        }
        // Each key finds its row once, unless the database has changed the keys.
        (0..self.count).map(|at| inputs.remove(&self.model.key_of(self.row(at))?)).collect()
    }

    fn by_ascending_key(&self, dialect: &dyn Dialect) -> Option<Vec<u32>> {
        let [key] = self.model.primary_key else { return None };
        let counts = self.model.columns[*key].default == ColumnDefault::AutoIncrement;
        if !counts || self.columns.contains(key) || !dialect.capabilities().ascending_keys {
            return None;
        }
        let RowKeys::Ints(keys) = self.rows.keys(self.model.primary_key, self.first) else { return None };
        let mut order = self.in_order();
        if !keys.is_sorted() {
            order.sort_unstable_by_key(|at| keys[*at as usize]);
        }
        let places = self.kept(dialect);
        let agree = || order.iter().enumerate().all(|(input, at)| self.agrees(input, *at as usize, &places));
        if !self.model.read_back && !agree() {
            return None;
        }
        let mut inputs = vec![0; self.count];
        for (input, at) in order.iter().enumerate() {
            inputs[*at as usize] = input as u32;
        }
        Some(inputs)
    }

    fn by_values(&self, dialect: &dyn Dialect) -> Option<Vec<u32>> {
        let all = self.all_places();
        if self.stands(&all) {
            return Some(self.in_order());
        }
        self.by_values_of(&all).or_else(|| {
            let kept = self.kept(dialect);
            if kept.is_empty() || kept == all { None } else { self.by_values_of(&kept) }
        })
    }

    fn by_values_of(&self, places: &[usize]) -> Option<Vec<u32>> {
        // The inputs with the same values, last first.
        let mut inputs: HashMap<KeyTuple, Vec<u32>> = HashMap::with_capacity(self.count);
        for input in (0..self.count).rev() {
            let values = KeyTuple::of_row(places.iter().map(|place| self.value(input, *place).clone()));
            let same = inputs.entry(values).or_default();
            // Rows that differ only in columns that are not compared cannot be distinguished.
            if let Some(other) = same.first()
                && !self
                    .all_places()
                    .iter()
                    .all(|place| self.value(input, *place) == self.value(*other as usize, *place))
            {
                return None;
            }
            same.push(input as u32);
        }
        (0..self.count)
            .map(|at| {
                let values = KeyTuple::of_row(places.iter().map(|place| self.returned(at, *place).into_owned()));
                inputs.get_mut(&values)?.pop()
            })
            .collect()
    }

    // The places of columns that surely keep each value that was given.
    fn kept(&self, dialect: &dyn Dialect) -> Vec<usize> {
        let keeps = |place: &usize| {
            let column = &self.model.columns[self.columns[*place]];
            (0..self.count).all(|input| dialect.keeps(column, self.value(input, *place)))
        };
        self.all_places().into_iter().filter(keeps).collect()
    }
}
