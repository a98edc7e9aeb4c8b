//! `JOIN … ON …`, and the names of joined columns.

use super::SqlWriter;
use crate::error::{ErrorKind, Result};
use crate::joins::{JoinKind, JoinedTable, Joins};
use crate::metadata::association::AssociationDef;
use crate::metadata::expr::{Expr, OrderTerm};
use crate::metadata::model::ModelDef;

/// The names of joined tables by path, and from where paths are seen.
#[derive(Debug, Default)]
pub(super) struct JoinedNames {
    names: Vec<(Vec<&'static str>, String)>,
    pub(super) prefix: Vec<&'static str>,
    // The model of the query.
    pub(super) root: Option<&'static ModelDef>,
    model: &'static str,
}

impl SqlWriter<'_> {
    /// Columns of these joins can be named from now on.
    pub(super) fn begin_joins(&mut self, model: &'static ModelDef, joins: &Joins) {
        let name_of = |table: usize| joins.tables()[table].name.clone();
        self.joined = JoinedNames {
            names: joins.paths().map(|(path, table)| (path.to_vec(), name_of(table))).collect(),
            prefix: Vec::new(),
            root: Some(model),
            model: model.name,
        };
    }

    /// The name of a path's table.
    pub(super) fn joined_name(&self, path: &[&'static str]) -> Result<String> {
        let known = self.joined.names.iter().find(|(known, _)| known == path);
        known.map(|(_, name)| name.clone()).ok_or_else(|| {
            let model = if self.joined.model.is_empty() { "query" } else { self.joined.model };
            ErrorKind::NotJoined { model, path: path.join(".") }.into()
        })
    }

    /// A condition on a joined association's target.
    pub(super) fn joined_condition(&mut self, association: &AssociationDef, filter: &Expr) -> Result<()> {
        self.joined.prefix.push(association.name);
        if self.joined.model.is_empty() {
            self.joined.model = (association.owner)().name;
        }
        let name = self.joined_name(&self.joined.prefix)?;
        let outer = self.qualifier.replace(name.into());
        self.condition(filter)?;
        self.qualifier = outer;
        self.joined.prefix.pop();
        Ok(())
    }

    /// ` INNER JOIN posts ON posts.user_id = users.id …`
    pub(super) fn joins(&mut self, root: &ModelDef, joins: &Joins) -> Result<()> {
        for table in joins.tables() {
            let own = table.hop.model.table;
            self.push(match table.kind {
                JoinKind::Inner => " INNER JOIN ",
                JoinKind::Left => " LEFT OUTER JOIN ",
            });
            self.table(&own);
            if table.name != own.name {
                self.push(" AS ");
                self.identifier(&table.name);
            }
            self.push(" ON ");
            let from = table.from.map(|from| &joins.tables()[from]);
            self.join_condition(root, from, table)?;
        }
        for raw in joins.raw() {
            self.push(" ");
            self.raw(&raw.sql, &raw.binds)?;
        }
        Ok(())
    }

    fn join_condition(&mut self, root: &ModelDef, from: Option<&JoinedTable>, table: &JoinedTable) -> Result<()> {
        let (owner, owner_name) = match from {
            None => (root, root.table.name),
            Some(from) => (from.hop.model, &from.name[..]),
        };
        self.within(&table.name, |writer| {
            writer.hop_matches(owner_name, owner, table.hop.hop, table.hop.model);
            Ok(())
        })?;
        if let Some(named) = table.hop.owner_type {
            self.push(" AND ");
            self.names_type(owner_name, owner, named);
        }
        if !table.hop.filter.is_always() {
            self.push(" AND (");
            self.within(&table.name, |writer| writer.condition(&table.hop.filter))?;
            self.push(")");
        }
        if let (true, Some(limited)) = (table.limits_rows, &table.hop.limited) {
            self.push(" AND ");
            self.within(&table.name, |writer| writer.condition(limited))?;
        }
        Ok(())
    }

    /// The join of a table of keys, which is written already, with a table that follows.
    pub(super) fn ordered_join(&mut self) {
        self.push(" ");
        self.push(self.dialect().ordered_join());
        self.push(" ");
    }

    /// A table's column, qualified by its name in the statement.
    pub(super) fn column_of(&mut self, table: &str, column: &str) {
        self.identifier(table);
        self.push(".");
        self.identifier(column);
    }

    /// Writes a part in which the columns of the query's model are those of a joined table, and no others can be named.
    pub(super) fn within(&mut self, table: &str, write: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let outer = self.qualifier.replace(table.to_owned().into());
        let joined = std::mem::take(&mut self.joined);
        write(self)?;
        self.qualifier = outer;
        self.joined = joined;
        Ok(())
    }

    /// `FUNCTION() OVER (ORDER BY …)`
    pub(super) fn over(&mut self, function: &str, order: &[OrderTerm]) -> Result<()> {
        self.push(function);
        self.push(" OVER (");
        for (index, term) in order.iter().enumerate() {
            self.push(if index == 0 { "ORDER BY " } else { ", " });
            self.order_term(term)?;
        }
        self.push(")");
        Ok(())
    }
}
