//! `repo.association(&mut user, User::POSTS)`: an association of one owner, with what can be done with it.
//!
//! A handle adds no machinery. It reads as [`Repo::get_association`] does, and it writes changesets of its owner, so what it
//! refuses, runs and costs is what a [save](Repo::update) refuses, runs and costs.

use std::fmt;

use assoc_core::driver::BoxFuture;
use assoc_core::metadata::{AssociationDef, Chain, Request, TableRef};
use assoc_core::{
    Association, BelongsTo, HasMany, HasManyThrough, HasOne, JoinRow, LoadState, Model, Preload, Result, TargetRow,
    Through, ToOne,
};

use crate::callbacks::Firing;
use crate::changeset::Changeset;
use crate::collection::Collection;
use crate::get_association::{rows, single_target};
use crate::query::Query;
use crate::repo::Repo;
use crate::singular::Singular;

mod other_sort;

mod sealed {
    use assoc_core::metadata::AssociationDef;
    use assoc_core::{Association, Model};

    pub trait OwnerRef {}
    impl<O: Model> OwnerRef for &O {}
    impl<O: Model> OwnerRef for &mut O {}

    pub trait HandleOf: Copy {
        fn definition(self) -> &'static AssociationDef;
    }
    impl<O, T, H> HandleOf for Association<O, T, H> {
        fn definition(self) -> &'static AssociationDef {
            self.def()
        }
    }
}

/// The owner that a handle is made of: `&mut owner` to load and write, `&owner` to read.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no reference to the one row that a handle is made of",
    label = "give `&mut owner`, or `&owner` for reading only"
)]
pub trait OwnerRef: sealed::OwnerRef + Send + Sync {
    /// The owner's model.
    type Owner: Model;

    /// The owner.
    fn owner(&self) -> &Self::Owner;
}

#[diagnostic::do_not_recommend]
impl<O: Model> OwnerRef for &O {
    type Owner = O;

    fn owner(&self) -> &O {
        self
    }
}

#[diagnostic::do_not_recommend]
impl<O: Model> OwnerRef for &mut O {
    type Owner = O;

    fn owner(&self) -> &O {
        self
    }
}

/// An owner that a handle loads and writes: `&mut owner`.
#[diagnostic::on_unimplemented(
    message = "a handle of `{Self}` only reads",
    label = "loading and writing change the owner, which is borrowed for reading",
    note = "make the handle of `&mut owner`: `repo.association(&mut user, User::POSTS)`"
)]
pub trait OwnerMut: OwnerRef {
    /// The owner, to change it.
    #[doc(hidden)]
    fn owner_mut(&mut self) -> &mut Self::Owner;
}

impl<O: Model> OwnerMut for &mut O {
    fn owner_mut(&mut self) -> &mut O {
        self
    }
}

/// An association that [`Repo::association`] makes a handle of: a [`Collection`] of one to many, a [`Singular`] of one to
/// one.
#[diagnostic::on_unimplemented(
    message = "no handle can be made of `{R}` and `{Self}`",
    label = "a handle takes a reference to one row, and an association of its model",
    note = "write `repo.association(&mut user, User::POSTS)`, or `&user` for reading only",
    note = "associations of several rows are loaded by `repo.preload(&mut users, User::POSTS)`"
)]
pub trait HandleOf<R>: sealed::HandleOf {
    /// The handle.
    type Handle<'r>;

    /// Makes the handle.
    #[doc(hidden)]
    fn handle<'r>(self, repo: &'r Repo, owner: R) -> Self::Handle<'r>;
}

/// An association to many.
pub trait ToManyAssociation<O, T>: sealed::HandleOf + Send + Sync + 'static {
    /// The association as a preload.
    #[doc(hidden)]
    fn preload(self) -> Preload<O, T>;
}

/// An association to one.
pub trait ToOneAssociation<O, T>: sealed::HandleOf + Send + Sync + 'static {
    /// Reads the target.
    #[doc(hidden)]
    fn read_one<'a>(self, repo: &'a Repo, owner: &'a O) -> BoxFuture<'a, Result<Option<T>>>;
}

