//! Scopes that depend on the owner: their rows are known only when the owners are loaded.
//!
//! The plan contains a function that turns an owner's scope into a look-up. The layers are the same as everywhere: the
//! association's scope, the owner's scope, and the requested scope on top. An association by a key costs one look-up
//! per distinct scope. A through association loads its intermediate rows once for all owners, as a hidden edge. From
//! there a small [`Plan`] per scope loads the targets, because the scope decides about targets that other owners may
//! share.

use std::any::Any;

use super::build::{Columns, LoadedBy, NewEdge, PlanRequest, Role, keyed_select};
use super::grouping::check_group;
use super::{EdgeId, Fetch, OwnerLimits, Plan, Root, Step};
use crate::error::{Error, Result};
use crate::metadata::association::{AssociationDef, Chain, ChainParts};
use crate::metadata::filter_hook::{FilterHook, RowFilters, filtered};
use crate::metadata::request::ScopeDef;
use crate::select::KeyedSelect;

/// A scope that depends on the owner, which each owner's scope turns into a look-up.
///
/// ```
/// # use assoc_core::{HasMany, IntoPreload, Model, Scope};
/// use assoc_core::planner::{Fetch, Plan, Root};
///
/// #[derive(assoc_macros::Model, Clone)]
/// struct User {
///     id: i64,
///     shown: i64,
///     #[has_many(scope_by_owner = newest)]
///     posts: HasMany<Post>,
/// }
/// # #[derive(assoc_macros::Model, Clone)]
/// # struct Post { id: i64, user_id: i64 }
///
/// fn newest(user: &User, posts: Scope<Post>) -> Scope<Post> {
///     posts.filter(Post::ID.gt(user.shown))
/// }
///
/// let plan = Plan::new(User::DEF, Root::Fetched, User::POSTS.into_requests())?;
/// let step = &plan.steps()[0];
/// let Fetch::OwnerScope(by_owner) = &step.fetch else { panic!("a scope of the owner") };
/// assert!(step.depends_on_owners());
/// // Owners with the same scope share a look-up.
/// let scope = |shown| by_owner.scope_of(&User { id: 1, shown, posts: HasMany::default() });
/// assert!(scope(7) == scope(7) && scope(7) != scope(9));
/// let select = by_owner.select(&plan, step, &scope(7))?;
/// assert_eq!(select.filter, Post::ID.gt(7).into_expr());
/// // No rows are between.
/// assert!(by_owner.onward(&scope(7))?.is_none());
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct OwnerScope {
    association: &'static AssociationDef,
    scope: fn(&dyn Any) -> ScopeDef,
    requested: ScopeDef,
    columns: Columns,
    filters: Option<RowFilters>,
}

/// The look-ups from the intermediate rows, for the owners of one scope.
#[derive(Debug, Clone)]
pub struct Onward {
    /// The plan; the rows between are its root.
    pub plan: Plan,
    /// The edge to the targets.
    pub edge: EdgeId,
    /// What is done with each owner's rows then.
    pub limits: OwnerLimits,
}

impl OwnerScope {
    pub(super) fn new(
        association: &'static AssociationDef,
        scope: fn(&dyn Any) -> ScopeDef,
        requested: ScopeDef,
        columns: Columns,
    ) -> Self {
        OwnerScope { association, scope, requested, columns, filters: None }
    }

    pub(crate) fn with_filters(&mut self, hook: &FilterHook) {
        self.filters = Some(RowFilters(hook.clone()));
    }

    /// An owner's scope. Owners whose scopes are equal share a look-up.
    #[must_use]
    pub fn scope_of(&self, owner: &dyn Any) -> ScopeDef {
        (self.scope)(owner)
    }

    // The chain of owners with a scope. What is loaded below the rows was planned before there were owners, and so was
    // which scopes are left out.
    fn chain(&self, scope: &ScopeDef) -> Result<Chain> {
        if scope.includes.is_empty() && !scope.unscoped {
            let chain = Chain::of_owner(self.association, scope.clone(), self.requested.clone())?;
            return check_group(&chain).map(|()| chain);
        }
        let message = format!(
            "the scope of `{}` that depends on its owner may filter, sort and cut; declare what it includes, and whether \
             it is unscoped, in a `scope` beside it",
            self.association.name
        );
        Err(Error::invalid_query((self.association.owner)().name, message))
    }

    /// The look-up for owners with a scope, of an association by a key.
    ///
    /// # Errors
    /// When the scope contains an option that a scope of one owner cannot have.
    pub fn select(&self, plan: &Plan, step: &Step, scope: &ScopeDef) -> Result<KeyedSelect> {
        let chain = self.chain(scope)?;
        let Some(hop) = chain.as_key() else { return Ok(step.select.clone()) };
        let mut select = keyed_select(hop, false, self.columns)?;
        if let Some(RowFilters(hook)) = &self.filters {
            select.filter = filtered(hook, select.model, select.filter)?;
        }
        select.only.clone_from(&step.select.only);
        plan.check_selection(step.serves[0], &select)?;
        Ok(select)
    }

