//! The text of a [`RootSelect`]: `SELECT` of one model's rows, or of single operands over them.

use std::borrow::Cow;

use super::SqlWriter;
use crate::dialect::{Dialect, RowLocks};
use crate::error::{Error, ErrorKind, Result};
use crate::metadata::expr::{AggregateFunction, ColumnRef, Operand};
use crate::select::{RootSelect, RowLock, WhenLocked};
use crate::statement::Statement;
use crate::value::Value;

const COUNT_ALL: Operand = Operand::Aggregate { function: AggregateFunction::Count, column: None, distinct: false };

impl RootSelect {
    /// The statement in a dialect's SQL.
    ///
    /// # Errors
    /// When a condition or order names a column the statement cannot reach, or raw SQL is inconsistent.
    pub fn statement(&self, dialect: &dyn Dialect) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        self.write(&mut writer)?;
        if let Some(lock) = self.lock {
            self.write_lock(&mut writer, lock)?;
        }
        writer.finish_within_limit()
    }

    fn write_lock(&self, writer: &mut SqlWriter<'_>, lock: RowLock) -> Result<()> {
        let dialect = writer.dialect();
        if self.distinct || !self.group.is_empty() {
            let message = "only rows of a table can be locked: leave out `distinct` and `group_by`, or the lock";
            return Err(Error::invalid_query(self.model.name, message));
        }
        if self.operands.iter().flatten().any(Operand::is_aggregate) {
            let message = "only rows of a table can be locked, and an aggregate is none: read it without the lock, or lock the \
                           rows and add up what was read";
            return Err(Error::invalid_query(self.model.name, message));
        }
        match dialect.capabilities().row_locks {
            RowLocks::Unsupported => Err(Error::unsupported(dialect.name(), "locks on rows")),
            RowLocks::OfWriters => Ok(()),
            RowLocks::Rows { skips: false, .. } if lock.when_locked == WhenLocked::Skip => {
                Err(Error::unsupported(dialect.name(), "leaving out rows that others have locked"))
            }
            RowLocks::Rows { names_table, .. } => {
                // Joined rows are only looked at. PostgreSQL could not lock those of an outer join.
                let of = (names_table && !self.joins.is_empty()).then_some(self.model.table.name);
                dialect.write_row_lock(writer, lock, of);
                Ok(())
            }
        }
    }

    /// The statement that counts the rows.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
    pub fn count_statement(&self, dialect: &dyn Dialect) -> Result<Statement> {
        self.aggregate_statement(dialect, &COUNT_ALL)
    }

    /// The statement that returns a row if there is one.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
    pub fn exists_statement(&self, dialect: &dyn Dialect) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        if !self.is_grouped() && !self.distinct {
            writer.push("SELECT 1 FROM ");
            self.begin(&mut writer);
            self.write_from(&mut writer)?;
            dialect.write_limit(&mut writer, Some(self.limit.map_or(1, |limit| limit.min(1))), self.offset);
        } else {
            let one = RootSelect {
                limit: Some(self.limit.map_or(1, |limit| limit.min(1))),
                order: Vec::new(),
                ..self.clone()
            };
            writer.push("SELECT 1 FROM (");
            one.without_columns().write(&mut writer)?;
            writer.push(") AS ");
            writer.identifier("found");
        }
        writer.finish_within_limit()
    }

    // A condition on groups makes all rows one group, where they are not grouped.
    fn is_grouped(&self) -> bool {
        !self.group.is_empty() || !self.having.is_always()
    }

    // Groups that are only counted: a column that they are not grouped by has no value there.
    fn without_columns(mut self) -> RootSelect {
        if self.is_grouped() && !self.distinct && self.operands.is_none() {
            // SQLite takes no condition on groups without an aggregate, or `GROUP BY`.
            let value = if self.group.is_empty() { COUNT_ALL } else { Operand::Value(Value::Null) };
            self.operands = Some(vec![value]);
        }
        self
    }

    /// The statement that computes an aggregate over the rows. Rows with a limit or offset, grouped or distinct rows
    /// are selected first, under the table's name.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
    pub fn aggregate_statement(&self, dialect: &dyn Dialect, aggregate: &Operand) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        let counted = self.limit.is_some() || self.offset.is_some();
        // Of joined columns it is over the joined rows.
        if let Operand::Aggregate { function, column: Some(column), distinct } = aggregate
            && !column.path.is_empty()
        {
            self.check_joined(column)?;
            if counted && self.group.is_empty() {
                let own = Operand::Aggregate {
                    function: *function,
                    column: Some(ColumnRef { path: Cow::Borrowed(&[]), ..column.clone() }),
                    distinct: *distinct,
                };
                let rows = RootSelect { operands: Some(vec![Operand::Column(column.clone())]), ..self.clone() };
                return rows.aggregate_statement(dialect, &own);
            }
        }
        // Distinct rows can only be sorted by their own columns, so a page of keys says which rows there are.
        if counted && self.distinct && self.is_sorted_by_joined() {
            writer.qualify(self.model.table.name);
            writer.push("SELECT ");
            writer.operand(aggregate)?;
            writer.push(" FROM ");
            self.write_page(&mut writer)?;
            if !matches!(aggregate, Operand::Aggregate { column: None, .. }) {
                writer.push(" INNER JOIN ");
                writer.root_of_page(self.model);
            }
        } else if counted || self.distinct || self.is_grouped() {
            writer.push("SELECT ");
            writer.operand(aggregate)?;
            writer.push(" FROM (");
            let is_count = matches!(aggregate, Operand::Aggregate { column: None, .. });
            // How many a limit leaves does not depend on their order, which may be by what groups or distinct rows do not have.
            let sorted = counted && !(is_count && (self.distinct || self.is_grouped()));
            let order = if sorted { self.order.clone() } else { Vec::new() };
            let rows = RootSelect { order, ..self.clone() };
            if is_count { rows.without_columns() } else { rows }.write(&mut writer)?;
            writer.push(") AS ");
            writer.identifier(self.model.table.name);
        } else {
            self.begin(&mut writer);
            writer.push("SELECT ");
            writer.operand(aggregate)?;
            writer.push(" FROM ");
            self.write_from(&mut writer)?;
        }
        writer.finish_within_limit()
    }

    fn check_joined(&self, column: &ColumnRef) -> Result<()> {
        if self.joins.find(&column.path).is_none() {
            return Err(ErrorKind::NotJoined { model: self.model.name, path: column.path.join(".") }.into());
        }
        if self.distinct {
            let message = "an aggregate of a joined column is over joined rows, and a distinct query has each of its own \
                           once: leave out `distinct`";
            return Err(Error::invalid_query(self.model.name, message));
        }
        Ok(())
    }

    // What columns are called where others are joined.
    pub(super) fn begin(&self, writer: &mut SqlWriter<'_>) {
        writer.begin_joins(self.model, &self.joins);
        if !self.joins.is_empty() {
            writer.qualify(self.model.table.name);
        }
    }

    // `table JOIN … WHERE …`
    pub(super) fn write_from(&self, writer: &mut SqlWriter<'_>) -> Result<()> {
        writer.table(&self.model.table);
        writer.joins(self.model, &self.joins)?;
        self.write_conditions(writer)
    }

    pub(super) fn write_conditions(&self, writer: &mut SqlWriter<'_>) -> Result<()> {
        match &self.after {
            None => writer.where_clause(&self.filter),
            Some(after) => writer.where_clause(&self.filter.clone().and(after.clone())),
        }
    }

    // What rows are grouped by in place of `DISTINCT`, which takes two texts of one value for two values. The rows of a
    // model with a key are the same ones if they are equal.
    fn grouped_once(&self, writer: &SqlWriter<'_>) -> Option<Vec<Operand>> {
        let selected: Vec<Operand> = match &self.operands {
            Some(operands) => operands.clone(),
            None if !self.model.primary_key.is_empty() => return None,
            None => self.model.columns.iter().map(|column| Operand::Column(column.column_ref())).collect(),
        };
        let plain = |operand: &Operand| matches!(operand, Operand::Column(_) | Operand::Value(Value::Null));
        let differs = |operand: &Operand| writer.comparable_of(operand).is_some_and(|form| !form.leaves_columns());
        if !self.group.is_empty() || !selected.iter().all(plain) || !selected.iter().any(differs) {
            return None;
        }
        Some(selected.into_iter().filter(|operand| matches!(operand, Operand::Column(_))).collect())
    }

    // `, users.name`
    pub(super) fn write_carried(&self, writer: &mut SqlWriter<'_>) -> Result<()> {
        self.carried.iter().try_for_each(|operand| {
            writer.push(", ");
            writer.operand(operand)
        })
    }

    /// Appends the statement.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::select::RootSelect;
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.push("SELECT COUNT(*) FROM (");
    /// RootSelect { distinct: true, ..RootSelect::new(Tag::DEF) }.write(&mut writer)?;
    /// writer.push(") AS found");
    /// assert_eq!(writer.finish().sql(), "SELECT COUNT(*) FROM (SELECT DISTINCT id, name FROM tags) AS found");
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn write(&self, writer: &mut SqlWriter<'_>) -> Result<()> {
        self.require_grouped()?;
        self.begin(writer);
        let once = self.distinct.then(|| self.grouped_once(writer)).flatten();
        writer.push(if self.distinct && once.is_none() { "SELECT DISTINCT " } else { "SELECT " });
        match &self.operands {
            None => writer.columns(self.model),
            Some(operands) => {
                for (index, operand) in operands.iter().enumerate() {
                    if index > 0 {
                        writer.push(", ");
                    }
                    match operand {
                        Operand::Value(Value::Null) => writer.push("NULL"),
                        operand => writer.operand(operand)?,
                    }
                }
            }
        }
        self.write_carried(writer)?;
        writer.push(" FROM ");
        self.write_from(writer)?;
        let grouped = self.grouped_for_condition()?;
        for (index, operand) in self.group.iter().chain(&grouped).chain(once.iter().flatten()).enumerate() {
            writer.push(if index == 0 { " GROUP BY " } else { ", " });
            writer.comparable_operand(operand)?;
        }
        if !self.having.is_always() {
            writer.push(" HAVING ");
            writer.condition(&self.having)?;
        }
        // One row is in any order. What sorts the rows would be no column of it.
        if !self.is_one_group() {
            writer.order_by(&self.order)?;
        }
        let dialect = writer.dialect();
        dialect.write_limit(writer, self.limit, self.offset);
        Ok(())
    }
}
