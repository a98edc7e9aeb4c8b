//! The driver: a dialect and a pool.

use std::sync::Arc;

use assoc_core::driver::{Access, BoxFuture, Connection, Dialect, Driver, PoolStatus, Statement};
use assoc_core::{DriverError, DriverErrorKind, Result, Value};
use assoc_dialects::mysql::{MySqlDialect, Server};
use mysql_async::Opts;

use crate::connection::MySqlConnection;
use crate::options::Builder;
use crate::pool::Pool;

/// A MySQL or MariaDB database.
#[derive(Debug)]
pub struct MySql {
    dialect: MySqlDialect,
    pool: Arc<Pool>,
}

impl MySql {
    /// Connects to `mysql://user:password@host:3306/database`, with default options. What else a URL may say
    /// (`pool_max`, `compression`, …) is in [`mysql_async::Opts`]'s documentation.
    ///
    /// # Errors
    /// When the URL is not one, or no connection can be made.
    ///
    /// ```no_run
    /// # async fn example() -> assoc_core::Result<()> {
    /// use assoc_mysql::MySql;
    ///
    /// let database = MySql::connect("mysql://app:secret@localhost:3306/shop").await?;
    /// # drop(database);
    /// # Ok(()) }
    /// ```
    pub async fn connect(url: &str) -> Result<MySql> {
        Self::builder(url)?.connect().await
    }

    /// Options for a database by URL.
    ///
    /// # Errors
    /// When the URL is not one.
    ///
    /// ```
    /// use assoc_mysql::MySql;
    ///
    /// let options = MySql::builder("mariadb://app@localhost/shop")?.max_connections(20);
    /// assert!(MySql::builder("postgres://localhost/shop").is_err());
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn builder(url: &str) -> Result<Builder> {
        Builder::from_url(url)
    }

    /// Options for a database, from options of mysql_async.
    ///
    /// ```
    /// use assoc_mysql::MySql;
    /// use assoc_mysql::mysql_async::OptsBuilder;
    ///
    /// let client = OptsBuilder::default().ip_or_hostname("db.internal").user(Some("app")).db_name(Some("shop"));
    /// let options = MySql::builder_from(client).max_connections(20);
    /// # let _ = options;
    /// ```
    pub fn builder_from(options: impl Into<Opts>) -> Builder {
        Builder::from_opts(options.into())
    }

    pub(crate) async fn from_builder(options: Builder) -> Result<MySql> {
        crate::tls::check(&options.opts)?;
        let uuid_as_text = options.uuid_as_text;
        let pool = Arc::new(Pool::new(options));
        let mut connection = MySqlConnection::new(Arc::clone(&pool), pool.acquire().await?);
        let mut server = None;
        let mut sink = |values: &mut [Value<'_>]| {
            if let [Value::Text(version), Value::Text(comment)] = values {
                server = Some(Server::parse(version, comment));
            }
            Ok(())
        };
        connection.query(&Statement::plain("SELECT VERSION(), @@version_comment"), &mut sink).await?;
        drop(connection);
        let server = server.ok_or_else(|| {
            DriverError::new(DriverErrorKind::Unavailable, "the server does not say what version it is")
        })?;
        Ok(MySql { dialect: MySqlDialect::new(server, uuid_as_text), pool })
    }

    /// What server this is, as it said when the driver connected.
    ///
    /// ```no_run
    /// # async fn example() -> assoc_core::Result<()> {
    /// # use assoc_mysql::MySql;
    /// let database = MySql::connect("mysql://app@localhost/shop").await?;
    /// println!("{:?} {:?}", database.server().kind(), database.server().version());
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn server(&self) -> &Server {
        self.dialect.server()
    }

    /// Closes the pool: idle connections close at once, and those in use when they return. No call gets a connection
    /// from it afterwards. Without this, dropping the driver closes them in the background.
    ///
    /// ```no_run
    /// # async fn example() -> assoc_core::Result<()> {
    /// # use assoc_mysql::MySql;
    /// let database = MySql::connect("mysql://app@localhost/shop").await?;
    /// database.close().await;
    /// # Ok(()) }
    /// ```
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

impl Driver for MySql {
    fn dialect(&self) -> &dyn Dialect {
        &self.dialect
    }

    fn acquire(&self, _: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let acquired = self.pool.acquire().await?;
            Ok(Box::new(MySqlConnection::new(Arc::clone(&self.pool), acquired)) as Box<dyn Connection>)
        })
    }

    fn pool_status(&self) -> Option<PoolStatus> {
        Some(self.pool.status())
    }
}
