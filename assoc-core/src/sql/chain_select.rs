//! The rows that owners reach through intermediate tables, by the owners' keys, as one statement. It selects the
//! targets, joined back to the intermediate tables, the last of which contains the keys; or it counts them.
//!
//! Each row says which owner it belongs to: by the key itself, or by its ordinal where the database decides about matches.
//! A target that several owners reach comes once for each.

use super::SqlWriter;
use super::keyed::{key_column, lists_keys};
use crate::column_type::SqlType;
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::joins::{JoinChain, Joins};
use crate::key::KeySet;
use crate::metadata::expr::{ColumnRef, Operand};
use crate::metadata::model::ModelDef;
use crate::select::{KeyedSelect, Matching, RootSelect};
use crate::statement::Statement;

/// Names of aggregated columns outside of the distinct rows that they are of.
const RENAMED: [&str; 8] = ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7"];

impl JoinChain {
    /// How the answer's rows are assigned to keys on a database.
    #[must_use]
    pub fn matching(&self, dialect: &dyn Dialect) -> Matching {
        let by_value = self.key_table().is_none_or(|(model, columns, _)| {
            lists_keys(dialect, columns.iter().map(|column| model.columns[*column].sql_type))
        });
        if by_value { Matching::ByValue } else { Matching::ByOrdinal }
    }

    /// How many keys of `width` columns a statement may carry.
    #[must_use]
    pub fn keys_per_statement(&self, dialect: &dyn Dialect, width: usize) -> usize {
        match self.matching(dialect) {
            Matching::ByValue => dialect.keys_per_condition(width),
            Matching::ByOrdinal => dialect.keys_per_statement(width),
        }
    }

    /// The statement for one chunk of keys: the key's ordinal or its values, then the columns that `select` reads, owner
    /// by owner in the order of the chain.
    ///
    /// # Errors
    /// When a filter or order names a column the statement cannot reach.
    pub fn statement(&self, select: &KeyedSelect, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        let Some(from) = Begin::of(self, dialect) else { return select.statement(dialect, keys) };
        let matching = self.matching(dialect);
        let mut writer = SqlWriter::new(dialect);
        from.tables.begin(&mut writer);
        writer.push("SELECT ");
        from.write_key(&mut writer, matching);
        writer.push(", ");
        select.write_columns(&mut writer);
        self.write_from(&mut writer, &from, matching, keys)?;
        writer.push(" ORDER BY ");
        from.write_key(&mut writer, matching);
        for term in &self.order {
            writer.push(", ");
            writer.order_term(term)?;
        }
        writer.finish_within_limit()
    }

