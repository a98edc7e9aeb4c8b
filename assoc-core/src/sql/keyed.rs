//! `SELECT` of the rows that belong to a set of keys: the statement behind every preload.
//!
//! Two forms. Where keys compare by their bytes, the rows are asked for with one condition and grouped in memory by
//! the key they carry ([`Matching::ByValue`]). Where the database compares by rules of its own (collations, affinity),
//! the statement says which key each row matched: the keys become a table with an ordinal, the rows are joined to it,
//! and the ordinal is the first column of the answer ([`Matching::ByOrdinal`]). Byte grouping would lose `strase`,
//! which belongs to `Straße` for MariaDB.

use super::SqlWriter;
use super::select::append_primary_key;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::expr::{ColumnRef, Direction, Expr, Operand, OrderTerm};
use crate::key::KeySet;
use crate::model::ModelDef;
use crate::statement::Statement;

/// How the rows of an answer are assigned to keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Matching {
    /// By the value of the row's own key columns.
    ByValue,
    /// By the ordinal of the key, which the database returns as the first column.
    ByOrdinal,
}

/// Rows of a model by keys.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyedSelect {
    /// The model whose rows are read.
    pub model: &'static ModelDef,
    /// The columns that hold the keys, as indexes into the model's columns.
    pub columns: &'static [usize],
    /// Which of the rows.
    pub filter: Expr,
    /// Their order within one key.
    pub order: Vec<OrderTerm>,
    /// Whether the rows must come grouped by key and in order; a key that identifies at most one row needs neither.
    pub ordered: bool,
}

impl KeyedSelect {
    /// How the answer's rows are assigned to keys on a database.
    #[must_use]
    pub fn matching(&self, dialect: &dyn Dialect) -> Matching {
        let by_value =
            self.columns.iter().all(|column| dialect.is_byte_comparable(self.model.columns[*column].sql_type));
        if by_value { Matching::ByValue } else { Matching::ByOrdinal }
    }

    /// The statement for one chunk of keys.
    ///
    /// # Errors
    /// When the filter or order names a column the statement cannot reach.
    pub fn statement(&self, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        self.statement_matching(dialect, keys, self.matching(dialect))
    }

    /// The statement for one chunk of keys, without an ordinal whatever the keys are: for callers that know that the
    /// keys are stored exactly so.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
    pub fn statement_by_value(&self, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        self.statement_matching(dialect, keys, Matching::ByValue)
    }

    fn statement_matching(&self, dialect: &dyn Dialect, keys: &KeySet, matching: Matching) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        let names: Vec<&'static str> = self.columns.iter().map(|column| self.model.columns[*column].name).collect();
        let mut order = Vec::new();
        match matching {
            Matching::ByValue => {
                writer.push("SELECT ");
                writer.columns(self.model);
                writer.push(" FROM ");
                writer.table(&self.model.table);
                writer.push(" WHERE ");
                dialect.write_key_filter(&mut writer, &names, keys);
                if self.ordered {
                    order.extend(names.iter().copied().map(ascending));
                }
            }
            Matching::ByOrdinal => {
                writer.qualify(self.model.table.name);
                writer.push("SELECT ");
                key_column(&mut writer, "ordinal");
                writer.push(", ");
                writer.columns(self.model);
                writer.push(" FROM ");
                dialect.write_key_table_for(&mut writer, keys, &self.model.table, &names);
                writer.push(" ");
                writer.push(dialect.ordered_join());
                writer.push(" ");
                writer.table(&self.model.table);
                writer.push(" ON ");
                writer.separated(" AND ", names.iter().enumerate(), |writer, (part, name)| {
                    writer.own_column(name);
                    writer.push(" = ");
                    key_column(writer, &format!("k{part}"));
                });
                if !self.filter.is_always() {
                    writer.push(" WHERE 1 = 1");
                }
            }
        }
        if !self.filter.is_always() {
            writer.push(" AND (");
            writer.condition(&self.filter)?;
            writer.push(")");
        }
        if self.ordered {
            order.extend(self.order.iter().cloned());
            append_primary_key(&mut order, self.model);
            if matching == Matching::ByOrdinal {
                writer.push(" ORDER BY ");
                key_column(&mut writer, "ordinal");
                for term in &order {
                    writer.push(", ");
                    writer.operand(&term.operand)?;
                    if term.direction == Direction::Desc {
                        writer.push(" DESC");
                    }
                }
            } else {
                writer.order_by(&order)?;
            }
        }
        Ok(writer.finish())
    }
}

fn key_column(writer: &mut SqlWriter<'_>, name: &str) {
    writer.identifier("keys");
    writer.push(".");
    writer.identifier(name);
}

fn ascending(name: &'static str) -> OrderTerm {
    OrderTerm { operand: Operand::Column(ColumnRef::own(name)), direction: Direction::Asc }
}
