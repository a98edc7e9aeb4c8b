//! A complete backend to start from. The database is SQLite, by the client `rusqlite`, with one connection. The chapter
//! "Writing a backend" of the guide leads through it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use assoc_core::driver::{Access, BoxFuture, Connection, Dialect, Driver, PoolStatus};
use assoc_core::{DriverErrorKind, Result};
use tokio::sync::Mutex;

mod connection;
mod dialect;
mod numbers;
mod values;

/// How long a task waits for the connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// A database file. It needs a tokio runtime with a timer.
#[derive(Debug)]
pub struct Template {
    dialect: dialect::TemplateDialect,
    client: Arc<Mutex<rusqlite::Connection>>,
}

impl Template {
    /// Opens a database file, which is made if it is not there.
    ///
    /// # Errors
    /// When there can be no such file, or it is no database.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let open = || {
            let client = rusqlite::Connection::open(path)?;
            client.set_prepared_statement_cache_capacity(100);
            client.execute_batch("PRAGMA foreign_keys = ON; PRAGMA journal_mode = MEMORY")?;
            numbers::register(&client)?;
            Ok::<_, rusqlite::Error>(client)
        };
        let client = open().map_err(|error| values::error(DriverErrorKind::Unavailable, error.to_string(), ""))?;
        Ok(Template { dialect: dialect::TemplateDialect::new(), client: Arc::new(Mutex::new(client)) })
    }
}

impl Driver for Template {
    fn dialect(&self) -> &dyn Dialect {
        &self.dialect
    }

    fn acquire(&self, _: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async {
            let free = Arc::clone(&self.client).lock_owned();
            let Ok(client) = tokio::time::timeout(PATIENCE, free).await else {
                let why = "it is in use";
                return Err(values::error(DriverErrorKind::PoolTimeout, why, ""));
            };
            Ok(Box::new(connection::Session::new(client)) as Box<dyn Connection>)
        })
    }

    fn pool_status(&self) -> Option<PoolStatus> {
        Some(PoolStatus::new(1, usize::from(self.client.try_lock().is_ok()), 1))
    }
}
