//! The kind and version of the server, and its features.
//!
//! MySQL and MariaDB speak one protocol and differ in everything else, so each has separate [`Features`]. The conformance
//! suite verifies MariaDB 10.11 and MySQL 9.7; the other sets are declared from the servers' documentation and not verified
//! here.

use std::fmt;

use assoc_core::dialect::{Capabilities, KeyedWrite, PerOwnerLimit, Recursions, RowLocks, Upsert};

/// The two families of servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerKind {
    /// MySQL, and what calls itself so: Percona Server, Aurora, TiDB, Vitess.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// A server's kind and version, as it said when the driver connected.
///
/// ```
/// use assoc_dialects::mysql::{Features, Server, ServerKind};
///
/// let server = Server::parse("9.7.0", "MySQL Community Server - GPL");
/// assert_eq!((server.kind(), server.version()), (ServerKind::MySql, (9, 7, 0)));
/// assert_eq!(server.features(), Features::MYSQL_8_0_16);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Server {
    kind: ServerKind,
    version: (u16, u16, u16),
    text: String,
}

impl Server {
    /// Reads what `SELECT VERSION(), @@version_comment` answers.
    ///
    /// ```
    /// use assoc_dialects::mysql::{Server, ServerKind};
    ///
    /// let server = Server::parse("5.5.5-10.11.14-MariaDB-0+deb12u2", "Debian 12");
    /// assert_eq!((server.kind(), server.version()), (ServerKind::MariaDb, (10, 11, 14)));
    /// ```
    #[must_use]
    pub fn parse(version: &str, comment: &str) -> Self {
        let is_mariadb = [version, comment].iter().any(|text| text.to_ascii_lowercase().contains("mariadb"));
        let kind = if is_mariadb { ServerKind::MariaDb } else { ServerKind::MySql };
        // MariaDB may say 5.5.5 first, for replicas that refuse a major version of two digits.
        let numbers = if is_mariadb { version.strip_prefix("5.5.5-").unwrap_or(version) } else { version };
        let mut parts = numbers.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
        let mut next = || parts.next().unwrap_or(0);
        Server { kind, version: (next(), next(), next()), text: version.to_owned() }
    }

    /// MySQL or MariaDB.
    #[must_use]
    pub fn kind(&self) -> ServerKind {
        self.kind
    }

    /// Major, minor and patch version.
    #[must_use]
    pub fn version(&self) -> (u16, u16, u16) {
        self.version
    }

    /// What it can do.
    #[must_use]
    pub fn features(&self) -> Features {
        match self.kind {
            ServerKind::MariaDb if self.version >= (10, 6, 0) => Features::MARIADB_10_6,
            ServerKind::MariaDb if self.version >= (10, 5, 0) => Features::MARIADB_10_5,
            ServerKind::MariaDb => Features::MARIADB_10_2,
            // TiDB calls itself 8.0.11 and has no LATERAL, which the version says by itself.
            ServerKind::MySql if self.version >= (8, 0, 16) => Features::MYSQL_8_0_16,
            ServerKind::MySql if self.version >= (8, 0, 14) => Features::MYSQL_8_0_14,
            ServerKind::MySql if self.version >= (8, 0, 4) => Features::MYSQL_8_0,
            ServerKind::MySql => Features::MYSQL_5_7,
        }
    }
}

/// `MariaDB 10.11.14-MariaDB-0+deb12u2`.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.text)
    }
}

impl fmt::Display for ServerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ServerKind::MySql => "MySQL",
            ServerKind::MariaDb => "MariaDB",
        })
    }
}

/// What servers of one range of versions can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Features {
    /// `INSERT … RETURNING`.
    pub insert_returning: bool,
    /// `DELETE … RETURNING`.
    pub delete_returning: bool,
    /// `ROW_NUMBER() OVER (…)` and its kin.
    pub window_functions: bool,
    /// `LATERAL` derived tables.
    pub lateral: bool,
    /// `SKIP LOCKED`.
    pub skip_locked: bool,
    /// `FOR UPDATE OF` a table.
    pub lock_of_table: bool,
    /// `JSON_TABLE`.
    pub json_table: bool,
    /// `JSON` is a type with rules of its own for what is equal and smaller, and not text.
    pub json_type: bool,
    /// A parameter that is `NULL` is text, whatever stands beside it in a union.
    pub null_parameters_are_text: bool,
    /// `CHECK` constraints are enforced, not just parsed.
    pub check_constraints: bool,
    /// How many keys a list may have so that the server surely finds their rows by an index.
    pub listed_keys: usize,
    /// The longest identifier, in characters.
    pub max_identifier: usize,
    /// The most placeholders of a prepared statement.
    pub max_binds: usize,
}

