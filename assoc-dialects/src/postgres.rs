//! How PostgreSQL wants its SQL.
//!
//! # A set of keys is one bind for each of its columns
//!
//! `fk = ANY($1)` takes an array, so one statement text serves any number of keys. Integers are bound as `bigint[]`, whatever the
//! column is: a key may not fit the column's own type, and is then found nowhere. Everything else takes the column's type, which
//! may be a native enum or `citext`. Where the database must say which key a row belongs to, and for keys of several columns,
//! `unnest($1, $2) WITH ORDINALITY` is the table of keys.
//!
//! A client that learns no types from the server has to name the type of an array itself ([`KeyLists::Typed`]). It knows the type of
//! numbers, dates and truth values. Other values are binds of their own then: `fk IN ($1, $2)`, and `VALUES` as the table of keys.

use std::borrow::Cow;
use std::fmt::Write;

use assoc_core::dialect::{
    AggregateForm, Capabilities, ColumnRole, Dialect, ExactText, NullOrder, NullPlacement, PerOwnerLimit, Recursions,
    RowLocks, Sign, Upsert,
};
use assoc_core::driver::{BindList, KeySet};
use assoc_core::metadata::{AggregateFunction, ColumnDef, TableRef};
use assoc_core::sql::{RawSyntax, SqlWriter, padded_length};
use assoc_core::{SqlType, Value};

pub mod binary;
pub mod errors;
mod transactions;

pub use transactions::begin;

/// How keys and lists of values are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyLists {
    /// As an array of the type that the server finds for the placeholder.
    #[default]
    Inferred,
    /// As an array of the type that the values tell by themselves. Text, bytes, UUIDs and documents do not tell whether their column
    /// is an enum, `citext` or of another type: each of them is a bind.
    Typed,
}

/// PostgreSQL's SQL, from version 12 on.
#[derive(Debug, Clone)]
pub struct PostgresDialect {
    capabilities: Capabilities,
    key_lists: KeyLists,
}

impl PostgresDialect {
    /// How keys and lists of values are sent, by default as arrays whose type the server finds.
    ///
    /// ```
    /// use assoc_dialects::postgres::{KeyLists, PostgresDialect};
    ///
    /// let dialect = PostgresDialect::default().with_key_lists(KeyLists::Typed);
    /// ```
    #[must_use]
    pub fn with_key_lists(mut self, key_lists: KeyLists) -> Self {
        self.key_lists = key_lists;
        self
    }

    /// Whether these values are an array, or binds of their own.
    fn sends_array(&self, values: &[Value<'static>]) -> bool {
        self.key_lists == KeyLists::Inferred || values.is_empty() || element_type(values).is_some()
    }
}

impl Default for PostgresDialect {
    fn default() -> Self {
        let mut capabilities = Capabilities::default();
        capabilities.insert_returning = true;
        capabilities.update_returning = true;
        capabilities.delete_returning = true;
        // An identity column takes the next number of its sequence for each row of VALUES in turn.
        capabilities.ascending_keys = true;
        capabilities.max_binds = 65_535;
        capabilities.insert_rows = 1_000;
        capabilities.max_identifier = 63;
        capabilities.row_values = true;
        // A list of row values becomes a tree of conditions, each planned for itself.
        capabilities.long_row_lists = false;
        // Rows are read in the order of the table, and then sorted.
        capabilities.reads_in_key_order = false;
        capabilities.recursions = Recursions::AtOnce;
        capabilities.per_owner_limit = PerOwnerLimit::Lateral;
        capabilities.row_locks = RowLocks::Rows { skips: true, names_table: true };
        capabilities.upsert = Upsert::NamedIndex;
        capabilities.window_functions = true;
        capabilities.null_order = NullOrder::Largest;
        capabilities.null_placement = NullPlacement::Clause;
        PostgresDialect { capabilities, key_lists: KeyLists::default() }
    }
}

impl Dialect for PostgresDialect {
    fn name(&self) -> &'static str {
        "PostgreSQL"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// PostgreSQL has no NUL in a text. One in an identifier is replaced by U+FFFD, so that the answer is "no such column".
    fn quote(&self, identifier: &str, sql: &mut String) {
        sql.push('"');
        for c in identifier.chars() {
            match c {
                '"' => sql.push_str("\"\""),
                '\0' => sql.push('\u{FFFD}'),
                c => sql.push(c),
            }
        }
        sql.push('"');
    }

    fn placeholder(&self, position: usize, sql: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(sql, "${position}");
    }

