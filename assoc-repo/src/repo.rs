//! [`Repo`]: the handle through which a program reads and writes.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use assoc_core::driver::{Access, BoxFuture, Connection, Dialect, Driver, Lack, PoolStatus};
use assoc_core::execution::FilterHook;
use assoc_core::metadata::{Expr, ModelDef};
use assoc_core::sql::{TransactionControl, transaction_control};
use assoc_core::{DriverError, DriverErrorKind, Error, ErrorKind, Result};

use crate::clock::Clock;
use crate::levels::LevelHandle;
use crate::multi_db::OtherDatabase;
use crate::session::Session;
use crate::transaction::LeftHooks;

/// Runs queries and writes. It is one concrete type for any database, in and outside transactions. Cloning is cheap and
/// gives another handle of the same repo.
///
/// ```
/// use assoc_repo::prelude::*;
/// use assoc_sqlite::Sqlite;
///
/// # fn main() -> Result<()> {
/// let repo = Repo::new(Sqlite::memory()?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Repo {
    pub(crate) shared: Arc<Shared>,
    pub(crate) transaction: Option<LevelHandle>,
    pub(crate) most_statements: Option<usize>,
    // What all statements of a request stand in for but the first.
    pub(crate) lacks: Option<Lack>,
    pub(crate) filters: Option<FilterHook>,
    pub(crate) clock: Option<Clock>,
    // Whether rows are touched with those that belong to them.
    pub(crate) touches: bool,
    // How many callbacks run inside each other where this handle is used.
    pub(crate) callback_depth: u16,
    // Databases that have the rows of some models. The first one that has a model applies.
    pub(crate) other_databases: Option<Arc<[Arc<OtherDatabase>]>>,
}

pub(crate) struct Shared {
    pub(crate) driver: Arc<dyn Driver>,
    // The number of transactions that occupy a connection now.
    pub(crate) open_transactions: Arc<AtomicUsize>,
    // The text of "one row by its primary key", which is the same for every call: building it costs more than SQLite
    // takes to find the row.
    get_sql: RwLock<HashMap<TypeId, Arc<str>, BuildHasherDefault<TypeIdHasher>>>,
    // Models, with sets of columns, of which a row was inserted and read back before, so their columns fit their
    // tables.
    inserted: RwLock<HashSet<(TypeId, Box<[usize]>)>>,
    // Hooks of transactions that were dropped.
    pub(crate) left_hooks: LeftHooks,
}

