//! The statements that begin transactions.

use assoc_core::driver::{IsolationLevel, TransactionMode};

/// What begins a transaction.
///
/// ```
/// use assoc_core::driver::{IsolationLevel, TransactionMode};
/// use assoc_dialects::mysql::Beginning;
///
/// let beginning = Beginning::of(TransactionMode::Read, Some(IsolationLevel::ReadCommitted));
/// assert_eq!(beginning.level, Some("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"));
/// assert_eq!(beginning.start, "START TRANSACTION READ ONLY");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beginning {
    /// Chooses the isolation level of the next transaction of the session, and of no other.
    pub level: Option<&'static str>,
    /// Starts it.
    pub start: &'static str,
}

impl Beginning {
    /// Of the session's own isolation level, or of another. What the core may add one day is `SERIALIZABLE`, beyond which
    /// there is nothing.
    #[must_use]
    pub fn of(mode: TransactionMode, level: Option<IsolationLevel>) -> Self {
        let (level, snapshots) = match level {
            None => (None, true),
            Some(IsolationLevel::ReadUncommitted) => (Some("SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED"), false),
            Some(IsolationLevel::ReadCommitted) => (Some("SET TRANSACTION ISOLATION LEVEL READ COMMITTED"), false),
            Some(IsolationLevel::RepeatableRead) => (Some("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"), true),
            Some(_) => (Some("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"), false),
        };
        let start = match mode {
            TransactionMode::Read if snapshots => "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            TransactionMode::Read => "START TRANSACTION READ ONLY",
            TransactionMode::Write => "START TRANSACTION",
        };
        Beginning { level, start }
    }
}
