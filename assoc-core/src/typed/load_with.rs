//! Preloads whose rows come from a function of the application instead of the database.

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
    /// Takes the rows from the application's own code instead of the database: a cache, another service, hand-written
    /// SQL.
    ///
    /// The function is called once a request, with the distinct keys of all owners that have one (a tuple if the key
    /// has several columns); without any it is not called. It returns rows in any order; each goes to the owners whose
    /// key its own columns hold, byte for byte, and of a `has_one` or `belongs_to` the first counts. The association is
    /// [loaded](crate::LoadState::Loaded) then: what the function returns *is* the association, whatever conditions,
    /// order or limit are declared, and a repo's filters do not reach into it. Associations below it are loaded as
    /// below any other.
    ///
    /// While the function runs the request holds no connection, so it may use the repo it is called by; what is read
    /// before and after it is not one snapshot.
    ///
    /// # Errors
    /// Requests fail before any SQL if the association goes through others or a join table, or if the preload has a
    /// filter, an order or a limit as well. They fail with [`ErrorKind::Loader`] if the function does (with its own
    /// error if that is one of this crate), and with [`ErrorKind::UnmatchedRow`] if it returns a row that nobody asked
    /// for.
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
