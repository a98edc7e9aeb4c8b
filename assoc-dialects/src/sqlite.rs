//! SQLite's SQL, and the reasons for the form of key sets.
//!
//! # A set of keys is one bind
//!
//! Where the client can bind a pointer ([`KeyLists::Pointer`]): `rarray(?)` is a table over a list that is bound as one pointer, so one
//! statement text serves any number of keys: one entry in the statement cache, no limit on binds, no padding. Measured with 1,000 keys of
//! 10 rows each (SQLite 3.53, all columns read, in memory-backed storage), milliseconds:
//!
//! | | ms |
//! |---|---:|
//! | `fk IN (SELECT +value FROM rarray(?)) ORDER BY fk, id` (what we write) | 4.13 |
//! | `rarray(?) k CROSS JOIN t ON t.fk = k.value`, no order | 3.96 |
//! | the same, `ORDER BY k.rowid` | 5.91 |
//! | `fk BETWEEN ? AND ? ORDER BY fk, id` | 3.81 |
//! | `fk BETWEEN ? AND ? AND typeof(fk) = 'integer' ORDER BY fk, id` | 4.17 |
//!
//! With an index on `fk`, the `IN` walks the keys in ascending order and the index within each, so `ORDER BY fk, id`
//! costs no sort. The join has no way to tell SQLite that the list is sorted and pays for a temporary B-tree. For
//! look-ups by primary key that need no order the join would win (0.26 against 0.45 ms for 1,000 keys): it makes no set
//! of the list first. A condition cannot express it.
//!
//! **A range instead of dense keys** is written by look-ups alone. Columns are loosely typed: 1.5 lies between 1 and 2, and
//! `typeof` would make the range exact at the cost of what it saves. A look-up reads the key of each row, and fails where it is
//! no integer.
//!
//! # `+value`
//!
//! A preload must match what `fk = ?` matches. It would not with the bare column `value`: a comparison of two *columns*
//! applies the text affinity of one to the other only if that one has none at all, and a virtual table's column has
//! one (BLOB). So the integer 5 would find `'5'` in a text column through `fk = ?` and not through the list. The unary
//! plus makes it an expression, which has no affinity; the index of `fk` is used all the same. The column on the left
//! also brings its collation (`NOCASE`). `tests/keys.rs` compares both ways over all storage classes.
//!
//! # Ordinals
//!
//! Where the database must say which key a row belongs to, `rowid - 1` of the list is the ordinal, and the join reads
//! the list first. Here the sort cannot be avoided (6.3 ms for the load above, 1.5 times the plain `IN`); it is the
//! price of keys that are text.
//!
//! # Clients that bind no pointer
//!
//! `json_each(?)` takes the list as one text ([`KeyLists::Json`]), for keys that JSON can hold: integers and text. Its column
//! `value` stands where that of `rarray` does, and its column `key` is the ordinal. Other keys, and all keys of a client that
//! wants neither ([`KeyLists::Padded`]), are binds of their own.
//!
//! # Composite keys
//!
//! `(a, b) IN (VALUES (?, ?), …)`: SQLite compares row values with a subquery only. Lists are padded to a power of two
//! so that few texts serve all lengths: by the last key in a condition, by `NULL`s, which match nothing, in a key
//! table.

use std::borrow::Cow;

use assoc_core::dialect::{
    AggregateForm, Capabilities, ColumnRole, Comparable, Dialect, ExactText, KeyRanges, NullPlacement, PerOwnerLimit,
    RowLocks, Sign, Upsert,
};
use assoc_core::driver::{BindList, KeySet};
use assoc_core::metadata::{AggregateFunction, ColumnDef};
use assoc_core::sql::{RawSyntax, SqlWriter, padded_length};
use assoc_core::{DriverError, DriverErrorKind, Result, SqlType, Value};

pub use answer::is_expression;
pub use dates::refused_date;
pub use errors::{READ_SCHEMA, Violation, class_of_answer, class_of_message, may_know_an_older_schema, violation};
pub use key_lists::KeyLists;
use key_lists::OneBind;

