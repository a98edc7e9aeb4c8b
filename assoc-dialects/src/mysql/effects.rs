//! What a statement does beyond its answer, as far as its text shows.
//!
//! ```
//! use assoc_dialects::mysql::effects::{changes_rows, only_reads};
//!
//! assert!(only_reads("SELECT 1") && changes_rows("DELETE FROM users"));
//! ```

/// Whether a statement only reads, so that running it twice does no harm.
#[must_use]
pub fn only_reads(sql: &str) -> bool {
    is_any(first_word(sql), &["SELECT", "WITH", "SHOW", "EXPLAIN", "DESCRIBE", "VALUES", "TABLE"])
}

/// Whether a statement changes rows and nothing else. If it fails, the server undoes it alone, unless its error says
/// otherwise.
#[must_use]
pub fn changes_rows(sql: &str) -> bool {
    is_any(first_word(sql), &["INSERT", "REPLACE", "UPDATE", "DELETE"])
}

/// Whether the id that the server reports is that of the one inserted row. An upsert reports other ids.
///
/// ```
/// use assoc_dialects::mysql::effects::is_plain_insert;
///
/// assert!(is_plain_insert("INSERT INTO users (name) VALUES (?)"));
/// assert!(!is_plain_insert("INSERT INTO users (name) VALUES (?) ON DUPLICATE KEY UPDATE name = name"));
/// ```
#[must_use]
pub fn is_plain_insert(sql: &str) -> bool {
    first_word(sql).eq_ignore_ascii_case("INSERT") && !contains(sql, "ON DUPLICATE KEY")
}

/// Whether a statement may leave a change in its session that the session's next user would notice: a variable, a
/// setting, a lock, a temporary table. A statement counts unless it is known to leave none.
///
/// ```
/// use assoc_dialects::mysql::effects::alters_session;
///
/// // A driver resets the session before it hands the connection out again.
/// assert!(alters_session("SET time_zone = '+02:00'") && alters_session("SELECT @last := 7"));
/// assert!(alters_session("CREATE TEMPORARY TABLE seen (id BIGINT)"));
/// assert!(!alters_session("UPDATE users SET name = ?") && !alters_session("CREATE TABLE seen (id BIGINT)"));
/// ```
#[must_use]
pub fn alters_session(sql: &str) -> bool {
    let word = first_word(sql);
    let of_rows = only_reads(sql) || changes_rows(sql);
    if of_rows || is_any(word, &["DESC", "ANALYZE"]) {
        // `SELECT @x := 1`, `SELECT 1 INTO @x`, user locks.
        return sql.contains('@') && (sql.contains(":=") || contains(sql, "INTO")) || contains(sql, "GET_LOCK");
    }
    let of_schema = &[
        "CREATE",
        "DROP",
        "ALTER",
        "TRUNCATE",
        "RENAME",
        "OPTIMIZE",
        "CHECK",
        "REPAIR",
        "GRANT",
        "REVOKE",
        "KILL",
        "SAVEPOINT",
        "RELEASE",
        "ROLLBACK",
        "COMMIT",
    ];
    !is_any(word, of_schema) || contains(sql, "TEMPORARY")
}

/// Whether a statement may change the columns of a table. It counts unless it is known to change none.
///
/// ```
/// use assoc_dialects::mysql::effects::changes_tables;
///
/// // A driver forgets the statements that it has prepared.
/// assert!(changes_tables("ALTER TABLE users ADD age INT") && changes_tables("CALL migrate()"));
/// assert!(!changes_tables("DELETE FROM users") && !changes_tables("SET @last = 7"));
/// ```
#[must_use]
pub fn changes_tables(sql: &str) -> bool {
    let others = &[
        "SET",
        "USE",
        "SAVEPOINT",
        "RELEASE",
        "ROLLBACK",
        "COMMIT",
        "START",
        "BEGIN",
        "KILL",
        "LOCK",
        "UNLOCK",
        "DESC",
        "ANALYZE",
        "CHECK",
        "GRANT",
        "REVOKE",
        "TRUNCATE",
        "FLUSH",
        "DO",
    ];
    // `BEGIN NOT ATOMIC` is a block of statements.
    let is_other = is_any(first_word(sql), others) && !contains(sql, "ATOMIC");
    !(only_reads(sql) || changes_rows(sql) || is_other)
}

