//! One connection: statements, and transactions that know when the database has ended them.

use assoc_core::driver::{
    AnswerColumn, BoxFuture, Connection, ExecResult, IsolationLevel, RowSink, Statement, TransactionMode,
};
use assoc_core::{ErrorKind, Result, Value};
use tokio::sync::OwnedMutexGuard;

use crate::values;

/// The connection, until it is dropped.
pub(crate) struct Session {
    client: OwnedMutexGuard<rusqlite::Connection>,
    /// `begin` has begun a transaction, and neither `commit` nor `rollback` has ended it.
    inside: bool,
}

impl Session {
    pub(crate) fn new(client: OwnedMutexGuard<rusqlite::Connection>) -> Self {
        Session { client, inside: false }
    }

    fn client(&self) -> Result<&rusqlite::Connection> {
        // What belongs to a transaction must not take effect outside of it.
        if self.inside && self.client.is_autocommit() {
            let why = "the database, or a statement in it, has ended it";
            return Err(ErrorKind::Transaction(why).into());
        }
        Ok(&self.client)
    }

    /// Runs a statement. SQLite's calls block, and are short; a client that awaits
    /// would await here.
    fn run(&self, statement: &Statement, out: &mut dyn RowSink) -> Result<ExecResult> {
        let (client, sql) = (self.client()?, statement.sql());
        let failed = |error| values::statement_error(error, sql);
        let mut prepared = client.prepare_cached(sql).map_err(failed)?;
        for (bind, position) in statement.binds().iter().zip(1..) {
            let value = values::to_sql(bind, sql)?;
            prepared.raw_bind_parameter(position, value).map_err(failed)?;
        }
        let width = prepared.column_count();
        if out.wants_columns() {
            // SQLite calls an expression without an alias by its text.
            let of_word = |c: char| c.is_alphanumeric() || c == '_';
            let is_word = |name: &str| name != "NULL" && name.chars().all(of_word);
            let mut columns = Vec::new();
            for name in prepared.column_names() {
                columns.push(AnswerColumn { name, is_computed: !is_word(name) });
            }
            out.columns(&columns)?;
        }
        let mut rows = prepared.raw_query();
        while let Some(row) = rows.next().map_err(failed)? {
            let read = |column| values::decode(row, column, sql);
            out.row(&mut (0..width).map(read).collect::<Result<Vec<_>>>()?)?;
        }
        drop(rows);
        if !self.inside && !client.is_autocommit() {
            client.execute_batch("ROLLBACK").map_err(failed)?;
            let why = "a statement has begun one, which was rolled back";
            return Err(ErrorKind::Transaction(why).into());
        }
        let verb = sql.trim_start().get(..6).unwrap_or_default().to_ascii_uppercase();
        let writes = matches!(&*verb, "INSERT" | "UPDATE" | "DELETE");
        let affected = if writes { client.changes() } else { 0 };
        // An upsert that updates leaves the id of an earlier insert: none is better
        // than a wrong one.
        let has_id = verb == "INSERT" && affected > 0 && !sql.contains("ON CONFLICT");
        let id = has_id.then(|| client.last_insert_rowid());
        let done = ExecResult::new(affected, id.filter(|_| affected == 1));
        Ok(match id {
            Some(id) if affected > 1 => done.with_last_of_several(id),
            _ => done,
        })
    }

    fn control(&self, sql: &str) -> Result<()> {
        self.client()?.execute_batch(sql).map_err(|error| values::statement_error(error, sql))
    }

    fn undo(&mut self) -> Result<()> {
        self.inside = false;
        if self.client()?.is_autocommit() { Ok(()) } else { self.control("ROLLBACK") }
    }
}

impl Connection for Session {
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.run(statement, sink).map(drop) })
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move { self.run(statement, &mut |_: &mut [Value<'_>]| Ok(())) })
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.control(if mode == TransactionMode::Write { "BEGIN IMMEDIATE" } else { "BEGIN DEFERRED" })?;
            self.inside = true;
            Ok(())
        })
    }

    // SQLite has one level, which is the highest.
    fn begin_isolated(&mut self, mode: TransactionMode, _: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        self.begin(mode)
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            // A foreign key that is checked at the end leaves the transaction open.
            self.control("COMMIT").or_else(|error| self.undo().and(Err(error)))?;
            self.inside = false;
            Ok(())
        })
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.undo() })
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.control(&format!("SAVEPOINT nested_{depth}")) })
    }

    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move { self.control(&format!("RELEASE nested_{depth}")) })
    }

    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            let undone = self.control(&format!("ROLLBACK TO nested_{depth}; RELEASE nested_{depth}"));
            undone.or_else(|error| if error.to_string().contains("no such savepoint") { Ok(()) } else { Err(error) })
        })
    }
}

/// The next one gets it outside of any transaction.
impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.undo();
    }
}
