//! What a failure of PostgreSQL is: by its state, or by its message where a client does not pass the state on.

use assoc_core::DriverErrorKind;

/// The class of a server's error, by its SQLSTATE.
///
/// ```
/// use assoc_core::DriverErrorKind;
/// use assoc_dialects::postgres::errors::class_of_state;
///
/// assert_eq!(class_of_state("23505", "duplicate key value"), DriverErrorKind::UniqueViolation);
/// // One state for two things, which the message tells apart.
/// assert_eq!(class_of_state("57014", "canceling statement due to statement timeout"), DriverErrorKind::TimeLimit);
/// assert_eq!(class_of_state("57014", "canceling statement due to user request"), DriverErrorKind::Interrupted);
/// // A class of states.
/// assert_eq!(class_of_state("22P02", "invalid input syntax"), DriverErrorKind::Value);
/// ```
#[must_use]
pub fn class_of_state(code: &str, message: &str) -> DriverErrorKind {
    match code {
        "23505" | "23P01" => DriverErrorKind::UniqueViolation,
        "23503" | "23001" => DriverErrorKind::ForeignKeyViolation,
        "23502" => DriverErrorKind::NotNullViolation,
        "23514" => DriverErrorKind::CheckViolation,
        // Serialization, deadlock, a lock that was not free.
        "40001" | "40P01" | "55P03" => DriverErrorKind::Retryable,
        "57014" if message.contains("statement timeout") => DriverErrorKind::TimeLimit,
        "57014" => DriverErrorKind::Interrupted,
        "25006" => DriverErrorKind::ReadOnly,
        "53100" => DriverErrorKind::DiskFull,
        // Too many connections; the server is starting, or its resources are used up.
        "53300" | "57P03" => DriverErrorKind::Unavailable,
        // The session was ended: by an administrator, a crash, the database's removal, or for being idle.
        "57P01" | "57P02" | "57P04" | "57P05" | "25P03" | "25P04" => DriverErrorKind::ConnectionLost,
        "XX001" | "XX002" => DriverErrorKind::Corrupt,
        _ => match code.get(..2).unwrap_or_default() {
            "08" => DriverErrorKind::ConnectionLost,
            "22" => DriverErrorKind::Value,
            "42" | "0A" | "3F" => DriverErrorKind::Statement,
            "54" => DriverErrorKind::TooLarge,
            _ => DriverErrorKind::Other,
        },
    }
}

/// The class of a failure by its message, for a client that does not pass the state on. The messages are known in English; in other
/// languages what is none of the constraints is a statement's error where the server says the place in its text, and another one
/// where it does not.
///
/// ```
/// use assoc_core::DriverErrorKind;
/// use assoc_dialects::postgres::errors::class_of_message;
///
/// assert_eq!(class_of_message("deadlock detected", None), DriverErrorKind::Retryable);
/// assert_eq!(class_of_message("relation \"users\" does not exist", Some(15)), DriverErrorKind::Statement);
/// ```
#[must_use]
pub fn class_of_message(message: &str, place: Option<i32>) -> DriverErrorKind {
    let known = MESSAGES.iter().find(|(_, texts)| texts.iter().any(|text| message.contains(text)));
    match known {
        Some((kind, _)) => *kind,
        None if place.is_some() => DriverErrorKind::Statement,
        None => DriverErrorKind::Other,
    }
}

