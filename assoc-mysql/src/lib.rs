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
//! MariaDB 10.5 and later, MySQL 5.7 and 8, and servers that speak their protocol. The driver asks the server for its
//! version and uses the [`Features`] of that version. The tests run on MariaDB 10.11; **MySQL is declared from its
//! documentation, not verified here**.
//!
//! # TLS
//!
//! The two TLS features of mysql_async do not compile together, so this crate enables neither. The program selects one:
//! it depends on mysql_async itself, in the version of this crate (re-exported as
//! [`assoc_mysql::mysql_async`](mysql_async)):
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
//! found, not those it changed. Statements with binds use the binary protocol. Each connection prepares them once and
//! keeps them in a [bounded cache](Builder::statement_cache), until a statement of this driver changes tables. Rows are
//! passed on as they arrive.
//!
//! The driver silently replaces a pooled connection that the server has closed; a connection lost inside a transaction
//! is an error. A connection that is dropped inside a transaction is rolled back, and one that is dropped in the middle
//! of a statement is closed. This needs a tokio runtime; a connection belongs to the runtime that made it.
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
//! A zero date (`0000-00-00`) from older data reads as `None` in an `Option`; for other fields it is an error that
//! shows the date.
//!
//! # Worth knowing
//!
//! * Raw SQL may change its session (variables, settings, temporary tables, locks). The change lasts until the
//!   connection returns to the pool: to the end of the transaction, or of the one statement. The driver resets such a
//!   session before its next use, which costs a round trip and its prepared statements. A statement counts as harmless
//!   if its first word is known to leave no change (`SELECT`, `INSERT`, `CREATE`, …) and it neither assigns a variable
//!   nor takes a lock.
//! * The server reports with each answer whether a transaction is open. A statement may have ended the transaction that
//!   it runs in: DDL does so, and so do a procedure with a `COMMIT`, a lock timeout with `innodb_rollback_on_timeout`,
//!   and a deadlock. The driver then refuses the later statements and the commit of that transaction. If a statement
//!   outside of a transaction leaves one open, the driver rolls it back and returns an error.
//! * Bind parameters of decimals are sent as text, which the server compares with a `DECIMAL` column as floating point
//!   numbers: equality is exact up to 15 digits.
//! * The server does not learn that a statement was cancelled. The statement runs on until it has an answer to send,
//!   and so do the locks of its transaction. A time limit on the server (`max_statement_time`, `max_execution_time`)
//!   bounds that.
//! * The driver relies on the session settings; [`Builder::on_connect`] says which of them must stay.

#![forbid(unsafe_code)]

mod bind;
mod connection;
mod driver;
mod error;
mod options;
mod pool;
mod read;
mod session;
mod statements;
mod tls;

pub use assoc_dialects::mysql::{Features, MySqlDialect, Server, ServerKind};
pub use driver::MySql;
pub use mysql_async;
pub use options::Builder;
