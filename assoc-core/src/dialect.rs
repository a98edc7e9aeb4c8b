//! How a database wants its SQL, and what it can do.
//!
//! A [`Dialect`] knows text, [`Capabilities`] are facts. Nothing outside a driver crate asks for a database by name:
//! where databases differ, either the dialect writes another text or a capability says what is possible. Most methods
//! have a default in standard SQL, so a new dialect starts with [`quote`](Dialect::quote) and
//! [`column_type`](Dialect::column_type) and overrides what its database does better.

use std::borrow::Cow;
use std::fmt;

use crate::column_type::SqlType;
use crate::key::KeySet;
use crate::model::{ColumnDef, TableRef};
use crate::sql::{RawSyntax, SqlWriter};
use crate::value::Value;

/// What a database can do. Facts about one server: a driver may find them out when it connects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// `INSERT … RETURNING` gives back the rows that were inserted.
    pub insert_returning: bool,
    /// The most bind parameters one statement may have.
    pub max_binds: usize,
    /// How many rows one `INSERT` should carry at most.
    pub insert_rows: usize,
    /// The longest identifier, in bytes.
    pub max_identifier: usize,
    /// Table names may have a schema in front of them.
    pub schemas: bool,
    /// Reading several statements in one snapshot costs next to nothing, so a request and its preloads always do.
    pub free_snapshot: bool,
    /// Savepoints inside a transaction.
    pub savepoints: bool,
    /// Row values compare: `(a, b) IN ((1, 2), (3, 4))`.
    pub row_values: bool,
    /// How a limit per owner is written.
    pub per_owner_limit: PerOwnerLimit,
    /// Window functions: `ROW_NUMBER() OVER (ORDER BY …)`.
    pub window_functions: bool,
}

/// How "the first n rows of each owner" is written in one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PerOwnerLimit {
    /// Not at all.
    Unsupported,
    /// `key IN (SELECT key … WHERE fk = owner ORDER BY … LIMIT n)` for each owner: a seek an owner.
    CorrelatedSeek,
    /// `CROSS JOIN LATERAL (… LIMIT n)`: a seek an owner. Such a database has window functions as well, which conditions
    /// on the first n rows are written with.
    Lateral,
    /// `ROW_NUMBER()` over the keys alone, joined back to the rows.
    Window,
}

impl Default for Capabilities {
    /// A cautious database: standard SQL, nothing else.
    fn default() -> Self {
        Capabilities {
            insert_returning: false,
            max_binds: 999,
            insert_rows: 50,
            max_identifier: 63,
            schemas: true,
            free_snapshot: false,
            savepoints: true,
            row_values: false,
            per_owner_limit: PerOwnerLimit::Unsupported,
            window_functions: false,
        }
    }
}

/// The part a column plays, where that changes its type: a text key needs a length on MySQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ColumnRole {
    /// An ordinary column.
    Plain,
    /// Part of a key or index.
    Key,
    /// The single integer primary key whose values the database makes.
    AutoIncrement,
}

/// How one database wants its SQL.
pub trait Dialect: Send + Sync + fmt::Debug {
    /// The database's name, for messages: `SQLite`.
    fn name(&self) -> &'static str;

    /// What this server can do.
    fn capabilities(&self) -> &Capabilities;

    /// Appends an identifier, quoted so that any text is safe.
    fn quote(&self, identifier: &str, sql: &mut String);

    /// Appends the placeholder of the bind parameter at `position`, counted from 1.
    fn placeholder(&self, position: usize, sql: &mut String) {
        let _ = position;
        sql.push('?');
    }

    /// The type of a column in `CREATE TABLE`, without `NOT NULL` and `PRIMARY KEY`.
    fn column_type(&self, column: &ColumnDef, role: ColumnRole) -> Cow<'static, str>;

    /// What follows the type of an [auto-increment](ColumnRole::AutoIncrement) column instead of a `PRIMARY KEY`
    /// clause at the end of the table.
    fn auto_increment(&self) -> &'static str {
        " PRIMARY KEY AUTO_INCREMENT"
    }

    /// What follows the closing parenthesis of `CREATE TABLE`.
    fn table_suffix(&self) -> &'static str {
        ""
    }

    /// The `INSERT` of a row without any value: what follows the table's name.
    fn insert_defaults(&self) -> &'static str {
        " DEFAULT VALUES"
    }

    /// Appends `LIMIT` and `OFFSET`. Numbers are written as text: a bound limit makes SQLite plan the statement anew.
    fn write_limit(&self, writer: &mut SqlWriter<'_>, limit: Option<u64>, offset: Option<u64>) {
        use std::fmt::Write;
        let sql = writer.text();
        // Writing to a String cannot fail.
        let _ = match (limit, offset) {
            (Some(limit), Some(offset)) => write!(sql, " LIMIT {limit} OFFSET {offset}"),
            (Some(limit), None) => write!(sql, " LIMIT {limit}"),
            // Standard SQL has OFFSET alone; the databases we know want a limit before it.
            (None, Some(offset)) => write!(sql, " LIMIT {} OFFSET {offset}", i64::MAX),
            (None, None) => Ok(()),
        };
    }

    /// Appends `LIKE` with its pattern, in which a backslash escapes.
    fn write_like(&self, writer: &mut SqlWriter<'_>, pattern: &Value<'static>) {
        writer.push(" LIKE ");
        writer.bind(pattern.clone());
        writer.push(" ESCAPE '\\'");
    }

    /// How many keys of `width` columns one statement may carry; more are sent in several.
    fn keys_per_statement(&self, width: usize) -> usize {
        (self.capabilities().max_binds / (width.max(1) + 1)).clamp(1, 1_000)
    }

    /// Appends the condition that `columns` (already qualified where needed) hold one of the keys. The set is not
    /// empty and within [`keys_per_statement`](Dialect::keys_per_statement).
    fn write_key_filter(&self, writer: &mut SqlWriter<'_>, columns: &[&str], keys: &KeySet) {
        writer.padded_key_list(columns, keys, self.capabilities().row_values);
    }

    /// Appends a derived table named `keys` with one row a key: its columns are `ordinal` (from 0) and `k0`, `k1`, ….
    /// Used where the database, not we, must decide which key a row belongs to.
    fn write_key_table(&self, writer: &mut SqlWriter<'_>, keys: &KeySet) {
        writer.union_key_table(keys);
    }

    /// As [`write_key_table`](Dialect::write_key_table), for keys that are compared with these columns of a table: where
    /// a value brings a character set and collation of its own, the keys take the columns'.
    fn write_key_table_for(&self, writer: &mut SqlWriter<'_>, keys: &KeySet, table: &TableRef, columns: &[&str]) {
        let _ = (table, columns);
        self.write_key_table(writer, keys);
    }

    /// The join that reads its left side first.
    fn ordered_join(&self) -> &'static str {
        "CROSS JOIN"
    }

    /// Whether two keys of such a column are equal for this database exactly when their bytes are.
    fn is_byte_comparable(&self, column: SqlType) -> bool {
        column.is_byte_comparable()
    }

    /// How the database reads quotes and comments, for finding the placeholders of raw SQL.
    fn raw_syntax(&self) -> RawSyntax {
        RawSyntax::default()
    }

    /// Appends `operand IN (…)` for a list of values without `NULL`s; the operand is already written.
    fn write_in_list(&self, writer: &mut SqlWriter<'_>, values: &[Value<'static>]) {
        writer.padded_in_list(values);
    }
}
