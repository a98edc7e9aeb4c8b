//! The page of root rows of a query with joins, where joined rows repeat them.
//!
//! `LIMIT` counts rows, and a joined collection repeats the root's. So a derived table finds the keys of the page's
//! roots, each once, and a statement that needs their rows joins the root to it. The derived table joins only the
//! tables of the conditions and the order. If these repeat no root, it has a plain `LIMIT`. If the order names the root
//! (or single targets), it is `DISTINCT`. If the order names a collection, roots come in the order of their first row,
//! found by `ROW_NUMBER()`.

use super::SqlWriter;
use crate::error::{Error, Result};
use crate::metadata::expr::{Operand, OrderTerm};
use crate::metadata::model::ModelDef;
use crate::select::RootSelect;

/// The name of the derived table that holds a page's keys.
const PAGE: &str = "assoc_page";

impl RootSelect {
    /// Appends the derived table with the keys of the page's roots, each once. The query is one
    /// [of roots](Self::of_roots).
    pub(super) fn write_page(&self, writer: &mut SqlWriter<'_>) -> Result<()> {
        writer.push("(");
        let keys: Vec<&'static str> = self.model.primary_key_names().collect();
        self.begin(writer);
        let repeats = self.repeats_roots();
        let places = repeats && self.order.iter().any(|term| self.is_repeated(term));
        let dialect = writer.dialect();
        if !places {
            writer.push(if repeats { "SELECT DISTINCT " } else { "SELECT " });
            write_keys(writer, &keys);
            // `DISTINCT` sorts by what it selects only.
            let selected = |term: &OrderTerm| match &term.operand {
                Operand::Column(column) => column.path.is_empty() && keys.contains(&column.name),
                _ => false,
            };
            for (at, term) in self.order.iter().filter(|term| repeats && !selected(term)).enumerate() {
                writer.push(", ");
                writer.operand(&term.operand)?;
                writer.push(" AS ");
                writer.identifier(&format!("o{at}"));
            }
            writer.push(" FROM ");
            self.write_from(writer)?;
            writer.order_by(&self.order)?;
        } else {
            if !dialect.capabilities().window_functions {
                let what = "a limit on roots in the order of a joined collection: it needs window functions";
                return Err(Error::unsupported(dialect.name(), what));
            }
            let names = |writer: &mut SqlWriter<'_>| {
                writer.separated(", ", 0..keys.len(), |writer, at| writer.identifier(&format!("k{at}")));
            };
            writer.push("SELECT ");
            names(writer);
            writer.push(" FROM (SELECT ");
            write_keys(writer, &keys);
            writer.push(", ");
            writer.over("ROW_NUMBER()", &self.order)?;
            writer.push(" AS ");
            writer.identifier("place");
            writer.push(" FROM ");
            self.write_from(writer)?;
            writer.push(") AS ");
            writer.identifier("placed");
            writer.push(" GROUP BY ");
            names(writer);
            writer.push(" ORDER BY MIN(");
            writer.identifier("place");
            writer.push(")");
        }
        dialect.write_limit(writer, self.limit, self.offset);
        writer.push(") AS ");
        writer.identifier(PAGE);
        Ok(())
    }
}

impl SqlWriter<'_> {
    /// Appends `root ON root.id = assoc_page.k0`.
    pub(super) fn root_of_page(&mut self, root: &ModelDef) {
        self.table(&root.table);
        self.push(" ON ");
        self.separated(" AND ", root.primary_key_names().enumerate(), |writer, (at, name)| {
            writer.own_column(name);
            writer.push(" = ");
            writer.column_of(PAGE, &format!("k{at}"));
        });
    }
}

fn write_keys(writer: &mut SqlWriter<'_>, keys: &[&'static str]) {
    writer.separated(", ", keys.iter().enumerate(), |writer, (at, key)| {
        writer.own_column(key);
        writer.push(" AS ");
        writer.identifier(&format!("k{at}"));
    });
}
