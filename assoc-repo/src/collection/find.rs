//! Finding members: by key, by a row, by their place in the order.

use std::collections::{HashMap, HashSet};

use assoc_core::driver::BoxFuture;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{Expr, ModelDef, OrderTerm};
use assoc_core::{ErrorKind, Filter, Model, Result};

use super::Collection;
use super::equal_keys::stored_keys;
use super::given_keys::IntoKey;
use crate::association_handle::{OwnerRef, ToManyAssociation};
use crate::get_association::OwnQuery;
use crate::query::{Query, Select};
use crate::read::key_values;
use crate::repo::Repo;

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// The member with a primary key. Loaded: no statement, a copy. Otherwise 1 statement.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such member, also if another owner has the row; the errors of
    /// [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let posts = repo.association(&user, User::POSTS);
    /// assert_eq!(posts.find(2).await?.title, "Engines");
    /// let other = repo.insert(Post::build().set(Post::TITLE, "Without a user")).await?;
    /// assert!(posts.find(other.id).await.is_err_and(|error| error.is_not_found()));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn find<How>(&self, key: impl IntoKey<T, How>) -> BoxFuture<'_, Result<T>> {
        let key = tuple_of::<T>(&key.into_key());
        Box::pin(async move {
            T::DEF.require_primary_key("`find`")?;
            let (_, mut found) = self.known_by(std::slice::from_ref(&key)).await?;
            found.pop().ok_or_else(|| not_found::<T>(&key))
        })
    }

    /// The members with some primary keys, in the order of the keys. Loaded: no statement, copies. Otherwise 1 statement, or as many
    /// as the keys need.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] naming the first key of which there is no member; the errors of [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let posts = repo.association(&user, User::POSTS).find_all([3, 1]).await?;
    /// assert_eq!(posts.iter().map(|post| &*post.title).collect::<Vec<_>>(), ["Notes", "Looms"]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn find_all<How>(&self, keys: impl IntoIterator<Item: IntoKey<T, How>>) -> BoxFuture<'_, Result<Vec<T>>> {
        let keys = tuples_of::<T, How>(keys);
        Box::pin(async move { self.members_with(&keys, "`find_all`").await })
    }

    pub(super) async fn members_with(&self, keys: &[KeyTuple], call: &str) -> Result<Vec<T>> {
        T::DEF.require_primary_key(call)?;
        let (keys, found) = self.known_by(keys).await?;
        in_order_of(&keys, found)
    }

    // The members with these keys, and the keys as the members hold them.
    async fn known_by(&self, keys: &[KeyTuple]) -> Result<(Vec<KeyTuple>, Vec<T>)> {
        let found = self.with_keys(keys).await?;
        let known = keys_of(&found);
        if keys.iter().all(|key| known.contains(key)) {
            return Ok((keys.to_vec(), found));
        }
        let rows = self.whole();
        let is_near = match &rows {
            Some(rows) => {
                let missing = keys.iter().filter(|key| !known.contains(key));
                let near: HashSet<KeyTuple> = missing.map(KeyTuple::folded).collect();
                rows.iter().filter_map(|row| T::DEF.key_of(*row)).any(|key| near.contains(&key.folded()))
            }
            None => lacks(&known, keys),
        };
        let stored = if is_near { stored_keys(self.handle.repo, T::DEF, keys).await? } else { None };
        match stored {
            Some(stored) if rows.is_some() => {
                let found = self.with_keys(&stored).await?;
                Ok((stored, found))
            }
            stored => Ok((stored.unwrap_or_else(|| keys.to_vec()), found)),
        }
    }

    // The members with these keys, in any order. A row that is linked several times may come as often.
    async fn with_keys(&self, keys: &[KeyTuple]) -> Result<Vec<T>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: HashSet<&KeyTuple> = keys.iter().collect();
        let has_key = |row: &T| T::DEF.key_of(row).is_some_and(|key| wanted.contains(&key));
        if let Some(rows) = self.whole() {
            let mut found = Vec::new();
            for row in rows {
                if has_key(row) {
                    found.push(row.clone());
                }
            }
            return Ok(found);
        }
        match self.own()? {
            OwnQuery::Nothing => Ok(Vec::new()),
            OwnQuery::One(query) if !chooses(&query) => rows_with_keys(self.handle.repo, &query, keys).await,
            // Which rows are members does not depend on what is looked for.
            _ => {
                let mut rows = self.read(Query::new()).await?;
                rows.retain(|row| has_key(row));
                Ok(rows)
            }
        }
    }

    /// The members that satisfy a condition, in their order, of an association that limits or groups its rows: which rows are
    /// members does not depend on the condition. `query` is its [`own_choice`](Self::own_choice). 2 statements, or 1 if there are no members.
    pub(super) async fn chosen(&self, query: Select<T>, filter: Filter<T>, for_share: bool) -> Result<Vec<T>> {
        T::DEF.require_primary_key("a condition on members that a limit chooses")?;
        let members = self.read(Query::new()).await?;
        let keys: Vec<KeyTuple> = members.iter().filter_map(|row| T::DEF.key_of(row)).collect();
        let mut query = query.closed();
        (query.parts.spec.limit, query.parts.spec.offset) = (None, None);
        let query = query.filter(filter);
        let query = if for_share { query.for_share() } else { query };
        let mut found = rows_with_keys(self.handle.repo, &query, &keys).await?;
        // Behind a join model a member may be there twice: its first place counts.
        let places: HashMap<&KeyTuple, usize> =
            keys.iter().enumerate().rev().map(|(place, key)| (key, place)).collect();
        found.sort_by_cached_key(|row| T::DEF.key_of(row).and_then(|key| places.get(&key).copied()));
        Ok(found)
    }

    /// The query of all members, if which rows are members depends on a limit or on groups: one more condition would choose others.
    pub(super) fn own_choice(&self) -> Result<Option<Select<T>>> {
        Ok(match self.own()? {
            OwnQuery::One(query) if limits(&query) => Some(*query),
            OwnQuery::Parts(mut query) if self.reflection().chooses_rows() => {
                // The members' keys say which rows are meant.
                query.parts.unscoped = true;
                Some(*query)
            }
            _ => None,
        })
    }

    /// Whether a row is a member, by its primary key. Loaded: no statement. Otherwise 1 statement, which reads at most one
    /// row; none if the row has no key.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let other = repo.insert(Post::build().set(Post::TITLE, "Without a user")).await?;
    /// assert!(!repo.association(&user, User::POSTS).contains(&other).await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn contains(&self, row: &T) -> Result<bool> {
        T::DEF.require_primary_key("`contains`")?;
        let Some(key) = T::DEF.key_of(row) else { return Ok(false) };
        if self.whole().is_none()
            && let OwnQuery::One(query) = self.own()?
            && !chooses(&query)
        {
            return self.handle.repo.exists(query.filter(keys_in::<T>(&[key]))).await;
        }
        Ok(!self.with_keys(&[key]).await?.is_empty())
    }

    /// The first member in the association's order; by primary key if it has none, behind a join model by that of the join
    /// rows. Loaded: no statement, a copy of the first
    /// row in memory. Otherwise 1 statement, which reads at most one row.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// assert_eq!(posts.first().await?.expect("a post").title, "Looms");
    /// posts.load().await?;
    /// let (first, statements) = repo.count_statements(posts.first()).await;
    /// assert_eq!((first?.is_some(), statements), (true, 0));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn first(&self) -> Result<Option<T>> {
        Ok(self.take(1).await?.pop())
    }

    /// The first members in the association's order, at most this many; by primary key if it has none. Loaded: no statement,
    /// copies. Otherwise 1 statement, which reads no more rows than that.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let posts = repo.association(&user, User::POSTS).take(2).await?;
    /// assert_eq!(posts.iter().map(|post| &*post.title).collect::<Vec<_>>(), ["Looms", "Engines"]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn take(&self, most: usize) -> Result<Vec<T>> {
        if let Some(rows) = self.whole() {
            return Ok(rows.into_iter().take(most).cloned().collect());
        }
        match self.own()? {
            OwnQuery::Nothing => Ok(Vec::new()),
            OwnQuery::One(query) => self.handle.repo.all(query.in_total_order().at_most(most as u64)).await,
            OwnQuery::Parts(query) => {
                let mut rows = self.read(*query).await?;
                rows.truncate(most);
                Ok(rows)
            }
        }
    }

    /// The last member in the association's order; by primary key if it has none. Loaded: no statement, a copy of the last
    /// row in memory. Otherwise 1 statement, which reads at most one row, or all of an association that has a limit.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let last = repo.association(&user, User::POSTS).last().await?;
    /// assert_eq!(last.expect("a post").title, "Notes");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn last(&self) -> Result<Option<T>> {
        Ok(self.take_last(1).await?.pop())
    }

    /// The last members in the association's order, at most this many, in that order; by primary key if it has none. Loaded: no
    /// statement, copies. Otherwise 1 statement, which reads no more rows than that, or all of an association that has a limit.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let posts = repo.association(&user, User::POSTS).take_last(2).await?;
    /// assert_eq!(posts.iter().map(|post| &*post.title).collect::<Vec<_>>(), ["Engines", "Notes"]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn take_last(&self, most: usize) -> Result<Vec<T>> {
        let last = |len: usize| len.saturating_sub(most);
        if let Some(rows) = self.whole() {
            return Ok(rows[last(rows.len())..].iter().copied().cloned().collect());
        }
        match self.own()? {
            OwnQuery::One(query) if !chooses(&query) => {
                let mut query = query.in_total_order();
                let order = std::mem::take(&mut query.parts.spec.order);
                query.parts.spec.order = order.into_iter().map(OrderTerm::reversed).collect();
                let mut rows = self.handle.repo.all(query.at_most(most as u64)).await?;
                rows.reverse();
                Ok(rows)
            }
            _ => {
                let mut rows = self.read(Query::new()).await?;
                Ok(rows.split_off(last(rows.len())))
            }
        }
    }
}

