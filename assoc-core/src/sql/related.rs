//! Conditions on associations: `EXISTS` subqueries, one inside the other for associations that go through others. Unlike
//! a join they never repeat an owner.
//!
//! They look at the rows that loading the association gives. Where it chooses among rows (the first of a `has_one`, the
//! first few of an association with a limit) the subquery holds the row against those that are chosen: `chosen.rs`.

use super::SqlWriter;
use super::chosen::{Choice, Outer};
use crate::association::{AssociationDef, Cardinality, Hop, Route};
use crate::error::{Error, Result};
use crate::expr::Expr;
use crate::filter_hook::{RowFilters, filtered};
use crate::model::{Discriminator, ModelDef};
use crate::planner::{Shape, join_scope};

// Default scopes with conditions on associations may lead back to each other.
const DEEPEST: usize = 64;

/// What the rows of an association are asked.
#[derive(Clone, Copy)]
pub(super) enum Wanted<'e> {
    /// That they satisfy a condition.
    Filter(&'e Expr),
    /// That an association of theirs has such a row.
    Onward { way: &'e Way, wanted: &'e Wanted<'e> },
}

impl Wanted<'_> {
    pub(super) fn is_anything(&self) -> bool {
        matches!(self, Wanted::Filter(filter) if filter.is_always())
    }
}

/// An association with all that is asked of it at one place.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) association: &'static AssociationDef,
    /// Its own scope, and what one that goes through it adds.
    pub(super) shape: Shape,
    pub(super) only_type: Option<&'static str>,
    pub(super) filters: Option<RowFilters>,
}

impl Way {
    /// What leads on from what this one goes through, as the planner has it.
    pub(super) fn source(&self, source: &'static AssociationDef, only_type: Option<&'static str>) -> Way {
        let Shape { filter, order, unscoped, .. } = self.shape.clone();
        let asked = Shape { filter, order, unscoped, ..Shape::default() };
        Way { association: source, shape: source.scope().with(asked), only_type, filters: self.filters.clone() }
    }

    pub(super) fn through(&self, through: &'static AssociationDef) -> Way {
        Way { association: through, shape: through.scope(), only_type: None, filters: self.filters.clone() }
    }

    pub(super) fn is_single(&self) -> bool {
        self.association.kind.cardinality() == Cardinality::One
    }

    /// What rows of a target satisfy that are there at all.
    pub(super) fn visible(&self, target: &'static ModelDef) -> Result<Expr> {
        let base = target.base_scope(self.shape.unscoped);
        target.check_default_group(&base.group)?;
        self.filtered(target, base.filter.and(self.shape.filter.clone()))
    }

    pub(super) fn filtered(&self, model: &'static ModelDef, filter: Expr) -> Result<Expr> {
        match &self.filters {
            Some(RowFilters(hook)) => filtered(hook, model, filter),
            None => Ok(filter),
        }
    }

    /// Refuses what has no SQL here. Whether there is any row does not depend on groups.
    pub(super) fn check(&self, is_anything: bool) -> Result<()> {
        let options = &self.association.options;
        let shape = &self.shape;
        let what = if options.owner_scope.is_some() {
            "a scope that depends on its owner"
        } else if shape.group.is_empty() || (is_anything && shape.offset.is_none()) {
            return Ok(());
        } else {
            "a `group_by`"
        };
        let message = format!(
            "`{}` has {what}: a condition on its rows cannot be written as a subquery; load it with `preload` and choose \
             among its owners afterwards",
            self.association.name
        );
        Err(Error::invalid_query((self.association.owner)().name, message))
    }
}

impl<'d> SqlWriter<'d> {
    /// Appends the condition that an association of the query's own model has a row that satisfies `filter`. `filters`
    /// are those of a repo, which hold for the rows of every model on the way.
    ///
    /// # Errors
    /// When the filter cannot be written, the association has a scope that depends on the owner, or it chooses among its
    /// rows in a way that this database cannot express.
    pub fn related(
        &mut self,
        association: &'static AssociationDef,
        filter: &Expr,
        only_type: Option<&'static str>,
        filters: Option<&RowFilters>,
    ) -> Result<()> {
        let way = Way { association, shape: association.scope(), only_type, filters: filters.cloned() };
        self.reaches(&way, Wanted::Filter(filter))
    }

