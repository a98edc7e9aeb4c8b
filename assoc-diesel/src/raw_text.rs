//! What is checked of a text that the application has written, where Diesel would take it as it is.

use assoc_core::driver::{Statement, StatementKind};
use assoc_core::sql::{RawSyntax, scan};
use assoc_core::{DriverErrorKind, Result};

use crate::errors;

/// Refuses a raw text whose placeholders are not as many as its binds, for which SQLite binds NULL and MySQL's client reads
/// beyond its binds. `may_go_on` tells whether the text may hold several statements.
pub(crate) fn check(statement: &Statement, syntax: RawSyntax, may_go_on: impl FnOnce(&str) -> bool) -> Result<()> {
    if statement.kind() != StatementKind::Raw {
        return Ok(());
    }
    let sql = statement.sql();
    let refused = |message: String| Err(errors::refused(DriverErrorKind::Statement, message, sql));
    if sql.as_bytes().contains(&0) {
        return refused("the text contains a NUL character".to_owned());
    }
    // The database says what is wrong with a text that cannot be read.
    let Ok(scanned) = scan(sql, syntax) else { return Ok(()) };
    if scanned.goes_on && !may_go_on(sql) {
        return refused(
            "the text holds several statements: send them one by one, or use Diesel's `batch_execute`".into(),
        );
    }
    let wanted = scanned.placeholders.len() + 2 * scanned.question_marks.len();
    let given = statement.binds().len();
    if wanted != given {
        return refused(format!("the statement has {wanted} parameters and {given} binds were given"));
    }
    Ok(())
}
