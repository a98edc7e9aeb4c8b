//! `HasOne<T>` and `HasOne<Option<T>>`: a single target, owned by its owner (boxed, so that models may refer to each
//! other).

use std::any::Any;
use std::fmt;

use super::ToOne;
use super::cell::{Cell, state_methods};
use crate::error::NotLoadedReason;
use crate::metadata::association::{Children, Links, LoadState, Slot};
use crate::metadata::model::Model;
use crate::metadata::rows::Owners;

/// The target of a `has_one` association: `HasOne<Address>` if there must be one, `HasOne<Option<Address>>` if not.
pub struct HasOne<S: ToOne>(Cell<Option<Box<S::Target>>>);

impl<S: ToOne> HasOne<S> {
    /// The target: `&T`, or `Option<&T>` for an optional one.
    ///
    /// # Errors
    /// When nothing asked for it, or it was loaded and a target that must exist does not.
    pub fn get(&self) -> Result<S::Read<'_>, NotLoadedReason> {
        S::read(self.loaded().ok_or(NotLoadedReason::NotRequested)?)
    }

    /// `None` if nothing asked for it, `Some(None)` if it was loaded and there is none.
    #[must_use]
    pub fn loaded(&self) -> Option<Option<&S::Target>> {
        self.0.value().map(Option::as_deref)
    }

    /// The target, to change it in memory.
    #[must_use]
    pub fn loaded_mut(&mut self) -> Option<Option<&mut S::Target>> {
        self.0.value_mut().map(Option::as_deref_mut)
    }

    /// Takes the target out; the association is not loaded afterwards.
    #[must_use]
    pub fn take(&mut self) -> Option<Option<S::Target>> {
        self.0.take().map(|target| target.map(|target| *target))
    }

    state_methods!();
}

impl<S: ToOne> Clone for HasOne<S> {
    fn clone(&self) -> Self {
        HasOne(self.0.clone())
    }
}

impl<S: ToOne> Default for HasOne<S> {
    fn default() -> Self {
        HasOne(Cell::NotLoaded)
    }
}

impl<S: ToOne<Target: PartialEq>> PartialEq for HasOne<S> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// A target as if it had been loaded: for tests of code that reads associations.
impl<S: ToOne> From<Option<S::Target>> for HasOne<S> {
    fn from(target: Option<S::Target>) -> Self {
        HasOne(Cell::Loaded(target.map(Box::new)))
    }
}

/// Shows the state: `NotLoaded`, `Loaded(None)`, `Loaded(Some(…))`, `Partial(…)`.
impl<S: ToOne<Target: fmt::Debug>> fmt::Debug for HasOne<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A loaded target serialises as itself or nothing; leave fields that are not loaded out with
/// `#[serde(skip_serializing_if = "HasOne::is_not_loaded")]`.
#[cfg(feature = "serde")]
impl<S: ToOne<Target: serde::Serialize>> serde::Serialize for HasOne<S> {
    fn serialize<R: serde::Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
        self.loaded().flatten().serialize(serializer)
    }
}

/// The [`Slot`] of a `HasOne` field.
pub struct HasOneSlot<O, S: ToOne> {
    field: fn(&O) -> &HasOne<S>,
    field_mut: fn(&mut O) -> &mut HasOne<S>,
}

impl<O, S: ToOne> HasOneSlot<O, S> {
    /// The slot of the field these two functions lead to.
    #[must_use]
    pub const fn new(field: fn(&O) -> &HasOne<S>, field_mut: fn(&mut O) -> &mut HasOne<S>) -> Self {
        HasOneSlot { field, field_mut }
    }
}

impl<O: Model, S: ToOne> Slot for HasOneSlot<O, S> {
    fn state(&self, owner: &dyn Any) -> LoadState {
        owner.downcast_ref::<O>().map_or(LoadState::NotLoaded, |owner| (self.field)(owner).state())
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn visit<'a>(&self, owner: &'a dyn Any, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(target) = owner.downcast_ref::<O>().and_then(|owner| (self.field)(owner).loaded()).flatten() {
            each(target);
        }
    }

    fn visit_mut<'a>(&self, owner: &'a mut dyn Any, each: &mut dyn FnMut(&'a mut dyn Any)) {
        if let Some(target) = owner.downcast_mut::<O>().and_then(|owner| (self.field_mut)(owner).loaded_mut()).flatten()
        {
            each(target);
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
        let exclusive = matches!(&children, Children::Owned(rows) if links.is_exclusive(rows.len()));
        let mut take = super::has_one::taker::<S::Target>(children, exclusive);
        links.each(|at, own| {
            if skip(at) {
                return;
            }
            let target = own.next().and_then(&mut take);
            if let Some(owner) = owners.owner(at).and_then(|owner| owner.downcast_mut::<O>()) {
                (self.field_mut)(owner).0 = Cell::new(target.map(Box::new), state);
            }
        });
    }
}

// Gives a row by position: moved out if `exclusive`, copied otherwise.
fn taker<'r, T: Clone + 'static>(children: Children<'r>, exclusive: bool) -> Box<dyn FnMut(usize) -> Option<T> + 'r> {
    match children {
        Children::Owned(rows) => match rows.into_any().downcast::<Vec<T>>() {
            Ok(rows) if exclusive => {
                let mut rows: Vec<Option<T>> = rows.into_iter().map(Some).collect();
                Box::new(move |row| rows.get_mut(row)?.take())
            }
            Ok(rows) => Box::new(move |row| rows.get(row).cloned()),
            Err(_) => Box::new(|_| None),
        },
        Children::Lent(rows) => {
            let rows = rows.as_any().downcast_ref::<Vec<T>>();
            Box::new(move |row| rows?.get(row).cloned())
        }
        Children::Shared(rows) => {
            let rows = rows.downcast_ref::<Vec<std::sync::Arc<T>>>();
            Box::new(move |row| rows?.get(row).map(|row| T::clone(row)))
        }
    }
}
