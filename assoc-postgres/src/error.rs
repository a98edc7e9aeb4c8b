//! What went wrong, in the core's classes.

use std::time::Duration;

use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind};
use assoc_dialects::postgres::errors::{class_of_state, key_columns};
use deadpool::managed::{PoolError, TimeoutType};
use tokio_postgres::Error as ClientError;
use tokio_postgres::error::DbError;

/// A failure of a statement.
pub(crate) fn of_statement(error: ClientError, sql: &str) -> Error {
    let report = match error.as_db_error() {
        Some(db) => of_server(db),
        None if error.is_closed() => DriverError::new(DriverErrorKind::ConnectionLost, error.to_string()),
        None => {
            let source = std::error::Error::source(&error);
            let text = source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
            let kind = match source {
                Some(source) if source.is::<std::io::Error>() => DriverErrorKind::ConnectionLost,
                _ if text.contains("serializing parameter") => DriverErrorKind::Value,
                _ => DriverErrorKind::Other,
            };
            DriverError::new(kind, text)
        }
    };
    report.with_sql(sql).with_source(error).into()
}

/// A failure of a statement whose plan does not fit its tables any more. The transaction can be tried again, and then the
/// statement is prepared anew.
pub(crate) fn of_outdated(error: ClientError, sql: &str) -> Error {
    let report = DriverError::new(DriverErrorKind::Retryable, format!("{error}: a table has changed since"));
    match error.code() {
        Some(code) => report.with_code(code.code()),
        None => report,
    }
    .with_sql(sql)
    .with_source(error)
    .into()
}

fn of_server(db: &DbError) -> DriverError {
    let code = db.code().code();
    let mut report = DriverError::new(class_of_state(code, db.message()), db.message()).with_code(code);
    if let Some(table) = db.table() {
        report = report.with_table(table);
    }
    match (db.constraint(), db.column()) {
        (Some(constraint), _) => report = report.with_constraint(constraint),
        // NOT NULL has no name before version 18.
        (None, Some(column)) => report = report.with_constraint(column),
        (None, None) => {}
    }
    match db.column() {
        Some(column) => report.with_columns([column]),
        None => report.with_columns(db.detail().map(key_columns).unwrap_or_default()),
    }
}

/// The error of a COMMIT. If the connection broke, its outcome is unknown.
pub(crate) fn of_commit(error: ClientError, was_sent: bool) -> Error {
    let failed = of_statement(error, "COMMIT");
    match failed.driver() {
        Some(driver) if driver.kind() == DriverErrorKind::ConnectionLost && was_sent => {
            let message = format!("the connection broke during COMMIT, which may have taken effect or not: {failed}");
            DriverError::new(DriverErrorKind::AmbiguousCommit, message).with_sql("COMMIT").into()
        }
        _ => failed,
    }
}

/// The error of a `BEGIN` behind which a statement was sent that ran all the same, by itself.
pub(crate) fn of_begin_alone(error: ClientError, begin: &str) -> Error {
    let failed = of_statement(error, begin);
    let message =
        format!("the transaction could not begin, and the first statement may have taken effect alone: {failed}");
    DriverError::new(DriverErrorKind::AmbiguousCommit, message).with_sql(begin).into()
}

/// A transaction that could not begin.
pub(crate) fn not_begun(may_have_written: bool) -> Error {
    if may_have_written {
        let message = "the transaction could not begin, and its first statement may have taken effect alone";
        return DriverError::new(DriverErrorKind::AmbiguousCommit, message).into();
    }
    ended("it could not begin, so nothing runs in it")
}

/// A COMMIT behind another end whose answer was not seen.
pub(crate) fn of_unknown_end() -> Error {
    let message = "an earlier COMMIT or ROLLBACK was not waited for";
    DriverError::new(DriverErrorKind::AmbiguousCommit, message).with_sql("COMMIT").into()
}

/// A session that is closed.
pub(crate) fn lost(sql: &str) -> Error {
    DriverError::new(DriverErrorKind::ConnectionLost, "the connection is closed").with_sql(sql).into()
}

/// A failure to connect.
pub(crate) fn of_connect(error: ClientError) -> Error {
    let detail = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    let message = format!("no connection to the database server: {error}{detail}");
    let report = DriverError::new(DriverErrorKind::Unavailable, message);
    match error.code() {
        Some(code) => report.with_code(code.code()),
        None => report,
    }
    .with_source(error)
    .into()
}

/// A pool that has no connection.
pub(crate) fn of_pool(error: PoolError<Error>, max: usize, limit: Duration) -> Error {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Timeout(TimeoutType::Wait) => {
            let message = format!(
                "no connection became free within {limit:?}: all {max} are in use; shorten what holds them or raise \
                 `max_connections`"
            );
            DriverError::new(DriverErrorKind::PoolTimeout, message).into()
        }
        PoolError::Timeout(_) => {
            DriverError::new(DriverErrorKind::Unavailable, "the server did not answer in time").into()
        }
        PoolError::Closed => DriverError::new(DriverErrorKind::Unavailable, "the pool is closed").into(),
        other => DriverError::new(DriverErrorKind::Unavailable, other.to_string()).into(),
    }
}

/// A URL that cannot be used.
pub(crate) fn of_options(error: ClientError) -> Error {
    let detail = std::error::Error::source(&error).map(|source| format!(": {source}")).unwrap_or_default();
    DriverError::new(DriverErrorKind::Other, format!("the URL cannot be used: {error}{detail}")).into()
}

/// A statement that cannot be run as it stands.
pub(crate) fn refused(kind: DriverErrorKind, message: impl Into<String>, sql: &str) -> Error {
    DriverError::new(kind, message).with_sql(sql).into()
}

/// A transaction that takes no statement any more.
pub(crate) fn ended(why: &'static str) -> Error {
    ErrorKind::Transaction(why).into()
}
