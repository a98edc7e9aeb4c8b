//! `UPDATE` of counters and times of the rows that other rows belong to, and the look-up of counters that are wrong.
//!
//! One statement writes all of it in the rows of one table, in the order of their keys: InnoDB locks rows as it meets them,
//! and two statements (one that adds and one that subtracts) would lock them in different orders. PostgreSQL meets them as
//! they lie in the table, which changes with each update, so a subselect [locks](Dialect::ordered_lock) them in order first.

use super::SqlWriter;
use super::write::and_discriminator;
use crate::column_type::SqlType;
use crate::dialect::{Dialect, Sign};
use crate::error::Result;
use crate::key::KeySet;
use crate::metadata::expr::Expr;
use crate::metadata::model::{ColumnDef, ModelDef};
use crate::select::RootSelect;
use crate::statement::{Statement, StatementKind};
use crate::value::Value;

/// The rows of a model whose counters and times change: those that hold one of some keys, and satisfy a condition.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::metadata::Expr;
/// use assoc_core::sql::{FollowedColumn, FollowedRows, Moved};
///
/// let dialect = StandardSql::default();
/// let (keys, filter) = (KeySet::Ints([1, 2].into()), Expr::always());
/// let rows = FollowedRows { model: Team::DEF, key: Team::PRIMARY_KEY, keys: &keys, filter: &filter };
/// assert!(keys.len() <= FollowedRows::keys_per_statement(&dialect, 1, 1));
///
/// let one_more = FollowedColumn { column: Team::USERS_COUNT.index(), moved: vec![(Moved::By(1), keys.clone())] };
/// let update = rows.update(&dialect, &[one_more])?;
/// // A counter that is `NULL` counts from 0.
/// assert_eq!(update.sql(), "UPDATE teams SET users_count = COALESCE(users_count + ?, ?) WHERE id IN (?, ?)");
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FollowedRows<'a> {
    /// The model.
    pub model: &'static ModelDef,
    /// The columns that hold the keys.
    pub key: &'a [usize],
    /// The keys.
    pub keys: &'a KeySet,
    /// Which of the rows.
    pub filter: &'a Expr,
}

/// A column that changes in some of the rows.
#[derive(Debug, Clone)]
pub struct FollowedColumn {
    /// The column.
    pub column: usize,
    /// What becomes of it in which rows. The keys of different entries are different.
    pub moved: Vec<(Moved, KeySet)>,
}

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Moved {
    /// This much is added to it. `NULL` counts as 0. A column that cannot be negative ends at 0.
    By(i64),
    /// It takes a value.
    To(Value<'static>),
}

impl FollowedRows<'_> {
    /// How many keys a statement may carry that changes this many columns, each perhaps in some of the rows only.
    #[must_use]
    pub fn keys_per_statement(dialect: &dyn Dialect, width: usize, columns: usize) -> usize {
        (dialect.keys_per_condition(width) / (columns + 1)).max(1)
    }

    /// Changes the columns. Expects as many keys as a statement takes.
    ///
    /// # Errors
    /// When the condition cannot be written, or there are more binds than the database takes.
    pub fn update(&self, dialect: &dyn Dialect, columns: &[FollowedColumn]) -> Result<Statement> {
        let mut writer = SqlWriter::of_kind(dialect, StatementKind::Update);
        RootSelect::new(self.model).begin(&mut writer);
        writer.push("UPDATE ");
        writer.table(&self.model.table);
        writer.push(" SET ");
        writer.separated(", ", columns, |writer, FollowedColumn { column, moved }| {
            let column = &self.model.columns[*column];
            writer.identifier(column.name);
            writer.push(" = ");
            match &moved[..] {
                [(moved, keys)] if keys.len() == self.keys.len() => write_moved(writer, column, moved),
                several => {
                    writer.push("CASE");
                    for (moved, keys) in several {
                        writer.push(" WHEN ");
                        self.write_keys(writer, keys);
                        writer.push(" THEN ");
                        write_moved(writer, column, moved);
                    }
                    writer.push(" ELSE ");
                    writer.own_column(column.name);
                    writer.push(" END");
                }
            }
        });
        writer.push(" WHERE ");
        let names_rows = self.key.len() == 1 || dialect.capabilities().row_values;
        match dialect.ordered_lock() {
            Some(lock) if self.keys.len() > 1 && names_rows => self.write_locked_rows(&mut writer, lock)?,
            _ => self.write_keys(&mut writer, self.keys),
        }
        self.and_conditions(&mut writer)?;
        writer.finish_within_limit()
    }

    // Others may hold the same keys.
    fn and_conditions(&self, writer: &mut SqlWriter<'_>) -> Result<()> {
        and_discriminator(writer, self.model);
        writer.and_condition(self.filter)
    }

    // The rows, locked in the order of their keys before any is updated.
    fn write_locked_rows(&self, writer: &mut SqlWriter<'_>, lock: &str) -> Result<()> {
        let names = |writer: &mut SqlWriter<'_>| {
            let names = self.key.iter().map(|column| self.model.columns[*column].name);
            writer.separated(", ", names, SqlWriter::identifier);
        };
        writer.push("(");
        names(writer);
        writer.push(") IN (SELECT ");
        names(writer);
        writer.push(" FROM ");
        writer.table(&self.model.table);
        writer.push(" WHERE ");
        self.write_keys(writer, self.keys);
        self.and_conditions(writer)?;
        writer.push(" ORDER BY ");
        names(writer);
        writer.push(lock);
        writer.push(")");
        Ok(())
    }

    fn write_keys(&self, writer: &mut SqlWriter<'_>, keys: &KeySet) {
        let names: Vec<&str> = self.key.iter().map(|column| self.model.columns[*column].name).collect();
        writer.dialect().write_key_filter(writer, &names, keys);
    }
}

