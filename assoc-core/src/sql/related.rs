//! Conditions on associations: `EXISTS` subqueries, nested for through associations. Unlike a join they never repeat an
//! owner.
//!
//! They consider the rows that loading the association gives. Where the association takes only the first rows (the row
//! of a `has_one`, the rows within a limit), the subquery also contains the condition that a row is one of these:
//! `limited.rs`.

use super::SqlWriter;
use super::limited::{Outer, RowLimit};
use crate::error::{Error, Result};
use crate::metadata::association::{AssociationDef, Chain, ChainHop, ChainParts, KeyJoin};
use crate::metadata::expr::Expr;
use crate::metadata::filter_hook::RowFilters;
use crate::metadata::model::{Discriminator, ModelDef};
use crate::metadata::request::ScopeDef;

// Default scopes with conditions on associations may lead back to each other.
const DEEPEST: usize = 64;

/// The condition on the rows of an association.
#[derive(Clone, Copy)]
pub(super) enum TargetCondition<'e> {
    /// They satisfy a condition.
    Filter(&'e Expr),
    /// Another association of theirs has such a row.
    Onward { chain: &'e Chain, target_condition: &'e TargetCondition<'e> },
}

impl TargetCondition<'_> {
    pub(super) fn is_anything(&self) -> bool {
        matches!(self, TargetCondition::Filter(filter) if filter.is_always())
    }
}

/// Refuses associations without an SQL form here. Groups do not change whether there is any row.
pub(super) fn check(chain: &Chain, is_anything: bool) -> Result<()> {
    let Chain { association, scope, owner_scoped, .. } = chain;
    let what = if *owner_scoped {
        "a scope that depends on its owner"
    } else if matches!(chain.parts, ChainParts::CustomSql(_)) {
        "SQL of its own (`finder_sql`)"
    } else if scope.group.is_empty() || (is_anything && scope.offset.is_none()) {
        return Ok(());
    } else {
        "a `group_by`"
    };
    let message = format!(
        "`{}` has {what}: a condition on its rows cannot be written as a subquery; load it with `preload` and choose \
         among its owners afterwards",
        association.name
    );
    Err(Error::invalid_query((association.owner)().name, message))
}

impl<'d> SqlWriter<'d> {
    /// Appends the condition that an association of the query's model has a row that satisfies `filter`. `filters` are
    /// those of a repo, which hold for the rows of every model of the chain.
    ///
    /// # Errors
    /// When the filter cannot be written, the association has a scope that depends on the owner, or this database
    /// cannot express the association's limit.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::sql::SqlWriter;
    ///
    /// let dialect = StandardSql::default();
    /// let mut writer = SqlWriter::new(&dialect);
    /// writer.qualify("users");
    /// writer.related(User::POSTS.def(), &Post::TITLE.eq("A").into_expr(), None, None)?;
    /// let posts = "SELECT 1 FROM posts AS related_1 WHERE related_1.user_id = users.id AND (related_1.title = ?)";
    /// assert_eq!(writer.finish().sql(), format!("EXISTS ({posts})"));
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn related(
        &mut self,
        association: &'static AssociationDef,
        filter: &Expr,
        only_type: Option<&'static str>,
        filters: Option<&RowFilters>,
    ) -> Result<()> {
        let chain = Chain::scoped_to(association, ScopeDef::default(), only_type)?;
        let chain = match filters {
            Some(RowFilters(hook)) => chain.with_filters(hook)?,
            None => chain,
        };
        self.reaches(&chain, TargetCondition::Filter(filter))
    }

