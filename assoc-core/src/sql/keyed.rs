//! `SELECT` of the rows that belong to a set of keys: the statement behind every preload.
//!
//! It has two forms. Where keys compare by their bytes, one condition selects the rows, and they are grouped in memory
//! by the key they contain ([`Matching::ByValue`]). Where the database compares by other rules (collations, affinity),
//! the statement says which key each row matched: the keys become a table with an ordinal, the rows are joined to it,
//! and the ordinal is the first column of the answer ([`Matching::ByOrdinal`]). Byte grouping would lose `strase`,
//! which belongs to `Straße` for MariaDB.
//!
//! A limit per key has separate forms: `per_owner.rs`.

use super::SqlWriter;
use crate::column_type::SqlType;
use crate::dialect::{Dialect, PerOwnerLimit};
use crate::error::{Error, Result};
use crate::key::KeySet;
use crate::metadata::expr::{Direction, Operand, OrderTerm};
use crate::metadata::model::{ColumnDef, ModelDef};
use crate::select::{KeyedSelect, Matching, RowOrder};
use crate::statement::Statement;

impl KeyedSelect {
    /// How the answer's rows are assigned to keys on a database.
    #[must_use]
    pub fn matching(&self, dialect: &dyn Dialect) -> Matching {
        let by_value = lists_keys(dialect, self.columns.iter().map(|column| self.model.columns[*column].sql_type));
        // Groups are numbered in one pass over all owners' rows.
        let seeks = self.per_owner.is_some()
            && self.group.is_empty()
            && dialect.capabilities().per_owner_limit != PerOwnerLimit::Window;
        if by_value && !seeks { Matching::ByValue } else { Matching::ByOrdinal }
    }

    /// The statement for one chunk of keys.
    ///
    /// # Errors
    /// When the filter or order names a column the statement cannot reach, or the database cannot limit or group the rows
    /// of a key.
    pub fn statement(&self, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        if !self.group.is_empty() || !self.rank_groups.is_empty() {
            self.require_window_functions(dialect)?;
        }
        match self.per_owner {
            _ if !self.group.is_empty() => self.window(dialect, keys, self.per_owner),
            Some(per_owner) => self.limited_statement(dialect, keys, per_owner),
            None => {
                let matching = self.matching(dialect);
                let mut writer = self.unordered(dialect, keys, matching)?;
                self.write_needed_order(&mut writer, matching)?;
                writer.finish_within_limit()
            }
        }
    }

    /// The order within one key, where the statement leaves it and the grouping by key to the program, because the columns
    /// compare alike everywhere and the database would sort whole rows: those of a limit for each owner, and all on databases
    /// that do not [read in the order of the key](crate::dialect::Capabilities::reads_in_key_order).
    #[must_use]
    pub fn sorted_in_memory(&self, dialect: &dyn Dialect) -> Option<Vec<(usize, Direction)>> {
        let capabilities = dialect.capabilities();
        let sorts = match (self.per_owner, capabilities.per_owner_limit) {
            (None, _) => !capabilities.reads_in_key_order,
            (Some(_), PerOwnerLimit::CorrelatedSeek | PerOwnerLimit::Lateral) => true,
            (Some(_), PerOwnerLimit::Window | PerOwnerLimit::Unsupported) => false,
        };
        let is_grouped = !self.group.is_empty() || !self.rank_groups.is_empty();
        let memory = sorts && self.row_order == RowOrder::ByKey && !is_grouped;
        memory.then(|| self.order_in_memory()).flatten().filter(|columns| !columns.is_empty())
    }