fn write_moved(writer: &mut SqlWriter<'_>, column: &ColumnDef, moved: &Moved) {
    match moved {
        Moved::To(value) => writer.bind(value.clone()),
        Moved::By(amount) => {
            let sign = if *amount < 0 { Sign::Minus } else { Sign::Plus };
            let step = Value::Int(amount.saturating_abs());
            // A counter that is too small already must not keep rows from going.
            let ends_at_0 = *amount < 0 && is_unsigned(column);
            if ends_at_0 {
                writer.push("CASE WHEN ");
                writer.own_column(column.name);
                writer.push(" < ");
                writer.bind(step.clone());
                writer.push(" THEN 0 ELSE ");
            }
            writer.push("COALESCE(");
            writer.dialect().write_sum(writer, column, sign, &step);
            writer.push(", ");
            writer.bind(Value::Int(ends_at(column, *amount)));
            writer.push(")");
            if ends_at_0 {
                writer.push(" END");
            }
        }
    }
}

/// What a counter holds that a sum would bring to this number. One that cannot be negative ends at 0.
#[must_use]
pub(crate) fn ends_at(column: &ColumnDef, sum: i64) -> i64 {
    if is_unsigned(column) { sum.max(0) } else { sum }
}

fn is_unsigned(column: &ColumnDef) -> bool {
    matches!(column.sql_type, SqlType::UInt(_))
}

/// The rows of a model whose counter differs from the number of rows that belong to them.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::metadata::Expr;
/// use assoc_core::sql::CounterDrift;
///
/// let all = Expr::always();
/// let drift = CounterDrift {
///     model: Team::DEF,
///     key: Team::PRIMARY_KEY,
///     counter: Team::USERS_COUNT.index(),
///     filter: &all,
///     children: User::DEF,
///     foreign_key: &[2],
///     counted: &all,
/// };
/// let sql = drift.select(&StandardSql::default(), None)?.sql().to_owned();
/// let teams = "SELECT id, users_count FROM teams WHERE 1 = 1";
/// let users = "SELECT team_id AS k0 FROM users WHERE team_id IS NOT NULL";
/// assert!(sql.contains(teams) && sql.contains(users));
/// assert!(sql.ends_with("HAVING owners.users_count IS NULL OR owners.users_count <> COUNT(counted.k0)"));
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CounterDrift<'a> {
    /// The model with the counter.
    pub model: &'static ModelDef,
    /// Its columns that the other rows refer to.
    pub key: &'static [usize],
    /// The counter.
    pub counter: usize,
    /// Which of its rows.
    pub filter: &'a Expr,
    /// The model of the rows that are counted.
    pub children: &'static ModelDef,
    /// Their columns that refer to the row.
    pub foreign_key: &'static [usize],
    /// Which of them.
    pub counted: &'a Expr,
}

