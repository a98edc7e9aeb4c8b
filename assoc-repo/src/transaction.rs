//! Transactions: a closure whose success commits, or a handle with an explicit commit. Inside a transaction the same
//! calls make savepoints.

use std::ops::Deref;

use assoc_core::driver::{Access, TransactionMode};
use assoc_core::{DriverErrorKind, Error, ErrorKind, Result};

use crate::levels::LevelHandle;
use crate::repo::Repo;

mod hooks;
mod left_hooks;
mod options;

use options::wait;

pub(crate) use hooks::{Hooks, RowHook};
pub(crate) use left_hooks::LeftHooks;
pub use options::{RetryPolicy, TransactionOptions};

/// An open transaction: a [`Repo`] all of whose statements belong to it. Dropping it without
/// [`commit`](Transaction::commit) rolls it back.
#[derive(Debug)]
#[must_use = "a transaction that is dropped is rolled back"]
pub struct Transaction {
    repo: Repo,
    ended: bool,
    // Whether it may be committed, though it has not ended.
    may_be_committed: bool,
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
    /// When no connection is available or the database refuses. PostgreSQL's driver says so at the first statement.
    /// [`ErrorKind::Transaction`](assoc_core::ErrorKind::Transaction) on a handle whose transaction has ended, or that
    /// has an open savepoint.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let tx = repo.begin().await?;
    /// tx.insert(Post::build().set(Post::TITLE, "Cards")).await?;
    /// tx.commit().await?;
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 4);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn begin(&self) -> Result<Transaction> {
        self.begin_with(TransactionOptions::new()).await
    }

    /// Begins a transaction with options, to be committed by hand. Running it again is the caller's business, so a retry
    /// policy is not looked at.
    ///
    /// # Errors
    /// As [`begin`](Self::begin); [`ErrorKind::Unsupported`] if the database has no such isolation level;
    /// [`ErrorKind::Transaction`] with options on a transaction's repo, because a savepoint is part of a transaction that
    /// has begun.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::TransactionOptions;
    ///
    /// let tx = repo.begin_with(TransactionOptions::new().read_only()).await?;
    /// assert_eq!(tx.count(Query::<Post>::new()).await?, 3);
    /// tx.rollback().await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn begin_with(&self, options: TransactionOptions) -> Result<Transaction> {
        match &self.transaction {
            Some(_) if !options.are_plain() => {
                let message = "options are for the outermost one, and a savepoint is part of one that has begun: give them \
                               where that is begun";
                Err(ErrorKind::Transaction(message).into())
            }
            Some(handle) => {
                let transaction = Some(handle.nest().await?);
                Ok(Transaction::new(Repo { transaction, ..self.clone() }))
            }
            None => {
                let (access, mode) = match options.read_only {
                    true => (Access::Read, TransactionMode::Read),
                    false => (Access::Write, TransactionMode::Write),
                };
                let mut connection = self.acquire(access).await?;
                match options.isolation {
                    None => connection.begin(mode).await?,
                    Some(level) => connection.begin_isolated(mode, level).await?,
                }
                let open = &self.shared.open_transactions;
                let transaction = Some(LevelHandle::outermost(connection, open, options.read_only));
                Ok(Transaction::new(Repo { transaction, ..self.clone() }))
            }
        }
    }

    /// Runs a closure in a transaction with options, as [`transaction`](Self::transaction) does without.
    ///
    /// With a [retry policy](TransactionOptions::retry) the whole of it is run again, BEGIN and COMMIT included, when BEGIN,
    /// COMMIT or a statement of the transaction has met a deadlock, a lock timeout or a busy database and the closure did
    /// not succeed all the same. What the closure does outside of the transaction is done again as well. A COMMIT of which
    /// it is unknown whether it took effect ([`DriverErrorKind::AmbiguousCommit`](assoc_core::DriverErrorKind)) is not run
    /// again: [`transaction_verified`](Self::transaction_verified) finds out, unless the closure itself returned that error.
    ///
    /// The closure is cloned for each attempt, so it cannot change what it captures: what an attempt that is undone has
    /// changed would stay. The compiler refuses this one:
    ///
    /// ```compile_fail,E0277
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{RetryPolicy, TransactionOptions};
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Account { pub id: i64, pub balance: i64 }
    /// # async fn count(repo: &Repo) -> Result<usize> {
    /// # let options = TransactionOptions::new().retry(RetryPolicy::new(5));
    /// let mut count = 0;
    /// repo.transaction_with(options, async |tx| {
    ///     count += tx.all(Query::<Account>::new()).await?.len();
    ///     Ok::<_, Error>(())
    /// })
    /// .await?;
    /// # Ok(count) }
    /// ```
    ///
    /// # Errors
    /// The last attempt's: the closure's error, or that of BEGIN or COMMIT; and as
    /// [`begin_with`](Self::begin_with).
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::{RetryPolicy, TransactionOptions};
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Account { pub id: i64, pub balance: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Account>().await?;
    /// let options = TransactionOptions::new().retry(RetryPolicy::new(5));
    /// repo.transaction_with(options, async |tx| {
    ///     tx.update_all(Query::filter(Account::ID.eq(1)), [Account::BALANCE.subtract(10)]).await?;
    ///     tx.update_all(Query::filter(Account::ID.eq(2)), [Account::BALANCE.add(10)]).await
    /// })
    /// .await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn transaction_with<T, E: From<Error>>(
        &self,
        options: TransactionOptions,
        work: impl AsyncFnOnce(&Repo) -> Result<T, E> + Clone,
    ) -> Result<T, E> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let delay = options.retry.and_then(|policy| policy.delay_after(attempt));
            match (self.attempt(options, work.clone()).await, delay) {
                (Attempt::Done(result) | Attempt::Ambiguous(result, _), _) | (Attempt::Undone(result), None) => {
                    return result;
                }
                (Attempt::Undone(_), Some(delay)) => wait(delay).await,
            }
        }
    }

    /// As [`transaction_with`](Self::transaction_with), with an answer to the question whether a COMMIT took effect whose
    /// connection broke before it was answered. `verify` is then asked, on a repo outside of the transaction: by a key that
    /// the closure has written, say. `true` keeps what the closure returned; `false` makes it an attempt that was undone,
    /// which is run again if the options have a retry policy that allows one more.
    ///
    /// # Errors
    /// As [`transaction_with`](Self::transaction_with), and those of `verify`.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::{RetryPolicy, TransactionOptions};
    ///
    /// let options = TransactionOptions::new().retry(RetryPolicy::new(3));
    /// let post = Post::build().set(Post::ID, 9).set(Post::TITLE, "Cards");
    /// let post = repo
    ///     .transaction_verified(
    ///         options,
    ///         async |tx| tx.insert(post.clone()).await,
    ///         async |repo, post| repo.exists(Query::filter(Post::ID.eq(post.id))).await,
    ///     )
    ///     .await?;
    /// assert_eq!(post.id, 9);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn transaction_verified<T, E: From<Error>>(
        &self,
        options: TransactionOptions,
        work: impl AsyncFnOnce(&Repo) -> Result<T, E> + Clone,
        verify: impl AsyncFnOnce(&Repo, &T) -> Result<bool, E> + Clone,
    ) -> Result<T, E> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let delay = options.retry.and_then(|policy| policy.delay_after(attempt));
            match (self.attempt(options, work.clone()).await, delay) {
                (Attempt::Done(result), _) | (Attempt::Undone(result), None) => return result,
                (Attempt::Undone(_), Some(delay)) => wait(delay).await,
                (Attempt::Ambiguous(lost, value), delay) => {
                    if verify.clone()(self, &value).await? {
                        return Ok(value);
                    }
                    match delay {
                        None => return lost,
                        Some(delay) => wait(delay).await,
                    }
                }
            }
        }
    }

    async fn attempt<T, E: From<Error>>(
        &self,
        options: TransactionOptions,
        work: impl AsyncFnOnce(&Repo) -> Result<T, E>,
    ) -> Attempt<T, E> {
        let failed = |error: Error| match error.is_retryable() {
            true => Attempt::Undone(Err(error.into())),
            false => Attempt::Done(Err(error.into())),
        };
        let transaction = match self.begin_with(options).await {
            Ok(transaction) => transaction,
            Err(error) => return failed(error),
        };
        let result = work(&transaction).await;
        let may_succeed = match &transaction.repo.transaction {
            // A savepoint is not run again: the deadlock has undone what was before it too.
            Some(handle) => handle.is_outermost() && handle.has_failed_for_now().await,
            None => false,
        };
        match result {
            Ok(value) => match transaction.commit().await {
                Ok(()) => Attempt::Done(Ok(value)),
                Err(error) if is_ambiguous(&error) => Attempt::Ambiguous(Err(error.into()), value),
                // Of a transaction that the database had undone, whatever the closure made of that.
                Err(error) if may_succeed && !matches!(error.kind(), ErrorKind::AfterTransaction { .. }) => {
                    Attempt::Undone(Err(error.into()))
                }
                Err(error) => failed(error),
            },
            Err(error) => {
                // As in `transaction`.
                let _ = transaction.rollback().await;
                if may_succeed { Attempt::Undone(Err(error)) } else { Attempt::Done(Err(error)) }
            }
        }
    }
}

