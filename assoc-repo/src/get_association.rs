//! Reading one association of one owner, explicitly and without storing it: Crecto's `get_association`.
//!
//! One statement on the target reads it: by its key, or joined through the intermediate tables for a through
//! association or a join table. No join expresses a through association that limits its intermediate rows (a `has_one`,
//! a limit of a part). Such an association is loaded like a preload of a single owner, into a copy of the owner's row,
//! and taken out of it. The same holds for polymorphic targets, grouped rows, hand-written SQL, and targets whose
//! inverse the query loads.

use std::any::Any;

use assoc_core::driver::{BoxFuture, Lack};
use assoc_core::execution::KeyTuple;
use assoc_core::execution::rows::mark;
use assoc_core::joins::JoinChain;
use assoc_core::metadata::{
    AssociationDef, Cardinality, Chain, ChainParts, Discriminator, Expr, KeyJoin, Linkage, ModelDef, Operand, Request,
    ScopeDef, Strategy,
};
use assoc_core::planner::{Root, selected_columns};
use assoc_core::select::keep_order_of_groups;
use assoc_core::{
    Association, AssociationNotLoaded, BelongsTo, Error, HasMany, HasManyThrough, HasOne, JoinRow, LoadState, Model,
    Result, RowOrigin, TargetRow, Through, ToOne, Value,
};

use crate::query::{AnyModel, QueryParts, Select};
use crate::repo::Repo;

mod sealed {
    use assoc_core::{Association, BelongsTo, HasMany, HasManyThrough, HasOne, JoinRow, Model, Through, ToOne};

    pub trait ReadAssociation {}
    impl<O, T: Model> ReadAssociation for Association<O, T, HasMany<T>> {}
    impl<O, T: Model, J: JoinRow> ReadAssociation for Association<O, T, HasManyThrough<T, J>> {}
    impl<O, T: Model, S: ToOne<Target = T>> ReadAssociation for Association<O, T, HasOne<S>> {}
    impl<O, T: Model, H, const W: bool> ReadAssociation for Association<O, T, Through<H, W>> {}
    impl<O, T: Model, S: ToOne<Target = T>> ReadAssociation for Association<O, T, BelongsTo<S>> {}
}

/// An association that [`Repo::get_association`] can read with a query of model `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no association of `{O}` that this query can read",
    label = "no association of `{O}`, or one that leads to another model than the query's",
    note = "name the association by its token: `User::POSTS`. A polymorphic one is read with `get_polymorphic`"
)]
pub trait ReadAssociation<O, T>: sealed::ReadAssociation {
    /// The type that reading returns: `Vec<T>`, or `Option<T>` for a single target.
    type Read;

    /// Reads the association of one owner.
    fn read<'a>(self, repo: &'a Repo, owner: &'a O, query: Select<T>) -> BoxFuture<'a, Result<Self::Read>>;
}

impl<O: Model, T: Model> ReadAssociation<O, T> for Association<O, T, HasMany<T>> {
    type Read = Vec<T>;

    fn read<'a>(self, repo: &'a Repo, owner: &'a O, query: Select<T>) -> BoxFuture<'a, Result<Vec<T>>> {
        Box::pin(rows(repo, self.def(), owner, query))
    }
}

impl<O: Model, T: Model, J: JoinRow> ReadAssociation<O, T> for Association<O, T, HasManyThrough<T, J>> {
    type Read = Vec<T>;

    fn read<'a>(self, repo: &'a Repo, owner: &'a O, query: Select<T>) -> BoxFuture<'a, Result<Vec<T>>> {
        Box::pin(rows(repo, self.def(), owner, query))
    }
}

impl<O: Model, T: Model, J: JoinRow, const W: bool> ReadAssociation<O, T>
    for Association<O, T, Through<HasManyThrough<T, J>, W>>
{
    type Read = Vec<T>;

    fn read<'a>(self, repo: &'a Repo, owner: &'a O, query: Select<T>) -> BoxFuture<'a, Result<Vec<T>>> {
        Box::pin(rows(repo, self.def(), owner, query))
    }
}

