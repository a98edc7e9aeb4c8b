//! Rows of an `INSERT` that need not be read back: all their values were given but the key, and that is counted.
//!
//! What a database returns of inserted rows costs as much as inserting them. Where nothing changes values on their way into
//! the table ([`Capabilities::inserts_as_given`](crate::driver::Capabilities::inserts_as_given)), the first statement for some
//! columns is read back all the same. It shows that the table takes the values as they are, and with which key the count
//! begins. Of the statements that follow, the key of the last row is enough: it has to be the last key of the statement
//! before, and as many more as there are rows.
//!
//! This proves the keys, because only this connection writes to the table during the save. Keys count upwards, so a row that a
//! trigger inserts in between makes the last key higher. A key that the database makes at random (because the highest
//! possible key is taken) differs as well. In both cases the save undoes the rows and inserts them one by one.

use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::RowKeys;
use crate::metadata::model::{ColumnDefault, ModelDef};
use crate::metadata::rows::Rows;
use crate::statement::Bind;
use crate::value::Value;

/// The columns of rows that came back as they were given, and the key of the last one.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::Bind;
/// use assoc_core::save::CountedKeys;
///
/// let mut dialect = StandardSql::default();
/// (dialect.0.inserts_as_given, dialect.0.ascending_keys) = (true, true);
/// let columns = [Tag::NAME.index()];
/// let bound = |names: [&'static str; 2]| names.map(|name| Bind::Value(name.into())).to_vec();
/// let mut rows = vec![Tag { id: 7, name: "rust".into() }, Tag { id: 8, name: "sql".into() }];
/// // The first statement was read back, and its rows are as they were given.
/// let first = bound(["rust", "sql"]);
/// let mut counted = CountedKeys::shown_by(Tag::DEF, &dialect, &columns, &first, &rows, 0).expect("keys are counted");
///
/// // The next one is not read: two rows, and the last of them has the key 10.
/// let mut next = bound(["web", "orm"]);
/// assert!(counted.cover(&columns, &next));
/// assert!(counted.take(&mut next, 2, Some(10), &mut rows)?);
/// assert_eq!(rows[3].id, 10);
/// // A trigger has inserted a row between.
/// assert!(!counted.take(&mut bound(["a", "b"]), 2, Some(14), &mut rows)?);
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedKeys {
    model: &'static ModelDef,
    columns: Box<[usize]>,
    last: i64,
}

impl CountedKeys {
    /// What the rows from position `first` on show, which are all those of a statement with these values, in the order in
    /// which they came back. `None` if keys are not counted here, or if a row is another than was given.
    #[must_use]
    pub fn shown_by(
        model: &'static ModelDef,
        dialect: &dyn Dialect,
        columns: &[usize],
        binds: &[Bind],
        rows: &dyn Rows,
        first: usize,
    ) -> Option<Self> {
        let capabilities = dialect.capabilities();
        let [key] = model.primary_key else { return None };
        // Rows to which nothing is given are inserted one by one as it is.
        if columns.is_empty() {
            return None;
        }
        let counts = model.columns[*key].default == ColumnDefault::AutoIncrement && !columns.contains(key);
        if !(counts && capabilities.inserts_as_given && capabilities.ascending_keys) || model.read_back {
            return None;
        }
        let is_known = |(at, column): (usize, &crate::metadata::ColumnDef)| {
            at == *key || columns.contains(&at) || column.nullable && column.default == ColumnDefault::None
        };
        if model.columns.iter().any(|column| column.read_back) || !model.columns.iter().enumerate().all(is_known) {
            return None;
        }
        let RowKeys::Ints(keys) = rows.keys(model.primary_key, first) else { return None };
        let keys: Vec<i64> = keys.into_iter().collect::<Option<_>>()?;
        let begin = *keys.first()?;
        if !keys.iter().zip(0..).all(|(key, at)| begin.checked_add(at) == Some(*key)) {
            return None;
        }
        let as_given = |at: usize| {
            let row = rows.row(first + at)?;
            let own = binds.get(at * columns.len()..(at + 1) * columns.len())?;
            let same = |column: usize| {
                let value = model.rows.value(row, column);
                match columns.iter().position(|given| *given == column) {
                    Some(place) => given(&own[place]) == Some(&value),
                    None => column == *key || value.is_null(),
                }
            };
            (0..model.columns.len()).all(same).then_some(())
        };
        (0..keys.len()).try_for_each(as_given)?;
        Some(CountedKeys { model, columns: columns.into(), last: begin.checked_add(keys.len() as i64 - 1)? })
    }

    /// Whether rows with these values can do without being read.
    #[must_use]
    pub fn cover(&self, columns: &[usize], binds: &[Bind]) -> bool {
        *self.columns == *columns && binds.iter().all(|bind| given(bind).is_some())
    }

    /// Appends the rows of a statement that has inserted `affected` rows, the last of them with this key. Answers whether
    /// the count has gone on, so that it is known which row has which key. If it has, the values are moved into the rows, and
    /// the binds are gone; otherwise they stay.
    ///
    /// # Errors
    /// When a value cannot be read as the model's column.
    pub fn take(
        &mut self,
        binds: &mut Vec<Bind>,
        affected: u64,
        last: Option<i64>,
        rows: &mut dyn Rows,
    ) -> Result<bool> {
        let width = self.columns.len();
        let count = binds.len() / width.max(1);
        let end = i64::try_from(count).ok().and_then(|count| self.last.checked_add(count));
        if affected != count as u64 || last.is_none() || last != end {
            return Ok(false);
        }
        // Columns to which nothing was given stay NULL, and all others are set anew for each row.
        let mut values: Vec<Value<'static>> = vec![Value::Null; self.model.columns.len()];
        let mut taken = binds.drain(..);
        for _ in 0..count {
            self.last += 1;
            for (column, bind) in self.columns.iter().zip(&mut taken) {
                if let Bind::Value(value) = bind {
                    values[*column] = value;
                }
            }
            for key in self.model.primary_key {
                values[*key] = Value::Int(self.last);
            }
            rows.row(&mut values)?;
        }
        Ok(true)
    }
}

// A value of a kind that every table keeps as it is. `None` of one whose form depends on how the column was declared.
fn given(bind: &Bind) -> Option<&Value<'static>> {
    match bind {
        Bind::Value(Value::Decimal(_) | Value::Json(_)) => None,
        Bind::Value(value) => Some(value),
        _ => None,
    }
}
