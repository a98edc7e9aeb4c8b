//! One session on the server: how statements are run and rows are streamed, without any thought of pools, retries or
//! transactions.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use assoc_core::driver::{AnswerColumn, Bind, ExecResult, RowSink, Statement};
use assoc_core::{DriverError, DriverErrorKind, Error, Value};
use assoc_dialects::mysql::effects::{alters_session, changes_rows, changes_tables, is_plain_insert, may_be_several};
use futures_util::FutureExt;
use mysql_async::consts::StatusFlags;
use mysql_async::prelude::{Protocol, Queryable};
use mysql_async::{Conn, Error as MyError, QueryResult, Row, Statement as Prepared};

use crate::bind;
use crate::error::{is_lost, of_statement, undoes_transaction, was_not_sent};
use crate::options::Builder;
use crate::read::readers;
use crate::statements::{SchemaChanges, Statements};

/// "This command is not supported in the prepared statement protocol yet."
const NOT_PREPARABLE: u16 = 1295;
/// "Can't create more than max_prepared_stmt_count statements": all connections of the server have that many together.
const TOO_MANY_PREPARED: u16 = 1461;
/// "Prepared statement needs to be re-prepared", and an id the server does not know (behind a proxy).
const STALE: [u16; 2] = [1615, 1243];
/// From this size on, values may be sent before their statement, in separate packets. (mysql_async does so from 16
/// MiB.)
const LONG_DATA: usize = 1 << 20;

/// A session, counted in its pool as long as it lives.
pub(crate) struct Session {
    conn: Conn,
    statements: Statements,
    uuid_as_text: bool,
    /// Something was run that the next user of this session would notice.
    altered: bool,
    /// Whether the server's answers say that every statement is a transaction by itself. Some proxies do not pass that
    /// on.
    tells_autocommit: bool,
    _counted: Counted,
}

/// What a server said about transactions with its last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    /// A transaction is open.
    InTransaction,
    /// Statements run outside a transaction, and do not begin one.
    Autocommit,
    /// None is open, and the next statement begins one.
    Manual,
}

// Not derived: mysql_async shows the password with its options.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let opts = Builder::shown(self.conn.opts());
        f.debug_struct("Session").field("id", &self.conn.id()).field("opts", &opts).finish_non_exhaustive()
    }
}

/// One more in a count, until it is dropped.
#[derive(Debug)]
pub(crate) struct Counted(Arc<AtomicUsize>);

impl Counted {
    pub(crate) fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Counted(Arc::clone(count))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Why a statement failed, and what that means for the session.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: Error,
    /// The session is of no further use.
    pub(crate) lost: bool,
    /// The statement may have had an effect on the server.
    pub(crate) ran: bool,
    /// The server has rolled back the whole transaction, not just the statement.
    pub(crate) undid: bool,
}

impl Failure {
    fn of(error: MyError, sql: &str) -> Self {
        let (lost, ran, undid) = (is_lost(&error), !was_not_sent(&error), undoes_transaction(&error));
        Failure { error: of_statement(error, sql), lost, ran, undid }
    }

    /// Nothing was sent at all.
    fn unsent(error: Error) -> Self {
        Failure { error, lost: false, ran: false, undid: false }
    }
}

/// What a statement did, and the error of a sink that did not want its rows.
#[derive(Debug, Default)]
struct Delivered {
    affected: u64,
    last_insert_id: Option<u64>,
    refused: Option<Error>,
}

impl Delivered {
    fn accepted(self) -> Result<Self, Failure> {
        match self.refused {
            Some(error) => Err(Failure { error, lost: false, ran: true, undid: false }),
            None => Ok(self),
        }
    }
}

