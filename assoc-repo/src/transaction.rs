//! Transactions: a closure whose success commits, or a handle with an explicit commit. Inside a transaction the same
//! calls make savepoints.

use std::ops::Deref;

use assoc_core::driver::{Access, TransactionMode};
use assoc_core::{Error, Result};

use crate::levels::LevelHandle;
use crate::repo::Repo;

/// An open transaction: a [`Repo`] all of whose statements belong to it. Dropping it without
/// [`commit`](Transaction::commit) rolls it back.
#[derive(Debug)]
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction {
    repo: Repo,
    ended: bool,
}

impl Repo {
    /// Runs a closure in a transaction. Commits if the closure returns `Ok`; rolls back if it returns `Err`, panics or
    /// is cancelled. On a transaction's repo the closure runs in a savepoint.
    ///
    /// While a savepoint is open, only its handle may be used. The outer handle returns
    /// [`ErrorKind::Transaction`](assoc_core::ErrorKind::Transaction), and so does a second savepoint beside the first.
    ///
    /// # Errors
    /// The closure's error, or that of BEGIN or COMMIT, as any type that is `From<Error>`.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// let refused = repo
    ///     .transaction(async |tx| {
    ///         tx.insert(User::build().set(User::NAME, "Ada")).await?;
    ///         Err::<(), _>(Error::other("changed my mind"))
    ///     })
    ///     .await;
    /// assert!(refused.is_err());
    /// assert_eq!(repo.count(Query::<User>::new()).await?, 0);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    ///
    /// A closure whose last expression is `Ok(…)` must name its error type, because `?` could produce any: `Ok::<_,
    /// Error>(())`. The error type of the program works as well, if it is `From<Error>`:
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// #[derive(Debug)]
    /// enum AppError {
    ///     NameTaken,
    ///     Database(Error),
    /// }
    ///
    /// impl From<Error> for AppError {
    ///     fn from(error: Error) -> Self {
    ///         AppError::Database(error)
    ///     }
    /// }
    ///
    /// async fn register(repo: &Repo, name: &str) -> Result<User, AppError> {
    ///     repo.transaction(async |tx| {
    ///         if tx.exists(Query::filter(User::NAME.eq(name))).await? {
    ///             return Err(AppError::NameTaken);
    ///         }
    ///         Ok(tx.insert(User::build().set(User::NAME, name)).await?)
    ///     })
    ///     .await
    /// }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # assert!(register(&repo, "Ada").await.is_ok());
    /// # assert!(matches!(register(&repo, "Ada").await, Err(AppError::NameTaken)));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn transaction<T, E: From<Error>>(&self, work: impl AsyncFnOnce(&Repo) -> Result<T, E>) -> Result<T, E> {
        let transaction = self.begin().await?;
        match work(&transaction).await {
            Ok(value) => {
                transaction.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // The closure's error says more than that of a failed rollback, after which the driver discards the
                // connection.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }

    /// Begins a transaction for an explicit commit; on a transaction's repo, a savepoint.
    ///
    /// # Errors
    /// When no connection is available or the database refuses.
    /// [`ErrorKind::Transaction`](assoc_core::ErrorKind::Transaction) on a handle whose transaction has ended, or that
    /// has an open savepoint.
    pub async fn begin(&self) -> Result<Transaction> {
        match &self.transaction {
            Some(handle) => {
                let transaction = Some(handle.nest().await?);
                Ok(Transaction { repo: Repo { transaction, ..self.clone() }, ended: false })
            }
            None => {
                let mut connection = self.acquire(Access::Write).await?;
                connection.begin(TransactionMode::Write).await?;
                let transaction = Some(LevelHandle::outermost(connection, &self.shared.open_transactions));
                Ok(Transaction { repo: Repo { transaction, ..self.clone() }, ended: false })
            }
        }
    }
}

impl Transaction {
    /// Commits the work of the transaction, or releases its savepoint.
    ///
    /// # Errors
    /// When the database refuses; no work takes effect then. If the connection broke while committing, the outcome is
    /// unknown ([`DriverErrorKind::AmbiguousCommit`](assoc_core::DriverErrorKind::AmbiguousCommit)).
    pub async fn commit(self) -> Result<()> {
        self.end(true).await
    }

    /// Undoes the work of the transaction, or of its savepoint.
    ///
    /// # Errors
    /// When the connection broke; no work takes effect then either.
    pub async fn rollback(self) -> Result<()> {
        self.end(false).await
    }

    async fn end(mut self, keep: bool) -> Result<()> {
        if let Some(handle) = &self.repo.transaction {
            handle.end(keep).await?;
        }
        self.ended = true;
        Ok(())
    }
}

impl Deref for Transaction {
    type Target = Repo;

    fn deref(&self) -> &Repo {
        &self.repo
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if !self.ended
            && let Some(handle) = &self.repo.transaction
        {
            handle.abandon();
        }
    }
}