/// Whether a query reads a part of the rows that satisfy its conditions.
pub(super) fn limits<T>(query: &Select<T>) -> bool {
    query.parts.spec.limit.is_some() || query.parts.spec.offset.is_some()
}

// Whether a query chooses among the rows that satisfy its conditions, so that one more condition chooses others.
pub(super) fn chooses<T>(query: &Select<T>) -> bool {
    limits(query) || query.parts.spec.distinct || !query.parts.spec.group.is_empty()
}

pub(super) fn tuple_of<T: Model>(key: &T::Key) -> KeyTuple {
    KeyTuple::of_row(key_values(key))
}

pub(super) fn tuples_of<T: Model, How>(keys: impl IntoIterator<Item: IntoKey<T, How>>) -> Vec<KeyTuple> {
    let mut tuples = Vec::new();
    for key in keys {
        tuples.push(tuple_of::<T>(&key.into_key()));
    }
    tuples
}

// The rows that have one of these primary keys.
pub(super) fn keys_in<T: Model>(keys: &[KeyTuple]) -> Filter<T> {
    Filter::new(has_key(T::DEF, T::PRIMARY_KEY, keys))
}

fn has_key(model: &'static ModelDef, primary_key: &[usize], keys: &[KeyTuple]) -> Expr {
    let columns = || primary_key.iter().copied();
    let keys: Vec<_> = keys.iter().map(|key| columns().zip(key.values().iter().cloned()).collect()).collect();
    Expr::has_one_of(model, &keys)
}

