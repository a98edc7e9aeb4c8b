//! From a query as it was written to what runs: scopes and filters that always apply, the columns to read, the plan of
//! what to load. One call, without I/O; whatever can be refused is refused here, before any SQL.

use super::distinct::with_distinct_order;
use super::settle::settled;
use super::{Databases, Deferred, JoinChain, Plan, Root, RootRequest};
use crate::dialect::Dialect;
use crate::error::{Error, Result};
use crate::joins::{JoinKind, Joins, MOST_JOINED_TABLES, RawJoin};
use crate::metadata::aggregates::{refuse_in_rows, require_of_groups};
use crate::metadata::association::{AssociationDef, Chain};
use crate::metadata::expr::Operand;
use crate::metadata::filter_hook::{FilterHook, filtered};
use crate::metadata::model::{ColumnDef, ModelDef};
use crate::metadata::request::{Request, ScopeDef};
use crate::select::{JoinedSelect, RootSelect, keep_order_of_groups};
use crate::statement::Statement;
use crate::value::Value;

/// What planning has to know of the repo it plans for.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::metadata::{Request, ScopeDef};
/// use assoc_core::planner::{AggregateSource, PlanContext, Root, RootRequest};
///
/// let dialect = StandardSql::default();
/// let context = PlanContext { dialect: &dialect, filters: None, databases: None };
/// let root = || vec![RootRequest { model: User::DEF, requests: User::COMMENTS.into_requests(), available: false }];
/// assert_eq!(context.plan(Root::Existing, root())?.steps().len(), 2);
/// let mut plan = context.plan_by_hops(Root::Existing, root(), &[User::COMMENTS.def()])?;
/// // Nothing was left to plan until there are rows.
/// assert!(!context.plan_deferred(&mut plan, &|_| true)?);
///
/// let chain = context.chain(User::COMMENTS.def(), ScopeDef::default())?;
/// assert!(context.join_chain(&chain).is_some(), "both tables are in one database");
/// let posts = context.aggregate_step(Request::new(User::POSTS.def()), Post::ID.count().into_operand())?;
/// assert!(matches!(posts.source, AggregateSource::ByKey { .. }));
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Clone, Copy)]
pub struct PlanContext<'c> {
    /// How the database wants its SQL.
    pub dialect: &'c dyn Dialect,
    /// The repo's filters.
    pub filters: Option<&'c FilterHook>,
    /// Which models are in one database, if there are several.
    pub databases: Option<&'c dyn Databases>,
}

/// A query of one model's rows, as it was written.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::planner::{PlanContext, QueryRequest};
/// use assoc_core::select::RootSelect;
///
/// let dialect = StandardSql::default();
/// let context = PlanContext { dialect: &dialect, filters: None, databases: None };
/// let query = QueryRequest {
///     select: RootSelect { filter: User::NAME.eq("Ada").into_expr(), ..RootSelect::new(User::DEF) },
///     preloads: User::POSTS.into_requests(),
///     joins: vec![],
///     raw_joins: vec![],
///     join_chain: None,
///     selected: None,
///     unscoped: false,
/// };
/// // For a count, what is loaded does not matter; an update refuses it.
/// assert!(query.clone().compile_rows(&context)?.joins.is_empty());
/// assert!(query.clone().compile_write(&context).is_err());
///
/// let compiled = query.compile(&context)?;
/// assert_eq!(compiled.statement(&dialect)?.sql(), "SELECT id, name, team_id FROM users WHERE name = ?");
/// assert_eq!(compiled.plan.as_ref().map(|plan| plan.steps().len()), Some(1));
/// assert!(compiled.load.is_none() && compiled.of_roots().carried.is_empty());
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct QueryRequest {
    /// Which rows, in which order. Its joins are assigned by [`compile`](Self::compile).
    pub select: RootSelect,
    /// The associations to load.
    pub preloads: Vec<Request>,
    /// The associations to join.
    pub joins: Vec<(JoinKind, Request)>,
    /// The joins in SQL of the application's.
    pub raw_joins: Vec<RawJoin>,
    /// The tables from the owner of an association to these rows, whose conditions the query has already: with them come
    /// the model's scope and the repo's filters.
    pub join_chain: Option<JoinChain>,
    /// The columns to read, if not all.
    pub selected: Option<Vec<Operand>>,
    /// Whether the model's default scope is left out.
    pub unscoped: bool,
}