    pub(super) fn reaches(&mut self, chain: &Chain, target_condition: TargetCondition<'_>) -> Result<()> {
        let association = chain.association;
        check(chain, target_condition.is_anything())?;
        if self.nested == DEEPEST {
            let message = format!(
                "the condition on `{}` nests more than {DEEPEST} deep: the scopes it goes by lead back to themselves",
                association.name
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        self.nested += 1;
        match &chain.parts {
            // Refused by the check.
            ChainParts::CustomSql(_) => {}
            ChainParts::Key(hop) => self.direct(hop, target_condition)?,
            ChainParts::ByType { hops, .. } => {
                self.push("(");
                for (at, hop) in hops.iter().enumerate() {
                    self.push(if at > 0 { " OR " } else { "" });
                    self.direct(hop, target_condition)?;
                }
                self.push(if hops.is_empty() { "1 = 0)" } else { ")" });
            }
            ChainParts::Through { through, source } => match RowLimit::of_through(chain, target_condition)? {
                Some(RowLimit::NONE) => self.push("1 = 0"),
                Some(row_limit) => self.through_limit(chain, row_limit, target_condition)?,
                None => self
                    .reaches(through, TargetCondition::Onward { chain: source, target_condition: &target_condition })?,
            },
            ChainParts::JoinTable { rows, targets } => match RowLimit::of_through(chain, target_condition)? {
                Some(RowLimit::NONE) => self.push("1 = 0"),
                Some(row_limit) => self.through_limit(chain, row_limit, target_condition)?,
                None => self.exists(rows, |writer| {
                    if !rows.scope.filter.is_always() {
                        writer.push("(");
                        writer.condition(&rows.scope.filter)?;
                        writer.push(") AND ");
                    }
                    writer.direct(targets, target_condition)?;
                    Ok(true)
                })?,
            },
        }
        self.nested -= 1;
        Ok(())
    }

    // By a key: EXISTS, with the type that the owner names where it does.
    fn direct(&mut self, hop: &ChainHop, target_condition: TargetCondition<'_>) -> Result<()> {
        let row_limit = RowLimit::of_hop(hop, target_condition);
        if row_limit == Some(RowLimit::NONE) {
            self.push("1 = 0");
            return Ok(());
        }
        let (owner, named, visible) = (hop.owner, hop.owner_type, &hop.scope.filter);
        let outer = self.outer_name(owner);
        self.exists(hop, |writer| {
            if let Some(named) = named {
                // Inside the subquery, so that a NULL type is plain false and its negation true.
                writer.names_type(&outer, owner, named);
            }
            let connector = if named.is_some() { " AND " } else { "" };
            if let Some(row_limit) = row_limit {
                writer.push(connector);
                writer.direct_limit(hop, row_limit, Outer { alias: &outer, model: owner })?;
                writer.and_target_condition(target_condition)?;
                return Ok(true);
            }
            match target_condition {
                TargetCondition::Filter(filter) => {
                    let filter = visible.clone().and(filter.clone());
                    if filter.is_always() {
                        return Ok(named.is_some());
                    }
                    writer.push(connector);
                    writer.push(if named.is_some() { "(" } else { "" });
                    writer.condition(&filter)?;
                    writer.push(if named.is_some() { ")" } else { "" });
                }
                TargetCondition::Onward { chain, target_condition } => {
                    writer.push(connector);
                    if !visible.is_always() {
                        writer.push("(");
                        writer.condition(visible)?;
                        writer.push(") AND ");
                    }
                    writer.reaches(chain, *target_condition)?;
                }
            }
            Ok(true)
        })
    }

    /// Appends ` AND` and the condition on the row, if there is one.
    pub(super) fn and_target_condition(&mut self, target_condition: TargetCondition<'_>) -> Result<()> {
        match target_condition {
            TargetCondition::Filter(filter) => self.and_condition(filter),
            TargetCondition::Onward { chain, target_condition } => {
                self.push(" AND ");
                self.reaches(chain, *target_condition)
            }
        }
    }

    // EXISTS (SELECT 1 FROM target AS related_1 WHERE related_1.fk = owner.pk AND (…)); the condition says whether it
    // wrote anything.
    fn exists(&mut self, hop: &ChainHop, condition: impl FnOnce(&mut Self) -> Result<bool>) -> Result<()> {
        let outer = self.outer_name(hop.owner);
        let before = self.qualifier.take();
        // A subquery joins nothing.
        let joined = std::mem::take(&mut self.joined);
        self.push("EXISTS (SELECT 1");
        let alias = self.push_related_table(hop.model);
        self.push(" WHERE ");
        self.qualify(alias);
        self.hop_matches_one(&outer, hop.owner, hop.key, hop.model);
        let start = self.sql.len();
        self.push(" AND (");
        if condition(self)? {
            self.push(")");
        } else {
            self.sql.truncate(start);
        }
        self.push(")");
        self.qualifier = before;
        self.joined = joined;
        Ok(())
    }

    /// Appends ` FROM target AS related_1` and returns the alias.
    pub(super) fn push_related_table(&mut self, target: &ModelDef) -> String {
        let alias = self.next_alias();
        self.push(" FROM ");
        self.table(&target.table);
        self.push(" AS ");
        self.identifier(&alias);
        alias
    }

    pub(super) fn next_alias(&mut self) -> String {
        self.related += 1;
        format!("related_{}", self.related)
    }

    /// Appends that the target's columns, qualified as the writer says, hold the key of `outer`'s row.
    pub(super) fn hop_matches(&mut self, outer: &str, owner: &ModelDef, hop: KeyJoin, target: &ModelDef) {
        self.hop_matches_as(outer, owner, hop, target, ("", ""));
    }

    /// The same in a subquery about one row of `outer`, whose key counts as a bound one does.
    pub(super) fn hop_matches_one(&mut self, outer: &str, owner: &ModelDef, hop: KeyJoin, target: &ModelDef) {
        let bound_like = self.dialect.bound_like();
        self.hop_matches_as(outer, owner, hop, target, bound_like);
    }

    fn hop_matches_as(
        &mut self,
        outer: &str,
        owner: &ModelDef,
        hop: KeyJoin,
        target: &ModelDef,
        (before, behind): (&'static str, &'static str),
    ) {
        self.separated(" AND ", hop.target_columns.iter().zip(hop.owner_columns), |writer, (own, key)| {
            let column = &target.columns[*own];
            writer.columns_equal(
                column.sql_type,
                |writer| writer.own_column(column.name),
                |writer| {
                    writer.push(before);
                    writer.column_of(outer, owner.columns[*key].name);
                    writer.push(behind);
                },
            );
        });
        if let Some(named) = hop.target_type {
            self.push(" AND ");
            self.holds_tag(|writer| writer.own_column(target.columns[named.column].name), named.tag);
        }
    }

    /// Appends that a row of `outer` names a type.
    pub(super) fn names_type(&mut self, outer: &str, owner: &ModelDef, named: Discriminator) {
        self.holds_tag(|writer| writer.column_of(outer, owner.columns[named.column].name), named.tag);
    }

    // What the owner's columns are qualified with inside a subquery.
    pub(super) fn outer_name(&self, owner: &ModelDef) -> String {
        self.qualifier.clone().map_or_else(|| owner.table.name.to_owned(), std::borrow::Cow::into_owned)
    }
}
