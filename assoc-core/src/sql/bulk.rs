//! `UPDATE` and `DELETE` of the rows of a query.
//!
//! Where a condition on the table alone says which rows are meant, the statement has that condition. Where the query joins
//! other tables or chooses among the rows by a limit, the keys of its rows are found by the [page](super::page) of a
//! derived table, each once, and the statement writes the rows with these keys: `WHERE id IN (SELECT …)`, or, on a database
//! that cannot read in a subselect the table that it writes ([`KeyedWrite::Join`]), by a join with the derived table. There
//! a condition on an association is evaluated in the derived table too: it may lead back to the table.

use super::SqlWriter;
use crate::dialect::{Dialect, KeyedWrite, Sign};
use crate::error::{Error, Result};
use crate::metadata::expr::Expr;
use crate::select::RootSelect;
use crate::statement::{Statement, StatementKind};
use crate::typed::assignment::{AssignedValue, ColumnAssignment};

/// How a statement says which rows it writes.
enum Target {
    /// By the query's condition.
    Condition,
    /// By their keys, which a subselect gives.
    Subselect(RootSelect),
    /// By a join with the table of their keys.
    Join(RootSelect),
}

impl RootSelect {
    /// The statement that assigns columns of the query's rows; with `returning`, gives back whole rows as they are then.
    ///
    /// # Errors
    /// When the rows have to be found by their key and the model has none, the database cannot return rows of this
    /// statement, or as [`statement`](Self::statement).
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::execution::{AssignedValue, ColumnAssignment};
    /// use assoc_core::select::RootSelect;
    ///
    /// let select = RootSelect { filter: Team::ID.gt(7).into_expr(), ..RootSelect::new(Team::DEF) };
    /// let one_more = ColumnAssignment { column: Team::USERS_COUNT.index(), value: AssignedValue::Plus(1_i64.into()) };
    /// let statement = select.update_statement(&StandardSql::default(), &[one_more], false)?;
    /// assert_eq!(statement.sql(), "UPDATE teams SET users_count = teams.users_count + ? WHERE teams.id > ?");
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn update_statement(
        &self,
        dialect: &dyn Dialect,
        assignments: &[ColumnAssignment],
        returning: bool,
    ) -> Result<Statement> {
        let target = self.write_target(dialect)?;
        let mut writer = SqlWriter::of_kind(dialect, StatementKind::Update);
        self.begin_write(&mut writer);
        writer.push("UPDATE ");
        let joins = matches!(target, Target::Join(_));
        match &target {
            Target::Join(keys) => {
                keys.write_page(&mut writer)?;
                self.begin_write(&mut writer);
                writer.push(" INNER JOIN ");
                writer.root_of_page(self.model);
            }
            Target::Condition | Target::Subselect(_) => writer.table(&self.model.table),
        }
        writer.push(" SET ");
        for (index, ColumnAssignment { column, value }) in assignments.iter().enumerate() {
            writer.push(if index > 0 { ", " } else { "" });
            let column = &self.model.columns[*column];
            if joins {
                writer.own_column(column.name)
            } else {
                writer.identifier(column.name)
            }
            writer.push(" = ");
            match value {
                AssignedValue::Value(value) => writer.bind(value.clone()),
                AssignedValue::Plus(value) => dialect.write_sum(&mut writer, column, Sign::Plus, value),
                AssignedValue::Minus(value) => dialect.write_sum(&mut writer, column, Sign::Minus, value),
            }
        }
        self.finish_write(writer, &target, returning)
    }

