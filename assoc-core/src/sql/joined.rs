//! The text of a [`JoinedSelect`]: one statement for the root's rows and those of joined associations.

use super::SqlWriter;
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::select::{JoinedSelect, LoadedTable};
use crate::statement::Statement;

impl JoinedSelect {
    /// The statement.
    ///
    /// # Errors
    /// When a condition or order names a column the statement cannot reach, raw SQL is inconsistent, or a page or
    /// an order needs what the database lacks.
    pub fn statement(&self, dialect: &dyn Dialect) -> Result<Statement> {
        if !self.selected_ranks.is_empty() && !dialect.capabilities().window_functions {
            let what = "loading by a join an association whose order is not by integers: it needs window functions";
            return Err(Error::unsupported(dialect.name(), what));
        }
        let mut writer = SqlWriter::new(dialect);
        let select = &self.select;
        select.begin(&mut writer);
        writer.push("SELECT ");
        for (at, loaded) in self.tables().iter().enumerate() {
            for (column, of) in loaded.columns.iter().enumerate() {
                if at + column > 0 {
                    writer.push(", ");
                }
                writer.column_of(self.name_of(loaded), loaded.model.columns[*of].name);
                writer.push(" AS ");
                writer.identifier(&format!("t{at}_r{column}"));
            }
        }
        for (at, (table, order)) in self.selected_ranks.iter().enumerate() {
            writer.push(", ");
            match table {
                Some(table) => {
                    let name = &select.joins.tables()[*table].name;
                    writer.within(name, |writer| writer.over("DENSE_RANK()", order))?;
                }
                None => writer.over("DENSE_RANK()", order)?,
            }
            writer.push(" AS ");
            writer.identifier(&format!("rank_{at}"));
        }
        select.write_carried(&mut writer)?;
        writer.push(" FROM ");
        let counted = select.limit.is_some() || select.offset.is_some();
        if counted && select.repeats_roots() {
            select.of_roots().write_page(&mut writer)?;
            writer.push(" INNER JOIN ");
            // The statement of the page used other names.
            select.begin(&mut writer);
            let root = select.model;
            writer.root_of_page(root);
            writer.joins(root, &select.joins)?;
            select.write_conditions(&mut writer)?;
            writer.order_by(&select.order)?;
        } else {
            select.write_from(&mut writer)?;
            writer.order_by(&select.order)?;
            dialect.write_limit(&mut writer, select.limit, select.offset);
        }
        writer.finish_within_limit()
    }

    fn name_of(&self, loaded: &LoadedTable) -> &str {
        match loaded.table {
            None => self.select.model.table.name,
            Some(table) => &self.select.joins.tables()[table].name,
        }
    }
}
