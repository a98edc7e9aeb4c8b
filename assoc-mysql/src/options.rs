//! How to connect: URL, pool sizes, time limits, what to do with each new session.

use std::fmt;
use std::time::Duration;

use assoc_core::Result;
use assoc_dialects::mysql::settings::SET_UP;
use mysql_async::{Conn, Opts, OptsBuilder, PoolConstraints};

use crate::driver::MySql;
use crate::error::of_options;

/// Options of a [`MySql`] driver, from [`MySql::builder`].
///
/// ```no_run
/// # async fn f() -> assoc_core::Result<()> {
/// use std::time::Duration;
/// use assoc_mysql::MySql;
///
/// let db = MySql::builder("mysql://app:secret@db.example/blog")?
///     .max_connections(20)
///     .acquire_timeout(Duration::from_secs(5))
///     .on_connect("SET SESSION innodb_lock_wait_timeout = 5")
///     .connect()
///     .await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "options do nothing until `connect`"]
pub struct Builder {
    pub(crate) opts: Opts,
    pub(crate) min: usize,
    pub(crate) max: usize,
    pub(crate) acquire_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) ping_after: Duration,
    pub(crate) ping_before_write: bool,
    pub(crate) trust_window: Duration,
    pub(crate) spare_connections: usize,
    pub(crate) statement_cache: usize,
    pub(crate) uuid_as_text: bool,
    pub(crate) on_connect: Vec<String>,
}

impl Builder {
    pub(crate) fn from_url(url: &str) -> Result<Self> {
        let url = match url.strip_prefix("mariadb://") {
            Some(rest) => format!("mysql://{rest}"),
            None => url.to_owned(),
        };
        Opts::from_url(&url).map(Self::from_opts).map_err(|error| {
            of_options(format!("not a MySQL URL (`mysql://user:password@host:3306/database`): {error}"))
        })
    }

    pub(crate) fn from_opts(opts: Opts) -> Self {
        let constraints = opts.pool_opts().constraints();
        // The default of mysql_async, 10 to 100 connections, is not this driver's default.
        let (min, max) =
            if constraints == PoolConstraints::default() { (0, 10) } else { (constraints.min(), constraints.max()) };
        Builder {
            opts,
            min,
            max,
            acquire_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(600),
            ping_after: Duration::from_secs(5),
            ping_before_write: true,
            trust_window: Duration::from_millis(500),
            spare_connections: 5,
            statement_cache: 256,
            uuid_as_text: false,
            on_connect: Vec::new(),
        }
    }

    /// The most connections there are at one time (10, or the URL's `pool_max`); at least 1.
    ///
    /// ```
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.max_connections(20);
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn max_connections(mut self, max: usize) -> Self {
        self.max = max.max(1);
        self
    }

    /// Sets the number of idle connections that the pool keeps even without use (default: 0, or the URL's `pool_min`).
    ///
    /// ```
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.min_connections(2);
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn min_connections(mut self, min: usize) -> Self {
        self.min = min;
        self
    }

    /// How long to wait for a connection before giving up (30 seconds), connecting included.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.acquire_timeout(Duration::from_secs(5));
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn acquire_timeout(mut self, limit: Duration) -> Self {
        self.acquire_timeout = limit;
        self
    }

