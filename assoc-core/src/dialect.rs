//! How a database wants its SQL, and what it can do.
//!
//! A [`Dialect`] knows text, [`Capabilities`] are facts. Nothing outside a driver crate asks for a database by name:
//! where databases differ, either the dialect writes another text or a capability says what is possible. Most methods
//! have a default in standard SQL, so a new dialect starts with [`quote`](Dialect::quote) and
//! [`column_type`](Dialect::column_type) and overrides what its database does better.
//!
//! # The contract
//!
//! * [`quote`](Dialect::quote) MUST make one identifier of any text, also of quotes and of words that SQL reserves.
//! * A column of [`column_type`](Dialect::column_type) MUST hold every value of its Rust type, or refuse it. It MUST NOT
//!   change one. What a model declares narrower (a length, a precision) may round, and [`keeps`](Dialect::keeps) says so then.
//! * What [`Capabilities`] claim MUST be true. A lacking capability costs statements or is refused by the library; a false claim
//!   is wrong SQL, or a wrong result.
//! * [`write_key_filter`](Dialect::write_key_filter) MUST find the rows of every key of its list and no others, whatever the
//!   list's length. The rows of [`write_key_table`](Dialect::write_key_table) MUST have the ordinals of their keys, from 0.
//! * [`is_byte_comparable`](Dialect::is_byte_comparable) MUST be `false` for every type that the database may call equal
//!   where the bytes differ.
//! * [`comparable`](Dialect::comparable), [`aggregate`](Dialect::aggregate), [`write_stored`](Dialect::write_stored),
//!   [`bound_like`](Dialect::bound_like) and [`exact_text`](Dialect::exact_text) MUST write what compares and adds up the
//!   values that columns represent, so that a preload, a join and a condition find the same rows.
//! * [`write_limit`](Dialect::write_limit) MUST also write an offset alone, and [`write_like`](Dialect::write_like) MUST take
//!   what a backslash precedes as it is.
//! * [`write_sum`](Dialect::write_sum) MUST fail where the sum does not fit the column.
//! * [`raw_syntax`](Dialect::raw_syntax) MUST tell quotes and comments apart as the database does, because it decides which
//!   question marks are placeholders.

use std::borrow::Cow;
use std::fmt;

use crate::column_type::SqlType;
use crate::error::Result;
use crate::key::KeySet;
use crate::metadata::expr::{AggregateFunction, Direction, Nulls, OrderTerm};
use crate::metadata::model::{ColumnDef, TableRef};
use crate::select::{LockStrength, RowLock, WhenLocked};
use crate::sql::{RawSyntax, SqlWriter};
use crate::statement::Statement;
use crate::value::Value;

mod comparison;
mod key_ranges;

pub use comparison::{AggregateForm, Comparable, ExactText};
pub use key_ranges::KeyRanges;

