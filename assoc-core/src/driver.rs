//! The traits of a backend: a [`Driver`] hands out [`Connection`]s, which push rows into a [`RowSink`].
//!
//! ```text
//!  program ──▶ Repo ──▶ planner (pure) ──▶ Statement ──▶ Connection::query ──▶ database
//!               ▲                                              │
//!               └────────────── RowSink::row ◀─────────────────┘   one call per row, all columns at once
//! ```
//!
//! # The contract
//!
//! * All traits are object safe; a repo has an `Arc<dyn Driver>`. That costs one boxed future per statement and one
//!   virtual call per row.
//! * [`Driver::acquire`] MUST hand out a connection that is not inside a transaction, and MUST wait rather than fail
//!   when all connections are in use, up to the driver's own time limit ([`DriverErrorKind::PoolTimeout`] then).
//!   [`DriverErrorKind::Unavailable`] says that no connection could be made. [`Driver::acquire_now`] hands out the same
//!   without waiting, or nothing: also where a connection is free for a task that waits.
//! * A connection returns to its pool when dropped. If it is dropped inside a transaction, or while a statement was
//!   running (a cancelled future), the driver MUST roll back or throw the connection away; it MUST NOT hand out a
//!   connection in an unknown state.
//! * `query` MUST call the sink once per row, in order, with exactly the columns of the statement. If the sink fails,
//!   `query` MUST stop and return its error. The connection MUST stay usable after that.
//! * `query` MUST pass the names of the columns to a sink that [wants them](RowSink::wants_columns), before the first
//!   row, or before the end if there is none. The repo checks hand-written statements by these names. Other sinks do
//!   not want them, and cost nothing.
//! * `values` belong to the driver between calls. The sink may take buffers out of them (`Cow::Owned`), so a driver
//!   SHOULD pass owned those buffers that it does not need again, and borrowed all others.
//! * `execute` MUST report as affected the rows that matched, even where nothing changed in them.
//! * `query_together` runs several statements that read and do not need each other's rows. It MUST give the
//!   rows of each statement to the sink of that statement, as `query` does.
//! * It MUST tell the [watch](StatementWatch) that a statement begins before it sends the statement, and that it has ended
//!   when its answer has come, both in the order of the statements. A statement that the watch refuses MUST NOT run, and
//!   neither do those after it. Those before it run.
//! * It MUST return the error of the first statement, in their order, that fails or is refused. Where one fails, the others
//!   may have run or not, and their sinks may have rows. A failure inside a transaction has the consequence that it has
//!   after `query`.
//! * By default one statement runs after the other. A driver whose server takes a statement before it has answered the one
//!   before SHOULD send all of them at once: then they take one turn. Another may run some on other connections that are
//!   idle, outside a transaction only. It never waits for one: tasks that each hold a connection and wait for another
//!   would wait for ever.
//! * Every failure MUST be an [`Error`](crate::Error) of a [`DriverError`] with the right class;
//!   the class decides about retries and about which message a user sees. A panic is a defect.
//! * A panic inside the sink (a user's decoder) MUST NOT leave the pool locked or the connection in an unknown state.
//! * `begin` starts a transaction: [`TransactionMode::Write`] takes the write lock at once where that avoids later
//!   deadlocks, [`TransactionMode::Read`] gives one snapshot where the database has such a thing. Savepoints nest
//!   inside it by depth; the repo numbers them, and never sets one at a depth where another is open. A `begin` inside a
//!   transaction MUST fail: some databases would commit the open transaction, others would go on with it.
//! * The driver prepares statements and caches them by their text. It SHOULD bound that cache. A statement that failed
//!   MUST NOT make later ones of the same text fail.
//!
//! ## What an error means inside a transaction
//!
//! * A statement that fails inside a transaction MUST have one of three consequences, and the driver MUST know which:
//!   1. The statement alone is undone, and the transaction goes on: SQLite and MySQL with most errors.
//!   2. The transaction is *aborted*: it is open, and refuses every statement until `rollback`, or until
//!      `rollback_to_savepoint` of a savepoint that was set before the error. PostgreSQL with every error.
//!   3. The transaction is *undone*: the database has rolled it back by itself. MySQL after a deadlock, SQLite after an
//!      interrupted write, any database that lost its connection. Every statement and savepoint MUST be refused until
//!      `rollback` or `commit`, because it would take effect outside of the transaction.
//! * `commit` MUST return `Ok` only if all work reported as done since `begin` has taken effect. Some databases report
//!   success for the COMMIT of an aborted transaction after they roll it back: the driver MUST read that answer, or
//!   remember the error, and fail. After `Err` nothing has taken effect. The exception is
//!   [`DriverErrorKind::AmbiguousCommit`], for a connection that broke after COMMIT was sent; a COMMIT that could not
//!   be sent is [`DriverErrorKind::ConnectionLost`].
//! * A statement may end the transaction that it runs in (COMMIT in a procedure, DDL on MySQL), or leave a transaction
//!   open that it began. If the database reports this, the driver MUST refuse all later statements in the former case,
//!   and MUST roll back and fail in the latter. (The repo refuses SQL that is a COMMIT or a BEGIN by its text.) A
//!   driver SHOULD remove from its session what a statement leaves there, such as variables and settings, before it
//!   hands out the connection again.
//! * A driver MAY send what `begin`, `savepoint` and `release_savepoint` stand for with the next statement. That statement
//!   then has their errors. Where the statement may have taken effect by itself, because `begin` was refused, the error is
//!   [`DriverErrorKind::AmbiguousCommit`].
//! * The program may drop any future half-way, also those of `savepoint`, `release_savepoint` and
//!   `rollback_to_savepoint`. A driver that keeps the connection MUST wait for the statement it began.
//!   `rollback_to_savepoint` MUST succeed if the savepoint no longer exists, because an earlier call whose answer was
//!   dropped has undone or released it.

