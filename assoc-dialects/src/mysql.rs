//! How MySQL and MariaDB want their SQL.

use std::borrow::Cow;

use assoc_core::dialect::{AggregateForm, ColumnRole, Comparable, ExactText};
use assoc_core::driver::{Bind, Capabilities, Dialect, KeySet, Statement};
use assoc_core::metadata::{AggregateFunction, ColumnDef, TableRef};
use assoc_core::select::{LockStrength, RowLock, WhenLocked};
use assoc_core::sql::{RawSyntax, SqlWriter, padded_length};
use assoc_core::{Result, SqlType, Value};

pub use errors::ServerError;
pub use server::{Features, Server, ServerKind};
pub use transactions::Beginning;
pub use values::Parameter;

pub mod effects;
mod errors;
mod server;
pub mod settings;
mod transactions;
pub mod values;

/// Around text that is a decimal: what every decimal of a program fits into.
const EXACT_DECIMAL: (&str, &str) = ("CAST(", " AS DECIMAL(57,28))");

/// The dialect of one server: backticks, `?`, and its [capabilities](Server::features).
///
/// ```
/// use assoc_core::dialect::{ColumnRole, Dialect};
/// use assoc_core::metadata::ColumnDef;
/// use assoc_core::SqlType;
/// use assoc_dialects::mysql::{MySqlDialect, Server, ServerKind};
///
/// // What `SELECT VERSION(), @@version_comment` answered.
/// let server = Server::parse("10.11.14-MariaDB", "Debian 12");
/// let dialect = MySqlDialect::new(server.clone(), true);
/// assert_eq!(dialect.server().kind(), ServerKind::MariaDb);
/// assert!(dialect.capabilities().insert_returning);
/// let column = ColumnDef::new("token", "token", SqlType::Uuid, false);
/// assert_eq!(dialect.column_type(&column, ColumnRole::Plain), "CHAR(36) CHARACTER SET ascii");
/// assert_eq!(MySqlDialect::new(server, false).column_type(&column, ColumnRole::Plain), "BINARY(16)");
///
/// // A client whose `execute` drops the rows of an `INSERT … RETURNING`.
/// assert!(!dialect.without_returning().capabilities().insert_returning);
/// ```
#[derive(Debug, Clone)]
pub struct MySqlDialect {
    server: Server,
    features: Features,
    capabilities: Capabilities,
    uuid_as_text: bool,
}

impl MySqlDialect {
    /// The dialect of a server. With `uuid_as_text` a UUID is `CHAR(36)`, otherwise `BINARY(16)`.
    #[must_use]
    pub fn new(server: Server, uuid_as_text: bool) -> Self {
        let features = server.features();
        MySqlDialect { server, features, capabilities: features.capabilities(), uuid_as_text }
    }

    /// The same for a client that cannot read the rows that a writing statement returns.
    #[must_use]
    pub fn without_returning(mut self) -> Self {
        let Features { insert_returning, delete_returning, .. } = &mut self.features;
        (*insert_returning, *delete_returning) = (false, false);
        self.capabilities = self.features.capabilities();
        self
    }

    /// The server it was made for.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    fn text_type(column: &ColumnDef, role: ColumnRole) -> Cow<'static, str> {
        match (column.length, role) {
            (Some(length), _) => format!("VARCHAR({length})").into(),
            // An index covers no unlimited text.
            (None, ColumnRole::Key) => "VARCHAR(255)".into(),
            (None, _) => "LONGTEXT".into(),
        }
    }

    fn blob_type(column: &ColumnDef, role: ColumnRole) -> Cow<'static, str> {
        match (column.length, role) {
            (Some(length), _) => format!("VARBINARY({length})").into(),
            (None, ColumnRole::Key) => "VARBINARY(255)".into(),
            (None, _) => "LONGBLOB".into(),
        }
    }
}

impl Dialect for MySqlDialect {
    fn index_columns(&self, table: &TableRef, index: &str) -> Option<Statement> {
        let sql = "SELECT column_name FROM information_schema.statistics WHERE table_schema = COALESCE(?, DATABASE()) AND \
                   table_name = ? AND index_name = ? ORDER BY seq_in_index";
        let schema = table.schema.map_or(Value::Null, Value::from);
        let binds = [schema, Value::from(table.name), Value::from(index.to_owned())];
        Some(Statement::new(sql, binds.into_iter().map(Bind::Value).collect()))
    }

