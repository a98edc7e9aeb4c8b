//! One open connection and its operations, all synchronous. [`execution`](crate::execution) decides on which thread
//! they run, and [`pool`](crate::pool) which task has the connection.
//!
//! # The statement cache
//!
//! Preparing a statement costs 5 to 25 µs and running a point query 3, so prepared statements must be kept. Keeping
//! them has a trap. SQLite marks some statements (a bound `LIMIT`, `column = ?` where the planner looked at the value)
//! as "may plan anew when a bind changes". From then on `sqlite3_clear_bindings` makes the next run parse and plan the
//! text again, as if no statement had been cached. rusqlite's cache clears the bindings of every statement that returns
//! to it, so its plain use loses most of what a cache is for.
//!
//! There were three alternatives:
//!
//! * *A cache in this crate* that never clears bindings. A prepared statement borrows its connection, so a struct with
//!   both is self-referential: it needs `unsafe`, which this crate forbids, or a thread that owns both.
//! * *Literals instead of binds* would give up one text per statement, and with it the cache.
//! * *The query planner stability guarantee* (`SQLITE_DBCONFIG_ENABLE_QPSG`): SQLite then plans without looking at
//!   bound values, so no bind can ever make a plan stale. We lose plans specialised to one value (partial indexes
//!   whose condition a bind would satisfy, `STAT4` histograms, the prefix optimisation of `LIKE ?`) and gain that
//!   every statement is planned exactly once.
//!
//! The guarantee is switched on, and rusqlite's cache does the rest. A hundred runs of `WHERE id = ?` with changing
//! binds re-prepare nothing; that is a unit test below, with the counter SQLite itself keeps. Without the guarantee
//! `column = ? … LIMIT ?` is prepared again at each of its runs and takes 6.4 µs instead of 2.8
//! (`cargo run --release -p assoc-sqlite --example measure`).
//!
//! The cache keeps [`statement_cache`](crate::SqliteBuilder::statement_cache) statements per connection and drops the
//! least recently used. It keeps only statements that read or change rows: `CREATE`, `PRAGMA` and similar ones run once
//! and would push out statements that are needed again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use assoc_core::driver::{ExecResult, RowSink, Statement, TransactionMode};
use assoc_core::{DriverErrorKind, Error, ErrorKind, Result, Value};
use assoc_dialects::Verb;
use assoc_dialects::sqlite::{READ_SCHEMA, may_know_an_older_schema};

mod answer;
mod known_texts;

use self::answer::{Pump, offer_columns};
use self::known_texts::{Found, KnownTexts};
use crate::lists::refuse_lists;
use crate::options::Config;
use crate::{errors, values};

#[cfg(feature = "tokio")]
use rusqlite::InterruptHandle;

#[cfg(feature = "tokio")]
use crate::costs::{CostKey, Costs};

/// A connection with what belongs to it.
pub(crate) struct Session {
    conn: rusqlite::Connection,
    #[cfg(feature = "tokio")]
    interrupt: Arc<InterruptHandle>,
    uuid_as_text: bool,
    #[cfg_attr(not(feature = "tokio"), allow(dead_code))]
    busy_timeout: Duration,
    // A statement that takes less may stay on the runtime's thread.
    #[cfg(feature = "tokio")]
    short: Duration,
    // The driver has begun it and not ended it. SQLite may end a transaction by itself (full disk, interrupt); the
    // statements that belong to it must not run outside of it then.
    in_transaction: bool,
    // A statement in it was a COMMIT or ROLLBACK by itself.
    ended_by_statement: bool,
    #[cfg(feature = "tokio")]
    only_reads: bool,
    // A statement is being run, or was when a panic came out of it.
    running: bool,
    buffer: Vec<Value<'static>>,
    texts: KnownTexts,
    #[cfg(feature = "tokio")]
    pub(crate) costs: Costs,
}

/// A statement about transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    Begin(TransactionMode),
    Commit,
    Rollback,
    Savepoint(u32),
    Release(u32),
    RollbackTo(u32),
}

