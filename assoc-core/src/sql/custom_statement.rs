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
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::select::{KeyedSelect, PerOwner};
    ///
    /// let per_owner = Some(PerOwner { limit: Some(3), offset: 0 });
    /// let mut select = KeyedSelect { per_owner, ..KeyedSelect::new(Post::DEF, &[]) };
    /// // The program's own text gets no limit, so more rows come than are wanted.
    /// assert_eq!(select.cut_afterwards(), per_owner);
    /// select.filter = Post::TITLE.ne("").into_expr();
    /// assert_eq!(select.cut_afterwards(), None);
    /// ```
    #[must_use]
    pub fn cut_afterwards(&self) -> Option<PerOwner> {
        self.per_owner.filter(|_| !self.wraps_custom_sql())
    }

    /// Whether the statement of [`custom_sql`](Self::custom_sql) runs exactly as written, so that it selects the
    /// columns itself.
    ///
    /// See [`custom_sql`](Self::custom_sql), whose statement it is about.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::select::KeyedSelect;
    ///
    /// let mut select = KeyedSelect::new(Post::DEF, &[]);
    /// assert!(select.reads_custom_sql_as_it_is());
    /// select.order = vec![Post::TITLE.asc().into_term()];
    /// assert!(!select.reads_custom_sql_as_it_is());
    /// ```
    #[must_use]
    pub fn reads_custom_sql_as_it_is(&self) -> bool {
        !self.wraps_custom_sql() && self.only.is_none()
    }

    /// The statement that finds the rows of one owner.
    ///
    /// # Errors
    /// When the number of `?` is not that of the binds, or the filter or order names a column the statement cannot reach.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::RawSql;
    /// use assoc_core::select::KeyedSelect;
    ///
    /// let dialect = StandardSql::default();
    /// let raw = RawSql::new("SELECT * FROM posts WHERE user_id = ?", [7_i64.into()]);
    /// let mut select = KeyedSelect::new(Post::DEF, &[]);
    /// assert!(select.reads_custom_sql_as_it_is());
    /// assert_eq!(select.custom_sql(&dialect, &raw)?.sql(), raw.sql());
    ///
    /// // With a condition on top it is a table of the statement.
    /// select.filter = Post::TITLE.ne("").into_expr();
    /// assert!(!select.reads_custom_sql_as_it_is());
    /// let rows = format!("FROM ({}) AS posts WHERE posts.title <> ?", raw.sql());
    /// let columns = "posts.id, posts.user_id, posts.title";
    /// assert_eq!(select.custom_sql(&dialect, &raw)?.sql(), format!("SELECT {columns} {rows} ORDER BY posts.id"));
    /// assert_eq!(select.count_custom_sql(&dialect, &raw)?.sql(), format!("SELECT COUNT(*) {rows}"));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
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
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::RawSql;
    /// use assoc_core::select::KeyedSelect;
    ///
    /// let raw = RawSql::new("SELECT * FROM posts WHERE user_id = ?", [7_i64.into()]);
    /// let count = KeyedSelect::new(Post::DEF, &[]).count_custom_sql(&StandardSql::default(), &raw)?;
    /// assert_eq!(count.sql(), "SELECT COUNT(*) FROM (SELECT * FROM posts WHERE user_id = ?) AS posts");
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
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
