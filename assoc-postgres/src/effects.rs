//! What a statement does beyond its answer, as far as its text shows.

/// Whether a statement may leave a change in its session that the session's next user would notice: a setting, a lock, a cursor,
/// a temporary table. A statement counts unless it is known to leave none.
pub(crate) fn alters_session(sql: &str) -> bool {
    let of_rows = ["SELECT", "WITH", "VALUES", "TABLE", "SHOW", "EXPLAIN", "INSERT", "UPDATE", "DELETE", "MERGE"];
    if is_any(sql, &of_rows) {
        return contains(sql, "SET_CONFIG") || contains(sql, "ADVISORY_LOCK") || contains(sql, "INTO TEMP");
    }
    let of_schema = [
        "CREATE",
        "DROP",
        "ALTER",
        "TRUNCATE",
        "GRANT",
        "REVOKE",
        "COMMENT",
        "ANALYZE",
        "VACUUM",
        "REINDEX",
        "CLUSTER",
        "REFRESH",
        "LOCK",
        "CHECKPOINT",
        "SAVEPOINT",
        "RELEASE",
        "ROLLBACK",
        "COMMIT",
        "NOTIFY",
    ];
    !is_any(sql, &of_schema) || contains(sql, "TEMP")
}

/// Whether a statement makes the server forget statements that it has prepared.
pub(crate) fn forgets_statements(sql: &str) -> bool {
    is_any(sql, &["DISCARD", "DEALLOCATE"])
}

/// Whether a statement may change what tables are like.
pub(crate) fn changes_schema(sql: &str) -> bool {
    is_any(sql, &["CREATE", "DROP", "ALTER", "DO", "CALL", "SET", "DISCARD"])
}

fn is_any(sql: &str, known: &[&str]) -> bool {
    let text = sql.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    known.iter().any(|known| text[..end].eq_ignore_ascii_case(known))
}

fn contains(sql: &str, upper: &str) -> bool {
    sql.as_bytes().windows(upper.len()).any(|part| part.eq_ignore_ascii_case(upper.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_something() {
        for sql in [
            "SET search_path = other",
            "select set_config('a.b', '1', false)",
            "SELECT pg_advisory_lock(1)",
            "CREATE TEMPORARY TABLE t (id int)",
            "SELECT 1 INTO TEMP t",
            "LISTEN news",
            "DO 'begin end'",
            "-- a comment\nSELECT 1",
            "",
        ] {
            assert!(alters_session(sql), "{sql}");
        }
        for sql in ["SELECT 1", " (select 1)", "WITH a AS (SELECT 1) SELECT * FROM a", "CREATE TABLE t (id int)"] {
            assert!(!alters_session(sql), "{sql}");
        }
        assert!(forgets_statements(" discard all"));
        assert!(!forgets_statements("DELETE FROM t"));
    }
}