mod answer;
mod dates;
mod errors;
pub mod functions;
mod key_lists;

/// SQLite's SQL, for a client that registers our [functions].
///
/// [`default`](SqliteDialect::default) makes one with the limits of a SQLite as it is usually built, and lists that are bound
/// as pointers.
///
/// ```
/// use assoc_core::dialect::Dialect;
/// use assoc_dialects::sqlite::{KeyLists, SqliteDialect};
///
/// let dialect = SqliteDialect::default().with_key_lists(KeyLists::Json).with_max_binds(250_000);
/// assert_eq!(dialect.capabilities().max_binds, 250_000);
/// ```
#[derive(Debug, Clone)]
pub struct SqliteDialect {
    capabilities: Capabilities,
    uuid_as_text: bool,
    key_lists: KeyLists,
}

// SQLite makes a tree of the keys of a list before it reads a row. For few keys that costs nothing measurable, and the statement has
// the same text whatever they are. A row that is stepped over costs about half of what it costs to read it, so that a quarter of
// them costs what the tree does.
const KEY_RANGES: KeyRanges = KeyRanges { from: 64, gaps_percent: 25 };

/// SQLite's limit on binds since 3.32.
const MAX_BINDS: usize = 32_766;

impl Default for SqliteDialect {
    fn default() -> Self {
        let mut capabilities = Capabilities::default();
        returning(&mut capabilities, true);
        // Rows are inserted one after the other, and each takes the number after the highest; `AUTOINCREMENT` or not. Only
        // where the highest possible number is taken does a table without it try random ones, which the repo notices.
        capabilities.ascending_keys = true;
        // A trigger cannot change the row that fires it, but with an UPDATE, which no RETURNING shows either.
        capabilities.inserts_as_given = true;
        capabilities.row_locks = RowLocks::OfWriters;
        capabilities.cheap_transactions = true;
        capabilities.max_binds = MAX_BINDS;
        // Measured: 250 rows are 9 % slower than 50, single rows 36 %.
        capabilities.insert_rows = 50;
        // SQLite has no limit; ours keeps generated aliases the same on every database.
        capabilities.max_identifier = 64;
        capabilities.free_snapshot = true;
        capabilities.row_values = true;
        capabilities.key_ranges = Some(KEY_RANGES);
        capabilities.per_owner_limit = PerOwnerLimit::CorrelatedSeek;
        capabilities.window_functions = true;
        capabilities.null_placement = NullPlacement::Clause;
        SqliteDialect { capabilities, uuid_as_text: false, key_lists: KeyLists::Pointer }
    }
}

impl SqliteDialect {
    /// What a version can do, as `sqlite3_libversion_number` gives it: 3,030,000 of 2019 is the first with `NULLS LAST`, and
    /// 3,035,000 of 2021 the first that returns written rows. The default is a version that does both.
    ///
    /// ```
    /// use assoc_core::dialect::{Dialect, NullPlacement};
    /// use assoc_dialects::sqlite::SqliteDialect;
    ///
    /// let of_2020 = SqliteDialect::default().with_version(3_031_000);
    /// assert!(!of_2020.capabilities().insert_returning);
    /// assert_eq!(of_2020.capabilities().null_placement, NullPlacement::Clause);
    /// assert!(SqliteDialect::default().with_version(3_035_000).capabilities().insert_returning);
    /// ```
    #[must_use]
    pub fn with_version(mut self, number: i32) -> Self {
        returning(&mut self.capabilities, number >= 3_035_000);
        self.capabilities.null_placement =
            if number >= 3_030_000 { NullPlacement::Clause } else { NullPlacement::Condition };
        self
    }

    /// How many binds a statement may have: `SQLITE_LIMIT_VARIABLE_NUMBER`, by default 32,766.
    #[must_use]
    pub fn with_max_binds(mut self, binds: usize) -> Self {
        self.capabilities.max_binds = binds;
        self
    }