/// Runs a function so that it may take long without stalling other tasks.
pub(crate) type Apart = fn(&mut dyn FnMut());

const OVER: &str = "a statement in it has ended it (COMMIT or ROLLBACK as SQL): what came before took effect with that COMMIT \
                    or was undone; end transactions with their handle";
const BEGUN: &str = "a statement has begun one (BEGIN or SAVEPOINT as SQL), which was rolled back, because its connection \
                     would not have stayed with it: use `repo.transaction` or `repo.begin`";

/// How long a statement may occupy the thread before its rest runs [`Apart`].
const PATIENCE: Duration = Duration::from_micros(500);

impl Session {
    pub(crate) fn new(conn: rusqlite::Connection, config: &Config) -> Self {
        Session {
            #[cfg(feature = "tokio")]
            interrupt: Arc::new(conn.get_interrupt_handle()),
            conn,
            uuid_as_text: config.uuid_as_text,
            busy_timeout: config.busy_timeout,
            #[cfg(feature = "tokio")]
            short: config.short_statement,
            in_transaction: false,
            ended_by_statement: false,
            #[cfg(feature = "tokio")]
            only_reads: false,
            running: false,
            buffer: Vec::new(),
            texts: KnownTexts::default(),
            #[cfg(feature = "tokio")]
            costs: Costs::default(),
        }
    }

    pub(crate) fn connection(&self) -> &rusqlite::Connection {
        &self.conn
    }