impl<O: Model, T: Model, S: ToOne<Target = T>, const W: bool> ReadAssociation<O, T>
    for Association<O, T, Through<HasOne<S>, W>>
{
    type Read = Option<T>;

    fn read<'a>(self, repo: &'a Repo, owner: &'a O, query: Select<T>) -> BoxFuture<'a, Result<Option<T>>> {
        Box::pin(async move { Ok(rows(repo, self.def(), owner, query).await?.into_iter().next()) })
    }
}

impl<O: Model, T: Model, S: ToOne<Target = T>> ReadAssociation<O, T> for Association<O, T, HasOne<S>> {
    type Read = Option<T>;

    fn read<'a>(self, repo: &'a Repo, owner: &'a O, query: Select<T>) -> BoxFuture<'a, Result<Option<T>>> {
        Box::pin(async move { Ok(rows(repo, self.def(), owner, query).await?.into_iter().next()) })
    }
}

impl<O: Model, T: Model, S: ToOne<Target = T>> ReadAssociation<O, T> for Association<O, T, BelongsTo<S>> {
    type Read = Option<T>;

    fn read<'a>(self, repo: &'a Repo, owner: &'a O, query: Select<T>) -> BoxFuture<'a, Result<Option<T>>> {
        Box::pin(async move { Ok(rows(repo, self.def(), owner, query).await?.into_iter().next()) })
    }
}

impl Repo {
    /// The targets of an association of one owner: `Vec<T>`, or `Option<T>` for a single target. The owner is not
    /// changed. The query may add conditions, an order, a limit and preloads; pass [`Query::new`](crate::Query::new)
    /// for all targets. It costs 1 statement, which joins the tables of a through association, or 1 statement per part
    /// if a part limits its rows. It costs none if the owner's key is `NULL`. A preload of the inverse costs none
    /// either, because that is the owner.
    ///
    /// # Errors
    /// When the query cannot run, a row cannot be read, or the database fails.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let good = Query::filter(Post::STARS.gt(3));
    /// let posts = repo.get_association(&user, User::POSTS, good).await?; // 1 statement
    /// assert_eq!(posts[0].title, "Looms");
    /// assert!(!user.posts.is_loaded()); // the struct does not change
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn get_association<'a, O: Model, T: Model, A: ReadAssociation<O, T>>(
        &'a self,
        owner: &'a O,
        association: A,
        query: Select<T>,
    ) -> BoxFuture<'a, Result<A::Read>> {
        association.read(self, owner, query)
    }

    /// The target of a polymorphic association of one owner, or `None`. It costs 1 statement, or none if the owner
    /// names no target.
    ///
    /// # Errors
    /// When the owner names a type that is none of the association's variants ([`AssociationNotLoaded`] where the
    /// association leaves such owners not loaded), a row cannot be read, or the database fails.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// #[derive(Polymorphic, Debug, Clone)]
    /// pub enum Subject { Post(Post) }
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Comment {
    ///     pub id: i64,
    ///     pub subject_id: i64,
    ///     pub subject_type: String,
    ///     #[belongs_to(polymorphic)]
    ///     pub subject: BelongsTo<Subject>,
    /// }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub title: String }
    ///
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<Post>().await?;
    /// # repo.create_table::<Comment>().await?;
    /// # let post = repo.insert(Post::build().set(Post::TITLE, "Looms")).await?;
    /// # let comment = Comment::build().set(Comment::SUBJECT_ID, post.id).set(Comment::SUBJECT_TYPE, "Post".to_owned());
    /// # let comment = repo.insert(comment).await?;
    /// let subject = repo.get_polymorphic(&comment, Comment::SUBJECT).await?; // 1 statement
    /// let Some(Subject::Post(post)) = subject else { panic!("a post") };
    /// assert_eq!(post.title, "Looms");
    /// assert!(!comment.subject.is_loaded()); // the struct does not change
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn get_polymorphic<'a, O: Model, S: ToOne>(
        &'a self,
        owner: &'a O,
        association: Association<O, S::Target, BelongsTo<S>>,
    ) -> BoxFuture<'a, Result<Option<S::Target>>>
    where
        S::Target: TargetRow,
    {
        Box::pin(async move { single_target(self, association.def(), owner).await })
    }
}

