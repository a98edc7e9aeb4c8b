//! SQL as this database wants it. What is not here is standard SQL, which the core writes.

use std::borrow::Cow;

use assoc_core::dialect::{
    AggregateForm, Capabilities, ColumnRole, Comparable, Dialect, ExactText, PerOwnerLimit, RowLocks, Sign, Upsert,
};
use assoc_core::metadata::{AggregateFunction, ColumnDef};
use assoc_core::sql::SqlWriter;
use assoc_core::{SqlType, Value};

#[derive(Debug)]
pub(crate) struct TemplateDialect(Capabilities);

impl TemplateDialect {
    pub(crate) fn new() -> Self {
        // The default lacks everything.
        let mut capabilities = Capabilities::default();
        capabilities.insert_returning = true;
        capabilities.update_returning = true;
        capabilities.delete_returning = true;
        capabilities.upsert = Upsert::NamedIndex;
        capabilities.ascending_keys = true;
        capabilities.inserts_as_given = true;
        capabilities.cheap_transactions = true;
        capabilities.free_snapshot = true;
        capabilities.max_binds = 32_766;
        capabilities.window_functions = true;
        capabilities.per_owner_limit = PerOwnerLimit::Window;
        capabilities.row_locks = RowLocks::OfWriters;
        TemplateDialect(capabilities)
    }
}

impl Dialect for TemplateDialect {
    fn name(&self) -> &'static str {
        "SQLite"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.0
    }

    fn quote(&self, identifier: &str, sql: &mut String) {
        sql.push('"');
        sql.push_str(&identifier.replace('"', "\"\""));
        sql.push('"');
    }

    fn column_type(&self, column: &ColumnDef, _: ColumnRole) -> Cow<'static, str> {
        Cow::Borrowed(match column.sql_type {
            SqlType::Bool | SqlType::Int(_) | SqlType::UInt(_) => "INTEGER",
            SqlType::Real(_) => "REAL",
            SqlType::Blob | SqlType::Uuid => "BLOB",
            // Text that a collation compares as numbers: see `numbers.rs`.
            SqlType::Decimal => "TEXT COLLATE decimal",
            _ => "TEXT",
        })
    }

    fn auto_increment(&self) -> &'static str {
        " PRIMARY KEY AUTOINCREMENT"
    }

    fn comparable(&self, column: SqlType) -> Option<Comparable> {
        (column == SqlType::Decimal).then_some(Comparable::by_function("", " COLLATE decimal"))
    }

    // Takes the affinity of a column off, which a bound key does not have.
    fn bound_like(&self) -> (&'static str, &'static str) {
        ("+", "")
    }

    // A column may be declared with a collation that ignores case.
    fn exact_text(&self) -> Option<ExactText> {
        Some(ExactText::new(("", ""), ("", " COLLATE BINARY")))
    }

    fn aggregate(&self, function: AggregateFunction, column: Option<SqlType>) -> AggregateForm {
        match (column, function) {
            (Some(SqlType::Decimal), AggregateFunction::Sum) => AggregateForm::of("decimal_sum"),
            (Some(SqlType::Decimal), AggregateFunction::Avg) => AggregateForm::of("decimal_avg"),
            _ => AggregateForm::standard(function),
        }
    }

    // An expression has at most 1,000 levels here, and a `UNION ALL` 500 parts.
    fn keys_per_statement(&self, _: usize) -> usize {
        256
    }

    fn most_keys(&self, _: usize) -> usize {
        256
    }

    // SQLite's `+` makes a float of a sum of integers that overflows, and an infinity of one of floats. Its columns hold integers of
    // any size, and floats of double precision only.
    fn write_sum(&self, writer: &mut SqlWriter<'_>, column: &ColumnDef, sign: Sign, value: &Value<'static>) {
        let of = |least: i64, most: i64| (least.to_string(), most.to_string());
        let (least, most) = match column.sql_type {
            SqlType::Int(bits) => of(i64::MIN >> (64 - bits.clamp(1, 64)), i64::MAX >> (64 - bits.clamp(1, 64))),
            SqlType::UInt(bits) => of(0, i64::MAX >> (63 - bits.clamp(1, 63))),
            SqlType::Real(32) => (format!("{:e}", f64::from(f32::MIN)), format!("{:e}", f64::from(f32::MAX))),
            SqlType::Real(_) => (format!("{:e}", f64::MIN), format!("{:e}", f64::MAX)),
            _ => of(i64::MIN, i64::MAX),
        };
        writer.push(if sign == Sign::Plus { "plus(" } else { "minus(" });
        writer.own_column(column.name);
        writer.push(", ");
        writer.bind(value.clone());
        writer.push(&format!(", {least}, {most})"));
    }
}
