//! How a database is opened, and what is set on each of its connections.

use std::fmt;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use assoc_core::{DriverErrorKind, Error, Result};
use rusqlite::config::DbConfig;
use rusqlite::{ErrorCode, OpenFlags};

use crate::session::Session;
use crate::{Execution, Sqlite, decimals, errors, sums};

type Hook = dyn Fn(&rusqlite::Connection) -> rusqlite::Result<()> + Send + Sync;

/// Below this a statement may stay on its thread: tokio advises to stay under 10 to 100 µs between two `.await`s.
const SHORT: Duration = Duration::from_micros(50);

/// Options of a database, then [`open`](SqliteBuilder::open).
///
/// ```
/// use std::time::Duration;
/// use assoc_sqlite::Sqlite;
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("blog.db");
/// let sqlite = Sqlite::builder(&path)
///     .readers(4)
///     .busy_timeout(Duration::from_secs(2))
///     .on_connect(|conn| conn.pragma_update(None, "mmap_size", 1 << 28))
///     .open()?;
/// # let _ = sqlite;
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use]
pub struct SqliteBuilder {
    config: Config,
    readers: Option<usize>,
    execution: Execution,
}

/// What every connection of a driver is opened with.
#[derive(Clone)]
pub(crate) struct Config {
    path: PathBuf,
    pub(crate) acquire_timeout: Duration,
    pub(crate) uuid_as_text: bool,
    pub(crate) busy_timeout: Duration,
    #[cfg_attr(not(feature = "tokio"), allow(dead_code))]
    pub(crate) short_statement: Duration,
    statement_cache: usize,
    page_cache_kib: u32,
    read_only: bool,
    create: bool,
    on_connect: Option<Arc<Hook>>,
}

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// The one connection that writes.
    Writer,
    /// One of the connections that read.
    Reader,
    /// The only connection of a database in memory.
    Shared,
}

impl SqliteBuilder {
    pub(crate) fn new(path: &Path) -> Self {
        let config = Config {
            path: path.to_owned(),
            acquire_timeout: Duration::from_secs(30),
            uuid_as_text: false,
            busy_timeout: Duration::from_secs(5),
            short_statement: SHORT,
            statement_cache: 256,
            page_cache_kib: 8 * 1024,
            read_only: false,
            create: true,
            on_connect: None,
        };
        SqliteBuilder { config, readers: None, execution: Execution::default() }
    }

