//! `DELETE`, `UPDATE … SET … = NULL` and counts of the rows that belong to a set of keys: what is done with rows that
//! depend on others.
//!
//! The keys are always a list of values, never a subselect: MariaDB walks the whole table for
//! `DELETE … WHERE fk IN (SELECT …)`, and finds the rows of a list by the index.

use super::SqlWriter;
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::key::KeySet;
use crate::metadata::expr::{Direction, Expr, Operand, OrderTerm};
use crate::metadata::model::ModelDef;
use crate::statement::{Statement, StatementKind};

/// The rows of a model that hold one of some keys in some columns, and satisfy a condition.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::metadata::Expr;
/// use assoc_core::sql::KeyedRows;
///
/// let mut dialect = StandardSql::default();
/// dialect.0.delete_returning = true;
/// let (columns, filter, keys) = ([Post::USER_ID.index()], Expr::always(), KeySet::Ints([7, 9].into()));
/// let rows = KeyedRows { model: Post::DEF, columns: &columns, filter: &filter };
/// assert!(rows.keys_per_statement(&dialect) >= keys.len());
///
/// let of_two = "posts WHERE user_id IN (?, ?)";
/// assert_eq!(rows.count(&dialect, &keys)?.sql(), format!("SELECT COUNT(*) FROM {of_two}"));
/// assert_eq!(rows.exists(&dialect, &keys)?.sql(), format!("SELECT 1 FROM {of_two} LIMIT 1"));
/// assert_eq!(rows.first_keys(&dialect, &keys, 5)?.sql(), format!("SELECT id FROM {of_two} ORDER BY id LIMIT 5"));
/// assert_eq!(rows.delete(&dialect, &keys)?.sql(), format!("DELETE FROM {of_two}"));
/// let gone = rows.delete_returning(&dialect, &keys, &[Post::ID.index()])?;
/// assert_eq!(gone.sql(), format!("DELETE FROM {of_two} RETURNING id"));
/// let cleared = rows.clear(&dialect, &keys, &columns)?;
/// assert_eq!(cleared.sql(), "UPDATE posts SET user_id = NULL WHERE user_id IN (?, ?)");
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct KeyedRows<'a> {
    /// The model whose rows they are.
    pub model: &'static ModelDef,
    /// The columns that hold the keys, as indexes into the model's columns.
    pub columns: &'a [usize],
    /// Which of the rows.
    pub filter: &'a Expr,
}

impl KeyedRows<'_> {
    /// How many keys a statement may carry.
    #[must_use]
    pub fn keys_per_statement(&self, dialect: &dyn Dialect) -> usize {
        dialect.keys_per_condition(self.columns.len())
    }

    /// Deletes them.
    ///
    /// # Errors
    /// When the condition names a column the statement cannot reach, or there are too many keys.
    pub fn delete(&self, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        self.statement(
            (dialect, StatementKind::Delete),
            keys,
            |writer| writer.push("DELETE FROM "),
            |_| Ok(()),
            |_| Ok(()),
        )
    }

    /// Deletes them, and gives back columns of each as they were.
    ///
    /// # Errors
    /// As [`delete`](Self::delete), and where the database cannot do it.
    pub fn delete_returning(&self, dialect: &dyn Dialect, keys: &KeySet, columns: &[usize]) -> Result<Statement> {
        if !dialect.capabilities().delete_returning {
            return Err(Error::invalid_query(self.model.name, "the database has no `DELETE … RETURNING`"));
        }
        let returning = |writer: &mut SqlWriter<'_>| {
            writer.push(" RETURNING ");
            writer.separated(", ", columns, |writer, column| writer.identifier(self.model.columns[*column].name));
            Ok(())
        };
        self.statement(
            (dialect, StatementKind::Delete),
            keys,
            |writer| writer.push("DELETE FROM "),
            |_| Ok(()),
            returning,
        )
    }

    /// Sets columns of them to `NULL`.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn clear(&self, dialect: &dyn Dialect, keys: &KeySet, cleared: &[usize]) -> Result<Statement> {
        let set = |writer: &mut SqlWriter<'_>| {
            writer.push(" SET ");
            writer.separated(", ", cleared, |writer, column| {
                writer.identifier(self.model.columns[*column].name);
                writer.push(" = NULL");
            });
            Ok(())
        };
        self.statement((dialect, StatementKind::Update), keys, |writer| writer.push("UPDATE "), set, |_| Ok(()))
    }

    /// Returns a row if there is one of them.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn exists(&self, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        let limit = |writer: &mut SqlWriter<'_>| {
            writer.dialect().write_limit(writer, Some(1), None);
            Ok(())
        };
        self.statement(
            (dialect, StatementKind::Select),
            keys,
            |writer| writer.push("SELECT 1 FROM "),
            |_| Ok(()),
            limit,
        )
    }

    /// Counts them.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn count(&self, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        self.statement(
            (dialect, StatementKind::Select),
            keys,
            |writer| writer.push("SELECT COUNT(*) FROM "),
            |_| Ok(()),
            |_| Ok(()),
        )
    }

    /// Selects the primary keys of the first of them, in the order of the key.
    ///
    /// # Errors
    /// As [`delete`](Self::delete).
    pub fn first_keys(&self, dialect: &dyn Dialect, keys: &KeySet, most: u64) -> Result<Statement> {
        let select = |writer: &mut SqlWriter<'_>| {
            writer.push("SELECT ");
            writer.separated(", ", self.model.primary_key_names(), SqlWriter::identifier);
            writer.push(" FROM ");
        };
        let order = |writer: &mut SqlWriter<'_>| {
            let term = |column: &usize| {
                OrderTerm::new(Operand::Column(self.model.columns[*column].column_ref()), Direction::Asc)
            };
            writer.order_by(&self.model.primary_key.iter().map(term).collect::<Vec<_>>())?;
            writer.dialect().write_limit(writer, Some(most), None);
            Ok(())
        };
        self.statement((dialect, StatementKind::Select), keys, select, |_| Ok(()), order)
    }

    // `DELETE FROM posts WHERE user_id IN (…) AND (…)`: a verb, what stands between table and condition, and what
    // stands behind.
    fn statement(
        &self,
        (dialect, kind): (&dyn Dialect, StatementKind),
        keys: &KeySet,
        verb: impl FnOnce(&mut SqlWriter<'_>),
        set: impl FnOnce(&mut SqlWriter<'_>) -> Result<()>,
        end: impl FnOnce(&mut SqlWriter<'_>) -> Result<()>,
    ) -> Result<Statement> {
        let mut writer = SqlWriter::of_kind(dialect, kind);
        verb(&mut writer);
        writer.table(&self.model.table);
        set(&mut writer)?;
        writer.push(" WHERE ");
        let names: Vec<&str> = self.columns.iter().map(|column| self.model.columns[*column].name).collect();
        dialect.write_key_filter(&mut writer, &names, keys);
        writer.and_condition(self.filter)?;
        end(&mut writer)?;
        writer.finish_within_limit()
    }
}
