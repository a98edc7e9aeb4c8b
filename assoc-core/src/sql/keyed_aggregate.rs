//! The text of a [`KeyedAggregate`].

use super::SqlWriter;
use super::keyed::{key_column, write_key_match};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::KeySet;
use crate::select::KeyedAggregate;
use crate::statement::Statement;

impl KeyedAggregate {
    /// The statement for one chunk of keys: rows of ordinal and aggregates, keys without rows left out.
    ///
    /// # Errors
    /// When the filter names a column the statement cannot reach.
    pub fn statement(&self, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        let names: Vec<&str> = self.columns.iter().map(|column| self.model.columns[*column].name).collect();
        let mut writer = SqlWriter::new(dialect);
        writer.qualify(self.model.table.name);
        writer.push("SELECT ");
        key_column(&mut writer, "ordinal");
        for aggregate in &self.aggregates {
            writer.push(", ");
            writer.operand(aggregate)?;
        }
        writer.push(" FROM ");
        let grouped = !self.group.is_empty();
        if grouped {
            // Each combination once, under the name that the table of keys has.
            writer.push("(SELECT DISTINCT ");
            key_column(&mut writer, "ordinal");
            for (place, at) in self.group.iter().enumerate() {
                writer.push(", ");
                writer.comparable_column(&self.model.columns[*at]);
                writer.push(" AS ");
                writer.identifier(&format!("g{place}"));
            }
            writer.push(" FROM ");
        }
        dialect.write_key_table_for(&mut writer, keys, &self.model.table, &names);
        writer.ordered_join();
        writer.table(&self.model.table);
        writer.push(" ON ");
        write_key_match(&mut writer, self.model, self.columns);
        writer.where_clause(&self.filter)?;
        if grouped {
            writer.push(") AS ");
            writer.identifier("keys");
        }
        writer.push(" GROUP BY ");
        key_column(&mut writer, "ordinal");
        writer.finish_within_limit()
    }
}
