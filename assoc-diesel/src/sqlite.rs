//! SQLite through Diesel.
//!
//! Diesel binds no pointers, so a set of keys is one JSON text ([`KeyLists::Json`]). It passes neither SQLite's codes nor the
//! state of its transaction on: the class of an error is read from its message, and `BEGIN` tells whether a transaction is
//! open, because it fails inside one.
//!
//! The functions for decimals and integers are registered when a statement first needs one: a connection that is lent is
//! not ours to prepare, and registering makes SQLite prepare all its statements anew.

use assoc_core::dialect::Dialect;
use assoc_core::driver::{ExecResult, IsolationLevel, RowSink, Statement, TransactionMode};
use assoc_core::{DriverError, Result, Value};
use assoc_dialects::sqlite::{KeyLists, READ_SCHEMA, SqliteDialect, may_know_an_older_schema};
use assoc_dialects::{Verb, mentions};
use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use diesel::sqlite::SqliteConnection;

use crate::client::sealed::{Standing, Waits};
use crate::client::{self, Client, sealed};
use crate::dynamic_query::Prepared;
use crate::errors;
use crate::learnt::Learnt;
use crate::raw_text;

mod binds;
mod functions;
mod rows;

type DynamicQuery<'s> = crate::dynamic_query::DynamicQuery<'s, binds::Stored<'s>>;

/// The dialect for Diesel's connections to a SQLite of at least 3.35.
pub(crate) fn dialect() -> SqliteDialect {
    SqliteDialect::default().with_key_lists(KeyLists::Json)
}

impl Client for SqliteConnection {}

impl sealed::Client for SqliteConnection {
    fn dialect(&mut self) -> Result<Box<dyn Dialect>> {
        let version = single_text(self, "SELECT sqlite_version()")?;
        Ok(Box::new(dialect().with_version(version_number(&version))))
    }

    fn waits() -> Waits {
        Waits::UpToALimit
    }

    fn query(&mut self, statement: &Statement, sink: &mut dyn RowSink, _: &Learnt) -> Result<()> {
        let query = dynamic(statement)?;
        with_functions_and_schema(self, |connection| rows::read(connection, &query, sink))
    }

    fn execute(&mut self, statement: &Statement) -> Result<ExecResult> {
        let query = dynamic(statement)?;
        with_functions_and_schema(self, |connection| execute(connection, &query))
    }

    fn depth(&mut self) -> Result<u32> {
        client::depth(self)
    }

    // All transactions of SQLite are serializable.
    fn begin(&mut self, mode: TransactionMode, _: Option<IsolationLevel>) -> Result<()> {
        match mode {
            TransactionMode::Read => client::begin(self, errors::of_sqlite, "BEGIN DEFERRED"),
            TransactionMode::Write => client::begin(self, errors::of_sqlite, "BEGIN IMMEDIATE"),
        }
    }

    fn keep(&mut self) -> Result<()> {
        AnsiTransactionManager::commit_transaction(self).map_err(|error| failed(error, "COMMIT"))
    }

    fn undo(&mut self) -> Result<()> {
        AnsiTransactionManager::rollback_transaction(self).map_err(|error| failed(error, "ROLLBACK"))
    }

    // Deferred, so that neither takes a lock.
    fn standing(&mut self, _: &str) -> Result<Standing> {
        match self.batch_execute("BEGIN DEFERRED") {
            Ok(()) => self.undo_unknown().map(|()| Standing::Outside),
            Err(error) if error.to_string().contains("within a transaction") => Ok(Standing::Inside),
            Err(error) => Err(failed(error, "BEGIN DEFERRED")),
        }
    }

    fn undo_unknown(&mut self) -> Result<()> {
        self.batch_execute("ROLLBACK").map_err(|error| failed(error, "ROLLBACK"))
    }

    fn believe(&mut self, depth: u32) {
        client::believe(self, depth);
    }
}

#[cold]
fn failed(error: diesel::result::Error, sql: &str) -> assoc_core::Error {
    errors::of_statement(error, errors::of_sqlite, sql)
}

