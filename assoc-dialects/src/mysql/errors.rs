//! What a server's error is, by its number and message, whatever client passes it on.

use assoc_core::{DriverError, DriverErrorKind};

/// An error that the server reported.
///
/// ```
/// use assoc_core::DriverErrorKind;
/// use assoc_dialects::mysql::ServerError;
///
/// let error = ServerError::new(1062, "Duplicate entry 'ada' for key 'users.email'");
/// assert_eq!((error.class(), error.constraint()), (DriverErrorKind::UniqueViolation, Some("email")));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerError<'e> {
    code: u16,
    message: &'e str,
}

impl<'e> ServerError<'e> {
    /// By its number and its message.
    #[must_use]
    pub fn new(code: u16, message: &'e str) -> Self {
        ServerError { code, message }
    }

    /// By its message alone, for a client that does not pass the number on. The messages are known in English.
    ///
    /// ```
    /// use assoc_core::DriverErrorKind;
    /// use assoc_dialects::mysql::ServerError;
    ///
    /// let error = ServerError::of_message("Deadlock found when trying to get lock; try restarting transaction");
    /// assert_eq!(error.map(|error| error.class()), Some(DriverErrorKind::Retryable));
    /// ```
    #[must_use]
    pub fn of_message(message: &'e str) -> Option<Self> {
        let known = MESSAGES.iter().find(|(_, texts)| texts.iter().all(|text| message.contains(text)));
        known.map(|(code, _)| ServerError::new(*code, message))
    }

    /// The number.
    ///
    /// ```
    /// use assoc_dialects::mysql::ServerError;
    ///
    /// // A client that passes the message alone.
    /// let error = ServerError::of_message("Duplicate entry 'ada' for key 'users.email'").unwrap();
    /// assert_eq!(error.code(), 1062);
    /// ```
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// Whether the server rolls the whole transaction back. It does so for a deadlock, and it may do so for a row that
    /// changed since the snapshot; a lock timeout only ends the statement.
    ///
    /// ```
    /// use assoc_dialects::mysql::ServerError;
    ///
    /// // After a deadlock a driver refuses every statement until `rollback`; after a lock timeout it goes on.
    /// assert!(ServerError::new(1213, "Deadlock found when trying to get lock").undoes_transaction());
    /// assert!(!ServerError::new(1205, "Lock wait timeout exceeded").undoes_transaction());
    /// ```
    #[must_use]
    pub fn undoes_transaction(&self) -> bool {
        matches!(self.code, 1020 | 1213 | 1614)
    }

    /// The error of a statement, with all that is said of a violated constraint.
    ///
    /// ```
    /// use assoc_dialects::mysql::ServerError;
    ///
    /// let refused = ServerError::new(1062, "Duplicate entry 'ada' for key 'email'");
    /// let error = refused.error("INSERT INTO `users` (`email`) VALUES (?)");
    /// // MariaDB does not say the table; a statement of the core does.
    /// assert_eq!((error.constraint(), error.table()), (Some("email"), Some("users")));
    /// ```
    #[must_use]
    pub fn error(&self, sql: &'e str) -> DriverError {
        let mut error = DriverError::new(self.class(), self.message).with_code(self.code.to_string());
        if let Some(name) = self.constraint() {
            error = error.with_constraint(name);
        }
        error = error.with_columns(self.columns());
        match self.table(sql) {
            Some(table) => error.with_table(table),
            None => error,
        }
    }

