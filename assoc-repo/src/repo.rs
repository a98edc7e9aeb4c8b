//! [`Repo`]: the handle applications hold.

use std::any::TypeId;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use assoc_core::driver::{Access, Driver, PoolStatus};
use assoc_core::{Dialect, Expr, FilterHook, ModelDef, Result};

use crate::elsewhere::Elsewhere;
use crate::session::{Session, TransactionHandle};

/// Runs queries and writes. One concrete type for any database, in and outside transactions; cloning it is cheap and
/// gives another handle of the same.
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
    pub(crate) transaction: Option<TransactionHandle>,
    pub(crate) most_statements: Option<usize>,
    pub(crate) filters: Option<FilterHook>,
    // Databases that have the rows of some models; the first that holds a model counts.
    pub(crate) elsewhere: Option<Arc<[Arc<Elsewhere>]>>,
}

pub(crate) struct Shared {
    pub(crate) driver: Arc<dyn Driver>,
    // The text of "one row by its primary key", which is the same for every call: building it costs more than SQLite
    // takes to find the row.
    get_sql: RwLock<HashMap<TypeId, Arc<str>, BuildHasherDefault<TypeIdHasher>>>,
    // Models, and sets of columns, of which a row was inserted and read before: their columns fit their table's.
    inserted: RwLock<HashSet<(TypeId, Box<[usize]>)>>,
}

impl Repo {
    /// A repo over a driver.
    #[must_use]
    pub fn new(driver: impl Driver) -> Self {
        Repo::from_driver(Arc::new(driver))
    }

    /// A repo over a driver that is shared already.
    #[must_use]
    pub fn from_driver(driver: Arc<dyn Driver>) -> Self {
        Repo {
            shared: Arc::new(Shared { driver, get_sql: RwLock::default(), inserted: RwLock::default() }),
            transaction: None,
            most_statements: None,
            filters: None,
            elsewhere: None,
        }
    }

    /// The driver.
    #[must_use]
    pub fn driver(&self) -> &Arc<dyn Driver> {
        &self.shared.driver
    }

    /// How the database wants its SQL.
    #[must_use]
    pub fn dialect(&self) -> &dyn Dialect {
        self.shared.driver.dialect()
    }

    /// How the driver's pool is doing, if it has one.
    #[must_use]
    pub fn pool_status(&self) -> Option<PoolStatus> {
        self.shared.driver.pool_status()
    }

    /// Whether this handle is a transaction's.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        self.transaction.is_some()
    }

    /// A handle of the same repo whose reads are filtered: for every model that a query, a preload or a condition on an
    /// association looks into, the function says which rows there are. For tenancy and soft delete; transactions of the
    /// handle are filtered as well. Raw SQL and writes are not.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_repo::core::Expr;
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

    /// A handle of the same repo whose requests may run so many statements each: a request that needs more fails with
    /// [`ErrorKind::TooManyStatements`](assoc_core::ErrorKind::TooManyStatements), which shows its plan. BEGIN and COMMIT
    /// are not counted.
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

    /// Runs a future and returns its output with the number of statements it caused, for tests of one's own: no query
    /// can hide in a loop. BEGIN, COMMIT and savepoints are not counted, nor is work handed to another task.
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

    /// A connection for one request.
    pub(crate) async fn session(&self, access: Access) -> Result<Session<'_>> {
        let mut session = match &self.transaction {
            Some(handle) => Session::in_transaction(self, Arc::clone(&handle.state).lock_owned().await),
            None => Session::own(self, self.shared.driver.acquire(access).await?, access),
        };
        session.limit_statements(self.most_statements);
        Ok(session)
    }

    pub(crate) fn get_sql(&self, model: TypeId, write: impl FnOnce() -> Result<Arc<str>>) -> Result<Arc<str>> {
        // A panic while the lock is held leaves a map that is whole all the same.
        if let Some(sql) = self.shared.get_sql.read().unwrap_or_else(PoisonError::into_inner).get(&model) {
            return Ok(Arc::clone(sql));
        }
        let sql = write()?;
        self.shared.get_sql.write().unwrap_or_else(PoisonError::into_inner).insert(model, Arc::clone(&sql));
        Ok(sql)
    }

    /// Whether a row that set these columns was inserted and read before.
    pub(crate) fn has_inserted(&self, insert: &(TypeId, Box<[usize]>)) -> bool {
        self.shared.inserted.read().unwrap_or_else(PoisonError::into_inner).contains(insert)
    }

    /// Notes that one was.
    pub(crate) fn note_inserted(&self, insert: (TypeId, Box<[usize]>)) {
        // An application that sets columns in any combination does not fill the memory with them.
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

/// Takes a `TypeId` as it is: a hash already.
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