/// What a database can do. Facts about one server: a driver may find them out when it connects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// `INSERT … RETURNING` gives back the rows that were inserted.
    pub insert_returning: bool,
    /// `UPDATE … RETURNING` gives back the rows that were updated.
    pub update_returning: bool,
    /// `DELETE … RETURNING` gives back the rows that were deleted, as they were.
    pub delete_returning: bool,
    /// The keys that the database makes for the rows of one `INSERT … VALUES` ascend in the order of the rows. What is
    /// returned may come in any order.
    pub ascending_keys: bool,
    /// An `INSERT` stores the values that it gives, as far as [`keeps`](Dialect::keeps) says so: no trigger changes them
    /// on their way into the table. Then what is known of many rows need not be read back.
    pub inserts_as_given: bool,
    /// Whether BEGIN and COMMIT around a write cost next to nothing, because no network is involved for example. Where
    /// they are not cheap, a single insert runs without them if its result can surely be read back. A database whose
    /// columns take values of any type can never guarantee that, so its dialect says `true`.
    pub cheap_transactions: bool,
    /// The most bind parameters one statement may have.
    pub max_binds: usize,
    /// How many rows one `INSERT` should carry at most.
    pub insert_rows: usize,
    /// The longest identifier, in bytes.
    pub max_identifier: usize,
    /// Reading several statements in one snapshot costs next to nothing, so a request and its preloads always do.
    pub free_snapshot: bool,
    /// Row values compare: `(a, b) IN ((1, 2), (3, 4))`.
    pub row_values: bool,
    /// A list of row values is planned in a time that grows with its length. Where it grows faster, keys of several
    /// columns are looked up by a join with a table of keys.
    pub long_row_lists: bool,
    /// The rows of a list of keys are found key by key, so their order by key costs next to nothing. Where it is a sort of whole
    /// rows, the program sorts them, if the rest of the order is one of integers: they compare alike everywhere.
    pub reads_in_key_order: bool,
    /// When a look-up by integers reads a range.
    pub key_ranges: Option<KeyRanges>,
    /// How the levels of a recursion are read.
    pub recursions: Recursions,
    /// How a limit per owner is written.
    pub per_owner_limit: PerOwnerLimit,
    /// Whether rows can be locked that are only read.
    pub row_locks: RowLocks,
    /// How rows are inserted that may be there already.
    pub upsert: Upsert,
    /// How an update or a delete of rows that a query chooses is written.
    pub keyed_write: KeyedWrite,
    /// Window functions: `ROW_NUMBER() OVER (ORDER BY …)`.
    pub window_functions: bool,
    /// Where `NULL` comes in an order that does not say so.
    pub null_order: NullOrder,
    /// How an order says where `NULL` comes.
    pub null_placement: NullPlacement,
    /// Whether a column that reads as text may sort by its position in a declared list. The driver then returns an
    /// integer for `column + 0` of such a column, and another type for text.
    pub listed_text: bool,
    /// How many characters or bytes of a value sorting compares; `None` if it compares all of them.
    pub sorted_length: Option<usize>,
}

/// Where `NULL` comes in an order that does not say so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NullOrder {
    /// Before every value in an ascending order, after them in a descending one.
    #[default]
    Smallest,
    /// After every value in an ascending order, before them in a descending one.
    Largest,
}

impl NullOrder {
    /// Whether `NULL` comes last in a term of an order.
    ///
    /// ```
    /// use assoc_core::dialect::NullOrder;
    /// use assoc_core::metadata::{ColumnRef, Direction, Nulls, Operand, OrderTerm};
    ///
    /// let mut age = OrderTerm::new(Operand::Column(ColumnRef::own("age")), Direction::Asc);
    /// assert!(NullOrder::Largest.puts_last(&age));
    /// age.nulls = Nulls::First;
    /// assert!(!NullOrder::Largest.puts_last(&age));
    /// ```
    #[must_use]
    pub const fn puts_last(self, term: &OrderTerm) -> bool {
        match term.nulls {
            Nulls::First => false,
            Nulls::Last => true,
            Nulls::AsDatabase => self.is_last(term.direction),
        }
    }

    /// Whether `NULL` comes last in an order of this direction that does not say so.
    ///
    /// ```
    /// use assoc_core::dialect::NullOrder;
    /// use assoc_core::metadata::Direction;
    ///
    /// assert!(!NullOrder::Smallest.is_last(Direction::Asc));
    /// assert!(NullOrder::Smallest.is_last(Direction::Desc));
    /// ```
    #[must_use]
    pub const fn is_last(self, direction: Direction) -> bool {
        matches!((self, direction), (NullOrder::Smallest, Direction::Desc) | (NullOrder::Largest, Direction::Asc))
    }
}

/// How an order says where `NULL` comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NullPlacement {
    /// By a term before the term: `ORDER BY x IS NULL, x`.
    Condition,
    /// By a clause of the term: `ORDER BY x NULLS LAST`.
    Clause,
}

/// How the levels of a recursion are read: a preload of a model's association with itself, below itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recursions {
    /// Each by a statement of its own. This is the fastest way where a statement costs little more than its rows. It needs no
    /// recursive statements.
    LevelByLevel,
    /// All by one statement, `WITH RECURSIVE`, where the keys are integers and nothing is limited for each owner. For few keys it
    /// takes one round trip in place of one for each level.
    AtOnce,
}