    /// The class of the error.
    #[must_use]
    pub fn class(&self) -> DriverErrorKind {
        let says = |words: &str| self.message.contains(words);
        match self.code {
            // Too many connections, of this user too; the server is starting or stopping.
            1040 | 1203 | 1226 => DriverErrorKind::Unavailable,
            // Gone, lost, shutting down, network trouble, killed, idle for too long.
            1053 | 1079 | 1080 | 1152 | 1158..=1161 | 1184 | 1927 | 2006 | 2013 | 2055 | 4031 => {
                DriverErrorKind::ConnectionLost
            }
            // A row changed since it was read (snapshot isolation), lock wait timeout, deadlock (also a failed
            // certification in a Galera cluster), a transaction rolled back by group replication or XA, NOWAIT.
            1020 | 1205 | 1206 | 1213 | 1614 | 3101 | 3572 => DriverErrorKind::Retryable,
            // Galera: this node is not ready for queries.
            1047 if says("WSREP") => DriverErrorKind::Retryable,
            // A commit or rollback that failed because of a deadlock: by the server's number, or by that of its storage
            // engines (`HA_ERR_LOCK_DEADLOCK`), which group replication reports for a transaction that lost to another node's.
            1180 | 1181 if says("1213") || says("error 149") || says("deadlock") || says("Deadlock") => {
                DriverErrorKind::Retryable
            }
            1022 | 1062 | 1169 | 1557 | 1586 | 1761 | 1762 | 1859 => DriverErrorKind::UniqueViolation,
            1216 | 1217 | 1451 | 1452 => DriverErrorKind::ForeignKeyViolation,
            1048 | 1121 | 1171 | 1263 | 1364 => DriverErrorKind::NotNullViolation,
            3819 | 4025 => DriverErrorKind::CheckViolation,
            // `max_statement_time` (MariaDB), `max_execution_time` (MySQL).
            1969 | 3024 => DriverErrorKind::TimeLimit,
            // KILL QUERY.
            1317 => DriverErrorKind::Interrupted,
            // A table, the transaction, InnoDB; the server, which answers 1290 to much else too.
            1036 | 1792 | 1836 | 1874 => DriverErrorKind::ReadOnly,
            1290 if says("read-only") || says("read_only") => DriverErrorKind::ReadOnly,
            // No space for a temporary file; a table is full; errors of the operating system, which three kinds of messages
            // report.
            1021 | 1114 => DriverErrorKind::DiskFull,
            3 | 20 | 1026 | 1030 if says("Errcode: 28") || says("errno: 28") || says("error 28 ") => {
                DriverErrorKind::DiskFull
            }
            // A packet, the result of a function, or a row; values that were sent before their statement.
            1118 | 1153 | 1162 | 1301 => DriverErrorKind::TooLarge,
            1105 if says("max_allowed_packet") => DriverErrorKind::TooLarge,
            // Index or table files that do not fit, marked as crashed, or reported so by InnoDB.
            1034 | 1035 | 1194 | 1195 | 1712 | 1877 => DriverErrorKind::Corrupt,
            // Out of range, wrong or truncated values, too long for their column, malformed JSON, characters that the column's
            // character set does not have.
            1264 | 1265 | 1292 | 1366 | 1367 | 1406 | 1411 | 1416 | 1425 | 1426 | 1690 | 3140 | 3141 | 3156 | 3988
            | 4038 => DriverErrorKind::Value,
            // Unknown things, ambiguous things, syntax, wrong use, collations that do not mix.
            1046 | 1049 | 1051 | 1052 | 1054 | 1055 | 1056 | 1059 | 1060 | 1061 | 1063 | 1064 | 1065 | 1066 | 1067
            | 1072 | 1091 | 1093 | 1096 | 1103 | 1104 | 1109 | 1110 | 1111 | 1115 | 1136 | 1140 | 1146 | 1149
            | 1176 | 1210 | 1221 | 1222 | 1235 | 1239 | 1241 | 1242 | 1247 | 1248 | 1267 | 1270 | 1271 | 1273
            | 1295 | 1305 | 1318 | 1327 | 1390 | 1630 | 1356 | 4161 => DriverErrorKind::Statement,
            _ => DriverErrorKind::Other,
        }
    }

    /// The constraint that is violated, by its name; of `NOT NULL` the column.
    #[must_use]
    pub fn constraint(&self) -> Option<&'e str> {
        let message = self.message;
        match self.code {
            // Duplicate entry 'ada' for key 'users.email' (MySQL 8.0.19) or 'email': the entry may have quotes in it.
            1062 | 1586 => {
                let key = message.rsplit_once("for key '")?.1.strip_suffix('\'')?;
                Some(key.rsplit_once('.').map_or(key, |(_, name)| name))
            }
            // … a foreign key constraint fails (`db`.`posts`, CONSTRAINT `posts_user` FOREIGN KEY …
            1451 | 1452 => between(message, "CONSTRAINT `", "`"),
            // Column 'name' cannot be null, Field 'name' doesn't have a default value: the columns are the constraint.
            1048 | 1364 | 1263 => between(message, "'", "'"),
            // Check constraint 'age_is_positive' is violated.
            3819 => between(message, "'", "'"),
            // CONSTRAINT `age_is_positive` failed for `db`.`users`
            4025 => between(message, "CONSTRAINT `", "`"),
            _ => None,
        }
    }

    /// The columns of a constraint, where the server says them: those of a foreign key, and of NOT NULL.
    ///
    /// ```
    /// use assoc_dialects::mysql::ServerError;
    ///
    /// let foreign_key = "CONSTRAINT `posts_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`)";
    /// let why = "Cannot add or update a child row: a foreign key constraint fails";
    /// let message = format!("{why} (`db`.`posts`, {foreign_key})");
    /// let error = ServerError::new(1452, &message);
    /// assert_eq!((error.columns(), error.table("")), (vec!["user_id"], Some("posts")));
    /// ```
    #[must_use]
    pub fn columns(&self) -> Vec<&'e str> {
        let message = self.message;
        let listed = match self.code {
            1451 | 1452 => between(message, "FOREIGN KEY (`", "`)"),
            1048 | 1364 => between(message, "'", "'"),
            _ => None,
        };
        listed.map_or_else(Vec::new, |listed| listed.split("`, `").collect())
    }

    /// The table of the constraint. Where the server does not say it, the statement does.
    ///
    /// ```
    /// use assoc_dialects::mysql::ServerError;
    ///
    /// let error = ServerError::new(1062, "Duplicate entry 'ada' for key 'users.email'");
    /// assert_eq!(error.table("UPDATE `people` SET `email` = ?"), Some("users"));
    /// let error = ServerError::new(1062, "Duplicate entry 'ada' for key 'email'");
    /// assert_eq!(error.table("UPDATE `people` SET `email` = ?"), Some("people"));
    /// ```
    #[must_use]
    pub fn table(&self, sql: &'e str) -> Option<&'e str> {
        let message = self.message;
        match self.code {
            1451 | 1452 => {
                let inside = message.split_once("constraint fails (")?.1;
                let (qualified, _) = inside.split_once(", CONSTRAINT")?;
                Some(last_name(qualified))
            }
            4025 => Some(last_name(message.split_once("failed for ")?.1)),
            1048 | 1062 | 1364 | 1586 | 3819 => {
                let named = message.rsplit_once("for key '").and_then(|(_, key)| key.rsplit_once('.'));
                named.map(|(table, _)| table).or_else(|| written_table(sql))
            }
            _ => None,
        }
    }
}