    /// The look-ups from the intermediate rows for owners with a scope, of a through association or a join table;
    /// `None` for other associations.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn onward(&self, scope: &ScopeDef) -> Result<Option<Onward>> {
        let chain = self.chain(scope)?;
        let ScopeDef { distinct, limit, ref group, .. } = chain.scope;
        let globally_ordered = !chain.scope.order.is_empty();
        let (mut plan, edge, join_rows) = match &chain.parts {
            ChainParts::Key(_) | ChainParts::ByType { .. } | ChainParts::CustomSql(_) => return Ok(None),
            ChainParts::Through { through, source } => {
                let Some(between) = through.targets().first().copied() else { return Ok(None) };
                let mut plan = Plan::of_root(Root::Existing, between);
                let onward = PlanRequest { globally_ordered, columns: Columns::OfRows, ..PlanRequest::part(source) };
                let edge = plan.add_only(0, &chain, onward)?;
                (plan, edge, false)
            }
            ChainParts::JoinTable { rows, targets } => {
                let mut plan = Plan::of_root(Root::Existing, rows.model);
                let requested = PlanRequest { columns: Columns::OfRows, ..PlanRequest::part(&chain) };
                let edge = plan.add_targets_of_join_rows(0, requested, targets, globally_ordered)?;
                (plan, edge, !rows.model.is_bare_join_table())
            }
        };
        let (offset, grouped) = (chain.scope.offset.unwrap_or(0), !group.is_empty());
        let limits = OwnerLimits { globally_ordered, distinct, grouped, offset, limit, join_rows };
        if grouped {
            let child = plan.nodes[0].edges[edge].child;
            plan.rank_groups(self.association, child, group)?;
        }
        plan.check_selections(0)?;
        plan.assign_steps(0);
        if let Some(RowFilters(hook)) = &self.filters {
            plan = plan.with_filters(hook)?;
        }
        Ok(Some(Onward { plan, edge: EdgeId { node: 0, edge }, limits }))
    }
}

/// Refuses what a scope that depends on the owner cannot be part of.
pub(super) fn check_owner_scope(requested: PlanRequest<'_>) -> Result<()> {
    let through = requested.role == Role::Through;
    let what = match &requested.chain.parts {
        ChainParts::Key(_) if through && requested.globally_ordered => {
            "cannot be part of one that is sorted by an order of its own"
        }
        ChainParts::Key(_) => return Ok(()),
        _ if through => "goes through others already, so no other can go through it",
        ChainParts::ByType { .. } => "leads to several models",
        ChainParts::CustomSql(_) => "has SQL of its own (`finder_sql`)",
        ChainParts::Through { .. } | ChainParts::JoinTable { .. } => return Ok(()),
    };
    let association = requested.chain.association;
    let message = format!(
        "`{}` has a scope that depends on its owner and {what}: read it by itself, or with `repo.get_association`",
        association.name
    );
    Err(Error::invalid_query((association.owner)().name, message))
}

impl Plan {
    // The rows between are loaded as for any association; what is known of the targets before there are owners is whose
    // rows they are.
    pub(super) fn add_owner_scope_through(
        &mut self,
        node: usize,
        requested: PlanRequest<'_>,
        scope: fn(&dyn Any) -> ScopeDef,
    ) -> Result<usize> {
        let PlanRequest { chain, role, .. } = requested;
        let association = chain.association;
        let behind = match &chain.parts {
            ChainParts::Through { through, .. } => {
                let first = self.add_only(node, chain, PlanRequest::part(through))?;
                // The intermediate rows are the root of a separate plan, which does not know their keys.
                let between = self.nodes[node].edges[first].child;
                self.nodes[between].links_only = false;
                Some(first)
            }
            ChainParts::JoinTable { rows, .. } => Some(self.add_join_rows(node, rows, Columns::OfRows, false)),
            ChainParts::Key(_) | ChainParts::ByType { .. } | ChainParts::CustomSql(_) => None,
        };
        let scope = OwnerScope::new(association, scope, chain.requested.clone(), Columns::OfRows);
        // A declaration that does not hold together is found now.
        scope.onward(&ScopeDef::default())?;
        let by = LoadedBy::Owner(Fetch::OwnerScopeThrough(scope), behind.map(|edge| EdgeId { node, edge }));
        let select = KeyedSelect::new((association.target)(), &[]);
        let columns = Columns::OfRows;
        let edge = self.push_edge(node, NewEdge { association, role, columns, variant: None, select, by });
        // The scope is a function of whole owners.
        self.nodes[node].links_only = false;
        if let Some(first) = behind {
            self.mark_serving(node, first, edge);
        }
        Ok(edge)
    }
}
