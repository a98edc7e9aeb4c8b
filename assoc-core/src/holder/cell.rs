//! The inside of every holder: a value with its load state.

use std::fmt;

use super::taken::Taken;
use crate::error::{HiddenBy, NotLoadedReason};
use crate::metadata::association::LoadState;

#[derive(Clone)]
pub(super) enum Cell<V> {
    NotLoaded,
    Loaded(V),
    Partial(V),
    /// Loaded, and empty where there must be a row, which a filter may hide.
    Hidden(V, HiddenBy),
}

impl<V> Cell<V> {
    pub(super) fn new(value: V, state: LoadState) -> Self {
        match state {
            LoadState::NotLoaded => Cell::NotLoaded,
            LoadState::Loaded => Cell::Loaded(value),
            LoadState::Partial => Cell::Partial(value),
        }
    }

    pub(super) fn state(&self) -> LoadState {
        match self {
            Cell::NotLoaded => LoadState::NotLoaded,
            Cell::Loaded(_) | Cell::Hidden(..) => LoadState::Loaded,
            Cell::Partial(_) => LoadState::Partial,
        }
    }

    /// The name of the state in `Debug` output.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Cell::NotLoaded => "NotLoaded",
            Cell::Loaded(_) | Cell::Hidden(..) => "Loaded",
            Cell::Partial(_) => "Partial",
        }
    }

    pub(super) fn value(&self) -> Option<&V> {
        match self {
            Cell::NotLoaded => None,
            Cell::Loaded(value) | Cell::Partial(value) | Cell::Hidden(value, _) => Some(value),
        }
    }

    pub(super) fn value_mut(&mut self) -> Option<&mut V> {
        match self {
            Cell::NotLoaded => None,
            Cell::Loaded(value) | Cell::Partial(value) | Cell::Hidden(value, _) => Some(value),
        }
    }

    /// Takes the value out, together with its state.
    pub(super) fn take<U>(&mut self, unpack: impl FnOnce(V) -> U) -> Option<Taken<U>> {
        let state = self.state();
        match std::mem::replace(self, Cell::NotLoaded) {
            Cell::NotLoaded => None,
            Cell::Loaded(value) | Cell::Partial(value) | Cell::Hidden(value, _) => {
                Some(Taken::new(unpack(value), state))
            }
        }
    }

    /// The same state with another view of its value.
    pub(super) fn view<'a, U>(&'a self, view: impl FnOnce(&'a V) -> U) -> Cell<U> {
        match self {
            Cell::NotLoaded => Cell::NotLoaded,
            Cell::Loaded(value) => Cell::Loaded(view(value)),
            Cell::Partial(value) => Cell::Partial(view(value)),
            Cell::Hidden(value, by) => Cell::Hidden(view(value), *by),
        }
    }

    /// Why there is no row, where there must be one.
    pub(super) fn absence(&self) -> NotLoadedReason {
        match self {
            Cell::NotLoaded => NotLoadedReason::NotRequested,
            Cell::Loaded(_) => NotLoadedReason::NoRow,
            Cell::Partial(_) => NotLoadedReason::Hidden(HiddenBy::Requested),
            Cell::Hidden(_, by) => NotLoadedReason::Hidden(*by),
        }
    }

    /// Notes that a row may be hidden, if the cell is loaded and `is_empty`.
    pub(super) fn may_be_hidden(&mut self, by: HiddenBy, is_empty: impl FnOnce(&V) -> bool) {
        *self = match std::mem::replace(self, Cell::NotLoaded) {
            Cell::Loaded(value) if is_empty(&value) => Cell::Hidden(value, by),
            other => other,
        };
    }
}

/// Whether two cells are in the same state and `same` holds for their values.
pub(super) fn same_state<V>(one: &Cell<V>, other: &Cell<V>, same: impl FnOnce(&V, &V) -> bool) -> bool {
    one.state() == other.state()
        && match (one.value(), other.value()) {
            (Some(one), Some(other)) => same(one, other),
            _ => true,
        }
}

/// `NotLoaded`, `Loaded(…)`, `Partial(…)`.
impl<V: fmt::Debug> fmt::Debug for Cell<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value() {
            None => f.write_str(self.name()),
            Some(value) => f.debug_tuple(self.name()).field(value).finish(),
        }
    }
}

/// The methods of every holder that answer for its state.
macro_rules! state_methods {
    () => {
        /// How much of the association is in memory.
        ///
        /// ```
        /// # use assoc_core as assoc_repo;
        /// # use assoc_core::{HasMany, LoadState, Model};
        /// # use assoc_macros::Model;
        /// # #[derive(Model, Debug, Clone)]
        /// # struct User { id: i64, #[has_many] posts: HasMany<Post> }
        /// # #[derive(Model, Debug, Clone)]
        /// # struct Post { id: i64, user_id: i64 }
        /// let user = User { id: 1, posts: HasMany::default() };
        /// assert_eq!(user.posts.state(), LoadState::NotLoaded);
        /// ```
        #[must_use]
        pub fn state(&self) -> LoadState {
            self.0.state()
        }

        /// Whether the association is loaded, wholly or in part.
        ///
        /// ```
        /// # use assoc_core as assoc_repo;
        /// # use assoc_core::{HasMany, LoadState, Model};
        /// # use assoc_macros::Model;
        /// # #[derive(Model, Debug, Clone)]
        /// # struct User { id: i64, #[has_many] posts: HasMany<Post> }
        /// # #[derive(Model, Debug, Clone)]
        /// # struct Post { id: i64, user_id: i64 }
        /// let user = User { id: 1, posts: HasMany::from(vec![Post { id: 4, user_id: 1 }]) };
        /// assert!(user.posts.is_loaded());
        /// ```
        #[must_use]
        pub fn is_loaded(&self) -> bool {
            self.state() != LoadState::NotLoaded
        }

        /// Whether the association is loaded through a filter or limit, so that rows may be missing.
        ///
        /// ```
        /// # use assoc_core as assoc_repo;
        /// # use assoc_core::{HasMany, LoadState, Model};
        /// # use assoc_macros::Model;
        /// # #[derive(Model, Debug, Clone)]
        /// # struct User { id: i64, #[has_many] posts: HasMany<Post> }
        /// # #[derive(Model, Debug, Clone)]
        /// # struct Post { id: i64, user_id: i64 }
        /// let user = User { id: 1, posts: HasMany::from(vec![Post { id: 4, user_id: 1 }]) };
        /// assert!(!user.posts.is_partial()); // as if all were read
        /// ```
        #[must_use]
        pub fn is_partial(&self) -> bool {
            self.state() == LoadState::Partial
        }

        /// Whether the association is not loaded; for serde's `skip_serializing_if`.
        ///
        /// ```
        /// # use assoc_core as assoc_repo;
        /// # use assoc_core::{HasMany, LoadState, Model};
        /// # use assoc_macros::Model;
        /// # #[derive(Model, Debug, Clone)]
        /// # struct User { id: i64, #[has_many] posts: HasMany<Post> }
        /// # #[derive(Model, Debug, Clone)]
        /// # struct Post { id: i64, user_id: i64 }
        /// let user = User { id: 1, posts: HasMany::default() };
        /// assert!(user.posts.is_not_loaded());
        /// ```
        #[cfg(feature = "serde")]
        #[must_use]
        pub fn is_not_loaded(&self) -> bool {
            !self.is_loaded()
        }
    };
}
pub(super) use state_methods;