macro_rules! to_many {
    ($([$($parameter:tt)*] $holder:ty;)+) => {$(
        to_many!(@handle &'o O, [T: Model, $($parameter)*] $holder);
        to_many!(@handle &'o mut O, [T: Model, $($parameter)*] $holder);

        impl<O: Model, T: Model, $($parameter)*> ToManyAssociation<O, T> for Association<O, T, $holder> {
            fn preload(self) -> Preload<O, T> {
                self.into()
            }
        }
    )+};
    // For each of the two references, and not for all that are an `OwnerRef`: then another owner is one error, which our words
    // explain.
    (@handle $owner:ty, [$($parameter:tt)*] $holder:ty) => {
        #[diagnostic::do_not_recommend]
        impl<'o, O: Model, $($parameter)*> HandleOf<$owner> for Association<O, T, $holder> {
            type Handle<'r> = Collection<'r, $owner, T, Self>;

            fn handle<'r>(self, repo: &'r Repo, owner: $owner) -> Self::Handle<'r> {
                Collection::new(repo, owner, self)
            }
        }
    };
}

to_many! {
    [] HasMany<T>;
    [J: JoinRow + 'static] HasManyThrough<T, J>;
    [J: JoinRow + 'static, const W: bool] Through<HasManyThrough<T, J>, W>;
}

// A target behind others is of one model, so that one statement can join its way.
macro_rules! to_one {
    ($([$($parameter:tt)*] $holder:ty, $target:ident by $read:expr;)+) => {$(
        to_one!(@handle &'o O, [T: $target, S: ToOne<Target = T>, $($parameter)*] $holder);
        to_one!(@handle &'o mut O, [T: $target, S: ToOne<Target = T>, $($parameter)*] $holder);

        impl<O: Model, T: $target, S: ToOne<Target = T>, $($parameter)*> ToOneAssociation<O, T>
            for Association<O, T, $holder>
        {
            fn read_one<'a>(self, repo: &'a Repo, owner: &'a O) -> BoxFuture<'a, Result<Option<T>>> {
                Box::pin($read(repo, self.def(), owner))
            }
        }
    )+};
    (@handle $owner:ty, [$($parameter:tt)*] $holder:ty) => {
        #[diagnostic::do_not_recommend]
        impl<'o, O: Model, $($parameter)*> HandleOf<$owner> for Association<O, T, $holder> {
            type Handle<'r> = Singular<'r, $owner, T, Self>;

            fn handle<'r>(self, repo: &'r Repo, owner: $owner) -> Self::Handle<'r> {
                Singular::new(repo, owner, self)
            }
        }
    };
}

to_one! {
    [] HasOne<S>, TargetRow by single_target;
    [] BelongsTo<S>, TargetRow by single_target;
    [const W: bool] Through<HasOne<S>, W>, Model by first_target;
}

async fn first_target<O: Model, T: Model>(repo: &Repo, def: &'static AssociationDef, owner: &O) -> Result<Option<T>> {
    Ok(rows(repo, def, owner, Query::new()).await?.into_iter().next())
}

impl Repo {
    /// A handle of an association of one owner: a [`Collection`] or a [`Singular`]. It runs no statement.
    ///
    /// A handle of `&mut owner` loads and writes; the owner follows each write that succeeds, and no other. Its counters change by
    /// the same difference as in the database, so one that was stale stays stale by as much until it is read again. A handle of
    /// `&owner` reads. Members of an association that leads through others than a join model cannot be written: their methods
    /// do not compile.
    ///
    /// ```
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, pub name: String, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: Option<i64>, pub title: String }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// let mut user = repo.insert(User::build().set(User::NAME, "Ada")).await?;
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// posts.push(["On engines", "On looms"].map(|title| Post::build().set(Post::TITLE, title))).await?;
    /// assert_eq!(posts.count().await?, 2);
    /// let first = posts.first().await?.expect("a post");
    /// posts.delete(&first).await?;
    /// assert_eq!(user.posts()?.len(), 1);
    /// assert_eq!(repo.association(&user, User::POSTS).count().await?, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn association<R, A: HandleOf<R>>(&self, owner: R, association: A) -> A::Handle<'_> {
        association.handle(self, owner)
    }
}

