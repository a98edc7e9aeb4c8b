//! `HasMany<T>`: any number of targets, owned by their owner.

use std::any::Any;
use std::fmt;

use super::cell::{Cell, state_methods};
use crate::error::NotLoadedReason;
use crate::metadata::association::{Children, Links, LoadState, Slot};
use crate::metadata::model::Model;
use crate::metadata::rows::Owners;

/// The targets of a `has_many` association.
///
/// ```
/// use assoc_core::HasMany;
///
/// let nothing_asked: HasMany<i32> = HasMany::default();
/// assert!(nothing_asked.get().is_err());
/// assert_eq!(nothing_asked.loaded(), None);
///
/// let none_there: HasMany<i32> = HasMany::from(vec![]);
/// assert_eq!(none_there.get(), Ok(&[][..]));
/// ```
#[derive(Clone, PartialEq)]
pub struct HasMany<T>(Cell<Vec<T>>);

impl<T> HasMany<T> {
    /// The rows, if they were loaded, wholly or in part.
    ///
    /// # Errors
    /// When nothing asked for them. The derived accessor (`user.posts()`) adds the names to this error.
    pub fn get(&self) -> Result<&[T], NotLoadedReason> {
        self.loaded().ok_or(NotLoadedReason::NotRequested)
    }

    /// The rows if they were loaded, wholly or in part; `None` if nothing asked for them.
    #[must_use]
    pub fn loaded(&self) -> Option<&[T]> {
        self.0.value().map(|rows| &rows[..])
    }

    /// The rows, to change them in memory.
    #[must_use]
    pub fn loaded_mut(&mut self) -> Option<&mut [T]> {
        self.0.value_mut().map(|rows| &mut rows[..])
    }

    /// Takes the rows out; the association is not loaded afterwards.
    #[must_use]
    pub fn take(&mut self) -> Option<Vec<T>> {
        self.0.take()
    }

    state_methods!();
}

impl<T> Default for HasMany<T> {
    fn default() -> Self {
        HasMany(Cell::NotLoaded)
    }
}

/// Rows as if they had been loaded: for tests of code that reads associations.
impl<T> From<Vec<T>> for HasMany<T> {
    fn from(rows: Vec<T>) -> Self {
        HasMany(Cell::Loaded(rows))
    }
}

/// Shows the state: `NotLoaded`, `Loaded([…])`, `Partial([…])`.
impl<T: fmt::Debug> fmt::Debug for HasMany<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Loaded rows serialise as a sequence, what is not loaded as nothing: leave such fields out with
/// `#[serde(skip_serializing_if = "HasMany::is_not_loaded")]`.
#[cfg(feature = "serde")]
impl<T: serde::Serialize> serde::Serialize for HasMany<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.loaded().serialize(serializer)
    }
}

/// The [`Slot`] of a `HasMany` field.
pub struct HasManySlot<O, T> {
    field: fn(&O) -> &HasMany<T>,
    field_mut: fn(&mut O) -> &mut HasMany<T>,
}

impl<O, T> HasManySlot<O, T> {
    /// The slot of the field these two functions lead to.
    #[must_use]
    pub const fn new(field: fn(&O) -> &HasMany<T>, field_mut: fn(&mut O) -> &mut HasMany<T>) -> Self {
        HasManySlot { field, field_mut }
    }
}

impl<O: Model, T: Model> Slot for HasManySlot<O, T> {
    fn state(&self, owner: &dyn Any) -> LoadState {
        owner.downcast_ref::<O>().map_or(LoadState::NotLoaded, |owner| (self.field)(owner).state())
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn visit<'a>(&self, owner: &'a dyn Any, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(rows) = owner.downcast_ref::<O>().and_then(|owner| (self.field)(owner).loaded()) {
            rows.iter().for_each(|row| each(row));
        }
    }

    fn visit_mut<'a>(&self, owner: &'a mut dyn Any, each: &mut dyn FnMut(&'a mut dyn Any)) {
        if let Some(rows) = owner.downcast_mut::<O>().and_then(|owner| (self.field_mut)(owner).loaded_mut()) {
            rows.iter_mut().for_each(|row| each(row));
        }
    }

    fn clear(&self, owner: &mut dyn Any) {
        if let Some(owner) = owner.downcast_mut::<O>() {
            *(self.field_mut)(owner) = Default::default();
        }
    }

    fn attach(
        &self,
        owners: &mut dyn Owners,
        children: Children<'_>,
        links: &Links,
        skip: &dyn Fn(usize) -> bool,
        state: LoadState,
    ) {
        let mut put = |at: usize, rows: Vec<T>| {
            if let Some(owner) = owners.owner(at).and_then(|owner| owner.downcast_mut::<O>()) {
                (self.field_mut)(owner).0 = Cell::new(rows, state);
            }
        };
        match (children, links) {
            (Children::Owned(rows), Links::Runs(runs)) => {
                let Ok(rows) = rows.into_any().downcast::<Vec<T>>() else { return };
                let mut rows = rows.into_iter();
                for (at, run) in runs.iter().enumerate() {
                    if !skip(at) {
                        put(at, rows.by_ref().take(*run as usize).collect());
                    }
                }
            }
            (Children::Owned(rows), links) if links.is_exclusive(rows.len()) => {
                let Ok(rows) = rows.into_any().downcast::<Vec<T>>() else { return };
                let mut rows: Vec<Option<T>> = rows.into_iter().map(Some).collect();
                links.each(|at, own| {
                    if !skip(at) {
                        let mut moved = Vec::with_capacity(own.size_hint().0);
                        moved.extend(own.filter_map(|row| rows[row].take()));
                        put(at, moved);
                    }
                });
            }
            (Children::Owned(rows), links) => {
                copy(rows.as_any().downcast_ref::<Vec<T>>().map_or(&[], |rows| rows), links, skip, &mut put);
            }
            (Children::Lent(rows), links) => {
                copy(rows.as_any().downcast_ref::<Vec<T>>().map_or(&[], |rows| rows), links, skip, &mut put);
            }
            (Children::Shared(rows), links) => {
                let rows: &[std::sync::Arc<T>] = rows.downcast_ref::<Vec<std::sync::Arc<T>>>().map_or(&[], |rows| rows);
                links.each(|at, own| {
                    if !skip(at) {
                        put(at, own.map(|row| T::clone(&rows[row])).collect());
                    }
                });
            }
        }
    }
}

fn copy<T: Clone>(rows: &[T], links: &Links, skip: &dyn Fn(usize) -> bool, put: &mut dyn FnMut(usize, Vec<T>)) {
    links.each(|at, own| {
        if !skip(at) {
            put(at, own.map(|row| rows[row].clone()).collect());
        }
    });
}
