//! A repo's row filters on every statement of a plan.

use super::{Fetch, Plan};
use crate::error::Result;
use crate::metadata::expr::Expr;
use crate::metadata::filter_hook::{FilterHook, filtered};

impl Plan {
    /// Adds a hook's filters to every step. Fetched rows already passed the same filters; existing rows of the program
    /// may not have.
    ///
    /// # Errors
    /// When a declaration contradicts itself.
    pub fn with_filters(mut self, hook: &FilterHook) -> Result<Plan> {
        for step in &mut self.steps {
            if hook(step.select.model).is_some() {
                step.memory.retain(|node| !self.available.contains(node));
            }
            match &mut step.fetch {
                Fetch::JoinChain(join_chain) => join_chain.with_filters(hook)?,
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
