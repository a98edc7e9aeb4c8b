//! The statements that begin transactions.

use std::borrow::Cow;

use assoc_core::driver::{IsolationLevel, TransactionMode};
use assoc_core::{Error, Result};

/// What begins a transaction: of the database's own isolation level, or of another.
///
/// # Errors
/// Where PostgreSQL has no such level.
///
/// ```
/// use assoc_core::driver::{IsolationLevel, TransactionMode};
/// use assoc_dialects::postgres::begin;
///
/// assert_eq!(begin(TransactionMode::Write, None)?, "BEGIN");
/// let serializable = begin(TransactionMode::Read, Some(IsolationLevel::Serializable))?;
/// assert_eq!(serializable, "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY");
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn begin(mode: TransactionMode, level: Option<IsolationLevel>) -> Result<Cow<'static, str>> {
    let Some(level) = level else {
        return Ok(match mode {
            TransactionMode::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".into(),
            TransactionMode::Write => "BEGIN".into(),
        });
    };
    let level = match level {
        IsolationLevel::ReadUncommitted => "READ UNCOMMITTED",
        IsolationLevel::ReadCommitted => "READ COMMITTED",
        IsolationLevel::RepeatableRead => "REPEATABLE READ",
        IsolationLevel::Serializable => "SERIALIZABLE",
        other => return Err(Error::unsupported("PostgreSQL", format!("the isolation level {other:?}"))),
    };
    let access = if mode == TransactionMode::Read { " READ ONLY" } else { "" };
    Ok(format!("BEGIN ISOLATION LEVEL {level}{access}").into())
}
