//! From SQLite's result codes to the classes of [`DriverErrorKind`].
//!
//! The *extended* code decides: the primary one says only that some constraint failed. Which constraint is in the
//! message alone (`UNIQUE constraint failed: users.email`), whose form SQLite has kept since 2013; what cannot be
//! parsed is left out, never guessed.

use assoc_core::sql::excerpt;
use assoc_core::{DriverError, DriverErrorKind, Error, Value};
use assoc_dialects::sqlite::{class_of_answer, violation};
use rusqlite::ffi;

/// The error of a statement, with its text.
#[cold]
pub(crate) fn of_statement(error: rusqlite::Error, sql: &str) -> Error {
    classify(error).with_sql(sql).into()
}

/// The error of an attempt to open a database.
#[cold]
pub(crate) fn of_opening(error: rusqlite::Error, path: &str) -> Error {
    let (code, name) = code_of(&error);
    let message = format!("cannot open `{path}`: {}", message_of(&error));
    // A locked file may be free at the next attempt. Any other error here concerns the database as a whole, whatever
    // its code says about a single statement.
    let kind = match code & 0xff {
        ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => DriverErrorKind::Retryable,
        ffi::SQLITE_CORRUPT => DriverErrorKind::Corrupt,
        _ => DriverErrorKind::Unavailable,
    };
    let described = DriverError::new(kind, message);
    match name {
        Some(name) => described.with_code(name),
        None => described,
    }
    .with_source(error)
    .into()
}

/// A value that SQLite cannot hold.
#[cold]
pub(crate) fn unrepresentable(value: &Value<'_>, why: &str, sql: &str) -> Error {
    let message = format!("{} ({value}) cannot be bound: {why}", value.kind());
    DriverError::new(DriverErrorKind::Value, message).with_sql(sql).into()
}

/// Text in the database that is not UTF-8.
#[cold]
pub(crate) fn not_utf8(column: &str, error: std::str::Utf8Error, sql: &str) -> Error {
    let message = format!("column `{column}` holds text that is not UTF-8: read it as bytes (`CAST(… AS BLOB)`)");
    DriverError::new(DriverErrorKind::Value, message).with_source(error).with_sql(sql).into()
}

/// Whether the error is that a savepoint of this name does not exist.
pub(crate) fn is_missing_savepoint(error: &Error) -> bool {
    error.driver().is_some_and(|error| {
        error.kind() == DriverErrorKind::Statement && error.message().starts_with("no such savepoint: ")
    })
}

/// A statement that cannot be run as it stands.
#[cold]
pub(crate) fn refused(message: impl Into<String>, sql: &str) -> Error {
    DriverError::new(DriverErrorKind::Statement, message).with_sql(sql).into()
}

/// Something that has no statement.
#[cold]
pub(crate) fn plain(kind: DriverErrorKind, message: impl Into<String>) -> Error {
    DriverError::new(kind, message).into()
}

// The binding's own error repeats the text it was given.
fn shorten(error: rusqlite::Error) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqlInputError { error, msg, sql, offset } => {
            rusqlite::Error::SqlInputError { error, msg, sql: excerpt(&sql).into_owned(), offset }
        }
        other => other,
    }
}

fn classify(error: rusqlite::Error) -> DriverError {
    let error = shorten(error);
    match &error {
        rusqlite::Error::MultipleStatement => {
            let message = "the text holds several statements: send them one by one, or use `Sqlite::execute_batch`";
            return DriverError::new(DriverErrorKind::Statement, message).with_source(error);
        }
        // The only misuse that the binding lets through: stepping a statement that is none.
        rusqlite::Error::SqliteFailure(failure, _) if failure.extended_code == ffi::SQLITE_MISUSE => {
            let message = "there is no statement in the text: it is empty, or only a comment";
            return DriverError::new(DriverErrorKind::Statement, message).with_source(error);
        }
        rusqlite::Error::ToSqlConversionFailure(_) => {
            return DriverError::new(DriverErrorKind::Value, error.to_string()).with_source(error);
        }
        _ => {}
    }
    let (code, name) = code_of(&error);
    let message = message_of(&error);
    let kind = match kind_of(code) {
        // The errors of `SUM` and of the driver's functions, for which SQLite has no code.
        DriverErrorKind::Statement => class_of_answer(&message).unwrap_or(DriverErrorKind::Statement),
        kind => kind,
    };
    let violated = violation(kind, &message);
    let mut described = violated.describe(DriverError::new(kind, &*message));
    if let Some(name) = name {
        described = described.with_code(name);
    }
    described.with_source(error)
}