/// The target of an association to one, also of a polymorphic one. It is read as a preload of a copy of the owner reads it.
pub(crate) async fn single_target<O: Model, T: TargetRow>(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: &O,
) -> Result<Option<T>> {
    let mut copy = owner.bare();
    repo.preload_rows(std::slice::from_mut(&mut copy), vec![Request::new(def)]).await?;
    let any: &dyn Any = &copy;
    if def.field_access.state(any) == LoadState::NotLoaded
        && let Linkage::OwnerKeyAndType { type_column, .. } = def.linkage()?
        && let Value::Text(tag) = owner.value(type_column)
    {
        return Err(AssociationNotLoaded::unknown_type(O::DEF.name, def.name, &tag).into());
    }
    Ok(targets_in(def, &copy).pop())
}

pub(crate) async fn rows<O: Model, T: Model>(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: &O,
    query: Select<T>,
) -> Result<Vec<T>> {
    match own_query(repo, def, owner, query)? {
        OwnQuery::Nothing => Ok(Vec::new()),
        OwnQuery::One(query) => repo.all(*query).await,
        // Boxed, so that the most frequent reader does not carry their state.
        OwnQuery::Parts(query) => Box::pin(by_parts(repo, def, owner, *query)).await,
    }
}

/// The query that reads the targets of one owner.
pub(crate) enum OwnQuery<T> {
    /// The owner's key is `NULL`, or it names another type: it has no targets.
    Nothing,
    /// One statement reads them.
    One(Box<Select<T>>),
    /// The statements of a preload read them. This is what was asked for.
    Parts(Box<Select<T>>),
}

/// The targets of one owner as a query.
///
/// # Errors
/// When the declaration or the query contradicts itself.
pub(crate) fn own_query<O: Model, T: Model>(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: &O,
    query: Select<T>,
) -> Result<OwnQuery<T>> {
    Ok(match query_of_owner(repo, def, Owner { model: O::DEF, row: owner }, query.retyped())? {
        OwnQuery::Nothing => OwnQuery::Nothing,
        OwnQuery::One(query) => OwnQuery::One(Box::new(query.retyped())),
        OwnQuery::Parts(query) => OwnQuery::Parts(Box::new(query.retyped())),
    })
}

/// An owner and its model.
#[derive(Clone, Copy)]
struct Owner<'o> {
    model: &'static ModelDef,
    row: &'o dyn Any,
}

impl<'o> Owner<'o> {
    fn value(self, column: usize) -> Value<'o> {
        self.model.rows.value(self.row, column)
    }

    fn key(self, columns: &[usize]) -> Option<KeyTuple> {
        KeyTuple::new(columns.iter().map(|column| self.value(*column).into_owned()))
    }
}

fn query_of_owner(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: Owner<'_>,
    query: Select<AnyModel>,
) -> Result<OwnQuery<AnyModel>> {
    let mut query = query.settled();
    let (read_by, own) = {
        let chain = match def.options.owner_scope {
            Some(scope) => Chain::of_owner(def, scope(owner.row), ScopeDef::default())?,
            None => Chain::scoped(def, ScopeDef::default())?,
        };
        if let Some(by) = chain.read_only_by() {
            query.parts.origin = RowOrigin::read_only(Some(by));
        }
        (ReadBy::of(&chain, &query)?, chain.scope)
    };
    match read_by {
        ReadBy::Key(key) => direct(repo, def, key, own, owner, query),
        ReadBy::Parts => Ok(OwnQuery::Parts(Box::new(query))),
        ReadBy::JoinChain => {
            let numbers = repo.in_database_of(query.parts.spec.model).dialect().capabilities().window_functions;
            match join_chain(repo, def, &query, numbers)? {
                Some(chain) => Ok(by_join_chain(chain, own, owner, query)),
                None => Ok(OwnQuery::Parts(Box::new(query))),
            }
        }
    }
}

