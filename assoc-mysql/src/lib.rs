//! MySQL and MariaDB backend of assoc, on [`mysql_async`].
//!
//! ```no_run
//! # async fn f() -> assoc_core::Result<()> {
//! let db = assoc_mysql::MySql::connect("mysql://app:secret@localhost/blog").await?;
//! println!("{}", db.server());
//! # Ok(()) }
//! ```
//!
//! # Servers
//!
//! MariaDB 10.5 and later, MySQL 5.7 and 8, and what speaks their protocol. The driver asks the server what it is and
//! goes by [`Features`]. The tests run on MariaDB 10.11; **MySQL is declared from its documentation, not verified
//! here**.
//!
//! # TLS
//!
//! mysql_async's two TLS features do not compile together, so this crate has neither and the application picks one by
//! naming mysql_async itself, in the version this crate uses (it is re-exported as [`assoc_mysql::mysql_async`](mysql_async)):
//!
//! ```toml
//! assoc-mysql = "0.1"
//! mysql_async = { version = "0.37", default-features = false, features = ["native-tls-tls"] }
//! # or, with rustls: features = ["rustls-tls", "ring", "tls12"]
//! ```
//!
//! ```ignore
//! let db = MySql::builder(url)?.options(|options| options.ssl_opts(SslOpts::default())).connect().await?;
//! ```
//!
//! # Sessions
//!
//! Every session is `utf8mb4`, in UTC, and strict: a value that does not fit is an error. `UPDATE` reports the rows it
//! found, not those it changed. Statements with binds run in the binary protocol, prepared once a connection and kept in
//! a [bounded cache](Builder::statement_cache); rows are handed on as they arrive.
//!
//! A pooled connection that the server has closed is replaced without anybody noticing, unless it is lost inside a
//! transaction, which is an error. A connection that is dropped inside a transaction is rolled back, and one that is
//! dropped in the middle of a statement is closed. This needs a tokio runtime; connections belong to the runtime they
//! were made on.
//!
//! # Types
//!
//! | Rust | column | notes |
//! |---|---|---|
//! | `bool` | `TINYINT(1)` | also reads `BIT(1)` |
//! | `i8` … `i64`, `u8` … `u64` | `TINYINT` … `BIGINT`, `UNSIGNED` | also `YEAR`, `BIT(n)` (unsigned) |
//! | `f32`, `f64` | `FLOAT`, `DOUBLE` | |
//! | `String` | `LONGTEXT`; `VARCHAR(n)` with a length; `VARCHAR(255)` as a key | also `ENUM`, `SET` |
//! | `Vec<u8>` | `LONGBLOB`; `VARBINARY(n)` with a length; `VARBINARY(255)` as a key | |
//! | dates and times | `DATE`, `TIME(6)`, `DATETIME(6)` | also `TIMESTAMP`; `TIME` may be negative or longer than a day |
//! | decimals | `DECIMAL(57,28)` | |
//! | UUIDs | `BINARY(16)` | or [`CHAR(36)`](Builder::uuid_as_text) |
//! | JSON | `JSON` | |
//!
//! A zero date (`0000-00-00`) that an older application left behind reads as `None` in an `Option` and is an error that
//! shows it elsewhere.
//!
//! # Worth knowing
//!
//! * What raw SQL changes in its session (variables, settings, temporary tables, locks) lasts as long as the connection is
//!   held: to the end of the transaction, or of the one statement. Such a session is reset before anybody else gets it,
//!   which costs a round trip and its prepared statements. A statement counts as harmless if it begins with a word that is
//!   known to leave nothing (`SELECT`, `INSERT`, `CREATE`, …) and neither assigns a variable nor takes a lock.
//! * The server says with each answer whether a transaction is open. If a statement has ended the one it runs in, the rest of
//!   it is refused, and so is its commit: DDL does so, and so does a procedure with a `COMMIT`, a lock timeout with
//!   `innodb_rollback_on_timeout`, a deadlock. If a statement outside has left one open, it is rolled back, which is an
//!   error.
//! * Bind parameters of decimals are sent as text, which the server compares with a `DECIMAL` column as floating point
//!   numbers: equality is exact up to 15 digits.
//! * Nobody tells the server that a statement was cancelled: it runs on until it has something to send, and so do the
//!   locks of its transaction. A time limit on the server (`max_statement_time`, `max_execution_time`) bounds that.
//! * The session settings are part of what the driver relies on; [`Builder::on_connect`] says which must stay.

#![forbid(unsafe_code)]

mod bind;
mod connection;
mod dialect;
mod driver;
mod effects;
mod error;
mod options;
mod pool;
mod read;
mod server;
mod session;
mod statements;
mod tls;

pub use dialect::MySqlDialect;
pub use driver::MySql;
pub use mysql_async;
pub use options::Builder;
pub use server::{Features, Server, ServerKind};