    /// Whether the recent runs of a statement were so short that it may stay on the runtime's thread.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_short(&self, key: CostKey) -> bool {
        self.costs.is_short(key, self.short)
    }

    /// What stops a statement from another thread.
    #[cfg(feature = "tokio")]
    pub(crate) fn interrupt(&self) -> &Arc<InterruptHandle> {
        &self.interrupt
    }

    /// Whether every statement is a transaction by itself now.
    #[cfg(feature = "tokio")]
    pub(crate) fn is_autocommit(&self) -> bool {
        self.conn.is_autocommit()
    }

    /// Makes the connection fit for its next user; `false` if it cannot be.
    pub(crate) fn clean(&mut self) -> bool {
        self.in_transaction = false;
        if !self.conn.is_autocommit() && self.conn.execute_batch("ROLLBACK").is_err() {
            return false;
        }
        // The check costs SQLite a look at every cached statement, so it runs only in doubt.
        let busy = std::mem::take(&mut self.running) && self.conn.is_busy();
        self.conn.is_autocommit() && !busy
    }

    /// Whether the open transaction only reads, so that its end waits for neither a disk nor a lock.
    #[cfg(feature = "tokio")]
    pub(crate) fn only_reads(&self) -> bool {
        self.in_transaction && self.only_reads
    }

    /// Pushes a statement's rows into the sink. With `apart`, a statement that returns more rows than a moment allows
    /// is finished there.
    pub(crate) fn query(
        &mut self,
        statement: &Statement,
        sink: &mut dyn RowSink,
        apart: Option<Apart>,
    ) -> Result<ExecResult> {
        let buffer = std::mem::take(&mut self.buffer);
        self.with_prepared(statement, |prepared, sql, _| {
            let started = apart.map(|_| Instant::now());
            let mut rows = prepared.raw_query();
            let mut pump = Pump { sql, sink, buffer, columns: None };
            let mut done = false;
            if let (Some(apart), Some(started)) = (apart, started) {
                while !done && started.elapsed() < PATIENCE {
                    done = pump.run(&mut rows, 64)?;
                }
                if !done {
                    let mut rest = Ok(false);
                    apart(&mut || rest = pump.run(&mut rows, usize::MAX));
                    rest?;
                }
            } else {
                pump.run(&mut rows, usize::MAX)?;
            }
            let Pump { sink, buffer, columns, .. } = pump;
            if columns.is_none() {
                drop(rows);
                offer_columns(prepared, sink)?;
            }
            Ok(buffer)
        })
        .map(|buffer| self.buffer = buffer)?;
        Ok(ExecResult::default())
    }

    /// Runs a statement for its effect; rows it returns are passed over.
    pub(crate) fn execute(&mut self, statement: &Statement) -> Result<ExecResult> {
        let (writes, found) = self.with_prepared(statement, |prepared, sql, found| {
            let writes = found.verb != Verb::Other && !prepared.readonly();
            let mut rows = prepared.raw_query();
            loop {
                match rows.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => return Ok((writes, found)),
                    Err(error) => return Err(errors::of_statement(error, sql)),
                }
            }
        })?;
        if !writes {
            return Ok(ExecResult::default());
        }
        let affected = self.conn.changes();
        // An upsert that updates leaves the id of an earlier insert standing: better none than a wrong one.
        let inserted = found.verb == Verb::Insert && affected > 0 && !found.mentions_conflict;
        Ok(match affected {
            1 => ExecResult::new(affected, inserted.then(|| self.conn.last_insert_rowid())),
            _ if inserted => ExecResult::new(affected, None).with_last_of_several(self.conn.last_insert_rowid()),
            _ => ExecResult::new(affected, None),
        })
    }

    /// Runs several statements that have no binds.
    pub(crate) fn batch(&mut self, sql: &str) -> Result<ExecResult> {
        refuse_nul(sql)?;
        refuse_lists(sql)?;
        let done = self.conn.execute_batch(sql).map_err(|error| errors::of_statement(error, sql));
        if !self.clean() {
            return Err(errors::plain(DriverErrorKind::Other, "the connection could not be rolled back"));
        }
        done.map(|()| ExecResult::default())
    }

    /// Begins, ends or structures a transaction.
    pub(crate) fn control(&mut self, control: Control) -> Result<ExecResult> {
        #[cfg(feature = "tokio")]
        if let Control::Begin(mode) = control {
            self.only_reads = mode == TransactionMode::Read;
        }
        match control {
            Control::Begin(TransactionMode::Read) => self.begin("BEGIN DEFERRED")?,
            Control::Begin(TransactionMode::Write) => self.begin("BEGIN IMMEDIATE")?,
            Control::Commit => self.commit()?,
            Control::Rollback => {
                self.in_transaction = false;
                if !self.conn.is_autocommit() {
                    self.run("ROLLBACK")?;
                }
            }
            Control::Savepoint(depth) => self.run_inside(&format!("SAVEPOINT assoc_{depth}"))?,
            Control::Release(depth) => self.run_inside(&format!("RELEASE assoc_{depth}"))?,
            Control::RollbackTo(depth) => {
                let undone = self.run_inside(&format!("ROLLBACK TO assoc_{depth}"));
                let forgotten = undone.and_then(|()| self.run_inside(&format!("RELEASE assoc_{depth}")));
                // An earlier call for it, whose future was dropped, has come as far as that.
                forgotten.or_else(|error| if errors::is_missing_savepoint(&error) { Ok(()) } else { Err(error) })?;
            }
        }
        Ok(ExecResult::default())
    }

    /// [`Control::Begin`] for writing, without waiting for another process that writes.
    #[cfg(feature = "tokio")]
    pub(crate) fn try_begin_write(&mut self) -> Result<ExecResult> {
        let changed = self.conn.busy_timeout(Duration::ZERO);
        let begun = self.control(Control::Begin(TransactionMode::Write));
        changed
            .and_then(|()| self.conn.busy_timeout(self.busy_timeout))
            .map_err(|error| errors::of_statement(error, "BEGIN IMMEDIATE"))?;
        begun
    }

    fn begin(&mut self, sql: &str) -> Result<()> {
        self.run(sql)?;
        self.in_transaction = true;
        self.ended_by_statement = false;
        Ok(())
    }

    fn commit(&mut self) -> Result<()> {
        self.check_transaction("COMMIT")?;
        if self.conn.is_autocommit() {
            return Err(errors::refused("there is no transaction to commit", "COMMIT"));
        }
        let done = self.run("COMMIT");
        self.in_transaction = false;
        // A busy database or a deferred foreign key leaves the transaction open.
        if done.is_err() && !self.conn.is_autocommit() {
            self.run("ROLLBACK")?;
        }
        done
    }

    fn run_inside(&mut self, sql: &str) -> Result<()> {
        self.check_transaction(sql)?;
        if self.conn.is_autocommit() {
            return Err(errors::refused("savepoints need a transaction", sql));
        }
        self.run(sql)
    }

    fn run(&mut self, sql: &str) -> Result<()> {
        let run = || self.conn.prepare_cached(sql)?.raw_execute().map(drop);
        run().map_err(|error| errors::of_statement(error, sql))
    }

    fn check_transaction(&mut self, sql: &str) -> Result<()> {
        if self.in_transaction && self.conn.is_autocommit() {
            if self.ended_by_statement {
                return Err(ErrorKind::Transaction(OVER).into());
            }
            let message = "SQLite has rolled the transaction back by itself: a statement was interrupted, or failed \
                           for want of disk or memory";
            return Err(assoc_core::DriverError::new(DriverErrorKind::Other, message).with_sql(sql).into());
        }
        Ok(())
    }

    // After a statement that may have begun or ended a transaction by itself.
    fn check_boundary(&mut self, sql: &str) -> Result<()> {
        match (self.in_transaction, self.conn.is_autocommit()) {
            (true, true) => self.ended_by_statement = true,
            (false, false) => {
                self.conn.execute_batch("ROLLBACK").map_err(|error| errors::of_statement(error, sql))?;
                return Err(ErrorKind::Transaction(BEGUN).into());
            }
            _ => {}
        }
        Ok(())
    }

    fn prepare(&self, sql: &str) -> Result<rusqlite::CachedStatement<'_>> {
        let refused = match self.conn.prepare_cached(sql) {
            Ok(prepared) => return Ok(prepared),
            Err(error) => errors::of_statement(error, sql),
        };
        if !is_by_an_older_schema(&refused) {
            return Err(refused);
        }
        // A failure of this shows again in the next line.
        let _ = self.conn.query_row(READ_SCHEMA, [], |_| Ok(()));
        self.conn.prepare_cached(sql).map_err(|error| errors::of_statement(error, sql))
    }

    fn with_prepared<T>(
        &mut self,
        statement: &Statement,
        run: impl FnOnce(&mut rusqlite::Statement<'_>, &str, Found) -> Result<T>,
    ) -> Result<T> {
        let sql = statement.sql();
        self.check_transaction(sql)?;
        let found = self.texts.look(statement)?;
        self.running = true;
        let done = if found.verb == Verb::Other {
            let done = {
                let mut prepared = self.conn.prepare(sql).map_err(|error| errors::of_statement(error, sql))?;
                bind_all(&mut prepared, statement, self.uuid_as_text).and_then(|()| run(&mut prepared, sql, found))
            };
            done.and_then(|done| self.check_boundary(sql).map(|()| done))
        } else {
            let mut prepared = self.prepare(sql)?;
            let done =
                bind_all(&mut prepared, statement, self.uuid_as_text).and_then(|()| run(&mut prepared, sql, found));
            if done.as_ref().is_err_and(is_by_an_older_schema) {
                // Kept, SQLite would prepare it anew by what the connection knows.
                prepared.discard();
            }
            done
        };
        self.running = false;
        done
    }
}

