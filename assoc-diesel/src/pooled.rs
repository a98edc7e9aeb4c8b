//! An r2d2 pool of Diesel's connections.
//!
//! Diesel's calls block, and a thread of a runtime that is blocked runs no other task. So statements leave it: in place on a
//! multi-threaded runtime, where the other tasks move away, and on one of the runtime's blocking threads where there is
//! only one. Rows come back from there as owned values, all at once.
//!
//! In place, the other futures of the same task stand still. On PostgreSQL and MySQL one of them may hold the lock that the statement
//! waits for, and then both wait for ever. So their statements are always on a blocking thread.
//!
//! A statement on another thread goes on when its future is dropped. The next statement of the same connection waits for it, and
//! a connection that was dropped as well is rolled back and returned when the statement is over.

use std::sync::Arc;
use std::time::Duration;

use assoc_core::dialect::Dialect;
use assoc_core::driver::AnswerColumn;
use assoc_core::driver::{Access, BoxFuture, Connection, Driver, ExecResult, PoolStatus, RowSink, Statement};
use assoc_core::{DriverErrorKind, Error, Result, Value};
use diesel::r2d2::{ConnectionManager, Pool, PooledConnection, R2D2Connection};
use tokio::runtime::{Handle as Runtime, RuntimeFlavor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::client::sealed::Waits;
use crate::errors;
use crate::learnt::Learnt;
use crate::levels::{Levels, undo_to};
use crate::work::{Control, Handle, Place, Work};

/// The thread on which statements run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Execution {
    /// SQLite: in place on a multi-threaded runtime of tokio, on a blocking thread of a current-thread one. PostgreSQL and
    /// MySQL: on a blocking thread of either. Without a runtime: on the calling thread.
    #[default]
    Auto,
    /// Always on the calling thread: for programs without other tasks to stall. On a `LocalSet`, where tokio refuses to
    /// block in place, it is the one to choose.
    Inline,
}

/// A driver over an r2d2 pool of Diesel's connections. The application uses the same pool as before.
///
/// ```
/// use assoc_diesel::Pooled;
/// use assoc_repo::prelude::*;
/// use diesel::connection::SimpleConnection;
/// use diesel::prelude::*;
/// use diesel::r2d2::{ConnectionManager, Pool};
///
/// #[derive(Model, Debug, Clone)]
/// pub struct User {
///     pub id: i64,
///     pub name: String,
/// }
///
/// # let folder = tempfile::tempdir().unwrap();
/// # let path = folder.path().join("blog.db").display().to_string();
/// let pool = Pool::builder().max_size(4).build(ConnectionManager::<SqliteConnection>::new(path)).unwrap();
/// pool.get().unwrap().batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").unwrap();
/// let repo = Repo::new(Pooled::new(pool)?);
/// # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
/// repo.insert(User::build().set(User::NAME, "Ada")).await?;
/// assert_eq!(repo.count(Query::<User>::new()).await?, 1);
/// # Ok::<(), Error>(())
/// # })?;
/// # Ok::<(), Error>(())
/// ```
pub struct Pooled<C: R2D2Connection + 'static> {
    pool: Pool<ConnectionManager<C>>,
    dialect: Box<dyn Dialect>,
    execution: Execution,
    // Waiting for one of its permits holds no thread; `Pool::get` does.
    turns: Arc<Semaphore>,
    learnt: Arc<Learnt>,
}

impl<C: Client + R2D2Connection + 'static> Pooled<C> {
    /// A driver over a pool. It takes a connection once, to ask its database for the version.
    ///
    /// # Errors
    /// When the pool has no connection to give, or the database does not answer.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db").display().to_string();
    /// # use assoc_diesel::Pooled;
    /// # use assoc_repo::prelude::*;
    /// # use diesel::SqliteConnection;
    /// # use diesel::r2d2::{ConnectionManager, Pool};
    /// let pool = Pool::builder().max_size(4).build(ConnectionManager::<SqliteConnection>::new(path)).unwrap();
    /// let repo = Repo::new(Pooled::new(pool.clone())?); // the application goes on using `pool`
    /// # let _ = repo;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn new(pool: Pool<ConnectionManager<C>>) -> Result<Self> {
        let mut connection = pool.get().map_err(|error| no_connection(&pool, error))?;
        let dialect = connection.dialect()?;
        drop(connection);
        let turns = Arc::new(Semaphore::new(pool.max_size() as usize));
        Ok(Pooled { pool, dialect, execution: Execution::default(), turns, learnt: Arc::default() })
    }

    /// Chooses the thread on which statements run.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db").display().to_string();
    /// # use assoc_diesel::{Execution, Pooled};
    /// # use assoc_repo::prelude::*;
    /// # use diesel::SqliteConnection;
    /// # use diesel::r2d2::{ConnectionManager, Pool};
    /// let pool = Pool::builder().max_size(4).build(ConnectionManager::<SqliteConnection>::new(path)).unwrap();
    /// let repo = Repo::new(Pooled::new(pool)?.with_execution(Execution::Inline));
    /// # let _ = repo;
    /// # Ok::<(), Error>(())
    /// ```
    #[must_use]
    pub fn with_execution(mut self, execution: Execution) -> Self {
        self.execution = execution;
        self
    }

    async fn turn(&self) -> Result<Option<OwnedSemaphorePermit>> {
        if let Ok(permit) = Arc::clone(&self.turns).try_acquire_owned() {
            return Ok(Some(permit));
        }
        // Without a runtime there is no clock, and `Pool::get` has a time limit of its own.
        if Runtime::try_current().is_err() {
            return Ok(None);
        }
        let patience = self.pool.connection_timeout();
        match tokio::time::timeout(patience, Arc::clone(&self.turns).acquire_owned()).await {
            Ok(permit) => Ok(Some(permit.map_err(Error::other)?)),
            Err(_) => Err(timed_out(patience, self.pool.max_size())),
        }
    }
}