    /// Whether a UUID is stored as text. By default it is 16 bytes.
    ///
    /// ```
    /// use assoc_core::SqlType;
    /// use assoc_core::dialect::{ColumnRole, Dialect};
    /// use assoc_core::metadata::ColumnDef;
    /// use assoc_dialects::sqlite::SqliteDialect;
    ///
    /// let column = ColumnDef::new("token", "token", SqlType::Uuid, false);
    /// let stored = |dialect: SqliteDialect| dialect.column_type(&column, ColumnRole::Plain);
    /// assert_eq!(stored(SqliteDialect::default()), "BLOB");
    /// assert_eq!(stored(SqliteDialect::default().with_uuid_as_text(true)), "TEXT");
    /// ```
    #[must_use]
    pub fn with_uuid_as_text(mut self, as_text: bool) -> Self {
        self.uuid_as_text = as_text;
        self
    }

    /// How keys and lists of values are sent.
    #[must_use]
    pub fn with_key_lists(mut self, key_lists: KeyLists) -> Self {
        self.key_lists = key_lists;
        self
    }

    // Keys of one column as one bind, if this client and these values allow it.
    fn one_bind(&self, keys: &KeySet) -> Option<OneBind> {
        self.key_lists.one_bind(single(keys)?)
    }
}

fn returning(capabilities: &mut Capabilities, returns: bool) {
    capabilities.insert_returning = returns;
    capabilities.update_returning = returns;
    capabilities.delete_returning = returns;
    capabilities.upsert = if returns { Upsert::NamedIndex } else { Upsert::Unsupported };
}

impl Dialect for SqliteDialect {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Quoted with `"`. SQLite reads no text beyond a NUL, so a NUL is replaced by U+FFFD. The answer is then "no such
    /// column"; without the NUL the identifier might name some other column.
    fn quote(&self, identifier: &str, sql: &mut String) {
        sql.push('"');
        for part in identifier.split_inclusive(['"', '\0']) {
            match part.as_bytes().last() {
                Some(b'"') => {
                    sql.push_str(part);
                    sql.push('"');
                }
                Some(0) => {
                    sql.push_str(&part[..part.len() - 1]);
                    sql.push('\u{FFFD}');
                }
                _ => sql.push_str(part),
            }
        }
        sql.push('"');
    }

