//! The primary keys of a collection: read, and given in place of rows.

use std::collections::HashSet;
use std::marker::PhantomData;

use assoc_core::driver::BoxFuture;
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{AssociationDef, KeyJoin, Linkage, Operand};
use assoc_core::{Error, ErrorKind, Key, Model, Result, Value};

use super::Collection;
use super::equal_keys::{holders, stored_keys};
use super::find::{chooses, in_order_of, keys_in, keys_of, lacks, rows_with_keys, tuples_of};
use super::given_keys::IntoKey;
use super::read::of_columns;
use crate::association_handle::{OwnerMut, OwnerRef, ToManyAssociation};
use crate::changeset::{ModelExt, WritableMany};
use crate::columns::{Columns, Selected};
use crate::get_association::OwnQuery;
use crate::query::Query;
use crate::repo::Repo;

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// The primary keys of the members, in the association's order; a member that is linked several times is there as often.
    /// Loaded: no statement. Otherwise 1 statement, which reads the keys alone.
    ///
    /// # Errors
    /// As [`all`](Self::all).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert_eq!(repo.association(&user, User::POSTS).ids().await?, [1, 2, 3]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn ids(&self) -> Result<Vec<T::Key>> {
        T::DEF.require_primary_key("`ids`")?;
        if let Some(rows) = self.whole() {
            return Ok(rows.into_iter().map(Model::key).collect());
        }
        self.read_ids().await
    }

    // As the database has them.
    pub(super) async fn read_ids(&self) -> Result<Vec<T::Key>> {
        match self.own()? {
            OwnQuery::Nothing => Ok(Vec::new()),
            OwnQuery::One(query) if !chooses(&query) => {
                self.handle.repo.pluck(KeyColumns::<T>(PhantomData), of_columns(*query)).await
            }
            _ => Ok(self.read(Query::new()).await?.iter().map(Model::key).collect()),
        }
    }
}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// Makes the rows with these primary keys the only members, as [`replace`](Self::replace) does with rows. A key that is
    /// named twice is one member; behind a join table it is two links.
    ///
    /// It costs 1 statement that reads the rows, or as many as the keys need, and those of [`replace`](Self::replace), loaded or
    /// not. All of it is one transaction.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no row with one of the keys; [`ErrorKind::NotMember`] if a row that holds its
    /// owner's key is another owner's: `push` moves such a row. The errors of [`replace`](Self::replace). Nothing is written
    /// then, and the owner stays as it is.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let other = repo.insert(Post::build().set(Post::TITLE, "Without a user")).await?;
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// posts.set_ids([1, other.id]).await?;
    /// assert_eq!(posts.ids().await?, [1, other.id]);
    /// assert!(posts.set_ids([99]).await.is_err_and(|error| error.is_not_found()));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn set_ids<How>(&mut self, keys: impl IntoIterator<Item: IntoKey<T, How>>) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let mut keys = tuples_of::<T, How>(keys);
        Box::pin(async move {
            T::DEF.require_primary_key("`set_ids`")?;
            let definition = self.reflection();
            let holds_key = match definition.linkage()? {
                Linkage::TargetKey(key) => Some(key),
                _ => None,
            };
            if holds_key.is_some() {
                once(&mut keys);
            }
            // Problems of the call itself, such as an owner without a key, are found before any SQL.
            self.owner().change().replace(self.handle.association, Vec::<&T>::new()).as_row_change().check()?;
            let (owner, association) = (self.owner(), self.handle.association);
            let saved = self
                .handle
                .repo
                .transaction(async |tx| {
                    let found = rows_with_keys(tx, &Query::new().for_update(), &keys).await?;
                    let stored =
                        if lacks(&keys_of(&found), &keys) { stored_keys(tx, T::DEF, &keys).await? } else { None };
                    let mut keys = stored.unwrap_or_else(|| keys.clone());
                    if holds_key.is_some() {
                        once(&mut keys);
                    }
                    let rows = in_order_of(&keys, found)?;
                    if let Some(key) = holds_key {
                        let is_others = |row: &&T| T::DEF.key_in(*row, key.target_columns).is_some();
                        let held: Vec<&T> = rows.iter().filter(is_others).collect();
                        require_members(tx, definition, key, owner, &held).await?;
                    }
                    tx.update(owner.change().replace(association, &rows)).await
                })
                .await?;
            *self.handle.owner.owner_mut() = saved;
            Ok(())
        })
    }
}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// Lets the members with these primary keys go: [`find_all`](Self::find_all), and [`delete`](Self::delete) of what it finds,
    /// whatever its `lock_version`.
    ///
    /// Statements: 1 that reads the members, none if they are loaded, and those of [`delete`](Self::delete).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] naming the first key of which there is no member, also if another owner has the row; the errors of
    /// [`delete`](Self::delete). Nothing is written then, and the owner stays as it is.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: Option<i64> }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let mut user = repo.insert(User::build().push(User::POSTS, [Post::build(), Post::build()])).await?;
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// posts.delete_ids([1]).await?;
    /// assert_eq!(posts.ids().await?, [2]);
    /// assert!(posts.delete_ids([1]).await.is_err_and(|error| error.is_not_found()));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn delete_ids<How>(&mut self, keys: impl IntoIterator<Item: IntoKey<T, How>>) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let keys = tuples_of::<T, How>(keys);
        Box::pin(async move {
            let rows = self.members_with(&keys, "`delete_ids`").await?;
            let change = self.without(&rows).by_keys();
            self.handle.save(change).await
        })
    }

    /// Destroys the members with these primary keys: [`find_all`](Self::find_all), and [`destroy`](Self::destroy) of what it
    /// finds, whatever its `lock_version`.
    ///
    /// Statements: 1 that reads the members, none if they are loaded, and those of [`destroy`](Self::destroy).
    ///
    /// # Errors
    /// As [`delete_ids`](Self::delete_ids) and [`destroy`](Self::destroy).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// posts.destroy_ids([1, 3]).await?;
    /// assert_eq!(posts.ids().await?, [2]);
    /// assert_eq!(repo.count(Query::<Post>::new()).await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn destroy_ids<How>(&mut self, keys: impl IntoIterator<Item: IntoKey<T, How>>) -> BoxFuture<'_, Result<()>>
    where
        R: OwnerMut,
        A: WritableMany<R::Owner, T>,
    {
        let keys = tuples_of::<T, How>(keys);
        Box::pin(async move {
            let rows = self.members_with(&keys, "`destroy_ids`").await?;
            let change = self.destroying(&rows).by_keys();
            self.handle.save(change).await
        })
    }
}

