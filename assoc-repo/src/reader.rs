//! Reading one association of one owner, explicitly and without storing it: Crecto's `get_association`.

use std::any::Any;
use std::future::Future;

use assoc_core::{
    Association, AssociationDef, BelongsTo, Cardinality, Error, Expr, HasMany, HasOne, KeyTuple, Model, Result, Route,
    ToOne,
};

use crate::query::Select;
use crate::read::equals;
use crate::repo::Repo;

/// An association that [`Repo::get_association`] can read.
pub trait Readable<O, T> {
    /// What reading gives: `Vec<T>`, or `Option<T>` for a single target.
    type Read;

    /// Reads it for one owner.
    fn read(self, repo: &Repo, owner: &O, query: Select<T>) -> impl Future<Output = Result<Self::Read>> + Send;
}

impl<O: Model, T: Model> Readable<O, T> for Association<O, T, HasMany<T>> {
    type Read = Vec<T>;

    async fn read(self, repo: &Repo, owner: &O, query: Select<T>) -> Result<Vec<T>> {
        rows(repo, self.def(), owner, query).await
    }
}

impl<O: Model, T: Model, S: ToOne<Target = T>> Readable<O, T> for Association<O, T, HasOne<S>> {
    type Read = Option<T>;

    async fn read(self, repo: &Repo, owner: &O, query: Select<T>) -> Result<Option<T>> {
        Ok(rows(repo, self.def(), owner, query).await?.into_iter().next())
    }
}

impl<O: Model, T: Model, S: ToOne<Target = T>> Readable<O, T> for Association<O, T, BelongsTo<S>> {
    type Read = Option<T>;

    async fn read(self, repo: &Repo, owner: &O, query: Select<T>) -> Result<Option<T>> {
        Ok(rows(repo, self.def(), owner, query).await?.into_iter().next())
    }
}

impl Repo {
    /// The targets of an association of one owner: `Vec<T>`, or `Option<T>` for a single target. The owner is not
    /// changed. The query may add conditions, an order and preloads; pass [`Query::new`](crate::Query::new) for all.
    /// 1 statement and what the preloads cost; none if the owner's key is `NULL`.
    ///
    /// # Errors
    /// When the query cannot run, a row cannot be read, or the database fails.
    pub async fn get_association<O: Model, T: Model, A: Readable<O, T>>(
        &self,
        owner: &O,
        association: A,
        query: Select<T>,
    ) -> Result<A::Read> {
        association.read(self, owner, query).await
    }
}

async fn rows<T: Model>(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: &impl Model,
    query: Select<T>,
) -> Result<Vec<T>> {
    let route = def.kind.route(def)?;
    let Route::Direct(hop) = route else {
        return Err(Error::unsupported(
            repo.dialect().name(),
            format!("reading association `{}`", def.qualified_name()),
        ));
    };
    let owner_rows = (def.owner)().rows;
    let owner: &dyn Any = owner;
    let values = hop.owner_columns.iter().map(|column| owner_rows.value(owner, *column).into_owned());
    let Some(key) = KeyTuple::new(values) else { return Ok(Vec::new()) };
    let names = hop.target_columns.iter().map(|column| T::DEF.columns[*column].name);
    let keyed: Vec<Expr> = names.zip(key.values()).map(|(name, value)| equals(name, value.clone())).collect();
    let mut query = query;
    query.spec.filter = Expr::All(keyed).and(query.spec.filter);
    if !hop.unique {
        // The same order as a preload's: what was asked for, then the primary key.
        query = query.in_total_order();
    }
    if def.kind.cardinality() == Cardinality::One {
        query = query.limit(1);
    }
    repo.all(query).await
}
