//! Models whose rows are in another database.
//!
//! A handle made by [`Repo::with_models_at`] knows which. Preloads run hop by hop anyway, each step a statement about one
//! model: it goes to where that model is, in that database's SQL, on a connection that is taken when it is first needed.
//! A query begins where its root is. One statement cannot reach two databases, so conditions on associations and joins
//! across them are refused before anything runs.
//!
//! Writing is refused as well: a handle is one database's transaction, and a row of another would not be part of it.

use std::borrow::Cow;
use std::sync::Arc;

use assoc_core::planner::Plan;
use assoc_core::sql::Select as SelectSpec;
use assoc_core::{AssociationDef, ErrorKind, Expr, ModelDef, Result, Route, RowFilters};

use crate::repo::Repo;

/// Another database, and which models are there.
pub(crate) struct Elsewhere {
    repo: Repo,
    holds: Arc<dyn Fn(&'static ModelDef) -> bool + Send + Sync>,
}

impl Repo {
    /// A handle of the same repo that reads the rows of some models from another repo's database: the function says of
    /// which. Both may be of different kinds.
    ///
    /// Preloads go hop by hop as ever, so associations lead from one database to the other at the cost of the same
    /// statements; `get_association`, `load` and `count_for` do too. A request takes at most one connection of each
    /// repo, and only of those it needs. What the other repo filters stays filtered.
    ///
    /// A condition on an association, or a join, that would have to look into both databases is an error before any SQL
    /// ([`ErrorKind::Apart`](assoc_core::ErrorKind::Apart)), and so is writing a row that is elsewhere: use that repo. The
    /// two have transactions of their own; a transaction of this handle reads the other's rows outside of it. A join table
    /// without model is asked for like a model of that name.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String, #[has_many] pub visits: HasMany<Visit> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Visit { pub id: i64, pub user_id: i64 }
    /// # pollster::block_on(async {
    /// # let (main, statistics) = (Repo::new(Sqlite::memory()?), Repo::new(Sqlite::memory()?));
    /// # main.create_table::<User>().await?;
    /// # statistics.create_table::<Visit>().await?;
    /// # main.insert(User::build().set(User::NAME, "Ada")).await?;
    /// # statistics.insert(Visit::build().set(Visit::USER_ID, 1)).await?;
    /// let repo = main.with_models_at(&statistics, |model| model == Visit::DEF);
    /// let users: Vec<User> = repo.all(Query::preload(User::VISITS)).await?;
    /// assert_eq!(users[0].visits()?.len(), 1);
    /// assert!(repo.all(Query::filter(User::VISITS.associated())).await.is_err()); // one statement, two databases
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn with_models_at(
        &self,
        other: &Repo,
        holds: impl Fn(&'static ModelDef) -> bool + Send + Sync + 'static,
    ) -> Repo {
        let holds = Arc::new(holds);
        let repo = match other.filters.clone() {
            None => self.clone(),
            Some(filters) => {
                let holds = Arc::clone(&holds);
                self.filtered(move |model| if holds(model) { filters(model) } else { None })
            }
        };
        let place = Arc::new(Elsewhere { repo: other.clone(), holds });
        // The last word counts.
        let elsewhere = [place].into_iter().chain(self.elsewhere.iter().flat_map(|known| known.iter().cloned()));
        Repo { elsewhere: Some(elsewhere.collect()), ..repo }
    }

    /// The repo whose database has a model's rows.
    pub(crate) fn home_of(&self, model: &'static ModelDef) -> &Repo {
        let places = self.elsewhere.as_deref().unwrap_or_default();
        match places.iter().find(|place| (place.holds)(model)) {
            Some(place) => place.repo.home_of(model),
            None => self,
        }
    }

    /// Whether two handles are of one database, and of one transaction if of any.
    pub(crate) fn is_at(&self, other: &Repo) -> bool {
        let same_transaction = match (&self.transaction, &other.transaction) {
            (None, None) => true,
            (Some(one), Some(other)) => one.is_same_transaction(other),
            _ => false,
        };
        Arc::ptr_eq(&self.shared, &other.shared) && same_transaction
    }

    /// This handle, but with the database of a model's rows as its own: what a query of the model runs on.
    pub(crate) fn at_home_of(&self, model: &'static ModelDef) -> Cow<'_, Repo> {
        if self.elsewhere.is_none() {
            return Cow::Borrowed(self);
        }
        let home = self.home_of(model);
        if home.is_at(self) {
            return Cow::Borrowed(self);
        }
        let (before, here) = (self.clone(), home.clone());
        let elsewhere_from_there = move |model| !before.home_of(model).is_at(&here);
        let place = Elsewhere { repo: self.clone(), holds: Arc::new(elsewhere_from_there) };
        Cow::Owned(Repo {
            shared: Arc::clone(&home.shared),
            transaction: home.transaction.clone(),
            most_statements: self.most_statements,
            filters: self.filters.clone(),
            elsewhere: Some(Arc::new([Arc::new(place)])),
        })
    }

    /// Refuses to write rows that are elsewhere.
    pub(crate) fn require_here(&self, model: &'static ModelDef) -> Result<()> {
        if self.elsewhere.is_none() || self.home_of(model).is_at(self) {
            return Ok(());
        }
        Err(ErrorKind::Elsewhere { model: model.name }.into())
    }

    /// Refuses a statement about rows of a model that would have to look into another database.
    pub(crate) fn require_together(&self, spec: &SelectSpec) -> Result<()> {
        if self.elsewhere.is_none() {
            return Ok(());
        }
        let model = spec.model;
        for (at, table) in spec.joins.tables().iter().enumerate() {
            // A path's target comes after the tables on its way.
            let path = || spec.joins.paths().find(|(_, target)| *target >= at).map(|(path, _)| path.join("."));
            self.require_same(model, table.hop.model, || format!("{}.{}", model.name, path().unwrap_or_default()))?;
            self.require_condition(table.hop.model, &table.hop.filter)?;
        }
        self.require_condition(model, &spec.filter)?;
        self.require_condition(model, &spec.having)?;
        spec.after.iter().try_for_each(|after| self.require_condition(model, after))
    }

    /// The same for the steps of a plan.
    pub(crate) fn require_steps_together(&self, plan: &Plan) -> Result<()> {
        if self.elsewhere.is_none() {
            return Ok(());
        }
        plan.steps().iter().try_for_each(|step| self.require_condition(step.select.model, &step.select.filter))
    }

    /// Whether all statements of a plan run in one database.
    pub(crate) fn is_together(&self, plan: &Plan) -> bool {
        let mut steps = plan.steps().iter().map(|step| self.home_of(step.select.model));
        let first = steps.next();
        self.elsewhere.is_none() || steps.all(|home| first.is_none_or(|first| first.is_at(home)))
    }

    fn require_same(
        &self,
        model: &'static ModelDef,
        other: &'static ModelDef,
        association: impl FnOnce() -> String,
    ) -> Result<()> {
        if self.home_of(model).is_at(self.home_of(other)) {
            return Ok(());
        }
        Err(ErrorKind::Apart { model: model.name, other: other.name, association: association() }.into())
    }

    /// The same for a condition on rows of a model, and whatever it looks into.
    pub(crate) fn require_condition(&self, model: &'static ModelDef, condition: &Expr) -> Result<()> {
        if self.elsewhere.is_none() {
            return Ok(());
        }
        match condition {
            Expr::All(parts) | Expr::Any(parts) => {
                parts.iter().try_for_each(|part| self.require_condition(model, part))
            }
            Expr::Not(inner) => self.require_condition(model, inner),
            Expr::Related { association, filter, only_type, filters } => {
                self.require_association(model, association, *only_type, filters.as_ref())?;
                self.require_condition((association.target)(), filter)
            }
            // The table it is about is among the joins.
            Expr::Joined { association, filter } => self.require_condition((association.target)(), filter),
            _ => Ok(()),
        }
    }

    // The rows on the way of an association, and what its scopes look into.
    fn require_association(
        &self,
        model: &'static ModelDef,
        association: &'static AssociationDef,
        only_type: Option<&str>,
        filters: Option<&RowFilters>,
    ) -> Result<()> {
        let scope = association.scope();
        let target = |target: &'static ModelDef| {
            self.require_same(model, target, || association.qualified_name())?;
            if let Some(more) = filters.and_then(|RowFilters(hook)| hook(target)) {
                self.require_condition(target, &more)?;
            }
            self.require_condition(target, &target.base_scope(scope.unscoped).filter)
        };
        match association.kind.route(association)? {
            Route::Direct(_) => target((association.target)())?,
            Route::Through { through, source, source_type } => {
                self.require_association(model, through, None, filters)?;
                self.require_association(model, source, source_type, filters)?;
            }
            Route::JoinTable { table, .. } => {
                target(table)?;
                target((association.target)())?;
            }
            Route::Polymorphic { variants, .. } => {
                let chosen = variants.iter().filter(|variant| only_type.is_none_or(|tag| tag == variant.tag));
                chosen.into_iter().try_for_each(|variant| target((variant.model)()))?;
            }
            _ => {}
        }
        self.require_condition((association.target)(), &scope.filter)
    }
}
