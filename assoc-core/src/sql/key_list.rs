//! Lists and tables of keys. They are padded, so that lists of similar length share one prepared statement.

use super::{Padding, SqlWriter};
use crate::key::{KeySet, KeyTuple};
use crate::value::Value;

impl SqlWriter<'_> {
    /// Appends `IN (?, ?, …)`, the list padded to a power of two by repeating its last value, so that lists of
    /// similar length share one prepared statement.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.push("id ");
    /// writer.padded_in_list(&[1_i64.into(), 2_i64.into(), 3_i64.into()]);
    /// assert_eq!(writer.finish().sql(), "id IN (?, ?, ?, ?)");
    /// ```
    pub fn padded_in_list(&mut self, values: &[Value<'static>]) {
        self.push("IN (");
        self.separated(", ", values, |writer, value| writer.compared_value(value));
        let (sql, binds) = (self.sql.len(), self.binds.len());
        if let Some(last) = values.last() {
            for _ in values.len()..padded_length(values.len()) {
                self.push(", ");
                self.compared_value(last);
            }
        }
        if self.binds.len() > binds {
            self.padding.push(Padding { sql: sql..self.sql.len(), binds: binds..self.binds.len() });
        }
        self.push(")");
    }

    /// Appends the condition that a column lies between two integers, both included. The casts make it a comparison of numbers, also
    /// where the column is one of text.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.integer_range("id", 3, 9);
    /// let statement = writer.finish();
    /// assert_eq!((statement.sql(), statement.binds().len()), ("id BETWEEN CAST(? AS INTEGER) AND CAST(? AS INTEGER)", 2));
    /// ```
    pub fn integer_range(&mut self, column: &str, first: i64, last: i64) {
        self.own_column(column);
        for (before, end) in [(" BETWEEN CAST(", first), (" AND CAST(", last)] {
            self.push(before);
            self.bind(Value::Int(end));
            self.push(" AS INTEGER)");
        }
    }

    /// Appends the condition that columns hold one of the keys, as a padded list: of values, of row values where the
    /// database compares those, and of `AND`s otherwise.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::Value;
    /// use assoc_core::driver::KeySet;
    /// use assoc_core::execution::KeyTuple;
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let key = |id, language| KeyTuple::new([Value::Int(id), Value::from(language)]);
    /// let keys: KeySet = [key(1, "de"), key(2, "fr")].into_iter().flatten().collect();
    /// let written = |row_values| {
    ///     let mut writer = SqlWriter::new(&dialect);
    ///     writer.padded_key_list(&["id", "language"], &keys, row_values);
    ///     writer.finish().sql().to_owned()
    /// };
    /// assert_eq!(written(true), "(id, language) IN ((?, ?), (?, ?))");
    /// assert_eq!(written(false), "((id = ? AND language = ?) OR (id = ? AND language = ?))");
    /// ```
    pub fn padded_key_list(&mut self, columns: &[&str], keys: &KeySet, row_values: bool) {
        match (keys, columns) {
            (KeySet::Ints(keys), [column]) => {
                self.own_column(column);
                self.push(" ");
                let values: Vec<_> = keys.iter().map(|key| Value::Int(*key)).collect();
                self.padded_in_list(&values);
            }
            (KeySet::Tuples(keys), [column]) => {
                self.compared_column(column, keys.first().and_then(|key| key.values().first()));
                self.push(" ");
                let values: Vec<_> = keys.iter().flat_map(|key| key.values().first().cloned()).collect();
                self.padded_in_list(&values);
            }
            (keys, columns) => {
                let tuples = keys.tuples();
                let padded = (0..padded_length(tuples.len())).map(|at| &tuples[at.min(tuples.len() - 1)]);
                if row_values {
                    self.push("(");
                    let first = tuples.first().map(KeyTuple::values).unwrap_or_default();
                    self.separated(", ", columns.iter().enumerate(), |writer, (part, column)| {
                        writer.compared_column(column, first.get(part));
                    });
                    self.push(") IN (");
                    self.separated(", ", padded, |writer, key| {
                        writer.push("(");
                        writer.separated(", ", key.values(), SqlWriter::compared_value);
                        writer.push(")");
                    });
                    self.push(")");
                } else {
                    self.push("(");
                    self.separated(" OR ", padded, |writer, key| {
                        writer.push("(");
                        writer.separated(" AND ", columns.iter().zip(key.values()), |writer, (column, value)| {
                            writer.compared_column(column, Some(value));
                            writer.push(" = ");
                            writer.compared_value(value);
                        });
                        writer.push(")");
                    });
                    self.push(")");
                }
            }
        }
    }

    /// Appends `(SELECT 0 AS "ordinal", ? AS "k0" UNION ALL SELECT 1, ? …) AS "keys"`, padded to a power of two with
    /// `NULL` keys, which match nothing.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::driver::KeySet;
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.union_key_table(&KeySet::Ints([7, 9].into()));
    /// assert_eq!(writer.finish().sql(), "(SELECT 0 AS ordinal, ? AS k0 UNION ALL SELECT 1, ?) AS keys");
    /// ```
    pub fn union_key_table(&mut self, keys: &KeySet) {
        let tuples = keys.tuples();
        let width = keys.width();
        self.push("(");
        self.separated(" UNION ALL ", 0..padded_length(tuples.len()), |writer, at| {
            let key = tuples.get(at);
            writer.push("SELECT ");
            writer.push(&at.to_string());
            if at == 0 {
                writer.push(" AS ");
                writer.identifier("ordinal");
            }
            for part in 0..width {
                writer.push(", ");
                writer.compared_value(&key.and_then(|key| key.values().get(part).cloned()).unwrap_or_default());
                if at == 0 {
                    writer.push(" AS ");
                    writer.identifier(&format!("k{part}"));
                }
            }
        });
        self.push(") AS ");
        self.identifier("keys");
    }
}

/// The length a list of binds is padded to.
///
/// ```
/// use assoc_core::sql::padded_length;
///
/// // Lists of five to eight keys are one text for the cache of prepared statements.
/// assert_eq!([1, 5, 8, 9].map(padded_length), [1, 8, 8, 16]);
/// ```
#[must_use]
pub fn padded_length(len: usize) -> usize {
    len.next_power_of_two()
}
