//! One session on the server: its client and its prepared statements.

use assoc_core::driver::{AnswerColumn, RowSink, Statement};
use assoc_core::{DriverErrorKind, Error, Result};
use futures_util::TryStreamExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{CancelToken, Client, Config, Statement as Prepared};

use crate::options::PostgresBuilder;
use crate::statements::Statements;
use crate::values::Param;
use crate::{error, read};

/// What went wrong with a statement, and whether the server knows of it.
pub(crate) enum Failure {
    /// The server has refused it, or may not have seen it: its transaction is aborted.
    OfServer(Error),
    /// The rows were not taken, or nothing was sent.
    OfCaller(Error),
}

impl Failure {
    pub(crate) fn into_error(self) -> Error {
        match self {
            Failure::OfServer(error) | Failure::OfCaller(error) => error,
        }
    }
}

pub(crate) struct Session {
    client: Client,
    statements: Statements,
    /// Whether a call is running, or was dropped while it ran.
    pub(crate) is_busy: bool,
    /// Whether a transaction may be open.
    pub(crate) is_inside: bool,
}

impl Session {
    pub(crate) async fn open(options: &PostgresBuilder) -> Result<Self> {
        let client = connect(&options.config).await?;
        let statements = Statements::new(options.statements);
        let mut session = Session { client, statements, is_busy: false, is_inside: false };
        let mut settings = "SET TIME ZONE 'UTC'".to_owned();
        if let Some(limit) = options.statement_timeout {
            settings.push_str(&format!("; SET statement_timeout = {}", limit.as_millis()));
        }
        session.simple(&settings).await?;
        Ok(session)
    }

    /// Whether it can be handed out again.
    pub(crate) fn is_usable(&self) -> bool {
        !self.is_busy && !self.is_inside && !self.client.is_closed()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub(crate) fn cancel_token(&self) -> CancelToken {
        self.client.cancel_token()
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

    /// Runs a statement, and pushes its rows into a sink or counts them.
    pub(crate) async fn run(
        &mut self,
        statement: &Statement,
        sink: Option<&mut dyn RowSink>,
    ) -> std::result::Result<u64, Failure> {
        self.is_busy = true;
        let result = self.prepare_and_run(statement, sink).await;
        self.is_busy = false;
        if let Err(Failure::OfServer(_)) = &result {
            // Its plan may be what is wrong: a table has changed since.
            self.statements.forget(statement.sql());
        }
        result
    }

    async fn prepare_and_run(
        &mut self,
        statement: &Statement,
        sink: Option<&mut dyn RowSink>,
    ) -> std::result::Result<u64, Failure> {
        let sql = statement.sql();
        let failed = |error| Failure::OfServer(error::of_statement(error, sql));
        let prepared = match self.statements.get(sql) {
            Some(prepared) => prepared,
            None => {
                let prepared = self.client.prepare(sql).await.map_err(failed)?;
                self.statements.keep(statement.shared_sql(), prepared.clone());
                prepared
            }
        };
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
            None => self.client.execute(&prepared, &params).await.map_err(failed),
            Some(sink) => self.pump(&prepared, &params, sink, sql).await,
        }
    }

    async fn pump(
        &self,
        prepared: &Prepared,
        params: &[&(dyn ToSql + Sync)],
        sink: &mut dyn RowSink,
        sql: &str,
    ) -> std::result::Result<u64, Failure> {
        let failed = |error| Failure::OfServer(error::of_statement(error, sql));
        let rows = self.client.query_raw(prepared, params.iter().copied()).await.map_err(failed)?;
        let mut rows = std::pin::pin!(rows);
        if sink.wants_columns() {
            let name = |column| tokio_postgres::Column::name(column);
            let columns = prepared.columns().iter();
            let columns: Vec<AnswerColumn<'_>> = columns
                .map(|column| AnswerColumn { name: name(column), is_computed: column.table_oid().is_none() })
                .collect();
            sink.columns(&columns).map_err(Failure::OfCaller)?;
        }
        let kinds: Vec<_> = prepared.columns().iter().map(|column| read::Kind::of(column.type_())).collect();
        let mut count = 0;
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            // The values borrow from the row, so a buffer cannot be kept for the next one.
            let mut values = Vec::with_capacity(kinds.len());
            for (at, kind) in kinds.iter().enumerate() {
                values.push(read::value(&row, at, kind, sql).map_err(Failure::OfCaller)?);
            }
            sink.row(&mut values).map_err(Failure::OfCaller)?;
            count += 1;
        }
        Ok(count)
    }
}

#[cfg(not(feature = "native-tls"))]
async fn connect(config: &Config) -> Result<Client> {
    let (client, connection) = config.connect(tokio_postgres::NoTls).await.map_err(error::of_connect)?;
    // It ends with the client, and what it fails with is the failure of the client's calls.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

#[cfg(feature = "native-tls")]
async fn connect(config: &Config) -> Result<Client> {
    let connector = native_tls::TlsConnector::new().map_err(Error::other)?;
    let connector = postgres_native_tls::MakeTlsConnector::new(connector);
    let (client, connection) = config.connect(connector).await.map_err(error::of_connect)?;
    // It ends with the client, and what it fails with is the failure of the client's calls.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}
