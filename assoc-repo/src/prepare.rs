//! From a query as it was written to what runs: scopes and filters that always apply, the columns to read, the plan of
//! what to load. Whatever can be refused is refused here, before any SQL.

use assoc_core::planner::{Plan, Request, Root};
use assoc_core::sql::Select as SelectSpec;
use assoc_core::{AssociationDef, ColumnRef, Error, Expr, Model, ModelDef, Operand, Result, Route, Value, filtered};

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
        let (mut spec, includes) = scoped(repo, self.spec, self.unscoped)?;
        let mut preloads = self.preloads;
        preloads.extend(includes);
        if let Some(selected) = self.selected {
            spec = restrict(spec, &selected, &preloads)?;
        }
        let plan = if preloads.is_empty() { None } else { Some(repo.plan(M::DEF, Root::Fetched, preloads)?) };
        Ok((spec.with_total_order(), plan))
    }
}

// What every read of the model begins with: its discriminator and default scope. The query's own order and limit win.
pub(crate) fn scoped(repo: &Repo, mut spec: SelectSpec, unscoped: bool) -> Result<(SelectSpec, Vec<Request>)> {
    if let Some(filters) = &repo.filters {
        spec.filter = filtered(filters, spec.model, spec.filter)?;
    }
    if spec.model.default_scope.is_none() && spec.model.discriminator.is_none() {
        return Ok((spec, Vec::new()));
    }
    let base = spec.model.base_scope(unscoped);
    spec.filter = base.filter.and(spec.filter);
    if spec.order.is_empty() {
        spec.order = base.order;
    }
    spec.limit = spec.limit.or(base.limit);
    spec.offset = spec.offset.or(base.offset);
    Ok((spec, base.includes))
}

// Reads some columns only: the others are NULL in the answer, which their types have to allow.
fn restrict(spec: SelectSpec, selected: &[Operand], preloads: &[Request]) -> Result<SelectSpec> {
    let model = spec.model;
    let is_selected =
        |name: &str| selected.iter().any(|operand| matches!(operand, Operand::Column(column) if column.name == name));
    if selected.iter().any(|operand| !matches!(operand, Operand::Column(_))) {
        let message = "`select` takes columns of the model; aggregates are read with `repo.pluck`";
        return Err(Error::invalid_query(model.name, message));
    }
    for request in preloads {
        let keys = key_columns(request.association)?;
        if let Some(missing) = keys.iter().map(|at| model.columns[*at].name).find(|name| !is_selected(name)) {
            let association = request.association.name;
            let message =
                format!("`select` leaves out `{missing}`, the key that preloading `{association}` goes by: add it");
            return Err(Error::invalid_query(model.name, message));
        }
    }
    let mut operands = Vec::with_capacity(model.columns.len());
    for column in model.columns {
        operands.push(if is_selected(column.name) {
            Operand::Column(ColumnRef::own(column.name))
        } else if column.nullable {
            Operand::Value(Value::Null)
        } else {
            let (name, field) = (column.name, column.field);
            let message = format!(
                "`select` leaves out `{name}`, and the field `{field}` has no empty value: make it an `Option`, or read values with `repo.pluck`"
            );
            return Err(Error::invalid_query(model.name, message));
        });
    }
    Ok(SelectSpec { operands: Some(operands), ..spec })
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
