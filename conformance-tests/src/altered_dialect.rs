//! A dialect that passes on what another one writes, with other capabilities and perhaps a planted fault.

use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;

use assoc_core::dialect::{AggregateForm, ColumnRole, Comparable, ExactText, Sign};
use assoc_core::driver::{Capabilities, Dialect, Driver, KeySet, Statement};
use assoc_core::metadata::{AggregateFunction, ColumnDef, TableRef};
use assoc_core::select::RowLock;
use assoc_core::sql::{RawSyntax, SqlWriter};
use assoc_core::{Result, SqlType, Value};

use crate::planted::Fault;

struct Inner(Arc<dyn Driver>);

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.dialect().fmt(f)
    }
}

// Without row values each key of several columns is an alternative, and SQLite takes fewer than 1,000 in a condition.
const MOST_ALTERNATIVES: usize = 512;

/// Another dialect with other capabilities, and perhaps with a fault. What these capabilities decide is written as they say.
#[derive(Debug)]
pub(crate) struct AlteredDialect {
    driver: Inner,
    capabilities: Capabilities,
    fault: Option<Fault>,
}

impl AlteredDialect {
    pub(crate) fn new(driver: Arc<dyn Driver>, capabilities: Capabilities, fault: Option<Fault>) -> Self {
        AlteredDialect { driver: Inner(driver), capabilities, fault }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn inner(&self) -> &dyn Dialect {
        self.driver.0.dialect()
    }

    // Whether keys of several columns cannot be written as the other dialect writes them.
    fn splits_rows(&self, keys: &KeySet) -> bool {
        keys.width() > 1 && (!self.capabilities.row_values || self.is_short_of_binds())
    }

    fn is_short_of_binds(&self) -> bool {
        self.capabilities.max_binds < self.inner().capabilities().max_binds
    }
}

impl Dialect for AlteredDialect {
    fn name(&self) -> &'static str {
        self.inner().name()
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn quote(&self, identifier: &str, sql: &mut String) {
        match self.fault {
            Some(Fault::DoublesNoQuotes) => {
                let mut quoted = String::new();
                self.inner().quote("", &mut quoted);
                let (before, behind) = quoted.split_at(quoted.len() / 2);
                let _ = write!(sql, "{before}{identifier}{behind}");
            }
            Some(Fault::QuotesNothing) => sql.push_str(identifier),
            Some(Fault::CutsIdentifiers) => {
                self.inner().quote(&identifier.chars().take(20).collect::<String>(), sql);
            }
            _ => self.inner().quote(identifier, sql),
        }
    }

    fn placeholder(&self, position: usize, sql: &mut String) {
        self.inner().placeholder(position, sql);
    }

    fn column_type(&self, column: &ColumnDef, role: ColumnRole) -> Cow<'static, str> {
        self.inner().column_type(column, role)
    }