    fn name(&self) -> &'static str {
        match self.server.kind() {
            ServerKind::MySql => "MySQL",
            ServerKind::MariaDb => "MariaDB",
        }
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn quote(&self, identifier: &str, sql: &mut String) {
        sql.push('`');
        for c in identifier.chars() {
            if c == '`' {
                sql.push('`');
            }
            sql.push(c);
        }
        sql.push('`');
    }

    fn column_type(&self, column: &ColumnDef, role: ColumnRole) -> Cow<'static, str> {
        match column.sql_type {
            SqlType::Bool => "TINYINT(1)".into(),
            SqlType::Int(8) => "TINYINT".into(),
            SqlType::Int(16) => "SMALLINT".into(),
            SqlType::Int(32) => "INT".into(),
            SqlType::Int(_) => "BIGINT".into(),
            SqlType::UInt(8) => "TINYINT UNSIGNED".into(),
            SqlType::UInt(16) => "SMALLINT UNSIGNED".into(),
            SqlType::UInt(32) => "INT UNSIGNED".into(),
            SqlType::UInt(_) => "BIGINT UNSIGNED".into(),
            SqlType::Real(32) => "FLOAT".into(),
            SqlType::Real(_) => "DOUBLE".into(),
            SqlType::Text => Self::text_type(column, role),
            SqlType::Blob => Self::blob_type(column, role),
            SqlType::Date => "DATE".into(),
            SqlType::Time => "TIME(6)".into(),
            // Not TIMESTAMP, which ends in 2038. The session's time zone is UTC, so both hold the same.
            SqlType::DateTime => "DATETIME(6)".into(),
            SqlType::Uuid if self.uuid_as_text => "CHAR(36) CHARACTER SET ascii".into(),
            SqlType::Uuid => "BINARY(16)".into(),
            SqlType::Decimal => match column.precision {
                Some((precision, scale)) => format!("DECIMAL({precision},{scale})").into(),
                // Holds whatever a 96-bit decimal with up to 28 decimal places can: a value is never rounded.
                None => "DECIMAL(57,28)".into(),
            },
            SqlType::Json => "JSON".into(),
            // What the core may add one day, until this crate knows it.
            _ => "LONGTEXT".into(),
        }
    }

    fn integer_cast(&self) -> &'static str {
        "SIGNED"
    }

    fn table_suffix(&self) -> &'static str {
        // The collation is the server's default of that character set.
        " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
    }

    fn insert_defaults(&self) -> &'static str {
        " () VALUES ()"
    }

    /// `LIKE ? ESCAPE CHAR(92)`: a backslash in a literal would mean two things, depending on `NO_BACKSLASH_ESCAPES`,
    /// and without `ESCAPE` there would be none in that mode.
    fn write_like(&self, writer: &mut SqlWriter<'_>, pattern: &Value<'static>) -> Result<()> {
        writer.push(" LIKE ");
        writer.bind(pattern.clone());
        writer.push(" ESCAPE CHAR(92)");
        Ok(())
    }

    /// Up to 4,096 keys, a power of two, so that a full chunk needs no padding. Each costs the server about 5 kB as long
    /// as the statement is prepared, for it is a `SELECT` of the union; `docs/performance.md` has what was measured.
    fn keys_per_statement(&self, width: usize) -> usize {
        let fitting = self.capabilities.max_binds / (width.max(1) + 1);
        // Lists are padded to a power of two, which has to fit as well.
        (1 << fitting.max(1).ilog2()).min(4_096)
    }

    /// Up to 16,384 keys of one column: about 1 kB each as long as the statement is prepared. MySQL reads the whole table
    /// where a list needs more than `range_optimizer_max_mem_size`, so there are [fewer](Features::listed_keys). Of several
    /// columns few: the range analysis of a list of row values takes a time that grows with the square of its length.
    fn keys_per_condition(&self, width: usize) -> usize {
        let fitting = self.capabilities.max_binds / (width.max(1) + 1);
        (1 << fitting.max(1).ilog2()).min(if width <= 1 { self.features.listed_keys } else { 128 })
    }

    /// `(SELECT 0 AS ordinal, name AS k0 FROM parents WHERE 1 = 0 UNION ALL SELECT 0, ? UNION ALL SELECT 1, ? …)`.
    ///
    /// A bind parameter is text in the connection's character set, and a column of a derived table no longer is a
    /// constant that the server would convert: joined to a `latin1` column it would be an "illegal mix of
    /// collations", joined to a `utf8mb3` column it would keep the index from being used. The empty first branch lends
    /// the keys the type, character set and collation of the column they are compared with, so the join compares
    /// exactly as `name = ?` does, through the same index.
    fn write_key_table_for(&self, writer: &mut SqlWriter<'_>, keys: &KeySet, table: &TableRef, columns: &[&str]) {
        writer.push("(SELECT 0 AS ");
        writer.identifier("ordinal");
        for (part, column) in columns.iter().enumerate() {
            writer.push(", ");
            writer.identifier(column);
            writer.push(" AS ");
            writer.identifier(&format!("k{part}"));
        }
        writer.push(" FROM ");
        writer.table(table);
        writer.push(" WHERE 1 = 0");
        let tuples = keys.tuples();
        // MySQL makes a time in such a union one without microseconds. Beside a parameter that is text, which `NULL` is, it
        // makes numbers text as well, and compares them with the column as floats.
        let padding_is_text = self.features.null_parameters_are_text;
        let form = |value: &Value<'_>| match value {
            Value::DateTime(_) => ("CAST(", " AS DATETIME(6))"),
            Value::Time(_) => ("CAST(", " AS TIME(6))"),
            Value::Int(_) if padding_is_text => ("CAST(", " AS SIGNED)"),
            Value::UInt(_) if padding_is_text => ("CAST(", " AS UNSIGNED)"),
            Value::Decimal(_) if padding_is_text => EXACT_DECIMAL,
            _ => ("", ""),
        };
        // Of large unsigned keys only some are `UInt`.
        let padding: Vec<_> = tuples.first().map_or_else(Vec::new, |key| key.values().iter().map(form).collect());
        for ordinal in 0..padded_length(tuples.len()) {
            writer.push(" UNION ALL SELECT ");
            writer.push(&ordinal.to_string());
            for part in 0..columns.len() {
                writer.push(", ");
                // Padding is NULL, which equals nothing.
                let value = tuples.get(ordinal).and_then(|key| key.values().get(part)).cloned().unwrap_or_default();
                let padded = value.is_null().then(|| padding.get(part).copied().unwrap_or_default());
                match padded.unwrap_or_else(|| form(&value)) {
                    ("", _) => writer.compared_value(&value),
                    (before, behind) => {
                        writer.push(before);
                        writer.bind(value);
                        writer.push(behind);
                    }
                }
            }
        }
        writer.push(") AS ");
        writer.identifier("keys");
    }

    /// A decimal is bound as text, and MariaDB compares a decimal with a text as floats wherever it does not convert the
    /// text beforehand: in `BETWEEN`, in `IN` with several values, in a join with keys. 28-digit numbers that differ in
    /// the last digits would be equal.
    ///
    /// MySQL compares JSON documents by their kind and calls objects equal when it sorts them. Their text is the same for
    /// equal documents, and a text that is bound is no document until it is made one.
    fn comparable(&self, column: SqlType) -> Option<Comparable> {
        match column {
            SqlType::Decimal => Some(Comparable::by_value(EXACT_DECIMAL.0, EXACT_DECIMAL.1)),
            SqlType::Json if self.features.json_type => {
                Some(Comparable::by_forms(("CAST(", " AS BINARY)"), ("CAST(CAST(", " AS JSON) AS BINARY)")))
            }
            _ => None,
        }
    }

    /// The default collations ignore case, accents and blanks at the end. Bytes in one character set ignore nothing.
    fn exact_text(&self) -> Option<ExactText> {
        let column = ("CAST(CONVERT(", " USING utf8mb4) AS BINARY)");
        Some(ExactText::new(column, ("CAST(", " AS BINARY)")).beside_equality())
    }

    /// Text may be read into bytes as well, and then its collation still decides what is equal.
    fn is_byte_comparable(&self, column: SqlType) -> bool {
        column.is_byte_comparable() && column != SqlType::Blob
    }

    /// The mean of integers is a decimal with four places here, and that of decimals has four places more than they
    /// have. So integers are made floats first, and decimals get all places.
    fn aggregate(&self, function: AggregateFunction, column: Option<SqlType>) -> AggregateForm {
        let form = AggregateForm::standard(function);
        match (function, column) {
            (AggregateFunction::Avg, Some(SqlType::Decimal)) => form.around(EXACT_DECIMAL.0, EXACT_DECIMAL.1),
            (AggregateFunction::Avg, Some(SqlType::Int(_) | SqlType::UInt(_) | SqlType::Bool)) => {
                form.around("", " + 0e0")
            }
            _ => form,
        }
    }

    /// MariaDB has no `FOR SHARE`, and MySQL no `SKIP LOCKED` behind the older form.
    fn write_row_lock(&self, writer: &mut SqlWriter<'_>, lock: RowLock, of: Option<&str>) {
        let is_plain = lock.when_locked == WhenLocked::Wait && of.is_none();
        let older = self.server.kind() == ServerKind::MariaDb || is_plain;
        writer.push(match lock.strength {
            LockStrength::Update => " FOR UPDATE",
            LockStrength::Share if older => " LOCK IN SHARE MODE",
            LockStrength::Share => " FOR SHARE",
        });
        if let Some(table) = of {
            writer.push(" OF ");
            writer.identifier(table);
        }
        writer.push(match lock.when_locked {
            WhenLocked::Wait => "",
            WhenLocked::Skip => " SKIP LOCKED",
        });
    }

    /// The server chooses which side it reads first. Without an index for the keys, reading the keys first compares each
    /// with every row; reading the rows first looks each up in the keys, which the server indexes.
    fn ordered_join(&self) -> &'static str {
        "INNER JOIN"
    }

    /// Text that is compared with a `DECIMAL` makes both floating point numbers, and compared with a JSON document it is a
    /// JSON string.
    fn write_stored(&self, writer: &mut SqlWriter<'_>, value: &Value<'static>) {
        let target = match value {
            Value::Decimal(text) => {
                let places = text.split_once('.').map_or(0, |(_, places)| places.len()).min(38);
                format!(" AS DECIMAL(65,{places}))")
            }
            Value::Json(_) => " AS JSON)".to_owned(),
            _ => return writer.bind(value.clone()),
        };
        writer.push("CAST(");
        writer.bind(value.clone());
        writer.push(&target);
    }

    fn raw_syntax(&self) -> RawSyntax {
        raw_syntax()
    }
}

