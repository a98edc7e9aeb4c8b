//! `WITH RECURSIVE`: the rows of several levels of a recursion by one statement.
//!
//! The recursive part walks over keys alone. It begins with the keys that are asked for, and each row of a level adds the key of
//! the rows below it. The rows themselves are read once each at the end, however often the walk came by their key. Rows may
//! lead back to themselves, so the number of levels is a bound of the walk as well. `UNION` keeps a key once a level, where several
//! rows have the same key below them.

use super::SqlWriter;
use super::keyed::{key_column, write_match};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::KeySet;
use crate::select::{KeyedSelect, Matching};
use crate::statement::Statement;

// Names that neither a table nor a column of the program has: hand-written SQL in a filter names its columns without a table.
const LEVELS: &str = "assoc_levels";
const KEYS: &str = "assoc_keys";
const KEY: &str = "assoc_key";
const LEVEL: &str = "assoc_level";

impl KeyedSelect {
    /// The statement for the rows of some keys and of the levels below them: the column `onward` of a row has the key of the
    /// rows below it. Rows come as those of [`statement`](Self::statement) for the keys of all levels.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// # use assoc_core::HasMany;
    /// use assoc_core::driver::KeySet;
    /// use assoc_core::select::KeyedSelect;
    /// # #[derive(assoc_macros::Model, Clone)]
    /// # struct Category { id: i64, parent_id: Option<i64> }
    ///
    /// // Categories by their parent's key, and below each those of its own key.
    /// let select = KeyedSelect::new(Category::DEF, &[1]);
    /// let statement = select.levels_statement(&StandardSql::default(), &KeySet::Ints([7].into()), 0, 3)?;
    /// assert!(statement.sql().starts_with("WITH RECURSIVE assoc_levels (assoc_key, assoc_level) AS ("));
    /// assert!(statement.sql().contains("WHERE assoc_levels.assoc_level < 3)"));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn levels_statement(
        &self,
        dialect: &dyn Dialect,
        keys: &KeySet,
        onward: usize,
        levels: usize,
    ) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        writer.qualify(self.model.table.name);
        writer.push("WITH RECURSIVE ");
        writer.identifier(LEVELS);
        writer.push(" (");
        writer.separated(", ", [KEY, LEVEL], SqlWriter::identifier);
        writer.push(") AS (SELECT ");
        write_integer(&mut writer, |writer| key_column(writer, "k0"));
        writer.push(", 1 FROM ");
        self.write_key_table(&mut writer, keys);
        writer.push(" UNION SELECT ");
        write_integer(&mut writer, |writer| writer.own_column(self.model.columns[onward].name));
        writer.push(", ");
        writer.column_of(LEVELS, LEVEL);
        writer.push(" + 1 FROM ");
        writer.identifier(LEVELS);
        self.write_rows_of(&mut writer, LEVELS);
        writer.push(" WHERE ");
        writer.column_of(LEVELS, LEVEL);
        // A number of the plan's, not of the program's data: it is part of the text.
        writer.push(&format!(" < {levels}"));
        writer.and_condition(&self.filter)?;
        writer.push(") SELECT ");
        self.write_columns(&mut writer);
        writer.push(" FROM (SELECT DISTINCT ");
        writer.column_of(LEVELS, KEY);
        writer.push(" FROM ");
        writer.identifier(LEVELS);
        writer.push(") AS ");
        writer.identifier(KEYS);
        self.write_rows_of(&mut writer, KEYS);
        writer.where_clause(&self.filter)?;
        self.write_needed_order(&mut writer, Matching::ByValue)?;
        writer.finish_within_limit()
    }

    // ` INNER JOIN table ON fk = key`, for the keys of a table before it: it finds the rows of each key by the index.
    fn write_rows_of(&self, writer: &mut SqlWriter<'_>, keys: &str) {
        writer.ordered_join();
        writer.table(&self.model.table);
        writer.push(" ON ");
        writer.separated(" AND ", self.columns, |writer, column| {
            write_match(writer, &self.model.columns[*column], |writer| writer.column_of(keys, KEY));
        });
    }
}

// Both parts of a recursive statement must have columns of one type.
fn write_integer(writer: &mut SqlWriter<'_>, value: impl Fn(&mut SqlWriter<'_>)) {
    writer.push("CAST(");
    value(writer);
    writer.push(" AS ");
    writer.push(writer.dialect().integer_cast());
    writer.push(")");
}