impl Session {
    /// A session that was just [set up](Builder::set_up).
    pub(crate) fn new(conn: Conn, options: &Builder, changes: SchemaChanges, counted: Counted) -> Self {
        let tells_autocommit = flags(&conn).is_some_and(|flags| flags.contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT));
        Session {
            conn,
            statements: Statements::new(options.statement_cache, changes),
            uuid_as_text: options.uuid_as_text,
            altered: false,
            tells_autocommit,
            _counted: counted,
        }
    }

    /// What the server said with its last answer; `None` if that was an error.
    pub(crate) fn status(&self) -> Option<Status> {
        let flags = flags(&self.conn)?;
        Some(if flags.contains(StatusFlags::SERVER_STATUS_IN_TRANS) {
            Status::InTransaction
        } else if self.tells_autocommit && !flags.contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT) {
            Status::Manual
        } else {
            Status::Autocommit
        })
    }

    /// Whether the session must be [restored](Self::restore) before its next use.
    pub(crate) fn is_altered(&self) -> bool {
        self.altered
    }

    /// Rolls back and makes the session what it was when it was new.
    pub(crate) async fn restore(&mut self, options: &Builder) -> Result<(), MyError> {
        if !self.conn.reset().await? {
            // A server older than the command: another session does as well.
            return Err(MyError::Driver(mysql_async::DriverError::ConnectionClosed));
        }
        self.statements.clear();
        options.set_up(&mut self.conn).await?;
        self.altered = false;
        Ok(())
    }

    /// Whether a statement runs without being prepared first.
    pub(crate) fn has_prepared(&self, sql: &str) -> bool {
        self.statements.contains(sql)
    }

    /// Whether running a statement begins with an exchange without effect, so that a dead session shows before the
    /// statement runs. Preparing the statement is such an exchange. So is writing to a local socket, which fails if the
    /// other side has closed it; TCP accepts the bytes.
    pub(crate) fn shows_death_first(&self, statement: &Statement) -> bool {
        let local = self.conn.opts().socket().is_some();
        let prepares = !statement.binds().is_empty() && !self.has_prepared(statement.sql());
        local || prepares
    }

    pub(crate) async fn ping(&mut self) -> Result<(), MyError> {
        self.conn.ping().await
    }

    /// Sends a command of ours as text.
    pub(crate) async fn command(&mut self, sql: &str) -> Result<(), MyError> {
        self.conn.query_drop(sql).await
    }

    /// Runs a statement and pushes its rows into the sink as they arrive. `began` is set with the first row.
    pub(crate) async fn query(
        &mut self,
        statement: &Statement,
        sink: &mut dyn RowSink,
        began: &mut bool,
    ) -> Result<(), Failure> {
        self.run_prepared(statement, sink, began).await.map(|_| ())
    }

    /// Runs a statement and drops its rows, if it has any.
    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<ExecResult, Failure> {
        let mut rows = 0;
        let mut counting = |_: &mut [Value<'_>]| {
            rows += 1;
            Ok(())
        };
        // As text it is one round trip instead of two, and DDL need not fill the cache. But a text may hold several
        // statements, which only the server can tell: preparing them refuses it.
        let delivered = if statement.binds().is_empty() && !may_be_several(statement.sql()) {
            self.run_text(statement.sql(), &mut counting, &mut false).await?
        } else {
            self.run_prepared(statement, &mut counting, &mut false).await?
        };
        // With `RETURNING` the server counts nothing.
        let affected = if rows > 0 && changes_rows(statement.sql()) { rows } else { delivered.affected };
        let id = delivered.last_insert_id.filter(|_| affected == 1 && is_plain_insert(statement.sql()));
        Ok(ExecResult::new(affected, id.and_then(|id| i64::try_from(id).ok())))
    }

    async fn run_prepared(
        &mut self,
        statement: &Statement,
        sink: &mut dyn RowSink,
        began: &mut bool,
    ) -> Result<Delivered, Failure> {
        let sql = statement.sql();
        for outdated in self.statements.take_outdated() {
            self.conn.close(outdated).await.map_err(|error| Failure { ran: false, ..Failure::of(error, sql) })?;
        }
        loop {
            let params = bind::parameters(statement, self.uuid_as_text).map_err(Failure::unsent)?;
            let (prepared, cached) = match self.statements.get(sql) {
                Some((prepared, alters)) => {
                    self.altered |= alters;
                    (prepared, true)
                }
                None => match self.prepare(statement).await {
                    Ok(prepared) => (prepared, false),
                    Err(MyError::Server(error)) if runs_as_text(statement, error.code) => {
                        return self.run_text(sql, sink, began).await;
                    }
                    Err(error) => return Err(Failure { ran: false, ..Failure::of(error, sql) }),
                },
            };
            expect_binds(&prepared, statement).map_err(Failure::unsent)?;
            let outcome = match self.conn.exec_iter(&prepared, params).await {
                Ok(result) => deliver(result, sink, began).await,
                Err(MyError::Server(error)) if STALE.contains(&error.code) && cached => {
                    self.statements.remove(sql);
                    continue;
                }
                Err(error) => Err(error),
            };
            if changes_tables(sql) {
                self.statements.note_change();
            }
            // The server keeps the error of values it was sent beforehand, and gives it to every later run.
            let poisoned = matches!(outcome, Err(MyError::Server(_))) && has_long_data(statement);
            if poisoned {
                self.statements.remove(sql);
            }
            if poisoned || self.statements.is_off() {
                // If it cannot be closed, the next use of the connection says so.
                let _ = self.conn.close(prepared).await;
            }
            return outcome.map_err(|error| Failure::of(error, sql))?.accepted();
        }
    }

    async fn run_text(&mut self, sql: &str, sink: &mut dyn RowSink, began: &mut bool) -> Result<Delivered, Failure> {
        self.altered |= alters_session(sql);
        let outcome = match self.conn.query_iter(sql).await {
            Ok(result) => deliver(result, sink, began).await,
            Err(error) => Err(error),
        };
        if changes_tables(sql) {
            self.statements.note_change();
        }
        outcome.map_err(|error| Failure::of(error, sql))?.accepted()
    }

    async fn prepare(&mut self, statement: &Statement) -> Result<Prepared, MyError> {
        let prepared = loop {
            match self.conn.prep(statement.sql()).await {
                Err(MyError::Server(error)) if error.code == TOO_MANY_PREPARED => {
                    let given_up = self.statements.take_half();
                    if given_up.is_empty() {
                        return Err(MyError::Server(error));
                    }
                    for statement in given_up {
                        self.conn.close(statement).await?;
                    }
                }
                outcome => break outcome?,
            }
        };
        let alters = alters_session(statement.sql());
        self.altered |= alters;
        if let Some(evicted) = self.statements.put(Arc::clone(statement.shared_sql()), prepared.clone(), alters) {
            self.conn.close(evicted).await?;
        }
        Ok(prepared)
    }

    /// Closes the connection in order.
    pub(crate) async fn close(self) {
        let _ = self.conn.disconnect().await;
    }

    /// Closes the connection at once, whatever state it is in.
    ///
    /// mysql_async would read a result to its end first, in the background, before it says goodbye. A ping that is
    /// begun and dropped marks the connection as broken, and a broken one is just closed.
    pub(crate) fn abandon(mut self) {
        let _ = self.conn.ping().now_or_never();
    }
}

