//! MySQL and MariaDB through Diesel.
//!
//! Diesel passes neither the server's error numbers nor the state of its transaction on. `GET DIAGNOSTICS` tells the number
//! of the error that came last, and `RELEASE SAVEPOINT` tells whether a transaction is open, because it fails outside of one, where
//! `SAVEPOINT` sets none.
//!
//! The server ends a transaction by itself for a deadlock, and with each change of the schema. Its COMMIT outside of a transaction
//! does not fail, so Diesel would not notice. A transaction of the application's that has ended so is marked for a rollback, and
//! statements are refused until Diesel has rolled it back.

use assoc_core::dialect::Dialect;
use assoc_core::driver::{ExecResult, IsolationLevel, RowSink, Statement, TransactionMode};
use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, Result, Value};
use assoc_dialects::Verb;
use assoc_dialects::mysql::effects::{changes_rows, changes_tables, is_plain_insert};
use assoc_dialects::mysql::settings::{ASK, Settings};
use assoc_dialects::mysql::{Beginning, MySqlDialect, Server, ServerError};
use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use diesel::mysql::MysqlConnection;
use diesel::result::Error as DieselError;

use crate::client::sealed::{Standing, Waits};
use crate::client::{self, Client, sealed};
use crate::dynamic_query::Prepared;
use crate::errors;
use crate::learnt::Learnt;
use crate::on_server;
use crate::raw_text;

mod binds;
mod rows;
mod session;

pub use session::MysqlSession;

type DynamicQuery<'s> = crate::dynamic_query::DynamicQuery<'s, binds::Sent<'s>>;

/// "This command is not supported in the prepared statement protocol yet."
const NOT_PREPARABLE: u16 = 1295;

const GONE: &str = "the server has ended the transaction that Diesel has open: it was in conflict with another, or a statement in it has \
                    ended it; return the error from Diesel's `transaction`, which rolls it back, and run it again";

impl Client for MysqlConnection {}

impl sealed::Client for MysqlConnection {
    fn dialect(&mut self) -> Result<Box<dyn Dialect>> {
        let answer = texts(self, ASK)?;
        let [version, comment, sql_mode, time_zone, character_sets, autocommit, sql_auto_is_null] = &answer[..] else {
            let message = "the server does not say what version it is";
            return Err(errors::plain(DriverErrorKind::Unavailable, message));
        };
        let settings = Settings { sql_mode, time_zone, character_sets, autocommit, sql_auto_is_null };
        settings.check().map_err(DriverError::from)?;
        // MariaDB tells the columns that `INSERT … RETURNING` returns when it runs, and Diesel wants to know them before.
        Ok(Box::new(MySqlDialect::new(Server::parse(version, comment), false).without_returning()))
    }

    fn waits() -> Waits {
        Waits::ForTheOther
    }

    fn query(&mut self, statement: &Statement, sink: &mut dyn RowSink, _: &Learnt) -> Result<()> {
        let query = dynamic(self, statement)?;
        let done = rows::read(self, &query, sink);
        after(self, query.sql);
        done
    }

    fn execute(&mut self, statement: &Statement) -> Result<ExecResult> {
        let query = dynamic(self, statement)?;
        let done = execute(self, &query);
        after(self, query.sql);
        done
    }

    fn depth(&mut self) -> Result<u32> {
        client::depth(self)
    }

    fn begin(&mut self, mode: TransactionMode, level: Option<IsolationLevel>) -> Result<()> {
        on_server::level_can_change(self, level)?;
        expect_transaction(self)?;
        let Beginning { level, start } = Beginning::of(mode, level);
        match level {
            Some(level) => client::begin(self, errors::of_mysql, &format!("{level}; {start}")),
            None => client::begin(self, errors::of_mysql, start),
        }
    }

    fn keep(&mut self) -> Result<()> {
        let is_outermost = self.depth()? == 1;
        let done = AnsiTransactionManager::commit_transaction(self);
        done.map_err(|error| match is_outermost {
            true => on_server::of_commit(failed_text(error, "COMMIT")),
            false => failed_text(error, "RELEASE SAVEPOINT"),
        })
    }

    fn undo(&mut self) -> Result<()> {
        AnsiTransactionManager::rollback_transaction(self).map_err(|error| failed_text(error, "ROLLBACK"))
    }

    fn standing(&mut self, _: &str) -> Result<Standing> {
        match self.batch_execute(PROBE) {
            Ok(()) => Ok(Standing::Inside),
            Err(error) => match failed_text(error, PROBE) {
                error if error.driver().is_some_and(|own| own.code() == Some("1305")) => Ok(Standing::Outside),
                error => Err(error),
            },
        }
    }

    fn is_aborted(&mut self) -> bool {
        on_server::must_roll_back(self)
    }

    // The server begins a transaction with each statement, too, where one has switched `autocommit` off.
    fn undo_unknown(&mut self) -> Result<()> {
        self.batch_execute("ROLLBACK; SET autocommit = 1").map_err(|error| failed_text(error, "ROLLBACK"))
    }

    fn note_over(&mut self) {
        AnsiTransactionManager::transaction_manager_status_mut(self).set_requires_rollback_maybe_up_to_top_level(true);
    }

    fn believe(&mut self, depth: u32) {
        client::believe(self, depth);
    }
}