impl CounterDrift<'_> {
    /// Reads the key, the counter and the true number of the rows in which the two differ: of those that hold some keys in some
    /// columns, or of all.
    ///
    /// # Errors
    /// When a condition cannot be written, or there are more binds than the database takes.
    pub fn select(&self, dialect: &dyn Dialect, some: Option<(&[usize], &KeySet)>) -> Result<Statement> {
        let mut writer = SqlWriter::new(dialect);
        let column = |writer: &mut SqlWriter<'_>, at: usize| {
            writer.identifier("owners");
            writer.push(".");
            writer.identifier(self.model.columns[at].name);
        };
        let counted = |writer: &mut SqlWriter<'_>| {
            writer.push("COUNT(");
            writer.identifier("counted");
            writer.push(".");
            writer.identifier("k0");
            writer.push(")");
        };
        let owner_columns: Vec<usize> = self.key.iter().copied().chain([self.counter]).collect();
        writer.push("SELECT ");
        writer.separated(", ", &owner_columns, |writer, at| column(writer, *at));
        writer.push(", ");
        counted(&mut writer);
        writer.push(" FROM (SELECT ");
        writer.separated(", ", &owner_columns, |writer, at| writer.identifier(self.model.columns[*at].name));
        writer.push(" FROM ");
        writer.table(&self.model.table);
        // Each table stands in a separate subselect, so that conditions name its columns as in other statements.
        RootSelect::new(self.model).begin(&mut writer);
        writer.push(" WHERE 1 = 1");
        if let Some((by, keys)) = some {
            writer.push(" AND ");
            let names: Vec<&str> = by.iter().map(|column| self.model.columns[*column].name).collect();
            dialect.write_key_filter(&mut writer, &names, keys);
        }
        and_discriminator(&mut writer, self.model);
        writer.and_condition(self.filter)?;
        writer.push(") AS ");
        writer.identifier("owners");
        writer.push(" LEFT JOIN (SELECT ");
        writer.separated(", ", self.foreign_key.iter().enumerate(), |writer, (part, at)| {
            writer.identifier(self.children.columns[*at].name);
            writer.push(" AS ");
            writer.identifier(&format!("k{part}"));
        });
        writer.push(" FROM ");
        writer.table(&self.children.table);
        RootSelect::new(self.children).begin(&mut writer);
        writer.push(" WHERE ");
        writer.separated(" AND ", self.foreign_key, |writer, at| {
            writer.identifier(self.children.columns[*at].name);
            writer.push(" IS NOT NULL");
        });
        and_discriminator(&mut writer, self.children);
        writer.and_condition(self.counted)?;
        writer.push(") AS ");
        writer.identifier("counted");
        writer.push(" ON ");
        writer.separated(" AND ", self.key.iter().enumerate(), |writer, (part, at)| {
            writer.columns_equal(
                self.model.columns[*at].sql_type,
                |writer| {
                    writer.identifier("counted");
                    writer.push(".");
                    writer.identifier(&format!("k{part}"));
                },
                |writer| column(writer, *at),
            );
        });
        writer.push(" GROUP BY ");
        writer.separated(", ", &owner_columns, |writer, at| column(writer, *at));
        writer.push(" HAVING ");
        column(&mut writer, self.counter);
        writer.push(" IS NULL OR ");
        column(&mut writer, self.counter);
        writer.push(" <> ");
        counted(&mut writer);
        writer.finish_within_limit()
    }
}