/// Whether a statement that could not be prepared for a reason runs as text.
fn runs_as_text(statement: &Statement, why: u16) -> bool {
    match why {
        _ if !statement.binds().is_empty() => false,
        NOT_PREPARABLE => true,
        // Preparing would have refused a text of several statements.
        TOO_MANY_PREPARED => !may_be_several(statement.sql()),
        _ => false,
    }
}

/// Pushes the rows of the first result set into the sink and reads the rest to its end. The connection is then ready
/// for the next statement, even after the sink has refused a row.
async fn deliver<P: Protocol>(
    mut result: QueryResult<'_, 'static, P>,
    sink: &mut dyn RowSink,
    began: &mut bool,
) -> Result<Delivered, MyError> {
    let readers = readers(result.columns_ref());
    let mut values: Vec<Value<'static>> = Vec::with_capacity(readers.len());
    let mut refused = if sink.wants_columns() { sink.columns(&columns_of(result.columns_ref())).err() } else { None };
    result
        .for_each(|row: Row| {
            if refused.is_some() {
                return;
            }
            *began = true;
            values.clear();
            let received = row.unwrap_raw().into_iter().zip(&readers);
            values.extend(received.map(|(value, reader)| value.map_or(Value::Null, |value| reader.read(value))));
            refused = sink.row(&mut values).err();
        })
        .await?;
    let delivered = Delivered { affected: result.affected_rows(), last_insert_id: result.last_insert_id(), refused };
    result.drop_result().await?;
    Ok(delivered)
}

// A column of a table has a name there, an expression has none.
fn columns_of(columns: &[mysql_async::Column]) -> Vec<AnswerColumn<'_>> {
    columns
        .iter()
        .map(|column| AnswerColumn {
            // The session's character set is utf8mb4; should a name be broken all the same, it is no model's.
            name: std::str::from_utf8(column.name_ref()).unwrap_or("?"),
            is_computed: column.org_name_ref().is_empty(),
        })
        .collect()
}

// mysql_async closes the connection when the numbers differ; this is only an error.
fn expect_binds(prepared: &Prepared, statement: &Statement) -> Result<(), Error> {
    let (wanted, given) = (usize::from(prepared.num_params()), statement.binds().len());
    if wanted == given {
        return Ok(());
    }
    let message = format!("the statement has {wanted} placeholders and {given} bind parameters");
    Err(DriverError::new(DriverErrorKind::Statement, message).with_sql(statement.sql()).into())
}

fn has_long_data(statement: &Statement) -> bool {
    let length = |bind: &Bind| match bind {
        Bind::Value(Value::Text(text) | Value::Json(text) | Value::Decimal(text)) => text.len(),
        Bind::Value(Value::Blob(bytes)) => bytes.len(),
        _ => 16,
    };
    statement.binds().iter().map(length).sum::<usize>() >= LONG_DATA
}

fn flags(conn: &Conn) -> Option<StatusFlags> {
    conn.last_ok_packet().map(|answer| answer.status_flags())
}