    /// A type whose affinity stores the values as they are bound. Dates, decimals and JSON are text: a declared
    /// `DECIMAL` would have numeric affinity, lose the places of 9.50, and turn numbers of more than 15 digits into
    /// floats.
    fn column_type(&self, column: &ColumnDef, _: ColumnRole) -> Cow<'static, str> {
        Cow::Borrowed(match column.sql_type {
            SqlType::Bool => "BOOLEAN",
            SqlType::Int(_) | SqlType::UInt(_) => "INTEGER",
            SqlType::Real(_) => "REAL",
            SqlType::Blob => "BLOB",
            SqlType::Uuid if !self.uuid_as_text => "BLOB",
            SqlType::Decimal => return decimal_type(column),
            _ => "TEXT",
        })
    }

    /// Decimals are text: `assoc_decimal` makes them compare as numbers (`decimals.rs`).
    fn comparable(&self, column: SqlType) -> Option<Comparable> {
        (column == SqlType::Decimal).then_some(DECIMAL)
    }

    /// As in a list of keys: `+` takes the affinity off, so that `'1'` in a column without type is not found for the key 1
    /// by a condition when it is not by a preload.
    fn bound_like(&self) -> (&'static str, &'static str) {
        ("+", "")
    }

    /// The collation of the right side decides. A column without a declared collation has this one already, so its
    /// index is used.
    fn exact_text(&self) -> Option<ExactText> {
        Some(ExactText::new(("", ""), ("", " COLLATE BINARY")))
    }

    fn aggregate(&self, function: AggregateFunction, column: Option<SqlType>) -> AggregateForm {
        match (column, function) {
            (Some(SqlType::Decimal), AggregateFunction::Sum) => AggregateForm::of(functions::DECIMAL_SUM),
            (Some(SqlType::Decimal), AggregateFunction::Avg) => AggregateForm::of(functions::DECIMAL_AVG),
            (Some(SqlType::Decimal), AggregateFunction::Min) => AggregateForm::of(functions::DECIMAL_MIN),
            (Some(SqlType::Decimal), AggregateFunction::Max) => AggregateForm::of(functions::DECIMAL_MAX),
            _ => AggregateForm::standard(function),
        }
    }

    /// `AUTOINCREMENT` too, as Rails does: without it SQLite gives the key of the last row out again once that row is
    /// deleted, and rows that still refer to the old row then belong to the new one. It costs a look at a second table:
    /// 10,000 rows by 50 take 8.0 ms instead of 6.4, single rows twice as long. Your schema may leave it out; nothing
    /// here depends on it.
    fn auto_increment(&self) -> &'static str {
        " PRIMARY KEY AUTOINCREMENT"
    }

    /// SQLite reads a pattern up to its first NUL, so that `"a\0%"` would be `"a"`.
    fn write_like(&self, writer: &mut SqlWriter<'_>, pattern: &Value<'static>) -> Result<()> {
        if let Value::Text(text) = pattern
            && text.contains('\0')
        {
            let message =
                format!("SQLite reads a pattern of LIKE up to its first NUL, so that {pattern} is another one");
            return Err(DriverError::new(DriverErrorKind::Value, message).into());
        }
        writer.push(" LIKE ");
        writer.bind(pattern.clone());
        writer.push(" ESCAPE '\\'");
        Ok(())
    }

    /// Any number of keys of a single column. Of several columns, as many as the binds allow after padding, with room
    /// left for those of a filter.
    fn keys_per_statement(&self, width: usize) -> usize {
        if width <= 1 && self.key_lists == KeyLists::Pointer {
            return usize::MAX;
        }
        let binds = self.capabilities.max_binds;
        let fitting = (binds - (binds / 4).min(1_000)) / width.max(1);
        // The padding goes up to a power of two, so the largest one that fits is the limit.
        (1 << fitting.max(1).ilog2()).min(1_024)
    }

    fn write_key_filter(&self, writer: &mut SqlWriter<'_>, columns: &[&str], keys: &KeySet) {
        if let ([column], Some(BindList::Values(values))) = (columns, single(keys))
            && is_decimal(values.first())
            && self.key_lists != KeyLists::Padded
        {
            return writer.own_column_in(column, &values);
        }
        match (columns, self.one_bind(keys)) {
            ([column], Some(list)) => {
                writer.own_column(column);
                writer.push(" ");
                list.write_in(writer);
            }
            (columns, _) => {
                let tuples = keys.tuples();
                let last = tuples.len().saturating_sub(1);
                writer.push("(");
                writer.separated(", ", columns.iter().enumerate(), |writer, (part, column)| {
                    writer.compared_column(column, tuples.first().and_then(|key| key.values().get(part)));
                });
                writer.push(") IN (VALUES ");
                let padded = (0..padded_length(tuples.len())).filter_map(|at| tuples.get(at.min(last)));
                writer.separated(", ", padded, |writer, key| {
                    writer.push("(");
                    writer.separated(", ", key.values(), SqlWriter::compared_value);
                    writer.push(")");
                });
                writer.push(")");
            }
        }
    }

    fn write_look_up_filter(&self, writer: &mut SqlWriter<'_>, columns: &[&str], keys: &KeySet) {
        match (columns, self.capabilities.key_ranges.and_then(|ranges| ranges.range(keys))) {
            ([column], Some((first, last))) => writer.integer_range(column, first, last),
            _ => self.write_key_filter(writer, columns, keys),
        }
    }

    fn write_key_table(&self, writer: &mut SqlWriter<'_>, keys: &KeySet) {
        writer.push("(SELECT ");
        if let Some(list) = self.one_bind(keys) {
            writer.push(list.ordinal());
            writer.push(" AS ");
            writer.identifier("ordinal");
            writer.push(", +value AS ");
            writer.identifier("k0");
            writer.push(" FROM ");
            list.write_table(writer);
        } else {
            let (tuples, width) = (keys.tuples(), keys.width());
            writer.push("column1 AS ");
            writer.identifier("ordinal");
            for part in 0..width {
                writer.push(&format!(", +column{} AS ", part + 2));
                writer.identifier(&format!("k{part}"));
            }
            writer.push(" FROM (VALUES ");
            writer.separated(", ", 0..padded_length(tuples.len()), |writer, at| {
                writer.push(&format!("({at}"));
                for part in 0..width {
                    writer.push(", ");
                    let value = tuples.get(at).and_then(|key| key.values().get(part).cloned());
                    writer.bind(value.unwrap_or(Value::Null));
                }
                writer.push(")");
            });
            writer.push(")");
        }
        writer.push(") AS ");
        writer.identifier("keys");
    }

    /// A column without a type stores a value as it is bound. Numbers and decimals depend on the affinity of the
    /// column, which is not known here.
    fn keeps(&self, _: &ColumnDef, value: &Value<'_>) -> bool {
        !matches!(value, Value::Decimal(_))
    }

    /// SQLite reads the left side of a `CROSS JOIN` first, and takes an `ON` after it.
    fn ordered_join(&self) -> &'static str {
        "CROSS JOIN"
    }

    /// By functions of ours: decimals are text, which `+` makes floats, integers that overflow become floats, a column of `i32`
    /// holds any integer, and one of `f32` any float.
    fn write_sum(&self, writer: &mut SqlWriter<'_>, column: &ColumnDef, sign: Sign, value: &Value<'static>) {
        let range = match column.sql_type {
            SqlType::Decimal => String::new(),
            SqlType::Int(bits) => {
                format!(", {}, {}", i64::MIN >> (64 - bits.clamp(1, 64)), i64::MAX >> (64 - bits.clamp(1, 64)))
            }
            // Integers end at 2^63 - 1 here.
            SqlType::UInt(bits) => format!(", 0, {}", i64::MAX >> (63 - bits.clamp(1, 63))),
            SqlType::Real(bits) => format!(", {bits}"),
            _ => {
                writer.own_column(column.name);
                writer.push(if sign == Sign::Plus { " + " } else { " - " });
                return writer.bind(value.clone());
            }
        };
        writer.push(match (column.sql_type, sign) {
            (SqlType::Decimal, Sign::Plus) => functions::DECIMAL_PLUS,
            (SqlType::Decimal, Sign::Minus) => functions::DECIMAL_MINUS,
            (SqlType::Real(_), Sign::Plus) => functions::REAL_PLUS,
            (SqlType::Real(_), Sign::Minus) => functions::REAL_MINUS,
            (_, Sign::Plus) => functions::INTEGER_PLUS,
            (_, Sign::Minus) => functions::INTEGER_MINUS,
        });
        writer.push("(");
        writer.own_column(column.name);
        writer.push(", ");
        writer.bind(value.clone());
        writer.push(&range);
        writer.push(")");
    }

    fn raw_syntax(&self) -> RawSyntax {
        let mut syntax = RawSyntax::default();
        syntax.backticks = true;
        syntax.brackets = true;
        syntax
    }

    fn write_in_list(&self, writer: &mut SqlWriter<'_>, values: &[Value<'static>]) {
        match self.key_lists.one_bind(BindList::Values(values.into())) {
            Some(list) => list.write_in(writer),
            None => writer.padded_in_list(values),
        }
    }
}

