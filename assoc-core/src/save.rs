//! Which statements write rows, and what they give back. Pure: nothing here runs anything.
//!
//! Rows that are inserted together come back from `RETURNING` in an order that no database promises. Which returned row is
//! whose is therefore proven, never assumed ([`inputs_of`]).

mod counted;
mod found;
mod graph;
mod insert;
mod matching;
mod members;
mod questions;
mod unlink;

pub use counted::CountedKeys;
pub use found::FoundRows;
pub use graph::{
    Added, Awaited, Awaits, Closing, LoadedGroup, LoadedOwner, LoadedRow, PlannedRow, PlannedRows, RowValues, SavePlan,
    Step,
};
pub use insert::{InsertBatch, InsertPlan};
pub use matching::inputs_of;
pub use members::{Lookup, MemberCondition};
pub use questions::{Ask, Kept, Question, Removal, Resolved};
pub use unlink::Unlink;

use crate::column_type::SqlType;
use crate::dialect::Dialect;
use crate::metadata::model::{ColumnDef, ColumnDefault, ModelDef};
use crate::row_sink::RowSink;
use crate::value::Value;

/// Whether an update must read the row back, because the stored row may differ from the given values: the database
/// computes or changes columns by itself, or a column may store a value in another form.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::Value;
/// use assoc_core::save::reads_back;
///
/// let dialect = StandardSql::default();
/// let set = |title: &'static str| [(Post::TITLE.index(), Value::from(title))];
/// assert!(!reads_back(Post::DEF, &dialect, &set("On looms")));
/// // A `CHAR(n)` loses blanks at the end.
/// assert!(reads_back(Post::DEF, &dialect, &set("On looms ")));
/// ```
#[must_use]
pub fn reads_back(model: &ModelDef, dialect: &dyn Dialect, changes: &[(usize, Value<'static>)]) -> bool {
    let own = |column: &ColumnDef| column.read_back || matches!(column.default, ColumnDefault::Generated(_));
    model.read_back
        || model.columns.iter().any(own)
        || changes.iter().any(|(column, value)| !dialect.keeps(&model.columns[*column], value))
}

/// Whether an inserted row can surely be read if the columns fit the table's, so that a failed read need not undo the
/// insert. It tries to read the given values, because a column type of the program may refuse them.
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::save::is_surely_readable;
///
/// let dialect = StandardSql::default();
/// // The key is made by the database, and is an integer.
/// assert!(is_surely_readable(Tag::DEF, &dialect, &[None, Some("rust".into())]));
/// // Whatever the database puts there need not be text.
/// assert!(!is_surely_readable(Tag::DEF, &dialect, &[None, None]));
/// ```
#[must_use]
pub fn is_surely_readable(model: &ModelDef, dialect: &dyn Dialect, row: &[Option<Value<'static>>]) -> bool {
    if model.read_back {
        return false;
    }
    let mut returned = Vec::with_capacity(row.len());
    for (at, (column, value)) in model.columns.iter().zip(row).enumerate() {
        returned.push(match value {
            Some(value) if matches!(value, Value::Decimal(_) | Value::Json(_)) && !dialect.keeps(column, value) => {
                return false;
            }
            Some(value) => value.clone(),
            None => match (column.default, column.sql_type) {
                (ColumnDefault::AutoIncrement, SqlType::Int(64) | SqlType::UInt(64)) if model.primary_key == [at] => {
                    Value::Int(1)
                }
                // Left out, and NULL: unless the table has a default that the model does not know, which these take as well.
                (
                    ColumnDefault::None,
                    SqlType::Int(64)
                    | SqlType::Real(64)
                    | SqlType::Text
                    | SqlType::Blob
                    | SqlType::Date
                    | SqlType::Time
                    | SqlType::DateTime,
                ) if column.nullable => Value::Null,
                _ => return false,
            },
        });
    }
    RowSink::row(&mut *model.rows.new_rows(), &mut returned).is_ok()
}