    /// Where a row of the answer has its key, if the statement may ask for other keys as well. They must bring few rows, so the key is
    /// the primary key. Nothing may look at their rows but who reads them, so there is no condition, which might fail on them.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::select::KeyedSelect;
    ///
    /// let dialect = StandardSql::default();
    /// assert_eq!(KeyedSelect::new(Post::DEF, Post::PRIMARY_KEY).place_of_key(&dialect), Some(0));
    /// // By another key there may be any number of rows.
    /// assert_eq!(KeyedSelect::new(Post::DEF, &[1]).place_of_key(&dialect), None);
    /// ```
    #[must_use]
    pub fn place_of_key(&self, dialect: &dyn Dialect) -> Option<usize> {
        let [column] = self.columns else { return None };
        let is_unique = self.columns == self.model.primary_key;
        let is_plain = self.per_owner.is_none() && self.group.is_empty() && self.rank_groups.is_empty();
        if !is_unique || !is_plain || !self.filter.is_always() || self.matching(dialect) != Matching::ByValue {
            return None;
        }
        match (&self.only, &self.selected) {
            (Some(only), _) => only.iter().position(|at| at == column),
            (None, Some(selected)) => selected.contains(column).then_some(*column),
            (None, None) => Some(*column),
        }
    }

    /// How many keys of a chunk a statement may carry.
    #[must_use]
    pub fn keys_per_statement(&self, dialect: &dyn Dialect) -> usize {
        match self.matching(dialect) {
            Matching::ByValue => dialect.keys_per_condition(self.columns.len()),
            Matching::ByOrdinal => dialect.keys_per_statement(self.columns.len()),
        }
    }

    /// The statement for one chunk of keys, without an ordinal whatever the keys are: for callers that know that the
    /// keys are stored exactly so.
    ///
    /// # Errors
    /// As [`statement`](Self::statement).
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::driver::KeySet;
    /// use assoc_core::select::{KeyedSelect, Matching, PerOwner};
    /// # use assoc_core::dialect::PerOwnerLimit;
    ///
    /// let mut dialect = StandardSql::default();
    /// # dialect.0.per_owner_limit = PerOwnerLimit::Lateral;
    /// let per_owner = Some(PerOwner { limit: Some(1), offset: 0 });
    /// let select = KeyedSelect { per_owner, ..KeyedSelect::new(Tag::DEF, Tag::PRIMARY_KEY) };
    /// assert_eq!(select.matching(&dialect), Matching::ByOrdinal);
    /// let statement = select.statement_by_value(&dialect, &KeySet::Ints([7].into()))?;
    /// assert_eq!(statement.sql(), "SELECT id, name FROM tags WHERE id IN (?)");
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn statement_by_value(&self, dialect: &dyn Dialect, keys: &KeySet) -> Result<Statement> {
        let mut writer = self.unordered(dialect, keys, Matching::ByValue)?;
        self.write_order(&mut writer, Matching::ByValue)?;
        writer.finish_within_limit()
    }