/// How "the first n rows of each owner" is written in one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PerOwnerLimit {
    /// Not at all.
    Unsupported,
    /// `key IN (SELECT key … WHERE fk = owner ORDER BY … LIMIT n)` for each owner, one index seek per owner.
    CorrelatedSeek,
    /// `CROSS JOIN LATERAL (… LIMIT n)`, one index seek per owner. The database must have window functions as well,
    /// which conditions on the first n rows use.
    Lateral,
    /// `ROW_NUMBER()` over the keys alone, joined back to the rows.
    Window,
}

/// How an update or a delete of rows that a query chooses is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyedWrite {
    /// `WHERE key IN (SELECT key …)`.
    Subselect,
    /// By a join with the table of keys: a subselect cannot read the table that the statement writes.
    Join,
}

/// Whether rows can be locked that are only read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RowLocks {
    /// No.
    Unsupported,
    /// There is one writer at a time: a transaction for writing has all rows locked from its beginning, so there is nothing
    /// to write.
    OfWriters,
    /// `FOR UPDATE` locks the rows that were read.
    Rows {
        /// Whether rows that others have locked can be left out (`SKIP LOCKED`).
        skips: bool,
        /// Whether the statement can say of which of its tables (`OF users`). Otherwise it locks the rows of all that it joins.
        names_table: bool,
    },
}

/// How rows are inserted that may be there already, and given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Upsert {
    /// Not at all.
    Unsupported,
    /// `ON CONFLICT (…) DO UPDATE`: the unique index is named by its columns.
    NamedIndex,
    /// `ON DUPLICATE KEY UPDATE`: a conflict with any unique index is meant.
    AnyIndex,
}

/// Whether a value is added or subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sign {
    /// Added.
    Plus,
    /// Subtracted.
    Minus,
}

