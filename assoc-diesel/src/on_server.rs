//! What connections to servers have in common: the program chooses a transaction's isolation level where it begins, Diesel may have
//! marked a transaction for rollback, and the connection may break during COMMIT.

use assoc_core::driver::IsolationLevel;
use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, Result};
use diesel::connection::{CacheSize, Connection, TransactionManager, TransactionManagerStatus};

use crate::client::depth;

const IN_TRANSACTION: &str =
    "Diesel has a transaction open, whose isolation level cannot be changed: choose the level where it begins";

/// Refuses an isolation level inside of a transaction.
pub(crate) fn level_can_change<C: Connection>(connection: &mut C, level: Option<IsolationLevel>) -> Result<()> {
    match level {
        Some(_) if depth(connection)? > 0 => Err(ErrorKind::Transaction(IN_TRANSACTION).into()),
        _ => Ok(()),
    }
}

/// Whether Diesel has marked the transaction for rollback.
pub(crate) fn must_roll_back<C: Connection>(connection: &mut C) -> bool {
    match C::TransactionManager::transaction_manager_status_mut(connection) {
        TransactionManagerStatus::Valid(status) => {
            status.in_transaction.as_ref().is_some_and(|inside| inside.requires_rollback_maybe_up_to_top_level)
        }
        TransactionManagerStatus::InError => false,
    }
}

/// Makes Diesel forget what it has prepared, which it does when its cache is switched off.
pub(crate) fn forget_statements<C: Connection>(connection: &mut C) {
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    connection.set_prepared_statement_cache_size(CacheSize::Unbounded);
}

/// The error of a COMMIT. If the connection broke, its outcome is unknown.
#[cold]
pub(crate) fn of_commit(failed: Error) -> Error {
    match failed.driver() {
        Some(driver) if driver.kind() == DriverErrorKind::ConnectionLost => {
            let message = format!("the connection broke during COMMIT, which may have taken effect or not: {failed}");
            DriverError::new(DriverErrorKind::AmbiguousCommit, message).with_sql("COMMIT").into()
        }
        _ => failed,
    }
}