/// What a query runs.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::metadata::{Request, Strategy};
/// use assoc_core::planner::{PlanContext, QueryRequest};
/// use assoc_core::select::RootSelect;
///
/// let dialect = StandardSql::default();
/// let context = PlanContext { dialect: &dialect, filters: None, databases: None };
/// let query = QueryRequest {
///     select: RootSelect::new(User::DEF),
///     preloads: vec![Request::new(User::POSTS.def()).with_strategy(Strategy::Joined)],
///     joins: vec![],
///     raw_joins: vec![],
///     join_chain: None,
///     selected: None,
///     unscoped: false,
/// };
/// // The statement loads the posts as well. How many users there are does not depend on them.
/// let compiled = query.compile(&context)?;
/// assert!(compiled.statement(&dialect)?.sql().contains("LEFT OUTER JOIN posts"));
/// assert_eq!(compiled.of_roots().count_statement(&dialect)?.sql(), "SELECT COUNT(*) FROM users");
/// # Ok::<(), assoc_core::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct CompiledQuery {
    /// The statement on the root's rows.
    pub select: RootSelect,
    /// What is loaded below them.
    pub plan: Option<Plan>,
    /// The root's statement, if it loads associations as well.
    pub load: Option<Box<JoinedSelect>>,
}

impl PlanContext<'_> {
    /// The plan of the associations to load for rows of one or several models, with the filters of the repo.
    ///
    /// # Errors
    /// When a request contains an association twice with different options, a declaration contradicts itself, or a
    /// condition needs two databases.
    pub fn plan(&self, root: Root, roots: Vec<RootRequest>) -> Result<Plan> {
        self.plan_by_hops(root, roots, &[])
    }

    /// The same, where some associations through others are loaded table by table.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_by_hops(
        &self,
        root: Root,
        roots: Vec<RootRequest>,
        by_hops: &[&'static AssociationDef],
    ) -> Result<Plan> {
        let single_table_only = self.databases.is_some();
        let plan = |roots, single_table_only| Plan::of_roots_by_hops(root, roots, single_table_only, by_hops);
        let plan = match self.filters {
            None => plan(roots, single_table_only)?,
            Some(filters) => {
                let joining = plan(roots.clone(), single_table_only)?.with_filters(filters)?;
                // A raw SQL filter was written for one table.
                if joining.joins_raw(0) { plan(roots, true)?.with_filters(filters)? } else { joining }
            }
        };
        self.require_steps(&plan, 0)?;
        let mut plan = plan;
        self.plan_aggregates(&mut plan)?;
        Ok(plan)
    }

    /// Plans what an earlier part of the plan [left for later](Plan::deferred) below the nodes that have rows now, and
    /// forgets the rest. `false` if there is nothing to plan.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_deferred(&self, plan: &mut Plan, has_rows: &dyn Fn(usize) -> bool) -> Result<bool> {
        let deferred: Vec<Deferred> =
            std::mem::take(&mut plan.deferred).into_iter().filter(|deferred| has_rows(deferred.node)).collect();
        if deferred.is_empty() {
            return Ok(false);
        }
        let before = plan.steps.len();
        let Some(filters) = self.filters else {
            plan.extend(deferred)?;
            self.require_steps(plan, before)?;
            self.plan_aggregates(plan)?;
            return Ok(true);
        };
        let (nodes, again) = (plan.nodes.len(), deferred.clone());
        plan.extend(deferred)?;
        plan.filter_steps(before, filters)?;
        if plan.joins_raw(before) && !plan.single_table_only {
            // As at the beginning: a raw SQL filter was written for one table.
            plan.steps.truncate(before);
            plan.nodes.truncate(nodes);
            plan.parts.pop();
            plan.deferred.clear();
            plan.asked.clear();
            for Deferred { node, .. } in &again {
                plan.nodes[*node].edges.clear();
            }
            plan.single_table_only = true;
            plan.extend(again)?;
            plan.filter_steps(before, filters)?;
        }
        self.require_steps(plan, before)?;
        self.plan_aggregates(plan)?;
        Ok(true)
    }

    fn require_steps(&self, plan: &Plan, from: usize) -> Result<()> {
        self.databases.map_or(Ok(()), |databases| databases.require_steps(&plan.steps[from..]))
    }

    /// The chain of an association, with the filters of the repo.
    ///
    /// # Errors
    /// When a declaration contradicts itself.
    pub fn chain(&self, association: &'static AssociationDef, requested: ScopeDef) -> Result<Chain> {
        let chain = Chain::scoped(association, requested)?;
        match self.filters {
            Some(hook) => chain.with_filters(hook),
            None => Ok(chain),
        }
    }

    /// The join of a chain's tables, if there is one and they are in one database.
    #[must_use]
    pub fn join_chain(&self, chain: &Chain) -> Option<JoinChain> {
        // Across databases every hop is a separate statement.
        let together = self.databases.is_none_or(|databases| databases.have_whole(chain));
        JoinChain::of(chain).filter(|_| together)
    }
}

