//! Reading one association of one owner, explicitly and without storing it: Crecto's `get_association`.
//!
//! One statement on the target: by its key, or joined to the tables on the way back to the owner for an association that
//! goes through others or a join table. Where such an association chooses among rows on its way (a `has_one`, a limit of
//! a part), no join gives what it declares; it is loaded like a preload of a single owner then, and taken out of a copy
//! of its row. So are polymorphic targets, rows of groups, what has SQL of its own, and targets that are to lead back to
//! the owner.

use std::any::Any;
use std::future::Future;

use assoc_core::joins::JoinChain;
use assoc_core::planner::{Root, selected_columns};
use assoc_core::rows::mark;
use assoc_core::{
    Association, AssociationDef, AssociationNotLoaded, BelongsTo, Cardinality, Chain, ChainParts, Discriminator, Error,
    Expr, HasMany, HasManyThrough, HasOne, JoinRow, KeyJoin, KeyTuple, Linkage, LoadState, Model, Operand, Request,
    Result, RowOrigin, ScopeDef, Strategy, TargetRow, ToOne, Value,
};

use crate::query::Select;
use crate::repo::Repo;

/// An association that [`Repo::get_association`] can read with a query of model `T`.
pub trait ReadAssociation<O, T> {
    /// What reading gives: `Vec<T>`, or `Option<T>` for a single target.
    type Read;

    /// Reads it for one owner.
    fn read(self, repo: &Repo, owner: &O, query: Select<T>) -> impl Future<Output = Result<Self::Read>> + Send;
}

impl<O: Model, T: Model> ReadAssociation<O, T> for Association<O, T, HasMany<T>> {
    type Read = Vec<T>;

    async fn read(self, repo: &Repo, owner: &O, query: Select<T>) -> Result<Vec<T>> {
        rows(repo, self.def(), owner, query).await
    }
}

impl<O: Model, T: Model, J: JoinRow> ReadAssociation<O, T> for Association<O, T, HasManyThrough<T, J>> {
    type Read = Vec<T>;

    async fn read(self, repo: &Repo, owner: &O, query: Select<T>) -> Result<Vec<T>> {
        rows(repo, self.def(), owner, query).await
    }
}

impl<O: Model, T: Model, S: ToOne<Target = T>> ReadAssociation<O, T> for Association<O, T, HasOne<S>> {
    type Read = Option<T>;

    async fn read(self, repo: &Repo, owner: &O, query: Select<T>) -> Result<Option<T>> {
        Ok(rows(repo, self.def(), owner, query).await?.into_iter().next())
    }
}

impl<O: Model, T: Model, S: ToOne<Target = T>> ReadAssociation<O, T> for Association<O, T, BelongsTo<S>> {
    type Read = Option<T>;

    async fn read(self, repo: &Repo, owner: &O, query: Select<T>) -> Result<Option<T>> {
        Ok(rows(repo, self.def(), owner, query).await?.into_iter().next())
    }
}

impl Repo {
    /// The targets of an association of one owner: `Vec<T>`, or `Option<T>` for a single target. The owner is not
    /// changed. The query may add conditions, an order, a limit and preloads; pass [`Query::new`](crate::Query::new)
    /// for all. 1 statement, joined where the association goes through others (1 a part where it chooses among rows on its
    /// way); none if the owner's key is `NULL`, and none for a preload of the inverse, which is the owner.
    ///
    /// # Errors
    /// When the query cannot run, a row cannot be read, or the database fails.
    pub async fn get_association<O: Model, T: Model, A: ReadAssociation<O, T>>(
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
    /// When the owner names a type the association does not know ([`AssociationNotLoaded`] where it leaves such owners
    /// alone), a row cannot be read, or the database fails.
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
        let def = association.def();
        let any: &dyn Any = &copy;
        if def.field_access.state(any) == LoadState::NotLoaded
            && let Linkage::OwnerKeyAndType { type_column, .. } = def.linkage()?
            && let Value::Text(tag) = owner.value(type_column)
        {
            return Err(AssociationNotLoaded::unknown_type(O::DEF.name, def.name, &tag).into());
        }
        Ok(targets_in(def, &copy).pop())
    }
}

