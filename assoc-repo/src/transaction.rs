//! Transactions: a closure that commits when it succeeds, or a handle that is committed by hand. Inside one, the same
//! calls make savepoints.

use std::ops::Deref;

use assoc_core::Result;
use assoc_core::driver::{Access, TransactionMode};

use crate::repo::Repo;
use crate::session::TransactionHandle;

/// An open transaction: a [`Repo`] whose statements all belong to it. Dropped without [`commit`](Transaction::commit)
/// it is rolled back.
#[derive(Debug)]
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction {
    repo: Repo,
    level: u32,
    ended: bool,
}

impl Repo {
    /// Runs a closure in a transaction: commits if it returns `Ok`, rolls back if it returns `Err`, panics or is
    /// cancelled. On a transaction's repo the closure runs in a savepoint.
    ///
    /// # Errors
    /// The closure's error, or that of BEGIN or COMMIT.
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
    pub async fn transaction<T>(&self, work: impl AsyncFnOnce(&Repo) -> Result<T>) -> Result<T> {
        let transaction = self.begin().await?;
        match work(&transaction).await {
            Ok(value) => transaction.commit().await.map(|()| value),
            Err(error) => {
                // The closure's error says more than a failed rollback, after which the driver discards the connection.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }

    /// Begins a transaction to be committed by hand; on a transaction's repo, a savepoint.
    ///
    /// # Errors
    /// When no connection is to be had or the database refuses.
    pub async fn begin(&self) -> Result<Transaction> {
        match &self.transaction {
            Some(handle) => {
                let level = handle.state.lock().await.nest().await?;
                Ok(Transaction { repo: self.clone(), level, ended: false })
            }
            None => {
                let mut connection = self.shared.driver.acquire(Access::Write).await?;
                connection.begin(TransactionMode::Write).await?;
                let transaction = Some(TransactionHandle::new(connection));
                let repo = Repo { transaction, ..self.clone() };
                Ok(Transaction { repo, level: 0, ended: false })
            }
        }
    }
}

impl Transaction {
    /// Keeps what was done.
    ///
    /// # Errors
    /// When the database refuses; then nothing was done. If the connection broke while committing, the outcome is
    /// unknown ([`DriverErrorKind::AmbiguousCommit`](assoc_core::DriverErrorKind::AmbiguousCommit)).
    pub async fn commit(self) -> Result<()> {
        self.end(true).await
    }

    /// Undoes what was done.
    ///
    /// # Errors
    /// When the connection broke; then nothing was done either.
    pub async fn rollback(self) -> Result<()> {
        self.end(false).await
    }

    async fn end(mut self, keep: bool) -> Result<()> {
        if let Some(handle) = &self.repo.transaction {
            handle.state.lock().await.end(self.level, keep).await?;
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
            handle.abandon(self.level);
        }
    }
}