    /// How many connections read, beside the one that writes. They are opened when first needed. The default is the
    /// number of processors, at least 2 and at most 8. A database in memory has one connection for everything.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::builder(&path).readers(4).open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn readers(mut self, readers: usize) -> Self {
        self.readers = Some(readers);
        self
    }

    /// How long SQLite waits for a lock that another process (or another driver in this one) holds; then the error is
    /// [retryable](assoc_core::Error::is_retryable). Default: 5 seconds.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use std::time::Duration;
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::builder(&path).busy_timeout(Duration::from_secs(30)).open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn busy_timeout(mut self, timeout: Duration) -> Self {
        self.config.busy_timeout = timeout;
        self
    }

    /// How long to wait for a connection when all are in use; then the error is
    /// [`PoolTimeout`](DriverErrorKind::PoolTimeout). Default: 30 seconds.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use std::time::Duration;
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::builder(&path).acquire_timeout(Duration::from_secs(5)).open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn acquire_timeout(mut self, timeout: Duration) -> Self {
        self.config.acquire_timeout = timeout;
        self
    }

    /// On which thread statements run. Default: [`Execution::Auto`].
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use assoc_sqlite::{Execution, Sqlite};
    /// let sqlite = Sqlite::builder(&path).execution(Execution::Inline).open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn execution(mut self, execution: Execution) -> Self {
        self.execution = execution;
        self
    }

    /// Under [`Execution::Auto`] in a runtime, a statement whose recent runs took less than this stays on its thread. Default: 50
    /// microseconds. A higher limit spares the way to another thread, and stalls the other tasks of the thread for as long.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use std::time::Duration;
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::builder(&path).short_statement(Duration::from_micros(200)).open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn short_statement(mut self, limit: Duration) -> Self {
        self.config.short_statement = limit;
        self
    }

    /// How many prepared statements each connection keeps. Default: 256.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::builder(&path).statement_cache(1_024).open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.config.statement_cache = statements;
        self
    }

    /// The largest part of the database that each connection keeps in memory, in KiB. Default: 8 MiB; SQLite's default
    /// is 2 MB. More helps where the rows of an owner are scattered over a file that is larger than the cache.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::builder(&path).page_cache_kib(64 * 1_024).open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn page_cache_kib(mut self, kib: u32) -> Self {
        self.config.page_cache_kib = kib;
        self
    }

    /// Whether UUIDs are stored as text of 36 characters, for a database that other programs write in that form.
    /// Default: no, as 16 bytes.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::builder(&path).uuid_as_text(true).open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn uuid_as_text(mut self, as_text: bool) -> Self {
        self.config.uuid_as_text = as_text;
        self
    }

    /// What to do on every connection after it is set up: pragmas, functions, collations. It is called for each of
    /// them, and may override what the driver has set, except for the [busy timeout](SqliteBuilder::busy_timeout),
    /// which the driver changes back and forth.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::builder(&path)
    ///     .on_connect(|connection| connection.execute_batch("PRAGMA case_sensitive_like = ON"))
    ///     .open()?;
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn on_connect<F>(mut self, hook: F) -> Self
    where
        F: Fn(&rusqlite::Connection) -> rusqlite::Result<()> + Send + Sync + 'static,
    {
        self.config.on_connect = Some(Arc::new(hook));
        self
    }

    /// Whether the database is opened as read-only. Default: no.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use assoc_sqlite::Sqlite;
    /// # Sqlite::open(&path)?;
    /// let sqlite = Sqlite::builder(&path).read_only(true).open()?;
    /// # pollster::block_on(async {
    /// assert!(sqlite.execute_batch("CREATE TABLE users (id INTEGER PRIMARY KEY)").await.is_err());
    /// # });
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.config.read_only = read_only;
        self
    }

    /// Whether opening creates a database that does not exist. Default: yes.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use assoc_sqlite::Sqlite;
    /// let missing = Sqlite::builder(&path).create_if_missing(false).open();
    /// assert!(missing.is_err());
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn create_if_missing(mut self, create: bool) -> Self {
        self.config.create = create;
        self
    }

    /// Opens the database: creates the file if necessary, and opens the connection that writes.
    ///
    /// # Errors
    /// [`Unavailable`](DriverErrorKind::Unavailable) when the file does not exist or is not a database. Retryable when
    /// another process locks it for longer than the busy timeout.
    ///
    /// ```
    /// # let folder = tempfile::tempdir().unwrap();
    /// # let path = folder.path().join("blog.db");
    /// # use assoc_sqlite::Sqlite;
    /// let sqlite = Sqlite::builder(&path).readers(2).open()?;
    /// assert!(path.exists());
    /// # drop(sqlite);
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn open(self) -> Result<Sqlite> {
        Sqlite::start(self.config, self.readers.unwrap_or_else(default_readers).max(1), self.execution)
    }

    /// Options from a URL: `sqlite:path`, `sqlite://path`, `sqlite::memory:`, with `?mode=ro` (read only), `rw` (must
    /// exist), `rwc` (the default) or `memory`.
    ///
    /// # Errors
    /// When the URL is another one.
    ///
    /// ```
    /// use assoc_sqlite::SqliteBuilder;
    ///
    /// let sqlite = SqliteBuilder::from_url("sqlite::memory:")?.page_cache_kib(64 * 1024).open()?;
    /// # let _ = sqlite;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn from_url(url: &str) -> Result<Self> {
        // Another database's URL may hold a password: it is not repeated.
        let rest = url.strip_prefix("sqlite:").ok_or_else(|| {
            errors::plain(DriverErrorKind::Unavailable, "a SQLite URL begins with `sqlite:`: `sqlite:path`".to_owned())
        })?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
        if path.is_empty() {
            return Err(bad_url(url, "it names no file; a database in memory is `sqlite::memory:`"));
        }
        let mut builder = SqliteBuilder::new(Path::new(path));
        for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
            builder = match parameter {
                "mode=ro" => builder.read_only(true),
                "mode=rw" => builder.create_if_missing(false),
                "mode=rwc" => builder.create_if_missing(true),
                "mode=memory" => {
                    builder.config.path = PathBuf::from(MEMORY);
                    builder
                }
                other => return Err(bad_url(url, &format!("`{other}` is not known; use `mode=ro|rw|rwc|memory`"))),
            };
        }
        Ok(builder)
    }

    #[cfg(test)]
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }
}

pub(crate) const MEMORY: &str = ":memory:";

fn default_readers() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get).clamp(2, 8)
}

fn bad_url(url: &str, why: &str) -> Error {
    errors::plain(DriverErrorKind::Unavailable, format!("cannot open `{url}`: {why}"))
}

impl Config {
    /// Whether every connection would have a separate database.
    pub(crate) fn is_in_memory(&self) -> bool {
        let path = self.path.to_string_lossy();
        path == MEMORY
            || path.is_empty()
            || path.starts_with("file:") && (path.contains(MEMORY) || path.contains("mode=memory"))
    }