impl Repo {
    /// A repo over a driver.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let repo = Repo::new(Sqlite::memory()?);
    /// repo.create_table::<Post>().await?;
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 0);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn new(driver: impl Driver) -> Self {
        Repo::from_driver(Arc::new(driver))
    }

    /// A repo over a driver that is shared already.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use assoc_repo::Repo;
    /// # use assoc_sqlite::Sqlite;
    ///
    /// # fn main() -> assoc_repo::Result<()> {
    /// let sqlite = Arc::new(Sqlite::memory()?);
    /// let repo = Repo::from_driver(sqlite.clone()); // `sqlite` still has the calls of its own type
    /// assert_eq!(repo.dialect().name(), "SQLite");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn from_driver(driver: Arc<dyn Driver>) -> Self {
        Repo {
            shared: Arc::new(Shared {
                driver,
                open_transactions: Arc::default(),
                get_sql: RwLock::default(),
                inserted: RwLock::default(),
                left_hooks: LeftHooks::default(),
            }),
            transaction: None,
            most_statements: None,
            lacks: None,
            filters: None,
            clock: None,
            touches: true,
            callback_depth: 0,
            other_databases: None,
        }
    }

    /// The driver.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let second = Repo::from_driver(repo.driver().clone()); // of the same pool
    /// assert_eq!(second.count(Query::<Post>::new()).await?, 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn driver(&self) -> &Arc<dyn Driver> {
        &self.shared.driver
    }

    /// The SQL dialect of the database.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// assert_eq!(repo.dialect().name(), "SQLite");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn dialect(&self) -> &dyn Dialect {
        self.shared.driver.dialect()
    }

    /// Whether the database compares values in these columns by their bytes.
    pub(crate) fn compares_bytes(&self, model: &ModelDef, columns: &[usize]) -> bool {
        columns.iter().all(|column| self.dialect().is_byte_comparable(model.columns[*column].sql_type))
    }

    /// The state of the driver's pool, if it has one.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let tx = repo.begin().await?; // holds a connection
    /// assert!(repo.pool_status().is_some_and(|pool| pool.idle < pool.open));
    /// tx.rollback().await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn pool_status(&self) -> Option<PoolStatus> {
        self.shared.driver.pool_status()
    }

    /// Whether this handle belongs to a transaction.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let tx = repo.begin().await?;
    /// assert!(tx.in_transaction() && !repo.in_transaction());
    /// tx.rollback().await?;
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// A handle of the same repo that is filtered. For every model of a query, of a preload or of a condition on an
    /// association, the function returns the condition that its rows must satisfy. It is for tenancy and soft delete.
    /// Transactions of the handle are filtered as well, and so is [`destroy`](Self::destroy) with all its forms.
    ///
    /// Writes are filtered too: rows that the handle does not see are not found by `update` and `delete`, and not among
    /// those of `update_all` and `delete_all`. A row that it would not see afterwards, or that refers to one that it does
    /// not see, is refused ([`ErrorKind::OutsideFilter`](assoc_core::ErrorKind::OutsideFilter)). Where only the database can
    /// tell, that costs a statement more. Raw SQL is not filtered.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::core::metadata::Expr;
    /// # use assoc_sqlite::Sqlite;
    /// # let repo = Repo::new(Sqlite::memory().unwrap());
    /// // Every model that has a tenant shows this tenant's rows only.
    /// let tenant = repo.filtered(|model| {
    ///     let column = model.column("tenant_id").ok()?;
    ///     Some(Expr::equals(column.name, Value::from(7)))
    /// });
    /// ```
    #[must_use]
    pub fn filtered(&self, filter: impl Fn(&'static ModelDef) -> Option<Expr> + Send + Sync + 'static) -> Repo {
        let filters: FilterHook = match self.filters.clone() {
            None => Arc::new(filter),
            Some(before) => Arc::new(move |model| match (before(model), filter(model)) {
                (Some(one), Some(other)) => Some(one.and(other)),
                (one, other) => one.or(other),
            }),
        };
        Repo { filters: Some(filters), ..self.clone() }
    }

    /// A handle of the same repo whose calls may run at most `limit` statements each, preloads included. A call that
    /// needs more fails with [`ErrorKind::TooManyStatements`](assoc_core::ErrorKind::TooManyStatements), which shows
    /// its plan. The limit holds for each call by itself; [`statement_budget`](Self::statement_budget) limits all calls
    /// of a future together. BEGIN and COMMIT are not counted.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # repo.insert(User::build()).await?;
    /// let careful = repo.max_statements(1);
    /// assert!(careful.all(Query::<User>::new()).await.is_ok());
    /// assert!(careful.all(Query::preload(User::POSTS)).await.is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn max_statements(&self, limit: usize) -> Repo {
        Repo { most_statements: Some(limit), ..self.clone() }
    }

    /// Runs a future that may cause at most `most` statements in all, on any handle: a handler, a job. The first
    /// statement beyond that does not run, and its call fails with
    /// [`ErrorKind::TooManyStatements`](assoc_core::ErrorKind::TooManyStatements). The budget counts the same
    /// statements as [`count_statements`](Self::count_statements).
    ///
    /// # Errors
    /// [`ErrorKind::TooManyStatements`](assoc_core::ErrorKind::TooManyStatements) if the future needed more statements,
    /// even if it swallowed or converted the error of its call; otherwise `Ok` with the future's output.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// async fn handler(repo: &Repo) -> String {
    ///     let mut found = 0;
    ///     for id in 1..=5 {
    ///         found += usize::from(repo.get::<User>(id, Query::new()).await.is_ok_and(|user| user.is_some()));
    ///     }
    ///     format!("{found} users")
    /// }
    ///
    /// assert_eq!(repo.statement_budget(5, handler(&repo)).await?, "0 users");
    /// let error = repo.statement_budget(4, handler(&repo)).await.unwrap_err();
    /// assert!(matches!(error.kind(), ErrorKind::TooManyStatements { limit: 4, .. }));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn statement_budget<F: Future>(&self, most: usize, future: F) -> Result<F::Output> {
        crate::log::limit(most, future).await
    }

    /// Runs a future and returns its output with the number of statements it caused. A test can assert that number, so
    /// that no query hides in a loop. BEGIN, COMMIT and savepoints are not counted, nor is work that the future hands
    /// to another task.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// let (users, statements) = repo.count_statements(repo.all(Query::<User>::new())).await;
    /// assert_eq!(statements, 1);
    /// # users?; Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn count_statements<F: Future>(&self, future: F) -> (F::Output, usize) {
        crate::log::count(future).await
    }

    /// Refuses SQL that would begin a transaction on a connection that returns to the pool, or end a transaction
    /// without its handle.
    pub(crate) fn refuse_transaction_control(&self, sql: &str) -> Result<()> {
        match transaction_control(sql) {
            Some(TransactionControl::Savepoint) if self.in_transaction() => Ok(()),
            Some(_) => Err(ErrorKind::Transaction(
                "it is begun and ended by `repo.transaction` or `repo.begin`, and savepoints by the same on its handle: a \
                 connection does not stay with the SQL that was run on it",
            )
            .into()),
            None => Ok(()),
        }
    }

    /// A connection for one request.
    pub(crate) async fn session(&self, access: Access) -> Result<Session<'_>> {
        let mut session = match &self.transaction {
            Some(handle) if handle.is_read_only() && access == Access::Write => {
                let message = "it was begun for reading only: write in another";
                return Err(ErrorKind::Transaction(message).into());
            }
            Some(handle) => {
                if access == Access::Write {
                    handle.note_write();
                }
                Session::in_transaction(self, handle).await
            }
            None => Session::own(self, self.acquire(access).await?, access),
        };
        session.limit_statements(self.most_statements);
        Ok(session)
    }

    /// A session on a connection that is free, unless there is something to wait for. It is no future, which would be moved several
    /// times on its way to a short read.
    #[inline]
    pub(crate) fn session_now(&self, access: Access) -> Option<Session<'_>> {
        if self.transaction.is_some() || self.shared.left_hooks.are_there() {
            return None;
        }
        let mut session = Session::own(self, self.shared.driver.acquire_now(access)?, access);
        session.limit_statements(self.most_statements);
        Some(session)
    }

    /// A connection from the pool.
    pub(crate) async fn acquire(&self, access: Access) -> Result<Box<dyn Connection>> {
        if self.shared.left_hooks.are_there() {
            // A boxed future, because they use repos.
            let hooks: BoxFuture<'_, ()> = Box::pin(self.run_left_hooks());
            hooks.await;
        }
        match self.shared.driver.acquire_now(access) {
            Some(connection) => Ok(connection),
            None => self.shared.driver.acquire(access).await.map_err(|error| self.blame_open_transactions(error)),
        }
    }

    // The most frequent reason for an empty pool: a call uses the repo inside a transaction of the same repo, and waits
    // for the connection that this transaction occupies.
    #[cold]
    fn blame_open_transactions(&self, error: Error) -> Error {
        let open = self.shared.open_transactions.load(Ordering::Relaxed);
        let timeout = error.driver().filter(|error| error.kind() == DriverErrorKind::PoolTimeout);
        let Some(timeout) = timeout.filter(|_| open > 0) else { return error };
        let message = format!(
            "{}; open transactions of this repo hold {open}: a call made inside a transaction has to use its handle \
             (`tx`), because the repo waits for another connection",
            timeout.message()
        );
        DriverError::new(DriverErrorKind::PoolTimeout, message).with_source(error).into()
    }

    pub(crate) fn get_sql(&self, model: TypeId, write: impl FnOnce() -> Result<Arc<str>>) -> Result<Arc<str>> {
        // A panic under the lock leaves a complete map, because the only change is one insert.
        if let Some(sql) = self.shared.get_sql.read().unwrap_or_else(PoisonError::into_inner).get(&model) {
            return Ok(Arc::clone(sql));
        }
        let sql = write()?;
        self.shared.get_sql.write().unwrap_or_else(PoisonError::into_inner).insert(model, Arc::clone(&sql));
        Ok(sql)
    }

    /// Whether a row with exactly these columns was inserted and read back before.
    pub(crate) fn has_inserted(&self, insert: &(TypeId, Box<[usize]>)) -> bool {
        self.shared.inserted.read().unwrap_or_else(PoisonError::into_inner).contains(insert)
    }

    /// Notes that such a row was inserted and read back.
    pub(crate) fn note_inserted(&self, insert: (TypeId, Box<[usize]>)) {
        // A program that sets columns in any combination must not fill the memory with them.
        const MOST: usize = 4_096;
        let mut inserted = self.shared.inserted.write().unwrap_or_else(PoisonError::into_inner);
        if inserted.len() < MOST {
            inserted.insert(insert);
        }
    }
}

impl fmt::Debug for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repo")
            .field("dialect", &self.dialect().name())
            .field("in_transaction", &self.in_transaction())
            .finish_non_exhaustive()
    }
}

/// Takes a `TypeId` as it is, because it is a hash already.
#[derive(Default)]
struct TypeIdHasher(u64);

impl Hasher for TypeIdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