    fn column_type(&self, column: &ColumnDef, _: ColumnRole) -> Cow<'static, str> {
        match column.sql_type {
            SqlType::Bool => "BOOLEAN".into(),
            SqlType::Int(8 | 16) | SqlType::UInt(8) => "SMALLINT".into(),
            SqlType::Int(32) | SqlType::UInt(16) => "INTEGER".into(),
            // Unsigned integers end at 2^63 - 1 here: what is larger is refused.
            SqlType::Int(_) | SqlType::UInt(_) => "BIGINT".into(),
            SqlType::Real(32) => "REAL".into(),
            SqlType::Real(_) => "DOUBLE PRECISION".into(),
            SqlType::Text => column.length.map_or("TEXT".into(), |length| format!("VARCHAR({length})").into()),
            SqlType::Blob => "BYTEA".into(),
            SqlType::Date => "DATE".into(),
            SqlType::Time => "TIME".into(),
            SqlType::DateTime => "TIMESTAMP".into(),
            SqlType::Uuid => "UUID".into(),
            SqlType::Decimal => match column.precision {
                Some((precision, scale)) => format!("NUMERIC({precision},{scale})").into(),
                None => "NUMERIC".into(),
            },
            SqlType::Json => "JSONB".into(),
            // What the core may add one day, until this crate knows it.
            _ => "TEXT".into(),
        }
    }

