//! Filters that apply to every query: tenancy, soft delete.
//!
//! A hook answers, model by model, with the condition that rows of the model must satisfy in addition. It is asked for
//! roots, for every level of a preload, and for the targets of conditions on associations, so a row that is filtered
//! out is filtered out everywhere.

use std::sync::Arc;

use crate::association::{AssociationDef, Route};
use crate::error::Result;
use crate::expr::Expr;
use crate::model::ModelDef;
use crate::planner::Plan;

/// Answers with the condition that rows of a model must satisfy, if there is one.
pub type FilterHook = Arc<dyn Fn(&'static ModelDef) -> Option<Expr> + Send + Sync>;

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
            Expr::Related { association, filter, only_type, links } => {
                related(association, *filter, only_type, links, hook)?
            }
            // Whoever joins a table filters it.
            Expr::Joined { association, filter } => {
                Expr::Joined { association, filter: Box::new(filter.with_filters(hook)?) }
            }
            other => other,
        })
    }
}

fn related(
    association: &'static AssociationDef,
    filter: Expr,
    only_type: Option<&'static str>,
    links: Option<Box<Expr>>,
    hook: &FilterHook,
) -> Result<Expr> {
    let on = |filter: Expr, only_type| Expr::Related { association, filter: Box::new(filter), only_type, links: None };
    Ok(match association.kind.route(association)? {
        Route::Direct(_) | Route::Found(_) => on(filtered(hook, (association.target)(), filter)?, only_type),
        Route::JoinTable { table, .. } => {
            let links = filtered(hook, table, links.map_or_else(Expr::always, |links| *links))?;
            Expr::Related {
                association,
                filter: Box::new(filtered(hook, (association.target)(), filter)?),
                only_type,
                links: (!links.is_always()).then(|| Box::new(links)),
            }
        }
        // Written out part by part, so that the rows between are filtered as well.
        Route::Through { through, source, source_type } => {
            association.chain()?;
            let onward = association.scope().filter.and(filter);
            related(
                through,
                Expr::Related { association: source, filter: Box::new(onward), only_type: source_type, links: None },
                None,
                None,
                hook,
            )?
        }
        Route::Polymorphic { variants, .. } => {
            let chosen = variants.iter().filter(|one| only_type.is_none_or(|tag| tag == one.tag));
            let each = chosen.map(|one| Ok(on(filtered(hook, (one.model)(), filter.clone())?, Some(one.tag))));
            Expr::Any(each.collect::<Result<Vec<_>>>()?)
        }
    })
}

impl Plan {
    /// The plan with a hook's filters on every step. Rows in memory went through the same filters.
    ///
    /// # Errors
    /// When a declaration does not hold together.
    pub fn with_filters(mut self, hook: &FilterHook) -> Result<Plan> {
        let joined = self.joined.iter_mut().map(|joined| &mut joined.select);
        for select in self.steps.iter_mut().map(|step| &mut step.select).chain(joined) {
            let filter = std::mem::replace(&mut select.filter, Expr::always());
            select.filter = filtered(hook, select.model, filter)?;
        }
        Ok(self)
    }
}
