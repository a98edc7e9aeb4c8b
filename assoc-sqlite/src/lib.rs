//! SQLite backend of `assoc`, on [rusqlite](https://docs.rs/rusqlite).
//!
//! ```
//! use assoc_core::driver::{Access, Driver, Statement};
//! use assoc_core::Value;
//! use assoc_sqlite::Sqlite;
//!
//! # pollster::block_on(async {
//! let sqlite = Sqlite::memory()?; // or Sqlite::open("blog.db")?
//! sqlite.execute_batch("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)").await?;
//!
//! // A `Repo` of `assoc-repo` does this for you; a driver alone runs statements.
//! let mut connection = sqlite.acquire(Access::Write).await?;
//! let ada = Value::Text("Ada".into());
//! let insert = Statement::new("INSERT INTO users (name) VALUES (?)", vec![ada.into()]);
//! assert_eq!(connection.execute(&insert).await?.last_insert_id, Some(1));
//! # Ok::<(), assoc_core::Error>(())
//! # })?;
//! # Ok::<(), assoc_core::Error>(())
//! ```
//!
//! # Choosing
//!
//! | you have | take |
//! |---|---|
//! | a file | [`Sqlite::open`] |
//! | a test, a cache | [`Sqlite::memory`] |
//! | a `DATABASE_URL` | [`Sqlite::from_url`] |
//! | wishes | [`Sqlite::builder`]; with a URL, [`SqliteBuilder::from_url`] |
//! | no async runtime | the same; block on the futures (`pollster::block_on`), everything runs inline |
//! | tokio | the same; short statements run inline, the others leave the thread: [`Execution`] |
//!
//! # What is set
//!
//! Files are in WAL mode, so readers and the writer do not wait for each other: one connection writes, a few read
//! ([`readers`](SqliteBuilder::readers)), and a reader refuses to write. Foreign keys are enforced. `synchronous` is
//! `NORMAL`: a power failure may lose the last transactions, but never damages the database. A misquoted identifier is
//! an error, not a string. A write transaction takes the lock when it begins, so it cannot fail half-way because
//! another one wrote. If another *process* has the lock, the driver waits
//! ([`busy_timeout`](SqliteBuilder::busy_timeout)) and then returns a retryable error.
//! [`on_connect`](SqliteBuilder::on_connect) sets anything else:
//!
//! ```
//! # use assoc_sqlite::Sqlite;
//! # let directory = tempfile::tempdir().unwrap();
//! # let path = directory.path().join("blog.db");
//! let sqlite = Sqlite::builder(&path)
//!     .page_cache_kib(64 * 1024)
//!     .on_connect(|conn| conn.pragma_update(None, "synchronous", "FULL"))
//!     .open()?;
//! # let _ = sqlite;
//! # Ok::<(), assoc_core::Error>(())
//! ```
//!
//! Values SQLite has no type for are stored as follows: booleans as 0 and 1, dates and times as ISO 8601 text, decimals
//! and JSON as text, UUIDs as 16 bytes (or text: [`uuid_as_text`](SqliteBuilder::uuid_as_text)).
//!
//! # Which rusqlite
//!
//! Any from 0.38 to 0.41. A program may contain `libsqlite3-sys`, which rusqlite uses, only once (Cargo's `links`), and
//! other crates use it too. The range lets Cargo find a version that suits all: rusqlite 0.40 and below resolves beside
//! Diesel 2.3, 0.39 and below beside sqlx 0.9. Where Cargo picks too new a version, run `cargo update -p rusqlite
//! --precise 0.39.0`. The crate [re-exports](rusqlite) the version in use, so that hooks name the same one.
//!
//! # Features
//!
//! * `bundled` (default): compiles SQLite in. Without it, the system's library is linked (3.35 or newer, for
//!   `RETURNING`).
//! * `tokio` (default): keeps statements from stalling a tokio runtime. Without it everything runs inline.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use assoc_core::Result;
use assoc_core::dialect::Dialect;
use assoc_core::driver::{Access, BoxFuture, Connection, Driver, PoolStatus};
use connection::{SqliteConnection, Work};
use options::{Config, Role};
use pool::Lane;

mod connection;
#[cfg(feature = "tokio")]
mod costs;
mod decimals;
mod errors;
mod execution;
mod lists;
mod options;
mod pool;
mod session;
mod sums;
mod values;

pub use assoc_dialects::sqlite::SqliteDialect;
pub use execution::Execution;
pub use options::SqliteBuilder;
pub use rusqlite;
use rusqlite::limits::Limit;

/// A SQLite database: its dialect and its connections. Cloning it is cheap and shares the connections.
#[derive(Clone)]
pub struct Sqlite {
    inner: Arc<Inner>,
}

struct Inner {
    config: Arc<Config>,
    dialect: SqliteDialect,
    execution: Execution,
    writer: Arc<Lane>,
    // A database in memory has none.
    readers: Option<Arc<Lane>>,
}

impl Sqlite {
    /// Opens a database file with the default options, and makes it if there is none.
    ///
    /// # Errors
    /// As [`SqliteBuilder::open`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// use assoc_sqlite::Sqlite;
    ///
    /// let sqlite = Sqlite::open(&path)?;
    /// assert!(path.exists());
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn open(path: impl AsRef<Path>) -> Result<Sqlite> {
        Sqlite::builder(path).open()
    }

