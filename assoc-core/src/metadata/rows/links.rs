//! Rows that consist of keys: of a join table without a model, or of a join model that no request reads.
//!
//! Nearly all keys are integers, so the list stores integers as long as all keys are: eight bytes per key, no
//! allocation per row. The first other value turns the list into one of values.

use std::any::{Any, TypeId};
use std::ops::Range;

use super::{ModelRows, Owners, Rows};
use crate::column_type::SqlType;
use crate::error::{ErrorKind, Result};
use crate::key::{KeyTuple, RowKeys};
use crate::metadata::model::ModelDef;
use crate::metadata::origin::RowOrigin;
use crate::row_sink::RowSink;
use crate::value::Value;

/// A list of links.
///
/// ```
#[doc = include_str!("../../../docs/blog.txt")]
/// use assoc_core::driver::RowSink;
/// use assoc_core::execution::RowKeys;
/// use assoc_core::execution::rows::{LinkRows, Rows};
///
/// // Of the posts between users and comments only two columns are read.
/// let mut links = LinkRows::of(Post::DEF, vec![Post::ID.index(), Post::USER_ID.index()]);
/// RowSink::row(&mut links, &mut [7_i64.into(), 1_i64.into()])?;
/// assert_eq!(links.keys(&[Post::USER_ID.index()], 0), RowKeys::Ints(vec![Some(1)]));
/// assert!(RowSink::row(&mut links, &mut [7_i64.into()]).is_err());
/// // Without a definition values stay as they come; without columns there are only positions.
/// assert_eq!((LinkRows::new(vec![0]).len(), LinkRows::unread(3).len()), (0, 3));
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct LinkRows {
    // The table's columns that are kept, in the order they are selected.
    columns: Vec<usize>,
    // The SQL types of the columns, as far as the table's definition is known.
    types: Vec<SqlType>,
    values: Flat,
}

// Row after row, one value per column.
#[derive(Debug, Clone)]
enum Flat {
    Ints(Vec<i64>),
    Values(Vec<Value<'static>>),
}

impl Flat {
    fn len(&self) -> usize {
        match self {
            Flat::Ints(ints) => ints.len(),
            Flat::Values(values) => values.len(),
        }
    }

    fn push(&mut self, value: Value<'static>) {
        match (&mut *self, value) {
            (Flat::Ints(ints), Value::Int(int)) => ints.push(int),
            (Flat::Values(values), value) => values.push(value),
            (Flat::Ints(ints), value) => {
                let mut values: Vec<Value<'static>> = std::mem::take(ints).into_iter().map(Value::Int).collect();
                values.push(value);
                *self = Flat::Values(values);
            }
        }
    }

    fn get(&self, at: usize) -> Value<'static> {
        match self {
            Flat::Ints(ints) => ints.get(at).copied().map(Value::Int),
            Flat::Values(values) => values.get(at).cloned(),
        }
        .unwrap_or_default()
    }

    fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let mut at = 0;
        let mut next = || {
            at += 1;
            keep(at - 1)
        };
        match self {
            Flat::Ints(ints) => ints.retain(|_| next()),
            Flat::Values(values) => values.retain(|_| next()),
        }
    }
}

impl LinkRows {
    /// An empty list of rows that keep these columns of their table.
    #[must_use]
    pub fn new(columns: Vec<usize>) -> Self {
        LinkRows { columns, types: Vec::new(), values: Flat::Ints(Vec::new()) }
    }

    /// An empty list of rows of a model that keep these columns. Values that drivers return in several forms are
    /// converted to the form of the model's column.
    #[must_use]
    pub fn of(model: &ModelDef, columns: Vec<usize>) -> Self {
        let types = columns.iter().map(|column| model.columns[*column].sql_type).collect();
        LinkRows { types, ..LinkRows::new(columns) }
    }

    /// A number of rows whose keys are never read.
    #[must_use]
    pub fn unread(len: usize) -> Self {
        LinkRows { values: Flat::Ints(vec![0; len]), ..LinkRows::new(Vec::new()) }
    }

    fn width(&self) -> usize {
        self.columns.len().max(1)
    }

    // The keys of one column of rows that are there, if they are integers or NULL.
    fn int_keys(&self, place: usize, rows: Range<usize>) -> Option<Vec<Option<i64>>> {
        match &self.values {
            Flat::Ints(ints) => Some(rows.map(|row| ints.get(row * self.width() + place).copied()).collect()),
            Flat::Values(values) => rows
                .map(|row| match values.get(row * self.width() + place) {
                    Some(Value::Int(key)) => Some(Some(*key)),
                    Some(Value::Null) => Some(None),
                    _ => None,
                })
                .collect(),
        }
    }
}

impl RowSink for LinkRows {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        if values.len() != self.columns.len() {
            return Err(ErrorKind::RowWidth { model: "link", expected: self.columns.len(), found: values.len() }.into());
        }
        // Nearly all links are integers in columns of integers: they are copied as they are.
        if let Flat::Ints(ints) = &mut self.values
            && self.types.iter().all(|of| of.is_integer())
        {
            let known = ints.len();
            ints.extend(values.iter().map_while(|value| match value {
                Value::Int(int) => Some(*int),
                _ => None,
            }));
            if ints.len() - known == values.len() {
                return Ok(());
            }
            ints.truncate(known);
        }
        for (at, value) in values.iter_mut().enumerate() {
            let value = std::mem::take(value).into_owned();
            self.values.push(match self.types.get(at) {
                Some(of) => of.as_key(value),
                None => value,
            });
        }
        Ok(())
    }
}

impl Rows for LinkRows {
    fn len(&self) -> usize {
        self.values.len() / self.width()
    }

