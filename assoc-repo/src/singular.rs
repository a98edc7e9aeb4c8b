//! [`Singular`]: the target of an association to one of one owner.

use std::fmt;
use std::marker::PhantomData;

use assoc_core::metadata::AssociationDef;
use assoc_core::{LoadState, TargetRow};

use crate::association_handle::{Handle, OwnerRef, ToOneAssociation};
use crate::repo::Repo;

mod read;
mod write;

pub use write::{SingleModel, WritableTarget};

/// The target of a `belongs_to` or `has_one` of one owner: what [`Repo::association`] gives.
///
/// What is in memory is used where it is loaded: then reading costs nothing. What is written is a save of the owner: all or
/// nothing, and what the owner holds follows a success.
///
/// ```
/// # use assoc_repo::prelude::*;
/// # use assoc_sqlite::Sqlite;
/// # #[derive(Model, Debug, Clone)]
/// # pub struct User { pub id: i64, #[has_one] pub account: HasOne<Option<Account>> }
/// # #[derive(Model, Debug, Clone)]
/// # pub struct Account { pub id: i64, pub user_id: Option<i64>, pub number: String }
/// # pollster::block_on(async {
/// # let repo = Repo::new(Sqlite::memory()?);
/// # repo.create_table::<User>().await?;
/// # repo.create_table::<Account>().await?;
/// let mut user = repo.insert(User::build()).await?;
/// let mut account = repo.association(&mut user, User::ACCOUNT);
/// assert!(account.get().await?.is_none());
/// account.create(Account::build().set(Account::NUMBER, "1")).await?;
/// account.create(Account::build().set(Account::NUMBER, "2")).await?; // the first one loses its owner
/// assert_eq!(user.account()?.map(|account| &*account.number), Some("2"));
/// # Ok::<(), Error>(()) }).unwrap();
/// ```
#[must_use = "a handle does nothing until one of its methods is called"]
pub struct Singular<'r, R, T, A> {
    handle: Handle<'r, R, A>,
    target: PhantomData<fn() -> T>,
}

impl<'r, R, T, A> Singular<'r, R, T, A> {
    pub(crate) fn new(repo: &'r Repo, owner: R, association: A) -> Self {
        Singular { handle: Handle { repo, owner, association }, target: PhantomData }
    }

    /// The repo that it reads and writes with.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let account = repo.association(&user, User::ACCOUNT);
    /// assert!(!account.repo().in_transaction());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn repo(&self) -> &'r Repo {
        self.handle.repo
    }
}

impl<R: OwnerRef, T: TargetRow, A: ToOneAssociation<R::Owner, T>> Singular<'_, R, T, A> {
    /// The owner.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// assert_eq!(repo.association(&user, User::ACCOUNT).owner().id, 1);
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
    /// assert_eq!(repo.association(&user, User::ACCOUNT).reflection().qualified_name(), "User.account");
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
    /// let mut account = repo.association(&mut user, User::ACCOUNT);
    /// assert_eq!(account.state(), LoadState::NotLoaded);
    /// account.load().await?;
    /// assert_eq!(account.state(), LoadState::Loaded);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn state(&self) -> LoadState {
        self.handle.state()
    }

    /// What the owner holds in memory: `None` if it is not loaded, `Some(None)` if it is loaded and there is no target. It
    /// costs no statement.
    ///
    /// ```
    #[doc = include_str!("../docs/posts.txt")]
    /// let mut account = repo.association(&mut user, User::ACCOUNT);
    /// assert!(account.target().is_none());
    /// account.load().await?;
    /// assert_eq!(account.target().flatten().map(|account| &*account.number), Some("1"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    #[must_use]
    pub fn target(&self) -> Option<Option<&T>> {
        self.handle.rows().map(|rows| rows.first().copied())
    }

    // What is in memory, if it is the target and not what a filter has left.
    fn whole(&self) -> Option<Option<&T>> {
        self.handle.whole().map(|rows| rows.first().copied())
    }
}

impl<R: OwnerRef, T: TargetRow, A: ToOneAssociation<R::Owner, T>> fmt::Debug for Singular<'_, R, T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.shown("Singular", f)
    }
}