pub use crate::dialect::{Capabilities, Dialect};
use crate::error::Result;
pub use crate::key::KeySet;
pub use crate::row_sink::{AnswerColumn, BoxFuture, RowSink};
pub use crate::statement::{Bind, BindList, Lack, Statement, StatementKind, StatementRole};

#[cfg(doc)]
use crate::error::{DriverError, DriverErrorKind};

/// What a statement that returns no rows did.
///
/// ```
/// use assoc_core::driver::ExecResult;
///
/// // `UPDATE …` whose condition held for three rows, and `INSERT …` of one and of two.
/// assert_eq!(ExecResult::new(3, None).affected, 3);
/// assert_eq!(ExecResult::new(1, Some(7)).last_insert_id, Some(7));
/// assert_eq!(ExecResult::new(2, None).with_last_of_several(8).last_of_several, Some(8));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExecResult {
    /// The number of rows that matched, whether or not they changed.
    pub affected: u64,
    /// The id the database made for the single row that was inserted, if it made one and says so.
    pub last_insert_id: Option<i64>,
    /// Of an `INSERT` of several rows, the key that the database made for the row that was inserted last, if the driver
    /// knows it.
    pub last_of_several: Option<i64>,
}

impl ExecResult {
    /// What a statement did.
    #[must_use]
    pub fn new(affected: u64, last_insert_id: Option<i64>) -> Self {
        ExecResult { affected, last_insert_id, last_of_several: None }
    }

    /// The same, of an `INSERT` of several rows whose last one has this key.
    #[must_use]
    pub fn with_last_of_several(mut self, key: i64) -> Self {
        self.last_of_several = Some(key);
        self
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransactionMode {
    /// Reading only, all statements seeing one snapshot where the database offers it.
    Read,
    /// Reading and writing.
    Write,
}

/// How far transactions that run at the same time see of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum IsolationLevel {
    /// Also what is not committed yet.
    ReadUncommitted,
    /// What is committed when a statement begins.
    ReadCommitted,
    /// What was committed when the transaction began to read, again and again.
    RepeatableRead,
    /// As if they ran one after the other.
    Serializable,
}

/// One of several statements that run together, and where its rows go.
///
/// ```
#[doc = include_str!("../docs/connection.txt")]
/// use assoc_core::Value;
/// use assoc_core::driver::{IndependentQuery, Statement};
///
/// let (users, posts) = (Statement::plain("SELECT 1"), Statement::plain("SELECT 2"));
/// let (mut of_users, mut of_posts) = (Vec::new(), Vec::new());
/// let mut first = |row: &mut [Value<'_>]| Ok(of_users.push(row[0].to_string()));
/// let mut second = |row: &mut [Value<'_>]| Ok(of_posts.push(row[0].to_string()));
/// let queries = [IndependentQuery::new(&users, &mut first), IndependentQuery::new(&posts, &mut second)];
/// // Each statement has its own sink, whatever runs first.
/// for IndependentQuery { statement, sink } in queries.into_iter().rev() {
///     block_on(Echo.query(statement, sink)).unwrap();
/// }
/// assert_eq!((of_users, of_posts), (vec!["\"SELECT 1\"".into()], vec!["\"SELECT 2\"".to_owned()]));
/// ```
pub struct IndependentQuery<'a> {
    /// The statement. It reads, and needs no row of the others.
    pub statement: &'a Statement,
    /// Takes its rows.
    pub sink: &'a mut dyn RowSink,
}

