//! Members that are destroyed later: their keys are handed to the application once the transaction has committed.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use assoc_core::metadata::{AssociationDef, Linkage, ModelDef};
use assoc_core::{Error, ErrorKind, Model, Result};

use super::Collection;
use super::find::tuple_of;
use crate::association_handle::{OwnerRef, ToManyAssociation};

/// Rows that [`Collection::destroy_later`] hands over: their model and keys, and whose members they were.
#[non_exhaustive]
pub struct DestroyLater<O: Model, T: Model> {
    /// The association whose members they were.
    pub association: &'static AssociationDef,
    /// The owner's key. The work that destroys the rows can look whether the owner is really gone.
    pub owner: O::Key,
    /// The keys of the rows, each once. There is one at least.
    pub keys: Vec<T::Key>,
}

impl<O: Model, T: Model> DestroyLater<O, T> {
    /// The model of the rows: for a queue whose jobs are text.
    ///
    /// ```
    /// use assoc_repo::DestroyLater;
    /// use assoc_repo::prelude::*;
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct User {
    ///     pub id: i64,
    ///     #[has_many]
    ///     pub posts: HasMany<Post>,
    /// }
    ///
    /// #[derive(Model, Debug, Clone)]
    /// pub struct Post {
    ///     pub id: i64,
    ///     pub user_id: i64,
    /// }
    ///
    /// fn text_of(job: &DestroyLater<User, Post>) -> String {
    ///     format!("destroy {} {:?} of {}", job.model().table, job.keys, job.owner)
    /// }
    /// # let _ = text_of;
    /// ```
    #[must_use]
    pub fn model(&self) -> &'static ModelDef {
        T::DEF
    }
}

impl<O: Model, T: Model> Clone for DestroyLater<O, T> {
    fn clone(&self) -> Self {
        DestroyLater { association: self.association, owner: self.owner.clone(), keys: self.keys.clone() }
    }
}

impl<O: Model, T: Model> fmt::Debug for DestroyLater<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DestroyLater")
            .field("association", &self.association.qualified_name())
            .field("owner", &self.owner)
            .field("keys", &self.keys)
            .finish()
    }
}

impl<R: OwnerRef, T: Model, A: ToManyAssociation<R::Owner, T>> Collection<'_, R, T, A> {
    /// Reads the keys of the members that there are now, and hands them to the application after the outermost COMMIT, in
    /// batches of at most `batch`: to a queue of jobs, for example. It writes nothing, and answers how many keys there are.
    /// Nothing is handed over if there are none, or if the transaction, or the savepoint of this handle, is undone. If a
    /// batch fails, the others are handed over all the same, and the call that committed answers
    /// [`ErrorKind::AfterTransaction`].
    ///
    /// Called in `before_destroy` of the owner, it is Rails' `dependent: :destroy_async`. The rows keep the key of an owner
    /// that is gone until they are destroyed, so the schema must not have a foreign key there.
    ///
    /// It costs 1 statement, whether the association is loaded or not; none if the owner's key is `NULL`.
    ///
    /// # Errors
    /// [`ErrorKind::Transaction`] outside of a transaction. [`ErrorKind::InvalidQuery`] if rows between link the members:
    /// those go with their owner, and the members stay. The errors of [`all`](Self::all).
    ///
    /// ```
    /// # use std::sync::{Arc, Mutex};
    /// # use assoc_repo::prelude::*;
    /// # use assoc_sqlite::Sqlite;
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct User { pub id: i64, #[has_many] pub posts: HasMany<Post> }
    /// # #[derive(Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64 }
    /// # pollster::block_on(async {
    /// # let repo = Repo::new(Sqlite::memory()?);
    /// # repo.create_table::<User>().await?;
    /// # repo.create_table::<Post>().await?;
    /// # let user = repo.insert(User::build().push(User::POSTS, [Post::build(), Post::build()])).await?;
    /// let jobs = Arc::new(Mutex::new(Vec::new()));
    /// let queue = Arc::clone(&jobs);
    /// repo.transaction(async |tx| {
    ///     let queue = Arc::clone(&queue);
    ///     let posts = tx.association(&user, User::POSTS);
    ///     posts.destroy_later(100, move |job| {
    ///         queue.lock().unwrap().push(job);
    ///         std::future::ready(Ok(()))
    ///     }).await?;
    ///     tx.destroy(&user).await
    /// }).await?;
    /// // Later, in a job:
    /// for job in jobs.lock().unwrap().drain(..) {
    ///     if repo.get::<User>(job.owner, Query::new()).await?.is_none() {
    ///         repo.destroy_all(Query::filter(Post::ID.is_in(job.keys))).await?;
    ///     }
    /// }
    /// # assert_eq!(repo.count(Query::<Post>::new()).await?, 0);
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn destroy_later<F>(
        &self,
        batch: usize,
        hand_over: impl Fn(DestroyLater<R::Owner, T>) -> F + Send + Sync + 'static,
    ) -> Result<usize>
    where
        F: Future<Output = Result<()>> + Send + 'static,
    {
        T::DEF.require_primary_key("`destroy_later`")?;
        let association = self.reflection();
        if !matches!(association.linkage()?, Linkage::TargetKey(_)) {
            let message = format!(
                "the members of `{}` are linked by rows between, which go with their owner: the members stay",
                association.qualified_name()
            );
            return Err(Error::invalid_query(R::Owner::DEF.name, message));
        }
        if !self.handle.repo.in_transaction() {
            let message = "`destroy_later` hands keys over after COMMIT, so it needs the handle of a transaction";
            return Err(ErrorKind::Transaction(message).into());
        }
        // What is in memory may be a part, or old.
        let mut keys = self.read_ids().await?;
        let mut seen = HashSet::new();
        keys.retain(|key| seen.insert(tuple_of::<T>(key)));
        let hand_over = Arc::new(hand_over);
        let owner = self.owner().key();
        for keys in keys.chunks(batch.max(1)) {
            let (hand_over, later) =
                (Arc::clone(&hand_over), DestroyLater { association, owner: owner.clone(), keys: keys.to_vec() });
            self.handle.repo.after_commit(move || hand_over(later))?;
        }
        Ok(keys.len())
    }
}