/// The kind of statements that read the targets of one owner.
enum ReadBy {
    /// One statement on the targets' table.
    Key(KeyJoin),
    /// One statement that joins the intermediate tables, if a join chain exists.
    JoinChain,
    /// The statements of a preload.
    Parts,
}

impl ReadBy {
    fn of(chain: &Chain, query: &Select<AnyModel>) -> Result<ReadBy> {
        Ok(match &chain.parts {
            // The inverse is the owner itself, which a preload finds in memory. Grouped rows need the statement that
            // preloads have.
            ChainParts::Key(hop) if chain.scope.group.is_empty() && !leads_back(chain.association, query)? => {
                ReadBy::Key(hop.key)
            }
            ChainParts::Key(_) | ChainParts::ByType { .. } | ChainParts::CustomSql(_) => ReadBy::Parts,
            ChainParts::Through { .. } | ChainParts::JoinTable { .. } => ReadBy::JoinChain,
        })
    }
}

// Whether the query loads the inverse, and a preload can replace it.
fn leads_back(def: &AssociationDef, query: &Select<AnyModel>) -> Result<bool> {
    let spec = &query.parts.spec;
    let joins = !query.parts.joins.is_empty() || !query.parts.raw_joins.is_empty();
    if query.parts.preloads.is_empty() || joins || spec.distinct || !spec.group.is_empty() {
        return Ok(false);
    }
    let mut reaches = false;
    spec.visit_paths(&mut |path| reaches |= !path.is_empty());
    let inverse = def.inverse()?;
    let is_inverse = |request: &Request| inverse == Some(request.association) && request.strategy != Strategy::Joined;
    Ok(!reaches && query.parts.preloads.iter().any(is_inverse))
}

// The join chain to the targets, if one statement can read them.
fn join_chain(
    repo: &Repo,
    def: &'static AssociationDef,
    query: &Select<AnyModel>,
    numbers: bool,
) -> Result<Option<JoinChain>> {
    let loads_by_join = query.parts.preloads.iter().any(|request| request.strategy == Strategy::Joined);
    // An owner may reach a row several times. A query that joins what it loads, or that is distinct, cannot say how
    // often. Raw SQL was written for one table.
    let raw = query.parts.spec.filter.has_raw() || query.parts.spec.order.iter().any(|term| term.operand.is_raw());
    if loads_by_join || query.parts.spec.distinct || raw {
        return Ok(None);
    }
    let mut request = Request::new(def);
    request.scope.order.clone_from(&query.parts.spec.order);
    request.scope.unscoped = query.parts.unscoped;
    request.scope.select =
        query.parts.selected.as_ref().map(|operands| selected_columns(query.parts.spec.model, operands)).transpose()?;
    let selects = request.scope.select.is_some();
    let chain = repo.context().chain(def, request.scope.clone())?;
    if selects {
        // The plan of a preload checks that the query selects the columns that a preload needs.
        repo.plan((def.owner)(), Root::Existing, vec![request])?;
    }
    let readable = |chain: &JoinChain| chain.is_readable() && (numbers || !chain.numbers_rows());
    Ok(repo.context().join_chain(&chain).filter(readable))
}