const DECIMAL: Comparable = Comparable::by_function(functions::DECIMAL_KEY.0, functions::DECIMAL_KEY.1)
    .with_index(functions::DECIMAL_INDEXED.0, functions::DECIMAL_INDEXED.1);

// `DECIMAL_TEXT` has text affinity, which keeps what is written as it is written; the numbers are for readers of the
// schema.
fn decimal_type(column: &ColumnDef) -> Cow<'static, str> {
    match column.precision {
        Some((precision, scale)) => format!("DECIMAL_TEXT({precision},{scale})").into(),
        None => "TEXT".into(),
    }
}

fn is_decimal(value: Option<&Value<'static>>) -> bool {
    matches!(value, Some(Value::Decimal(_)))
}

// Keys of one column, as a list.
fn single(keys: &KeySet) -> Option<BindList> {
    match keys {
        KeySet::Ints(ints) => Some(BindList::Ints(ints.clone())),
        KeySet::Tuples(tuples) if keys.width() == 1 => {
            Some(BindList::Values(tuples.iter().flat_map(|key| key.values().first().cloned()).collect()))
        }
        KeySet::Tuples(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assoc_core::execution::KeyTuple;

    fn quoted(identifier: &str) -> String {
        let mut sql = String::new();
        SqliteDialect::default().quote(identifier, &mut sql);
        sql
    }

    #[test]
    fn identifiers_are_quoted_whatever_they_hold() {
        assert_eq!(quoted("users"), "\"users\"");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("a\"b\"\"c"), "\"a\"\"b\"\"\"\"c\"");
        assert_eq!(quoted("a\0b\0"), "\"a\u{FFFD}b\u{FFFD}\"");
        assert_eq!(quoted("größe; DROP TABLE x --"), "\"größe; DROP TABLE x --\"");
    }

    #[test]
    fn one_text_for_any_number_of_keys() {
        let dialect = SqliteDialect::default();
        let text = |keys: &KeySet| {
            let mut writer = SqlWriter::new(&dialect);
            dialect.write_key_filter(&mut writer, &["user_id"], keys);
            writer.finish().sql().to_owned()
        };
        let few = text(&KeySet::Ints([1].into()));
        assert_eq!(few, "\"user_id\" IN (SELECT +value FROM rarray(?))");
        assert_eq!(few, text(&KeySet::Ints((0..5_000).collect())));
        let texts = KeySet::Tuples([KeyTuple::new([Value::Text("a".into())]).unwrap()].into());
        assert_eq!(few, text(&texts));
    }

    #[test]
    fn composite_keys_are_padded() {
        let dialect = SqliteDialect::default();
        let key = |a, b| KeyTuple::new([Value::Int(a), Value::Int(b)]).unwrap();
        let keys = KeySet::Tuples([key(1, 2), key(3, 4), key(5, 6)].into());
        let mut writer = SqlWriter::new(&dialect);
        dialect.write_key_filter(&mut writer, &["a", "b"], &keys);
        let filter = writer.finish();
        assert_eq!(filter.sql(), "(\"a\", \"b\") IN (VALUES (?, ?), (?, ?), (?, ?), (?, ?))");
        assert_eq!(filter.binds()[4..6], filter.binds()[6..8]);
        let mut writer = SqlWriter::new(&dialect);
        dialect.write_key_table(&mut writer, &keys);
        let table = writer.finish();
        assert_eq!(
            table.sql(),
            "(SELECT column1 AS \"ordinal\", +column2 AS \"k0\", +column3 AS \"k1\" FROM (VALUES (0, ?, ?), (1, ?, ?), \
             (2, ?, ?), (3, ?, ?))) AS \"keys\""
        );
        assert_eq!(table.binds()[6], Value::Null.into());
    }

    #[test]
    fn padded_lists_stay_within_the_binds() {
        for max_binds in [7, 999, 32_766, 250_000] {
            let dialect = SqliteDialect::default().with_max_binds(max_binds);
            for width in 2..=4 {
                let keys = dialect.keys_per_statement(width);
                assert!(padded_length(keys) * width <= max_binds, "{max_binds} {width} {keys}");
                assert!(keys >= 1);
            }
            assert_eq!(dialect.keys_per_statement(1), usize::MAX);
        }
    }
}