    /// Opens a connection and sets it up.
    pub(crate) fn connect(&self, role: Role) -> Result<Session> {
        let conn = self.open(role).map_err(|error| errors::of_opening(error, &self.path.to_string_lossy()))?;
        Ok(Session::new(conn, self))
    }

    fn open(&self, role: Role) -> rusqlite::Result<rusqlite::Connection> {
        // A session is used by one thread at a time, so SQLite need not lock: 3 % of a large read.
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        flags |= match (self.read_only, self.create) {
            (true, _) => OpenFlags::SQLITE_OPEN_READ_ONLY,
            // Readers come after the writer, who has made the file: one that is gone meanwhile is an error, not an
            // empty database.
            (false, true) if role != Role::Reader => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            (false, _) => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        let conn = rusqlite::Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(self.busy_timeout)?;
        conn.set_prepared_statement_cache_capacity(self.statement_cache);
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
        // Why: the documentation of `session`.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // A misspelt quoted identifier is an error, not a string.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        if role == Role::Writer && !self.read_only {
            // File systems without shared memory answer another mode; everything still works, but readers and the
            // writer wait for each other.
            write_ahead(&conn, self.busy_timeout)?;
        }
        conn.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY")?;
        conn.pragma_update(None, "cache_size", -i64::from(self.page_cache_kib))?;
        rusqlite::vtab::array::load_module(&conn)?;
        decimals::register(&conn)?;
        sums::register(&conn)?;
        // Reads the header, so that a file that is no database is noticed here.
        conn.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
        if let Some(hook) = &self.on_connect {
            hook(&conn)?;
        }
        if role == Role::Reader {
            conn.pragma_update(None, "query_only", true)?;
        }
        Ok(conn)
    }
}

/// Switches to a write-ahead log. SQLite does not wait for another connection that switches at the same moment, whatever the
/// busy timeout says, so the wait is here.
fn write_ahead(conn: &rusqlite::Connection, timeout: Duration) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(5);
    let began = Instant::now();
    loop {
        match conn.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && began.elapsed() < timeout => {
                std::thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("path", &self.path)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("busy_timeout", &self.busy_timeout)
            .field("short_statement", &self.short_statement)
            .field("statement_cache", &self.statement_cache)
            .field("page_cache_kib", &self.page_cache_kib)
            .field("uuid_as_text", &self.uuid_as_text)
            .field("read_only", &self.read_only)
            .field("create", &self.create)
            .field("on_connect", &self.on_connect.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let path = |url: &str| SqliteBuilder::from_url(url).map(|builder| builder.config.path.display().to_string());
        assert_eq!(path("sqlite:blog.db").unwrap(), "blog.db");
        assert_eq!(path("sqlite://blog.db").unwrap(), "blog.db");
        assert_eq!(path("sqlite:///var/blog.db").unwrap(), "/var/blog.db");
        assert_eq!(path("sqlite::memory:").unwrap(), ":memory:");
        assert_eq!(path("sqlite:x?mode=memory").unwrap(), ":memory:");
        assert!(SqliteBuilder::from_url("sqlite:x?mode=ro").unwrap().config.read_only);
        assert!(!SqliteBuilder::from_url("sqlite:x?mode=rw").unwrap().config.create);
        let other = SqliteBuilder::from_url("mysql://ada:secret@localhost/x").unwrap_err();
        assert!(!format!("{other} {other:?}").contains("secret"), "{other:?}");
        for bad in ["mysql://x", "sqlite:", "sqlite://", "sqlite:x?cache=shared"] {
            assert!(SqliteBuilder::from_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn connections_are_set_up() {
        let directory = tempfile::tempdir().unwrap();
        let config = SqliteBuilder::new(&directory.path().join("a.db")).config;
        let writer = config.open(Role::Writer).unwrap();
        let reader = config.open(Role::Reader).unwrap();
        let text = |conn: &rusqlite::Connection, pragma: &str| {
            conn.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap()
        };
        let number = rusqlite::types::Value::Integer;
        assert_eq!(text(&writer, "journal_mode"), rusqlite::types::Value::Text("wal".into()));
        for conn in [&writer, &reader] {
            assert_eq!(text(conn, "foreign_keys"), number(1));
            assert_eq!(text(conn, "synchronous"), number(1));
            assert_eq!(text(conn, "temp_store"), number(2));
            assert_eq!(text(conn, "cache_size"), number(-8192));
            assert!(conn.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG).unwrap());
            assert!(conn.prepare("SELECT \"no such column\"").is_err());
        }
        assert!(reader.execute_batch("CREATE TABLE t(a)").is_err());
        writer.execute_batch("CREATE TABLE t(a)").unwrap();
    }
}