fn once(keys: &mut Vec<KeyTuple>) {
    let mut seen = HashSet::new();
    keys.retain(|key| seen.insert(key.clone()));
}

/// Requires that rows hold the owner's key, and its type. 1 statement where a row holds a key that is written otherwise, and the
/// database does not compare such keys by their bytes.
pub(super) async fn require_members<O: Model, T: Model>(
    repo: &Repo,
    definition: &'static AssociationDef,
    key: KeyJoin,
    owner: &O,
    rows: &[&T],
) -> Result<()> {
    let wanted = O::DEF.key_in(owner, key.owner_columns);
    let has_type = |row: &T| key.target_type.is_none_or(|named| row.value(named.column) == Value::from(named.tag));
    let is_member = |row: &T| has_type(row) && wanted.is_some() && T::DEF.key_in(row, key.target_columns) == wanted;
    let others: Vec<&T> = rows.iter().copied().filter(|row| !is_member(row)).collect();
    let Some(first) = others.first() else { return Ok(()) };
    let may_be = |row: &&T| has_type(row) && T::DEF.key_in(*row, key.target_columns).is_some();
    let is_asked = others.iter().all(may_be) && !repo.compares_bytes(T::DEF, key.target_columns);
    let Some(wanted) = wanted.clone().filter(|_| is_asked) else { return Err(not_member(definition, owner, *first)) };
    let keys: Vec<KeyTuple> = others.iter().filter_map(|row| T::DEF.key_of(*row)).collect();
    let held = holders(repo, T::DEF, key.target_columns, wanted, &keys_in::<T>(&keys).into_expr()).await?;
    let is_others = |row: &&&T| T::DEF.key_of(**row).is_none_or(|key| !held.contains(&key));
    others.iter().find(is_others).map_or(Ok(()), |row| Err(not_member(definition, owner, *row)))
}

#[cold]
pub(super) fn not_member<O: Model, T: Model>(definition: &'static AssociationDef, owner: &O, row: &T) -> Error {
    let shown = |key: Option<KeyTuple>| key.map(|key| key.to_string()).unwrap_or_default();
    ErrorKind::NotMember {
        model: O::DEF.name,
        owner: shown(O::DEF.key_of(owner)),
        association: definition.name,
        target: T::DEF.name,
        key: shown(T::DEF.key_of(row)),
    }
    .into()
}

/// The columns of a model's primary key.
struct KeyColumns<T>(PhantomData<fn() -> T>);

impl<T: Model> Columns<T> for KeyColumns<T> {
    type Row = T::Key;

    fn operands(self) -> Vec<Operand> {
        T::PRIMARY_KEY.iter().map(|column| Operand::Column(T::DEF.columns[*column].column_ref())).collect()
    }

    fn decode(values: &mut [Value<'_>], _: &Selected) -> Result<T::Key> {
        let values: Vec<Value<'static>> = values.iter().map(|value| value.clone().into_owned()).collect();
        T::Key::from_values(&values).map_err(|mismatch| mismatch.at(T::DEF.name, "primary key"))
    }
}
