//! A connection that the application holds by `&mut`, and lends for as long as a future runs.
//!
//! A driver is `'static`, and so are its connections, so neither can hold a borrow. They hold none: the borrow lies in a
//! slot of the thread while [`Lent::block_on`] polls the future, and statements find it there. Whatever is polled
//! elsewhere, on another thread or in another task, finds nothing and says so.
//!
//! Each loan has a number. A connection of the core's belongs to the loan in which it was handed out. One that is used in a
//! later loan is refused, because its transaction was rolled back when its own loan was over.
//!
//! There were two alternatives. *A connection that is moved* into the driver for the time of the loan works for a
//! connection that the application owns, and not for the `&mut` of a transaction's closure. *A repo with a lifetime* puts
//! this lifetime into every signature that mentions a repo, for all drivers.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use assoc_core::dialect::Dialect;
use assoc_core::driver::{Access, BoxFuture, Connection, Driver, ExecResult, PoolStatus};
use assoc_core::{DriverErrorKind, Error, Result};

use crate::client::Client;
use crate::client::sealed::Client as Operations;
use crate::errors;
use crate::learnt::Learnt;
use crate::levels::{Levels, undo_to};
use crate::work::{Handle, Place, Work};

scoped_tls_hkt::scoped_thread_local!(static mut LENT: for<'a> OnLoan<'a>);

/// The connection that is lent to a thread.
struct OnLoan<'c> {
    terms: &'c Arc<Terms>,
    client: &'c mut (dyn Operations + 'c),
}

/// What a loan and the connections that were handed out in it know of it.
struct Terms {
    /// Whom the connection is lent to.
    driver: Arc<Inner>,
    turn: Mutex<Turn>,
    learnt: Arc<Learnt>,
}

/// Who has the connection.
#[derive(Default)]
struct Turn {
    is_taken: bool,
    waiting: Vec<Waker>,
}

impl Terms {
    fn turn<T>(&self, with: impl FnOnce(&mut Turn) -> T) -> T {
        with(&mut self.turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn is_waited_for(&self) -> bool {
        self.turn(|turn| !turn.waiting.is_empty())
    }

    fn wake(&self) {
        self.turn(|turn| std::mem::take(&mut turn.waiting)).into_iter().for_each(Waker::wake);
    }
}

impl<'r> scoped_tls_hkt::ReborrowMut<'r> for OnLoan<'_> {
    type Result = OnLoan<'r>;

    fn reborrow_mut(&'r mut self) -> OnLoan<'r> {
        OnLoan { terms: self.terms, client: &mut *self.client }
    }
}

/// A driver over the connection that is lent to it by [`block_on`](Lent::block_on).
///
/// It can be kept, with its repo, and used with one connection after the other, and by several threads at once: each thread
/// lends it another connection.
///
/// ```
/// use assoc_diesel::Lent;
/// use assoc_repo::prelude::*;
/// use diesel::connection::SimpleConnection;
/// use diesel::prelude::*;
///
/// #[derive(Model, Debug, Clone)]
/// pub struct User {
///     pub id: i64,
///     pub name: String,
/// }
///
/// let lent = Lent::sqlite();
/// let repo = Repo::new(lent.clone());
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// conn.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").unwrap();
///
/// let ada = lent.block_on(&mut conn, repo.insert(User::build().set(User::NAME, "Ada")))?;
/// assert_eq!(ada.id, 1);
/// // Without a loan there is no connection.
/// # let count = repo.count(Query::<User>::new());
/// # let count = tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(count);
/// assert!(count.unwrap_err().to_string().contains("no connection is lent"));
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone)]
pub struct Lent(Arc<Inner>);

struct Inner {
    dialect: Arc<dyn Dialect>,
    patience: Duration,
}

impl Lent {
    /// A driver for connections to a SQLite of at least 3.35, which returns the rows that it writes.
    ///
    /// ```
    /// # use assoc_diesel::Lent;
    /// # use assoc_repo::prelude::*;
    /// # use diesel::connection::SimpleConnection;
    /// # use diesel::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # conn.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").unwrap();
    /// let lent = Lent::sqlite();
    /// let repo = Repo::new(lent.clone());
    /// assert_eq!(lent.block_on(&mut conn, repo.count(Query::<User>::new()))?, 0);
    /// # Ok::<(), Error>(())
    /// ```
    #[cfg(feature = "sqlite")]
    #[must_use]
    pub fn sqlite() -> Self {
        Lent::with_dialect(Arc::new(crate::sqlite::dialect()))
    }

