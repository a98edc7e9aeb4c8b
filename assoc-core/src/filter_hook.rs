//! Filters that apply to every query: tenancy, soft delete.
//!
//! A hook answers, model by model, with the condition that rows of the model must satisfy in addition. It is asked for
//! roots, for every level of a preload, and for the targets of conditions on associations, so a row that is filtered
//! out is filtered out everywhere.

use std::fmt;
use std::sync::Arc;

use crate::association::Chain;
use crate::error::Result;
use crate::expr::Expr;
use crate::model::ModelDef;
use crate::planner::{Fetch, Plan};

/// Answers with the condition that rows of a model must satisfy, if there is one.
pub type FilterHook = Arc<dyn Fn(&'static ModelDef) -> Option<Expr> + Send + Sync>;

/// A hook as part of a condition: the rows of associations that it looks into go by it. Two are equal if they are the
/// same one.
#[derive(Clone)]
pub struct RowFilters(pub FilterHook);

impl PartialEq for RowFilters {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for RowFilters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RowFilters")
    }
}

/// A condition on rows of a model, with a hook's filters on those rows and on whatever the condition looks into.
///
/// # Errors
/// When a declaration does not hold together.
pub fn filtered(hook: &FilterHook, model: &'static ModelDef, filter: Expr) -> Result<Expr> {
    let filter = filter.with_filters(hook)?;
    Ok(match hook(model) {
        Some(more) => more.and(filter),
        None => filter,
    })
}

impl Expr {
    /// The condition with a hook's filters on the targets of every association it looks into.
    ///
    /// # Errors
    /// When a declaration does not hold together.
    pub fn with_filters(self, hook: &FilterHook) -> Result<Expr> {
        let each = |all: Vec<Expr>| all.into_iter().map(|one| one.with_filters(hook)).collect::<Result<Vec<_>>>();
        Ok(match self {
            Expr::All(all) => Expr::All(each(all)?),
            Expr::Any(any) => Expr::Any(each(any)?),
            Expr::Not(inner) => Expr::Not(Box::new(inner.with_filters(hook)?)),
            Expr::Related { association, filter, only_type, .. } => {
                Chain::keys(association)?;
                let filters = Some(RowFilters(Arc::clone(hook)));
                Expr::Related { association, filter: Box::new(filter.with_filters(hook)?), only_type, filters }
            }
            Expr::Chosen(mut chosen) => {
                let among = std::mem::replace(&mut chosen.among, Expr::always());
                chosen.among = filtered(hook, chosen.model, among)?;
                Expr::Chosen(chosen)
            }
            // Whoever joins a table filters it.
            Expr::Joined { association, filter } => {
                Expr::Joined { association, filter: Box::new(filter.with_filters(hook)?) }
            }
            other => other,
        })
    }
}

impl Plan {
    /// The plan with a hook's filters on every step. Rows that were fetched went through the same filters; rows that the
    /// application has at hand may not have.
    ///
    /// # Errors
    /// When a declaration does not hold together.
    pub fn with_filters(mut self, hook: &FilterHook) -> Result<Plan> {
        for step in &mut self.steps {
            if hook(step.select.model).is_some() {
                step.memory.retain(|node| !self.available.contains(node));
            }
            match &mut step.fetch {
                Fetch::JoinChain(way) => way.with_filters(hook)?,
                Fetch::OwnerScope(scope) | Fetch::OwnerScopeThrough(scope) => scope.with_filters(hook),
                Fetch::ByKey | Fetch::CustomSql(_) | Fetch::Function(_) => {}
            }
        }
        let joined = self.joined.iter_mut().map(|joined| &mut joined.select);
        for select in self.steps.iter_mut().map(|step| &mut step.select).chain(joined) {
            let filter = std::mem::replace(&mut select.filter, Expr::always());
            select.filter = filtered(hook, select.model, filter)?;
        }
        Ok(self)
    }
}
