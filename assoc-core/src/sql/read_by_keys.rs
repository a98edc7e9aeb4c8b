//! `SELECT` of some columns of rows that hold keys: what a write has to know before, under a lock or without one.

use super::SqlWriter;
use super::keyed::{key_column, write_key_match};
use super::write::and_discriminator;
use crate::dialect::{Dialect, RowLocks};
use crate::error::Result;
use crate::key::KeySet;
use crate::metadata::expr::Expr;
use crate::metadata::model::ModelDef;
use crate::select::{LockStrength, RowLock, WhenLocked};
use crate::statement::Statement;

/// Reads some columns of the rows that hold one of these keys in some columns, and satisfy a condition. Expects as many
/// keys as a condition takes.
///
/// # Errors
/// When the condition cannot be written, or there are more binds than the database takes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::sql::select_by;
///
/// let (read, by) = ([Post::ID.index()], [Post::USER_ID.index()]);
/// let untitled = Post::TITLE.eq("").into_expr();
/// let keys = KeySet::Ints([7, 9].into());
/// let statement = select_by(&StandardSql::default(), Post::DEF, &read, &by, &keys, &untitled)?;
/// assert_eq!(statement.sql(), "SELECT id FROM posts WHERE user_id IN (?, ?) AND (title = ?)");
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn select_by(
    dialect: &dyn Dialect,
    model: &ModelDef,
    columns: &[usize],
    by: &[usize],
    keys: &KeySet,
    filter: &Expr,
) -> Result<Statement> {
    select_rows(dialect, model, columns, by, keys, filter)?.finish_within_limit()
}

/// As [`select_by`], with the position of the key that the database has found a row by as the first value of each row. Expects
/// as many keys as a [table of keys](Dialect::keys_per_statement) takes.
///
/// # Errors
/// As [`select_by`].
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::execution::KeyTuple;
/// use assoc_core::metadata::Expr;
/// use assoc_core::sql::select_matched;
///
/// let (read, by) = ([Post::ID.index()], [Post::TITLE.index()]);
/// let keys = KeySet::from_iter([KeyTuple::of_row(["Looms".into()])]);
/// let statement = select_matched(&StandardSql::default(), Post::DEF, &read, &by, &keys, &Expr::always())?;
/// assert!(statement.sql().starts_with("SELECT keys.ordinal, posts.id FROM"));
/// assert!(statement.sql().ends_with("INNER JOIN posts ON posts.title = keys.k0"));
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn select_matched(
    dialect: &dyn Dialect,
    model: &ModelDef,
    columns: &[usize],
    by: &[usize],
    keys: &KeySet,
    filter: &Expr,
) -> Result<Statement> {
    let mut writer = SqlWriter::new(dialect);
    writer.qualify(model.table.name);
    let name = |column: &usize| model.columns[*column].name;
    writer.push("SELECT ");
    key_column(&mut writer, "ordinal");
    for column in columns {
        writer.push(", ");
        writer.own_column(name(column));
    }
    writer.push(" FROM ");
    let names: Vec<&str> = by.iter().map(name).collect();
    dialect.write_key_table_for(&mut writer, keys, &model.table, &names);
    writer.ordered_join();
    writer.table(&model.table);
    writer.push(" ON ");
    write_key_match(&mut writer, model, by);
    writer.where_clause(filter)?;
    writer.finish_within_limit()
}

/// As [`select_by`], and locks the rows until the transaction ends, where the database locks rows.
///
/// # Errors
/// As [`select_by`].
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::dialect::RowLocks;
/// use assoc_core::driver::KeySet;
/// use assoc_core::metadata::Expr;
/// use assoc_core::sql::select_locked;
///
/// let mut dialect = StandardSql::default();
/// dialect.0.row_locks = RowLocks::Rows { skips: false, names_table: true };
/// let (read, keys) = ([Post::ID.index()], KeySet::Ints([7].into()));
/// let statement = select_locked(&dialect, Post::DEF, &read, Post::PRIMARY_KEY, &keys, &Expr::always())?;
/// assert_eq!(statement.sql(), "SELECT id FROM posts WHERE id IN (?) FOR UPDATE");
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn select_locked(
    dialect: &dyn Dialect,
    model: &ModelDef,
    columns: &[usize],
    by: &[usize],
    keys: &KeySet,
    filter: &Expr,
) -> Result<Statement> {
    let mut writer = select_rows(dialect, model, columns, by, keys, filter)?;
    if matches!(dialect.capabilities().row_locks, RowLocks::Rows { .. }) {
        if dialect.ordered_lock().is_some() && !model.primary_key.is_empty() {
            writer.push(" ORDER BY ");
            writer.separated(", ", model.primary_key_names(), SqlWriter::identifier);
        }
        let lock = RowLock { strength: LockStrength::Update, when_locked: WhenLocked::Wait };
        dialect.write_row_lock(&mut writer, lock, None);
    }
    writer.finish_within_limit()
}

fn select_rows<'d>(
    dialect: &'d dyn Dialect,
    model: &ModelDef,
    columns: &[usize],
    by: &[usize],
    keys: &KeySet,
    filter: &Expr,
) -> Result<SqlWriter<'d>> {
    let mut writer = SqlWriter::new(dialect);
    writer.push("SELECT ");
    writer.separated(", ", columns, |writer, column| writer.identifier(model.columns[*column].name));
    writer.push(" FROM ");
    writer.table(&model.table);
    writer.push(" WHERE ");
    let names: Vec<&str> = by.iter().map(|column| model.columns[*column].name).collect();
    dialect.write_key_filter(&mut writer, &names, keys);
    and_discriminator(&mut writer, model);
    writer.and_condition(filter)?;
    Ok(writer)
}
