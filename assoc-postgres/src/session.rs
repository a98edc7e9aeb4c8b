//! One session on the server: its client and its prepared statements.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use assoc_core::driver::{AnswerColumn, RowSink, Statement, StatementKind};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use futures_util::TryStreamExt;
use futures_util::future::join;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error as ClientError, Statement as Prepared};

use crate::deferred::Before;
use crate::options::PostgresBuilder;
use crate::statements::Statements;
use crate::tls::{self, Cancel};
use crate::values::Param;
use crate::{effects, error, read};

/// What went wrong with a statement, and whether the server knows of it.
pub(crate) enum Failure {
    /// The server has refused it, or may not have seen it: its transaction is aborted.
    OfServer(Error),
    /// The same, because what a table returns has changed since the statement was prepared. Nothing was executed.
    Outdated(Error),
    /// The rows were not taken, or nothing was sent.
    OfCaller(Error),
    /// The server has refused to begin the transaction.
    OfBegin {
        error: Error,
        /// Whether the statement behind it ran by itself, and may have written.
        may_have_written: bool,
    },
}

/// What an answer means for the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It goes on.
    GoesOn,
    /// The server takes only a rollback.
    Aborts,
    /// There is none.
    NotBegun { may_have_written: bool },
}

impl Failure {
    fn of_client(error: ClientError, sql: &str) -> Self {
        // "cached plan must not change result type", which depends on the server's language; and a plan that is gone.
        let is_outdated = error.as_db_error().is_some_and(|db| {
            (db.code() == &SqlState::FEATURE_NOT_SUPPORTED && db.routine() == Some("RevalidateCachedQuery"))
                || db.code() == &SqlState::INVALID_SQL_STATEMENT_NAME
        });
        if is_outdated {
            Failure::Outdated(error::of_outdated(error, sql))
        } else {
            Failure::OfServer(error::of_statement(error, sql))
        }
    }

    fn of_before(error: ClientError, before: &Before) -> Self {
        let is_refused = error.as_db_error().is_some();
        let error = error::of_statement(error, &before.sql);
        // A connection that broke took the transaction with it.
        if before.begins && is_refused {
            Failure::OfBegin { error, may_have_written: false }
        } else {
            Failure::OfServer(error)
        }
    }

    /// What it means for the transaction that the statement ran in.
    pub(crate) fn effect(&self) -> Effect {
        match self {
            Failure::OfServer(_) | Failure::Outdated(_) => Effect::Aborts,
            Failure::OfCaller(_) => Effect::GoesOn,
            Failure::OfBegin { may_have_written, .. } => Effect::NotBegun { may_have_written: *may_have_written },
        }
    }

    pub(crate) fn into_error(self) -> Error {
        match self {
            Failure::OfServer(error)
            | Failure::Outdated(error)
            | Failure::OfCaller(error)
            | Failure::OfBegin { error, .. } => error,
        }
    }
}

/// What a session is told when it begins, and again after a program has changed its settings.
const SETTINGS: &str = "SET TIME ZONE 'UTC'; SET standard_conforming_strings = on";

/// Removes what a program has left in a session.
const RESET: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; SELECT pg_advisory_unlock_all(); \
                     DISCARD TEMP; DISCARD SEQUENCES";

pub(crate) struct Session {
    client: Client,
    cancel: Cancel,
    statements: Statements,
    settings: String,
    /// Counts what this program's sessions have changed in the schema.
    schema: Arc<AtomicU64>,
    /// Whether a statement may have left something that the next user would notice.
    is_altered: bool,
    /// Whether a call is running, or was dropped while it ran.
    pub(crate) is_busy: bool,
    /// Whether a transaction may be open.
    pub(crate) is_inside: bool,
}

impl Session {
    pub(crate) async fn open(options: &PostgresBuilder, schema: Arc<AtomicU64>) -> Result<Self> {
        let (client, cancel) = tls::connect(options).await?;
        let mut settings = SETTINGS.to_owned();
        if let Some(limit) = options.statement_timeout {
            settings.push_str(&format!("; SET statement_timeout = {}", limit.as_millis()));
        }
        let statements = Statements::new(options.statements);
        let mut session = Session {
            client,
            cancel,
            statements,
            settings,
            schema,
            is_altered: false,
            is_busy: false,
            is_inside: false,
        };
        let settings = session.settings.clone();
        session.simple(&settings).await?;
        Ok(session)
    }