impl Features {
    /// MySQL 5.7. Declared, not verified here.
    pub const MYSQL_5_7: Features = Features {
        insert_returning: false,
        delete_returning: false,
        window_functions: false,
        lateral: false,
        skip_locked: false,
        lock_of_table: false,
        json_table: false,
        json_type: true,
        null_parameters_are_text: true,
        check_constraints: false,
        listed_keys: 4_096,
        max_identifier: 64,
        max_binds: 65_535,
    };
    /// MySQL 8.0.4 to 8.0.13, and TiDB. Declared, not verified here.
    pub const MYSQL_8_0: Features = Features { window_functions: true, json_table: true, ..Features::MYSQL_5_7 };
    /// MySQL 8.0.14 and 8.0.15. Declared, not verified here.
    pub const MYSQL_8_0_14: Features =
        Features { lateral: true, skip_locked: true, lock_of_table: true, ..Features::MYSQL_8_0 };
    /// MySQL 8.0.16 and later. Verified on 9.7.
    pub const MYSQL_8_0_16: Features = Features { check_constraints: true, ..Features::MYSQL_8_0_14 };
    /// MariaDB 10.2 to 10.4, which are no longer maintained. Declared, not verified here.
    pub const MARIADB_10_2: Features = Features {
        delete_returning: true,
        window_functions: true,
        check_constraints: true,
        json_type: false,
        null_parameters_are_text: false,
        listed_keys: 16_384,
        ..Features::MYSQL_5_7
    };
    /// MariaDB 10.5. Declared, not verified here.
    pub const MARIADB_10_5: Features = Features { insert_returning: true, ..Features::MARIADB_10_2 };
    /// MariaDB 10.6 and later. Verified on 10.11.
    pub const MARIADB_10_6: Features = Features { json_table: true, skip_locked: true, ..Features::MARIADB_10_5 };

    /// The same as the core asks for it.
    ///
    /// ```
    /// use assoc_core::dialect::{PerOwnerLimit, Upsert};
    /// use assoc_dialects::mysql::Features;
    ///
    /// let (mysql, mariadb) = (Features::MYSQL_8_0_16.capabilities(), Features::MARIADB_10_6.capabilities());
    /// assert_eq!((mysql.per_owner_limit, mariadb.per_owner_limit), (PerOwnerLimit::Lateral, PerOwnerLimit::Window));
    /// assert_eq!((mysql.upsert, mariadb.upsert), (Upsert::Unsupported, Upsert::AnyIndex));
    /// ```
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.insert_returning = self.insert_returning;
        capabilities.delete_returning = self.delete_returning;
        // Simple inserts, whose number of rows is known, get ascending numbers in every `innodb_autoinc_lock_mode`.
        capabilities.ascending_keys = true;
        capabilities.max_binds = self.max_binds;
        capabilities.insert_rows = 1_000;
        capabilities.max_identifier = self.max_identifier;
        capabilities.free_snapshot = false;
        capabilities.row_values = true;
        // The range analysis of `(a, b) IN (…)` is quadratic if `a` and `b` have separate indexes.
        capabilities.long_row_lists = false;
        // For many keys the server reads the whole table, and then sorts what it found.
        capabilities.reads_in_key_order = false;
        // Recursive statements came with window functions, in MySQL 8.0 and MariaDB 10.2.
        if self.window_functions {
            capabilities.recursions = Recursions::AtOnce;
        }
        capabilities.per_owner_limit = match self {
            Features { lateral: true, .. } => PerOwnerLimit::Lateral,
            Features { window_functions: true, .. } => PerOwnerLimit::Window,
            _ => PerOwnerLimit::Unsupported,
        };
        // "You can't specify target table for update in FROM clause": MySQL always, MariaDB before 10.3 and 11.1. Subselects
        // of a SELECT are turned into joins as well, those of an UPDATE or a DELETE are run for each row.
        capabilities.row_locks = RowLocks::Rows { skips: self.skip_locked, names_table: self.lock_of_table };
        if self.insert_returning {
            capabilities.upsert = Upsert::AnyIndex;
        }
        capabilities.keyed_write = KeyedWrite::Join;
        capabilities.window_functions = self.window_functions;
        // `ENUM` and `SET`.
        capabilities.listed_text = true;
        // `max_sort_length` is 1,024 bytes, and a character's weight takes up to four.
        capabilities.sorted_length = Some(255);
        capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_apart_by_what_they_say() {
        let features = |version, comment| Server::parse(version, comment).features();
        assert_eq!(features("10.11.14-MariaDB-0+deb12u2", "Debian 12"), Features::MARIADB_10_6);
        assert_eq!(features("5.5.5-10.5.8-MariaDB", ""), Features::MARIADB_10_5);
        assert_eq!(features("11.4.2", "mariadb.org binary distribution"), Features::MARIADB_10_6);
        assert_eq!(features("5.7.44-log", "MySQL Community Server (GPL)"), Features::MYSQL_5_7);
        assert_eq!(features("8.0.11-TiDB-v7.5.0", "TiDB Server"), Features::MYSQL_8_0);
        assert_eq!(features("8.0.36-28.1", "Percona Server (GPL)"), Features::MYSQL_8_0_16);
        assert_eq!(features("8.4.3", "MySQL Community Server - GPL"), Features::MYSQL_8_0_16);
        assert_eq!(features("nonsense", ""), Features::MYSQL_5_7);
    }

    #[test]
    fn limits_per_owner_follow_the_features() {
        assert_eq!(Features::MYSQL_5_7.capabilities().per_owner_limit, PerOwnerLimit::Unsupported);
        assert_eq!(Features::MYSQL_8_0.capabilities().per_owner_limit, PerOwnerLimit::Window);
        assert_eq!(Features::MYSQL_8_0_14.capabilities().per_owner_limit, PerOwnerLimit::Lateral);
        assert_eq!(Features::MARIADB_10_6.capabilities().per_owner_limit, PerOwnerLimit::Window);
        assert!(!Features::MYSQL_5_7.capabilities().window_functions);
        assert!(Features::MYSQL_8_0.capabilities().window_functions);
        assert!(!Features::MYSQL_8_0_16.capabilities().insert_returning);
        assert!(Features::MARIADB_10_5.capabilities().insert_returning);
    }
}
