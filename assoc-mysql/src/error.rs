//! What went wrong, in the core's classes.

use std::io::ErrorKind as IoKind;

use assoc_core::{DriverError, DriverErrorKind, Error};
use assoc_dialects::mysql::ServerError as Described;
use mysql_async::{DriverError as ClientError, Error as MyError, IoError, ServerError};

/// The class of a server's error.
fn class(error: &ServerError) -> DriverErrorKind {
    Described::new(error.code, &error.message).class()
}

/// A failure of a statement.
pub(crate) fn of_statement(error: MyError, sql: &str) -> Error {
    let report = match &error {
        MyError::Server(server) => Described::new(server.code, &server.message).error(sql),
        other if is_too_large(other) => DriverError::new(
            DriverErrorKind::TooLarge,
            format!("{other}: a value or statement is larger than the server takes (`max_allowed_packet`)"),
        ),
        MyError::Io(_) => DriverError::new(DriverErrorKind::ConnectionLost, format!("the connection broke: {error}")),
        MyError::Driver(client) => DriverError::new(client_class(client), client.to_string()),
        other => DriverError::new(DriverErrorKind::Other, other.to_string()),
    };
    report.with_sql(sql).with_source(error).into()
}

fn client_class(error: &ClientError) -> DriverErrorKind {
    match error {
        ClientError::ConnectionClosed
        | ClientError::PacketOutOfOrder
        | ClientError::UnexpectedPacket { .. }
        | ClientError::BadCompressedPacketHeader => DriverErrorKind::ConnectionLost,
        ClientError::PacketTooLarge => DriverErrorKind::TooLarge,
        ClientError::StmtParamsMismatch { .. }
        | ClientError::StmtParamsNumberExceedsLimit { .. }
        | ClientError::MixedParams
        | ClientError::Params(_) => DriverErrorKind::Statement,
        _ => DriverErrorKind::Other,
    }
}

// mysql_async reports its refusal of a large packet as an I/O error of kind `Other`.
fn is_too_large(error: &MyError) -> bool {
    match error {
        MyError::Io(IoError::Io(io)) => io.kind() == IoKind::Other && io.to_string().contains("max_allowed_packet"),
        MyError::Driver(ClientError::PacketTooLarge) => true,
        _ => false,
    }
}

/// A failure to connect. Whatever the reason, there is no connection.
pub(crate) fn of_connect(error: MyError) -> Error {
    let mut report =
        DriverError::new(DriverErrorKind::Unavailable, format!("no connection to the database server: {error}"));
    if let MyError::Server(server) = &error {
        report = report.with_code(server.code.to_string());
    }
    report.with_source(error).into()
}

/// Whether the server refused the connection because its limit is reached.
pub(crate) fn is_full(error: &Error) -> bool {
    error.driver().and_then(DriverError::code).is_some_and(|code| matches!(code, "1040" | "1203" | "1226"))
}

/// A URL or option that cannot be used.
pub(crate) fn of_options(message: impl Into<String>) -> Error {
    DriverError::new(DriverErrorKind::Other, message).into()
}

/// The error of a failed `COMMIT`. If the connection broke, its outcome is unknown.
pub(crate) fn of_commit(error: MyError) -> Error {
    let lost = match &error {
        MyError::Server(server) => class(server) == DriverErrorKind::ConnectionLost,
        // What was not sent has not run.
        other => !is_too_large(other) && !was_not_sent(other),
    };
    if !lost {
        return of_statement(error, "COMMIT");
    }
    let message = format!("the connection broke during COMMIT, which may have taken effect or not: {error}");
    DriverError::new(DriverErrorKind::AmbiguousCommit, message).with_sql("COMMIT").with_source(error).into()
}

/// Whether the connection cannot be used any more.
pub(crate) fn is_lost(error: &MyError) -> bool {
    match error {
        MyError::Server(server) => class(server) == DriverErrorKind::ConnectionLost,
        // mysql_async closes the connection after all of these.
        _ => true,
    }
}

/// Whether the server has rolled back the whole transaction.
pub(crate) fn undoes_transaction(error: &MyError) -> bool {
    matches!(error, MyError::Server(server) if Described::new(server.code, &server.message).undoes_transaction())
}

