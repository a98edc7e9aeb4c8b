//! `HasMany<T>`: any number of targets, which belong to one owner.

use std::any::Any;
use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use super::cell::{Cell, same_state, state_methods};
use super::erased::Owned;
use super::field_accessor::{AssociationField, Fetched};
use super::rows::{ByPosition, ShownRows, same_rows};
use super::{Taken, TargetRow, nesting};
use crate::error::NotLoadedReason;
use crate::metadata::association::{Children, Links, LoadState};
use crate::metadata::rows::{give_back, piece_of};
use crate::row_traits::RowTraits;

#[cfg(feature = "serde")]
use super::rows::SerializedRows;

/// The targets of a `has_many` association.
///
/// ```
/// use assoc_core::{HasMany, Model};
/// # use assoc_macros::Model;
///
/// #[derive(Model, Debug, Clone, PartialEq)]
/// struct Post {
///     id: i64,
/// }
///
/// let nothing_asked: HasMany<Post> = HasMany::default();
/// assert!(nothing_asked.get().is_err());
/// assert_eq!(nothing_asked.loaded(), None);
///
/// let none_there: HasMany<Post> = HasMany::from(vec![]);
/// assert_eq!(none_there.get(), Ok(&[][..]));
/// ```
#[derive(Clone)]
pub struct HasMany<T>(Cell<List<T>>);

/// A list; `None` if it is empty.
type List<T> = Owned<Vec<T>, RowTraits<T>>;

impl<T> HasMany<T> {
    /// The rows, if the association is loaded, wholly or in part.
    ///
    /// # Errors
    /// The association is not loaded. The derived accessor (`user.posts()`) adds the names to this error.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Post { id: i64 }
    /// let posts = HasMany::from(vec![Post { id: 1 }]);
    /// assert_eq!(posts.get().unwrap()[0].id, 1);
    /// assert!(HasMany::<Post>::default().get().is_err()); // not loaded
    /// ```
    pub fn get(&self) -> Result<&[T], NotLoadedReason> {
        self.loaded().ok_or(NotLoadedReason::NotRequested)
    }

    /// The rows if the association is loaded, wholly or in part; `None` if it is not loaded.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Post { id: i64 }
    /// assert!(HasMany::<Post>::from(Vec::new()).loaded().is_some_and(|posts| posts.is_empty()));
    /// assert!(HasMany::<Post>::default().loaded().is_none());
    /// ```
    #[must_use]
    pub fn loaded(&self) -> Option<&[T]> {
        self.0.value().map(|list| list.get().map_or(&[][..], |rows| rows))
    }

    /// Takes the rows out and leaves the association not loaded. `into()` makes a holder of them again, in the state
    /// that it had.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Post { id: i64 }
    /// let mut posts = HasMany::from(vec![Post { id: 1 }]);
    /// assert_eq!(posts.take().unwrap().len(), 1);
    /// assert!(!posts.is_loaded());
    /// ```
    pub fn take(&mut self) -> Option<Taken<Vec<T>>> {
        self.0.take(|list| list.into_inner().unwrap_or_default())
    }

    state_methods!();
}

impl<T: TargetRow> HasMany<T> {
    /// A partly loaded association, as after a filter or a limit: rows may be missing.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model};
    /// # use assoc_macros::Model;
    /// # #[derive(Model, Debug, Clone)]
    /// # struct Post { id: i64 }
    /// assert!(HasMany::partial(vec![Post { id: 1 }]).is_partial());
    /// assert!(!HasMany::from(vec![Post { id: 1 }]).is_partial());
    /// ```
    #[must_use]
    pub fn partial(rows: Vec<T>) -> Self {
        HasMany(Cell::Partial(list(rows)))
    }

    /// The rows, to change, add and remove them in memory; `None` if the association is not loaded. The state stays: a
    /// partly loaded association is still partly loaded. This writes nothing to the database.
    ///
    /// ```
    /// # use assoc_core::{HasMany, Model};
    /// # use assoc_macros::Model;
    /// # #[derive(Model, Debug, Clone)]
    /// # struct Post { id: i64 }
    /// let mut posts = HasMany::partial(vec![Post { id: 1 }]);
    /// if let Some(rows) = posts.loaded_mut() {
    ///     rows.push(Post { id: 2 });
    /// }
    /// assert!(posts.is_partial());
    /// ```
    #[must_use]
    pub fn loaded_mut(&mut self) -> Option<&mut Vec<T>> {
        self.0.value_mut().map(Owned::get_or_default)
    }
}

fn list<T: TargetRow>(rows: Vec<T>) -> List<T> {
    if rows.is_empty() { Owned::NONE } else { Owned::new(rows) }
}

impl<T> ByPosition<T> for List<T> {
    fn at(&self, position: usize) -> Option<&T> {
        match self.get() {
            Some(rows) => rows.get(position),
            None => None,
        }
    }
}

impl<T> Default for HasMany<T> {
    fn default() -> Self {
        HasMany(Cell::NotLoaded)
    }
}

impl<T: PartialEq> PartialEq for HasMany<T> {
    fn eq(&self, other: &Self) -> bool {
        same_state(&self.0, &other.0, |one, other| same_rows(one.traits(), one, other))
    }
}

/// A wholly loaded association: for tests of code that reads associations.
impl<T: TargetRow> From<Vec<T>> for HasMany<T> {
    fn from(rows: Vec<T>) -> Self {
        HasMany(Cell::Loaded(list(rows)))
    }
}

