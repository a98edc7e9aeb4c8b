//! What the suite needs of a backend: empty databases.

use std::path::PathBuf;
use std::sync::Arc;

use assoc_core::Result;
use assoc_core::driver::{BoxFuture, Driver};

use crate::native_sql::NativeSql;

/// A backend under test.
pub trait Backend: Send + Sync + 'static {
    /// Its name in reports, and of its SQL overlay: `sqlite`.
    fn name(&self) -> &'static str;

    /// The database and its client, with their versions, for the report: `SQLite 3.50, rusqlite 0.41`.
    fn version(&self) -> String {
        String::new()
    }

    /// The folder with the goldens of the backend's SQL, in the backend's own tree:
    /// `concat!(env!("CARGO_MANIFEST_DIR"), "/goldens")`. `--bless` records them. Without it, a backend of this
    /// workspace has its goldens in this crate, and no SQL of another is compared.
    fn overlay(&self) -> Option<PathBuf> {
        None
    }

    /// A new, empty database for one case.
    fn fresh(&self) -> BoxFuture<'_, Result<Database>>;
}

/// An empty database, removed when dropped if the backend says how.
pub struct Database {
    driver: Arc<dyn Driver>,
    native_sql: NativeSql,
    remove: Option<Box<dyn FnOnce() + Send + Sync>>,
}

impl Database {
    /// A database that disappears by itself.
    pub fn new(driver: impl Driver) -> Self {
        Database { driver: Arc::new(driver), native_sql: NativeSql::default(), remove: None }
    }

    /// The same with SQL that only this database understands, for the cases that need it.
    #[must_use]
    pub fn with_native_sql(mut self, sql: NativeSql) -> Self {
        self.native_sql = sql;
        self
    }

    /// The same with something to do when the case is over, also if it panicked.
    #[must_use]
    pub fn on_drop(mut self, remove: impl FnOnce() + Send + Sync + 'static) -> Self {
        self.remove = Some(Box::new(remove));
        self
    }

    /// The same database behind another driver, which wraps its own.
    #[must_use]
    pub fn wrapped(mut self, wrap: impl FnOnce(Arc<dyn Driver>) -> Arc<dyn Driver>) -> Self {
        self.driver = wrap(Arc::clone(&self.driver));
        self
    }

    /// The SQL that only this database understands.
    #[must_use]
    pub fn native_sql(&self) -> &NativeSql {
        &self.native_sql
    }

    /// The driver.
    #[must_use]
    pub fn driver(&self) -> &Arc<dyn Driver> {
        &self.driver
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(remove) = self.remove.take() {
            remove();
        }
    }
}