fn by_join_chain(chain: JoinChain, own: ScopeDef, owner: Owner<'_>, mut query: Select<AnyModel>) -> OwnQuery<AnyModel> {
    let model = query.parts.spec.model;
    let key = owner.key(chain.owner_columns);
    let named = |named: Discriminator| owner.value(named.column) == Value::from(named.tag);
    let Some(key) = key.filter(|_| chain.owner_type.is_none_or(named)) else { return OwnQuery::Nothing };
    let parts = &mut *query.parts;
    let spec = &mut parts.spec;
    spec.filter = chain.begins_at(key.values()).and(chain.filter.clone()).and(std::mem::take(&mut spec.filter));
    let asked = std::mem::replace(&mut spec.order, chain.order.clone());
    keep_order_of_groups(model, &spec.group, &mut spec.order, &asked);
    parts.said_order.clone_from(&chain.said_order);
    if parts.selected.is_none() {
        parts.selected = chain.selected.as_ref().map(|columns| column_operands(model, columns));
    }
    spec.distinct = chain.limits.distinct;
    spec.limit = spec.limit.or(chain.limits.limit);
    spec.offset = spec.offset.or(Some(chain.limits.offset).filter(|offset| *offset > 0));
    parts.preloads.extend(own.includes);
    parts.preloads.extend(model.base_scope(own.unscoped || parts.unscoped).includes);
    if chain.cardinality == Cardinality::One {
        query = query.at_most(1);
    }
    // Strategies that are still open become loading by key, for the same reason as above.
    for request in query.parts.preloads.iter_mut().filter(|request| request.strategy == Strategy::Auto) {
        *request = request.clone().with_strategy(Strategy::Keyed);
    }
    query.parts.join_chain = Some(chain);
    OwnQuery::One(Box::new(query))
}

// As a preload of a single owner.
async fn by_parts<O: Model, T: Model>(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: &O,
    query: Select<T>,
) -> Result<Vec<T>> {
    let origin = query.parts.origin;
    let mut copy = owner.bare();
    let (repo, request) = request_of_parts(repo, def, O::DEF, query.retyped())?;
    repo.preload_rows(std::slice::from_mut(&mut copy), vec![request]).await?;
    let mut found: Vec<T> = targets_in(def, &copy);
    if origin.is_read_only() {
        mark(&mut found, origin);
    }
    Ok(found)
}

fn request_of_parts(
    repo: &Repo,
    def: &'static AssociationDef,
    owner: &'static ModelDef,
    query: Select<AnyModel>,
) -> Result<(Repo, Request)> {
    query.refuse_lock("a reader of an association that is read part by part")?;
    let model = query.parts.spec.model;
    let windows = repo.in_database_of(model).dialect().capabilities().window_functions;
    let is_chain = || {
        let chain = Chain::scoped(def, ScopeDef::default())?;
        Ok::<bool, Error>(matches!(chain.parts, ChainParts::Through { .. } | ChainParts::JoinTable { .. }))
    };
    // One statement would read them.
    let lacks =
        (!windows && is_chain()? && join_chain(repo, def, &query, true)?.is_some()).then_some(Lack::WindowFunctions);
    let joins = !query.parts.joins.is_empty() || !query.parts.raw_joins.is_empty();
    if !query.parts.spec.group.is_empty() || joins {
        let message = format!(
            "`{}` is read part by part, because it chooses among rows (or the query asks for distinct or joined rows): \
             such a reader takes conditions, an order, limits, columns and preloads",
            def.name
        );
        return Err(Error::invalid_query(owner.name, message));
    }
    let QueryParts { spec, preloads, selected, unscoped, most_statements, .. } = query.parts.into_parts();
    let mut scope_def = ScopeDef::default();
    (scope_def.filter, scope_def.order) = (spec.filter, spec.order);
    (scope_def.limit, scope_def.offset, scope_def.unscoped) = (spec.limit, spec.offset, unscoped);
    scope_def.distinct = spec.distinct;
    scope_def.select = selected.map(|operands| selected_columns(model, &operands)).transpose()?;
    let mut repo = match most_statements {
        Some(limit) => repo.max_statements(limit),
        None => repo.clone(),
    };
    if lacks.is_some() {
        repo.lacks = lacks;
    }
    Ok((repo, Request { scope: scope_def, children: preloads.into(), ..Request::new(def) }))
}