fn timed_out(patience: Duration, max: u32) -> Error {
    let message = format!("no connection became free within {patience:?}: all {max} are in use");
    errors::plain(DriverErrorKind::PoolTimeout, message)
}

fn no_connection<C: R2D2Connection + 'static>(
    pool: &Pool<ConnectionManager<C>>,
    error: diesel::r2d2::PoolError,
) -> Error {
    let state = pool.state();
    if state.connections >= pool.max_size() && state.idle_connections == 0 {
        return timed_out(pool.connection_timeout(), pool.max_size());
    }
    assoc_core::DriverError::new(DriverErrorKind::Unavailable, error.to_string()).with_source(error).into()
}

impl<C: Client + R2D2Connection + 'static> Driver for Pooled<C> {
    fn dialect(&self) -> &dyn Dialect {
        &*self.dialect
    }

    fn acquire(&self, _: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let permit = self.turn().await?;
            let connection = match self.pool.try_get() {
                Some(connection) => connection,
                None => {
                    let pool = self.pool.clone();
                    let get = move || pool.get().map_err(|error| no_connection(&pool, error));
                    apart(self.execution, get).await??
                }
            };
            let session = Session::new(connection, permit, &self.learnt);
            Ok(Box::new(Handle(PooledPlace { seat: Seat::Here(session), execution: self.execution }))
                as Box<dyn Connection>)
        })
    }

    fn pool_status(&self) -> Option<PoolStatus> {
        let state = self.pool.state();
        let (open, idle) = (state.connections as usize, state.idle_connections as usize);
        Some(PoolStatus::new(open, idle, self.pool.max_size() as usize))
    }
}

impl<C: R2D2Connection + 'static> std::fmt::Debug for Pooled<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pooled")
            .field("dialect", &self.dialect.name())
            .field("execution", &self.execution)
            .field("max", &self.pool.max_size())
            .finish()
    }
}

/// What is handed out: a connection of the pool with what belongs to it.
struct Session<C: Client + R2D2Connection + 'static> {
    connection: PooledConnection<ConnectionManager<C>>,
    levels: Levels,
    // Diesel's depth in the pool: not 0 in a test transaction.
    before: u32,
    // Behind the connection: dropped after it.
    _permit: Option<OwnedSemaphorePermit>,
}

impl<C: Client + R2D2Connection + 'static> Session<C> {
    fn new(
        mut connection: PooledConnection<ConnectionManager<C>>,
        permit: Option<OwnedSemaphorePermit>,
        learnt: &Arc<Learnt>,
    ) -> Self {
        let before = connection.depth().unwrap_or_default();
        Session { connection, levels: Levels::new(learnt), before, _permit: permit }
    }

    fn perform(&mut self, work: Work<'_>) -> Result<ExecResult> {
        work.perform(&mut self.levels, &mut *self.connection)
    }
}

// r2d2 closes what Diesel calls broken: a connection that could not be rolled back, and one that a panic leaves.
impl<C: Client + R2D2Connection + 'static> Drop for Session<C> {
    fn drop(&mut self) {
        let _ = self.levels.rollback(&mut *self.connection);
        let _ = undo_to(&mut *self.connection, self.before);
    }
}

enum Seat<C: Client + R2D2Connection + 'static> {
    Here(Session<C>),
    /// On a blocking thread, which brings it back.
    Away(JoinHandle<Session<C>>),
    /// The thread did not come back: it panicked, or the runtime was shut down.
    Lost,
}

struct PooledPlace<C: Client + R2D2Connection + 'static> {
    seat: Seat<C>,
    execution: Execution,
}