/// What messages contain, in the order in which they are looked for.
const MESSAGES: &[(DriverErrorKind, &[&str])] = &[
    (
        DriverErrorKind::Retryable,
        &[
            "deadlock detected",
            "could not obtain lock on ",
            "canceling statement due to lock timeout",
            "could not serialize access",
            "cached plan must not change result type",
        ],
    ),
    (DriverErrorKind::TimeLimit, &["canceling statement due to statement timeout"]),
    (DriverErrorKind::Interrupted, &["canceling statement due to "]),
    (DriverErrorKind::ReadOnly, &["in a read-only transaction"]),
    (DriverErrorKind::DiskFull, &["No space left on device"]),
    (DriverErrorKind::Unavailable, &["too many clients already", "the database system is "]),
    (
        DriverErrorKind::ConnectionLost,
        &[
            "terminating connection due to ",
            "server closed the connection unexpectedly",
            "no connection to the server",
            "could not receive data from server",
            "could not send data to server",
        ],
    ),
    (DriverErrorKind::Corrupt, &["invalid page in block", "could not read block"]),
    (DriverErrorKind::TooLarge, &["exceeds limit", "too large", "exceeds the maximum", "statement too complex"]),
    (
        DriverErrorKind::Value,
        &[
            "value too long for type",
            "out of range",
            "numeric field overflow",
            "division by zero",
            "invalid input syntax for ",
            "invalid input value for enum",
            "invalid byte sequence for encoding",
            "incorrect binary data format",
            "insufficient data left in message",
            "invalid sign in external \"numeric\" value",
            "unsupported jsonb version number",
            "more than one row returned by a subquery",
        ],
    ),
    (
        DriverErrorKind::Statement,
        &[
            "does not exist",
            "already exists",
            "permission denied",
            "must be owner of",
            "cannot insert multiple commands into a prepared statement",
            "bind message supplies",
            "could not determine data type of parameter",
            "Received an empty query",
            "is not supported",
            "cannot be implemented",
            "depend on it",
        ],
    ),
];

/// The columns that the detail of a violated constraint names. Those of an expression are none.
///
/// ```
/// use assoc_dialects::postgres::errors::key_columns;
///
/// assert_eq!(key_columns(r#"Key (a, "B c")=(1, 2) already exists."#), ["a", "B c"]);
/// ```
#[must_use]
pub fn key_columns(detail: &str) -> Vec<String> {
    let Some(rest) = detail.strip_prefix("Key (") else { return Vec::new() };
    let Some((listed, _)) = rest.split_once(")=(") else { return Vec::new() };
    listed.split(", ").map(|name| name.trim_matches('"').replace("\"\"", "\"")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_classes() {
        for (code, message, kind) in [
            ("23505", "", DriverErrorKind::UniqueViolation),
            ("40P01", "deadlock detected", DriverErrorKind::Retryable),
            ("57014", "canceling statement due to statement timeout", DriverErrorKind::TimeLimit),
            ("57014", "canceling statement due to user request", DriverErrorKind::Interrupted),
            ("22003", "", DriverErrorKind::Value),
            ("42P01", "", DriverErrorKind::Statement),
            ("08006", "", DriverErrorKind::ConnectionLost),
            ("54000", "", DriverErrorKind::TooLarge),
            ("", "", DriverErrorKind::Other),
        ] {
            assert_eq!(class_of_state(code, message), kind, "{code} {message}");
        }
    }

    #[test]
    fn details_name_the_columns() {
        assert_eq!(key_columns("Key (email)=(ada) already exists."), ["email"]);
        assert_eq!(key_columns("Key (a, \"B c\")=(1, 2) is not present in table \"t\"."), ["a", "B c"]);
        assert!(key_columns("Failing row contains (1).").is_empty());
    }

    #[test]
    fn messages_have_classes() {
        for (message, place, kind) in [
            ("canceling statement due to user request", None, DriverErrorKind::Interrupted),
            ("canceling statement due to statement timeout", None, DriverErrorKind::TimeLimit),
            ("cannot execute DELETE in a read-only transaction", None, DriverErrorKind::ReadOnly),
            ("bigint out of range", None, DriverErrorKind::Value),
            ("table \"t\" does not exist", None, DriverErrorKind::Statement),
            ("Relation »t« existiert nicht", Some(15), DriverErrorKind::Statement),
            ("on purpose", None, DriverErrorKind::Other),
        ] {
            assert_eq!(class_of_message(message, place), kind, "{message}");
        }
    }
}