fn distinct(keys: &[KeyTuple]) -> Vec<KeyTuple> {
    let mut seen = HashSet::new();
    keys.iter().filter(|key| seen.insert(*key)).cloned().collect()
}

/// The rows of a query that have one of these primary keys, by as many statements as the keys need.
pub(super) async fn rows_with_keys<T: Model>(repo: &Repo, query: &Select<T>, keys: &[KeyTuple]) -> Result<Vec<T>> {
    let keys = distinct(keys);
    let (dialect, width) = (repo.dialect(), T::PRIMARY_KEY.len());
    // Of one column they are a list, of several a condition each.
    let most = if width == 1 { dialect.most_keys(width) } else { dialect.keys_per_condition(width) };
    let mut rows = Vec::new();
    for keys in keys.chunks(most.max(1)) {
        rows.extend(repo.all(query.clone().filter(keys_in::<T>(keys))).await?);
    }
    Ok(rows)
}

pub(super) fn keys_of<T: Model>(rows: &[T]) -> HashSet<KeyTuple> {
    rows.iter().filter_map(|row| T::DEF.key_of(row)).collect()
}

/// Whether rows were found, and none that holds one of the keys: perhaps a row holds it in another form.
pub(super) fn lacks(found: &HashSet<KeyTuple>, keys: &[KeyTuple]) -> bool {
    !found.is_empty() && keys.iter().any(|key| !found.contains(key))
}

// Rows in the order of keys, as often as a key is named.
pub(super) fn in_order_of<T: Model>(keys: &[KeyTuple], rows: Vec<T>) -> Result<Vec<T>> {
    // The map knows places and no rows: one of rows would be compiled for each model.
    let mut places = HashMap::new();
    for (place, row) in rows.iter().enumerate() {
        if let Some(key) = T::DEF.key_of(row) {
            places.insert(key, place);
        }
    }
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        match places.get(key) {
            Some(place) => found.push(rows[*place].clone()),
            None => return Err(not_found::<T>(key)),
        }
    }
    Ok(found)
}

#[cold]
pub(super) fn not_found<T: Model>(key: &KeyTuple) -> assoc_core::Error {
    ErrorKind::NotFound { model: T::DEF.name, key: key.to_string() }.into()
}
