//! A complete backend to start from. The database is SQLite, by the client `rusqlite`. The chapter "Writing a backend" of
//! the guide leads through it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use assoc_core::driver::{Access, BoxFuture, Connection, Dialect, Driver, PoolStatus};
use assoc_core::{DriverError, DriverErrorKind, Result};
use tokio::sync::Semaphore;

use crate::connection::Session;
use crate::dialect::TemplateDialect;

mod connection;
mod dialect;
mod errors;
mod numbers;
mod values;

/// How long a task waits for a connection.
const PATIENCE: Duration = Duration::from_secs(10);
/// SQLite has one writer at a time, so there is one connection that writes.
const CONNECTIONS: [(Access, usize); 2] = [(Access::Write, 1), (Access::Read, 4)];

/// A database file. Its connections need a tokio runtime with a timer.
#[derive(Debug)]
pub struct Template {
    dialect: TemplateDialect,
    pool: Arc<Pool>,
    permits: [Arc<Semaphore>; 2],
}

#[derive(Debug)]
struct Pool {
    path: PathBuf,
    idle: Mutex<Vec<rusqlite::Connection>>,
}

impl Template {
    /// Opens a database file, which is made if it is not there.
    ///
    /// # Errors
    /// When there can be no such file, or it is no database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let pool = Pool { path: path.as_ref().to_owned(), idle: Mutex::default() };
        pool.put_back(pool.take()?);
        let permits = CONNECTIONS.map(|(_, count)| Arc::new(Semaphore::new(count)));
        Ok(Template { dialect: TemplateDialect::new(), pool: Arc::new(pool), permits })
    }
}

impl Pool {
    fn take(&self) -> Result<rusqlite::Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| self.connect().map_err(errors::of_opening), Ok)
    }

    fn connect(&self) -> rusqlite::Result<rusqlite::Connection> {
        let client = rusqlite::Connection::open(&self.path)?;
        client.set_prepared_statement_cache_capacity(100);
        client.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        client.execute_batch("PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON")?;
        numbers::register(&client)?;
        Ok(client)
    }

    fn put_back(&self, client: rusqlite::Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
    }
}

impl Driver for Template {
    fn dialect(&self) -> &dyn Dialect {
        &self.dialect
    }

    fn acquire(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        let [writer, readers] = &self.permits;
        let permits = if access == Access::Write { writer } else { readers };
        Box::pin(async {
            let Ok(Ok(permit)) = tokio::time::timeout(PATIENCE, Arc::clone(permits).acquire_owned()).await else {
                return Err(DriverError::new(DriverErrorKind::PoolTimeout, "all connections are in use").into());
            };
            Ok(Box::new(Session::new(self.pool.take()?, Arc::clone(&self.pool), permit)) as Box<dyn Connection>)
        })
    }

    fn pool_status(&self) -> Option<PoolStatus> {
        let max: usize = CONNECTIONS.iter().map(|(_, count)| count).sum();
        let used = max - self.permits.iter().map(|permits| permits.available_permits()).sum::<usize>();
        let idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).len();
        Some(PoolStatus::new(idle + used, idle, max))
    }
}