    /// The statement that deletes the query's rows.
    ///
    /// # Errors
    /// As [`update_statement`](Self::update_statement).
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::select::RootSelect;
    ///
    /// let mut select = RootSelect { filter: Tag::NAME.eq("").into_expr(), ..RootSelect::new(Tag::DEF) };
    /// assert_eq!(select.delete_statement(&StandardSql::default())?.sql(), "DELETE FROM tags WHERE tags.name = ?");
    /// // Not every database has `DELETE … LIMIT`.
    /// select.limit = Some(10);
    /// let sql = select.delete_statement(&StandardSql::default())?.sql().to_owned();
    /// assert!(sql.starts_with("DELETE FROM tags WHERE tags.id IN (SELECT "));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn delete_statement(&self, dialect: &dyn Dialect) -> Result<Statement> {
        let target = self.write_target(dialect)?;
        let mut writer = SqlWriter::of_kind(dialect, StatementKind::Delete);
        self.begin_write(&mut writer);
        match &target {
            Target::Join(keys) => {
                writer.push("DELETE ");
                writer.table(&self.model.table);
                writer.push(" FROM ");
                keys.write_page(&mut writer)?;
                self.begin_write(&mut writer);
                writer.push(" INNER JOIN ");
                writer.root_of_page(self.model);
            }
            Target::Condition | Target::Subselect(_) => {
                writer.push("DELETE FROM ");
                writer.table(&self.model.table);
            }
        }
        self.finish_write(writer, &target, false)
    }

    fn begin_write(&self, writer: &mut SqlWriter<'_>) {
        self.begin(writer);
        writer.qualify(self.model.table.name);
    }

    fn finish_write(&self, mut writer: SqlWriter<'_>, target: &Target, returning: bool) -> Result<Statement> {
        match target {
            Target::Condition => self.write_conditions(&mut writer)?,
            Target::Join(_) => {}
            Target::Subselect(keys) => {
                let names: Vec<&'static str> = self.model.primary_key_names().collect();
                let several = names.len() > 1;
                writer.push(if several { " WHERE (" } else { " WHERE " });
                writer.separated(", ", &names, |writer, name| writer.own_column(name));
                writer.push(if several { ") IN (SELECT " } else { " IN (SELECT " });
                writer.separated(", ", 0..names.len(), |writer, at| writer.identifier(&format!("k{at}")));
                writer.push(" FROM ");
                keys.write_page(&mut writer)?;
                writer.push(")");
            }
        }
        if returning {
            let dialect = writer.dialect();
            if matches!(target, Target::Join(_)) || !dialect.capabilities().update_returning {
                return Err(Error::unsupported(dialect.name(), "rows returned by an update"));
            }
            writer.push(" RETURNING ");
            // Not all databases take the table's name in front of them.
            writer.separated(", ", self.model.columns, |writer, column| writer.identifier(column.name));
        }
        writer.finish_within_limit()
    }

    fn write_target(&self, dialect: &dyn Dialect) -> Result<Target> {
        let model = self.model;
        let chooses = self.limit.is_some() || self.offset.is_some() || !self.joins.is_empty();
        let capabilities = dialect.capabilities();
        let joins = capabilities.keyed_write == KeyedWrite::Join;
        let keyless = model.primary_key.is_empty();
        if !chooses && (!joins || keyless || !self.filter.looks_into_tables()) {
            return Ok(Target::Condition);
        }
        if keyless {
            let message = "rows that are chosen by a limit, or by what they are joined with, are written by their primary \
                           key, and this model has none: say by conditions which rows are meant";
            return Err(Error::invalid_query(model.name, message));
        }
        if !joins && model.primary_key.len() > 1 && !capabilities.row_values {
            return Err(Error::unsupported(dialect.name(), "a subselect of keys of several columns"));
        }
        let mut keys = self.of_roots();
        if keys.limit.is_none() && keys.offset.is_none() {
            keys.order.clear();
            // Derived tables that a database merges into the statement would be read while they are written.
            keys.limit = joins.then_some(i64::MAX.unsigned_abs());
        }
        Ok(if joins { Target::Join(keys) } else { Target::Subselect(keys) })
    }
}

impl Expr {
    /// Whether the condition looks into tables, and not only at the row.
    fn looks_into_tables(&self) -> bool {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().any(Expr::looks_into_tables),
            Expr::Not(inner) => inner.looks_into_tables(),
            Expr::Related { .. } | Expr::Joined { .. } | Expr::Limited(_) => true,
            _ => false,
        }
    }
}