/// Fails outside of a transaction.
const PROBE: &str = "SAVEPOINT assoc_probe; RELEASE SAVEPOINT assoc_probe";

fn execute(connection: &mut MysqlConnection, query: &DynamicQuery<'_>) -> Result<ExecResult> {
    let makes_a_key = is_plain_insert(query.sql);
    if makes_a_key {
        // The one of an earlier statement stands until a statement makes another.
        texts(connection, "SELECT LAST_INSERT_ID(0)")?;
    }
    let affected = match connection.execute_returning_count(query) {
        Ok(affected) => affected as u64,
        Err(error) => {
            let error = failed(connection, error, query.sql);
            if !query.sent_as_text(&error) {
                return Err(error);
            }
            connection.batch_execute(query.sql).map_err(|error| failed(connection, error, query.sql))?;
            0
        }
    };
    if !changes_rows(query.sql) {
        return Ok(ExecResult::default());
    }
    let made = if makes_a_key && affected == 1 { texts(connection, "SELECT LAST_INSERT_ID()")? } else { Vec::new() };
    let id = made.first().and_then(|id| id.parse().ok()).filter(|id| *id != 0);
    Ok(ExecResult::new(affected, id))
}

impl DynamicQuery<'_> {
    /// Whether the server takes the statement as a text only. It has prepared it as one statement, so it is one.
    fn sent_as_text(&self, error: &Error) -> bool {
        let code = error.driver().and_then(DriverError::code);
        self.binds.is_empty() && code.is_some_and(|code| code == NOT_PREPARABLE.to_string())
    }
}

// MySQL prepares a statement anew where its table has changed, but keeps what it made of the types of its parameters.
fn after(connection: &mut MysqlConnection, sql: &str) {
    if changes_tables(sql) {
        on_server::forget_statements(connection);
    }
}

/// Fails where Diesel counts a transaction that the server has ended: a statement meant for it would take effect by itself.
fn expect_transaction(connection: &mut MysqlConnection) -> Result<()> {
    match on_server::must_roll_back(connection) {
        true => Err(ErrorKind::Transaction(GONE).into()),
        false => Ok(()),
    }
}

/// The one row of a statement of ours.
fn texts(connection: &mut MysqlConnection, sql: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut sink = |values: &mut [Value<'_>]| {
        // Text is shown in quotes.
        let shown = |value: &Value<'_>| match value {
            Value::Text(text) => text.clone().into_owned(),
            other => other.to_string(),
        };
        found = values.iter().map(shown).collect();
        Ok(())
    };
    rows::read(connection, &DynamicQuery::plain(sql), &mut sink)?;
    Ok(found)
}

/// The error of a statement, whose number the server is asked for.
#[cold]
fn failed(connection: &mut MysqlConnection, error: DieselError, sql: &str) -> Error {
    let DieselError::DatabaseError(_, information) = &error else { return failed_text(error, sql) };
    let message = information.message().to_owned();
    let failed: Error = match number_of(connection, &message) {
        Some(code) => ServerError::new(code, &message).error(sql).with_sql(sql).with_source(error).into(),
        None => failed_text(error, sql),
    };
    // MariaDB's client library waits for rows for ever when it runs a statement again that has failed between its rows. Of these
    // it is known that they fail before.
    let failed_before = failed.is_unique_violation()
        || failed.is_foreign_key_violation()
        || failed.driver().is_some_and(|own| {
            matches!(own.kind(), DriverErrorKind::NotNullViolation | DriverErrorKind::CheckViolation)
        });
    if !failed_before {
        on_server::forget_statements(connection);
    }
    failed
}

/// The error of a statement by what its message says.
#[cold]
fn failed_text(error: DieselError, sql: &str) -> Error {
    errors::of_statement(error, errors::of_mysql, sql)
}

/// The number of the error that came last, if it is the one with this message. As a text, because the server forgets the error
/// where a statement is prepared.
fn number_of(connection: &mut MysqlConnection, message: &str) -> Option<u16> {
    connection
        .batch_execute("GET DIAGNOSTICS CONDITION 1 @assoc_number = MYSQL_ERRNO, @assoc_message = MESSAGE_TEXT")
        .ok()?;
    let mut number = None;
    let mut sink = |values: &mut [Value<'_>]| {
        if let [code, Value::Text(text)] = values
            && **text == *message
        {
            number = code.to_string().parse().ok();
        }
        Ok(())
    };
    rows::collect(connection, &DynamicQuery::plain("SELECT @assoc_number, @assoc_message"), &mut sink).ok()?;
    number
}

fn dynamic<'s>(connection: &mut MysqlConnection, statement: &'s Statement) -> Result<DynamicQuery<'s>> {
    expect_transaction(connection)?;
    let sql = statement.sql();
    raw_text::check(statement, assoc_dialects::mysql::raw_syntax(), |_| true)?;
    let mut binds = statement.binds().iter().map(|bind| binds::sent(bind, sql)).collect::<Result<Vec<_>>>()?;
    // The client library reads a bind for each placeholder that the server has counted, also behind the last bind.
    let placeholders = sql.bytes().filter(|byte| *byte == b'?').count();
    binds.resize_with(placeholders.max(binds.len()), binds::Sent::null);
    let prepared = if Verb::of(sql) == Verb::Other { Prepared::Once } else { Prepared::Kept };
    Ok(DynamicQuery { sql, binds, prepared })
}
