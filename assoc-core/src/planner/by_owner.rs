//! Scopes that depend on the owner: what they select is known only once the owners are there.
//!
//! The plan holds what turns a scope into a look-up then. Layers lie on each other as everywhere: the association's own
//! scope, the owner's, and what was asked for on top. An association by a key of its own is one look-up for each
//! distinct scope. One that goes through others loads the rows between once for all owners, as a hidden edge; what leads
//! on from there is a small [`Plan`] of its own for each scope, because the scope decides about targets that other owners
//! may share.

use std::any::Any;

use super::build::{direct_select, through_polymorphic};
use super::grouping::check_group;
use super::wanted::Wanted;
use super::{EdgeId, Finish, Plan, Root, Step};
use crate::error::{Error, Result};
use crate::metadata::association::{AssociationDef, Cardinality, Hop, Route};
use crate::metadata::filter_hook::{FilterHook, RowFilters, filtered};
use crate::metadata::model::ModelDef;
use crate::metadata::request::Shape;
use crate::sql::KeyedSelect;

/// A scope that each owner has of its own, on its way to a look-up.
#[derive(Debug, Clone)]
pub struct ByOwner {
    association: &'static AssociationDef,
    scope: fn(&dyn Any) -> Shape,
    asked: Shape,
    look_up: LookUp,
    filters: Option<RowFilters>,
}

/// What the scope is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum LookUp {
    /// The owners' own key, and whether nothing but links is wanted.
    Key(Hop, bool),
    /// What leads on from rows of this model, or one type of it.
    Source(&'static ModelDef, &'static AssociationDef, Option<&'static str>),
    /// What the links of a join table lead to.
    Links(&'static ModelDef, Hop),
}

/// What leads on from the rows between, for the owners of one scope.
#[derive(Debug, Clone)]
pub struct Onward {
    /// The plan; the rows between are its root.
    pub plan: Plan,
    /// The edge to the targets.
    pub edge: EdgeId,
    /// What is done with each owner's rows then.
    pub finish: Finish,
}

impl ByOwner {
    pub(super) fn new(
        association: &'static AssociationDef,
        scope: fn(&dyn Any) -> Shape,
        asked: Shape,
        look_up: LookUp,
    ) -> Self {
        ByOwner { association, scope, asked, look_up, filters: None }
    }

    pub(crate) fn with_filters(&mut self, hook: &FilterHook) {
        self.filters = Some(RowFilters(hook.clone()));
    }

    /// Whether the association goes through others.
    #[must_use]
    pub fn is_composed(&self) -> bool {
        !matches!(self.look_up, LookUp::Key(..))
    }

    /// Whether the rows of a join table are kept beside the targets.
    #[must_use]
    pub fn keeps_links(&self) -> bool {
        matches!(self.look_up, LookUp::Links(table, _) if !table.is_bare_join_table())
    }

    /// An owner's scope, with what was asked for on top. Owners whose scopes are equal share a look-up.
    #[must_use]
    pub fn scope_of(&self, owner: &dyn Any) -> Shape {
        (self.scope)(owner)
    }

    /// The look-up of owners with a scope, of an association by a key of its own.
    ///
    /// # Errors
    /// When the scope asks for something that a scope of one owner cannot have.
    pub fn select(&self, plan: &Plan, step: &Step, scope: &Shape) -> Result<KeyedSelect> {
        self.check(scope)?;
        let LookUp::Key(hop, links_only) = self.look_up else { return Ok(step.select.clone()) };
        let model = step.select.model;
        let shape = self.association.scope().with(scope.clone()).with(self.asked.clone());
        let mut select = direct_select(self.association, hop, model, shape, false, links_only)?;
        if let Some(RowFilters(hook)) = &self.filters {
            select.filter = filtered(hook, model, select.filter)?;
        }
        select.only.clone_from(&step.select.only);
        plan.check_selection(step.serves[0], &select)?;
        Ok(select)
    }

    /// What leads on for owners with a scope, of an association that goes through others; `None` for one that does not.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn onward(&self, scope: &Shape) -> Result<Option<Onward>> {
        self.check(scope)?;
        let association = self.association;
        let shape = association.scope().with(scope.clone()).with(self.asked.clone());
        let ranked = !shape.order.is_empty();
        let Shape { distinct, limit, .. } = shape;
        let (offset, grouped) = (shape.offset.unwrap_or(0), !shape.group.is_empty());
        let finish = Finish { ranked, distinct, grouped, offset, limit, join_rows: self.keeps_links() };
        let group = shape.group.clone();
        let of = |model| Plan::of_root(Root::Held, model);
        let (mut plan, edge) = match self.look_up {
            LookUp::Key(..) => return Ok(None),
            LookUp::Source(between, source, only_type) => {
                let mut plan = of(between);
                let wanted = Wanted { ranked, only_type, links_only: false, ..Wanted::source(source, &shape) };
                let edges = plan.add(0, wanted)?;
                let [edge] = edges[..] else { return Err(through_polymorphic(association, source)) };
                (plan, edge)
            }
            LookUp::Links(table, targets) => {
                let mut plan = of(table);
                let shape = Shape { distinct: false, limit: None, offset: None, group: Vec::new(), ..shape };
                let wanted = Wanted { shape, ranked, links_only: false, resolved: true, ..Wanted::part(association) };
                let edge = plan.add_direct(0, wanted, targets, (association.target)(), None)?;
                plan.nodes[0].edges[edge].cardinality = Cardinality::One;
                (plan, edge)
            }
        };
        if finish.grouped {
            let child = plan.nodes[0].edges[edge].child;
            plan.rank_groups(association, child, &group)?;
        }
        plan.check_selections()?;
        plan.assign_steps();
        if let Some(RowFilters(hook)) = &self.filters {
            plan = plan.with_filters(hook)?;
        }
        Ok(Some(Onward { plan, edge: EdgeId { node: 0, edge }, finish }))
    }

    // What is loaded below the rows was planned before there were owners, and so was which scopes are left out.
    fn check(&self, scope: &Shape) -> Result<()> {
        check_group(self.association, &scope.group)?;
        if scope.includes.is_empty() && !scope.unscoped {
            return Ok(());
        }
        let message = format!(
            "the scope of `{}` that depends on its owner may filter, sort and cut; declare what it includes, and whether \
             it is unscoped, in a `scope` beside it",
            self.association.name
        );
        Err(Error::invalid_query((self.association.owner)().name, message))
    }
}