fn kind_of(code: i32) -> DriverErrorKind {
    match code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            DriverErrorKind::UniqueViolation
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => DriverErrorKind::ForeignKeyViolation,
        ffi::SQLITE_CONSTRAINT_NOTNULL => DriverErrorKind::NotNullViolation,
        ffi::SQLITE_CONSTRAINT_CHECK => DriverErrorKind::CheckViolation,
        // A STRICT table refused a value's type.
        ffi::SQLITE_CONSTRAINT_DATATYPE => DriverErrorKind::Value,
        _ => match code & 0xff {
            ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED => DriverErrorKind::Retryable,
            ffi::SQLITE_CANTOPEN | ffi::SQLITE_NOTADB => DriverErrorKind::Unavailable,
            ffi::SQLITE_ERROR | ffi::SQLITE_RANGE => DriverErrorKind::Statement,
            ffi::SQLITE_MISMATCH => DriverErrorKind::Value,
            ffi::SQLITE_TOOBIG => DriverErrorKind::TooLarge,
            ffi::SQLITE_INTERRUPT => DriverErrorKind::Interrupted,
            ffi::SQLITE_READONLY => DriverErrorKind::ReadOnly,
            ffi::SQLITE_FULL => DriverErrorKind::DiskFull,
            ffi::SQLITE_CORRUPT => DriverErrorKind::Corrupt,
            _ => DriverErrorKind::Other,
        },
    }
}

