//! Models whose rows are in another database.
//!
//! A handle made by [`Repo::with_database_for`] knows these models. Each step of a preload is a statement about one
//! model anyway. It runs in the database of that model, in its SQL dialect, on a connection that is taken when it is
//! first needed. A query begins in the database of its root. One statement cannot reach two databases, so conditions on
//! associations and joins across them are refused before any SQL.
//!
//! Writes to the other database are refused as well, because a transaction of this handle would not include them.

use std::borrow::Cow;
use std::sync::Arc;

use assoc_core::metadata::{Expr, ModelDef, Request};
use assoc_core::planner::{Databases, Plan, PlanContext, Root, RootRequest};
use assoc_core::{ErrorKind, Result};

use crate::repo::Repo;

/// Another database, and which models are there.
pub(crate) struct OtherDatabase {
    repo: Repo,
    holds: Arc<dyn Fn(&'static ModelDef) -> bool + Send + Sync>,
}

impl Repo {
    /// A handle of the same repo that reads the rows of some models from another repo's database. The function says
    /// which models. The two databases may be of different kinds.
    ///
    /// Preloads use one statement per association as usual, so associations between the two databases cost no
    /// additional statement; the same holds for `get_association`, `load_separately` and `count_for`. A request takes
    /// at most one connection of each repo, and only of those it needs. The filters of the other repo still hold for
    /// its rows.
    ///
    /// A condition on an association, or a join, that needs both databases in one statement is an error before any SQL
    /// ([`ErrorKind::AcrossDatabases`](assoc_core::ErrorKind::AcrossDatabases)). Writing a row of the other database
    /// fails as well: write it with the other repo. Transactions are separate: a transaction of this handle reads the
    /// other repo's rows outside of it. The function also receives the definition of a join table without a model,
    /// which has the table's name.
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
    /// let repo = main.with_database_for(&statistics, |model| model == Visit::DEF);
    /// let users: Vec<User> = repo.all(Query::preload(User::VISITS)).await?;
    /// assert_eq!(users[0].visits()?.len(), 1);
    /// assert!(repo.all(Query::filter(User::VISITS.associated())).await.is_err()); // one statement, two databases
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn with_database_for(
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
        let place = Arc::new(OtherDatabase { repo: other.clone(), holds });
        // The last call for a model takes precedence.
        let other_databases =
            [place].into_iter().chain(self.other_databases.iter().flat_map(|known| known.iter().cloned()));
        Repo { other_databases: Some(other_databases.collect()), ..repo }
    }

    /// The repo of the database that has a model's rows.
    pub(crate) fn repo_for(&self, model: &'static ModelDef) -> &Repo {
        let places = self.other_databases.as_deref().unwrap_or_default();
        match places.iter().find(|place| (place.holds)(model)) {
            Some(place) => place.repo.repo_for(model),
            None => self,
        }
    }

    /// Whether two handles belong to one database, and to the same transaction if either belongs to one.
    pub(crate) fn is_at(&self, other: &Repo) -> bool {
        let same_transaction = match (&self.transaction, &other.transaction) {
            (None, None) => true,
            (Some(one), Some(other)) => one.is_same_transaction(other),
            _ => false,
        };
        Arc::ptr_eq(&self.shared, &other.shared) && same_transaction
    }

    /// This handle with the database of a model's rows as its main one, to run a query of the model.
    pub(crate) fn in_database_of(&self, model: &'static ModelDef) -> Cow<'_, Repo> {
        if self.other_databases.is_none() {
            return Cow::Borrowed(self);
        }
        let home = self.repo_for(model);
        if home.is_at(self) {
            return Cow::Borrowed(self);
        }
        let (before, here) = (self.clone(), home.clone());
        let elsewhere_from_there = move |model| !before.repo_for(model).is_at(&here);
        let place = OtherDatabase { repo: self.clone(), holds: Arc::new(elsewhere_from_there) };
        Cow::Owned(Repo {
            shared: Arc::clone(&home.shared),
            transaction: home.transaction.clone(),
            lacks: self.lacks,
            most_statements: self.most_statements,
            filters: self.filters.clone(),
            clock: self.clock.clone(),
            touches: self.touches,
            callback_depth: self.callback_depth,
            other_databases: Some(Arc::new([Arc::new(place)])),
        })
    }

    /// Refuses to write rows of another database.
    pub(crate) fn require_here(&self, model: &'static ModelDef) -> Result<()> {
        if self.other_databases.is_none() || self.repo_for(model).is_at(self) {
            return Ok(());
        }
        Err(ErrorKind::InAnotherDatabase { model: model.name }.into())
    }

    /// Refuses a condition on rows of a model that needs another database.
    pub(crate) fn require_condition(&self, model: &'static ModelDef, condition: &Expr) -> Result<()> {
        self.databases().map_or(Ok(()), |databases| databases.require_condition(model, condition))
    }

    fn databases(&self) -> Option<&dyn Databases> {
        self.other_databases.is_some().then_some(self)
    }

    /// The part of this handle that planning needs.
    pub(crate) fn context(&self) -> PlanContext<'_> {
        PlanContext { dialect: self.dialect(), filters: self.filters.as_ref(), databases: self.databases() }
    }

    /// The plan that loads the requests for rows of a model.
    pub(crate) fn plan(&self, model: &'static ModelDef, root: Root, requests: Vec<Request>) -> Result<Plan> {
        self.context().plan(root, vec![RootRequest { model, requests, available: false }])
    }
}

impl Databases for Repo {
    fn are_together(&self, one: &'static ModelDef, other: &'static ModelDef) -> bool {
        self.repo_for(one).is_at(self.repo_for(other))
    }
}