    fn auto_increment(&self) -> &'static str {
        " GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
    }

    /// An `UPDATE` locks rows in the order in which they lie in the table. The lock is the one that an `UPDATE` takes, which lets
    /// others insert rows that refer to these.
    fn ordered_lock(&self) -> Option<&'static str> {
        Some(" FOR NO KEY UPDATE")
    }

    /// Many, and not all: a statement can be cancelled, its answer has an end.
    fn keys_per_statement(&self, width: usize) -> usize {
        match self.key_lists {
            KeyLists::Inferred => 65_536,
            KeyLists::Typed => self.bound_keys(width).min(4_096),
        }
    }

    /// Of several columns few: where one of them is a text, each key is a condition that is planned for itself.
    fn keys_per_condition(&self, width: usize) -> usize {
        match (self.key_lists, width) {
            (KeyLists::Inferred, ..=1) => 65_536,
            (KeyLists::Typed, ..=1) => self.bound_keys(width),
            _ => 1_024,
        }
    }

    /// A bind has at most a gigabyte.
    fn most_keys(&self, width: usize) -> usize {
        match self.key_lists {
            KeyLists::Inferred => 1 << 24,
            KeyLists::Typed => self.bound_keys(width),
        }
    }

    fn write_key_filter(&self, writer: &mut SqlWriter<'_>, columns: &[&str], keys: &KeySet) {
        if let [column] = columns {
            writer.own_column(column);
            writer.push(" ");
            return self.write_in_list(writer, &column_of(keys, 0));
        }
        writer.push("(");
        writer.separated(", ", columns, |writer, column| writer.own_column(column));
        writer.push(") IN (");
        let parts: Vec<Vec<Value<'static>>> = (0..columns.len()).map(|part| column_of(keys, part)).collect();
        if parts.iter().all(|values| element_type(values).is_some()) {
            writer.push("SELECT * FROM unnest(");
            writer.separated(", ", parts, write_array_of_its_type);
            writer.push(")");
        } else {
            // In a list of rows each value takes the type of its column, which is not known here.
            write_rows(writer, &parts);
        }
        writer.push(")");
    }

    fn write_key_table(&self, writer: &mut SqlWriter<'_>, keys: &KeySet) {
        let parts = (0..keys.width()).map(|part| column_of(keys, part)).collect();
        write_table(writer, parts, write_array_of_its_type);
    }

    /// A text takes the type and the collation of the column that it is compared with: an array of that type, without elements,
    /// stands before the keys.
    fn write_key_table_for(&self, writer: &mut SqlWriter<'_>, keys: &KeySet, table: &TableRef, columns: &[&str]) {
        let parts: Vec<_> = columns.iter().enumerate().map(|(part, column)| (*column, column_of(keys, part))).collect();
        if !parts.iter().all(|(_, values)| self.sends_array(values)) {
            return write_rows_of_columns(writer, &parts, table);
        }
        write_table(writer, parts, |writer, (column, values)| {
            if element_type(&values).is_some() {
                return write_array_of_its_type(writer, values);
            }
            writer.push("array_cat(ARRAY(SELECT ");
            writer.identifier(column);
            writer.push(" FROM ");
            writer.table(table);
            writer.push(" WHERE 1 = 0), ");
            writer.bind_list(BindList::Values(values.into()));
            writer.push(")");
        });
    }

    /// Which texts are equal is the column's to say, in `citext` and by its collation.
    fn exact_text(&self) -> Option<ExactText> {
        let column = ("CAST(", " AS TEXT) COLLATE \"C\"");
        Some(ExactText::new(column, ("", "")).beside_equality())
    }

    /// Equal texts are equal bytes, but for `citext`, `char(n)` and collations that are not deterministic. Bytes may be read from
    /// such a column as well.
    fn is_byte_comparable(&self, column: SqlType) -> bool {
        column.is_byte_comparable() && column != SqlType::Blob
    }

    /// A mean has as many places as its values ask for. Decimals have up to 28: with more, it is known that the client may round.
    /// There is no smallest and largest of truth
    /// values, UUIDs, bytes and documents, though all of them are sorted.
    fn aggregate(&self, function: AggregateFunction, column: Option<SqlType>) -> AggregateForm {
        use AggregateFunction::{Avg, Max, Min, Sum};
        let form = AggregateForm::standard(function);
        match (function, column) {
            (Avg, Some(SqlType::Decimal | SqlType::Int(_) | SqlType::UInt(_))) => {
                form.around("CAST(", " AS NUMERIC(59,30))")
            }
            (Avg, Some(SqlType::Bool)) => form.around("CAST(CAST(", " AS INTEGER) AS NUMERIC(59,30))"),
            (Sum, Some(SqlType::Bool)) => form.around("CAST(", " AS INTEGER)"),
            (Sum, Some(SqlType::Real(32))) => form.around("CAST(", " AS DOUBLE PRECISION)"),
            (Min, Some(SqlType::Bool | SqlType::Uuid | SqlType::Blob | SqlType::Json)) => {
                AggregateForm::of("PERCENTILE_DISC(0) WITHIN GROUP ").around("ORDER BY ", "")
            }
            (Max, Some(SqlType::Bool | SqlType::Uuid | SqlType::Blob | SqlType::Json)) => {
                AggregateForm::of("PERCENTILE_DISC(1) WITHIN GROUP ").around("ORDER BY ", "")
            }
            _ => form,
        }
    }

    /// There are neither unsigned integers nor such of 8 bits. A sum that fits the column, and not the model's field, becomes a
    /// text that is no number.
    fn write_sum(&self, writer: &mut SqlWriter<'_>, column: &ColumnDef, sign: Sign, value: &Value<'static>) {
        let sign = if sign == Sign::Plus { " + " } else { " - " };
        let sum = |writer: &mut SqlWriter<'_>| {
            writer.own_column(column.name);
            writer.push(sign);
            writer.bind(value.clone());
        };
        let range = match column.sql_type {
            SqlType::Int(8) => "-128 AND 127",
            SqlType::UInt(8) => "0 AND 255",
            SqlType::UInt(16) => "0 AND 65535",
            SqlType::UInt(32) => "0 AND 4294967295",
            SqlType::UInt(_) => "0 AND 9223372036854775807",
            _ => return sum(writer),
        };
        writer.push("CASE WHEN ");
        sum(writer);
        writer.push(" NOT BETWEEN ");
        writer.push(range);
        writer.push(" THEN CAST(");
        sum(writer);
        writer.push(" || ' is out of range' AS ");
        writer.push(&self.column_type(column, ColumnRole::Plain));
        writer.push(") ELSE ");
        sum(writer);
        writer.push(" END");
    }

    fn raw_syntax(&self) -> RawSyntax {
        let mut syntax = RawSyntax::default();
        syntax.dollar_quotes = true;
        syntax.escape_strings = true;
        syntax.nested_comments = true;
        syntax
    }

    fn write_in_list(&self, writer: &mut SqlWriter<'_>, values: &[Value<'static>]) {
        if !self.sends_array(values) {
            return writer.padded_in_list(values);
        }
        writer.push("= ANY(");
        write_array(writer, values.to_vec());
        writer.push(")");
    }
}

impl PostgresDialect {
    /// How many keys fit where each value is a bind: a power of two, so that a full list needs no padding.
    fn bound_keys(&self, width: usize) -> usize {
        1 << (self.capabilities.max_binds / (width.max(1) + 1)).max(1).ilog2()
    }
}

// One column of a set of keys.
fn column_of(keys: &KeySet, part: usize) -> Vec<Value<'static>> {
    match keys {
        KeySet::Ints(ints) => ints.iter().map(|key| Value::Int(*key)).collect(),
        KeySet::Tuples(tuples) => tuples.iter().filter_map(|key| key.values().get(part).cloned()).collect(),
    }
}

