//! `HasManyThrough<T>` and `HasAndBelongsToMany<T>`: any number of targets, shared by all owners that have them. 30,000
//! links to 200 tags hold 200 tags.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::cell::{Cell, state_methods};
use crate::association::{Children, Links, LoadState, Slot};
use crate::error::NotLoadedReason;
use crate::model::Model;
use crate::rows::Owners;

/// The targets of a `has_many through` association.
///
/// ```
/// use assoc_core::HasManyThrough;
///
/// let nothing_asked: HasManyThrough<i32> = HasManyThrough::default();
/// assert!(nothing_asked.get().is_err());
/// ```
pub struct HasManyThrough<T>(Cell<Vec<Arc<T>>>);

/// The targets of a `has_and_belongs_to_many` association.
pub type HasAndBelongsToMany<T> = HasManyThrough<T>;

impl<T> HasManyThrough<T> {
    /// The rows, if they were loaded, wholly or in part.
    ///
    /// # Errors
    /// When nothing asked for them. The derived accessor (`user.groups()`) adds the names to this error.
    pub fn get(&self) -> Result<&[Arc<T>], NotLoadedReason> {
        self.loaded().ok_or(NotLoadedReason::NotRequested)
    }

    /// The rows if they were loaded, wholly or in part; `None` if nothing asked for them.
    #[must_use]
    pub fn loaded(&self) -> Option<&[Arc<T>]> {
        self.0.value().map(|rows| &rows[..])
    }

    /// Takes the rows out; the association is not loaded afterwards.
    #[must_use]
    pub fn take(&mut self) -> Option<Vec<Arc<T>>> {
        self.0.take()
    }

    state_methods!();
}

// Shared rows are cloned by counting, whatever `T` is.
impl<T> Clone for HasManyThrough<T> {
    fn clone(&self) -> Self {
        HasManyThrough(self.0.clone())
    }
}

impl<T> Default for HasManyThrough<T> {
    fn default() -> Self {
        HasManyThrough(Cell::NotLoaded)
    }
}

impl<T: PartialEq> PartialEq for HasManyThrough<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// Rows as if they had been loaded: for tests of code that reads associations.
impl<T> From<Vec<T>> for HasManyThrough<T> {
    fn from(rows: Vec<T>) -> Self {
        HasManyThrough(Cell::Loaded(rows.into_iter().map(Arc::new).collect()))
    }
}

/// Shows the state: `NotLoaded`, `Loaded([…])`, `Partial([…])`.
impl<T: fmt::Debug> fmt::Debug for HasManyThrough<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Loaded rows serialise as a sequence, what is not loaded as nothing: leave such fields out with
/// `#[serde(skip_serializing_if = "HasManyThrough::is_not_loaded")]`.
#[cfg(feature = "serde")]
impl<T: serde::Serialize> serde::Serialize for HasManyThrough<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.loaded() {
            Some(rows) => serializer.collect_seq(rows.iter().map(|row| &**row)),
            None => serializer.serialize_none(),
        }
    }
}

/// The [`Slot`] of a `HasManyThrough` or `HasAndBelongsToMany` field.
pub struct HasManyThroughSlot<O, T> {
    field: fn(&O) -> &HasManyThrough<T>,
    field_mut: fn(&mut O) -> &mut HasManyThrough<T>,
}

impl<O, T> HasManyThroughSlot<O, T> {
    /// The slot of the field these two functions lead to.
    #[must_use]
    pub const fn new(field: fn(&O) -> &HasManyThrough<T>, field_mut: fn(&mut O) -> &mut HasManyThrough<T>) -> Self {
        HasManyThroughSlot { field, field_mut }
    }
}

impl<O: Model, T: Model> Slot for HasManyThroughSlot<O, T> {
    fn state(&self, owner: &dyn Any) -> LoadState {
        owner.downcast_ref::<O>().map_or(LoadState::NotLoaded, |owner| (self.field)(owner).state())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn visit<'a>(&self, owner: &'a dyn Any, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(rows) = owner.downcast_ref::<O>().and_then(|owner| (self.field)(owner).loaded()) {
            rows.iter().for_each(|row| each(&**row));
        }
    }

    fn visit_mut<'a>(&self, owner: &'a mut dyn Any, each: &mut dyn FnMut(&'a mut dyn Any)) {
        let Some(owner) = owner.downcast_mut::<O>() else { return };
        if let Cell::Loaded(rows) | Cell::Partial(rows) = &mut (self.field_mut)(owner).0 {
            for row in rows {
                let row: &mut T = Arc::make_mut(row);
                each(row);
            }
        }
    }

    fn clear(&self, owner: &mut dyn Any) {
        if let Some(owner) = owner.downcast_mut::<O>() {
            *(self.field_mut)(owner) = HasManyThrough::default();
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
        let shared;
        let rows: &[Arc<T>] = match children {
            Children::Shared(rows) => rows.downcast_ref::<Vec<Arc<T>>>().map_or(&[], |rows| rows),
            Children::Owned(rows) => {
                let Ok(rows) = rows.into_shared().downcast::<Vec<Arc<T>>>() else { return };
                shared = rows;
                &shared
            }
            Children::Lent(rows) => {
                let rows = rows.as_any().downcast_ref::<Vec<T>>().map_or(&[][..], |rows| rows);
                shared = Box::new(rows.iter().cloned().map(Arc::new).collect());
                &shared
            }
        };
        links.each(|at, own| {
            if !skip(at)
                && let Some(owner) = owners.owner(at).and_then(|owner| owner.downcast_mut::<O>())
            {
                let own = own.filter_map(|row| rows.get(row)).map(Arc::clone).collect();
                (self.field_mut)(owner).0 = Cell::new(own, state);
            }
        });
    }
}