impl<'a> IndependentQuery<'a> {
    /// A statement with its sink.
    pub fn new(statement: &'a Statement, sink: &'a mut dyn RowSink) -> Self {
        IndependentQuery { statement, sink }
    }
}

/// Sees the statements of [`Connection::query_together`] begin and end, to count, time, log and refuse them.
///
/// Each call names a statement by its position.
///
/// A watch that lets no more than some statements run:
///
/// ```
#[doc = include_str!("../docs/connection.txt")]
/// use assoc_core::driver::{IndependentQuery, Statement, StatementWatch};
/// use assoc_core::{ErrorKind, Result, Value};
///
/// struct AtMost(usize, Vec<usize>);
///
/// impl StatementWatch for AtMost {
///     fn begins(&mut self, at: usize) -> Result<()> {
///         if at < self.0 { Ok(()) } else { Err(ErrorKind::Transaction("too many statements").into()) }
///     }
///
///     fn ended(&mut self, at: usize, result: &Result<()>) {
///         assert!(result.is_ok());
///         self.1.push(at);
///     }
/// }
///
/// let statement = Statement::plain("SELECT 1");
/// let mut sinks = [(); 3].map(|()| |_: &mut [Value<'_>]| Ok(()));
/// let queries = sinks.iter_mut().map(|sink| IndependentQuery::new(&statement, sink)).collect();
/// let mut watch = AtMost(2, Vec::new());
/// assert!(block_on(Echo.query_together(queries, &mut watch)).is_err());
/// assert_eq!(watch.1, [0, 1]);
/// ```
pub trait StatementWatch: Send {
    /// The statement is about to be sent.
    ///
    /// # Errors
    /// When the statement must not run. The driver sends neither it nor those after it, and returns this error if no
    /// statement before it fails. [`ended`](Self::ended) is not called for it.
    fn begins(&mut self, at: usize) -> Result<()>;

    /// The answer of the statement has come.
    fn ended(&mut self, at: usize, result: &Result<()>);
}

