//! The SQL around values where a database's operators do not compare the values they represent.
//!
//! SQLite compares a decimal in a text column as text. MariaDB compares a decimal column with bound texts as floats, as
//! soon as there is more than one text. A dialect says what to write around columns and values, and every comparison,
//! order and group of the core uses it.

use std::fmt::Debug;

use crate::metadata::expr::AggregateFunction;

/// What stands around columns and values of a type, so that the database compares what they stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparable {
    column: (&'static str, &'static str),
    value: (&'static str, &'static str),
    index: Option<(&'static str, &'static str)>,
}

impl Comparable {
    /// Values are written with this text before and behind their placeholder; columns as they are.
    #[must_use]
    pub const fn by_value(before: &'static str, behind: &'static str) -> Self {
        Comparable { column: ("", ""), value: (before, behind), index: None }
    }

    /// Columns and values are written with this text before and behind them.
    #[must_use]
    pub const fn by_function(before: &'static str, behind: &'static str) -> Self {
        Comparable { column: (before, behind), value: (before, behind), index: None }
    }

    /// Columns are written with one text before and behind them, and values with another one.
    #[must_use]
    pub const fn by_forms(column: (&'static str, &'static str), value: (&'static str, &'static str)) -> Self {
        Comparable { column, value, index: None }
    }

    /// An index cannot be on the column in that form, but on the column with this text before and behind it: an
    /// expression that is a float near the number (by a part of [`ROUGHLY`](crate::value::decimal::ROUGHLY) at most), and
    /// never falls where the number rises. Conditions and orders are written with both.
    #[must_use]
    pub const fn with_index(mut self, before: &'static str, behind: &'static str) -> Self {
        self.index = Some((before, behind));
        self
    }

    /// The SQL before and after a column.
    #[must_use]
    pub const fn column(self) -> (&'static str, &'static str) {
        self.column
    }

    /// What stands around a placeholder.
    #[must_use]
    pub const fn value(self) -> (&'static str, &'static str) {
        self.value
    }

    /// What stands around a column in an index, if that is something else than the column.
    #[must_use]
    pub const fn index(self) -> Option<(&'static str, &'static str)> {
        self.index
    }

    /// Whether columns are written without anything around them.
    #[must_use]
    pub const fn leaves_columns(self) -> bool {
        self.column.0.is_empty() && self.column.1.is_empty()
    }
}

/// What stands around a text column and a value for a database to compare them character by character, whatever the
/// column's collation calls equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExactText {
    around: [(&'static str, &'static str); 2],
    needs_equality: bool,
}

impl ExactText {
    /// Text before and behind the column, and before and behind the value.
    #[must_use]
    pub const fn new(column: (&'static str, &'static str), value: (&'static str, &'static str)) -> Self {
        ExactText { around: [column, value], needs_equality: false }
    }

    /// No index serves that form, so the plain comparison is written beside it.
    #[must_use]
    pub const fn beside_equality(mut self) -> Self {
        self.needs_equality = true;
        self
    }

    /// What stands around the column, and around the value.
    #[must_use]
    pub const fn around(self) -> [(&'static str, &'static str); 2] {
        self.around
    }

    /// Whether the plain comparison is written as well.
    #[must_use]
    pub const fn needs_equality(self) -> bool {
        self.needs_equality
    }
}

/// How an aggregate of a column is written: `AVG(CAST(` column ` AS DOUBLE))`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AggregateForm {
    /// The function's name.
    pub function: &'static str,
    /// What stands around the column.
    pub column: (&'static str, &'static str),
}

impl AggregateForm {
    /// A function of the column as it is.
    #[must_use]
    pub const fn of(function: &'static str) -> Self {
        AggregateForm { function, column: ("", "") }
    }

    /// The standard function.
    #[must_use]
    pub const fn standard(function: AggregateFunction) -> Self {
        AggregateForm::of(function.sql())
    }

    /// The same with this text before and behind the column.
    #[must_use]
    pub const fn around(mut self, before: &'static str, behind: &'static str) -> Self {
        self.column = (before, behind);
        self
    }
}