    fn row(&self, _: usize) -> Option<&dyn Any> {
        None
    }

    fn keys_of(&self, columns: &[usize], rows: Range<usize>) -> RowKeys {
        let rows = rows.start..rows.end.min(self.len());
        let place_of = |column: &usize| self.columns.iter().position(|kept| kept == column);
        let places: Vec<Option<usize>> = columns.iter().map(place_of).collect();
        if let [Some(place)] = places[..]
            && let Some(ints) = self.int_keys(place, rows.clone())
        {
            return RowKeys::Ints(ints);
        }
        let value = |row: usize, place: &Option<usize>| {
            place.map(|place| self.values.get(row * self.width() + place)).unwrap_or_default()
        };
        let key = |row: usize| KeyTuple::new(places.iter().map(|place| value(row, place)));
        RowKeys::Tuples(rows.map(key).collect())
    }

    fn push_bare(&mut self, _: &dyn Any) {}

    fn push_from(&mut self, other: &dyn Rows, at: usize) {
        if let Some(other) = other.as_any().downcast_ref::<LinkRows>() {
            for place in 0..other.width() {
                self.values.push(other.values.get(at * other.width() + place));
            }
        }
    }

    fn append(&mut self, other: Box<dyn Rows>) {
        (0..other.len()).for_each(|at| self.push_from(&*other, at));
    }

    fn keep(&mut self, marks: &[bool]) {
        let width = self.width();
        self.values.retain(|at| marks.get(at / width).copied().unwrap_or(false));
    }

    fn reorder(&mut self, order: &[u32]) {
        let mut ordered = LinkRows { types: self.types.clone(), ..LinkRows::new(self.columns.clone()) };
        order.iter().for_each(|at| ordered.push_from(self, *at as usize));
        *self = ordered;
    }

    // A program never gets these rows.
    fn mark(&mut self, _: RowOrigin) {}

    fn owners(&mut self) -> &mut dyn Owners {
        self
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn into_shared(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

// Rows of keys have no associations, so attaching to them finds no owner.
impl Owners for LinkRows {
    fn count(&self) -> usize {
        self.len()
    }

    fn owner(&mut self, _: usize) -> Option<&mut dyn Any> {
        None
    }
}

/// [`ModelRows`] of a join table without a model.
#[derive(Debug)]
pub struct LinkTable;

impl ModelRows for LinkTable {
    fn model_type(&self) -> TypeId {
        TypeId::of::<LinkRows>()
    }

    fn new_rows(&self) -> Box<dyn Rows> {
        Box::new(LinkRows::new(Vec::new()))
    }

    fn value<'a>(&self, _: &'a dyn Any, _: usize) -> Value<'a> {
        Value::Null
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::model::{ColumnDef, TableRef};

    fn links(rows: &[[Value<'static>; 2]]) -> LinkRows {
        let mut links = LinkRows::new(vec![1, 4]);
        for row in rows {
            RowSink::row(&mut links, &mut row.clone()).unwrap();
        }
        links
    }

    #[test]
    fn uuids_are_equal_however_they_are_stored() {
        const COLUMNS: &[ColumnDef] = &[
            ColumnDef::new("one", "one", SqlType::Uuid, false),
            ColumnDef::new("other", "other", SqlType::Blob, false),
        ];
        const TABLE: ModelDef = ModelDef::join_table("Link", TableRef { schema: None, name: "links" }, COLUMNS);
        let mut links = LinkRows::of(&TABLE, vec![0, 1]);
        let bytes = Value::Blob(vec![7; 16].into());
        let text = Value::from("07070707-0707-0707-0707-070707070707");
        for one in [bytes.clone(), text, Value::Uuid([7; 16])] {
            RowSink::row(&mut links, &mut [one, bytes.clone()]).unwrap();
        }
        let all = |value: &Value<'static>| RowKeys::Tuples(vec![KeyTuple::new([value.clone()]); 3]);
        assert_eq!(links.keys(&[0], 0), all(&Value::Uuid([7; 16])));
        // Bytes that are no UUID stay what they are.
        assert_eq!(links.keys(&[1], 0), all(&bytes));
    }

    #[test]
    fn integers_stay_integers_until_one_is_not() {
        let mut all = links(&[[Value::Int(1), Value::Int(2)], [Value::Int(3), Value::Int(4)]]);
        assert_eq!(all.keys(&[4], 0), RowKeys::Ints(vec![Some(2), Some(4)]));
        RowSink::row(&mut all, &mut [Value::Int(5), Value::Null]).unwrap();
        assert_eq!(all.keys(&[4], 1), RowKeys::Ints(vec![Some(4), None]));
        RowSink::row(&mut all, &mut [Value::Int(6), Value::from("x")]).unwrap();
        assert!(matches!(all.keys(&[4], 0), RowKeys::Tuples(keys) if keys.len() == 4 && keys[2].is_none()));
        assert_eq!(all.keys(&[1], 2), RowKeys::Ints(vec![Some(5), Some(6)]));
        // A column that was not kept has no keys.
        assert!(matches!(all.keys(&[9], 0), RowKeys::Tuples(keys) if keys.iter().all(Option::is_none)));
    }

    #[test]
    fn rows_are_kept_and_copied_whole() {
        let mut all = links(&[[Value::Int(1), Value::Int(2)], [Value::Int(3), Value::Int(4)]]);
        let mut copy = LinkRows::new(vec![1, 4]);
        copy.push_from(&all, 1);
        all.keep(&[false, true]);
        assert_eq!((all.len(), copy.keys(&[1, 4], 0)), (1, all.keys(&[1, 4], 0)));
        assert!(RowSink::row(&mut all, &mut [Value::Int(1)]).is_err());
    }
}
