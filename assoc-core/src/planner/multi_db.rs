//! Models in several databases: what one statement may look into.
//!
//! Preloads run hop by hop, each step a statement about one model, so they lead from one database to the other. A query
//! begins where its root is. One statement cannot reach two databases, so conditions on associations and joins across them
//! are refused before anything runs.

use super::Step;
use crate::error::{ErrorKind, Result};
use crate::metadata::association::{AssociationDef, Chain};
use crate::metadata::expr::Expr;
use crate::metadata::filter_hook::RowFilters;
use crate::metadata::model::ModelDef;
use crate::metadata::request::ScopeDef;
use crate::select::RootSelect;

/// Which models' rows are in one database. Implemented by a repo that knows of several.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::metadata::{Chain, ModelDef};
/// use assoc_core::planner::{Databases, PlanContext, Root, RootRequest};
/// use assoc_core::select::RootSelect;
///
/// /// Teams are in a database of their own.
/// struct Apart;
///
/// impl Databases for Apart {
///     fn are_together(&self, one: &'static ModelDef, other: &'static ModelDef) -> bool {
///         (one == Team::DEF) == (other == Team::DEF)
///     }
/// }
///
/// let databases: &dyn Databases = &Apart;
/// assert!(databases.are_together(User::DEF, Post::DEF) && databases.have_whole(&Chain::keys(User::COMMENTS.def())?));
/// let select = |filter| RootSelect { filter, ..RootSelect::new(User::DEF) };
/// assert!(databases.require_select(&select(User::POSTS.any(Post::ID.gt(7)).into_expr())).is_ok());
/// assert!(databases.require_select(&select(User::TEAM.any(Team::ID.gt(7)).into_expr())).is_err());
/// assert!(databases.require_condition(User::DEF, &User::TEAM.any(Team::ID.gt(7)).into_expr()).is_err());
///
/// // A preload reads one table with each statement, so it may lead from one database to the other.
/// let context = PlanContext { dialect: &StandardSql::default(), filters: None, databases: Some(databases) };
/// let root = RootRequest { model: User::DEF, requests: User::TEAM.into_requests(), available: false };
/// let plan = context.plan(Root::Existing, vec![root])?;
/// assert!(databases.require_steps(plan.steps()).is_ok());
/// # Ok::<(), assoc_core::Error>(())
/// ```
pub trait Databases: Send + Sync {
    /// Whether one statement may read the tables of both models.
    fn are_together(&self, one: &'static ModelDef, other: &'static ModelDef) -> bool;
}

impl dyn Databases + '_ {
    /// Whether all tables of a chain are in one database.
    #[must_use]
    pub fn have_whole(&self, chain: &Chain) -> bool {
        let hops = chain.hops();
        hops.windows(2).all(|pair| self.are_together(pair[0].model, pair[1].model))
    }

    /// Refuses a statement about rows of a model that would have to look into another database.
    ///
    /// # Errors
    /// [`ErrorKind::AcrossDatabases`] naming both models and the association.
    pub fn require_select(&self, select: &RootSelect) -> Result<()> {
        let model = select.model;
        for (at, table) in select.joins.tables().iter().enumerate() {
            // The target of a path follows its intermediate tables.
            let path = || select.joins.paths().find(|(_, target)| *target >= at).map(|(path, _)| path.join("."));
            self.require_same(model, table.hop.model, || format!("{}.{}", model.name, path().unwrap_or_default()))?;
            self.require_condition(table.hop.model, &table.hop.filter)?;
        }
        self.require_condition(model, &select.filter)?;
        self.require_condition(model, &select.having)?;
        select.after.iter().try_for_each(|after| self.require_condition(model, after))
    }

    /// The same for steps of a plan.
    ///
    /// # Errors
    /// As [`require_select`](#method.require_select).
    pub fn require_steps(&self, steps: &[Step]) -> Result<()> {
        steps.iter().try_for_each(|step| self.require_condition(step.select.model, &step.select.filter))
    }

    /// The same check for a condition on rows of a model, including its subqueries.
    ///
    /// # Errors
    /// As [`require_select`](#method.require_select).
    pub fn require_condition(&self, model: &'static ModelDef, condition: &Expr) -> Result<()> {
        match condition {
            Expr::All(parts) | Expr::Any(parts) => {
                parts.iter().try_for_each(|part| self.require_condition(model, part))
            }
            Expr::Not(inner) => self.require_condition(model, inner),
            Expr::Related { association, filter, only_type, filters } => {
                self.require_chain(model, association, *only_type, filters.as_ref())?;
                self.require_condition((association.target)(), filter)
            }
            // The table it is about is among the joins.
            Expr::Joined { association, filter } => self.require_condition((association.target)(), filter),
            // These name only the model's own table, or are raw SQL, which is not parsed.
            Expr::Compare { .. }
            | Expr::In { .. }
            | Expr::Between { .. }
            | Expr::Like { .. }
            | Expr::IsNull(_)
            | Expr::Tagged { .. }
            | Expr::TooDeep
            | Expr::Limited(_)
            | Expr::Raw { .. } => Ok(()),
        }
    }

    // Checks the rows of all tables of an association, and the conditions of its scopes.
    fn require_chain(
        &self,
        model: &'static ModelDef,
        association: &'static AssociationDef,
        only_type: Option<&'static str>,
        filters: Option<&RowFilters>,
    ) -> Result<()> {
        let chain = Chain::scoped_to(association, ScopeDef::default(), only_type)?;
        let chain = match filters {
            Some(RowFilters(hook)) => chain.with_filters(hook)?,
            None => chain,
        };
        for hop in chain.hops() {
            self.require_same(model, hop.model, || hop.association.qualified_name())?;
            self.require_condition(hop.model, &hop.scope.filter)?;
        }
        Ok(())
    }

    fn require_same(
        &self,
        model: &'static ModelDef,
        other: &'static ModelDef,
        association: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.are_together(model, other) {
            return Ok(());
        }
        Err(ErrorKind::AcrossDatabases { model: model.name, other: other.name, association: association() }.into())
    }
}