/// The targets in memory of an association of one owner.
pub(crate) fn targets_in<O: Model, T: TargetRow>(def: &AssociationDef, owner: &O) -> Vec<T> {
    let mut found = Vec::new();
    let any: &dyn Any = owner;
    def.field_access.visit(any, &mut |row| found.extend(row.downcast_ref::<T>().cloned()));
    found
}

// Makes a default scope with a limit a part of the query, so that the limit is seen: which rows are members depends on it.
fn with_default_limit(query: &mut Select<AnyModel>) {
    let Some(scope) = query.parts.spec.model.default_scope.filter(|_| !query.parts.unscoped) else { return };
    let base = scope();
    if base.limit.is_none() && base.offset.is_none() {
        return;
    }
    let parts = &mut *query.parts;
    let spec = &mut parts.spec;
    spec.filter = base.filter.and(std::mem::take(&mut spec.filter));
    if spec.order.is_empty() {
        spec.order = base.order;
    }
    spec.limit = spec.limit.or(base.limit);
    spec.offset = spec.offset.or(base.offset);
    if parts.selected.is_none() {
        parts.selected = base.select.map(|columns| column_operands(spec.model, &columns));
    }
    parts.preloads.extend(base.includes);
    parts.unscoped = true;
}

fn column_operands(model: &ModelDef, columns: &[usize]) -> Vec<Operand> {
    columns.iter().map(|column| Operand::Column(model.columns[*column].column_ref())).collect()
}

fn direct(
    repo: &Repo,
    def: &'static AssociationDef,
    hop: KeyJoin,
    own: ScopeDef,
    owner: Owner<'_>,
    mut query: Select<AnyModel>,
) -> Result<OwnQuery<AnyModel>> {
    let model = query.parts.spec.model;
    let Some(key) = owner.key(hop.owner_columns) else { return Ok(OwnQuery::Nothing) };
    let columns = hop.target_columns.iter().map(|column| &model.columns[*column]);
    let mut keyed: Vec<Expr> =
        columns.zip(key.values()).map(|(column, value)| Expr::column_equals(column, value.clone())).collect();
    keyed.extend(hop.target_type.map(|own| Expr::tagged(&model.columns[own.column], own.tag)));
    let parts = &mut *query.parts;
    let spec = &mut parts.spec;
    let asked = if spec.group.is_empty() { Vec::new() } else { spec.order.clone() };
    spec.filter = Expr::All(keyed).and(own.filter).and(std::mem::take(&mut spec.filter));
    if spec.order.is_empty() {
        spec.order = own.order;
    }
    spec.limit = spec.limit.or(own.limit);
    spec.offset = spec.offset.or(own.offset);
    parts.unscoped |= own.unscoped;
    parts.preloads.extend(own.includes);
    with_default_limit(&mut query);
    if query.parts.selected.is_none() {
        query.parts.selected = own.select.map(|columns| column_operands(model, &columns));
    }
    if let Some(selected) = &query.parts.selected {
        // The plan of a preload checks that the query selects the columns that a preload needs.
        let mut scope_def = ScopeDef::default();
        scope_def.select = Some(selected_columns(model, selected)?);
        repo.plan(
            (def.owner)(),
            Root::Existing,
            vec![Request { scope: scope_def, children: query.parts.preloads.clone().into(), ..Request::new(def) }],
        )?;
    }
    if !hop.unique {
        // The same order as a preload's: the requested order, then the primary key. A default scope's order comes
        // first.
        let parts = &mut *query.parts;
        if parts.spec.order.is_empty() && !parts.unscoped {
            parts.spec.order = model.base_scope(false).order;
        }
        parts.said_order.clone_from(&parts.spec.order);
        query = query.in_total_order();
        let spec = &mut query.parts.spec;
        keep_order_of_groups(model, &spec.group, &mut spec.order, &asked);
    }
    if def.kind.cardinality() == Cardinality::One {
        query = query.at_most(1);
    }
    Ok(OwnQuery::One(Box::new(query)))
}
