//! Rows of an association from a function in place of the database: a cache, another service, hand-written SQL.
//!
//! A [`Loader`] is the function behind a vtable. The planner treats it as a step without a statement. The executor
//! passes it the distinct keys of all owners at once, and assigns the returned rows as it does those of the database.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::key::{Key, KeySet};
use crate::metadata::association::AssociationDef;
use crate::metadata::model::{Model, ModelDef};
use crate::metadata::rows::Rows;
use crate::row_sink::BoxFuture;

/// The function given to [`load_with`](crate::Association::load_with), as data. Two are equal if they are the same
/// function.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
#[doc = include_str!("../../docs/connection.txt")]
/// use assoc_core::Loader;
/// use assoc_core::driver::KeySet;
///
/// // A cache, or another service.
/// let loader = Loader::new(|users: Vec<i64>| async move {
///     Ok::<_, std::io::Error>(users.into_iter().map(|user| post(user * 10, user, "On looms")).collect::<Vec<Post>>())
/// });
/// assert_eq!((loader.key_width(), loader.target()), (1, Post::DEF));
/// let rows = block_on(loader.load(User::POSTS.def(), &KeySet::Ints([7, 9].into())))?;
/// assert_eq!(rows.len(), 2);
/// # Ok::<(), assoc_core::Error>(())
/// ```
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
        let typed = keys.tuples().iter().map(|key| K::from_values(key.values())).collect::<Result<Vec<K>, _>>();
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

// An error of this crate stays as it is, so that a deadlock in the function is still a deadlock.
fn failed(association: &'static AssociationDef, error: Box<dyn StdError + Send + Sync>) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(source) => {
            ErrorKind::Loader { model: (association.owner)().name, association: association.name, source }.into()
        }
    }
}

impl Loader {
    /// A loader that calls a function from keys to rows.
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

    /// The number of columns of its keys.
    #[must_use]
    pub fn key_width(&self) -> usize {
        self.0.key_width()
    }

    /// The model of its rows.
    #[must_use]
    pub fn target(&self) -> &'static ModelDef {
        self.0.target()
    }

    /// The rows for some keys of an association's owners. The future borrows nothing from the repo.
    pub fn load(
        &self,
        association: &'static AssociationDef,
        keys: &KeySet,
    ) -> BoxFuture<'static, Result<Box<dyn Rows>>> {
        self.0.load(association, keys)
    }
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
