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
    ///
    /// ```
    /// use assoc_core::dialect::Comparable;
    ///
    /// let decimals = Comparable::by_value("CAST(", " AS DECIMAL(65, 30))");
    /// assert!(decimals.leaves_columns());
    /// ```
    #[must_use]
    pub const fn by_value(before: &'static str, behind: &'static str) -> Self {
        Comparable { column: ("", ""), value: (before, behind), index: None }
    }

    /// Columns and values are written with this text before and behind them.
    ///
    /// ```
    /// use assoc_core::dialect::Comparable;
    ///
    /// let decimals = Comparable::by_function("decimal_key(", ")");
    /// assert_eq!(decimals.column(), decimals.value());
    /// ```
    #[must_use]
    pub const fn by_function(before: &'static str, behind: &'static str) -> Self {
        Comparable { column: (before, behind), value: (before, behind), index: None }
    }

    /// Columns are written with one text before and behind them, and values with another one.
    ///
    /// ```
    /// use assoc_core::dialect::Comparable;
    ///
    /// let form = Comparable::by_forms(("HEX(", ")"), ("", ""));
    /// assert_eq!(form.column(), ("HEX(", ")"));
    /// ```
    #[must_use]
    pub const fn by_forms(column: (&'static str, &'static str), value: (&'static str, &'static str)) -> Self {
        Comparable { column, value, index: None }
    }

    /// An index cannot be on the column in that form, but on the column with this text before and behind it: an
    /// expression that is a float near the number (by a part of [`ROUGHLY`](crate::value::decimal::ROUGHLY) at most), and
    /// never falls where the number rises. Conditions and orders are written with both.
    ///
    /// ```
    /// use assoc_core::dialect::Comparable;
    ///
    /// let decimals = Comparable::by_function("decimal_key(", ")").with_index("CAST(", " AS REAL)");
    /// assert_eq!(decimals.index(), Some(("CAST(", " AS REAL)")));
    /// ```
    #[must_use]
    pub const fn with_index(mut self, before: &'static str, behind: &'static str) -> Self {
        self.index = Some((before, behind));
        self
    }

    /// The SQL before and after a column.
    ///
    /// ```
    /// use assoc_core::dialect::Comparable;
    ///
    /// assert_eq!(Comparable::by_value("CAST(", " AS DATE)").column(), ("", ""));
    /// ```
    #[must_use]
    pub const fn column(self) -> (&'static str, &'static str) {
        self.column
    }

    /// What stands around a placeholder.
    ///
    /// ```
    /// use assoc_core::dialect::Comparable;
    ///
    /// assert_eq!(Comparable::by_value("CAST(", " AS DATE)").value(), ("CAST(", " AS DATE)"));
    /// ```
    #[must_use]
    pub const fn value(self) -> (&'static str, &'static str) {
        self.value
    }

    /// What stands around a column in an index, if that is something else than the column.
    ///
    /// ```
    /// use assoc_core::dialect::Comparable;
    ///
    /// assert_eq!(Comparable::by_value("CAST(", " AS DATE)").index(), None);
    /// ```
    #[must_use]
    pub const fn index(self) -> Option<(&'static str, &'static str)> {
        self.index
    }

    /// Whether columns are written without anything around them.
    ///
    /// ```
    /// use assoc_core::dialect::Comparable;
    ///
    /// assert!(!Comparable::by_function("decimal_key(", ")").leaves_columns());
    /// ```
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
    ///
    /// ```
    /// use assoc_core::dialect::ExactText;
    ///
    /// let exact = ExactText::new(("", " COLLATE BINARY"), ("", ""));
    /// assert!(!exact.needs_equality());
    /// ```
    #[must_use]
    pub const fn new(column: (&'static str, &'static str), value: (&'static str, &'static str)) -> Self {
        ExactText { around: [column, value], needs_equality: false }
    }

    /// No index serves that form, so the plain comparison is written beside it.
    ///
    /// ```
    /// use assoc_core::dialect::ExactText;
    ///
    /// let exact = ExactText::new(("BINARY ", ""), ("", "")).beside_equality();
    /// assert!(exact.needs_equality());
    /// ```
    #[must_use]
    pub const fn beside_equality(mut self) -> Self {
        self.needs_equality = true;
        self
    }

    /// What stands around the column, and around the value.
    ///
    /// ```
    /// use assoc_core::dialect::ExactText;
    ///
    /// let exact = ExactText::new(("BINARY ", ""), ("", ""));
    /// assert_eq!(exact.around(), [("BINARY ", ""), ("", "")]);
    /// ```
    #[must_use]
    pub const fn around(self) -> [(&'static str, &'static str); 2] {
        self.around
    }

    /// Whether the plain comparison is written as well.
    ///
    /// ```
    /// use assoc_core::dialect::ExactText;
    ///
    /// assert!(!ExactText::new(("BINARY ", ""), ("", "")).needs_equality());
    /// ```
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
    ///
    /// ```
    /// use assoc_core::dialect::AggregateForm;
    ///
    /// assert_eq!(AggregateForm::of("AVG").function, "AVG");
    /// ```
    #[must_use]
    pub const fn of(function: &'static str) -> Self {
        AggregateForm { function, column: ("", "") }
    }

    /// The standard function.
    ///
    /// ```
    /// use assoc_core::dialect::AggregateForm;
    /// use assoc_core::metadata::AggregateFunction;
    ///
    /// assert_eq!(AggregateForm::standard(AggregateFunction::Sum), AggregateForm::of("SUM"));
    /// ```
    #[must_use]
    pub const fn standard(function: AggregateFunction) -> Self {
        AggregateForm::of(function.sql())
    }

    /// The same with this text before and behind the column.
    ///
    /// ```
    /// use assoc_core::dialect::AggregateForm;
    ///
    /// let form = AggregateForm::of("AVG").around("CAST(", " AS DOUBLE)");
    /// assert_eq!(form.column, ("CAST(", " AS DOUBLE)"));
    /// ```
    #[must_use]
    pub const fn around(mut self, before: &'static str, behind: &'static str) -> Self {
        self.column = (before, behind);
        self
    }
}
