//! From a query as it was written to what runs: scopes and filters that always apply, the columns to read, the plan of
//! what to load. Whatever can be refused is refused here, before any SQL.

use assoc_core::joins::{JoinKind, Joins, RawJoin};
use assoc_core::planner::{Plan, Request, Root, RootRequest, Way};
use assoc_core::sql::{JoinedSelect, Select as SelectSpec};
use assoc_core::{
    AssociationDef, ColumnDef, ColumnRef, Dialect, Error, Expr, Model, ModelDef, Operand, Result, Route, Statement,
    Value, filtered,
};

use crate::query::Select;
use crate::repo::Repo;

impl Repo {
    /// The plan of a request, with the repo's filters.
    pub(crate) fn plan(&self, model: &'static ModelDef, root: Root, requests: Vec<Request>) -> Result<Plan> {
        self.plan_of(root, vec![RootRequest { model, requests, available: false }])
    }

    /// The same for rows of several models.
    pub(crate) fn plan_of(&self, root: Root, roots: Vec<RootRequest>) -> Result<Plan> {
        let apart = self.elsewhere.is_some();
        let plan = match &self.filters {
            None => Plan::of_roots(root, roots, apart)?,
            Some(filters) => {
                let plan = Plan::of_roots(root, roots.clone(), apart)?.with_filters(filters)?;
                // What a filter in SQL of the application's own says is said of one table.
                if plan.joins_raw() { Plan::of_roots(root, roots, true)?.with_filters(filters)? } else { plan }
            }
        };
        self.require_steps_together(&plan)?;
        Ok(plan)
    }
}

impl<M: Model> Select<M> {
    // Nothing but the model: the row's key decides everything.
    pub(crate) fn is_plain(&self) -> bool {
        let spec = &self.spec;
        self.preloads.is_empty()
            && self.joins.is_empty()
            && self.raw_joins.is_empty()
            && self.selected.is_none()
            && !self.origin.is_read_only()
            && M::DEF.default_scope.is_none()
            && M::DEF.discriminator.is_none()
            && spec.filter.is_always()
            && spec.limit.is_none()
            && spec.offset.is_none()
            && !spec.distinct
            && spec.group.is_empty()
            && spec.having.is_always()
    }

    /// The statement to run and the plan of what to load below it; everything that can be refused is refused here.
    pub(crate) fn prepare(self, repo: &Repo) -> Result<Prepared> {
        let mut preloads = self.preloads;
        let mut by_default = None;
        let mut spec = match self.way {
            // The filter has it all.
            Some(_) => self.spec,
            None => {
                let (spec, includes, selected) = scoped(repo, self.spec, self.unscoped)?;
                preloads.extend(includes);
                by_default = selected;
                spec
            }
        };
        let selected = match self.selected {
            Some(operands) => Some(selected_columns(M::DEF, &operands)?),
            None => by_default,
        };
        if let Some(selected) = &selected {
            spec = restrict(spec, selected, &preloads)?;
        }
        let restricted = selected.is_some();
        let mut joins = joins_of(repo, self.way.as_ref(), &self.joins, self.raw_joins)?;
        let mut plan = None;
        if !preloads.is_empty() {
            let referred_to = referred_to(&spec, &joins);
            let preloads = preloads.into_iter().map(|request| request.settled(&[], &referred_to)).collect();
            let mut planned = repo.plan(M::DEF, Root::Fetched, preloads)?;
            planned.join_into(&mut joins, &spec)?;
            plan = Some(if restricted { planned.with_partial_root() } else { planned });
        }
        // The order of rows is total, however much is read of them.
        let operands = spec.operands.take();
        let spec = SelectSpec { operands, ..with_joins(repo, spec, joins)?.with_total_order() };
        let load = match &plan {
            Some(plan) if !plan.joined().is_empty() => {
                let rows = SelectSpec { operands: None, ..spec.clone() };
                Some(Box::new(JoinedSelect::new(rows, selected, plan, repo.dialect())?))
            }
            _ => None,
        };
        let spec = if load.is_none() { with_distinct_order(spec)? } else { spec };
        Ok(Prepared { spec, plan, load })
    }
}

/// What a query runs.
pub(crate) struct Prepared {
    pub(crate) spec: SelectSpec,
    pub(crate) plan: Option<Plan>,
    /// The root's statement, if it loads associations as well.
    pub(crate) load: Option<Box<JoinedSelect>>,
}

impl Prepared {
    /// The statement that fetches the root's rows.
    pub(crate) fn statement(&self, dialect: &dyn Dialect) -> Result<Statement> {
        match &self.load {
            Some(load) => load.statement(dialect),
            None => self.spec.statement(dialect),
        }
    }