/// What messages contain, in the order in which they are looked for. The client's own begin with 2,000.
const MESSAGES: &[(u16, &[&str])] = &[
    (1062, &["Duplicate entry '"]),
    (1451, &["Cannot delete or update a parent row"]),
    (1452, &["Cannot add or update a child row"]),
    (1048, &["Column '", "cannot be null"]),
    (1364, &["Field '", "doesn't have a default value"]),
    (3819, &["Check constraint '", "is violated"]),
    (4025, &["CONSTRAINT `", "` failed for "]),
    (1213, &["Deadlock found"]),
    (1205, &["Lock wait timeout exceeded"]),
    (1020, &["Record has changed since last read"]),
    (3572, &["NOWAIT is set"]),
    (1969, &["max_statement_time exceeded"]),
    (3024, &["maximum statement execution time exceeded"]),
    (1317, &["Query execution was interrupted"]),
    (1927, &["Connection was killed"]),
    (4031, &["disconnected by the server because of inactivity"]),
    (2006, &["erver has gone away"]),
    (2013, &["Lost connection to "]),
    (1053, &["Server shutdown in progress"]),
    (1792, &["in a READ ONLY transaction"]),
    (1290, &["The M", "server is running with the "]),
    (1040, &["Too many connections"]),
    (1114, &["The table '", "is full"]),
    (1153, &["max_allowed_packet"]),
    (1264, &["Out of range value for column"]),
    (1690, &["value is out of range in"]),
    (1406, &["Data too long for column"]),
    (1265, &["Data truncated for column"]),
    (1366, &["Incorrect ", " value: '", "for column"]),
    (1292, &["Incorrect ", " value"]),
    (1064, &["You have an error in your SQL syntax"]),
    (1065, &["Query was empty"]),
    (1054, &["Unknown column '"]),
    (1146, &["Table '", "doesn't exist"]),
    (1049, &["Unknown database '"]),
    (1305, &["SAVEPOINT ", "does not exist"]),
    (1295, &["not supported in the prepared statement protocol"]),
    (1180, &["Got error ", " during COMMIT"]),
];

/// `` `db`.`posts` `` names `posts`.
fn last_name(qualified: &str) -> &str {
    let unquoted = qualified.trim().trim_matches('`');
    unquoted.rsplit_once("`.`").map_or(unquoted, |(_, name)| name)
}

/// The table that an `INSERT` or `UPDATE` of the core names first.
fn written_table(sql: &str) -> Option<&str> {
    let rest = sql.strip_prefix("INSERT INTO ").or_else(|| sql.strip_prefix("UPDATE "))?;
    let end = rest.find(" ")?;
    rest.starts_with('`').then(|| last_name(&rest[..end]))
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = text.split_once(before)?.1;
    rest.split_once(after).map(|(found, _)| found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_class_of_their_number() {
        for (message, code) in [
            ("Duplicate entry 'ada' for key 'users.email'", 1062),
            ("MySQL server has gone away", 2006),
            ("Server has gone away", 2006),
            ("Lost connection to server during query", 2013),
            ("Query execution was interrupted (max_statement_time exceeded)", 1969),
            ("Query execution was interrupted", 1317),
            ("Got a packet bigger than 'max_allowed_packet' bytes", 1153),
            ("BIGINT value is out of range in '9223372036854775807 + 1'", 1690),
            ("Incorrect integer value: 'x' for column `d`.`t`.`a` at row 1", 1366),
            ("Incorrect datetime value: 'x'", 1292),
        ] {
            assert_eq!(ServerError::of_message(message).map(|error| error.code()), Some(code), "{message}");
        }
        assert_eq!(ServerError::of_message("no such table: users"), None);
    }
}