    /// How long a connection may be idle before it is closed (10 minutes).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.idle_timeout(Duration::from_secs(60));
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = limit;
        self
    }

    /// How long a connection may be idle before it is pinged when it is handed out (5 seconds).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.ping_after(Duration::from_secs(30));
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn ping_after(mut self, idle: Duration) -> Self {
        self.ping_after = idle;
        self
    }

    /// Whether a pooled connection is pinged before its first statement, if that writes outside a transaction (default:
    /// yes).
    ///
    /// The driver silently replaces a connection that the server has closed. For statements that read, and for the
    /// start of a transaction, that costs nothing, because they can run again. A write must not run twice, and over TCP
    /// a connection that was closed before the write looks like one that was lost after it. The ping is one round trip.
    /// There is none where the statement must be prepared first, where the connection is a local socket, or where it has
    /// answered [a moment ago](Self::trust_window).
    ///
    /// ```
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.ping_before_write(false);
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn ping_before_write(mut self, ping: bool) -> Self {
        self.ping_before_write = ping;
        self
    }

    /// How long a connection counts as alive after its last answer (500 milliseconds), so that a write needs no
    /// [ping](Self::ping_before_write).
    ///
    /// The price: where the server closes a connection within that time, a write outside a transaction fails with
    /// [`ConnectionLost`](assoc_core::DriverErrorKind::ConnectionLost) in place of running on another connection. It never runs
    /// twice. With zero every such write is pinged, and takes two round trips.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.trust_window(Duration::from_secs(2));
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn trust_window(mut self, window: Duration) -> Self {
        self.trust_window = window;
        self
    }

    /// How many idle connections a call may use beside its own (5), for statements of a preload that do not need each other's
    /// rows. Only those are used that are idle at that moment; no call waits for one. Inside a transaction everything stays on
    /// its connection. With 0 the statements run one after the other.
    ///
    /// ```
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.spare_connections(0);
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn spare_connections(mut self, spare: usize) -> Self {
        self.spare_connections = spare;
        self
    }

    /// How many prepared statements each connection keeps (256). The server keeps `max_prepared_stmt_count` for all connections
    /// together; where it has no room, a connection closes some of its own and goes on. One that keeps none runs what has no binds as
    /// text, and returns the server's error otherwise. With 0 every statement is prepared and closed again,
    /// for proxies that cannot keep them.
    ///
    /// ```
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.statement_cache(1_024);
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn statement_cache(mut self, statements: usize) -> Self {
        self.statement_cache = statements;
        self
    }

    /// Stores UUIDs as `CHAR(36)` text instead of `BINARY(16)`. Either setting reads both forms.
    ///
    /// ```
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.uuid_as_text(true);
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn uuid_as_text(mut self, as_text: bool) -> Self {
        self.uuid_as_text = as_text;
        self
    }

    /// A statement for every new session: another isolation level, a time limit, a stricter `sql_mode`. Statements run
    /// in the order given, after those of the driver. The time zone must stay UTC and the character set `utf8mb4`;
    /// otherwise dates and text are read wrongly.
    ///
    /// ```
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.on_connect("SET SESSION max_statement_time = 10");
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn on_connect(mut self, sql: impl Into<String>) -> Self {
        self.on_connect.push(sql.into());
        self
    }

    /// Changes the options of mysql_async: TLS, compression, keepalive. See the [crate documentation](crate#tls).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use assoc_mysql::MySql;
    /// let options = MySql::builder("mysql://app@localhost/shop")?.options(|client| client.tcp_keepalive(Some(Duration::from_secs(30))));
    /// # let _ = options;
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn options(mut self, change: impl FnOnce(OptsBuilder) -> OptsBuilder) -> Self {
        self.opts = change(OptsBuilder::from_opts(self.opts)).into();
        self
    }

    /// Connects once, to find out what server it is, and keeps that connection.
    ///
    /// # Errors
    /// When there is no connection to be had within the [time limit](Self::acquire_timeout).
    ///
    /// ```no_run
    /// # async fn example() -> assoc_core::Result<()> {
    /// # use assoc_mysql::MySql;
    /// let database = MySql::builder("mysql://app@localhost/shop")?.max_connections(20).connect().await?;
    /// # drop(database);
    /// # Ok(()) }
    /// ```
    pub async fn connect(self) -> Result<MySql> {
        MySql::from_builder(self).await
    }

    /// The options each session is made with.
    pub(crate) fn session_opts(&self) -> Opts {
        // The prepared statements are ours (see `statements`); the rows an UPDATE found are counted, not those it
        // changed.
        OptsBuilder::from_opts(self.opts.clone()).stmt_cache_size(0).client_found_rows(true).into()
    }

    /// Options as they may be shown: without the password.
    pub(crate) fn shown(opts: &Opts) -> String {
        let user = opts.user().unwrap_or_default();
        let database = opts.db_name().unwrap_or_default();
        format!("mysql://{user}@{}:{}/{database}", opts.ip_or_hostname(), opts.tcp_port())
    }

    /// Makes a session what the driver relies on.
    pub(crate) async fn set_up(&self, conn: &mut Conn) -> mysql_async::Result<()> {
        use mysql_async::prelude::Queryable;
        conn.query_drop(SET_UP).await?;
        for sql in &self.on_connect {
            conn.query_drop(sql.as_str()).await?;
        }
        Ok(())
    }
}

// Not derived: mysql_async shows the password with its options.
impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("opts", &Self::shown(&self.opts))
            .field("min", &self.min)
            .field("max", &self.max)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("idle_timeout", &self.idle_timeout)
            .field("ping_after", &self.ping_after)
            .field("ping_before_write", &self.ping_before_write)
            .field("trust_window", &self.trust_window)
            .field("spare_connections", &self.spare_connections)
            .field("statement_cache", &self.statement_cache)
            .field("uuid_as_text", &self.uuid_as_text)
            // Its text may set a password.
            .field("on_connect", &self.on_connect.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        let builder = Builder::from_url("mysql://ada:secret@db.example:3307/blog").unwrap();
        let builder = builder.on_connect("SET PASSWORD = 'secret'");
        let shown = format!("{builder:?}");
        assert!(shown.contains("mysql://ada@db.example:3307/blog") && !shown.contains("secret"), "{shown}");
        for bad in ["mysql://ada:secret@db.example/blog?nonsense=1", "mysql://ada:secret@", "postgres://ada:secret@x/y"]
        {
            let error = Builder::from_url(bad).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
        }
    }
}
