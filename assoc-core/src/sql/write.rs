//! `INSERT`, `UPDATE` and `DELETE` by key.

use std::sync::Arc;

use super::SqlWriter;
use crate::dialect::Dialect;
use crate::error::Result;
use crate::key::KeySet;
use crate::metadata::expr::Expr;
use crate::metadata::model::ModelDef;
use crate::select::RootSelect;
use crate::statement::{Bind, Statement, StatementKind};
use crate::typed::assignment::{AssignedValue, ColumnAssignment};
use crate::value::Value;

/// Inserts rows that all set the same columns; with `returning`, gives back whole rows. Without columns, one row of
/// defaults is inserted.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::sql::insert;
///
/// let dialect = StandardSql::default();
/// let rows = [vec!["rust".into()], vec!["sql".into()]];
/// let statement = insert(&dialect, Tag::DEF, &[Tag::NAME.index()], &rows, true);
/// assert_eq!(statement.sql(), "INSERT INTO tags (name) VALUES (?), (?) RETURNING id, name");
/// assert_eq!(statement.binds().len(), 2);
/// assert_eq!(insert(&dialect, Tag::DEF, &[], &[], false).sql(), "INSERT INTO tags DEFAULT VALUES");
/// ```
#[must_use]
pub fn insert(
    dialect: &dyn Dialect,
    model: &ModelDef,
    columns: &[usize],
    rows: &[Vec<Value<'static>>],
    returning: bool,
) -> Statement {
    let text = insert_text(dialect, model, columns, rows.len(), returning);
    insert_statement(text, rows.iter().flatten().cloned().map(Bind::Value).collect())
}

/// The statement of a text of [`insert_text`] and the values of its rows.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::{Bind, StatementKind};
/// use assoc_core::sql::{insert_statement, insert_text};
///
/// // The text is written once for all batches of two rows.
/// let text = insert_text(&StandardSql::default(), Tag::DEF, &[Tag::NAME.index()], 2, false);
/// let bound = |names: [&'static str; 2]| names.map(|name| Bind::Value(name.into())).into();
/// let batch = |names| insert_statement(text.clone(), bound(names));
/// let (first, second) = (batch(["rust", "sql"]), batch(["web", "orm"]));
/// assert_eq!((first.kind(), first.sql()), (StatementKind::Insert, "INSERT INTO tags (name) VALUES (?), (?)"));
/// assert!(std::sync::Arc::ptr_eq(first.shared_sql(), second.shared_sql()) && first != second);
/// ```
#[must_use]
pub fn insert_statement(text: Arc<str>, binds: Vec<Bind>) -> Statement {
    Statement::new(text, binds).of_kind(StatementKind::Insert)
}

/// The text of [`insert`] for a number of rows, whose binds are their values row by row. Batches of rows have one text
/// for all full batches.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::sql::insert_text;
///
/// let columns = [Post::USER_ID.index(), Post::TITLE.index()];
/// let text = insert_text(&StandardSql::default(), Post::DEF, &columns, 2, false);
/// assert_eq!(&*text, "INSERT INTO posts (user_id, title) VALUES (?, ?), (?, ?)");
/// ```
#[must_use]
pub fn insert_text(
    dialect: &dyn Dialect,
    model: &ModelDef,
    columns: &[usize],
    rows: usize,
    returning: bool,
) -> Arc<str> {
    let mut writer = SqlWriter::new(dialect);
    writer.push("INSERT INTO ");
    writer.table(&model.table);
    if columns.is_empty() {
        writer.push(dialect.insert_defaults());
    } else {
        writer.push(" (");
        writer.separated(", ", columns, |writer, column| writer.identifier(model.columns[*column].name));
        writer.push(") VALUES ");
        writer.separated(", ", 0..rows, |writer, row| {
            writer.push("(");
            writer.separated(", ", 0..columns.len(), |writer, column| {
                dialect.placeholder(row * columns.len() + column + 1, writer.text());
            });
            writer.push(")");
        });
    }
    if returning {
        writer.push(" RETURNING ");
        writer.columns(model);
    }
    writer.finish().shared_sql().clone()
}

/// Sets columns of the row with a primary key; with `returning`, gives back the whole row. The key is compared by its
/// columns' names and values.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::sql::update_by_key;
///
/// let set = [(Tag::NAME.index(), "sql".into())];
/// let statement = update_by_key(&StandardSql::default(), Tag::DEF, &set, &[7_i64.into()], false);
/// assert_eq!(statement.sql(), "UPDATE tags SET name = ? WHERE id = ?");
/// ```
#[must_use]
pub fn update_by_key(
    dialect: &dyn Dialect,
    model: &ModelDef,
    set: &[(usize, Value<'static>)],
    key: &[Value<'static>],
    returning: bool,
) -> Statement {
    let mut writer = SqlWriter::of_kind(dialect, StatementKind::Update);
    write_set(&mut writer, model, set);
    writer.separated(" AND ", model.primary_key.iter().zip(key), |writer, (column, value)| {
        writer.own_column_equals(&model.columns[*column], value);
    });
    and_discriminator(&mut writer, model);
    write_returning(&mut writer, model, returning);
    writer.finish()
}

/// As [`update_by_key`], of a row that satisfies a condition as well.
///
/// # Errors
/// When the condition cannot be written, or the database cannot return the row of such a statement.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::sql::update_row;
///
/// // Only if no other program has renamed it meanwhile.
/// let set = [(Tag::NAME.index(), "sql".into())];
/// let unchanged = Tag::NAME.eq("SQL").into_expr();
/// let statement = update_row(&StandardSql::default(), Tag::DEF, &set, &[7_i64.into()], &unchanged, false)?;
/// assert_eq!(statement.sql(), "UPDATE tags SET name = ? WHERE (tags.id = ?) AND (tags.name = ?)");
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn update_row(
    dialect: &dyn Dialect,
    model: &'static ModelDef,
    set: &[(usize, Value<'static>)],
    key: &[Value<'static>],
    condition: &Expr,
    returning: bool,
) -> Result<Statement> {
    if condition.is_always() {
        return Ok(update_by_key(dialect, model, set, key, returning));
    }
    let assignments: Vec<ColumnAssignment> = set
        .iter()
        .map(|(column, value)| ColumnAssignment { column: *column, value: AssignedValue::Value(value.clone()) })
        .collect();
    row(model, key, condition).update_statement(dialect, &assignments, returning)
}

/// Deletes the row with a primary key, if it satisfies a condition.
///
/// # Errors
/// When the condition cannot be written.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::sql::delete_row;
///
/// let unchanged = Tag::NAME.eq("SQL").into_expr();
/// let statement = delete_row(&StandardSql::default(), Tag::DEF, &[7_i64.into()], &unchanged)?;
/// assert_eq!(statement.sql(), "DELETE FROM tags WHERE (tags.id = ?) AND (tags.name = ?)");
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn delete_row(
    dialect: &dyn Dialect,
    model: &'static ModelDef,
    key: &[Value<'static>],
    condition: &Expr,
) -> Result<Statement> {
    row(model, key, condition).delete_statement(dialect)
}

fn row(model: &'static ModelDef, key: &[Value<'static>], condition: &Expr) -> RootSelect {
    let mut select = RootSelect::new(model);
    select.filter = model.base_scope(true).filter.and(condition.clone());
    select.with_key(key.to_vec())
}

// Of several models that share a table, each writes its own rows only.
pub(super) fn and_discriminator(writer: &mut SqlWriter<'_>, model: &ModelDef) {
    if let Some(own) = model.discriminator {
        writer.push(" AND ");
        writer.holds_tag(|writer| writer.identifier(model.columns[own.column].name), own.tag);
    }
}

/// Sets the same values in all rows with these primary keys; with `returning`, gives back whole rows. Expects as many keys
/// as a condition takes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::sql::update_by_keys;
///
/// let (set, keys) = ([(Post::USER_ID.index(), 7_i64.into())], KeySet::Ints([1, 2].into()));
/// let statement = update_by_keys(&StandardSql::default(), Post::DEF, &set, &keys, false);
/// assert_eq!(statement.sql(), "UPDATE posts SET user_id = ? WHERE id IN (?, ?)");
/// ```
#[must_use]
pub fn update_by_keys(
    dialect: &dyn Dialect,
    model: &ModelDef,
    set: &[(usize, Value<'static>)],
    keys: &KeySet,
    returning: bool,
) -> Statement {
    let mut writer = SqlWriter::of_kind(dialect, StatementKind::Update);
    write_update(&mut writer, model, set, keys);
    write_returning(&mut writer, model, returning);
    writer.finish()
}

/// As [`update_by_keys`], of rows that satisfy a condition as well.
///
/// # Errors
/// When the condition cannot be written, or there are more binds than the database takes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::sql::update_rows;
///
/// let (set, keys) = ([(Post::USER_ID.index(), 7_i64.into())], KeySet::Ints([1, 2].into()));
/// let condition = Post::TITLE.ne("A").into_expr();
/// let statement = update_rows(&StandardSql::default(), Post::DEF, &set, &keys, &condition, false)?;
/// assert_eq!(statement.sql(), "UPDATE posts SET user_id = ? WHERE id IN (?, ?) AND (title <> ?)");
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn update_rows(
    dialect: &dyn Dialect,
    model: &'static ModelDef,
    set: &[(usize, Value<'static>)],
    keys: &KeySet,
    condition: &Expr,
    returning: bool,
) -> Result<Statement> {
    let mut writer = SqlWriter::of_kind(dialect, StatementKind::Update);
    RootSelect::new(model).begin(&mut writer);
    write_update(&mut writer, model, set, keys);
    writer.and_condition(condition)?;
    write_returning(&mut writer, model, returning);
    writer.finish_within_limit()
}

// `UPDATE table SET … WHERE `
fn write_set(writer: &mut SqlWriter<'_>, model: &ModelDef, set: &[(usize, Value<'static>)]) {
    writer.push("UPDATE ");
    writer.table(&model.table);
    writer.push(" SET ");
    writer.separated(", ", set, |writer, (column, value)| {
        writer.identifier(model.columns[*column].name);
        writer.push(" = ");
        writer.bind(value.clone());
    });
    writer.push(" WHERE ");
}

fn write_update(writer: &mut SqlWriter<'_>, model: &ModelDef, set: &[(usize, Value<'static>)], keys: &KeySet) {
    write_set(writer, model, set);
    let names: Vec<&str> = model.primary_key_names().collect();
    writer.dialect().write_key_filter(writer, &names, keys);
    and_discriminator(writer, model);
}

fn write_returning(writer: &mut SqlWriter<'_>, model: &ModelDef, returning: bool) {
    if returning {
        writer.push(" RETURNING ");
        writer.columns(model);
    }
}

/// Deletes the rows with these primary keys.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::sql::delete_by_keys;
///
/// let statement = delete_by_keys(&StandardSql::default(), Post::DEF, &KeySet::Ints([1, 2].into()));
/// assert_eq!(statement.sql(), "DELETE FROM posts WHERE id IN (?, ?)");
/// ```
#[must_use]
pub fn delete_by_keys(dialect: &dyn Dialect, model: &ModelDef, keys: &KeySet) -> Statement {
    delete_by(dialect, model, model.primary_key, keys)
}

/// Deletes the rows that hold one of these keys in some columns. Expects as many keys as a condition takes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::sql::delete_by;
///
/// let by_author = [Post::USER_ID.index()];
/// let statement = delete_by(&StandardSql::default(), Post::DEF, &by_author, &KeySet::Ints([7, 9].into()));
/// assert_eq!(statement.sql(), "DELETE FROM posts WHERE user_id IN (?, ?)");
/// ```
#[must_use]
pub fn delete_by(dialect: &dyn Dialect, model: &ModelDef, by: &[usize], keys: &KeySet) -> Statement {
    let mut writer = SqlWriter::of_kind(dialect, StatementKind::Delete);
    write_delete(&mut writer, model, by, keys);
    writer.finish()
}

/// As [`delete_by`], of rows that satisfy a condition as well.
///
/// # Errors
/// When the condition cannot be written, or there are more binds than the database takes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::driver::KeySet;
/// use assoc_core::sql::delete_rows;
///
/// let (keys, condition) = (KeySet::Ints([1, 2].into()), Post::USER_ID.eq(7).into_expr());
/// let statement = delete_rows(&StandardSql::default(), Post::DEF, Post::PRIMARY_KEY, &keys, &condition)?;
/// assert_eq!(statement.sql(), "DELETE FROM posts WHERE id IN (?, ?) AND (user_id = ?)");
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn delete_rows(
    dialect: &dyn Dialect,
    model: &'static ModelDef,
    by: &[usize],
    keys: &KeySet,
    condition: &Expr,
) -> Result<Statement> {
    let mut writer = SqlWriter::of_kind(dialect, StatementKind::Delete);
    RootSelect::new(model).begin(&mut writer);
    write_delete(&mut writer, model, by, keys);
    writer.and_condition(condition)?;
    writer.finish_within_limit()
}

fn write_delete(writer: &mut SqlWriter<'_>, model: &ModelDef, by: &[usize], keys: &KeySet) {
    writer.push("DELETE FROM ");
    writer.table(&model.table);
    writer.push(" WHERE ");
    let names: Vec<&str> = by.iter().map(|column| model.columns[*column].name).collect();
    writer.dialect().write_key_filter(writer, &names, keys);
    and_discriminator(writer, model);
}