    pub(super) fn reaches(&mut self, way: &Way, wanted: Wanted<'_>) -> Result<()> {
        let association = way.association;
        let owner = (association.owner)();
        way.check(wanted.is_anything())?;
        if self.nested == DEEPEST {
            let message = format!(
                "the condition on `{}` nests more than {DEEPEST} deep: the scopes it goes by lead back to themselves",
                association.name
            );
            return Err(Error::invalid_query(owner.name, message));
        }
        self.nested += 1;
        match association.kind.route(association)? {
            Route::Found(_) => {
                let message = format!(
                    "`{}` has SQL of its own (`finder_sql`): a condition on its rows cannot be written as a subquery; \
                     load it with `preload` and choose among its owners afterwards",
                    association.name
                );
                return Err(Error::invalid_query(owner.name, message));
            }
            Route::Direct(hop) => self.direct(way, owner, hop, (association.target)(), None, wanted)?,
            Route::Polymorphic { type_column, owner_columns, variants } => {
                let chosen = variants.iter().filter(|one| way.only_type.is_none_or(|tag| tag == one.tag));
                self.push("(");
                let before = self.sql.len();
                for variant in chosen {
                    let connector = if self.sql.len() > before { " OR " } else { "" };
                    self.push(connector);
                    let target = (variant.model)();
                    let hop = variant.hop(owner_columns);
                    let named = Discriminator { column: type_column, tag: variant.tag };
                    self.direct(way, owner, hop, target, Some(named), wanted)?;
                }
                if self.sql.len() == before {
                    self.push("1 = 0");
                }
                self.push(")");
            }
            route @ (Route::Through { .. } | Route::JoinTable { .. }) => {
                match (Choice::of_composed(way, &route, wanted)?, route) {
                    (Some(Choice::NONE), _) => self.push("1 = 0"),
                    (Some(choice), _) => self.composed_choice(way, choice, wanted)?,
                    (None, Route::Through { through, source, source_type }) => {
                        let onward = way.source(source, source_type);
                        self.reaches(&way.through(through), Wanted::Onward { way: &onward, wanted: &wanted })?;
                    }
                    (None, Route::JoinTable { table, links, targets }) => {
                        let links_visible = way.filtered(table, join_scope(association, table)?.filter)?;
                        self.exists(owner, links, table, |writer| {
                            if !links_visible.is_always() {
                                writer.push("(");
                                writer.condition(&links_visible)?;
                                writer.push(") AND ");
                            }
                            writer.direct(way, table, targets, (association.target)(), None, wanted)?;
                            Ok(true)
                        })?;
                    }
                    _ => {}
                }
            }
        }
        self.nested -= 1;
        Ok(())
    }

    // By a key: EXISTS, with the type that the owner names where it does.
    fn direct(
        &mut self,
        way: &Way,
        owner: &'static ModelDef,
        hop: Hop,
        target: &'static ModelDef,
        named: Option<Discriminator>,
        wanted: Wanted<'_>,
    ) -> Result<()> {
        let choice = Choice::of_direct(way, hop, target, wanted);
        if choice == Some(Choice::NONE) {
            self.push("1 = 0");
            return Ok(());
        }
        let visible = way.visible(target)?;
        let outer = self.outer_name(owner);
        self.exists(owner, hop, target, |writer| {
            if let Some(named) = named {
                // Inside the subquery, so that a NULL type is plain false and its negation true.
                writer.names_type(&outer, owner, named);
            }
            let connector = if named.is_some() { " AND " } else { "" };
            if let Some(choice) = choice {
                writer.push(connector);
                writer.direct_choice(way, choice, Outer { alias: &outer, model: owner }, hop, target, &visible)?;
                writer.and_wanted(wanted)?;
                return Ok(true);
            }
            match wanted {
                Wanted::Filter(filter) => {
                    let filter = visible.clone().and(filter.clone());
                    if filter.is_always() {
                        return Ok(named.is_some());
                    }
                    writer.push(connector);
                    writer.push(if named.is_some() { "(" } else { "" });
                    writer.condition(&filter)?;
                    writer.push(if named.is_some() { ")" } else { "" });
                }
                Wanted::Onward { way, wanted } => {
                    writer.push(connector);
                    if !visible.is_always() {
                        writer.push("(");
                        writer.condition(&visible)?;
                        writer.push(") AND ");
                    }
                    writer.reaches(way, *wanted)?;
                }
            }
            Ok(true)
        })
    }

    /// Appends ` AND` what is wanted of the row, unless that is nothing.
    pub(super) fn and_wanted(&mut self, wanted: Wanted<'_>) -> Result<()> {
        match wanted {
            Wanted::Filter(filter) if filter.is_always() => Ok(()),
            Wanted::Filter(filter) => {
                self.push(" AND (");
                self.condition(filter)?;
                self.push(")");
                Ok(())
            }
            Wanted::Onward { way, wanted } => {
                self.push(" AND ");
                self.reaches(way, *wanted)
            }
        }
    }

    // EXISTS (SELECT 1 FROM target AS related_1 WHERE related_1.fk = owner.pk AND (…)); the condition says whether it
    // wrote anything.
    fn exists(
        &mut self,
        owner: &ModelDef,
        hop: Hop,
        target: &ModelDef,
        condition: impl FnOnce(&mut Self) -> Result<bool>,
    ) -> Result<()> {
        let outer = self.outer_name(owner);
        let before = self.qualifier.take();
        // A subquery joins nothing.
        let joined = std::mem::take(&mut self.joined);
        self.push("EXISTS (SELECT 1");
        let alias = self.push_related_table(target);
        self.push(" WHERE ");
        self.qualify(alias);
        self.hop_matches_one(&outer, owner, hop, target);
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
    pub(super) fn hop_matches(&mut self, outer: &str, owner: &ModelDef, hop: Hop, target: &ModelDef) {
        self.hop_matches_as(outer, owner, hop, target, ("", ""));
    }

    /// The same in a subquery about one row of `outer`, whose key counts as a bound one does.
    pub(super) fn hop_matches_one(&mut self, outer: &str, owner: &ModelDef, hop: Hop, target: &ModelDef) {
        let bound_like = self.dialect.bound_like();
        self.hop_matches_as(outer, owner, hop, target, bound_like);
    }

    fn hop_matches_as(
        &mut self,
        outer: &str,
        owner: &ModelDef,
        hop: Hop,
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
