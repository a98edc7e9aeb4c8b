//! Conditions on associations: `EXISTS` subqueries, one inside the other for associations that go through others. Unlike
//! a join they never repeat an owner.

use super::SqlWriter;
use crate::association::{AssociationDef, Hop, Route};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::model::ModelDef;
use crate::planner::join_scope;
use crate::value::Value;

impl<'d> SqlWriter<'d> {
    /// Appends the condition that an association of the query's own model has a row that satisfies `filter`, by way of a
    /// row of its join table that satisfies `links`.
    ///
    /// # Errors
    /// When the filter cannot be written, or the association has a scope that a subquery cannot stand for: a limit, or
    /// one that depends on the owner.
    pub fn related(
        &mut self,
        association: &'static AssociationDef,
        filter: &Expr,
        only_type: Option<&'static str>,
        links_filter: Option<&Expr>,
    ) -> Result<()> {
        let owner = (association.owner)();
        let scope = association.scope();
        let limited = (scope.limit.is_some() || scope.offset.is_some()) && !filter.is_always();
        let grouped = !scope.group.is_empty() && !filter.is_always();
        if limited || grouped || association.options.owner_scope.is_some() {
            let what = match (limited, grouped) {
                (true, _) => "a limit",
                (_, true) => "a `group_by`",
                _ => "a scope that depends on its owner",
            };
            let message =
                format!("`{}` has {what}: a condition on its rows cannot be written as a subquery", association.name);
            return Err(Error::invalid_query(owner.name, message));
        }
        let filter = scope.filter.and(filter.clone());
        match association.kind.route(association)? {
            Route::Found(_) => {
                let message = format!(
                    "`{}` has SQL of its own (`finder_sql`): a condition on its rows cannot be written as a subquery",
                    association.name
                );
                Err(Error::invalid_query(owner.name, message))
            }
            Route::Direct(hop) => self.exists(owner, hop, (association.target)(), scope.unscoped, &filter),
            Route::Through { through, source, source_type } => {
                association.chain()?;
                let filter = Box::new(filter);
                let onward = Expr::Related { association: source, filter, only_type: source_type, links: None };
                self.related(through, &onward, None, None)
            }
            Route::JoinTable { table, links, targets } => {
                let target = (association.target)();
                let on_links = join_scope(association, table)?.filter;
                let on_links = links_filter.iter().fold(on_links, |all, more| all.and((*more).clone()));
                self.exists_with(owner, links, table, |writer| {
                    writer.exists(table, targets, target, scope.unscoped, &filter)?;
                    if !on_links.is_always() {
                        writer.push(" AND (");
                        writer.condition(&on_links)?;
                        writer.push(")");
                    }
                    Ok(())
                })
            }
            Route::Polymorphic { type_column, owner_columns, variants } => {
                let chosen: Vec<_> = variants.iter().filter(|one| only_type.is_none_or(|tag| tag == one.tag)).collect();
                self.push("(");
                if chosen.is_empty() {
                    self.push("1 = 0");
                }
                for (at, variant) in chosen.into_iter().enumerate() {
                    self.push(if at > 0 { " OR " } else { "" });
                    let hop = Hop { owner_columns, target_columns: variant.key, unique: true, target_type: None };
                    let target = (variant.model)();
                    let filter = target.base_scope(scope.unscoped).filter.and(filter.clone());
                    let outer = self.outer_name(owner);
                    // Inside the subquery, so that a NULL type is plain false and its negation true.
                    self.exists_with(owner, hop, target, |writer| {
                        writer.identifier(&outer);
                        writer.push(".");
                        writer.identifier(owner.columns[type_column].name);
                        writer.push(" = ");
                        writer.bind(Value::from(variant.tag));
                        if !filter.is_always() {
                            writer.push(" AND (");
                            writer.condition(&filter)?;
                            writer.push(")");
                        }
                        Ok(())
                    })?;
                }
                self.push(")");
                Ok(())
            }
        }
    }

    fn exists(&mut self, owner: &ModelDef, hop: Hop, target: &ModelDef, unscoped: bool, filter: &Expr) -> Result<()> {
        let base = target.base_scope(unscoped);
        target.check_default_group(&base.group)?;
        let filter = base.filter.and(filter.clone());
        let always = filter.is_always();
        self.exists_with(owner, hop, target, |writer| {
            if always {
                return Ok(false);
            }
            writer.condition(&filter).map(|()| true)
        })
    }

    // EXISTS (SELECT 1 FROM target AS related_1 WHERE related_1.fk = owner.pk AND …)
    fn exists_with<T: WroteCondition>(
        &mut self,
        owner: &ModelDef,
        hop: Hop,
        target: &ModelDef,
        condition: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<()> {
        self.related += 1;
        let alias = format!("related_{}", self.related);
        let outer = self.qualifier.clone();
        // A subquery joins nothing.
        let joined = std::mem::take(&mut self.joined);
        let outer_name = self.outer_name(owner);
        self.push("EXISTS (SELECT 1 FROM ");
        self.table(&target.table);
        self.push(" AS ");
        self.identifier(&alias);
        self.push(" WHERE ");
        self.qualify(alias);
        for (at, (own, key)) in hop.target_columns.iter().zip(hop.owner_columns).enumerate() {
            self.push(if at > 0 { " AND " } else { "" });
            self.own_column(target.columns[*own].name);
            self.push(" = ");
            self.identifier(&outer_name);
            self.push(".");
            self.identifier(owner.columns[*key].name);
        }
        if let Some(named) = hop.target_type {
            self.push(" AND ");
            self.own_column(target.columns[named.column].name);
            self.push(" = ");
            self.bind(Value::from(named.tag));
        }
        let before = self.sql.len();
        self.push(" AND (");
        if condition(self)?.wrote() {
            self.push(")");
        } else {
            self.sql.truncate(before);
        }
        self.push(")");
        self.qualifier = outer;
        self.joined = joined;
        Ok(())
    }

    // What the owner's columns are qualified with inside a subquery.
    fn outer_name(&self, owner: &ModelDef) -> String {
        self.qualifier.clone().map_or_else(|| owner.table.name.to_owned(), std::borrow::Cow::into_owned)
    }
}

/// Whether a condition was written: a nested subquery always is.
trait WroteCondition {
    fn wrote(&self) -> bool;
}

impl WroteCondition for bool {
    fn wrote(&self) -> bool {
        *self
    }
}

impl WroteCondition for () {
    fn wrote(&self) -> bool {
        true
    }
}
