//! The hand-written statement of an association (`finder_sql`), with the requested options on top of it.
//!
//! Without options it runs as it is, in its order. A condition, an order or a selection of columns makes a derived
//! table of it, under the name of the model's table. No database keeps the order of a derived table, so the rows come
//! in the requested order, then by primary key. A limit alone leaves the statement as it is: the executor drops the
//! other rows ([`KeyedSelect::cut_afterwards`]).

use super::SqlWriter;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::metadata::association::RawSql;
use crate::select::{KeyedSelect, PerOwner};
use crate::statement::{Statement, StatementKind};

impl KeyedSelect {
    fn wraps_custom_sql(&self) -> bool {
        !self.filter.is_always() || !self.order.is_empty() || self.selected.is_some()
    }

    /// The limit that the statement of [`custom_sql`](Self::custom_sql) does not have.
    #[must_use]
    pub fn cut_afterwards(&self) -> Option<PerOwner> {
        self.per_owner.filter(|_| !self.wraps_custom_sql())
    }

    /// Whether the statement of [`custom_sql`](Self::custom_sql) runs exactly as written, so that it selects the
    /// columns itself.
    #[must_use]
    pub fn reads_custom_sql_as_it_is(&self) -> bool {
        !self.wraps_custom_sql() && self.only.is_none()
    }

    /// The statement that finds the rows of one owner.
    ///
    /// # Errors
    /// When the number of `?` is not that of the binds, or the filter or order names a column the statement cannot reach.
    pub fn custom_sql(&self, dialect: &dyn Dialect, raw: &RawSql) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        if !self.wraps_custom_sql() {
            writer = SqlWriter::of_kind(dialect, StatementKind::Raw);
            writer.raw_statement(raw.sql(), raw.binds())?;
            return writer.finish_within_limit();
        }
        writer.push("SELECT ");
        writer.qualify(self.model.table.name);
        self.write_columns(&mut writer);
        self.write_custom_sql(&mut writer, raw)?;
        writer.order_by(&self.total_order())?;
        if let Some(PerOwner { limit, offset }) = self.per_owner {
            dialect.write_limit(&mut writer, limit, Some(offset).filter(|offset| *offset > 0));
        }
        writer.finish_within_limit()
    }

    /// The statement that counts the rows of one owner, without regard to a limit.
    ///
    /// # Errors
    /// As [`custom_sql`](Self::custom_sql).
    pub fn count_custom_sql(&self, dialect: &dyn Dialect, raw: &RawSql) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        writer.push("SELECT COUNT(*)");
        writer.qualify(self.model.table.name);
        self.write_custom_sql(&mut writer, raw)?;
        writer.finish_within_limit()
    }

    // ` FROM (…) AS posts WHERE …`
    fn write_custom_sql(&self, writer: &mut SqlWriter<'_>, raw: &RawSql) -> Result<()> {
        writer.push(" FROM (");
        writer.raw(raw.sql(), raw.binds())?;
        writer.push(") AS ");
        writer.identifier(self.model.table.name);
        writer.where_clause(&self.filter)
    }
}
