//! [`Collection`]: the members of an association to many of one owner.

use std::fmt;
use std::marker::PhantomData;

use assoc_core::metadata::AssociationDef;
use assoc_core::{LoadState, Model};

use crate::association_handle::{Handle, OwnerRef, ToManyAssociation};
use crate::repo::Repo;

mod counter_cache;
mod create;
mod destroy_later;
mod equal_keys;
mod find;
mod given_keys;
mod given_rows;
mod ids;
mod insert_all;
mod load;
mod pages;
mod read;
mod write;

pub use destroy_later::DestroyLater;
pub use given_keys::IntoKey;
pub use given_rows::{IntoRow, IntoRows};
pub use insert_all::MembersWithKey;

#[cfg(doc)]
use crate::query::Query;

/// The members of an association to many of one owner: what [`Repo::association`] gives.
///
/// *What is in memory* is used where it is the whole: then reading costs nothing. A list that is not loaded, or loaded in
/// part, never stands for the whole: the database is asked. Each method says what it costs. The one exception is
/// [`count`](Self::count), and everything else that computes in SQL: they always ask.
///
/// *A counter cache* of the owner, if it counts exactly the members and is active, stands for their number where they are
/// not loaded: [`size`](Self::size), [`is_empty`](Self::is_empty), [`none`](Self::none), [`any`](Self::any),
/// [`one`](Self::one) and [`many`](Self::many) cost nothing then. It is the number in the struct, and follows what is written with
/// this handle.
///
/// *What is written* is a save of the owner, so it is all or nothing, the database says which rows are the owner's, and what
/// the owner holds in memory follows a success. A row of another owner is refused before anything is written. The number of
/// statements does not depend on the number of rows, as long as they fit into one.
///
/// A method of your own is a trait on the handle:
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_sqlite::Sqlite;
/// use assoc_repo::{Collection, OwnerRef, ToManyAssociation};
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Post { pub id: i64, pub user_id: i64, pub title: String }
///
/// trait ByTitle {
///     async fn titled(&self, title: &str) -> Result<Vec<Post>>;
/// }
///
/// impl<R: OwnerRef, A: ToManyAssociation<R::Owner, Post>> ByTitle for Collection<'_, R, Post, A> {
///     async fn titled(&self, title: &str) -> Result<Vec<Post>> {
///         self.repo().all(self.query()?.filter(Post::TITLE.eq(title))).await
///     }
/// }
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<User>().await?;
/// # repo.create_table::<Post>().await?;
/// # let user = repo.insert(User::build()).await?;
/// assert!(repo.association(&user, User::POSTS).titled("On looms").await?.is_empty());
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[must_use = "a handle does nothing until one of its methods is called"]
pub struct Collection<'r, R, T, A> {
    handle: Handle<'r, R, A>,
    target: PhantomData<fn() -> T>,
}

impl<'r, R, T, A> Collection<'r, R, T, A> {
    pub(crate) fn new(repo: &'r Repo, owner: R, association: A) -> Self {
        Collection { handle: Handle { repo, owner, association }, target: PhantomData }
    }

    /// The repo that it reads and writes with.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let posts = repo.association(&user, User::POSTS);
    /// assert_eq!(posts.repo().count(posts.query()?).await?, 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn repo(&self) -> &'r Repo {
        self.handle.repo
    }
}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// The owner.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// assert_eq!(repo.association(&user, User::POSTS).owner().id, 1);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn owner(&self) -> &R::Owner {
        self.handle.owner.owner()
    }

    /// The association as data.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// assert_eq!(repo.association(&user, User::POSTS).reflection().qualified_name(), "User.posts");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn reflection(&self) -> &'static AssociationDef {
        self.handle.definition()
    }

    /// How much of it the owner holds in memory.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// use assoc_repo::LoadState;
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// assert_eq!(posts.state(), LoadState::NotLoaded);
    /// // What is added to a list that is not loaded is a part of it.
    /// posts.create(Post::build().set(Post::TITLE, "Letters")).await?;
    /// assert_eq!(posts.state(), LoadState::Partial);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn state(&self) -> LoadState {
        self.handle.state()
    }

    /// The rows that the owner holds in memory: all, or a part of them, as [`state`](Self::state) says. `None` if it is not
    /// loaded. It costs no statement.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// assert!(posts.target().is_none());
    /// posts.load().await?;
    /// assert_eq!(posts.target().map(|posts| posts.len()), Some(3));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn target(&self) -> Option<Vec<&T>> {
        self.handle.rows()
    }

    // The rows in memory, if they are all there are.
    fn whole(&self) -> Option<Vec<&T>> {
        self.handle.whole()
    }
}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> fmt::Debug for Collection<'_, R, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.shown("Collection", f)
    }
}