    /// A new database in memory. It has one connection, which reads and writes, and lives as long as the driver.
    ///
    /// A second connection would see another database, or share a cache with the first, where tables are locked
    /// against each other without regard to the busy timeout. So a task that holds the connection and asks for
    /// another one waits for itself, until the [acquire timeout](SqliteBuilder::acquire_timeout).
    ///
    /// # Errors
    /// When SQLite is out of memory.
    ///
    /// ```
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::memory()?;
    /// pollster::block_on(sqlite.execute_batch("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL)"))?;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn memory() -> Result<Sqlite> {
        Sqlite::builder(options::MEMORY).open()
    }

    /// Options for a database file, or `:memory:`.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// use assoc_sqlite::Sqlite;
    ///
    /// let sqlite = Sqlite::builder(&path).readers(4).statement_cache(512).open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn builder(path: impl AsRef<Path>) -> SqliteBuilder {
        SqliteBuilder::new(path.as_ref())
    }

    /// Opens a database by URL: `sqlite:path`, `sqlite://path`, `sqlite::memory:`, with `?mode=ro` (read only), `rw`
    /// (must exist), `rwc` (the default) or `memory`.
    ///
    /// # Errors
    /// As [`SqliteBuilder::open`], and when the URL is another one.
    ///
    /// ```
    /// use assoc_sqlite::Sqlite;
    ///
    /// let sqlite = Sqlite::from_url("sqlite::memory:")?;
    /// assert!(Sqlite::from_url("sqlite:missing.db?mode=ro").is_err());
    /// assert!(Sqlite::from_url("mysql://localhost/blog").is_err());
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn from_url(url: &str) -> Result<Sqlite> {
        SqliteBuilder::from_url(url)?.open()
    }

    fn start(config: Config, readers: usize, execution: Execution) -> Result<Sqlite> {
        let config = Arc::new(config);
        let in_memory = config.is_in_memory();
        let role = if in_memory { Role::Shared } else { Role::Writer };
        let writer = Lane::new(Arc::clone(&config), role, 1);
        let dialect = writer.first_session(|session| dialect_of(session.connection(), config.uuid_as_text))?;
        let readers = (!in_memory).then(|| Lane::new(Arc::clone(&config), Role::Reader, readers));
        Ok(Sqlite { inner: Arc::new(Inner { config, dialect, execution, writer, readers }) })
    }

    /// Runs several statements without binds, separated by semicolons: a schema, a script of fixtures. Each statement
    /// is a transaction by itself unless the text begins one. A transaction that the text leaves open is rolled back.
    ///
    /// # Errors
    /// When one of the statements fails. Those before it have taken effect.
    ///
    /// ```
    /// # use assoc_sqlite::Sqlite;
    /// # pollster::block_on(async {
    /// let sqlite = Sqlite::memory()?;
    /// sqlite
    ///     .execute_batch(
    ///         "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
    ///          INSERT INTO users (name) VALUES ('Ada'), ('Grace');",
    ///     )
    ///     .await?;
    /// # Ok::<(), assoc_core::Error>(()) }).unwrap();
    /// ```
    pub async fn execute_batch(&self, sql: &str) -> Result<()> {
        let lease = self.inner.writer.acquire().await?;
        let mut connection = SqliteConnection::new(lease, self.inner.execution).await?;
        connection.run(Work::Batch(sql)).await.map(drop)
    }
}

impl Sqlite {
    // The connections for an access.
    fn lane(&self, access: Access) -> &Arc<Lane> {
        match (access, &self.inner.readers) {
            (Access::Read, Some(readers)) => readers,
            _ => &self.inner.writer,
        }
    }
}

impl Driver for Sqlite {
    fn dialect(&self) -> &dyn Dialect {
        &self.inner.dialect
    }

    fn acquire(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let lease = self.lane(access).acquire().await?;
            Ok(Box::new(SqliteConnection::new(lease, self.inner.execution).await?) as Box<dyn Connection>)
        })
    }

    fn acquire_now(&self, access: Access) -> Option<Box<dyn Connection>> {
        let lease = self.lane(access).idle()?;
        Some(Box::new(SqliteConnection::ready(lease, self.inner.execution)))
    }

    /// The counts of the writer and the readers together.
    fn pool_status(&self) -> Option<PoolStatus> {
        let writer = self.inner.writer.status();
        let Some(readers) = &self.inner.readers else { return Some(writer) };
        let readers = readers.status();
        Some(PoolStatus::new(writer.open + readers.open, writer.idle + readers.idle, writer.max + readers.max))
    }
}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sqlite")
            .field("config", &self.inner.config)
            .field("execution", &self.inner.execution)
            .field("pool", &self.pool_status())
            .finish()
    }
}

// The dialect of an open database.
fn dialect_of(conn: &rusqlite::Connection, uuid_as_text: bool) -> SqliteDialect {
    let dialect = SqliteDialect::default().with_version(rusqlite::version_number()).with_uuid_as_text(uuid_as_text);
    let limit = conn.limit(Limit::SQLITE_LIMIT_VARIABLE_NUMBER).ok().and_then(|limit| usize::try_from(limit).ok());
    match limit {
        Some(limit) => dialect.with_max_binds(limit),
        None => dialect,
    }
}