    /// Makes it what it was when it began.
    pub(crate) async fn reset(&mut self) -> Result<()> {
        if self.is_altered {
            let reset = format!("{RESET}; {}", self.settings);
            self.simple(&reset).await?;
            self.is_altered = false;
        }
        Ok(())
    }

    /// Whether it can be handed out again.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_busy && !self.is_inside && !self.client.is_closed()
    }

    /// Whether the session is open, and all that was sent has been answered.
    pub(crate) fn is_idle(&self) -> bool {
        !self.is_busy && !self.client.is_closed()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// What stops the statement that the server is running.
    pub(crate) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }

    /// Runs statements without binds.
    pub(crate) async fn simple(&mut self, sql: &str) -> Result<()> {
        self.raw(sql).await.map_err(|error| error::of_statement(error, sql))
    }

    /// The same with the client's own error.
    pub(crate) async fn raw(&mut self, sql: &str) -> std::result::Result<(), tokio_postgres::Error> {
        self.is_busy = true;
        let result = self.client.batch_execute(sql).await;
        self.is_busy = false;
        result
    }

    /// Runs a statement, and pushes its rows into a sink or counts them. What goes before it takes no turn.
    pub(crate) async fn run(
        &mut self,
        before: Option<&Before>,
        statement: &Statement,
        mut sink: Option<&mut dyn RowSink>,
    ) -> std::result::Result<u64, Failure> {
        let sql = statement.sql();
        if statement.kind() == StatementKind::Raw {
            self.is_altered |= effects::alters_session(sql);
        }
        self.follow_schema();
        self.is_busy = true;
        let again = sink.as_mut().map(|sink| &mut **sink as &mut dyn RowSink);
        let mut result = match before {
            None => self.prepare_and_run(statement, again).await,
            Some(before) => self.run_behind(before, statement, again).await,
        };
        if let Err(Failure::Outdated(_)) = &result
            && !self.is_inside
        {
            // Nothing was executed, and no transaction was aborted by it.
            self.statements.forget(sql);
            result = self.prepare_and_run(statement, sink).await;
        }
        self.is_busy = false;
        if matches!(statement.kind(), StatementKind::Schema | StatementKind::Raw) && effects::changes_schema(sql) {
            // Statements that were prepared before it may have another answer now.
            self.schema.fetch_add(1, Ordering::Relaxed);
        }
        if effects::forgets_statements(sql) {
            self.statements.clear();
        } else if let Err(Failure::OfServer(_) | Failure::Outdated(_)) = &result {
            // Its plan may be what is wrong: a table has changed since.
            self.statements.forget(sql);
        }
        result
    }

    /// Forgets what is prepared if the schema has changed since.
    pub(crate) fn follow_schema(&mut self) {
        self.statements.follow(self.schema.load(Ordering::Relaxed));
    }

    /// A statement that is prepared.
    pub(crate) fn known(&mut self, sql: &str) -> Option<Prepared> {
        self.statements.get(sql)
    }

    pub(crate) fn keep(&mut self, statement: &Statement, prepared: &Prepared) {
        self.statements.keep(statement.shared_sql(), prepared.clone());
    }

    pub(crate) fn forget(&mut self, sql: &str) {
        self.statements.forget(sql);
    }

    pub(crate) async fn prepare(&self, sql: &str) -> std::result::Result<Prepared, Failure> {
        self.client.prepare(sql).await.map_err(|error| Failure::of_client(error, sql))
    }

    pub(crate) async fn prepare_and_run(
        &mut self,
        statement: &Statement,
        sink: Option<&mut dyn RowSink>,
    ) -> std::result::Result<u64, Failure> {
        let prepared = match self.known(statement.sql()) {
            Some(prepared) => prepared,
            None => {
                let prepared = self.prepare(statement.sql()).await?;
                self.keep(statement, &prepared);
                prepared
            }
        };
        self.run_prepared(&prepared, statement, sink).await
    }

    // Both are sent before the first answer is read.
    async fn run_behind(
        &mut self,
        before: &Before,
        statement: &Statement,
        sink: Option<&mut dyn RowSink>,
    ) -> std::result::Result<u64, Failure> {
        let Some(known) = self.known(statement.sql()) else {
            let (went, made) = join(self.send_to_server(before), self.prepare(statement.sql())).await;
            went.map_err(|error| Failure::of_before(error, before))?;
            let made = made?;
            self.keep(statement, &made);
            return self.run_prepared(&made, statement, sink).await;
        };
        let (went, result) = join(self.send_to_server(before), self.run_prepared(&known, statement, sink)).await;
        let Err(error) = went else { return result };
        // It has run, also if its rows were refused, unless the server says that it has not.
        let is_refused = match &result {
            Err(Failure::OfServer(error) | Failure::Outdated(error)) => {
                error.driver().is_some_and(|error| error.code().is_some())
            }
            _ => false,
        };
        if before.begins && error.as_db_error().is_some() && !is_refused && statement.kind() != StatementKind::Select {
            let error = error::of_begin_alone(error, &before.sql);
            return Err(Failure::OfBegin { error, may_have_written: true });
        }
        Err(Failure::of_before(error, before))
    }

    async fn send_to_server(&self, before: &Before) -> std::result::Result<(), ClientError> {
        self.client.batch_execute(&before.sql).await
    }

    /// Sends what goes before statements that read, and waits for the server's answer.
    pub(crate) async fn send_before(&self, before: &Before) -> std::result::Result<(), Failure> {
        self.send_to_server(before).await.map_err(|error| Failure::of_before(error, before))
    }

    /// The same, where no statement follows.
    pub(crate) async fn send(&mut self, before: &Before) -> std::result::Result<(), Failure> {
        self.is_busy = true;
        let result = self.send_before(before).await;
        self.is_busy = false;
        result
    }

    /// Runs a statement, and counts the rows that it wrote or gave to the sink.
    pub(crate) async fn run_prepared(
        &self,
        prepared: &Prepared,
        statement: &Statement,
        sink: Option<&mut dyn RowSink>,
    ) -> std::result::Result<u64, Failure> {
        let sql = statement.sql();
        let binds: Vec<Param<'_>> = statement.binds().iter().map(Param).collect();
        if prepared.params().len() != binds.len() {
            let message = format!("it has {} parameters, and {} are bound", prepared.params().len(), binds.len());
            return Err(Failure::OfCaller(error::refused(DriverErrorKind::Statement, message, sql)));
        }
        for (bind, kind) in binds.iter().zip(prepared.params()) {
            bind.check(kind, sql).map_err(Failure::OfCaller)?;
        }
        let params: Vec<&(dyn ToSql + Sync)> = binds.iter().map(|bind| bind as _).collect();
        match sink {
            None => {
                let written = self.client.execute(prepared, &params).await;
                written.map_err(|error| Failure::of_client(error, sql))
            }
            Some(sink) => self.pump(prepared, &params, sink, sql).await,
        }
    }

    async fn pump(
        &self,
        prepared: &Prepared,
        params: &[&(dyn ToSql + Sync)],
        sink: &mut dyn RowSink,
        sql: &str,
    ) -> std::result::Result<u64, Failure> {
        let failed = |error| Failure::of_client(error, sql);
        let rows = self.client.query_raw(prepared, params.iter().copied()).await.map_err(failed)?;
        let mut rows = std::pin::pin!(rows);
        let mut count = 0;
        let mut refused = None;
        if sink.wants_columns() {
            let columns = prepared.columns().iter();
            let columns: Vec<AnswerColumn<'_>> = columns
                .map(|column| AnswerColumn { name: column.name(), is_computed: column.table_oid().is_none() })
                .collect();
            refused = sink.columns(&columns).err();
        }
        let kinds: Vec<_> = prepared.columns().iter().map(read::of_column).collect();
        let mut buffer = Vec::with_capacity(kinds.len());
        while refused.is_none()
            && let Some(row) = rows.try_next().await.map_err(failed)?
        {
            let mut values: Vec<Value<'_>> = buffer;
            refused = read::append(&mut values, &row, &kinds, sql).and_then(|()| sink.row(&mut values)).err();
            buffer = emptied(values);
            count += 1;
        }
        let Some(refused) = refused else { return Ok(count) };
        if self.is_inside {
            // What the server says of the rest decides whether its transaction goes on.
            while rows.try_next().await.map_err(failed)?.is_some() {}
        }
        Err(Failure::OfCaller(refused))
    }
}

// Values borrow from their row, and none is left: collecting nothing in place keeps the memory for the next row.
fn emptied(mut values: Vec<Value<'_>>) -> Vec<Value<'static>> {
    values.clear();
    values.into_iter().map(Value::into_owned).collect()
}