/// How raw SQL is read, as the session's `sql_mode` has to have it: backslashes escape.
///
/// ```
/// use assoc_core::sql::scan;
/// use assoc_dialects::mysql::raw_syntax;
///
/// // The question mark is inside the text, whose quote a backslash escapes, and behind it is a comment.
/// let scanned = scan(r"name <> 'it\'s ?' AND `id?` = ? # why?", raw_syntax()).unwrap();
/// assert_eq!(scanned.placeholders.len(), 1);
/// ```
#[must_use]
pub fn raw_syntax() -> RawSyntax {
    let mut syntax = RawSyntax::default();
    syntax.backslash_escapes = true;
    syntax.backticks = true;
    syntax.hash_comments = true;
    syntax.dashes_need_blank = true;
    syntax.executable_comments = true;
    syntax
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect() -> MySqlDialect {
        MySqlDialect::new(Server::parse("10.11.14-MariaDB", ""), false)
    }

    #[test]
    fn backticks_are_doubled() {
        let mut sql = String::new();
        dialect().quote("a`b'\"\\", &mut sql);
        assert_eq!(sql, "`a``b'\"\\`");
    }

    #[test]
    fn padded_chunks_stay_below_the_bind_limit() {
        let dialect = dialect();
        for width in 1..=70 {
            let keys = dialect.keys_per_statement(width);
            let listed = dialect.keys_per_condition(width);
            let most = dialect.most_keys(width);
            for keys in [keys, listed, most] {
                assert!(keys.is_power_of_two() && keys * width < 65_535, "{width}: {keys}");
            }
        }
    }
}