/// Runs again where SQLite refuses a statement before it has begun, and the cause can be removed: our functions are registered where it
/// knows none of that name, and the schema is read where the connection may know an older one.
fn with_functions_and_schema<T>(
    connection: &mut SqliteConnection,
    mut run: impl FnMut(&mut SqliteConnection) -> Result<T>,
) -> Result<T> {
    let refused = match run(connection) {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    match refused.driver().map(DriverError::message) {
        Some(message) if message.starts_with("no such function: assoc_") => {
            functions::register(connection).map_err(errors::of_diesel)?;
        }
        Some(message) if may_know_an_older_schema(message) => {
            connection.batch_execute(READ_SCHEMA).map_err(errors::of_diesel)?;
        }
        _ => return Err(refused),
    }
    run(connection)
}

fn execute(connection: &mut SqliteConnection, query: &DynamicQuery<'_>) -> Result<ExecResult> {
    let failed = |error| failed(error, query.sql);
    let verb = Verb::of(query.sql);
    match verb {
        Verb::Insert | Verb::Change => {
            let affected = connection.execute_returning_count(query).map_err(failed)?;
            written(connection, verb, affected, query.sql)
        }
        // To the last row: Diesel's own `execute` stops at the first.
        Verb::Read | Verb::Other => rows::pass_over(connection, query).map(|()| ExecResult::default()),
        // SQLite counts the rows of the last statement that wrote, which this need not be.
        Verb::With => {
            let before = single_integer(connection, "SELECT total_changes()")?;
            rows::pass_over(connection, query)?;
            if single_integer(connection, "SELECT total_changes()")? == before {
                return Ok(ExecResult::default());
            }
            let affected = single_integer(connection, "SELECT changes()")?;
            Ok(ExecResult::new(u64::try_from(affected).unwrap_or_default(), None))
        }
    }
}

fn written(connection: &mut SqliteConnection, verb: Verb, affected: usize, sql: &str) -> Result<ExecResult> {
    let affected = affected as u64;
    // An upsert that updates leaves the id of an earlier insert standing: better none than a wrong one.
    if verb != Verb::Insert || affected == 0 || mentions(sql, "ON CONFLICT") {
        return Ok(ExecResult::new(affected, None));
    }
    let id = single_integer(connection, "SELECT last_insert_rowid()")?;
    Ok(if affected == 1 {
        ExecResult::new(affected, Some(id))
    } else {
        ExecResult::new(affected, None).with_last_of_several(id)
    })
}

fn single_integer(connection: &mut SqliteConnection, sql: &str) -> Result<i64> {
    let mut found = 0;
    let mut sink = |values: &mut [Value<'_>]| {
        if let Some(Value::Int(number)) = values.first() {
            found = *number;
        }
        Ok(())
    };
    rows::read(connection, &DynamicQuery::plain(sql), &mut sink)?;
    Ok(found)
}

fn single_text(connection: &mut SqliteConnection, sql: &str) -> Result<String> {
    let mut found = String::new();
    let mut sink = |values: &mut [Value<'_>]| {
        if let Some(Value::Text(text)) = values.first() {
            found = text.to_string();
        }
        Ok(())
    };
    rows::read(connection, &DynamicQuery::plain(sql), &mut sink)?;
    Ok(found)
}

/// `3.45.1` as SQLite has it as a number: 3045001.
fn version_number(version: &str) -> i32 {
    let mut parts = version.split('.').map(|part| part.parse::<i32>().unwrap_or_default());
    let mut part = || parts.next().unwrap_or_default();
    part() * 1_000_000 + part() * 1_000 + part()
}

fn dynamic(statement: &Statement) -> Result<DynamicQuery<'_>> {
    let sql = statement.sql();
    check_text(statement)?;
    let binds = statement.binds().iter().map(|bind| binds::stored(bind, sql)).collect::<Result<_>>()?;
    let prepared = if Verb::of(sql) == Verb::Other { Prepared::Once } else { Prepared::Kept };
    Ok(DynamicQuery { sql, binds, prepared })
}

// Diesel runs the first of several statements and forgets the others. A trigger holds some.
fn check_text(statement: &Statement) -> Result<()> {
    let is_trigger = |sql: &str| Verb::of(sql) == Verb::Other && mentions(sql, "TRIGGER");
    raw_text::check(statement, dialect().raw_syntax(), is_trigger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert_eq!(version_number("3.45.1"), 3_045_001);
        assert_eq!(version_number(""), 0);
    }

    #[test]
    fn texts_of_several_statements_are_refused() {
        assert!(check_text(&Statement::plain("DELETE FROM a; DELETE FROM b")).is_err());
        assert!(check_text(&Statement::plain("DELETE FROM a; -- that is all")).is_ok());
        assert!(check_text(&Statement::plain("CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END")).is_ok());
        assert!(check_text(&Statement::plain("SELECT ?")).is_err());
        assert!(check_text(&Statement::plain("SELECT '?'")).is_ok());
    }
}
