//! Calls that write counters: adding to some, counting anew.

use std::collections::HashSet;

use assoc_core::counters::{CountedCollection, ParentChanges};
use assoc_core::driver::{Access, BoxFuture, KeySet, TransactionMode};
use assoc_core::execution::KeyTuple;
use assoc_core::metadata::{AssociationDef, ModelDef};
use assoc_core::{Association, Error, HasMany, HasManyThrough, JoinRow, Model, Result, Through};

use super::{Mode, apply, reset};
use crate::primary_key_of::PrimaryKeyOf;
use crate::read::key_values;
use crate::repo::Repo;

#[cfg(doc)]
use assoc_core::ErrorKind;

/// An association to many that may have a counter: a `has_many`, or a `has_many through` a join model, whose rows are counted
/// then.
#[diagnostic::on_unimplemented(
    message = "this association has no counter",
    label = "no `has_many` whose rows belong to one owner",
    note = "a counter counts the rows of a `has_many`, or the join rows of a `has_many through`"
)]
pub trait CountedMany<O> {
    /// The association as data.
    #[doc(hidden)]
    fn association(&self) -> &'static AssociationDef;
}

impl<O, T: Model> CountedMany<O> for Association<O, T, HasMany<T>> {
    fn association(&self) -> &'static AssociationDef {
        self.def()
    }
}

impl<O, T: Model, J: JoinRow> CountedMany<O> for Association<O, T, Through<HasManyThrough<T, J>, true>> {
    fn association(&self) -> &'static AssociationDef {
        self.def()
    }
}

/// One association of a model that has a counter, or several of them in a tuple.
#[diagnostic::on_unimplemented(
    message = "this association has no counter",
    label = "no `has_many` whose rows belong to one owner, and no tuple of such",
    note = "a counter counts the rows of a `has_many`, or the join rows of a `has_many through`"
)]
pub trait Counters<O> {
    /// The associations as data.
    #[doc(hidden)]
    fn associations(&self) -> Vec<&'static AssociationDef>;
}

impl<O, T: Model> Counters<O> for Association<O, T, HasMany<T>> {
    fn associations(&self) -> Vec<&'static AssociationDef> {
        vec![self.def()]
    }
}

impl<O, T: Model, J: JoinRow> Counters<O> for Association<O, T, Through<HasManyThrough<T, J>, true>> {
    fn associations(&self) -> Vec<&'static AssociationDef> {
        vec![self.def()]
    }
}

macro_rules! counters_in_tuples {
    ($($one:ident)+) => {
        impl<O, $($one: CountedMany<O>),+> Counters<O> for ($($one,)+) {
            fn associations(&self) -> Vec<&'static AssociationDef> {
                #[allow(non_snake_case, reason = "a variable for each type of the tuple")]
                let ($($one,)+) = self;
                vec![$($one.association()),+]
            }
        }
    };
}

counters_in_tuples!(A);
counters_in_tuples!(A B);
counters_in_tuples!(A B C);
counters_in_tuples!(A B C D);
counters_in_tuples!(A B C D E);
counters_in_tuples!(A B C D E F);
counters_in_tuples!(A B C D E F G);
counters_in_tuples!(A B C D E F G H);