/// Whether the server cannot have seen the statement, because the other side closed the connection before it was sent.
pub(crate) fn was_not_sent(error: &MyError) -> bool {
    match error {
        MyError::Io(IoError::Io(io)) => io.kind() == IoKind::BrokenPipe || io.kind() == IoKind::NotConnected,
        MyError::Driver(ClientError::ConnectionClosed) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(code: u16, message: &str, sql: &str) -> (DriverErrorKind, Option<String>, Option<String>) {
        let server = ServerError { code, message: message.into(), state: "HY000".into() };
        let error = of_statement(MyError::Server(server), sql);
        let driver = error.driver().unwrap();
        assert_eq!(driver.code(), Some(code.to_string().as_str()));
        (driver.kind(), driver.table().map(Into::into), driver.constraint().map(Into::into))
    }

    #[test]
    fn names_are_found_in_both_servers_words() {
        use DriverErrorKind::{CheckViolation, ForeignKeyViolation, NotNullViolation, UniqueViolation};
        let some = |kind, table: &str, constraint: &str| (kind, Some(table.to_owned()), Some(constraint.to_owned()));
        let insert = "INSERT INTO `users` (`email`) VALUES (?)";
        assert_eq!(
            report(1062, "Duplicate entry 'a'' for key 'b' for key 'email'", insert),
            some(UniqueViolation, "users", "email")
        );
        assert_eq!(
            report(1062, "Duplicate entry '1' for key 'users.PRIMARY'", "REPLACE INTO x"),
            some(UniqueViolation, "users", "PRIMARY")
        );
        let child = "Cannot add or update a child row: a foreign key constraint fails (`db`.`posts`, CONSTRAINT \
                     `posts_user` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`))";
        assert_eq!(report(1452, child, insert), some(ForeignKeyViolation, "posts", "posts_user"));
        assert_eq!(report(1048, "Column 'email' cannot be null", insert), some(NotNullViolation, "users", "email"));
        assert_eq!(
            report(4025, "CONSTRAINT `age_ok` failed for `db`.`users`", insert),
            some(CheckViolation, "users", "age_ok")
        );
        assert_eq!(
            report(3819, "Check constraint 'age_ok' is violated.", "UPDATE `users` SET `age` = ?"),
            some(CheckViolation, "users", "age_ok")
        );
        assert_eq!(report(1213, "Deadlock found", insert).0, DriverErrorKind::Retryable);
        assert_eq!(report(1927, "Connection was killed", insert).0, DriverErrorKind::ConnectionLost);
        assert_eq!(report(1064, "You have an error", insert).0, DriverErrorKind::Statement);
        assert_eq!(report(1406, "Data too long for column 'x'", insert).0, DriverErrorKind::Value);
    }

    #[test]
    fn classes_that_call_for_different_answers_are_told_apart() {
        use DriverErrorKind::{
            Corrupt, DiskFull, Interrupted, Other, ReadOnly, Retryable, TimeLimit, TooLarge, Unavailable,
        };
        let cases = [
            (1969, "Query execution was interrupted (max_statement_time exceeded)", TimeLimit),
            (3024, "Query execution was interrupted, maximum statement execution time exceeded", TimeLimit),
            (1317, "Query execution was interrupted", Interrupted),
            (1290, "The MariaDB server is running with the --read-only option so it cannot execute it", ReadOnly),
            (1290, "The MySQL server is running with the --super-read-only option so it cannot execute it", ReadOnly),
            (1290, "The MySQL server is running with the --secure-file-priv option so it cannot execute it", Other),
            (1792, "Cannot execute statement in a READ ONLY transaction", ReadOnly),
            (1836, "Running in read-only mode", ReadOnly),
            (1205, "Lock wait timeout exceeded; try restarting transaction", Retryable),
            (1180, "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT", Retryable),
            (1180, "Got error 149 \"Deadlock\" during COMMIT", Retryable),
            (1180, "Got error 1213 during COMMIT", Retryable),
            (1181, "Got error 149 - 'Lock deadlock; Retry transaction' during ROLLBACK", Retryable),
            (1180, "Got error 1 - 'Operation not permitted' during COMMIT", Other),
            (1181, "Got error 28 - 'No space left on device' during ROLLBACK", Other),
            (1021, "Disk full (/tmp/#sql); waiting for someone to free some space...", DiskFull),
            (1114, "The table 't' is full", DiskFull),
            (3, "Error writing file './x.MYD' (Errcode: 28 \"No space left on device\")", DiskFull),
            (1026, "Error writing file './x' (errno: 28 - No space left on device)", DiskFull),
            (1030, "Got error 28 \"No space left on device\" from storage engine InnoDB", DiskFull),
            (1030, "Got error 194 \"Tablespace is missing for a table\" from storage engine InnoDB", Other),
            (1153, "Got a packet bigger than 'max_allowed_packet' bytes", TooLarge),
            (
                1105,
                "Parameter of prepared statement which is set through mysql_send_long_data() is longer than \
                 'max_allowed_packet' bytes",
                TooLarge,
            ),
            (1105, "Unknown error", Other),
            (1118, "Row size too large", TooLarge),
            (1194, "Table 't' is marked as crashed and should be repaired", Corrupt),
            (1712, "Index t is corrupted", Corrupt),
            (1040, "Too many connections", Unavailable),
        ];
        for (code, message, kind) in cases {
            assert_eq!(report(code, message, "SELECT 1").0, kind, "{code}: {message}");
        }
    }

    #[test]
    fn a_broken_commit_is_ambiguous_and_a_deadlock_is_not() {
        let io = std::io::Error::from(IoKind::UnexpectedEof);
        assert_eq!(of_commit(io.into()).driver().unwrap().kind(), DriverErrorKind::AmbiguousCommit);
        let unsent = std::io::Error::from(IoKind::BrokenPipe);
        assert_eq!(of_commit(unsent.into()).driver().unwrap().kind(), DriverErrorKind::ConnectionLost);
        assert_eq!(
            of_commit(MyError::Driver(ClientError::ConnectionClosed)).driver().unwrap().kind(),
            DriverErrorKind::ConnectionLost
        );
        let deadlock = ServerError { code: 1213, message: "Deadlock found".into(), state: "40001".into() };
        assert!(of_commit(MyError::Server(deadlock)).is_retryable());
        // Group replication, where another node's transaction came first.
        let message = "Got error 149 - 'Lock deadlock; Retry transaction' during COMMIT";
        let refused = ServerError { code: 1180, message: message.into(), state: "HY000".into() };
        assert!(of_commit(MyError::Server(refused)).is_retryable());
    }
}
