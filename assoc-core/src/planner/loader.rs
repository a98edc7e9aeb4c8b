//! Rows of an association from the application's own code: a cache, another service, hand-written SQL.
//!
//! A [`Loader`] is that code behind a vtable. The planner treats it as a step without statement, the executor hands it
//! the distinct keys of all owners at once and assigns the rows it returns as it does those of the database.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use super::build::{Columns, LoadedBy, NewEdge, Role};
use super::grouping::check_group;
use super::{Fetch, Plan, Preload, Shape};
use crate::association::{Association, AssociationDef, Chain, LoadState};
use crate::driver::BoxFuture;
use crate::error::{Error, ErrorKind, Result};
use crate::joins::cannot_join;
use crate::key::{Key, KeySet};
use crate::model::{Model, ModelDef};
use crate::rows::Rows;
use crate::sql::{KeyedSelect, tuples_of};

/// The function given to [`load_with`](crate::Association::load_with), as data. Two are equal if they are the same one.
#[derive(Clone)]
pub struct Loader(Arc<dyn Load>);

trait Load: Send + Sync {
    fn target(&self) -> &'static ModelDef;
    fn key_width(&self) -> usize;
    fn load(&self, association: &'static AssociationDef, keys: &KeySet) -> BoxFuture<'static, Result<Box<dyn Rows>>>;
}

struct Function<K, T, F> {
    function: F,
    types: PhantomData<fn(K) -> T>,
}

impl<K, T, E, F, R> Load for Function<K, T, F>
where
    K: Key,
    T: Model,
    E: Into<Box<dyn StdError + Send + Sync>>,
    F: Fn(Vec<K>) -> R + Send + Sync,
    R: Future<Output = Result<Vec<T>, E>> + Send + 'static,
{
    fn target(&self) -> &'static ModelDef {
        T::DEF
    }

    fn key_width(&self) -> usize {
        K::WIDTH
    }

    fn load(&self, association: &'static AssociationDef, keys: &KeySet) -> BoxFuture<'static, Result<Box<dyn Rows>>> {
        let typed = tuples_of(keys).iter().map(|key| K::from_values(key.values())).collect::<Result<Vec<K>, _>>();
        let keys = match typed {
            Ok(keys) => keys,
            Err(mismatch) => {
                let message = format!(
                    "the function given to `load_with` for `{}` takes keys that are {}, and the owners' hold {}: let \
                     it take what they hold",
                    association.name, mismatch.expected, mismatch.found
                );
                let error = Error::invalid_query((association.owner)().name, message);
                return Box::pin(async { Err(error) });
            }
        };
        let rows = (self.function)(keys);
        Box::pin(async move {
            match rows.await {
                Ok(rows) => Ok(Box::new(rows) as Box<dyn Rows>),
                Err(error) => Err(failed(association, error.into())),
            }
        })
    }
}

// What comes from a repo stays as it is, so that a deadlock in there is still one.
fn failed(association: &'static AssociationDef, error: Box<dyn StdError + Send + Sync>) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(source) => {
            ErrorKind::Loader { model: (association.owner)().name, association: association.name, source }.into()
        }
    }
}

impl Loader {
    /// A function from keys to rows.
    #[must_use]
    pub fn new<K, T, E, F, R>(function: F) -> Self
    where
        K: Key,
        T: Model,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Fn(Vec<K>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<T>, E>> + Send + 'static,
    {
        Loader(Arc::new(Function { function, types: PhantomData }))
    }

    /// How many columns its keys have.
    #[must_use]
    pub fn key_width(&self) -> usize {
        self.0.key_width()
    }

    /// The model of its rows.
    #[must_use]
    pub fn target(&self) -> &'static ModelDef {
        self.0.target()
    }

    /// The rows of some keys of an association's owners. The future holds nothing but what the function put into it.
    pub fn load(
        &self,
        association: &'static AssociationDef,
        keys: &KeySet,
    ) -> BoxFuture<'static, Result<Box<dyn Rows>>> {
        self.0.load(association, keys)
    }
}

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
    /// # use assoc_core::{BelongsTo, Model, planner::Preload};
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

impl Plan {
    // The select says whose rows they are and which of their columns hold the key; it is never written.
    pub(super) fn add_loader(&mut self, node: usize, chain: &Chain, loader: Loader) -> Result<usize> {
        let association = chain.association;
        check_group(chain)?;
        let Some(hop) = chain.as_key().map(|hop| hop.key) else {
            let message = format!(
                "`load_with` gives rows by a key of the owners, and `{}` is a {}: use it for the associations it goes \
                 through, or for one that leads to a single model by a key",
                association.name,
                association.association_macro()
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        };
        if loader.key_width() != hop.owner_columns.len() {
            let message = format!(
                "the function given to `load_with` for `{}` takes keys of {} columns, and the association's has {}",
                association.name,
                loader.key_width(),
                hop.owner_columns.len()
            );
            return Err(Error::invalid_query((association.owner)().name, message));
        }
        let select = KeyedSelect::new((association.target)(), hop.target_columns);
        let role = Role::Stored { state: LoadState::Loaded, reordered: false, may_join: false };
        let (columns, by) = (Columns::OfRows, LoadedBy::Key(hop, Fetch::Function(loader)));
        Ok(self.push_edge(node, NewEdge { association, role, columns, variant: None, select, by }))
    }
}

/// Refuses what cannot go together with a function.
pub(super) fn check_loader(chain: &Chain, loader: &Loader, joined: bool) -> Result<()> {
    let association = chain.association;
    let model = (association.owner)().name;
    if joined {
        return Err(cannot_join(association, "takes its rows from a function (`load_with`)"));
    }
    if chain.asked != Shape::default() {
        let message = format!(
            "`{}` is loaded with a function: what it returns is taken as it is, so filter, sort and cut in there",
            association.name
        );
        return Err(Error::invalid_query(model, message));
    }
    let target = (association.target)();
    // Requests are data: one may have been put together by hand. A polymorphic association is refused with the others.
    if loader.target() != target && chain.as_key().is_some() {
        let message =
            format!("`{}` leads to {}, and its function gives {}", association.name, target.name, loader.target().name);
        return Err(Error::invalid_query(model, message));
    }
    Ok(())
}

impl PartialEq for Loader {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Loader {}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loader").field("target", &self.target().name).finish_non_exhaustive()
    }
}
