//! Rows beside their owners: the repo loads and counts them without storing them, so one association can be loaded in
//! several forms at once.

use std::collections::HashMap;

use assoc_core::driver::{Access, Dialect, KeySet, Statement};
use assoc_core::execution::RowKeys;
use assoc_core::joins::JoinChain;
use assoc_core::metadata::{AssociationDef, ChainParts, CustomSql, ModelDef, Request, ScopeDef};
use assoc_core::planner::Root;
use assoc_core::select::{KeyedCount, KeyedSelect};
use assoc_core::{Error, IntoPreload, Model, Preload, Result, Value};

use crate::get_association::targets_in;
use crate::preload;
use crate::preload::{Existing, ExistingRows};
use crate::repo::Repo;

impl Repo {
    /// The targets of an association of several owners: one list per owner, in the owners' order. The owners are not
    /// changed. It costs what preloading the association costs.
    ///
    /// # Errors
    /// As [`Repo::preload`].
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, pub published: bool }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let users = repo.all(Query::<User>::new()).await?;
    /// let published = repo.load_separately(&users, User::POSTS.filter(Post::PUBLISHED.eq(true))).await?;
    /// let latest = repo.load_separately(&users, User::POSTS.order_by(Post::ID.desc()).limit(3)).await?;
    /// assert_eq!((published.len(), latest.len()), (users.len(), users.len()));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn load_separately<O: Model, T: Model>(
        &self,
        owners: &[O],
        preload: impl Into<Preload<O, T>>,
    ) -> Result<Vec<Vec<T>>> {
        let [request]: [Request; 1] = preload
            .into()
            .into_requests()
            .try_into()
            .map_err(|_| Error::invalid_query(O::DEF.name, "`load` reads one association at a time"))?;
        let association = request.association;
        let mut copies = Vec::with_capacity(owners.len());
        for owner in owners {
            copies.push(owner.bare());
        }
        self.preload_rows(&mut copies, vec![request]).await?;
        let mut targets = Vec::with_capacity(copies.len());
        for copy in &copies {
            targets.push(targets_in(association, copy));
        }
        Ok(targets)
    }

    /// The number of targets of an association for each of several owners, in their order. It costs 1 grouped
    /// statement, which joins the tables of a through association. If only loading says which rows count (a scope that
    /// depends on the owner, several target models, a part that limits its rows), it costs what loading costs. For
    /// hand-written SQL it costs one statement per distinct SQL.
    ///
    /// # Errors
    /// As [`Repo::preload`].
    pub async fn count_for<O: Model, T: Model>(
        &self,
        owners: &[O],
        preload: impl Into<Preload<O, T>>,
    ) -> Result<Vec<u64>> {
        let preload = preload.into();
        let request = preload.request().clone();
        match self.count_by_statement(O::DEF, request, &ExistingRows::Lent(owners)).await? {
            Some(counts) => Ok(counts),
            None => {
                let mut counts = Vec::with_capacity(owners.len());
                for own in self.load_separately(owners, preload).await? {
                    counts.push(own.len() as u64);
                }
                Ok(counts)
            }
        }
    }

    // `None` if only loading says which rows count.
    async fn count_by_statement(
        &self,
        owner: &'static ModelDef,
        request: Request,
        owners: &(dyn Existing + '_),
    ) -> Result<Option<Vec<u64>>> {
        let association = request.association;
        let target = (association.target)();
        let chain = self.context().chain(association, request.scope.clone())?;
        let base = target.base_scope(chain.scope.unscoped);
        let limit = chain.scope.limit.or(base.limit);
        let offset = chain.scope.offset.or(base.offset).unwrap_or(0);
        let most = limit.unwrap_or(u64::MAX).min(if chain.is_single() { 1 } else { u64::MAX });
        let cut = |count: u64| count.saturating_sub(offset).min(most);
        // Loading refuses a group of single targets, so it gives the error here as well.
        let by_loading =
            chain.owner_scoped || (!chain.scope.group.is_empty() && chain.is_single()) || request.loader.is_some();
        match &chain.parts {
            _ if by_loading => {}
            ChainParts::CustomSql(custom_sql) if limit.is_none() && offset == 0 => {
                return self.count_custom_sql(owner, owners, association, *custom_sql, chain.scope).await.map(Some);
            }
            // Grouped single targets are refused as well.
            ChainParts::Key(hop) if !hop.scope.distinct => {
                self.require_condition(target, &hop.scope.filter)?;
                let keys = owners.keys(0, hop.key.owner_columns);
                let count = KeyedCount::new(hop);
                let statement = |dialect: &dyn Dialect, keys: &KeySet| count.statement(dialect, keys);
                let counts = self.counts(owner, target, &keys, &statement).await?;
                return Ok(Some(counts.into_iter().map(cut).collect()));
            }
            ChainParts::Through { .. } | ChainParts::JoinTable { .. } => {
                if let Some(join_chain) = self.context().join_chain(&chain).filter(JoinChain::is_countable) {
                    let keys = owners.keys(0, join_chain.owner_columns);
                    let statement = |dialect: &dyn Dialect, keys: &KeySet| join_chain.count_statement(dialect, keys);
                    let counts = self.counts(owner, target, &keys, &statement).await?;
                    return Ok(Some(counts.into_iter().map(cut).collect()));
                }
            }
            ChainParts::Key(_) | ChainParts::ByType { .. } | ChainParts::CustomSql(_) => {}
        }
        Ok(None)
    }

    // Runs a statement that counts the targets of each owner. It selects the ordinal of a key and the number of rows
    // with that key.
    async fn counts(
        &self,
        owner: &ModelDef,
        target: &'static ModelDef,
        keys: &RowKeys,
        statement: &(dyn Fn(&dyn Dialect, &KeySet) -> Result<Statement> + Sync),
    ) -> Result<Vec<u64>> {
        let set = KeySet::distinct([keys]);
        let mut counts = vec![0u64; set.len()];
        let repo = self.in_database_of(target);
        let mut session = repo.session(Access::Read).await?;
        let mut start = 0;
        for (part, chunk) in set.chunks(repo.dialect().keys_per_statement(set.width())).iter().enumerate() {
            let statement = statement(repo.dialect(), chunk)?.as_part(part);
            let mut sink = |values: &mut [Value<'_>]| {
                let (Some(Value::Int(ordinal)), Some(Value::Int(count))) = (values.first(), values.get(1)) else {
                    return Err(Error::invalid_query(
                        owner.name,
                        "the database counted in something else than integers",
                    ));
                };
                if let Some(own) = usize::try_from(*ordinal).ok().and_then(|at| counts.get_mut(start + at)) {
                    *own = count.unsigned_abs();
                }
                Ok(())
            };
            session.query(&statement, &mut sink).await?;
            start += chunk.len();
        }
        let count_at = |place: Option<usize>| place.map_or(0, |at| counts[at]);
        Ok(preload::places_of(&set, keys).into_iter().map(count_at).collect())
    }

    // By the association's counting statement, if the request adds nothing to the association; otherwise by counting
    // the rows that it finds.
    async fn count_custom_sql(
        &self,
        owner_model: &'static ModelDef,
        owners: &(dyn Existing + '_),
        association: &'static AssociationDef,
        custom_sql: CustomSql,
        scope_def: ScopeDef,
    ) -> Result<Vec<u64>> {
        if scope_def.distinct || !scope_def.group.is_empty() {
            // The plan refuses what loading would refuse.
            self.plan(owner_model, Root::Existing, vec![Request { scope: scope_def, ..Request::new(association) }])?;
            return Ok(Vec::new());
        }
        self.require_condition((association.target)(), &scope_def.filter)?;
        let repo = self.in_database_of((association.target)());
        let select = KeyedSelect { filter: scope_def.filter, ..KeyedSelect::new((association.target)(), &[]) };
        let own_count = custom_sql.count.filter(|_| select.filter.is_always());
        let mut known: HashMap<String, u64> = HashMap::new();
        let mut statements = Vec::with_capacity(owners.len(0));
        owners.visit(0, &mut |owner| statements.push(own_count.unwrap_or(custom_sql.find)(owner)));
        let mut counts = Vec::with_capacity(statements.len());
        let mut session = None;
        for raw in statements {
            // Binds can be compared but not hashed; their printed form serves as the key.
            let shown = format!("{raw:?}");
            let count = match known.get(&shown) {
                Some(count) => *count,
                None => {
                    let statement = match own_count {
                        Some(_) => repo.raw_statement(raw.sql(), raw.binds().iter().cloned())?,
                        None => select.count_custom_sql(repo.dialect(), &raw)?,
                    };
                    let mut count = None;
                    let mut sink = |values: &mut [Value<'_>]| {
                        count = match values {
                            [Value::Int(number)] => u64::try_from(*number).ok(),
                            [Value::UInt(number)] => Some(*number),
                            _ => None,
                        };
                        Ok(())
                    };
                    let session = match &mut session {
                        Some(session) => session,
                        none => none.insert(repo.session(Access::Read).await?),
                    };
                    session.query(&statement, &mut sink).await?;
                    let message = format!("the SQL that counts `{}` has to give one number", association.name);
                    let count = count.ok_or_else(|| Error::invalid_query(owner_model.name, message))?;
                    known.insert(shown, count);
                    count
                }
            };
            counts.push(count);
        }
        Ok(counts)
    }
}
