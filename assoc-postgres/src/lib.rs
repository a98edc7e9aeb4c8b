//! The PostgreSQL backend of `assoc`, on [tokio-postgres](tokio_postgres).
//!
//! It needs a tokio runtime. Each connection keeps its prepared statements, and the pool hands connections out in the order of
//! the requests. A session's time zone is UTC.
//!
//! | column | comes back as |
//! |---|---|
//! | `boolean` | `Bool` |
//! | `smallint`, `integer`, `bigint`, `oid` | `Int` |
//! | `real`, `double precision` | `Real` |
//! | `numeric` | `Decimal` |
//! | `text`, `varchar`, `char`, `name`, `citext`, an enum, a domain over them | `Text` |
//! | `bytea` | `Blob` |
//! | `date`, `time`, `timestamp` | `Date`, `Time`, `DateTime` |
//! | `timestamptz` | `DateTime`, in UTC |
//! | `uuid` | `Uuid` |
//! | `json`, `jsonb` | `Json` |
//! | an array of these | `Json`: an array, its decimals, dates and bytes as strings |
//!
//! A column of another type is an error that names it: cast it to `text` in the statement. Infinite dates are errors as well.

pub use assoc_dialects::postgres::PostgresDialect;
#[cfg(feature = "native-tls")]
pub use native_tls;
pub use options::PostgresBuilder;
pub use tokio_postgres;

use assoc_core::Result;
use assoc_core::driver::{Access, BoxFuture, Connection, Dialect, Driver, PoolStatus};

use crate::connection::PostgresConnection;
use crate::pool::Pool;

mod arrays;
mod connection;
mod deferred;
mod effects;
mod error;
mod options;
mod pool;
mod read;
mod session;
mod statements;
mod tls;
mod together;
mod values;

/// A PostgreSQL database: a pool of connections to it.
///
/// ```no_run
/// # async fn example() -> assoc_core::Result<()> {
/// use assoc_postgres::Postgres;
///
/// let database = Postgres::connect("postgres://app@localhost/shop").await?;
/// let with_options = Postgres::builder("postgres://app@localhost/shop")?.max_connections(20).connect().await?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Postgres {
    dialect: PostgresDialect,
    pool: Pool,
}

impl Postgres {
    /// Connects to the database of a URL, or of a list of `key=value` pairs as `libpq` takes it.
    ///
    /// # Errors
    /// When the URL cannot be read, and when no connection can be made.
    ///
    /// ```no_run
    /// # async fn example() -> assoc_core::Result<()> {
    /// # use assoc_postgres::Postgres;
    /// let by_url = Postgres::connect("postgres://app:secret@localhost:5432/shop").await?;
    /// let by_pairs = Postgres::connect("host=/run/postgresql user=app dbname=shop").await?;
    /// # Ok(()) }
    /// ```
    pub async fn connect(url: &str) -> Result<Self> {
        Postgres::builder(url)?.connect().await
    }

    /// Options of the pool and its sessions.
    ///
    /// # Errors
    /// When the URL cannot be read.
    ///
    /// ```
    /// # use assoc_postgres::Postgres;
    /// let options = Postgres::builder("postgres://app@localhost/shop")?.max_connections(20);
    /// assert!(Postgres::builder("mysql://localhost/shop").is_err());
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn builder(url: &str) -> Result<PostgresBuilder> {
        PostgresBuilder::from_url(url)
    }

    /// Closes idle connections now, and those in use once they come back. Nothing can be acquired afterwards.
    ///
    /// ```no_run
    /// # async fn example() -> assoc_core::Result<()> {
    /// # use assoc_postgres::Postgres;
    /// let database = Postgres::connect("postgres://app@localhost/shop").await?;
    /// database.close();
    /// # Ok(()) }
    /// ```
    pub fn close(&self) {
        self.pool.close();
    }

    async fn start(options: PostgresBuilder) -> Result<Self> {
        let pool = Pool::new(options)?;
        // A wrong password or address is said now, and not by the first query.
        drop(pool.acquire().await?);
        Ok(Postgres { dialect: PostgresDialect::default(), pool })
    }
}

impl Driver for Postgres {
    fn dialect(&self) -> &dyn Dialect {
        &self.dialect
    }

    fn acquire(&self, _: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async {
            let session = self.pool.acquire().await?;
            Ok(Box::new(PostgresConnection::new(session)) as Box<dyn Connection>)
        })
    }

    fn pool_status(&self) -> Option<PoolStatus> {
        Some(self.pool.status())
    }
}