    fn unordered<'d>(&self, dialect: &'d dyn Dialect, keys: &KeySet, matching: Matching) -> Result<SqlWriter<'d>> {
        let mut writer = SqlWriter::new(dialect);
        let names = self.key_names();
        match matching {
            Matching::ByValue => {
                writer.push("SELECT ");
                self.write_columns(&mut writer);
                writer.push(" FROM ");
                writer.table(&self.model.table);
                writer.push(" WHERE ");
                dialect.write_look_up_filter(&mut writer, &names, keys);
                writer.and_condition(&self.filter)?;
            }
            Matching::ByOrdinal => {
                writer.qualify(self.model.table.name);
                self.write_ordinal_and_columns(&mut writer);
                self.write_key_table(&mut writer, keys);
                writer.ordered_join();
                writer.table(&self.model.table);
                writer.push(" ON ");
                self.write_key_match(&mut writer);
                writer.where_clause(&self.filter)?;
            }
        }
        Ok(writer)
    }

    pub(super) fn key_names(&self) -> Vec<&'static str> {
        self.columns.iter().map(|column| self.model.columns[*column].name).collect()
    }

    fn require_window_functions(&self, dialect: &dyn Dialect) -> Result<()> {
        if dialect.capabilities().window_functions {
            return Ok(());
        }
        let what = format!("`group_by` on an association (of {}): it needs window functions", self.model.name);
        Err(Error::unsupported(dialect.name(), what))
    }

    pub(super) fn write_columns(&self, writer: &mut SqlWriter<'_>) {
        if !self.rank_groups.is_empty() {
            writer.push("DENSE_RANK() OVER (ORDER BY ");
            writer.separated(", ", &self.rank_groups, |writer, at| writer.comparable_column(&self.model.columns[*at]));
            writer.push("), ");
        }
        match (&self.only, &self.selected) {
            (None, None) => writer.columns(self.model),
            (Some(only), _) => {
                writer.separated(", ", only, |writer, at| writer.own_column(self.model.columns[*at].name));
            }
            (None, Some(selected)) => {
                writer.separated(", ", self.model.columns.iter().enumerate(), |writer, (at, column)| {
                    if selected.contains(&at) {
                        writer.own_column(column.name);
                    } else {
                        writer.push("NULL");
                    }
                });
            }
        }
    }

    // `SELECT "keys"."ordinal", … FROM `
    pub(super) fn write_ordinal_and_columns(&self, writer: &mut SqlWriter<'_>) {
        writer.push("SELECT ");
        key_column(writer, "ordinal");
        writer.push(", ");
        self.write_columns(writer);
        writer.push(" FROM ");
    }

    pub(super) fn write_key_table(&self, writer: &mut SqlWriter<'_>, keys: &KeySet) {
        let dialect = writer.dialect();
        dialect.write_key_table_for(writer, keys, &self.model.table, &self.key_names());
    }

    // `fk = "keys"."k0" AND …`, the columns qualified as the writer says.
    pub(super) fn write_key_match(&self, writer: &mut SqlWriter<'_>) {
        write_key_match(writer, self.model, self.columns);
    }

    // The order of the rows, unless they are sorted in memory.
    pub(super) fn write_needed_order(&self, writer: &mut SqlWriter<'_>, matching: Matching) -> Result<()> {
        match self.sorted_in_memory(writer.dialect()) {
            Some(_) => Ok(()),
            None => self.write_order(writer, matching),
        }
    }

    pub(super) fn write_order(&self, writer: &mut SqlWriter<'_>, matching: Matching) -> Result<()> {
        match (self.row_order, matching) {
            (RowOrder::Any, _) => Ok(()),
            (RowOrder::GloballyOrdered, _) => writer.order_by(&self.total_order()),
            (RowOrder::ByKey, Matching::ByValue) => {
                let keys = self.columns.iter().map(|column| &self.model.columns[*column]);
                let mut order: Vec<OrderTerm> = keys.map(ascending).collect();
                order.extend(self.total_order());
                writer.order_by(&order)
            }
            (RowOrder::ByKey, Matching::ByOrdinal) => {
                writer.push(" ORDER BY ");
                key_column(writer, "ordinal");
                for term in &self.total_order() {
                    writer.push(", ");
                    writer.order_term(term)?;
                }
                Ok(())
            }
        }
    }
}

/// Whether keys of such columns are written as a list: the bytes of a key identify its rows, and the database plans
/// such a list well.
pub(super) fn lists_keys(dialect: &dyn Dialect, mut columns: impl ExactSizeIterator<Item = SqlType>) -> bool {
    (columns.len() <= 1 || dialect.capabilities().long_row_lists)
        && columns.all(|column| dialect.is_byte_comparable(column))
}

// `fk = "keys"."k0" AND …`, the columns of a model qualified as the writer says.
pub(super) fn write_key_match(writer: &mut SqlWriter<'_>, model: &ModelDef, columns: &[usize]) {
    writer.separated(" AND ", columns.iter().enumerate(), |writer, (part, column)| {
        write_match(writer, &model.columns[*column], |writer| key_column(writer, &format!("k{part}")));
    });
}

// `fk = key`, the column qualified as the writer says.
pub(super) fn write_match(writer: &mut SqlWriter<'_>, column: &ColumnDef, key: impl Fn(&mut SqlWriter<'_>)) {
    writer.columns_equal(column.sql_type, |writer| writer.own_column(column.name), key);
}

pub(super) fn key_column(writer: &mut SqlWriter<'_>, name: &str) {
    writer.column_of("keys", name);
}

fn ascending(column: &ColumnDef) -> OrderTerm {
    OrderTerm::new(Operand::Column(column.column_ref()), Direction::Asc)
}
