//! `INSERT` of rows that may be there already.

use super::SqlWriter;
use crate::dialect::{Dialect, Sign, Upsert};
use crate::error::{Error, Result};
use crate::metadata::model::ModelDef;
use crate::statement::{Bind, Statement, StatementKind};
use crate::value::Value;

/// What is done about rows that are there already. Columns are places among the model's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnConflict {
    /// The columns whose values a row has in common with one that is there. They have a unique index.
    pub columns: Vec<usize>,
    /// The columns that take the new values; with none, the row stays as it is.
    pub update: Vec<usize>,
    /// A column that counts the updates of the row.
    pub version: Option<usize>,
}

/// Inserts rows that all set the same columns, to the values of `binds`, row by row, and gives back whole rows: those that
/// were inserted, and those that were there, as they are afterwards.
///
/// A row that is there and stays as it is is given back too, because one of its columns is set to what it holds.
///
/// # Errors
/// When the database has no such statement, or takes fewer values.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::dialect::Upsert;
/// use assoc_core::driver::Bind;
/// use assoc_core::sql::{OnConflict, upsert};
///
/// let mut dialect = StandardSql::default();
/// let conflict = OnConflict { columns: vec![Tag::ID.index()], update: vec![Tag::NAME.index()], version: None };
/// let (columns, binds) = ([Tag::ID.index(), Tag::NAME.index()], [7_i64.into(), "sql".into()].map(Bind::Value));
/// assert!(upsert(&dialect, Tag::DEF, &columns, &binds, &conflict).is_err());
///
/// dialect.0.upsert = Upsert::NamedIndex;
/// dialect.0.insert_returning = true;
/// let statement = upsert(&dialect, Tag::DEF, &columns, &binds, &conflict)?;
/// let insert = "INSERT INTO tags (id, name) VALUES (?, ?)";
/// let update = "ON CONFLICT (id) DO UPDATE SET name = excluded.name";
/// assert_eq!(statement.sql(), format!("{insert} {update} RETURNING id, name"));
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn upsert(
    dialect: &dyn Dialect,
    model: &ModelDef,
    columns: &[usize],
    binds: &[Bind],
    conflict: &OnConflict,
) -> Result<Statement> {
    let capabilities = dialect.capabilities();
    if capabilities.upsert == Upsert::Unsupported || !capabilities.insert_returning {
        return Err(Error::unsupported(dialect.name(), "`upsert` of rows that are given back"));
    }
    let mut writer = SqlWriter::of_kind(dialect, StatementKind::Insert);
    let name = |column: usize| model.columns[column].name;
    writer.push("INSERT INTO ");
    writer.table(&model.table);
    writer.push(" (");
    writer.separated(", ", columns, |writer, column| writer.identifier(name(*column)));
    writer.push(") VALUES ");
    writer.separated(", ", binds.chunks(columns.len().max(1)), |writer, row| {
        writer.push("(");
        writer.separated(", ", row, |writer, value| writer.push_bind(value.clone()));
        writer.push(")");
    });
    let new_value: (&str, &str) = match capabilities.upsert {
        Upsert::NamedIndex => {
            writer.push(" ON CONFLICT (");
            writer.separated(", ", &conflict.columns, |writer, column| writer.identifier(name(*column)));
            writer.push(") DO UPDATE SET ");
            ("excluded.", "")
        }
        _ => {
            writer.push(" ON DUPLICATE KEY UPDATE ");
            ("VALUES(", ")")
        }
    };
    writer.qualify(model.table.name);
    if conflict.update.is_empty() {
        let same = conflict.columns.first().copied().unwrap_or(0);
        writer.identifier(name(same));
        writer.push(" = ");
        writer.own_column(name(same));
    }
    writer.separated(", ", &conflict.update, |writer, column| {
        writer.identifier(name(*column));
        writer.push(" = ");
        writer.push(new_value.0);
        writer.identifier(name(*column));
        writer.push(new_value.1);
    });
    if let (Some(version), false) = (conflict.version, conflict.update.is_empty()) {
        writer.push(", ");
        writer.identifier(name(version));
        writer.push(" = ");
        dialect.write_sum(&mut writer, &model.columns[version], Sign::Plus, &Value::Int(1));
    }
    writer.push(" RETURNING ");
    writer.separated(", ", model.columns, |writer, column| writer.identifier(column.name));
    writer.finish_within_limit()
}