impl QueryRequest {
    /// The statement to run and the plan of what to load below it.
    ///
    /// # Errors
    /// When the query cannot run, whatever the reason.
    pub fn compile(self, context: &PlanContext<'_>) -> Result<CompiledQuery> {
        let model = self.select.model;
        let mut preloads = self.preloads;
        let mut by_default = None;
        let mut spec = match self.join_chain {
            // The query has them already.
            Some(_) => self.select,
            None => {
                let (spec, includes, selected) = scoped(context, self.select, self.unscoped)?;
                preloads.extend(includes);
                by_default = selected;
                spec
            }
        };
        let selected = match self.selected {
            Some(operands) => Some(selected_columns(model, &operands)?),
            None => by_default,
        };
        if let Some(selected) = &selected {
            spec = restrict(spec, selected, &preloads)?;
        }
        let restricted = selected.is_some();
        let mut joins = joins_of(context, self.join_chain.as_ref(), &self.joins, self.raw_joins)?;
        let mut plan = None;
        if !preloads.is_empty() {
            if preloads.iter().any(Request::is_to_be_settled) {
                let referred_to = referred_to(&spec, &joins);
                // A longer path than a statement joins tables is refused with the condition that refers to it.
                let paths: Vec<&[&str]> =
                    referred_to.iter().map(Vec::as_slice).filter(|path| path.len() <= MOST_JOINED_TABLES).collect();
                preloads = settled(preloads, &paths)?;
            }
            let mut planned =
                context.plan(Root::Fetched, vec![RootRequest { model, requests: preloads, available: false }])?;
            if !planned.joined().is_empty() {
                planned.join_into(&mut joins, &spec)?;
            }
            plan = Some(if restricted { planned.with_partial_root() } else { planned });
        }
        // The order of rows is total, however much is read of them. Distinct values are no rows.
        let of_values = spec.distinct && !spec.selects_key();
        let operands = spec.operands.take();
        let spec = with_joins(context, spec, joins)?;
        let spec = RootSelect { operands, ..if of_values { spec } else { spec.with_total_order() } };
        let load = match &plan {
            Some(plan) if !plan.joined().is_empty() => {
                if spec.lock.is_some() {
                    let message = "a query that locks its rows loads associations by `preload`: joined rows would be \
                                   locked as well";
                    return Err(Error::invalid_query(model.name, message));
                }
                let rows = RootSelect { operands: None, ..spec.clone() };
                Some(Box::new(JoinedSelect::new(rows, selected, &plan.loaded_edges())?))
            }
            _ => None,
        };
        let spec = if load.is_none() { with_distinct_order(spec)? } else { spec };
        Ok(CompiledQuery { select: spec, plan, load })
    }