impl Default for Capabilities {
    /// A cautious database: standard SQL, nothing else.
    fn default() -> Self {
        Capabilities {
            insert_returning: false,
            update_returning: false,
            delete_returning: false,
            ascending_keys: false,
            inserts_as_given: false,
            cheap_transactions: false,
            max_binds: 999,
            insert_rows: 50,
            max_identifier: 63,
            free_snapshot: false,
            row_values: false,
            long_row_lists: true,
            reads_in_key_order: true,
            key_ranges: None,
            recursions: Recursions::LevelByLevel,
            per_owner_limit: PerOwnerLimit::Unsupported,
            row_locks: RowLocks::Unsupported,
            upsert: Upsert::Unsupported,
            keyed_write: KeyedWrite::Subselect,
            window_functions: false,
            null_order: NullOrder::Smallest,
            null_placement: NullPlacement::Condition,
            listed_text: false,
            sorted_length: None,
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
///
/// A dialect of a server with numbered placeholders, which takes the rest from the standard:
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
/// use assoc_core::dialect::{Capabilities, ColumnRole, Dialect};
/// use assoc_core::metadata::ColumnDef;
/// use assoc_core::sql::SqlWriter;
/// use assoc_core::{SqlType, Value, schema};
///
/// #[derive(Debug, Default)]
/// struct Numbered(Capabilities);
///
/// impl Dialect for Numbered {
///     fn name(&self) -> &'static str {
///         "Numbered"
///     }
///
///     fn capabilities(&self) -> &Capabilities {
///         &self.0
///     }
///
///     fn quote(&self, identifier: &str, sql: &mut String) {
///         sql.push_str(&format!("\"{}\"", identifier.replace('"', "\"\"")));
///     }
///
///     fn placeholder(&self, position: usize, sql: &mut String) {
///         sql.push_str(&format!("${position}"));
///     }
///
///     fn column_type(&self, column: &ColumnDef, _: ColumnRole) -> std::borrow::Cow<'static, str> {
///         if column.sql_type == SqlType::Text { "TEXT".into() } else { "BIGINT".into() }
///     }
/// }
///
/// let dialect = Numbered::default();
/// let table = schema::create_table(Comment::DEF, &dialect);
/// let columns = r#"("id" BIGINT PRIMARY KEY AUTO_INCREMENT, "post_id" BIGINT NOT NULL, "body" TEXT NOT NULL)"#;
/// assert_eq!(table[0].sql(), format!(r#"CREATE TABLE "comments" {columns}"#));
///
/// let mut writer = SqlWriter::new(&dialect);
/// writer.own_column("body");
/// dialect.write_like(&mut writer, &Value::from("%a%")).unwrap();
/// dialect.write_limit(&mut writer, Some(10), None);
/// assert_eq!(writer.finish().sql(), r#""body" LIKE $1 ESCAPE '\' LIMIT 10"#);
/// ```
///
/// What a dialect writes that overrides nothing, which a backend checks against its database method by method:
///
/// ```
#[doc = include_str!("../docs/blog.txt")]
#[doc = include_str!("../docs/dialect_defaults.txt")]
/// ```
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
    ///
    /// # Errors
    /// When the database would read the pattern as another one: a refused value, before anything is sent.
    fn write_like(&self, writer: &mut SqlWriter<'_>, pattern: &Value<'static>) -> Result<()> {
        writer.push(" LIKE ");
        writer.bind(pattern.clone());
        writer.push(" ESCAPE '\\'");
        Ok(())
    }

    /// How many keys of `width` columns one statement may carry as a [table](Dialect::write_key_table); more are sent in
    /// several.
    fn keys_per_statement(&self, width: usize) -> usize {
        // Room for a filter's binds, and for the padding to a power of two.
        let fitting = self.capabilities().max_binds / (width.max(1) + 1);
        (1 << fitting.max(1).ilog2()).min(1_024)
    }

    /// How many keys of `width` columns one statement may carry as a [condition](Dialect::write_key_filter).
    fn keys_per_condition(&self, width: usize) -> usize {
        self.keys_per_statement(width)
    }

    /// How many keys of `width` columns one statement can carry at all, for those that lose something in several: an order
    /// across keys. Lists are padded to a power of two, and a filter has binds as well.
    fn most_keys(&self, width: usize) -> usize {
        let binds = self.capabilities().max_binds;
        let fitting = (binds - (binds / 4).min(1_000)) / width.max(1);
        self.keys_per_statement(width).max(1 << fitting.max(1).ilog2())
    }

    /// Appends the condition that `columns` (already qualified where needed) hold one of the keys. The set is not
    /// empty and within [`keys_per_condition`](Dialect::keys_per_condition).
    fn write_key_filter(&self, writer: &mut SqlWriter<'_>, columns: &[&str], keys: &KeySet) {
        writer.padded_key_list(columns, keys, self.capabilities().row_values);
    }

    /// As [`write_key_filter`](Dialect::write_key_filter), for a look-up that reads the columns. Rows of which such a column
    /// holds no value of the keys' type may come as well, because reading them fails with an error that names the value.
    fn write_look_up_filter(&self, writer: &mut SqlWriter<'_>, columns: &[&str], keys: &KeySet) {
        self.write_key_filter(writer, columns, keys);
    }

    /// Appends a derived table named `keys` with one row per key. Its columns are `ordinal` (from 0) and `k0`, `k1`, ….
    /// The planner uses it where the database must decide which key a row belongs to.
    fn write_key_table(&self, writer: &mut SqlWriter<'_>, keys: &KeySet) {
        writer.union_key_table(keys);
    }

    /// As [`write_key_table`](Dialect::write_key_table), for keys that are compared with these columns of a table.
    /// Where a bound value has its own character set and collation, the keys take those of the columns.
    fn write_key_table_for(&self, writer: &mut SqlWriter<'_>, keys: &KeySet, table: &TableRef, columns: &[&str]) {
        let _ = (table, columns);
        self.write_key_table(writer, keys);
    }

    /// The join of a table of keys, on its left, with the rows that match them: the one that reads its left side first,
    /// unless the database chooses better by itself.
    fn ordered_join(&self) -> &'static str {
        "INNER JOIN"
    }

    /// The name of the type to which a signed integer of up to 64 bits is cast, in a [recursion](Recursions::AtOnce): both parts of
    /// a recursive statement have columns of one type.
    fn integer_cast(&self) -> &'static str {
        "BIGINT"
    }

