//! Preloads whose rows a function of the program returns, in place of the database.

use std::error::Error as StdError;
use std::future::Future;

use super::association::Association;
use super::preload::Preload;
use crate::key::Key;
use crate::metadata::loader::Loader;
use crate::metadata::model::Model;

#[cfg(doc)]
use crate::error::ErrorKind;

impl<O, T, H> Association<O, T, H> {
    /// Takes the rows from a function in place of the database: a cache, another service, hand-written SQL.
    ///
    /// The repo calls the function once per request, with the distinct keys of all owners whose key is not `NULL`
    /// (tuples if the key has several columns). Without any such owner it does not call the function. The function
    /// returns rows in any order. Each row goes to the owners whose key equals the row's own key columns, byte for
    /// byte; a `has_one` or `belongs_to` takes the first. The association is [loaded](crate::LoadState::Loaded) then:
    /// the returned rows *are* the association. Declared conditions, orders and limits do not apply to them, nor do the
    /// repo's filters. Associations below it are loaded as usual.
    ///
    /// The request holds no connection while the function runs, so the function may use the same repo. Rows read before
    /// and after it do not come from one snapshot.
    ///
    /// # Errors
    /// A request fails before any SQL if the association is a through association or has a join table, and if the
    /// preload also has a filter, an order or a limit. It fails with [`ErrorKind::Loader`] if the function fails, or
    /// with the function's error if that is an [`Error`](crate::Error) of this crate. It fails with
    /// [`ErrorKind::UnmatchedRow`] if the function returns a row whose key was not requested.
    ///
    /// ```
    /// # use assoc_core as assoc_repo;
    /// # use assoc_core::{BelongsTo, Model, Preload};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct User { pub id: i64 }
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # pub struct Post { pub id: i64, pub user_id: i64, #[belongs_to] pub user: BelongsTo<User> }
    /// # async fn from_the_cache(ids: Vec<i64>) -> Result<Vec<User>, std::io::Error> { Ok(Vec::new()) }
    /// let cached: Preload<Post, User> = Post::USER.load_with(|ids: Vec<i64>| from_the_cache(ids));
    /// ```
    #[must_use]
    pub fn load_with<K, E, F, R>(self, function: F) -> Preload<O, T>
    where
        T: Model,
        K: Key,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Fn(Vec<K>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<T>, E>> + Send + 'static,
    {
        let mut preload = self.preload();
        preload.request.loader = Some(Loader::new(function));
        preload
    }
}