    /// The query's rows with its joins, for reads that load nothing.
    ///
    /// # Errors
    /// As [`compile`](Self::compile).
    pub fn compile_rows(self, context: &PlanContext<'_>) -> Result<RootSelect> {
        let select = match self.join_chain {
            // The query has scopes and filters already.
            Some(_) => self.select,
            None => scoped(context, self.select, self.unscoped)?.0,
        };
        let joins = joins_of(context, self.join_chain.as_ref(), &self.joins, self.raw_joins)?;
        with_joins(context, select, joins)
    }
}

impl QueryRequest {
    /// The rows that a bulk update or delete writes.
    ///
    /// # Errors
    /// When the query says something that has no meaning there, or as [`compile`](Self::compile).
    pub fn compile_write(self, context: &PlanContext<'_>) -> Result<RootSelect> {
        let model = self.select.model;
        let refused = if !self.preloads.is_empty() || self.selected.is_some() {
            "rows that are written in bulk are not loaded: leave out `preload`, `includes`, `eager_load` and `select`"
        } else if !self.select.group.is_empty() || !self.select.having.is_always() {
            "groups are not rows: say by `filter` which rows are to be written, or read the keys of the groups' rows first"
        } else if self.join_chain.is_some() {
            "rows that are reached from an owner are written by their key: read them, or say by `filter` which are meant"
        } else if self.select.lock.is_some() {
            "rows that are written are locked by that: leave out `for_update` and `for_share`"
        } else {
            ""
        };
        if !refused.is_empty() {
            return Err(Error::invalid_query(model.name, refused));
        }
        Ok(self.compile_rows(context)?.with_total_order())
    }
}

impl CompiledQuery {
    /// The statement that fetches the root's rows.
    ///
    /// # Errors
    /// When a condition or order names a column the statement cannot reach, raw SQL is inconsistent, or a page needs what
    /// the database lacks.
    pub fn statement(&self, dialect: &dyn Dialect) -> Result<Statement> {
        match &self.load {
            Some(load) => load.statement(dialect),
            None => self.select.statement(dialect),
        }
    }

    /// The query as one about which of the root's rows there are: each once, if it loads associations by a join.
    #[must_use]
    pub fn of_roots(self) -> RootSelect {
        let mut spec = self.select;
        if self.load.is_some() {
            let roots = spec.of_roots();
            spec = RootSelect { distinct: roots.repeats_roots(), operands: None, ..roots };
        }
        spec.carried.clear();
        // What is read of the rows says which there are only where equal ones are one. Columns that are left out do not.
        let decides = spec.distinct || !spec.group.is_empty();
        spec.operands = spec.operands.filter(|_| decides);
        if let Some(operands) = &mut spec.operands {
            operands.retain(|operand| !matches!(operand, Operand::Value(Value::Null)));
        }
        spec
    }
}

fn joins_of(
    context: &PlanContext<'_>,
    join_chain: Option<&JoinChain>,
    joined: &[(JoinKind, Request)],
    raw: Vec<RawJoin>,
) -> Result<Joins> {
    let mut joins = Joins::default();
    if let Some(chain) = join_chain {
        chain.join_into(&mut joins);
    }
    raw.into_iter().for_each(|raw| joins.push_raw(raw));
    for (kind, request) in joined {
        joins.join(request, *kind, context.filters)?;
    }
    Ok(joins)
}