/// What all handles have: the repo, the owner, and the association.
pub(crate) struct Handle<'r, R, A> {
    pub(crate) repo: &'r Repo,
    pub(crate) owner: R,
    pub(crate) association: A,
}

impl<R: OwnerRef, A: sealed::HandleOf> Handle<'_, R, A> {
    pub(crate) fn definition(&self) -> &'static AssociationDef {
        self.association.definition()
    }

    pub(crate) fn state(&self) -> LoadState {
        self.definition().field_access.state(self.owner.owner())
    }

    /// The rows that the owner holds in memory; `None` if the association is not loaded.
    pub(crate) fn rows<T: 'static>(&self) -> Option<Vec<&T>> {
        if self.state() == LoadState::NotLoaded {
            return None;
        }
        let mut rows = Vec::new();
        self.definition().field_access.visit(self.owner.owner(), &mut |row| rows.extend(row.downcast_ref::<T>()));
        Some(rows)
    }

    /// The rows in memory, if they are all there are and not what a filter has left.
    pub(crate) fn whole<T: 'static>(&self) -> Option<Vec<&T>> {
        if self.state() == LoadState::Loaded { self.rows() } else { None }
    }

    pub(crate) fn shown(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let owner = R::Owner::DEF.key_of(self.owner.owner()).map(|key| key.to_string());
        f.debug_struct(name)
            .field("association", &self.definition().qualified_name())
            .field("owner", &owner)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl<R: OwnerMut, A: sealed::HandleOf + Send> Handle<'_, R, A> {
    /// Loads the association if the owner does not hold the whole of it.
    pub(crate) async fn load(&mut self) -> Result<()> {
        match self.state() {
            LoadState::Loaded => Ok(()),
            LoadState::NotLoaded => {
                let requests = vec![Request::new(self.definition())];
                self.repo.preload_rows(std::slice::from_mut(self.owner.owner_mut()), requests).await
            }
            LoadState::Partial => self.reload().await,
        }
    }

    pub(crate) async fn reload(&mut self) -> Result<()> {
        let requests = vec![Request::new(self.definition())];
        self.repo.reload_rows(std::slice::from_mut(self.owner.owner_mut()), requests).await
    }

    pub(crate) fn reset(&mut self) {
        let definition = self.definition();
        definition.field_access.clear(self.owner.owner_mut());
    }

    /// Forgets what other associations of the owner have loaded of a table that was written.
    pub(crate) fn forget_others(&mut self, written: TableRef) {
        let own = self.definition();
        let owner = self.owner.owner_mut();
        for association in R::Owner::DEF.associations.iter().filter(|other| other.name != own.name) {
            let reads = || {
                Chain::keys(association).is_ok_and(|chain| chain.hops().iter().any(|hop| hop.model.table == written))
            };
            if association.field_access.state(owner) != LoadState::NotLoaded && reads() {
                association.field_access.clear(owner);
            }
        }
    }

    /// Saves changes of the owner. It follows if that succeeds.
    pub(crate) fn save(&mut self, change: Changeset<R::Owner>) -> BoxFuture<'_, Result<()>> {
        let saving = self.save_counted(change, Firing::Callbacks);
        Box::pin(async move { saving.await.map(|_| ()) })
    }

    /// As [`save`](Self::save), with callbacks or without. It also answers how many members [`Changeset::clear`] removed.
    pub(crate) fn save_counted(&mut self, change: Changeset<R::Owner>, firing: Firing) -> BoxFuture<'_, Result<u64>> {
        let saving = self.repo.update_counted(change, firing);
        Box::pin(async move {
            let (saved, let_go) = saving.await?;
            *self.owner.owner_mut() = saved;
            Ok(let_go)
        })
    }
}