    fn auto_increment(&self) -> &'static str {
        self.inner().auto_increment()
    }

    fn integer_cast(&self) -> &'static str {
        self.inner().integer_cast()
    }

    fn table_suffix(&self) -> &'static str {
        self.inner().table_suffix()
    }

    fn insert_defaults(&self) -> &'static str {
        if self.has(Fault::InsertsNoDefaults) { " () VALUES ()" } else { self.inner().insert_defaults() }
    }

    fn write_limit(&self, writer: &mut SqlWriter<'_>, limit: Option<u64>, offset: Option<u64>) {
        match self.fault {
            Some(Fault::SwapsLimitAndOffset) if limit.is_some() && offset.is_some() => {
                self.inner().write_limit(writer, offset, limit);
            }
            Some(Fault::IgnoresLimits) => self.inner().write_limit(writer, None, offset),
            Some(Fault::IgnoresOffsets) => self.inner().write_limit(writer, limit, None),
            _ => self.inner().write_limit(writer, limit, offset),
        }
    }

    fn write_like(&self, writer: &mut SqlWriter<'_>, pattern: &Value<'static>) -> Result<()> {
        if self.has(Fault::EscapesNoPatterns) {
            writer.push(" LIKE ");
            writer.bind(pattern.clone());
            return Ok(());
        }
        self.inner().write_like(writer, pattern)
    }

    fn keys_per_statement(&self, width: usize) -> usize {
        let mut own = if self.is_short_of_binds() {
            let fitting = self.capabilities.max_binds / (width.max(1) + 1);
            1 << fitting.max(1).ilog2()
        } else {
            usize::MAX
        };
        if width > 1 && !self.capabilities.row_values {
            own = own.min(MOST_ALTERNATIVES);
        }
        own.min(self.inner().keys_per_statement(width))
    }

    fn keys_per_condition(&self, width: usize) -> usize {
        self.keys_per_statement(width).min(self.inner().keys_per_condition(width))
    }

    fn most_keys(&self, width: usize) -> usize {
        if self.is_short_of_binds() || (width > 1 && !self.capabilities.row_values) {
            return self.keys_per_statement(width);
        }
        self.inner().most_keys(width)
    }

    fn write_key_filter(&self, writer: &mut SqlWriter<'_>, columns: &[&str], keys: &KeySet) {
        if self.splits_rows(keys) {
            writer.padded_key_list(columns, keys, self.capabilities.row_values);
        } else {
            self.inner().write_key_filter(writer, columns, keys);
        }
    }

    fn write_look_up_filter(&self, writer: &mut SqlWriter<'_>, columns: &[&str], keys: &KeySet) {
        if self.splits_rows(keys) {
            return self.write_key_filter(writer, columns, keys);
        }
        let ranges = self.capabilities.key_ranges;
        if ranges == self.inner().capabilities().key_ranges {
            return self.inner().write_look_up_filter(writer, columns, keys);
        }
        match (columns, ranges.and_then(|ranges| ranges.range(keys))) {
            ([column], Some((first, last))) => writer.integer_range(column, first, last),
            _ => self.write_key_filter(writer, columns, keys),
        }
    }

    fn write_key_table(&self, writer: &mut SqlWriter<'_>, keys: &KeySet) {
        if self.has(Fault::CountsOrdinalsFromOne) {
            writer.push("(SELECT ordinal + 1 AS ordinal");
            for part in 0..keys.width() {
                writer.push(&format!(", k{part}"));
            }
            writer.push(" FROM ");
            self.inner().write_key_table(writer, keys);
            return writer.push(") AS keys");
        }
        self.inner().write_key_table(writer, keys);
    }

    fn write_key_table_for(&self, writer: &mut SqlWriter<'_>, keys: &KeySet, table: &TableRef, columns: &[&str]) {
        if self.has(Fault::CountsOrdinalsFromOne) {
            return self.write_key_table(writer, keys);
        }
        self.inner().write_key_table_for(writer, keys, table, columns);
    }

    fn ordered_join(&self) -> &'static str {
        self.inner().ordered_join()
    }

    fn comparable(&self, column: SqlType) -> Option<Comparable> {
        if self.has(Fault::ComparesDecimalsAsStored) { None } else { self.inner().comparable(column) }
    }

    fn bound_like(&self) -> (&'static str, &'static str) {
        if self.has(Fault::ComparesOwnersByAffinity) { ("", "") } else { self.inner().bound_like() }
    }

    fn exact_text(&self) -> Option<ExactText> {
        if self.has(Fault::ComparesTagsByCollation) { None } else { self.inner().exact_text() }
    }

    fn aggregate(&self, function: AggregateFunction, column: Option<SqlType>) -> AggregateForm {
        if self.has(Fault::AggregatesEverythingAlike) {
            return AggregateForm::standard(function);
        }
        self.inner().aggregate(function, column)
    }

    fn is_byte_comparable(&self, column: SqlType) -> bool {
        self.has(Fault::ClaimsByteComparableTexts) || self.inner().is_byte_comparable(column)
    }

    fn keeps(&self, column: &ColumnDef, value: &Value<'_>) -> bool {
        self.has(Fault::ClaimsToKeepEverything) || self.inner().keeps(column, value)
    }

    fn write_stored(&self, writer: &mut SqlWriter<'_>, value: &Value<'static>) {
        if self.has(Fault::WritesStoredValuesAsText) {
            return writer.bind(value.clone());
        }
        self.inner().write_stored(writer, value);
    }

    fn write_row_lock(&self, writer: &mut SqlWriter<'_>, lock: RowLock, of: Option<&str>) {
        if !self.has(Fault::LocksNoRows) {
            self.inner().write_row_lock(writer, lock, of);
        }
    }

    fn ordered_lock(&self) -> Option<&'static str> {
        self.inner().ordered_lock()
    }

    fn write_sum(&self, writer: &mut SqlWriter<'_>, column: &ColumnDef, sign: Sign, value: &Value<'static>) {
        let sign = match (self.fault, sign) {
            (Some(Fault::AddsWhatIsTakenAway), _) => Sign::Plus,
            (_, sign) => sign,
        };
        self.inner().write_sum(writer, column, sign, value);
    }

    fn index_columns(&self, table: &TableRef, index: &str) -> Option<Statement> {
        if self.has(Fault::NamesNoIndexColumns) { None } else { self.inner().index_columns(table, index) }
    }

    fn raw_syntax(&self) -> RawSyntax {
        if self.has(Fault::ReadsRawSqlAsStandard) { RawSyntax::default() } else { self.inner().raw_syntax() }
    }

    fn write_in_list(&self, writer: &mut SqlWriter<'_>, values: &[Value<'static>]) {
        let values = match self.fault {
            Some(Fault::CutsListsOfValues) if values.len() > 1 => &values[..values.len() - 1],
            _ => values,
        };
        self.inner().write_in_list(writer, values);
    }
}
