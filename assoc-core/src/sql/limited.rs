//! The rows within an association's limit, as a condition: the first row of a `has_one`, the first few of an
//! association with a limit.
//!
//! * A single row is compared with a scalar subquery, everywhere: `id = (SELECT id … WHERE fk = owner ORDER BY …
//!   LIMIT 1)`.
//! * Several rows are looked up in the first few where the database takes a limit inside `IN`
//!   ([`PerOwnerLimit::CorrelatedSeek`]).
//! * On other databases a window numbers the rows of every owner once for the whole statement, and `IN` takes those
//!   with the right numbers.
//!
//! Through associations: `limited/composed.rs`.

use super::SqlWriter;
use super::related::TargetCondition;
use crate::dialect::PerOwnerLimit;
use crate::error::{Error, Result};
use crate::metadata::association::{AssociationDef, Chain, ChainHop, ChainParts};
use crate::metadata::expr::{LimitedRows, OrderTerm};
use crate::metadata::model::ModelDef;
use crate::metadata::request::ScopeDef;

mod composed;

const PLACE: &str = "place";

/// The part of an owner's rows within a limit, counted in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RowLimit {
    limit: Option<u64>,
    offset: u64,
    distinct: bool,
}

impl RowLimit {
    /// No row is within the limit.
    pub(super) const NONE: RowLimit = RowLimit { limit: Some(0), offset: 0, distinct: false };
    /// Every row once.
    const ALL: RowLimit = RowLimit { limit: None, offset: 0, distinct: true };

    fn new(limit: Option<u64>, offset: Option<u64>, target_condition: TargetCondition<'_>) -> Option<RowLimit> {
        let offset = offset.unwrap_or(0);
        match limit {
            Some(0) => Some(RowLimit::NONE),
            None if offset == 0 => None,
            // There is some row exactly if there is a first one.
            Some(_) if offset == 0 && target_condition.is_anything() => None,
            limit => Some(RowLimit { limit, offset, distinct: false }),
        }
    }

    /// The limit of an association by a key, if it has one that matters.
    pub(super) fn of_hop(hop: &ChainHop, target_condition: TargetCondition<'_>) -> Option<RowLimit> {
        let ScopeDef { limit, offset, .. } = hop.scope;
        if hop.key.unique {
            // One row at most.
            let none = limit == Some(0) || offset.is_some_and(|offset| offset > 0);
            return none.then_some(RowLimit::NONE);
        }
        let limit = if hop.is_single() { Some(limit.map_or(1, |limit| limit.min(1))) } else { limit };
        RowLimit::new(limit, offset, target_condition)
    }

    /// The limit of a through association over all rows of its chain, if it has one that matters.
    pub(super) fn of_through(chain: &Chain, target_condition: TargetCondition<'_>) -> Result<Option<RowLimit>> {
        let scope = &chain.scope;
        let mut limit = scope.limit;
        if chain.is_single() {
            let single_parts = match &chain.parts {
                ChainParts::Through { through, source } => through.is_single() && source.is_single(),
                ChainParts::Key(_) | ChainParts::ByType { .. } => true,
                ChainParts::JoinTable { .. } | ChainParts::CustomSql(_) => false,
            };
            // Whatever the limit is, one row is not cut by it.
            limit = if single_parts {
                limit.filter(|limit| *limit == 0)
            } else {
                Some(limit.map_or(1, |limit| limit.min(1)))
            };
        }
        let Some(row_limit) = RowLimit::new(limit, scope.offset, target_condition) else { return Ok(None) };
        // The first row is the same with and without repetitions.
        let distinct =
            scope.distinct && !(row_limit.limit == Some(1) && row_limit.offset == 0) && row_limit != RowLimit::NONE;
        if distinct && scope.order.is_empty() {
            let association = chain.association;
            let message = format!(
                "`{}` takes a part of its distinct rows in the order of its chain: a condition on them needs an `order`",
                association.name
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        Ok(Some(RowLimit { distinct, ..row_limit }))
    }
}

/// The form in which a row is compared with the rows within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `id = (SELECT … LIMIT 1)`.
    Scalar,
    /// `id IN (SELECT … LIMIT n)`.
    FirstFew,
    /// `id IN (SELECT … FROM (… ROW_NUMBER() …) WHERE place <= n)`.
    Numbered,
}

/// The row that a subquery is about.
#[derive(Clone, Copy)]
pub(super) struct Outer<'o> {
    pub(super) alias: &'o str,
    pub(super) model: &'static ModelDef,
}