async fn rows<O: Model, T: Model>(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: &O,
    query: Select<T>,
) -> Result<Vec<T>> {
    let mut query = query;
    // The chain is not kept while statements run.
    let (read_by, own) = {
        let chain = match def.options.owner_scope {
            Some(scope) => Chain::of_owner(def, scope(owner), ScopeDef::default())?,
            None => Chain::scoped(def, ScopeDef::default())?,
        };
        if let Some(by) = chain.read_only_by() {
            query.origin = RowOrigin::read_only(Some(by));
        }
        (ReadBy::of(&chain, &query)?, chain.scope)
    };
    match read_by {
        ReadBy::Key(key) => direct(repo, def, key, own, owner, query).await,
        // Boxed: the commonest reader need not carry their state.
        ReadBy::Parts => Box::pin(by_parts(repo, def, owner, query)).await,
        ReadBy::JoinChain => match way(repo, def, &query)? {
            Some(way) => Box::pin(by_way(repo, way, own, owner, query)).await,
            None => Box::pin(by_parts(repo, def, owner, query)).await,
        },
    }
}

/// By what kind of statements the targets of one owner are read.
enum ReadBy {
    /// One on their table.
    Key(KeyJoin),
    /// One that joins the tables between, if there is one.
    JoinChain,
    /// Those of a preload.
    Parts,
}

impl ReadBy {
    fn of<T: Model>(chain: &Chain, query: &Select<T>) -> Result<ReadBy> {
        Ok(match &chain.parts {
            // An inverse is the owner itself, which a preload finds in memory. The first of each group are chosen by the
            // statement that preloads have.
            ChainParts::Key(hop) if chain.scope.group.is_empty() && !leads_back(chain.association, query)? => {
                ReadBy::Key(hop.key)
            }
            ChainParts::Key(_) | ChainParts::ByType { .. } | ChainParts::CustomSql(_) => ReadBy::Parts,
            ChainParts::Through { .. } | ChainParts::JoinTable { .. } => ReadBy::JoinChain,
        })
    }
}

// Whether the query loads the inverse, and is one that a preload can stand for.
fn leads_back<T: Model>(def: &AssociationDef, query: &Select<T>) -> Result<bool> {
    let spec = &query.spec;
    let joins = !query.joins.is_empty() || !query.raw_joins.is_empty();
    if query.preloads.is_empty() || joins || spec.distinct || !spec.group.is_empty() {
        return Ok(false);
    }
    let mut reaches = false;
    spec.visit_paths(&mut |path| reaches |= !path.is_empty());
    let inverse = def.inverse()?;
    let is_inverse = |request: &Request| inverse == Some(request.association) && request.strategy != Strategy::Joined;
    Ok(!reaches && query.preloads.iter().any(is_inverse))
}

// The way to the targets, if one statement can go it.
fn way<T: Model>(repo: &Repo, def: &'static AssociationDef, query: &Select<T>) -> Result<Option<JoinChain>> {
    let loads_by_join = query.preloads.iter().any(|request| request.strategy == Strategy::Joined);
    // An owner may reach a row several times; a query that joins what it loads, or asks for each row once, cannot say
    // how often. SQL of the application's own was written for one table.
    if loads_by_join || query.spec.distinct || query.spec.filter.has_raw() {
        return Ok(None);
    }
    let mut request = Request::new(def);
    request.scope.order.clone_from(&query.spec.order);
    request.scope.unscoped = query.unscoped;
    request.scope.select = query.selected.as_ref().map(|operands| selected_columns(T::DEF, operands)).transpose()?;
    let selects = request.scope.select.is_some();
    let chain = repo.context().chain(def, request.scope.clone())?;
    if selects {
        // The same columns have to be there as for a preload; its plan knows which.
        repo.plan((def.owner)(), Root::Existing, vec![request])?;
    }
    let numbers = repo.in_database_of(T::DEF).dialect().capabilities().window_functions;
    let readable = |way: &JoinChain| way.is_readable() && (numbers || !way.numbers_rows());
    Ok(repo.context().join_chain(&chain).filter(readable))
}

async fn by_way<T: Model>(
    repo: &Repo,
    way: JoinChain,
    own: ScopeDef,
    owner: &impl Model,
    mut query: Select<T>,
) -> Result<Vec<T>> {
    let key = key_of(owner, way.owner_columns);
    let named = |named: Discriminator| owner.value(named.column) == Value::from(named.tag);
    let Some(key) = key.filter(|_| way.owner_type.is_none_or(named)) else { return Ok(Vec::new()) };
    query.spec.filter = way.begins_at(key.values()).and(way.filter.clone()).and(query.spec.filter);
    query.spec.order.clone_from(&way.order);
    if query.selected.is_none() {
        query.selected = way.selected.as_ref().map(|columns| column_operands::<T>(columns));
    }
    query.spec.distinct = way.limits.distinct;
    query.spec.limit = query.spec.limit.or(way.limits.limit);
    query.spec.offset = query.spec.offset.or(Some(way.limits.offset).filter(|offset| *offset > 0));
    query.preloads.extend(own.includes);
    query.preloads.extend(T::DEF.base_scope(own.unscoped || query.unscoped).includes);
    if way.cardinality == Cardinality::One {
        query = query.at_most(1);
    }
    // What is left to choose is loaded by key, for the same reason as above.
    for request in query.preloads.iter_mut().filter(|request| request.strategy == Strategy::Auto) {
        *request = request.clone().with_strategy(Strategy::Keyed);
    }
    query.way = Some(way);
    repo.all(query).await
}

