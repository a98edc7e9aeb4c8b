//! The rows that owners reach through others, by the owners' keys, as one statement: the targets, joined to the tables
//! on the way back, the last of which holds the keys.
//!
//! The answer says for each row whose it is: by the key itself, or by its ordinal where the database decides what matches.
//! A target that several owners reach comes once for each.

use super::keyed::key_column;
use super::{KeyedSelect, Matching, Select, SqlWriter};
use crate::dialect::Dialect;
use crate::error::Result;
use crate::joins::Joins;
use crate::key::KeySet;
use crate::planner::Way;
use crate::statement::Statement;

impl Way {
    /// How the answer's rows are assigned to keys on a database.
    #[must_use]
    pub fn matching(&self, dialect: &dyn Dialect) -> Matching {
        let by_value = self.key_table().is_none_or(|(model, columns, _)| {
            columns.iter().all(|column| dialect.is_byte_comparable(model.columns[*column].sql_type))
        });
        if by_value { Matching::ByValue } else { Matching::ByOrdinal }
    }

    /// The statement for one chunk of keys: the key's ordinal or its values, then the columns that `select` reads, owner
    /// by owner in the order of the way.
    ///
    /// # Errors
    /// When a filter or order names a column the statement cannot reach.
    pub fn statement(&self, select: &KeyedSelect, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        let mut joins = Joins::default();
        self.join_into(&mut joins);
        joins.assign_names(self.target, dialect.capabilities().max_identifier);
        let Some((model, columns, place)) = self.key_table() else { return select.statement(dialect, keys) };
        let name = joins.find(&[place]).map(|table| joins.tables()[table].name.clone()).unwrap_or_default();
        let rows = Select { joins, ..Select::new(self.target) };
        let mut writer = SqlWriter::new(dialect);
        rows.begin(&mut writer);
        let names: Vec<&'static str> = columns.iter().map(|column| model.columns[*column].name).collect();
        let matching = self.matching(dialect);
        writer.push("SELECT ");
        match matching {
            Matching::ByOrdinal => key_column(&mut writer, "ordinal"),
            Matching::ByValue => writer.separated(", ", &names, |writer, key| writer.column_of(&name, key)),
        }
        writer.push(", ");
        select.write_columns(&mut writer);
        writer.push(" FROM ");
        writer.table(&self.target.table);
        writer.joins(self.target, &rows.joins)?;
        if matching == Matching::ByOrdinal {
            writer.push(" INNER JOIN ");
            dialect.write_key_table_for(&mut writer, keys, &model.table, &names);
            writer.push(" ON ");
            writer.separated(" AND ", names.iter().enumerate(), |writer, (part, key)| {
                writer.column_of(&name, key);
                writer.push(" = ");
                key_column(writer, &format!("k{part}"));
            });
            writer.where_clause(&self.filter)?;
        } else {
            writer.push(" WHERE ");
            writer.within(&name, |writer| {
                dialect.write_key_filter(writer, &names, keys);
                Ok(())
            })?;
            if !self.filter.is_always() {
                writer.push(" AND (");
                writer.condition(&self.filter)?;
                writer.push(")");
            }
        }
        writer.push(" ORDER BY ");
        match matching {
            Matching::ByOrdinal => key_column(&mut writer, "ordinal"),
            Matching::ByValue => writer.separated(", ", &names, |writer, key| writer.column_of(&name, key)),
        }
        for term in &self.order {
            writer.push(", ");
            writer.order_term(term)?;
        }
        Ok(writer.finish())
    }
}