/// Refuses what a scope by owner cannot be part of.
pub(super) fn check(association: &AssociationDef, route: &Route, hidden: bool, ranked: bool) -> Result<()> {
    let what = match route {
        Route::Direct(_) if hidden && ranked => "cannot be part of one that is sorted by an order of its own",
        Route::Direct(_) => return Ok(()),
        _ if hidden => "goes through others already, so no other can go through it",
        Route::Polymorphic { .. } => "leads to several models",
        _ => return Ok(()),
    };
    let message = format!(
        "`{}` has a scope that depends on its owner and {what}: read it by itself, or with `repo.get_association`",
        association.name
    );
    Err(Error::invalid_query((association.owner)().name, message))
}

impl Plan {
    // The rows between are loaded as for any association; what is known of the targets before there are owners is whose
    // rows they are.
    pub(super) fn add_composed_by_owner(
        &mut self,
        node: usize,
        wanted: Wanted,
        route: Route,
        scope: fn(&dyn Any) -> Shape,
    ) -> Result<usize> {
        let Wanted { association, asked, state, reordered, .. } = wanted;
        let (first, look_up) = match route {
            Route::Through { through, source, source_type } => {
                let first = self.add(node, Wanted::part(through))?;
                let [first] = first[..] else { return Err(through_polymorphic(association, through)) };
                let between = self.nodes[node].edges[first].child;
                // They are the root of a plan of their own, whose keys are not known here.
                self.nodes[between].links_only = false;
                (first, LookUp::Source(self.nodes[between].model, source, source_type))
            }
            Route::JoinTable { table, links, targets } => {
                let part = Wanted { hidden: false, ..Wanted::part(association) };
                (self.add_links(node, &part, table, links, targets)?, LookUp::Links(table, targets))
            }
            _ => return Ok(0),
        };
        let by_owner = ByOwner::new(association, scope, asked, look_up);
        // A declaration that does not hold together is found now.
        by_owner.onward(&Shape::default())?;
        let hop = Hop { owner_columns: &[], target_columns: &[], unique: false, target_type: None };
        let select = KeyedSelect::new((association.target)(), &[]);
        let edge = self.push_edge(node, association, hop, select, state, false, false, None, false);
        let own = &mut self.nodes[node];
        (own.edges[edge].reordered, own.edges[edge].behind) = (reordered, Some(EdgeId { node, edge: first }));
        // The scope is a function of whole owners.
        own.links_only = false;
        self.mark_serving(node, first, edge);
        if let Some(step) = self.steps.last_mut() {
            step.by_owner = Some(by_owner);
        }
        Ok(edge)
    }
}