    /// The query as one about which of the root's rows there are: each once, if it loads associations by a join.
    pub(crate) fn of_roots(self) -> SelectSpec {
        let mut spec = self.spec;
        if self.load.is_some() {
            let roots = spec.of_roots();
            spec = SelectSpec { distinct: roots.repeats_roots(), operands: None, ..roots };
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

fn joins_of(repo: &Repo, way: Option<&Way>, joined: &[(JoinKind, Request)], raw: Vec<RawJoin>) -> Result<Joins> {
    let mut joins = Joins::default();
    if let Some(way) = way {
        way.join_into(&mut joins);
    }
    raw.into_iter().for_each(|raw| joins.push_raw(raw));
    for (kind, request) in joined {
        joins.join(request, *kind, repo.filters.as_ref())?;
    }
    Ok(joins)
}

fn with_joins(repo: &Repo, mut spec: SelectSpec, mut joins: Joins) -> Result<SelectSpec> {
    joins.assign_names(spec.model, repo.dialect().capabilities().max_identifier);
    spec.joins = joins;
    repo.require_together(&spec)?;
    Ok(spec)
}

// The association paths that the query's conditions, orders and joins refer to.
fn referred_to(spec: &SelectSpec, joins: &Joins) -> Vec<Vec<&'static str>> {
    let mut paths: Vec<Vec<&'static str>> = joins.paths().map(|(path, _)| path.to_vec()).collect();
    spec.visit_paths(&mut |path| paths.push(path.to_vec()));
    paths
}

/// The query's own row selection with its joins, for reads that load nothing.
pub(crate) fn joined_spec<M: Model>(repo: &Repo, query: Select<M>) -> Result<SelectSpec> {
    let (spec, ..) = scoped(repo, query.spec, query.unscoped)?;
    let joins = joins_of(repo, query.way.as_ref(), &query.joins, query.raw_joins)?;
    with_joins(repo, spec, joins)
}

// Distinct rows are sorted by what is selected. A column of a single target goes with the row, so it can be selected too;
// of a collection there are several, and the rows would no longer be distinct.
fn with_distinct_order(mut spec: SelectSpec) -> Result<SelectSpec> {
    if !spec.distinct || !spec.is_sorted_by_joined() {
        return Ok(spec);
    }
    let model = spec.model;
    if spec.is_sorted_by_collection() {
        let message = "distinct rows have no order by a collection, of which each has several: load it with `eager_load` \
                       instead of `join` and `distinct`, and each row comes once, where its first one is";
        return Err(Error::invalid_query(model.name, message));
    }
    if !spec.selects_key() {
        let message = "distinct values of some columns can only be sorted by these: add the primary key to `select`, or \
                       leave out the order by a joined column";
        return Err(Error::invalid_query(model.name, message));
    }
    for term in &spec.order {
        let mut joined = false;
        term.operand.visit_path(&[], &mut |path| joined |= !path.is_empty());
        if joined && !spec.carried.contains(&term.operand) {
            spec.carried.push(term.operand.clone());
        }
    }
    Ok(spec)
}

// What every read of the model begins with: its discriminator and default scope. The query's own order and limit win.
// What it includes and selects is returned beside the query.
pub(crate) fn scoped(
    repo: &Repo,
    mut spec: SelectSpec,
    unscoped: bool,
) -> Result<(SelectSpec, Vec<Request>, Option<Vec<usize>>)> {
    if let Some(filters) = &repo.filters {
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
    }
    spec.limit = spec.limit.or(base.limit);
    spec.offset = spec.offset.or(base.offset);
    Ok((spec, base.includes, base.select))
}

// Reads some columns only: the others are NULL in the answer, which their types have to allow.
fn restrict(spec: SelectSpec, selected: &[usize], preloads: &[Request]) -> Result<SelectSpec> {
    let model = spec.model;
    for request in preloads {
        let keys = key_columns(request.association)?;
        if let Some(missing) = keys.into_iter().find(|at| !selected.contains(at)).map(|at| model.columns[at].name) {
            let association = request.association.name;
            let message =
                format!("`select` leaves out `{missing}`, the key that preloading `{association}` goes by: add it");
            return Err(Error::invalid_query(model.name, message));
        }
    }
    model.check_left_out(selected)?;
    let operand = |(at, column): (usize, &ColumnDef)| {
        if selected.contains(&at) { Operand::Column(ColumnRef::own(column.name)) } else { Operand::Value(Value::Null) }
    };
    let operands = model.columns.iter().enumerate().map(operand).collect();
    Ok(SelectSpec { operands: Some(operands), ..spec })
}

/// The columns that a query selects, as indexes.
pub(crate) fn selected_columns(model: &'static ModelDef, operands: &[Operand]) -> Result<Vec<usize>> {
    let index = |operand: &Operand| match operand {
        Operand::Column(column) => model.columns.iter().position(|known| known.name == column.name),
        _ => None,
    };
    operands.iter().map(index).collect::<Option<_>>().ok_or_else(|| {
        let message = "`select` takes columns of the model; aggregates are read with `repo.pluck`";
        Error::invalid_query(model.name, message)
    })
}

// The owner's columns an association goes by.
fn key_columns(association: &AssociationDef) -> Result<Vec<usize>> {
    Ok(match association.kind.route(association)? {
        Route::Direct(hop) | Route::JoinTable { links: hop, .. } => hop.owner_columns.to_vec(),
        Route::Through { through, .. } => key_columns(through)?,
        Route::Polymorphic { type_column, owner_columns, .. } => {
            owner_columns.iter().copied().chain([type_column]).collect()
        }
        _ => Vec::new(),
    })
}

/// The query with the condition that the primary key has these values.
pub(crate) fn keyed_spec<M: Model>(spec: SelectSpec, values: Vec<Value<'static>>) -> SelectSpec {
    let key = M::DEF.primary_key_names().zip(values).map(|(name, value)| Expr::equals(name, value)).collect();
    SelectSpec { filter: Expr::All(key).and(spec.filter), ..spec }
}