fn is_by_an_older_schema(error: &Error) -> bool {
    error.driver().is_some_and(|error| may_know_an_older_schema(error.message()))
}

fn bind_all(prepared: &mut rusqlite::Statement<'_>, statement: &Statement, uuid_as_text: bool) -> Result<()> {
    let (wanted, given) = (prepared.parameter_count(), statement.binds().len());
    if wanted != given {
        let message = format!("the statement has {wanted} parameters and {given} binds were given");
        return Err(errors::refused(message, statement.sql()));
    }
    for (index, bind) in statement.binds().iter().enumerate() {
        values::bind(prepared, index + 1, bind, uuid_as_text, statement.sql())?;
    }
    Ok(())
}

// SQLite reads a text up to its first NUL and would silently ignore the rest.
fn refuse_nul(sql: &str) -> Result<()> {
    if sql.as_bytes().contains(&0) {
        return Err(errors::refused("the text contains a NUL character", sql));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assoc_core::driver::Bind;
    use rusqlite::StatementStatus;

    fn session() -> Session {
        let sqlite = crate::Sqlite::builder(":memory:");
        let session = sqlite.config().connect(crate::options::Role::Shared).unwrap();
        session
            .conn
            .execute_batch("CREATE TABLE t(id INTEGER PRIMARY KEY, n INT, s TEXT); CREATE INDEX n ON t(n)")
            .unwrap();
        session
    }

    fn reprepared(session: &Session, sql: &str) -> i32 {
        session.conn.prepare_cached(sql).unwrap().get_status(StatementStatus::RePrepare)
    }

    #[test]
    fn changing_binds_never_prepares_again() {
        let mut session = session();
        for n in 0..1_000 {
            let binds = vec![Bind::Value(Value::Int(n % 7))];
            session.execute(&Statement::new("INSERT INTO t(n) VALUES (?)", binds)).unwrap();
        }
        let texts = [
            "SELECT * FROM t WHERE id = ?",
            "SELECT * FROM t WHERE n = ? ORDER BY id",
            "SELECT * FROM t WHERE n > 2 LIMIT ?",
            "SELECT * FROM t WHERE s LIKE ?",
        ];
        for sql in texts {
            for run in 0..100 {
                let statement = Statement::new(sql, vec![Bind::Value(Value::Int(run))]);
                session.query(&statement, &mut |_: &mut [Value<'_>]| Ok(()), None).unwrap();
            }
            assert_eq!(reprepared(&session, sql), 0, "{sql}");
        }
    }

    #[test]
    fn without_the_guarantee_the_trap_is_there() {
        // The reason for all this. Should SQLite mend it, this test says so and the guarantee can go.
        let mut session = session();
        session.conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, false).unwrap();
        let sql = "SELECT * FROM t WHERE n > 2 LIMIT ?";
        for run in 0..100 {
            let statement = Statement::new(sql, vec![Bind::Value(Value::Int(run))]);
            session.query(&statement, &mut |_: &mut [Value<'_>]| Ok(()), None).unwrap();
        }
        assert!(reprepared(&session, sql) > 50);
    }

    #[test]
    fn schema_changes_are_seen_by_cached_statements() {
        let mut session = session();
        let widths = |session: &mut Session| {
            let mut widths = Vec::new();
            let mut sink = |values: &mut [Value<'_>]| {
                widths.push(values.len());
                Ok(())
            };
            session.query(&Statement::plain("SELECT * FROM t"), &mut sink, None).unwrap();
            widths
        };
        session.execute(&Statement::plain("INSERT INTO t(n) VALUES (1)")).unwrap();
        assert_eq!(widths(&mut session), [3]);
        session.execute(&Statement::plain("ALTER TABLE t ADD COLUMN extra")).unwrap();
        assert_eq!(widths(&mut session), [4]);
    }

    #[test]
    fn a_transaction_that_sqlite_ended_is_noticed() {
        let mut session = session();
        session.control(Control::Begin(TransactionMode::Write)).unwrap();
        session.conn.execute_batch("ROLLBACK").unwrap();
        let error = session.execute(&Statement::plain("INSERT INTO t(n) VALUES (1)")).unwrap_err();
        assert!(error.to_string().contains("rolled the transaction back by itself"), "{error}");
        assert!(session.control(Control::Commit).is_err());
        session.control(Control::Rollback).unwrap();
        session.execute(&Statement::plain("INSERT INTO t(n) VALUES (1)")).unwrap();
    }
}
