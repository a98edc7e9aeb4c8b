//! Rules that the database checks, by its constraints.

use std::borrow::Cow;

use super::Rules;
use crate::metadata::model::Model;
use crate::metadata::rules::Check;
use crate::typed::association::Association;
use crate::typed::column::{Column, ColumnList};

impl<M: Model> Rules<M> {
    /// No other row has the same value, or the same values of several columns. The table's unique index checks it, never a
    /// query: when the database refuses a row by the index over these columns, the save fails with this problem, at the
    /// first column.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// let rules = Rules::new().unique(User::EMAIL).message("belongs to another user");
    /// # assert!(has(rules, "Unique"));
    /// ```
    pub fn unique(self, columns: impl ColumnList<M>) -> Self {
        self.with(columns.indexes(), Check::Unique { index: None })
    }

    /// As [`unique`](Self::unique), for an index that the database reports by this name: one over expressions, for
    /// instance.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// // CREATE UNIQUE INDEX users_email ON users (LOWER(email))
    /// let rules = Rules::new().unique_index("users_email", User::EMAIL);
    /// # assert!(has(rules, "users_email"));
    /// ```
    pub fn unique_index(self, name: impl Into<Cow<'static, str>>, columns: impl ColumnList<M>) -> Self {
        self.with(columns.indexes(), Check::Unique { index: Some(name.into()) })
    }

    /// The row that a `belongs_to` leads to exists. The table's foreign key checks it: when the database refuses a row by
    /// it, the save fails with this problem, at the association.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// let rules = Rules::new().exists(User::TEAM).message("is no team of this league");
    /// # assert!(has(rules, "Exists"));
    /// ```
    pub fn exists<T, H>(self, association: Association<M, T, H>) -> Self {
        self.with(Vec::new(), Check::Exists { association: association.def() })
    }

    /// The value satisfies a CHECK constraint of the table, which has this name: when the database refuses a row by it, the
    /// save fails with this problem, at the column.
    ///
    /// ```
    #[doc = include_str!("../../../docs/rules.txt")]
    /// // CONSTRAINT plausible_age CHECK (age < 130)
    /// let rules = Rules::new().check("plausible_age", User::AGE);
    /// # assert!(has(rules, "plausible_age"));
    /// ```
    pub fn check<V>(self, name: impl Into<Cow<'static, str>>, column: Column<M, V>) -> Self {
        self.with(vec![column.index()], Check::Database { name: name.into() })
    }
}
