//! PostgreSQL through Diesel.
//!
//! Diesel sends every value in the binary format, and does not tell which type the server has found for a placeholder. So a value
//! names its type itself where it has one ([`binds`]). Text and bytes leave it to the server: their bytes are the same in every type
//! that takes them, also in an enum or in `citext`. For the same reason a list of those is no array ([`KeyLists::Typed`]).
//!
//! Diesel follows the state of the transaction that the server tells with each answer. It does not notice a transaction that a
//! statement has begun. After a statement that may have, `SAVEPOINT` tells, because it fails outside of one.

use assoc_core::dialect::Dialect;
use assoc_core::driver::{ExecResult, IsolationLevel, RowSink, Statement, TransactionMode};
use assoc_core::{DriverErrorKind, Error, Result};
use assoc_dialects::Verb;
use assoc_dialects::postgres::{self, KeyLists, PostgresDialect};
use diesel::connection::{AnsiTransactionManager, Connection, SimpleConnection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::result::Error as DieselError;

use crate::client::sealed::{Standing, Waits};
use crate::client::{self, Client, sealed};
use crate::dynamic_query::Prepared;
use crate::errors;
use crate::learnt::Learnt;
use crate::on_server;

mod binds;
mod rows;
pub(crate) mod types;

type DynamicQuery<'s> = crate::dynamic_query::DynamicQuery<'s, binds::Wire>;

/// The dialect for Diesel's connections to a PostgreSQL of at least version 12.
pub(crate) fn dialect() -> PostgresDialect {
    PostgresDialect::default().with_key_lists(KeyLists::Typed)
}

impl Client for PgConnection {}

impl sealed::Client for PgConnection {
    fn dialect(&mut self) -> Result<Box<dyn Dialect>> {
        Ok(Box::new(dialect()))
    }

    fn waits() -> Waits {
        Waits::ForTheOther
    }

    fn query(&mut self, statement: &Statement, sink: &mut dyn RowSink, learnt: &Learnt) -> Result<()> {
        let query = dynamic(statement)?;
        let done = rows::read(self, &query, sink, &learnt.types);
        if forget_outdated(self, &done) { rows::read(self, &query, sink, &learnt.types) } else { done }
    }

    fn execute(&mut self, statement: &Statement) -> Result<ExecResult> {
        let query = dynamic(statement)?;
        let run = |connection: &mut PgConnection| {
            let affected = connection.execute_returning_count(&query).map_err(|error| failed(error, query.sql))?;
            Ok(ExecResult::new(affected as u64, None))
        };
        let done = run(self);
        if Verb::of(query.sql) == Verb::Other {
            // What was prepared before may have other types now.
            on_server::forget_statements(self);
        }
        if forget_outdated(self, &done) { run(self) } else { done }
    }

    fn depth(&mut self) -> Result<u32> {
        client::depth(self)
    }

    fn begin(&mut self, mode: TransactionMode, level: Option<IsolationLevel>) -> Result<()> {
        let sql = postgres::begin(mode, level)?;
        on_server::level_can_change(self, level)?;
        client::begin(self, errors::of_postgres, &sql)
    }

    fn keep(&mut self) -> Result<()> {
        let is_outermost = self.depth()? == 1;
        let done = AnsiTransactionManager::commit_transaction(self);
        done.map_err(|error| {
            if is_outermost {
                on_server::of_commit(failed(error, "COMMIT"))
            } else {
                failed(error, "RELEASE SAVEPOINT")
            }
        })
    }

    fn undo(&mut self) -> Result<()> {
        AnsiTransactionManager::rollback_transaction(self).map_err(|error| failed(error, "ROLLBACK"))
    }

    fn standing(&mut self, after: &str) -> Result<Standing> {
        if self.depth()? > 0 {
            return Ok(if self.is_aborted() { Standing::Aborted } else { Standing::Inside });
        }
        let is_unknown = may_begin(after) && self.batch_execute(PROBE).is_ok();
        Ok(if is_unknown { Standing::Inside } else { Standing::Outside })
    }

    fn is_aborted(&mut self) -> bool {
        on_server::must_roll_back(self)
    }

    fn undo_unknown(&mut self) -> Result<()> {
        self.batch_execute("ROLLBACK").map_err(|error| failed(error, "ROLLBACK"))
    }

    fn believe(&mut self, depth: u32) {
        client::believe(self, depth);
    }
}

/// Fails outside of a transaction.
const PROBE: &str = "SAVEPOINT assoc_probe; RELEASE SAVEPOINT assoc_probe";

/// Whether a statement may have begun a transaction: it says so, or it begins with a comment.
fn may_begin(sql: &str) -> bool {
    let sql = sql.trim_start();
    let word = sql.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    word.is_empty() || word.eq_ignore_ascii_case("BEGIN") || word.eq_ignore_ascii_case("START")
}

// A statement that Diesel keeps prepared does not fit its tables any more. Nothing was executed; outside of a transaction it can
// run again, prepared anew.
fn forget_outdated<T>(connection: &mut PgConnection, done: &Result<T>) -> bool {
    let Err(error) = done else { return false };
    let says = |text: &str| error.driver().is_some_and(|error| error.message().contains(text));
    let is_outdated = says("cached plan must not change result type") || says("but expression is of type");
    if is_outdated {
        on_server::forget_statements(connection);
    }
    is_outdated && client::depth(connection).is_ok_and(|depth| depth == 0)
}

#[cold]
fn failed(error: DieselError, sql: &str) -> Error {
    errors::of_statement(error, errors::of_postgres, sql)
}

fn dynamic(statement: &Statement) -> Result<DynamicQuery<'_>> {
    let sql = statement.sql();
    if sql.as_bytes().contains(&0) {
        return Err(errors::refused(DriverErrorKind::Statement, "the text contains a NUL character", sql));
    }
    let binds = statement.binds().iter().map(|bind| binds::wire(bind, sql)).collect::<Result<_>>()?;
    let prepared = if Verb::of(sql) == Verb::Other { Prepared::Once } else { Prepared::Kept };
    Ok(DynamicQuery { sql, binds, prepared })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_begin_a_transaction() {
        for sql in ["BEGIN", " start transaction", "-- a comment\nBEGIN", "/* and */ BEGIN"] {
            assert!(may_begin(sql), "{sql}");
        }
        for sql in ["SELECT 1", "CREATE TABLE beginnings (id INTEGER)", "COMMIT"] {
            assert!(!may_begin(sql), "{sql}");
        }
    }
}