/// One connection to a database, used by one task at a time. The contract is in the [module documentation](self).
///
/// A connection without a database, which answers every statement with its own text:
///
/// ```
/// # use assoc_core::driver::{BoxFuture, Connection, ExecResult, IsolationLevel, RowSink, Statement, TransactionMode};
/// # use assoc_core::{ErrorKind, Result, Value};
/// #[derive(Default)]
/// struct Echo {
///     inside: bool,
///     savepoints: Vec<u32>,
/// }
///
/// impl Connection for Echo {
///     fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
///         // An error of the sink ends the statement, and is the error of the statement.
///         Box::pin(async move { sink.row(&mut [statement.sql().into()]) })
///     }
///
///     fn execute<'a>(&'a mut self, _: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
///         Box::pin(async { Ok(ExecResult::new(1, None)) })
///     }
///
///     fn begin(&mut self, _: TransactionMode) -> BoxFuture<'_, Result<()>> {
///         Box::pin(async {
///             if std::mem::replace(&mut self.inside, true) {
///                 return Err(ErrorKind::Transaction("there is one already").into());
///             }
///             Ok(())
///         })
///     }
///
///     fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
///         self.rollback() // There is nothing to keep.
///     }
///
///     fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
///         Box::pin(async { Ok(*self = Echo::default()) })
///     }
///
///     fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
///         Box::pin(async move { Ok(self.savepoints.push(depth)) })
///     }
///
///     fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
///         self.rollback_to_savepoint(depth)
///     }
///
///     fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
///         // One that is not there is no error.
///         Box::pin(async move { Ok(self.savepoints.retain(|open| *open < depth)) })
///     }
/// }
/// # fn block_on<T>(future: impl Future<Output = T>) -> T {
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     match std::pin::pin!(future).as_mut().poll(&mut context) {
/// #         std::task::Poll::Ready(output) => output,
/// #         std::task::Poll::Pending => panic!("nothing of this waits"),
/// #     }
/// # }
///
/// let mut connection = Echo::default();
/// let mut answer = Vec::new();
/// let mut sink = |row: &mut [Value<'_>]| Ok(answer.push(row[0].to_string()));
/// block_on(connection.query(&Statement::plain("SELECT 1"), &mut sink))?;
/// assert_eq!(answer, ["\"SELECT 1\""]);
///
/// block_on(connection.begin(TransactionMode::Write))?;
/// assert!(block_on(connection.begin(TransactionMode::Write)).is_err());
/// block_on(connection.savepoint(1))?;
/// block_on(connection.rollback_to_savepoint(1))?;
/// block_on(connection.release_savepoint(1))?;
/// block_on(connection.commit())?;
/// assert!(!connection.inside && connection.savepoints.is_empty());
///
/// // What a driver need not have.
/// assert!(block_on(connection.begin_isolated(TransactionMode::Read, IsolationLevel::Serializable)).is_err());
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub trait Connection: Send {
    /// Runs a statement and pushes its rows into the sink.
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>>;

    /// Runs several statements that read and do not depend on one another. By default, one after the other. The example of
    /// [`StatementWatch`] runs some.
    ///
    /// ```
    #[doc = include_str!("../docs/connection.txt")]
    /// use assoc_core::driver::{IndependentQuery, Statement, StatementWatch};
    /// use assoc_core::{Result, Value};
    /// # struct All;
    /// # impl StatementWatch for All {
    /// #     fn begins(&mut self, _: usize) -> Result<()> {
    /// #         Ok(())
    /// #     }
    /// #     fn ended(&mut self, _: usize, _: &Result<()>) {}
    /// # }
    ///
    /// let (statement, mut texts) = (Statement::plain("SELECT 1"), Vec::new());
    /// let mut sink = |row: &mut [Value<'_>]| Ok(texts.push(row[0].clone().into_owned()));
    /// let queries = vec![IndependentQuery::new(&statement, &mut sink)];
    /// block_on(Echo.query_together(queries, &mut All)).unwrap();
    /// assert_eq!(texts, [Value::from("SELECT 1")]);
    /// ```
    fn query_together<'a>(
        &'a mut self,
        queries: Vec<IndependentQuery<'a>>,
        watch: &'a mut dyn StatementWatch,
    ) -> BoxFuture<'a, Result<()>> {
        Box::pin(one_after_the_other(self, queries, watch))
    }

    /// Runs a statement that returns no rows.
    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>>;

    /// Starts a transaction. The connection is not inside one.
    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>>;

    /// Starts a transaction of at least an isolation level. A database whose transactions are always isolated as far, or
    /// farther, need do nothing about it.
    fn begin_isolated(&mut self, mode: TransactionMode, level: IsolationLevel) -> BoxFuture<'_, Result<()>> {
        let _ = mode;
        Box::pin(async move {
            let what = format!("transactions of a chosen isolation level ({level:?})");
            Err(crate::error::Error::unsupported("this driver", what))
        })
    }

    /// Commits the transaction: `Ok` only if everything that was reported as done has taken effect. After an error the
    /// connection MUST be outside a transaction or broken.
    fn commit(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Rolls the transaction back. Also succeeds when the database has already done so by itself.
    fn rollback(&mut self) -> BoxFuture<'_, Result<()>>;

    /// Sets the savepoint of a nesting depth (1 is the outermost).
    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;

    /// Forgets the savepoint of a depth, keeping what was done since.
    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;

    /// Undoes what was done since the savepoint of a depth, and forgets it. Can be repeated: a savepoint that is not there
    /// is no error.
    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>>;
}

