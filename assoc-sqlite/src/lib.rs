//! SQLite backend of assoc, on rusqlite.
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use assoc_core::dialect::Dialect;
use assoc_core::driver::{Access, BoxFuture, PoolStatus};
use assoc_core::{Connection, Driver, Result};

mod connection;
mod costs;
mod dialect;
mod errors;
mod execution;
mod options;
mod pool;
mod session;
mod values;

pub use dialect::SqliteDialect;
pub use execution::Execution;
pub use options::SqliteBuilder;
pub use rusqlite;

use connection::{SqliteConnection, Work};
use options::{Config, Role};
use pool::Lane;

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
    pub fn builder(path: impl AsRef<Path>) -> SqliteBuilder {
        SqliteBuilder::new(path.as_ref())
    }

    /// Opens a database by URL: `sqlite:path`, `sqlite://path`, `sqlite::memory:`, with `?mode=ro` (read only), `rw` (must
    /// exist), `rwc` (the default) or `memory`.
    ///
    /// # Errors
    /// As [`SqliteBuilder::open`], and when the URL is another one.
    pub fn from_url(url: &str) -> Result<Sqlite> {
        SqliteBuilder::from_url(url)?.open()
    }

    fn start(config: Config, readers: usize, execution: Execution) -> Result<Sqlite> {
        let config = Arc::new(config);
        let in_memory = config.is_in_memory();
        let role = if in_memory { Role::Shared } else { Role::Writer };
        let writer = Lane::new(Arc::clone(&config), role, 1);
        let dialect = writer.first_session(|session| SqliteDialect::of(session.connection(), config.uuid_as_text))?;
        let readers = (!in_memory).then(|| Lane::new(Arc::clone(&config), Role::Reader, readers));
        Ok(Sqlite { inner: Arc::new(Inner { config, dialect, execution, writer, readers }) })
    }

    /// Runs several statements without binds, separated by semicolons: a schema, a script of fixtures. Each is its own
    /// transaction unless the text says otherwise; a transaction left open is rolled back.
    ///
    /// # Errors
    /// When one of them fails; those before it have taken effect.
    pub async fn execute_batch(&self, sql: &str) -> Result<()> {
        let lease = self.inner.writer.acquire().await?;
        let mut connection = SqliteConnection::new(lease, self.inner.execution).await?;
        connection.run(Work::Batch(sql)).await.map(drop)
    }
}

impl Driver for Sqlite {
    fn dialect(&self) -> &dyn Dialect {
        &self.inner.dialect
    }

    fn acquire(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let lane = match (access, &self.inner.readers) {
                (Access::Read, Some(readers)) => readers,
                _ => &self.inner.writer,
            };
            let lease = lane.acquire().await?;
            Ok(Box::new(SqliteConnection::new(lease, self.inner.execution).await?) as Box<dyn Connection>)
        })
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
