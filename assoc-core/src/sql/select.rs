//! `SELECT` of one model's rows, or of single operands over them.

use super::SqlWriter;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::expr::{ColumnRef, Direction, Expr, Operand, OrderTerm};
use crate::model::ModelDef;
use crate::statement::Statement;

/// What to select of a model. Plain data: it compares, clones and prints.
#[derive(Debug, Clone)]
pub struct Select {
    /// The model whose table is read.
    pub model: &'static ModelDef,
    /// What to select instead of the model's columns.
    pub operands: Option<Vec<Operand>>,
    /// Which rows.
    pub filter: Expr,
    /// In which order.
    pub order: Vec<OrderTerm>,
    /// At most so many.
    pub limit: Option<u64>,
    /// After skipping so many.
    pub offset: Option<u64>,
    /// Equal rows once.
    pub distinct: bool,
    /// One row a group.
    pub group: Vec<Operand>,
    /// Which groups.
    pub having: Expr,
}

impl Select {
    /// All rows of a model.
    #[must_use]
    pub fn new(model: &'static ModelDef) -> Self {
        Select {
            model,
            operands: None,
            filter: Expr::always(),
            order: Vec::new(),
            limit: None,
            offset: None,
            distinct: false,
            group: Vec::new(),
            having: Expr::always(),
        }
    }

    /// Makes the order total: where one was asked for, or rows are counted off, the primary key decides between
    /// equals. Without either the database's own order is good enough, and free.
    #[must_use]
    pub fn with_total_order(mut self) -> Self {
        let counted = self.limit.is_some() || self.offset.is_some();
        let plain_rows = self.operands.is_none() && self.group.is_empty();
        if plain_rows && (counted || !self.order.is_empty()) {
            append_primary_key(&mut self.order, self.model);
        }
        self
    }

    /// The statement in a dialect's SQL.
    ///
    /// # Errors
    /// When a condition or order names a column the statement cannot reach, or raw SQL is inconsistent.
    pub fn statement(&self, dialect: &dyn Dialect) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        self.write(&mut writer)?;
        Ok(writer.finish())
    }

    /// Appends the statement.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
    pub fn write(&self, writer: &mut SqlWriter<'_>) -> Result<()> {
        writer.push(if self.distinct { "SELECT DISTINCT " } else { "SELECT " });
        match &self.operands {
            None => writer.columns(self.model),
            Some(operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        writer.push(", ");
                    }
                    writer.operand(operand)?;
                }
            }
        }
        writer.push(" FROM ");
        writer.table(&self.model.table);
        writer.where_clause(&self.filter)?;
        for (index, operand) in self.group.iter().enumerate() {
            writer.push(if index == 0 { " GROUP BY " } else { ", " });
            writer.operand(operand)?;
        }
        if !self.having.is_always() {
            writer.push(" HAVING ");
            writer.condition(&self.having)?;
        }
        writer.order_by(&self.order)?;
        let dialect = writer.dialect();
        dialect.write_limit(writer, self.limit, self.offset);
        Ok(())
    }
}

/// Appends the primary key's columns that an order does not name yet.
pub(crate) fn append_primary_key(order: &mut Vec<OrderTerm>, model: &ModelDef) {
    for column in model.primary_key_names() {
        let own = Operand::Column(ColumnRef::own(column));
        if !order.iter().any(|term| term.operand == own) {
            order.push(OrderTerm { operand: own, direction: Direction::Asc });
        }
    }
}