    /// The statement that computes aggregates over the targets of one chunk of keys: rows of ordinal and aggregates, keys
    /// without targets left out. Limits are not part of it.
    ///
    /// # Errors
    /// When a filter names a column the statement cannot reach, or the aggregates of distinct targets are of too many
    /// columns.
    pub fn aggregate_statement(
        &self,
        dialect: &dyn Dialect,
        keys: &KeySet,
        aggregates: &[Operand],
    ) -> Result<Statement> {
        let by_ordinal = Matching::ByOrdinal;
        let mut writer = SqlWriter::new(dialect);
        let Some(from) = Begin::of(self, dialect) else {
            // Every join chain has an intermediate table.
            return Err(Error::invalid_query(self.target.name, "there is no join chain to aggregate along"));
        };
        from.tables.begin(&mut writer);
        writer.push("SELECT ");
        key_column(&mut writer, "ordinal");
        // What is aggregated of distinct targets, and what it is called outside of them.
        let mut renamed: Vec<ColumnRef> = Vec::new();
        for aggregate in aggregates {
            writer.push(", ");
            match aggregate {
                Operand::Aggregate { function, column: Some(column), distinct } if self.limits.distinct => {
                    let at = renamed.iter().position(|known| known == column).unwrap_or(renamed.len());
                    let Some(name) = RENAMED.get(at) else {
                        let message = "aggregates beside rows are of eight columns of distinct rows at most";
                        return Err(Error::invalid_query(self.target.name, message));
                    };
                    let known = self.target.columns.iter().find(|known| known.name == column.name);
                    let sql_type = column.sql_type.or(known.map(|known| known.sql_type));
                    let outside = ColumnRef { name, sql_type, ..ColumnRef::own(name) };
                    let aggregate =
                        Operand::Aggregate { function: *function, column: Some(outside), distinct: *distinct };
                    writer.within("keys", |writer| writer.operand(&aggregate))?;
                    if at == renamed.len() {
                        renamed.push(column.clone());
                    }
                }
                aggregate => writer.operand(aggregate)?,
            }
        }
        if self.limits.distinct {
            // Each target of an owner once, under the name that the table of keys has.
            writer.push(" FROM (SELECT DISTINCT ");
            key_column(&mut writer, "ordinal");
            for (at, key) in self.target.primary_key_names().enumerate() {
                writer.push(", ");
                writer.own_column(key);
                writer.push(" AS ");
                writer.identifier(&format!("t{at}"));
            }
            for (column, name) in renamed.iter().zip(RENAMED) {
                writer.push(", ");
                writer.own_column(column.name);
                writer.push(" AS ");
                writer.identifier(name);
            }
        }
        self.write_from(&mut writer, &from, by_ordinal, keys)?;
        if self.limits.distinct {
            writer.push(") AS ");
            writer.identifier("keys");
        }
        writer.push(" GROUP BY ");
        key_column(&mut writer, "ordinal");
        writer.finish_within_limit()
    }

    fn write_from(&self, writer: &mut SqlWriter<'_>, from: &Begin, matching: Matching, keys: &KeySet) -> Result<()> {
        let dialect = writer.dialect();
        writer.push(" FROM ");
        writer.table(&self.target.table);
        writer.joins(self.target, &from.tables.joins)?;
        if matching == Matching::ByOrdinal {
            writer.push(" INNER JOIN ");
            dialect.write_key_table_for(writer, keys, &from.model.table, &from.columns);
            writer.push(" ON ");
            writer.separated(" AND ", from.columns.iter().enumerate(), |writer, (part, key)| {
                let column = from.model.columns.iter().find(|column| column.name == *key);
                writer.columns_equal(
                    column.map_or(SqlType::Int(64), |column| column.sql_type),
                    |writer| writer.column_of(&from.name, key),
                    |writer| key_column(writer, &format!("k{part}")),
                );
            });
            return writer.where_clause(&self.filter);
        }
        writer.push(" WHERE ");
        writer.within(&from.name, |writer| {
            dialect.write_key_filter(writer, &from.columns, keys);
            Ok(())
        })?;
        writer.and_condition(&self.filter)
    }
}

/// The statement's tables, and the columns with the owners' keys in the one where the chain begins.
struct Begin {
    tables: RootSelect,
    model: &'static ModelDef,
    columns: Vec<&'static str>,
    // What the table is called.
    name: String,
}

impl Begin {
    fn of(join_chain: &JoinChain, dialect: &dyn Dialect) -> Option<Self> {
        let (model, columns, place) = join_chain.key_table()?;
        let mut joins = Joins::default();
        join_chain.join_into(&mut joins);
        joins.assign_names(join_chain.target, dialect.capabilities().max_identifier);
        let name = joins.tables()[joins.find(&[place])?].name.clone();
        let columns = columns.iter().map(|column| model.columns[*column].name).collect();
        Some(Begin { tables: RootSelect { joins, ..RootSelect::new(join_chain.target) }, model, columns, name })
    }

    fn write_key(&self, writer: &mut SqlWriter<'_>, matching: Matching) {
        match matching {
            Matching::ByOrdinal => key_column(writer, "ordinal"),
            Matching::ByValue => {
                writer.separated(", ", &self.columns, |writer, key| writer.column_of(&self.name, key));
            }
        }
    }
}