/// An array whose elements take the type of what they are compared with, except for numbers, which may not fit it.
fn write_array(writer: &mut SqlWriter<'_>, values: Vec<Value<'static>>) {
    if values.iter().any(|value| matches!(value, Value::Int(_) | Value::UInt(_))) {
        return write_array_of_its_type(writer, values);
    }
    writer.bind_list(BindList::Values(values.into()));
}

fn write_array_of_its_type(writer: &mut SqlWriter<'_>, values: Vec<Value<'static>>) {
    let element = element_type(&values).unwrap_or(match values.first() {
        Some(Value::Blob(_)) => "bytea",
        Some(Value::Uuid(_)) => "uuid",
        _ => "text",
    });
    writer.bind_list(BindList::Values(values.into()));
    writer.push("::");
    writer.push(element);
    writer.push("[]");
}

fn write_rows(writer: &mut SqlWriter<'_>, parts: &[Vec<Value<'static>>]) {
    let count = parts.first().map_or(0, Vec::len);
    writer.separated(", ", 0..padded_length(count), |writer, at| {
        writer.push("(");
        writer.separated(", ", parts, |writer, values| {
            // Padding repeats the last key.
            let value = values.get(at).or(values.last()).cloned().unwrap_or_default();
            let is_number = matches!(value, Value::Int(_));
            writer.bind(value);
            writer.push(if is_number { "::bigint" } else { "" });
        });
        writer.push(")");
    });
}

/// `(SELECT "place" - 1 AS "ordinal", "k0" FROM unnest(…) WITH ORDINALITY AS "given"("k0", "place")) AS "keys"`.
fn write_table<P>(writer: &mut SqlWriter<'_>, parts: Vec<P>, array: impl FnMut(&mut SqlWriter<'_>, P)) {
    let width = parts.len();
    writer.push("(SELECT \"place\" - 1 AS ");
    writer.identifier("ordinal");
    for part in 0..width {
        writer.push(", ");
        writer.identifier(&format!("k{part}"));
    }
    writer.push(" FROM unnest(");
    writer.separated(", ", parts, array);
    writer.push(") WITH ORDINALITY AS \"given\"(");
    for part in 0..width {
        writer.identifier(&format!("k{part}"));
        writer.push(", ");
    }
    writer.push("\"place\")) AS ");
    writer.identifier("keys");
}

/// `(VALUES (-1, (SELECT "name" FROM "parents" WHERE 1 = 0)), (0, $1), (1, $2)) AS "keys"("ordinal", "k0")`. The first row has no key,
/// and lends the others the types and the collations of the columns.
fn write_rows_of_columns(writer: &mut SqlWriter<'_>, parts: &[(&str, Vec<Value<'static>>)], table: &TableRef) {
    let count = parts.first().map_or(0, |(_, values)| values.len());
    writer.push("(VALUES (-1");
    for (column, _) in parts {
        writer.push(", (SELECT ");
        writer.identifier(column);
        writer.push(" FROM ");
        writer.table(table);
        writer.push(" WHERE 1 = 0)");
    }
    writer.push(")");
    for ordinal in 0..padded_length(count) {
        writer.push(", (");
        writer.push(&ordinal.to_string());
        for (_, values) in parts {
            writer.push(", ");
            // Padding is NULL, which equals nothing.
            writer.bind(values.get(ordinal).cloned().unwrap_or_default());
        }
        writer.push(")");
    }
    writer.push(") AS ");
    writer.identifier("keys");
    writer.push("(");
    writer.identifier("ordinal");
    for part in 0..parts.len() {
        writer.push(", ");
        writer.identifier(&format!("k{part}"));
    }
    writer.push(")");
}

/// What an array of values is cast to. `None` where only a column decides: text may be compared with an enum, bytes and UUIDs with
/// text, JSON with either of its types.
fn element_type(values: &[Value<'static>]) -> Option<&'static str> {
    if values.iter().any(|value| matches!(value, Value::UInt(_))) {
        return Some("numeric");
    }
    match values.first()? {
        Value::Bool(_) => Some("boolean"),
        Value::Int(_) => Some("bigint"),
        Value::Real(_) => Some("float8"),
        Value::Date(_) => Some("date"),
        Value::Time(_) => Some("time"),
        Value::DateTime(_) => Some("timestamp"),
        Value::Decimal(_) => Some("numeric"),
        _ => None,
    }
}
