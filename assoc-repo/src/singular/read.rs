//! Reading and loading the target of an association to one.

use assoc_core::driver::BoxFuture;
use assoc_core::{Result, TargetRow};

use super::Singular;
use crate::association_handle::{OwnerMut, OwnerRef, ToOneAssociation};

impl<R: OwnerRef, T: TargetRow, A: ToOneAssociation<R::Owner, T>> Singular<'_, R, T, A> {
    /// The target, or `None`. Loaded: no statement, a copy. Otherwise 1 statement, none if the key is `NULL`; nothing is
    /// loaded: see [`load`](Self::load).
    ///
    /// # Errors
    /// As [`Repo::preload`](crate::Repo::preload); of a polymorphic association
    /// [`AssociationNotLoaded`](crate::AssociationNotLoaded) if the owner names a type that the association leaves alone.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let account: Option<Account> = repo.association(&user, User::ACCOUNT).get().await?;
    /// assert_eq!(account.expect("an account").number, "1");
    /// assert!(user.account().is_err(), "nothing is loaded");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn get(&self) -> Result<Option<T>> {
        match self.whole() {
            Some(target) => Ok(target.cloned()),
            None => self.handle.association.read_one(self.handle.repo, self.owner()).await,
        }
    }

    /// Whether there is a target. Loaded: no statement. Otherwise as [`get`](Self::get).
    ///
    /// # Errors
    /// As [`get`](Self::get).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert!(repo.association(&user, User::ACCOUNT).exists().await?);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn exists(&self) -> Result<bool> {
        match self.whole() {
            Some(target) => Ok(target.is_some()),
            None => Ok(self.get().await?.is_some()),
        }
    }
}

impl<R: OwnerRef, T: TargetRow, A: ToOneAssociation<R::Owner, T>> Singular<'_, R, T, A> {
    /// Loads the target into the owner, and answers with it. Loaded: no statement. Otherwise, also if a part is loaded, 1
    /// statement, none if the key is `NULL`; of a `has_one through` those of a preload, which loads the rows between.
    ///
    /// # Errors
    /// As [`Repo::preload`](crate::Repo::preload). The owner stays as it is then.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut account = repo.association(&mut user, User::ACCOUNT);
    /// assert!(account.load().await?.is_some());
    /// let (again, statements) = repo.count_statements(account.load()).await;
    /// assert_eq!((again?.is_some(), statements), (true, 0));
    /// assert_eq!(user.account()?.map(|account| &*account.number), Some("1"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn load(&mut self) -> BoxFuture<'_, Result<Option<&T>>>
    where
        R: OwnerMut,
    {
        Box::pin(async move {
            self.handle.load().await?;
            Ok(self.target().flatten())
        })
    }

    /// Loads the target into the owner again, even if it is loaded, and answers with it. 1 statement; behind others also
    /// those of the rows between that the owner holds.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut account = repo.association(&mut user, User::ACCOUNT);
    /// account.load().await?;
    /// repo.update_all(Query::new(), [Account::NUMBER.to("2")]).await?;
    /// assert_eq!(account.reload().await?.map(|account| &*account.number), Some("2"));
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn reload(&mut self) -> BoxFuture<'_, Result<Option<&T>>>
    where
        R: OwnerMut,
    {
        Box::pin(async move {
            self.handle.reload().await?;
            Ok(self.target().flatten())
        })
    }

    /// Forgets the target in memory: the association is not loaded then. It costs no statement.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut account = repo.association(&mut user, User::ACCOUNT);
    /// account.load().await?;
    /// account.reset();
    /// assert!(user.account().is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn reset(&mut self)
    where
        R: OwnerMut,
    {
        self.handle.reset();
    }
}