impl SqlWriter<'_> {
    /// Appends the condition that the row of the target, qualified as the writer says, is within the owner's limit.
    pub(super) fn direct_limit(&mut self, hop: &ChainHop, row_limit: RowLimit, outer: Outer<'_>) -> Result<()> {
        let (key, target, visible) = (hop.key, hop.model, &hop.scope.filter);
        let order = total_order(&hop.scope, target);
        let keys: Vec<&str> = key.target_columns.iter().map(|column| target.columns[*column].name).collect();
        self.is_among_limited(hop.association, row_limit, target, &[], |writer, columns, form| {
            let alias = writer.next_alias();
            writer.qualify(alias.clone());
            writer.push("SELECT ");
            writer.key_columns(columns, form);
            if form == Form::Numbered {
                writer.push(", ROW_NUMBER() OVER (PARTITION BY ");
                writer.separated(", ", &keys, |writer, column| writer.own_column(column));
                writer.order_by(&order)?;
                writer.push(") AS ");
                writer.identifier(PLACE);
            }
            writer.push(" FROM ");
            writer.table(&target.table);
            writer.push(" AS ");
            writer.identifier(&alias);
            if form == Form::Numbered {
                // All owners' rows at once: of the match only the type is left.
                return writer.where_clause(&hop.condition());
            }
            writer.push(" WHERE ");
            writer.hop_matches_one(outer.alias, outer.model, key, target);
            writer.and_condition(visible)?;
            writer.order_by(&order)
        })
    }

    /// Appends the condition that the row, qualified as the writer says, is within the limit.
    pub(super) fn limited(&mut self, limited: &LimitedRows) -> Result<()> {
        let LimitedRows { association, model, key, among, order, limit, offset } = limited;
        // The order is complete; a default scope has its part in it.
        let scope = ScopeDef { filter: among.clone(), order: order.clone(), ..ScopeDef::default() };
        let row_limit = RowLimit { limit: *limit, offset: *offset, distinct: false };
        let hop = ChainHop::to_itself(association, model, key, scope);
        let alias = self.outer_name(model);
        let before = self.qualifier.clone();
        self.qualify(alias.clone());
        let joined = std::mem::take(&mut self.joined);
        self.direct_limit(&hop, row_limit, Outer { alias: &alias, model })?;
        self.qualifier = before;
        self.joined = joined;
        Ok(())
    }

    // The form of a limit on this database, and whether composite keys are compared as a whole.
    fn form_of(&self, association: &AssociationDef, row_limit: RowLimit, target: &ModelDef) -> Result<(Form, bool)> {
        target.require_primary_key("a condition on the rows that an association chooses")?;
        let capabilities = self.dialect.capabilities();
        let whole = target.primary_key.len() == 1 || capabilities.row_values;
        let form = match capabilities.per_owner_limit {
            _ if row_limit.limit == Some(1) => Form::Scalar,
            _ if row_limit == RowLimit::ALL && whole => Form::FirstFew,
            _ if !whole => return Err(self.beyond(association)),
            PerOwnerLimit::CorrelatedSeek => Form::FirstFew,
            // A database with lateral joins has window functions as well.
            PerOwnerLimit::Lateral | PerOwnerLimit::Window => Form::Numbered,
            PerOwnerLimit::Unsupported => return Err(self.beyond(association)),
        };
        Ok((form, whole))
    }

    fn beyond(&self, association: &AssociationDef) -> Error {
        let what = format!("a condition on the rows that `{}` chooses", association.qualified_name());
        Error::unsupported(self.dialect.name(), what)
    }

    // Appends the condition that the row's key is among the first ones that a subquery selects. `owners` are the
    // columns that say which owner a numbered row belongs to.
    fn is_among_limited(
        &mut self,
        association: &AssociationDef,
        row_limit: RowLimit,
        target: &ModelDef,
        owners: &[(&str, &str)],
        mut select: impl FnMut(&mut Self, &[&'static str], Form) -> Result<()>,
    ) -> Result<()> {
        let (form, whole) = self.form_of(association, row_limit, target)?;
        let key: Vec<&'static str> = target.primary_key_names().collect();
        let qualifier = self.qualifier.clone();
        let dialect = self.dialect;
        let offset = Some(row_limit.offset).filter(|offset| *offset > 0);
        for (at, columns) in key.chunks(if whole { key.len() } else { 1 }).enumerate() {
            self.push(if at > 0 { " AND " } else { "" });
            self.qualifier.clone_from(&qualifier);
            let several = columns.len() > 1;
            self.push(if several { "(" } else { "" });
            self.separated(", ", columns, |writer, column| writer.own_column(column));
            self.push(if several { ")" } else { "" });
            self.push(if form == Form::Scalar { " = (" } else { " IN (" });
            if form == Form::Numbered {
                let numbered = self.next_alias();
                let column = |writer: &mut Self, name: &str| {
                    writer.identifier(&numbered);
                    writer.push(".");
                    writer.identifier(name);
                };
                self.push("SELECT ");
                self.separated(", ", 0..columns.len(), |writer, part| column(writer, &format!("p{part}")));
                self.push(" FROM (");
                select(self, columns, form)?;
                self.push(") AS ");
                self.identifier(&numbered);
                self.push(" WHERE ");
                for (part, (alias, name)) in owners.iter().enumerate() {
                    column(self, &format!("k{part}"));
                    self.push(" = ");
                    self.identifier(alias);
                    self.push(".");
                    self.identifier(name);
                    self.push(" AND ");
                }
                column(self, PLACE);
                self.push(&format!(" > {}", row_limit.offset));
                if let Some(limit) = row_limit.limit {
                    self.push(" AND ");
                    column(self, PLACE);
                    self.push(&format!(" <= {}", row_limit.offset.saturating_add(limit)));
                }
            } else {
                select(self, columns, form)?;
                dialect.write_limit(self, row_limit.limit, offset);
            }
            self.push(")");
        }
        self.qualifier = qualifier;
        Ok(())
    }

    // The key of a row within the limit. It has other names where the rows are numbered first.
    fn key_columns(&mut self, columns: &[&str], form: Form) {
        self.separated(", ", columns.iter().enumerate(), |writer, (part, column)| {
            writer.own_column(column);
            if form == Form::Numbered {
                writer.push(" AS ");
                writer.identifier(&format!("p{part}"));
            }
        });
    }
}

// The order of one table's rows, made total.
fn total_order(scope: &ScopeDef, model: &ModelDef) -> Vec<OrderTerm> {
    let mut order = scope.order.clone();
    model.append_primary_key(&mut order);
    order
}