    /// The text to write around columns and values of a type, so that the database compares the values they represent.
    /// `None` where the database's operators do that already, as they do for nearly every type.
    fn comparable(&self, column: SqlType) -> Option<Comparable> {
        let _ = column;
        None
    }

    /// What stands around the owner's column where a subquery compares it with the target's, so that the comparison is the
    /// one with a bound key.
    fn bound_like(&self) -> (&'static str, &'static str) {
        ("", "")
    }

    /// How a text column is compared exactly, where its collation may call different texts equal; `None` where `=` is
    /// exact for every column. Type tags (of polymorphic associations, and of models that share a table) are compared so,
    /// because what they say is decided in memory as well.
    fn exact_text(&self) -> Option<ExactText> {
        None
    }

    /// The SQL form of an aggregate of a column, or of an operand whose type is not known.
    fn aggregate(&self, function: AggregateFunction, column: Option<SqlType>) -> AggregateForm {
        let _ = column;
        AggregateForm::standard(function)
    }

    /// Whether this database considers two keys of such a column equal exactly when their bytes are.
    fn is_byte_comparable(&self, column: SqlType) -> bool {
        column.is_byte_comparable()
    }

    /// Whether a column surely returns a stored value in the same form. It may not if the column can have a lower
    /// precision, another scale or a fixed length. Then an update reads the row back where the database returns no
    /// updated rows, and the value does not identify inserted rows.
    ///
    /// This assumes that a database refuses values it cannot represent, as MySQL does in strict mode.
    fn keeps(&self, column: &ColumnDef, value: &Value<'_>) -> bool {
        match value {
            // Beyond this a column of single precision rounds.
            Value::Real(number) => number.fract() == 0.0 && number.abs() <= f64::from(1 << 24),
            // `CHAR(n)` and `BINARY(n)` lose, or gain, what stands at the end.
            Value::Text(text) => !text.ends_with(' '),
            Value::Blob(bytes) => column.length.is_some_and(|length| bytes.len() == length as usize),
            Value::Time(time) => time.micros == 0,
            Value::DateTime(at) => at.time.micros == 0,
            Value::Decimal(_) | Value::Json(_) => false,
            _ => true,
        }
    }

    /// Appends a value that was read from a column, so that it compares with the column as the column's values compare
    /// with each other in an order. A bind does that where it takes the column's type and collation.
    fn write_stored(&self, writer: &mut SqlWriter<'_>, value: &Value<'static>) {
        writer.bind(value.clone());
    }

    /// Appends the clause that locks the rows of a `SELECT`, which is written already: those of the table `of`, if it is given.
    fn write_row_lock(&self, writer: &mut SqlWriter<'_>, lock: RowLock, of: Option<&str>) {
        writer.push(match lock.strength {
            LockStrength::Update => " FOR UPDATE",
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

    /// What locks the rows of a subselect, in the order of the subselect, before they are updated. `None` if an `UPDATE` by a
    /// list of keys locks rows in the order of their keys by itself, or alone. Where it locks them as it finds them, two
    /// transactions that update the same rows could wait for one another.
    fn ordered_lock(&self) -> Option<&'static str> {
        None
    }

    /// Appends a column plus or minus a value: exactly, and in a form that fails where the sum does not fit the column.
    fn write_sum(&self, writer: &mut SqlWriter<'_>, column: &ColumnDef, sign: Sign, value: &Value<'static>) {
        writer.own_column(column.name);
        writer.push(match sign {
            Sign::Plus => " + ",
            Sign::Minus => " - ",
        });
        writer.compared_value(value);
    }

    /// A statement that reads the names of the columns of a unique index, one a row, where the database reports a violation
    /// by the name of the index alone.
    fn index_columns(&self, table: &TableRef, index: &str) -> Option<Statement> {
        let _ = (table, index);
        None
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