/// The association as it was before `take`, in the same state.
impl<T: TargetRow> From<Taken<Vec<T>>> for HasMany<T> {
    fn from(rows: Taken<Vec<T>>) -> Self {
        HasMany(rows.into_cell(list))
    }
}

/// Shows the state: `NotLoaded`, `Loaded([…])`, `Partial([…])`.
impl<T: fmt::Debug> fmt::Debug for HasMany<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        nesting::show(&Shown(&self.0), f)
    }
}

struct Shown<'a, T>(&'a Cell<List<T>>);

impl<T> fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(list) = self.0.value() else { return f.write_str("NotLoaded") };
        f.debug_tuple(self.0.name()).field(&ShownRows(list.traits(), list)).finish()
    }
}

/// Loaded rows serialise as a sequence, and an association that is not loaded as nothing. Leave out such fields with
/// `#[serde(skip_serializing_if = "HasMany::is_not_loaded")]`. Serialising fails beyond 512 levels of nested rows.
#[cfg(feature = "serde")]
impl<T: serde::Serialize> serde::Serialize for HasMany<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.loaded() {
            Some(rows) => {
                nesting::serialize(serializer, |serializer| serializer.serialize_some(&SerializedRows(rows, |row| row)))
            }
            None => serializer.serialize_none(),
        }
    }
}

/// Rows that were serialised, as a [partly loaded](LoadState::Partial) association: nothing says that they are all, or still
/// there. Nothing at all is an association that is not loaded.
#[cfg(feature = "serde")]
impl<'de, T: TargetRow + serde::Deserialize<'de>> serde::Deserialize<'de> for HasMany<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = nesting::deserialize(deserializer, <Option<Vec<T>> as serde::Deserialize>::deserialize)?;
        Ok(rows.map_or_else(HasMany::default, HasMany::partial))
    }
}

impl<T: TargetRow> AssociationField for HasMany<T> {
    const SHARED: bool = false;

    fn load_state(&self) -> LoadState {
        self.state()
    }

    fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(Some(rows)) = self.0.value().map(Owned::get) {
            for row in rows {
                each(row);
            }
        }
    }

    fn visit_mut<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut dyn Any)) {
        if let Some(rows) = self.0.value_mut().and_then(Owned::get_mut) {
            for row in rows {
                each(row);
            }
        }
    }

    fn fill(fetched: Fetched<'_>, put: &mut dyn FnMut(usize, Self)) {
        let Fetched { children, links, skip, state, .. } = fetched;
        let mut put = |at: usize, rows: Vec<T>| put(at, HasMany(Cell::new(list(rows), state)));
        match (children, links) {
            (Children::Owned(rows), Links::Runs(runs)) => {
                let Ok(mut rows) = rows.into_any().downcast::<Vec<T>>() else { return };
                // From the end, because cutting off an end moves its rows at once, not one by one.
                let mut start = links.rows();
                rows.truncate(start);
                let piece = piece_of(&rows);
                for (at, run) in runs.iter().enumerate().rev() {
                    start -= *run as usize;
                    give_back(&mut rows, piece);
                    let own = cut_off(&mut rows, start);
                    if !skip(at) {
                        put(at, own);
                    }
                }
            }
            (Children::Owned(rows), links) if links.is_exclusive(rows.len()) => {
                let Ok(rows) = rows.into_any().downcast::<Vec<T>>() else { return };
                let mut slots: Vec<Option<T>> = Vec::with_capacity(rows.len());
                for row in *rows {
                    slots.push(Some(row));
                }
                for (at, own) in links.by_owner() {
                    if !skip(at) {
                        let mut moved = Vec::with_capacity(own.len());
                        for row in own {
                            if let Some(row) = slots[row].take() {
                                moved.push(row);
                            }
                        }
                        put(at, moved);
                    }
                }
            }
            (Children::Owned(rows), links) => {
                if let Some(rows) = rows.as_any().downcast_ref::<Vec<T>>() {
                    copy(rows, links, skip, &mut put);
                }
            }
            (Children::Lent(rows), links) => {
                if let Some(rows) = rows.as_any().downcast_ref::<Vec<T>>() {
                    copy(rows, links, skip, &mut put);
                }
            }
            (Children::Shared(rows), links) => {
                if let Some(rows) = rows.downcast_ref::<Vec<Arc<T>>>() {
                    copy(rows, links, skip, &mut put);
                }
            }
        }
    }
}

// The rows from a position on.
fn cut_off<T>(rows: &mut Vec<T>, start: usize) -> Vec<T> {
    match rows.len().checked_sub(start) {
        None | Some(0) => Vec::new(),
        // `split_off` would give away the whole allocation, which may be larger than these rows.
        Some(_) if start == 0 => {
            rows.shrink_to_fit();
            std::mem::take(rows)
        }
        Some(_) => rows.split_off(start),
    }
}

// A copy of each owner's rows, which are rows or shared rows. It takes them as they are and no closure, which would be three
// functions for each model.
fn copy<T: Clone, R: Borrow<T>>(
    rows: &[R],
    links: &Links,
    skip: &dyn Fn(usize) -> bool,
    put: &mut dyn FnMut(usize, Vec<T>),
) {
    for (at, own) in links.by_owner() {
        if !skip(at) {
            let mut copies = Vec::with_capacity(own.len());
            for position in own {
                copies.push(rows[position].borrow().clone());
            }
            put(at, copies);
        }
    }
}