/// What [`Connection::query_together`] does by default. For drivers that can send only some statements together.
///
/// # Errors
/// That of the first statement that fails or is refused.
///
/// A driver that sends only some statements together hands the others to this. It tells the watch of each.
///
/// ```
#[doc = include_str!("../docs/connection.txt")]
/// use assoc_core::driver::{IndependentQuery, Statement, StatementWatch, one_after_the_other};
/// use assoc_core::{Result, Value};
/// # struct Ended(usize);
/// # impl StatementWatch for Ended {
/// #     fn begins(&mut self, _: usize) -> Result<()> {
/// #         Ok(())
/// #     }
/// #     fn ended(&mut self, _: usize, _: &Result<()>) {
/// #         self.0 += 1;
/// #     }
/// # }
///
/// let (one, other) = (Statement::plain("SELECT 1"), Statement::plain("SELECT 2"));
/// let (mut rows, mut more) = (0, 0);
/// let mut sinks = (|_: &mut [Value<'_>]| Ok(rows += 1), |_: &mut [Value<'_>]| Ok(more += 1));
/// let queries = vec![IndependentQuery::new(&one, &mut sinks.0), IndependentQuery::new(&other, &mut sinks.1)];
/// let mut watch = Ended(0);
/// block_on(one_after_the_other(&mut Echo, queries, &mut watch)).unwrap();
/// assert_eq!((rows, more, watch.0), (1, 1, 2));
/// ```
pub async fn one_after_the_other<C: Connection + ?Sized>(
    connection: &mut C,
    queries: Vec<IndependentQuery<'_>>,
    watch: &mut dyn StatementWatch,
) -> Result<()> {
    for (at, IndependentQuery { statement, sink }) in queries.into_iter().enumerate() {
        watch.begins(at)?;
        let result = connection.query(statement, sink).await;
        watch.ended(at, &result);
        result?;
    }
    Ok(())
}

/// How a pool is doing.
///
/// ```
/// use assoc_core::driver::PoolStatus;
///
/// let status = PoolStatus::new(5, 2, 10);
/// assert_eq!(status.open - status.idle, 3, "connections in use");
/// assert!(status.open < status.max, "room for more");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PoolStatus {
    /// Connections that are open.
    pub open: usize,
    /// Open connections that are not in use.
    pub idle: usize,
    /// The most connections there may be.
    pub max: usize,
}

impl PoolStatus {
    /// Counts of a pool.
    #[must_use]
    pub fn new(open: usize, idle: usize, max: usize) -> Self {
        PoolStatus { open, idle, max }
    }
}

/// What a connection will be used for, so that a driver with several kinds (one writer, several readers; a primary
/// and replicas) can choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Only statements that read.
    Read,
    /// Any statement.
    Write,
}

/// A database: its dialect and a supply of connections. The contract is in the [module documentation](self).
///
/// A driver with one connection, which the pool of a real one would lend:
///
/// ```
#[doc = include_str!("../docs/connection.txt")]
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::Result;
/// use assoc_core::driver::{Access, BoxFuture, Dialect, Driver, PoolStatus};
///
/// struct EchoDriver {
///     dialect: StandardSql,
/// }
///
/// impl Driver for EchoDriver {
///     fn dialect(&self) -> &dyn Dialect {
///         &self.dialect
///     }
///
///     fn acquire(&self, _: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
///         Box::pin(async { Ok(Box::new(Echo) as Box<dyn Connection>) })
///     }
///
///     fn pool_status(&self) -> Option<PoolStatus> {
///         Some(PoolStatus::new(1, 1, 1))
///     }
/// }
///
/// let driver: std::sync::Arc<dyn Driver> = std::sync::Arc::new(EchoDriver { dialect: StandardSql::default() });
/// assert!(block_on(driver.acquire(Access::Read)).is_ok());
/// assert_eq!((driver.dialect().name(), driver.pool_status().map(|pool| pool.max)), ("standard SQL", Some(1)));
/// // Without a way of its own it has no connection at once: `acquire` is asked.
/// assert!(driver.acquire_now(Access::Read).is_none());
/// ```
pub trait Driver: Send + Sync + 'static {
    /// How this database wants its SQL, and what it can do.
    fn dialect(&self) -> &dyn Dialect;

    /// A connection for the caller alone, until it is dropped. `access` says what the caller does with it.
    fn acquire(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>>;

    /// The same where a connection is free now and no task waits for one: it spares such a request the future. `None` says
    /// nothing about why: [`acquire`](Self::acquire) is asked then. A driver need not have it.
    fn acquire_now(&self, access: Access) -> Option<Box<dyn Connection>> {
        let _ = access;
        None
    }

    /// How the pool is doing, if there is one.
    fn pool_status(&self) -> Option<PoolStatus> {
        None
    }
}