    /// A driver for connections to a PostgreSQL of at least version 12.
    ///
    /// ```no_run
    /// # #[cfg(feature = "postgres")] fn example() -> Result<(), assoc_core::Error> {
    /// use assoc_diesel::Lent;
    /// use assoc_repo::prelude::*;
    /// use diesel::prelude::*;
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct User {
    ///     pub id: i64,
    ///     pub name: String,
    /// }
    ///
    /// let lent = Lent::postgres();
    /// let repo = Repo::new(lent.clone());
    /// let mut conn = PgConnection::establish("postgres://app@localhost/shop").expect("a connection");
    /// let users = lent.block_on(&mut conn, repo.all(Query::<User>::new()))?;
    /// # let _ = users; Ok(()) }
    /// ```
    #[cfg(feature = "postgres")]
    #[must_use]
    pub fn postgres() -> Self {
        Lent::with_dialect(Arc::new(crate::postgres::dialect()))
    }

    /// A driver with the dialect of a connection, which asks its database for the version.
    ///
    /// # Errors
    /// When the database does not answer.
    ///
    /// ```
    /// # use assoc_diesel::Lent;
    /// # use assoc_repo::prelude::*;
    /// # use diesel::connection::SimpleConnection;
    /// # use diesel::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # conn.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").unwrap();
    /// let lent = Lent::of(&mut conn)?;
    /// let repo = Repo::new(lent.clone());
    /// assert_eq!(lent.block_on(&mut conn, repo.count(Query::<User>::new()))?, 0);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn of(connection: &mut impl Client) -> Result<Self> {
        Ok(Lent::with_dialect(connection.dialect()?.into()))
    }

    fn with_dialect(dialect: Arc<dyn Dialect>) -> Self {
        Lent(Arc::new(Inner { dialect, patience: Duration::from_secs(5) }))
    }

    /// How long a call waits for the connection while another call or a transaction has it. The default is 5 seconds.
    ///
    /// A call on the repo inside a transaction of that repo waits for itself: call the transaction's handle there.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use assoc_diesel::Lent;
    ///
    /// let lent = Lent::sqlite().with_patience(Duration::from_millis(100));
    /// # let _ = lent;
    /// ```
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Lent(Arc::new(Inner { dialect: Arc::clone(&self.0.dialect), patience }))
    }

    /// Runs a future to its end on this thread, with the connection lent to it.
    ///
    /// When it returns, or a panic leaves it, Diesel is at the depth of transactions that it had before: what the future left
    /// open is rolled back.
    ///
    /// ```
    /// # use assoc_diesel::Lent;
    /// # use assoc_repo::prelude::*;
    /// # use diesel::connection::SimpleConnection;
    /// # use diesel::prelude::*;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String }
    /// # let mut conn = SqliteConnection::establish(":memory:").unwrap();
    /// # conn.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").unwrap();
    /// let lent = Lent::sqlite();
    /// let repo = Repo::new(lent.clone());
    /// let names = lent.block_on(&mut conn, async {
    ///     repo.insert(User::build().set(User::NAME, "Ada")).await?;
    ///     repo.pluck(User::NAME, Query::new()).await
    /// })?;
    /// assert_eq!(names, ["Ada"]);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn block_on<T>(&self, connection: &mut impl Client, future: impl Future<Output = T>) -> T {
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut context = Context::from_waker(&waker);
        let terms = Arc::new(Terms { driver: Arc::clone(&self.0), turn: Mutex::default(), learnt: Arc::default() });
        // Dropped after the future, whose connections are returned by then.
        let loan = Loan::new(connection);
        let mut future = pin!(future);
        loop {
            let on_loan = OnLoan { terms: &terms, client: &mut *loan.client };
            match LENT.set(on_loan, || future.as_mut().poll(&mut context)) {
                Poll::Ready(value) => return value,
                // Only what waits for the connection has a time limit here.
                Poll::Pending if terms.is_waited_for() => {
                    std::thread::park_timeout(self.0.patience);
                    terms.wake();
                }
                Poll::Pending => std::thread::park(),
            }
        }
    }

    /// Runs with the terms of the loan, if a connection is lent to this driver and thread now.
    fn with_terms<T>(&self, run: impl FnOnce(&Arc<Terms>) -> T) -> Result<T> {
        if !LENT.is_set() {
            return Err(unavailable(NOT_LENT));
        }
        LENT.with(|on_loan| match Arc::ptr_eq(&on_loan.terms.driver, &self.0) {
            true => Ok(run(on_loan.terms)),
            false => Err(unavailable(ANOTHER_DRIVER)),
        })
    }
}

impl std::fmt::Debug for Lent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lent").field("dialect", &self.0.dialect.name()).field("patience", &self.0.patience).finish()
    }
}

