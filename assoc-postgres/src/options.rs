//! Options of the pool and its sessions.

use std::str::FromStr;
use std::time::Duration;

use assoc_core::Result;
use tokio_postgres::Config;

use crate::{Postgres, error};

/// Options of a [`Postgres`] pool.
#[derive(Debug, Clone)]
#[must_use = "nothing is connected before `connect`"]
pub struct PostgresBuilder {
    pub(crate) config: Config,
    pub(crate) max: usize,
    pub(crate) acquire_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    pub(crate) statement_timeout: Option<Duration>,
    pub(crate) ping_after: Duration,
    pub(crate) statements: usize,
    #[cfg(feature = "native-tls")]
    pub(crate) connector: Option<native_tls::TlsConnector>,
}

impl PostgresBuilder {
    pub(crate) fn from_url(url: &str) -> Result<Self> {
        let config = Config::from_str(url).map_err(error::of_options)?;
        Ok(PostgresBuilder::from_config(config))
    }

    /// The options of a client's configuration, for what a URL cannot say.
    ///
    /// ```
    /// use assoc_postgres::PostgresBuilder;
    /// use assoc_postgres::tokio_postgres::Config;
    ///
    /// let mut config = Config::new();
    /// config.host("localhost").user("app").dbname("shop").application_name("shop");
    /// let options = PostgresBuilder::from_config(config).max_connections(20);
    /// # let _ = options;
    /// ```
    pub fn from_config(config: Config) -> Self {
        PostgresBuilder {
            config,
            max: 10,
            acquire_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            statement_timeout: None,
            ping_after: Duration::from_secs(60),
            statements: 512,
            #[cfg(feature = "native-tls")]
            connector: None,
        }
    }

    /// How many connections there are at most, by default 10.
    ///
    /// ```
    /// # use assoc_postgres::Postgres;
    /// let options = Postgres::builder("postgres://app@localhost/shop")?.max_connections(20);
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn max_connections(mut self, max: usize) -> Self {
        self.max = max.max(1);
        self
    }

    /// How long a task waits for a connection to become free, by default 30 seconds.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use assoc_postgres::Postgres;
    /// let options = Postgres::builder("postgres://app@localhost/shop")?.acquire_timeout(Duration::from_secs(5));
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.acquire_timeout = limit;
        self
    }

    /// How long making a connection may take, by default 10 seconds.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use assoc_postgres::Postgres;
    /// let options = Postgres::builder("postgres://app@localhost/shop")?.connect_timeout(Duration::from_secs(3));
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// How long the server lets a statement run. By default the server's own setting counts.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use assoc_postgres::Postgres;
    /// let options = Postgres::builder("postgres://app@localhost/shop")?.statement_timeout(Duration::from_secs(10));
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn statement_timeout(mut self, limit: Duration) -> Self {
        self.statement_timeout = Some(limit);
        self
    }

    /// After how much idle time a connection is asked whether it is alive before it is handed out, by default 60 seconds. That
    /// costs one more turn.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use assoc_postgres::Postgres;
    /// let options = Postgres::builder("postgres://app@localhost/shop")?.ping_after(Duration::from_secs(30));
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn ping_after(mut self, idle: Duration) -> Self {
        self.ping_after = idle;
        self
    }

    /// How many statements a connection keeps prepared, by default 512.
    ///
    /// ```
    /// # use assoc_postgres::Postgres;
    /// let options = Postgres::builder("postgres://app@localhost/shop")?.prepared_statements(1_024);
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn prepared_statements(mut self, most: usize) -> Self {
        self.statements = most.max(1);
        self
    }

    /// How connections are encrypted, by default as the system's TLS library does it: with the system's certificates.
    ///
    /// ```
    /// # use assoc_postgres::Postgres;
    /// use assoc_postgres::native_tls::TlsConnector;
    ///
    /// let connector = TlsConnector::builder().danger_accept_invalid_hostnames(true).build().expect("a TLS library");
    /// let options = Postgres::builder("postgres://app@localhost/shop?sslmode=require")?.tls_connector(connector);
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    #[cfg(feature = "native-tls")]
    pub fn tls_connector(mut self, connector: native_tls::TlsConnector) -> Self {
        self.connector = Some(connector);
        self
    }

    /// Connects.
    ///
    /// # Errors
    /// When no connection can be made.
    ///
    /// ```no_run
    /// # async fn example() -> assoc_core::Result<()> {
    /// # use assoc_postgres::Postgres;
    /// let database = Postgres::builder("postgres://app@localhost/shop")?.max_connections(20).connect().await?;
    /// # drop(database);
    /// # Ok(()) }
    /// ```
    pub async fn connect(self) -> Result<Postgres> {
        Postgres::start(self).await
    }
}