// As a preload of a single owner.
async fn by_parts<O: Model, T: Model>(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: &O,
    query: Select<T>,
) -> Result<Vec<T>> {
    query.refuse_lock("a reader of an association that is read part by part")?;
    let joins = !query.joins.is_empty() || !query.raw_joins.is_empty();
    if !query.spec.group.is_empty() || joins {
        let message = format!(
            "`{}` is read part by part, because it chooses among rows (or the query asks for distinct or joined rows): \
             such a reader takes conditions, an order, limits, columns and preloads",
            def.name
        );
        return Err(Error::invalid_query(O::DEF.name, message));
    }
    let mut scope_def = ScopeDef::default();
    (scope_def.filter, scope_def.order) = (query.spec.filter, query.spec.order);
    (scope_def.limit, scope_def.offset, scope_def.unscoped) = (query.spec.limit, query.spec.offset, query.unscoped);
    scope_def.distinct = query.spec.distinct;
    scope_def.select = query.selected.map(|operands| selected_columns(T::DEF, &operands)).transpose()?;
    let mut copy = owner.bare();
    let limited = query.most_statements.map(|limit| repo.max_statements(limit));
    let repo = limited.as_ref().unwrap_or(repo);
    let request = Request { scope: scope_def, children: query.preloads, ..Request::new(def) };
    repo.preload_rows(std::slice::from_mut(&mut copy), vec![request], false).await?;
    let mut found: Vec<T> = targets_in(def, &copy);
    if query.origin.is_read_only() {
        mark(&mut found, query.origin);
    }
    Ok(found)
}

/// The targets in memory of an association of one owner.
pub(crate) fn targets_in<O: Model, T: TargetRow>(def: &AssociationDef, owner: &O) -> Vec<T> {
    let mut found = Vec::new();
    let any: &dyn Any = owner;
    def.field_access.visit(any, &mut |row| found.extend(row.downcast_ref::<T>().cloned()));
    found
}

fn key_of(owner: &impl Model, columns: &[usize]) -> Option<KeyTuple> {
    KeyTuple::new(columns.iter().map(|column| owner.value(*column).into_owned()))
}

fn column_operands<T: Model>(columns: &[usize]) -> Vec<Operand> {
    columns.iter().map(|column| Operand::Column(T::DEF.columns[*column].column_ref())).collect()
}

async fn direct<T: Model>(
    repo: &Repo,
    def: &'static AssociationDef,
    hop: KeyJoin,
    own: ScopeDef,
    owner: &impl Model,
    mut query: Select<T>,
) -> Result<Vec<T>> {
    let Some(key) = key_of(owner, hop.owner_columns) else { return Ok(Vec::new()) };
    let columns = hop.target_columns.iter().map(|column| &T::DEF.columns[*column]);
    let mut keyed: Vec<Expr> =
        columns.zip(key.values()).map(|(column, value)| Expr::column_equals(column, value.clone())).collect();
    keyed.extend(hop.target_type.map(|own| Expr::tagged(&T::DEF.columns[own.column], own.tag)));
    query.spec.filter = Expr::All(keyed).and(own.filter).and(query.spec.filter);
    if query.spec.order.is_empty() {
        query.spec.order = own.order;
    }
    query.spec.limit = query.spec.limit.or(own.limit);
    query.spec.offset = query.spec.offset.or(own.offset);
    query.unscoped |= own.unscoped;
    query.preloads.extend(own.includes);
    if query.selected.is_none() {
        query.selected = own.select.map(|columns| column_operands::<T>(&columns));
    }
    if let Some(selected) = &query.selected {
        // The same columns have to be there as for a preload; its plan knows which.
        let mut scope_def = ScopeDef::default();
        scope_def.select = Some(selected_columns(T::DEF, selected)?);
        repo.plan(
            (def.owner)(),
            Root::Existing,
            vec![Request { scope: scope_def, children: query.preloads.clone(), ..Request::new(def) }],
        )?;
    }
    if !hop.unique {
        // The same order as a preload's: what was asked for, then the primary key. A default scope's order comes first.
        if query.spec.order.is_empty() && !query.unscoped {
            query.spec.order = T::DEF.base_scope(false).order;
        }
        query = query.in_total_order();
    }
    if def.kind.cardinality() == Cardinality::One {
        query = query.at_most(1);
    }
    repo.all(query).await
}