/// Lends a connection to a driver for as long as a future runs. The driver asks the database for its version first; a
/// [`Lent`] that is kept asks once.
///
/// # Errors
/// Those of the future, and when the database does not answer.
///
/// ```
/// use assoc_repo::prelude::*;
/// use diesel::connection::SimpleConnection;
/// use diesel::prelude::*;
///
/// #[derive(Model, Debug, Clone)]
/// pub struct User {
///     pub id: i64,
/// }
///
/// let mut conn = SqliteConnection::establish(":memory:").unwrap();
/// conn.batch_execute("CREATE TABLE users (id INTEGER PRIMARY KEY)").unwrap();
/// let count = assoc_diesel::lend(&mut conn, async |driver| Repo::new(driver).count(Query::<User>::new()).await)?;
/// assert_eq!(count, 0);
/// # Ok::<(), Error>(())
/// ```
pub fn lend<C: Client, T, E: From<Error>>(
    connection: &mut C,
    work: impl AsyncFnOnce(Lent) -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    let lent = Lent::of(connection)?;
    let driver = lent.clone();
    lent.block_on(connection, async move { work(driver).await })
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The time in which a connection is lent.
struct Loan<'c> {
    client: &'c mut dyn Operations,
    // Diesel's depth before it; `None` where Diesel's count is broken already.
    before: Option<u32>,
}

impl<'c> Loan<'c> {
    fn new(client: &'c mut dyn Operations) -> Self {
        let before = client.depth().ok();
        Loan { client, before }
    }
}

// A transaction whose handle outlives the loan would stay open, and the application's next COMMIT would end that one instead
// of its own.
impl Drop for Loan<'_> {
    fn drop(&mut self) {
        if let Some(before) = self.before {
            // Where this fails, Diesel's count is broken, and Diesel refuses the connection.
            let _ = undo_to(self.client, before);
        }
    }
}

const NOT_LENT: &str = "no connection is lent to this thread and task: a lent connection serves the future that `block_on` or \
                        `lend` runs, and nothing that is spawned from it; await it there instead of in a task or thread of \
                        its own, or use a `Pooled` driver";
const ANOTHER_DRIVER: &str = "the connection that is lent to this thread is lent to another driver: use the repo of the driver whose \
                              `block_on` runs";
const ANOTHER_LOAN: &str = "the loan of this connection is over, and what was not committed in it was rolled back: begin and end a \
                            transaction within one `block_on` or `lend`";

fn unavailable(message: &str) -> Error {
    errors::plain(DriverErrorKind::Unavailable, message)
}

impl Driver for Lent {
    fn dialect(&self) -> &dyn Dialect {
        &*self.0.dialect
    }

    fn acquire(&self, _: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        let since = Instant::now();
        // Waiting where no connection is lent would be for ever.
        Box::pin(poll_fn(move |context| match self.with_terms(|terms| self.take(terms, since, context)) {
            Ok(polled) => polled,
            Err(error) => Poll::Ready(Err(error)),
        }))
    }

    fn pool_status(&self) -> Option<PoolStatus> {
        let lent = self.with_terms(|terms| PoolStatus::new(1, usize::from(terms.turn(|turn| !turn.is_taken)), 1));
        Some(lent.unwrap_or(PoolStatus::new(0, 0, 1)))
    }
}

impl Lent {
    fn take(&self, terms: &Arc<Terms>, since: Instant, context: &mut Context<'_>) -> Poll<Result<Box<dyn Connection>>> {
        terms.turn(|turn| {
            if !turn.is_taken {
                turn.is_taken = true;
                let place = LentPlace { terms: Arc::clone(terms), levels: Levels::new(&terms.learnt) };
                return Poll::Ready(Ok(Box::new(Handle(place)) as Box<dyn Connection>));
            }
            if since.elapsed() >= self.0.patience {
                let message = format!(
                    "the lent connection did not become free within {:?}: a transaction or another call has it; call the \
                     transaction's handle inside of it, not the repo",
                    self.0.patience
                );
                return Poll::Ready(Err(errors::plain(DriverErrorKind::PoolTimeout, message)));
            }
            turn.waiting.push(context.waker().clone());
            Poll::Pending
        })
    }
}

struct LentPlace {
    terms: Arc<Terms>,
    levels: Levels,
}

impl LentPlace {
    /// Runs with the connection, if its loan is the one of this thread now.
    fn with_client<T>(&mut self, run: impl FnOnce(&mut Levels, &mut dyn Operations) -> Result<T>) -> Result<T> {
        if !LENT.is_set() {
            return Err(unavailable(NOT_LENT));
        }
        let (terms, levels) = (&self.terms, &mut self.levels);
        LENT.with(|on_loan| match Arc::ptr_eq(on_loan.terms, terms) {
            true => run(levels, on_loan.client),
            false => Err(unavailable(ANOTHER_LOAN)),
        })
    }
}

impl Place for LentPlace {
    fn run<'a>(&'a mut self, work: Work<'a>) -> BoxFuture<'a, Result<ExecResult>> {
        Box::pin(async move { self.with_client(|levels, client| work.perform(levels, client)) })
    }
}

// Dropped inside a transaction it is rolled back. Dropped when its loan is over, that has happened already.
impl Drop for LentPlace {
    fn drop(&mut self) {
        let _ = self.with_client(|levels, client| levels.rollback(client));
        self.terms.turn(|turn| turn.is_taken = false);
        self.terms.wake();
    }
}