impl<C: Client + R2D2Connection + 'static> Place for PooledPlace<C> {
    fn run<'a>(&'a mut self, work: Work<'a>) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move {
            self.bring_back().await?;
            match placement(self.execution, C::waits()) {
                Placement::Inline => self.session()?.perform(work),
                Placement::InPlace => {
                    let session = self.session()?;
                    tokio::task::block_in_place(|| session.perform(work))
                }
                Placement::Thread => self.send(work).await,
            }
        })
    }
}

impl<C: Client + R2D2Connection + 'static> PooledPlace<C> {
    fn session(&mut self) -> Result<&mut Session<C>> {
        match &mut self.seat {
            Seat::Here(session) => Ok(session),
            Seat::Away(_) | Seat::Lost => Err(lost()),
        }
    }

    async fn bring_back(&mut self) -> Result<()> {
        if let Seat::Away(thread) = &mut self.seat {
            let back = thread.await;
            self.seat = back.map_or(Seat::Lost, Seat::Here);
        }
        self.session().map(drop)
    }

    async fn send(&mut self, work: Work<'_>) -> Result<ExecResult> {
        match work {
            Work::Query(statement, sink) => {
                let statement = statement.clone();
                let mut answer = Answer { wants_columns: sink.wants_columns(), ..Answer::default() };
                let (done, answer) = self
                    .on_thread(move |session| {
                        let done = session.perform(Work::Query(&statement, &mut answer));
                        (done, answer)
                    })
                    .await?;
                // The rows before the one that failed belong to the sink.
                answer.give(sink)?;
                done
            }
            Work::Execute(statement) => {
                let statement: Statement = statement.clone();
                self.on_thread(move |session| session.perform(Work::Execute(&statement))).await?
            }
            Work::Control(control) => self.control(control).await,
        }
    }

    async fn control(&mut self, control: Control) -> Result<ExecResult> {
        self.on_thread(move |session| session.perform(Work::Control(control))).await?
    }

    async fn on_thread<T: Send + 'static>(
        &mut self,
        run: impl FnOnce(&mut Session<C>) -> T + Send + 'static,
    ) -> Result<T> {
        let Seat::Here(mut session) = std::mem::replace(&mut self.seat, Seat::Lost) else { return Err(lost()) };
        let (sender, answer) = tokio::sync::oneshot::channel();
        self.seat = Seat::Away(tokio::task::spawn_blocking(move || {
            let done = run(&mut session);
            // Where it is not waited for, the future was dropped.
            let _ = sender.send(done);
            session
        }));
        let done = answer.await;
        self.bring_back().await?;
        done.map_err(|_| lost())
    }
}

fn lost() -> Error {
    errors::plain(
        DriverErrorKind::ConnectionLost,
        "the thread of an earlier statement panicked, and took the connection with it",
    )
}

enum Placement {
    Inline,
    InPlace,
    Thread,
}

fn placement(execution: Execution, waits: Waits) -> Placement {
    match (execution, Runtime::try_current()) {
        (Execution::Inline, _) | (_, Err(_)) => Placement::Inline,
        (Execution::Auto, Ok(runtime)) => match (waits, runtime.runtime_flavor()) {
            (Waits::UpToALimit, RuntimeFlavor::MultiThread) => Placement::InPlace,
            _ => Placement::Thread,
        },
    }
}

async fn apart<T: Send + 'static>(execution: Execution, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    // The pool gives up after its `connection_timeout`.
    match placement(execution, Waits::UpToALimit) {
        Placement::Inline => Ok(work()),
        Placement::InPlace => Ok(tokio::task::block_in_place(work)),
        Placement::Thread => tokio::task::spawn_blocking(work).await.map_err(|_| lost()),
    }
}

/// The rows of an answer, on their way to a sink on another thread.
#[derive(Default)]
struct Answer {
    wants_columns: bool,
    columns: Option<Vec<(String, bool)>>,
    rows: Vec<Vec<Value<'static>>>,
}

impl RowSink for Answer {
    fn row(&mut self, values: &mut [Value<'_>]) -> Result<()> {
        self.rows.push(values.iter_mut().map(|value| std::mem::take(value).into_owned()).collect());
        Ok(())
    }

    fn wants_columns(&self) -> bool {
        self.wants_columns
    }

    fn columns(&mut self, columns: &[AnswerColumn<'_>]) -> Result<()> {
        self.columns = Some(columns.iter().map(|column| (column.name.to_owned(), column.is_computed)).collect());
        Ok(())
    }
}

impl Answer {
    fn give(self, sink: &mut dyn RowSink) -> Result<()> {
        if let Some(columns) = &self.columns {
            let columns = columns.iter().map(|(name, is_computed)| AnswerColumn { name, is_computed: *is_computed });
            sink.columns(&columns.collect::<Vec<_>>())?;
        }
        self.rows.into_iter().try_for_each(|mut row| sink.row(&mut row))
    }
}
