//! `WITH RECURSIVE`: the rows of several levels of a recursion by one statement.
//!
//! The recursive part walks over keys alone. It begins with the keys that are asked for, and each row of a level adds the key of
//! the rows below it. The rows themselves are read once each at the end, however often the walk came by their key. Rows may
//! lead back to themselves, so the number of levels is a bound of the walk as well.

use super::SqlWriter;
use super::keyed::key_column;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::KeySet;
use crate::select::{KeyedSelect, Matching};
use crate::statement::Statement;

const LEVELS: &str = "levels_below";
const KEY: &str = "next_key";
const LEVEL: &str = "level";

impl KeyedSelect {
    /// The statement for the rows of some keys and of the levels below them: the column `onward` of a row has the key of the
    /// rows below it. Rows come as those of [`statement`](Self::statement) for the keys of all levels.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
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
        writer.push(" UNION ALL SELECT ");
        write_integer(&mut writer, |writer| writer.own_column(self.model.columns[onward].name));
        writer.push(", ");
        level_column(&mut writer, LEVEL);
        writer.push(" + 1 FROM ");
        writer.identifier(LEVELS);
        self.write_join(&mut writer, |writer| level_column(writer, KEY));
        writer.push(" WHERE ");
        level_column(&mut writer, LEVEL);
        // A number of the plan's, not of the program's data: it is part of the text.
        writer.push(&format!(" < {levels}"));
        self.write_and_filter(&mut writer)?;
        writer.push(") SELECT ");
        self.write_columns(&mut writer);
        writer.push(" FROM (SELECT DISTINCT ");
        level_column(&mut writer, KEY);
        writer.push(" FROM ");
        writer.identifier(LEVELS);
        writer.push(") AS ");
        writer.identifier("keys");
        self.write_join(&mut writer, |writer| key_column(writer, KEY));
        if !self.filter.is_always() {
            writer.push(" WHERE ");
            writer.condition(&self.filter)?;
        }
        self.write_needed_order(&mut writer, Matching::ByValue)?;
        writer.finish_within_limit()
    }

    // ` INNER JOIN table ON fk = key`, which finds the rows of each key by the index.
    fn write_join(&self, writer: &mut SqlWriter<'_>, key: impl Fn(&mut SqlWriter<'_>)) {
        writer.push(" ");
        writer.push(writer.dialect().ordered_join());
        writer.push(" ");
        writer.table(&self.model.table);
        writer.push(" ON ");
        writer.separated(" AND ", self.columns, |writer, column| {
            let column = &self.model.columns[*column];
            writer.columns_equal(column.sql_type, |writer| writer.own_column(column.name), &key);
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

fn level_column(writer: &mut SqlWriter<'_>, name: &str) {
    writer.identifier(LEVELS);
    writer.push(".");
    writer.identifier(name);
}