// The database's message alone: `DriverError` adds the text and the position, or they are noise.
fn message_of(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

fn code_of(error: &rusqlite::Error) -> (i32, Option<String>) {
    match error.sqlite_error() {
        Some(error) => (error.extended_code, Some(name_of(error.extended_code))),
        None => (ffi::SQLITE_ERROR, None),
    }
}

macro_rules! names {
    ($code:expr; $($name:ident)*) => {
        match $code {
            $(ffi::$name => Some(stringify!($name)),)*
            _ => None,
        }
    };
}

fn name_of(code: i32) -> String {
    let extended = names!(code;
        SQLITE_CONSTRAINT_CHECK SQLITE_CONSTRAINT_COMMITHOOK SQLITE_CONSTRAINT_DATATYPE SQLITE_CONSTRAINT_FOREIGNKEY
        SQLITE_CONSTRAINT_FUNCTION SQLITE_CONSTRAINT_NOTNULL SQLITE_CONSTRAINT_PRIMARYKEY SQLITE_CONSTRAINT_ROWID
        SQLITE_CONSTRAINT_TRIGGER SQLITE_CONSTRAINT_UNIQUE SQLITE_CONSTRAINT_VTAB
        SQLITE_BUSY_RECOVERY SQLITE_BUSY_SNAPSHOT SQLITE_BUSY_TIMEOUT SQLITE_LOCKED_SHAREDCACHE
        SQLITE_READONLY_DIRECTORY SQLITE_READONLY_DBMOVED SQLITE_READONLY_ROLLBACK SQLITE_READONLY_RECOVERY
        SQLITE_CANTOPEN_ISDIR SQLITE_CANTOPEN_FULLPATH SQLITE_CORRUPT_INDEX SQLITE_ERROR_SNAPSHOT);
    let primary = names!(code & 0xff;
        SQLITE_ERROR SQLITE_INTERNAL SQLITE_PERM SQLITE_ABORT SQLITE_BUSY SQLITE_LOCKED SQLITE_NOMEM SQLITE_READONLY
        SQLITE_INTERRUPT SQLITE_IOERR SQLITE_CORRUPT SQLITE_NOTFOUND SQLITE_FULL SQLITE_CANTOPEN SQLITE_PROTOCOL
        SQLITE_EMPTY SQLITE_SCHEMA SQLITE_TOOBIG SQLITE_CONSTRAINT SQLITE_MISMATCH SQLITE_MISUSE SQLITE_NOLFS
        SQLITE_AUTH SQLITE_FORMAT SQLITE_RANGE SQLITE_NOTADB);
    match (extended, primary) {
        (Some(name), _) => name.to_owned(),
        // Extended codes we do not name keep their number: `SQLITE_IOERR (3338)`.
        (None, Some(name)) if code > 0xff => format!("{name} ({code})"),
        (None, Some(name)) => name.to_owned(),
        (None, None) => code.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(setup: &str, sql: &str) -> DriverError {
        let conn = rusqlite::Connection::open_in_memory().unwrap();
        conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
        conn.execute_batch(setup).unwrap();
        classify(conn.execute(sql, []).unwrap_err())
    }

    #[test]
    fn constraints_say_which_and_where() {
        let schema = "CREATE TABLE u(id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INT CONSTRAINT positive CHECK (b > 0),
                                     p INT REFERENCES u(id), UNIQUE (a, b));
                      INSERT INTO u VALUES (5, 'z', 5, NULL);
                      CREATE UNIQUE INDEX only_five ON u(nullif(b, 5) IS NULL) WHERE b = 5;
                      INSERT INTO u VALUES (1, 'x', 1, NULL)";
        let cases = [
            ("INSERT INTO u VALUES (1, 'y', 1, NULL)", DriverErrorKind::UniqueViolation, Some("u"), Some("u.id")),
            ("INSERT INTO u VALUES (2, 'x', 1, NULL)", DriverErrorKind::UniqueViolation, Some("u"), Some("u.a, u.b")),
            ("INSERT INTO u VALUES (2, 'Z', 5, NULL)", DriverErrorKind::UniqueViolation, None, Some("only_five")),
            ("INSERT INTO u VALUES (2, NULL, 1, NULL)", DriverErrorKind::NotNullViolation, Some("u"), Some("u.a")),
            ("INSERT INTO u VALUES (2, 'y', -1, NULL)", DriverErrorKind::CheckViolation, None, Some("positive")),
            ("INSERT INTO u VALUES (2, 'y', 1, 9)", DriverErrorKind::ForeignKeyViolation, None, None),
        ];
        for (sql, kind, table, constraint) in cases {
            let error = failure(schema, sql);
            assert_eq!((error.kind(), error.table(), error.constraint()), (kind, table, constraint), "{sql}: {error}");
            assert!(error.code().unwrap().starts_with("SQLITE_CONSTRAINT_"), "{error:?}");
        }
    }

    #[test]
    fn wrong_statements_and_types() {
        assert_eq!(failure("", "SELEC 1").kind(), DriverErrorKind::Statement);
        let error = failure("", "DELETE FROM nowhere");
        assert_eq!((error.kind(), error.code()), (DriverErrorKind::Statement, Some("SQLITE_ERROR")));
        assert_eq!(error.message(), "no such table: nowhere");
        let strict = failure("CREATE TABLE s(a INT) STRICT", "INSERT INTO s VALUES ('x')");
        assert_eq!(strict.kind(), DriverErrorKind::Value);
        let several = failure("CREATE TABLE t(a)", "DELETE FROM t; DELETE FROM t");
        assert_eq!(several.kind(), DriverErrorKind::Statement);
        assert!(several.message().contains("execute_batch"), "{several}");
    }

    #[test]
    fn codes_have_names() {
        assert_eq!(name_of(ffi::SQLITE_BUSY_SNAPSHOT), "SQLITE_BUSY_SNAPSHOT");
        assert_eq!(name_of(ffi::SQLITE_BUSY), "SQLITE_BUSY");
        assert_eq!(name_of(ffi::SQLITE_IOERR | (13 << 8)), "SQLITE_IOERR (3338)");
        assert_eq!(kind_of(ffi::SQLITE_BUSY_SNAPSHOT), DriverErrorKind::Retryable);
        assert_eq!(kind_of(ffi::SQLITE_LOCKED_SHAREDCACHE), DriverErrorKind::Retryable);
        assert_eq!(kind_of(ffi::SQLITE_INTERRUPT), DriverErrorKind::Interrupted);
        assert_eq!(kind_of(ffi::SQLITE_READONLY), DriverErrorKind::ReadOnly);
        assert_eq!(kind_of(ffi::SQLITE_READONLY_DIRECTORY), DriverErrorKind::ReadOnly);
        assert_eq!(kind_of(ffi::SQLITE_CORRUPT_INDEX), DriverErrorKind::Corrupt);
        assert_eq!(kind_of(ffi::SQLITE_FULL), DriverErrorKind::DiskFull);
        assert_eq!(kind_of(ffi::SQLITE_TOOBIG), DriverErrorKind::TooLarge);
        assert_eq!(kind_of(ffi::SQLITE_NOTADB), DriverErrorKind::Unavailable);
    }
}
