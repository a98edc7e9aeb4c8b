//! `repo.association(&mut user, User::POSTS)`: an association of one owner, with what can be done with it.
//!
//! A handle adds no machinery. It reads as [`Repo::get_association`] does, and it writes changesets of its owner, so what it
//! refuses, runs and costs is what a [save](Repo::update) refuses, runs and costs.

use std::any::Any;

use assoc_core::metadata::AssociationDef;
use assoc_core::{
    Association, BelongsTo, HasMany, HasManyThrough, HasOne, JoinRow, Model, Preload, TargetRow, Through, ToOne,
};

use crate::collection::Collection;
use crate::repo::Repo;
use crate::singular::Singular;

mod sealed {
    use assoc_core::{Association, Model};

    pub trait OwnerRef {}
    impl<O: Model> OwnerRef for &O {}
    impl<O: Model> OwnerRef for &mut O {}

    pub trait HandleOf {}
    impl<O, T, H> HandleOf for Association<O, T, H> {}
}

/// The owner that a handle is made of: `&mut owner` to load and write, `&owner` to read.
#[diagnostic::on_unimplemented(
    message = "a handle is made of a reference to the owner",
    label = "give `&mut owner`, or `&owner` for reading only"
)]
pub trait OwnerRef: sealed::OwnerRef + Send + Sync {
    /// The owner's model.
    type Owner: Model;

    /// The owner.
    fn owner(&self) -> &Self::Owner;
}

impl<O: Model> OwnerRef for &O {
    type Owner = O;

    fn owner(&self) -> &O {
        self
    }
}

impl<O: Model> OwnerRef for &mut O {
    type Owner = O;

    fn owner(&self) -> &O {
        self
    }
}

/// An association that [`Repo::association`] makes a handle of: a [`Collection`] of one to many, a [`Singular`] of one to
/// one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no association of this owner",
    label = "no handle can be made of it",
    note = "name an association of the owner's model: `repo.association(&mut user, User::POSTS)`"
)]
pub trait HandleOf<R>: sealed::HandleOf {
    /// The handle.
    type Handle<'r>;

    /// Makes the handle.
    #[doc(hidden)]
    fn handle<'r>(self, repo: &'r Repo, owner: R) -> Self::Handle<'r>;
}

/// An association to many.
pub trait ToManyAssociation<O, T>: sealed::HandleOf + Copy + Send + Sync + 'static {
    /// The association as a preload.
    #[doc(hidden)]
    fn preload(self) -> Preload<O, T>;

    /// The association as data.
    #[doc(hidden)]
    fn definition(self) -> &'static AssociationDef;
}

/// An association to one.
pub trait ToOneAssociation<O, T>: sealed::HandleOf + Copy + Send + Sync + 'static {
    /// The association as data.
    #[doc(hidden)]
    fn definition(self) -> &'static AssociationDef;
}

macro_rules! to_many {
    ($([$($parameter:tt)*] $holder:ty;)+) => {$(
        impl<O: Model, R: OwnerRef<Owner = O>, T: Model, $($parameter)*> HandleOf<R> for Association<O, T, $holder> {
            type Handle<'r> = Collection<'r, R, T, Self>;

            fn handle<'r>(self, repo: &'r Repo, owner: R) -> Self::Handle<'r> {
                Collection::new(repo, owner, self)
            }
        }

        impl<O: Model, T: Model, $($parameter)*> ToManyAssociation<O, T> for Association<O, T, $holder> {
            fn preload(self) -> Preload<O, T> {
                self.into()
            }

            fn definition(self) -> &'static AssociationDef {
                self.def()
            }
        }
    )+};
}

to_many! {
    [] HasMany<T>;
    [J: JoinRow + 'static] HasManyThrough<T, J>;
    [J: JoinRow + 'static, const W: bool] Through<HasManyThrough<T, J>, W>;
}

macro_rules! to_one {
    ($([$($parameter:tt)*] $holder:ty;)+) => {$(
        impl<O: Model, R: OwnerRef<Owner = O>, T: TargetRow, S: ToOne<Target = T>, $($parameter)*> HandleOf<R>
            for Association<O, T, $holder>
        {
            type Handle<'r> = Singular<'r, R, T, Self>;

            fn handle<'r>(self, repo: &'r Repo, owner: R) -> Self::Handle<'r> {
                Singular::new(repo, owner, self)
            }
        }

        impl<O: Model, T: TargetRow, S: ToOne<Target = T>, $($parameter)*> ToOneAssociation<O, T>
            for Association<O, T, $holder>
        {
            fn definition(self) -> &'static AssociationDef {
                self.def()
            }
        }
    )+};
}

to_one! {
    [] HasOne<S>;
    [] BelongsTo<S>;
    [const W: bool] Through<HasOne<S>, W>;
}

impl Repo {
    /// A handle of an association of one owner: a [`Collection`] or a [`Singular`]. It runs no statement.
    ///
    /// A handle of `&mut owner` loads and writes; the owner follows each write that succeeds, and no other. A handle of
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
    pub fn association<R: OwnerRef, A: HandleOf<R>>(&self, owner: R, association: A) -> A::Handle<'_> {
        association.handle(self, owner)
    }
}

/// An owner as the fields of associations take it.
pub(crate) fn as_any<O: Model>(owner: &O) -> &dyn Any {
    owner
}
