//! The error of a closure in which both libraries are called.

use assoc_core::{AssociationNotLoaded, Error};
use diesel::result::Error as DieselError;

use crate::errors;

/// The error of a closure in which both libraries are called, so that `?` works for each of them in Diesel's
/// `transaction` and in that of a repo.
///
/// It becomes an error of either library by `From`. Diesel's errors keep their class then: a violated constraint is one
/// for `assoc` as well, and the other way round what `assoc` refused is the source of Diesel's `QueryBuilderError`.
///
/// ```
/// use assoc_diesel::TransactionError;
/// use diesel::connection::SimpleConnection;
/// use diesel::prelude::*;
///
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// let done = conn.transaction::<(), TransactionError, _>(|conn| {
///     conn.batch_execute("CREATE TABLE users (name TEXT NOT NULL); INSERT INTO users VALUES (NULL)")?;
///     Err(assoc_core::Error::other("never comes here"))?
/// });
/// let error = assoc_core::Error::from(done.unwrap_err());
/// assert_eq!(error.driver().unwrap().columns(), ["name"]);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// Diesel's.
    #[error(transparent)]
    Diesel(#[from] DieselError),
    /// Of `assoc`.
    #[error(transparent)]
    Assoc(#[from] Error),
}

impl From<AssociationNotLoaded> for TransactionError {
    fn from(error: AssociationNotLoaded) -> Self {
        TransactionError::Assoc(error.into())
    }
}

impl From<TransactionError> for Error {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Assoc(error) => error,
            TransactionError::Diesel(error) => errors::of_diesel(error).into(),
        }
    }
}

impl From<TransactionError> for DieselError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Diesel(error) => error,
            TransactionError::Assoc(error) => DieselError::QueryBuilderError(Box::new(error)),
        }
    }
}