/// How an attempt at a transaction has ended.
enum Attempt<T, E> {
    /// For good.
    Done(Result<T, E>),
    /// It was undone, and may succeed if it is run again.
    Undone(Result<T, E>),
    /// Nobody knows whether it took effect; this is what it would have returned.
    Ambiguous(Result<T, E>, T),
}

fn is_ambiguous(error: &Error) -> bool {
    error.driver().is_some_and(|error| error.kind() == DriverErrorKind::AmbiguousCommit)
}

impl Transaction {
    fn new(repo: Repo) -> Self {
        Transaction { repo, ended: false, may_be_committed: false }
    }

    /// Commits the work of the transaction, or releases its savepoint.
    ///
    /// # Errors
    /// When the database refuses; no work takes effect then. If the connection broke while committing, the outcome is
    /// unknown ([`DriverErrorKind::AmbiguousCommit`](assoc_core::DriverErrorKind::AmbiguousCommit)).
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let tx = repo.begin().await?;
    /// tx.delete_all(Query::<Post>::new()).await?;
    /// tx.commit().await?;
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 0);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn commit(self) -> Result<()> {
        self.end(true).await
    }

    /// Undoes the work of the transaction, or of its savepoint.
    ///
    /// # Errors
    /// When the connection broke; no work takes effect then either.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let tx = repo.begin().await?;
    /// tx.delete_all(Query::<Post>::new()).await?;
    /// tx.rollback().await?;
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn rollback(self) -> Result<()> {
        self.end(false).await
    }

    /// Commits if a result is a success, and undoes the work otherwise.
    pub(crate) async fn finish<T>(self, result: Result<T>) -> Result<T> {
        match result {
            Ok(value) => self.commit().await.map(|()| value),
            Err(error) => {
                // The error says more than that of a failed rollback, after which the driver discards the connection.
                let _ = self.rollback().await;
                Err(error)
            }
        }
    }

    async fn end(mut self, keep: bool) -> Result<()> {
        let Some(handle) = &self.repo.transaction else { return Ok(()) };
        let outermost = handle.is_outermost();
        let hooks = handle.hooks().clone();
        self.may_be_committed = keep;
        let ended = handle.end(keep).await;
        self.may_be_committed = keep && ended.as_ref().is_err_and(is_ambiguous);
        self.ended |= ended.is_ok();
        let left = &self.repo.shared.left_hooks;
        match ended {
            Ok(()) if outermost => hooks.run(keep, left).await,
            // A connection whose ROLLBACK failed is given up, so that nothing takes effect. Only of a COMMIT it may be
            // unknown whether it was undone, and then nothing is told.
            Err(error) if outermost && !(keep && is_ambiguous(&error)) => {
                // The error of the transaction's end says more.
                let _ = hooks.run(false, left).await;
                Err(error)
            }
            ended => ended,
        }
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
            // Nothing is told of a transaction of which it is unknown whether it was undone.
            if handle.is_outermost() && !self.may_be_committed {
                self.repo.shared.left_hooks.leave(handle.hooks().take(false));
            }
        }
    }
}