/// Whether the text may contain several statements: it has a semicolon that is not its end.
///
/// ```
/// use assoc_dialects::mysql::effects::may_be_several;
///
/// assert!(may_be_several("DELETE FROM users; DELETE FROM posts"));
/// assert!(!may_be_several("DELETE FROM users;\n"));
/// ```
#[must_use]
pub fn may_be_several(sql: &str) -> bool {
    sql.trim_end_matches(|c: char| c == ';' || c.is_whitespace()).contains(';')
}

fn first_word(sql: &str) -> &str {
    let text = sql.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    &text[..end]
}

fn is_any(word: &str, known: &[&str]) -> bool {
    known.iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn contains(sql: &str, upper: &str) -> bool {
    sql.as_bytes().windows(upper.len()).any(|part| part.eq_ignore_ascii_case(upper.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_told_from_writing() {
        for sql in ["SELECT 1", " (select 1) UNION (SELECT 2)", "with x as (select 1) select * from x", "show tables"] {
            assert!(only_reads(sql), "{sql}");
        }
        for sql in ["INSERT INTO t VALUES (1) RETURNING id", "DELETE FROM t", "CALL p()", "", "SELECTED"] {
            assert!(!only_reads(sql), "{sql}");
        }
    }

    #[test]
    fn only_a_plain_insert_has_an_id() {
        assert!(is_plain_insert("INSERT INTO `t` (`a`) VALUES (?)"));
        assert!(!is_plain_insert("INSERT INTO t VALUES (?) on duplicate key update a = 1"));
        assert!(!is_plain_insert("UPDATE t SET a = LAST_INSERT_ID(5)"));
        assert!(!is_plain_insert("é"));
    }

    #[test]
    fn what_stays_in_a_session() {
        let leaving = [
            "SET @x = 5",
            "set session sql_mode = ''",
            "USE other",
            "LOCK TABLES t WRITE",
            "CALL p()",
            "SELECT @x := id FROM t",
            "select id into @x from t",
            "SELECT GET_LOCK('a', 1)",
            "CREATE TEMPORARY TABLE t (id INT)",
            "PREPARE s FROM 'SELECT 1'",
            "/* hint */ SELECT 1",
            "BEGIN NOT ATOMIC SET @x = 1; END",
        ];
        for sql in leaving {
            assert!(alters_session(sql), "{sql}");
        }
        let clean = [
            "SELECT 1",
            "SELECT * FROM t WHERE email = 'ada@example.org'",
            "INSERT INTO t SELECT 1",
            "UPDATE t SET a = ?",
            "CREATE TABLE t (id INT)",
            "ALTER TABLE t ADD COLUMN a INT",
            "SAVEPOINT assoc_1",
        ];
        for sql in clean {
            assert!(!alters_session(sql), "{sql}");
        }
    }

    #[test]
    fn what_changes_tables() {
        for sql in [
            "CREATE TABLE t (id INT)",
            "alter table t add column a INT",
            "DROP TABLE t",
            "RENAME TABLE t TO u",
            "CALL p()",
            "/* hint */ ALTER TABLE t ADD COLUMN a INT",
            "BEGIN NOT ATOMIC ALTER TABLE t ADD COLUMN a INT; END",
        ] {
            assert!(changes_tables(sql), "{sql}");
        }
        for sql in ["SELECT 1", "INSERT INTO t VALUES (1)", "SET @x = 1", "SAVEPOINT assoc_1", "BEGIN", "DELETE FROM t"]
        {
            assert!(!changes_tables(sql), "{sql}");
        }
    }

    #[test]
    fn several_statements() {
        assert!(!may_be_several("SELECT 1"));
        assert!(!may_be_several("SELECT 1 ; ;\n"));
        assert!(may_be_several("SELECT 1; DELETE FROM t"));
        // Asking the server costs a round trip, not a wrong answer.
        assert!(may_be_several("SELECT ';'"));
    }
}