impl Repo {
    /// Counts the rows of associations anew, for all owners, and corrects each counter that is wrong. Returns how many were.
    /// Several counters of one model are given as a tuple: `(User::POSTS, User::COMMENTS)`.
    ///
    /// 1 grouped statement for each association. Where counters are wrong, these owners are locked (1 statement), counted once
    /// more (1 for each association that has a wrong one), and the differences are added: 1 statement, which writes each owner
    /// once. Each for a chunk of keys. So rows that come and go meanwhile are not lost. Neither `updated_at` nor
    /// `lock_version` moves.
    ///
    /// # Errors
    /// Before any SQL, when no `belongs_to` of the association's rows has a `counter_cache`, or several have and the association
    /// does not say which is its own; [`ErrorKind::OutsideFilter`] of a filtered repo that does not see all rows that count;
    /// a failing database.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// #[derive(Model, Debug, Clone)]
    /// pub struct User {
    ///     pub id: i64,
    ///     #[column(counter_cache)]
    ///     pub posts_count: i64,
    ///     #[has_many]
    ///     pub posts: HasMany<Post>,
    /// }
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub user_id: i64,
    ///     #[belongs_to(counter_cache)]
    ///     pub user: BelongsTo<User>,
    /// }
    ///
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let user = repo.insert(User::build()).await?;
    /// repo.insert(Post::build().set(Post::USER_ID, user.id)).await?;
    /// repo.execute_raw("INSERT INTO posts (user_id) VALUES (1)", []).await?; // nothing follows
    /// assert_eq!(repo.reset_counters(User::POSTS).await?, 1);
    /// assert_eq!(repo.get_or_fail::<User>(1, Query::new()).await?.posts_count, 2);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn reset_counters<O: Model>(&self, counters: impl Counters<O>) -> BoxFuture<'_, Result<u64>> {
        self.reset_all_counters(counters.associations())
    }

    fn reset_all_counters(&self, associations: Vec<&'static AssociationDef>) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move { reset::run(self, &associations, None).await })
    }

    /// As [`reset_counters`](Self::reset_counters), for the owners with these primary keys.
    ///
    /// # Errors
    /// As [`reset_counters`](Self::reset_counters).
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User {
    /// #     pub id: i64,
    /// #     #[column(counter_cache)]
    /// #     pub posts_count: i64,
    /// #     #[has_many]
    /// #     pub posts: HasMany<Post>,
    /// # }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, #[belongs_to(counter_cache)] pub user: BelongsTo<User> }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// repo.insert_all([User::build(), User::build()]).await?;
    /// repo.execute_raw("INSERT INTO posts (user_id) VALUES (1), (2)", []).await?; // nothing follows
    /// assert_eq!(repo.reset_counters_of(User::POSTS, [2]).await?, 1);
    /// assert_eq!(repo.pluck(User::POSTS_COUNT, Query::order_by(User::ID.asc())).await?, [0, 1]);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn reset_counters_of<O: Model>(
        &self,
        counters: impl Counters<O>,
        keys: impl IntoIterator<Item: PrimaryKeyOf<O>>,
    ) -> BoxFuture<'_, Result<u64>> {
        self.reset_given_counters(O::DEF, counters.associations(), tuples::<O>(keys))
    }

    fn reset_given_counters(
        &self,
        owner: &'static ModelDef,
        associations: Vec<&'static AssociationDef>,
        keys: Vec<KeyTuple>,
    ) -> BoxFuture<'_, Result<u64>> {
        Box::pin(async move {
            owner.require_primary_key("`reset_counters_of`")?;
            reset::run(self, &associations, Some(KeySet::from_iter(keys))).await
        })
    }

    /// Adds to the counters of the owners with these primary keys: a negative amount is taken away, and `NULL` counts as 0.
    /// Returns how many rows were there. 1 statement for each chunk of keys; each owner is written once.
    ///
    /// It is for programs that write rows by other means, such as raw SQL, and keep the counter themselves. No struct is changed:
    /// read the owner again, or add the amount to its field.
    ///
    /// # Errors
    /// As [`reset_counters`](Self::reset_counters), and when a sum does not fit the counter.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[column(counter_cache)] pub posts_count: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, #[belongs_to(counter_cache)] pub user: BelongsTo<User> }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.insert_all([User::build(), User::build()]).await?;
    /// assert_eq!(repo.add_to_counter(User::POSTS, [1, 2, 99], 5).await?, 2);
    /// assert_eq!(repo.get_or_fail::<User>(2, Query::new()).await?.posts_count, 5);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn add_to_counter<O: Model>(
        &self,
        association: impl CountedMany<O>,
        keys: impl IntoIterator<Item: PrimaryKeyOf<O>>,
        amount: i64,
    ) -> BoxFuture<'_, Result<u64>> {
        let association = association.association();
        let keys = tuples::<O>(keys);
        Box::pin(async move {
            self.require_here(O::DEF)?;
            O::DEF.require_primary_key("`add_to_counter`")?;
            let counted = CountedCollection::of(association)?;
            if amount == i64::MIN {
                return Err(Error::invalid_query(O::DEF.name, "`add_to_counter`: the amount is out of range"));
            }
            let keys: HashSet<KeyTuple> = keys.into_iter().collect();
            let rows: Vec<(KeyTuple, i64)> = keys.into_iter().map(|key| (key, amount)).collect();
            let mut changes = ParentChanges::new(self.touches);
            changes.count(O::DEF, O::PRIMARY_KEY, counted.counter, &rows);
            let mut session = self.session(Access::Write).await?;
            session.begin(TransactionMode::Write).await?;
            let followed = apply(self, &mut session, changes, self.now(), Mode::Write).await;
            let followed = session.finish(followed).await?;
            Ok(followed.written.iter().map(|(_, rows)| rows).sum())
        })
    }
}

fn tuples<O: Model>(keys: impl IntoIterator<Item: PrimaryKeyOf<O>>) -> Vec<KeyTuple> {
    keys.into_iter().filter_map(|key| KeyTuple::new(key_values(&key.into_primary_key()))).collect()
}
