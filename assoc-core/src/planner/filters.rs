//! A repo's row filters on every statement of a plan.

use super::{Fetch, Plan};
use crate::error::Result;
use crate::metadata::filter_hook::{FilterHook, RowFilters, filtered};
use crate::select::KeyedSelect;

impl Plan {
    /// Adds a hook's filters to every step. Fetched rows already passed the same filters; existing rows of the program
    /// may not have.
    ///
    /// # Errors
    /// When a declaration contradicts itself.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::IntoPreload;
    /// use assoc_core::planner::{Plan, Root};
    ///
    /// let hook: assoc_core::execution::FilterHook =
    ///     std::sync::Arc::new(|model| (model == Post::DEF).then(|| Post::TITLE.ne("").into_expr()));
    /// let plan = Plan::new(User::DEF, Root::Fetched, User::POSTS.into_requests())?.with_filters(&hook)?;
    /// assert_eq!(plan.steps()[0].select.filter, Post::TITLE.ne("").into_expr());
    /// # Ok::<(), assoc_core::Error>(())
    /// ```
    pub fn with_filters(mut self, hook: &FilterHook) -> Result<Plan> {
        self.filter_steps(0, hook)?;
        for select in self.joined.iter_mut().map(|joined| &mut joined.select) {
            put_on(hook, select)?;
        }
        Ok(self)
    }

    /// Puts a hook's filters on the steps from one on.
    pub(super) fn filter_steps(&mut self, from: usize, hook: &FilterHook) -> Result<()> {
        self.row_filters = Some(RowFilters(hook.clone()));
        for step in &mut self.steps[from..] {
            if hook(step.select.model).is_some() {
                step.memory.retain(|node| !self.available.contains(node));
            }
            match &mut step.fetch {
                Fetch::JoinChain(join_chain) => join_chain.with_filters(hook)?,
                Fetch::OwnerScope(scope) | Fetch::OwnerScopeThrough(scope) => scope.with_filters(hook),
                Fetch::ByKey | Fetch::CustomSql(_) | Fetch::Function(_) => {}
            }
            put_on(hook, &mut step.select)?;
        }
        Ok(())
    }
}

fn put_on(hook: &FilterHook, select: &mut KeyedSelect) -> Result<()> {
    let filter = std::mem::take(&mut select.filter);
    select.filter = filtered(hook, select.model, filter)?;
    Ok(())
}
