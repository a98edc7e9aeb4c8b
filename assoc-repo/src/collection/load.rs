//! Loading a collection into its owner.

use assoc_core::driver::BoxFuture;
use assoc_core::{Model, Result};

use super::Collection;
use crate::association_handle::{OwnerMut, OwnerRef, ToManyAssociation};

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// Loads the members into the owner, and answers with them. Loaded: no statement. Otherwise, also if a part is loaded, the
    /// statements of a [preload](crate::Repo::preload): 1, or fewer where rows are in memory already.
    ///
    /// # Errors
    /// As [`Repo::preload`](crate::Repo::preload). The owner stays as it is then.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// assert_eq!(posts.load().await?.len(), 3);
    /// let (again, statements) = repo.count_statements(posts.load()).await;
    /// assert_eq!((again?.len(), statements), (3, 0));
    /// assert_eq!(user.posts()?[0].title, "Looms");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn load(&mut self) -> BoxFuture<'_, Result<Vec<&T>>>
    where
        R: OwnerMut,
    {
        Box::pin(async move {
            self.handle.load().await?;
            Ok(self.target().unwrap_or_default())
        })
    }

    /// Loads the members into the owner again, even if they are loaded, and answers with them. It costs 1 statement; behind
    /// others also those of the rows between that the owner holds.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// posts.load().await?;
    /// repo.insert(posts.build()?.set(Post::TITLE, "Letters")).await?;
    /// assert_eq!(posts.len().await?, 3);
    /// assert_eq!(posts.reload().await?.len(), 4);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn reload(&mut self) -> BoxFuture<'_, Result<Vec<&T>>>
    where
        R: OwnerMut,
    {
        Box::pin(async move {
            self.handle.reload().await?;
            Ok(self.target().unwrap_or_default())
        })
    }

    /// Forgets the members in memory: the association is not loaded then. It costs no statement.
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// let mut posts = repo.association(&mut user, User::POSTS);
    /// posts.load().await?;
    /// posts.reset();
    /// assert!(user.posts().is_err());
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub fn reset(&mut self)
    where
        R: OwnerMut,
    {
        self.handle.reset();
    }

    /// The number of members, which are loaded for it. Loaded: no statement. Otherwise those of [`load`](Self::load).
    ///
    /// # Errors
    /// As [`load`](Self::load).
    ///
    /// ```
    #[doc = include_str!("../../docs/posts.txt")]
    /// assert_eq!(repo.association(&mut user, User::POSTS).len().await?, 3);
    /// assert_eq!(user.posts()?.len(), 3);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn len(&mut self) -> Result<usize>
    where
        R: OwnerMut,
    {
        Ok(self.load().await?.len())
    }
}
