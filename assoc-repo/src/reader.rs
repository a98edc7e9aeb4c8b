//! Reading one association of one owner, explicitly and without storing it: Crecto's `get_association`.
//!
//! An association by a key of its own is one statement on the target. One that goes through others, a join table or a
//! polymorphic target is loaded like a preload of a single owner, and taken out of a copy of its row.

use std::any::Any;
use std::future::Future;

use assoc_core::planner::{Request, Shape};
use assoc_core::{
    Association, AssociationDef, BelongsTo, Cardinality, Error, Expr, HasMany, HasManyThrough, HasOne, Hop, KeyTuple,
    Model, Result, Route, TargetRow, ToOne, Value,
};

use crate::query::Select;
use crate::repo::Repo;

/// An association that [`Repo::get_association`] can read with a query of model `T`.
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

impl<O: Model, T: Model> Readable<O, T> for Association<O, T, HasManyThrough<T>> {
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
    /// changed. The query may add conditions, an order, a limit and preloads; pass [`Query::new`](crate::Query::new)
    /// for all. 1 statement for an association by a key of its own, 1 a part for those that go through others; none if
    /// the owner's key is `NULL`.
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

    /// The target of a polymorphic association of one owner, or `None`. 1 statement; none if the owner names no target.
    ///
    /// # Errors
    /// When the owner names a type the association does not know, a row cannot be read, or the database fails.
    pub async fn get_polymorphic<O: Model, S: ToOne>(
        &self,
        owner: &O,
        association: Association<O, S::Target, BelongsTo<S>>,
    ) -> Result<Option<S::Target>>
    where
        S::Target: TargetRow,
    {
        let mut copy = owner.bare();
        self.preload(&mut copy, association).await?;
        let mut found = None;
        let any: &dyn Any = &copy;
        association.def().slot.visit(any, &mut |target| found = target.downcast_ref::<S::Target>().cloned());
        Ok(found)
    }
}

async fn rows<O: Model, T: Model>(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: &O,
    query: Select<T>,
) -> Result<Vec<T>> {
    let mut own = def.scope();
    if let Some(scope) = def.options.owner_scope {
        own = own.with(scope(owner));
    }
    match def.kind.route(def)? {
        Route::Direct(hop) => direct(repo, def, hop, own, owner, query).await,
        _ if query.spec.distinct || !query.spec.group.is_empty() || query.selected.is_some() => {
            let message = format!(
                "`{}` goes through others: its reader takes conditions, an order, limits and preloads",
                def.name
            );
            Err(Error::invalid_query(O::DEF.name, message))
        }
        _ => {
            let mut shape = Shape::default();
            (shape.filter, shape.order) = (query.spec.filter, query.spec.order);
            (shape.limit, shape.offset, shape.unscoped) = (query.spec.limit, query.spec.offset, query.unscoped);
            let mut copy = owner.bare();
            repo.preload(&mut copy, One(Request { shape, children: query.preloads, ..Request::new(def) })).await?;
            let mut found: Vec<T> = Vec::new();
            let any: &dyn Any = &copy;
            def.slot.visit(any, &mut |row| found.extend(row.downcast_ref::<T>().cloned()));
            Ok(found)
        }
    }
}

/// A request that is data already.
struct One(Request);

impl<O> assoc_core::planner::IntoPreload<O> for One {
    fn into_requests(self) -> Vec<Request> {
        vec![self.0]
    }
}

async fn direct<T: Model>(
    repo: &Repo,
    def: &'static AssociationDef,
    hop: Hop,
    own: Shape,
    owner: &impl Model,
    mut query: Select<T>,
) -> Result<Vec<T>> {
    let values = hop.owner_columns.iter().map(|column| owner.value(*column).into_owned());
    let Some(key) = KeyTuple::new(values) else { return Ok(Vec::new()) };
    let names = hop.target_columns.iter().map(|column| T::DEF.columns[*column].name);
    let mut keyed: Vec<Expr> = names.zip(key.values()).map(|(name, value)| Expr::equals(name, value.clone())).collect();
    keyed.extend(hop.target_type.map(|own| Expr::equals(T::DEF.columns[own.column].name, Value::from(own.tag))));
    query.spec.filter = Expr::All(keyed).and(own.filter).and(query.spec.filter);
    if query.spec.order.is_empty() {
        query.spec.order = own.order;
    }
    query.spec.limit = query.spec.limit.or(own.limit);
    query.spec.offset = query.spec.offset.or(own.offset);
    query.unscoped |= own.unscoped;
    query.preloads.extend(own.includes);
    if !hop.unique {
        // The same order as a preload's: what was asked for, then the primary key. A default scope's order comes first.
        if query.spec.order.is_empty() && !query.unscoped {
            query.spec.order = T::DEF.base_scope(false).order;
        }
        query = query.in_total_order();
    }
    if def.kind.cardinality() == Cardinality::One {
        let most = query.spec.limit.map_or(1, |limit| limit.min(1));
        query = query.limit(most);
    }
    repo.all(query).await
}
