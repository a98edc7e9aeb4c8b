//! The content of a holder after `take`, with the state it had.

use std::ops::{Deref, DerefMut};

use super::cell::Cell;
use crate::metadata::association::LoadState;

/// What `take` returns: the rows, and whether they are all rows of the association. It dereferences to the rows.
/// `into()` makes a holder of it again; a partly loaded association is partly loaded then.
///
/// ```
/// # use assoc_core::{HasMany, Model};
/// # use assoc_macros::Model;
/// # #[derive(Model, Debug, Clone)]
/// # struct Post { id: i64 }
/// let mut posts = HasMany::partial(vec![Post { id: 1 }, Post { id: 2 }]);
///
/// let mut rows = posts.take().unwrap();
/// assert!(!posts.is_loaded() && rows.is_partial());
/// rows.retain(|post| post.id != 1);
/// posts = rows.into();
///
/// assert!(posts.is_partial());
/// assert_eq!(posts.loaded().map(<[Post]>::len), Some(1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Taken<V> {
    value: V,
    partial: bool,
}

impl<V> Taken<V> {
    /// Whether the association was loaded through a filter or limit, so that rows may be missing.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Post { id: i64 }
    /// let mut posts = HasMany::partial(vec![Post { id: 1 }]);
    /// assert!(posts.take().unwrap().is_partial());
    /// ```
    #[must_use]
    pub fn is_partial(&self) -> bool {
        self.partial
    }

    /// The rows alone. `HasMany::from(rows)` makes a wholly loaded association of them; use `HasMany::partial(rows)` if
    /// rows may be missing.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Post { id: i64 }
    /// let mut posts = HasMany::from(vec![Post { id: 1 }]);
    /// let rows: Vec<Post> = posts.take().unwrap().into_inner();
    /// assert_eq!(rows.len(), 1);
    /// ```
    #[must_use]
    pub fn into_inner(self) -> V {
        self.value
    }

    pub(super) fn new(value: V, state: LoadState) -> Self {
        Taken { value, partial: state == LoadState::Partial }
    }

    pub(super) fn into_cell<U>(self, keep: impl FnOnce(V) -> U) -> Cell<U> {
        let value = keep(self.value);
        if self.partial { Cell::Partial(value) } else { Cell::Loaded(value) }
    }
}

impl<V> Deref for Taken<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<V> DerefMut for Taken<V> {
    fn deref_mut(&mut self) -> &mut V {
        &mut self.value
    }
}

impl<V: IntoIterator> IntoIterator for Taken<V> {
    type Item = V::Item;
    type IntoIter = V::IntoIter;

    fn into_iter(self) -> V::IntoIter {
        self.value.into_iter()
    }
}