fn with_joins(context: &PlanContext<'_>, mut select: RootSelect, mut joins: Joins) -> Result<RootSelect> {
    if !joins.is_empty() {
        joins.assign_names(select.model, context.dialect.capabilities().max_identifier);
    }
    select.joins = joins;
    let RootSelect { model, filter, order, group, having, .. } = &select;
    require_of_groups(model.name, filter, group, having)?;
    if group.is_empty() {
        refuse_in_rows(model.name, filter, order)?;
    }
    context.databases.map_or(Ok(()), |databases| databases.require_select(&select))?;
    Ok(select)
}

// The association paths that the query's conditions, orders and joins refer to.
fn referred_to(spec: &RootSelect, joins: &Joins) -> Vec<Vec<&'static str>> {
    let mut paths: Vec<Vec<&'static str>> = joins.paths().map(|(path, _)| path.to_vec()).collect();
    spec.visit_paths(&mut |path| paths.push(path.to_vec()));
    paths
}

// The base scope of every read of the model: its discriminator and default scope. The query's order and limit take
// precedence. Includes and selected columns of the scope are returned beside the query.
fn scoped(
    context: &PlanContext<'_>,
    mut spec: RootSelect,
    unscoped: bool,
) -> Result<(RootSelect, Vec<Request>, Option<Vec<usize>>)> {
    if let Some(filters) = context.filters {
        spec.filter = filtered(filters, spec.model, spec.filter)?;
    }
    if spec.model.default_scope.is_none() && spec.model.discriminator.is_none() {
        return Ok((spec, Vec::new(), None));
    }
    let base = spec.model.base_scope(unscoped);
    spec.model.check_default_group(&base.group)?;
    spec.filter = base.filter.and(spec.filter);
    if spec.order.is_empty() {
        spec.order = base.order;
        keep_order_of_groups(spec.model, &spec.group, &mut spec.order, &[]);
    }
    spec.limit = spec.limit.or(base.limit);
    spec.offset = spec.offset.or(base.offset);
    Ok((spec, base.includes.into_vec(), base.select))
}

// Reads some columns only: the others are NULL in the answer, which their types have to allow.
fn restrict(spec: RootSelect, selected: &[usize], preloads: &[Request]) -> Result<RootSelect> {
    let model = spec.model;
    for request in preloads {
        let keys = Chain::keys(request.association)?.owner_columns();
        if let Some(missing) = keys.into_iter().find(|at| !selected.contains(at)).map(|at| model.columns[at].name) {
            let association = request.association.name;
            let message =
                format!("`select` leaves out `{missing}`, the key that preloading `{association}` goes by: add it");
            return Err(Error::invalid_query(model.name, message));
        }
    }
    model.check_left_out(selected)?;
    let operand = |(at, column): (usize, &ColumnDef)| {
        if selected.contains(&at) { Operand::Column(column.column_ref()) } else { Operand::Value(Value::Null) }
    };
    let operands = model.columns.iter().enumerate().map(operand).collect();
    Ok(RootSelect { operands: Some(operands), ..spec })
}

/// The columns that a query selects, as indexes.
///
/// # Errors
/// When one of them is no column of the model.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::Selectable;
/// use assoc_core::planner::selected_columns;
///
/// let columns = [Post::TITLE.into_selected(), Post::ID.into_selected()];
/// assert_eq!(selected_columns(Post::DEF, &columns)?, [Post::TITLE.index(), Post::ID.index()]);
/// assert!(selected_columns(Post::DEF, &[Post::ID.count().into_operand()]).is_err());
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub fn selected_columns(model: &'static ModelDef, operands: &[Operand]) -> Result<Vec<usize>> {
    let index = |operand: &Operand| match operand {
        Operand::Column(column) => model.columns.iter().position(|known| known.name == column.name),
        _ => None,
    };
    operands.iter().map(index).collect::<Option<_>>().ok_or_else(|| {
        let message = "`select` takes columns of the model; aggregates are read with `repo.pluck`";
        Error::invalid_query(model.name, message)
    })
}
