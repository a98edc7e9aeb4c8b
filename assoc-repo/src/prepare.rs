//! From a query as it was written to what runs: scopes and filters that always apply, the columns to read, the plan of
//! what to load. Whatever can be refused is refused here, before any SQL.

use assoc_core::planner::{Plan, Request, Root};
use assoc_core::sql::Select as SelectSpec;
use assoc_core::{
    AssociationDef, ColumnDef, ColumnRef, Error, Expr, Model, ModelDef, Operand, Result, Route, Value, filtered,
};

use crate::query::Select;
use crate::repo::Repo;

impl Repo {
    /// The plan of a request, with the repo's filters.
    pub(crate) fn plan(&self, model: &'static ModelDef, root: Root, requests: Vec<Request>) -> Result<Plan> {
        let plan = Plan::new(model, root, requests)?;
        match &self.filters {
            Some(filters) => plan.with_filters(filters),
            None => Ok(plan),
        }
    }
}

impl<M: Model> Select<M> {
    // Nothing but the model: the row's key decides everything.
    pub(crate) fn is_plain(&self) -> bool {
        let spec = &self.spec;
        self.preloads.is_empty()
            && self.selected.is_none()
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
    pub(crate) fn prepare(self, repo: &Repo) -> Result<(SelectSpec, Option<Plan>)> {
        let (mut spec, includes, by_default) = scoped(repo, self.spec, self.unscoped)?;
        let mut preloads = self.preloads;
        preloads.extend(includes);
        let selected = match self.selected {
            Some(operands) => Some(selected_columns(M::DEF, &operands)?),
            None => by_default,
        };
        if let Some(selected) = &selected {
            spec = restrict(spec, selected, &preloads)?;
        }
        let mut plan = if preloads.is_empty() { None } else { Some(repo.plan(M::DEF, Root::Fetched, preloads)?) };
        if selected.is_some() {
            plan = plan.map(Plan::with_partial_root);
        }
        Ok((spec.with_total_order(), plan))
    }
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
