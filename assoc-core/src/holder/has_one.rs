//! `HasOne<T>` and `HasOne<Option<T>>`: a single target, owned by its owner (behind a pointer, so that models may refer to
//! each other).

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::cell::{Cell, same_state, state_methods};
use super::erased::Owned;
use super::field_accessor::{AssociationField, Fetched};
use super::rows::{ShownTarget, same_target};
use super::{Taken, TargetRow, ToOne, nesting};
use crate::error::NotLoadedReason;
use crate::key::KeyMark;
use crate::metadata::association::{Children, LoadState};
use crate::row_traits::RowTraits;

/// The target of a `has_one` association: `HasOne<Address>` if there must be one, `HasOne<Option<Address>>` if not.
pub struct HasOne<S: ToOne>(
    Cell<Target<S::Target>>,
    // The owner's key by which a target behind others was loaded. No part of the value.
    Option<KeyMark>,
);

/// A target; none if there is none.
type Target<T> = Owned<T, RowTraits<T>>;

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
        self.0.value().map(Owned::get)
    }

    /// The target, to change it in memory.
    #[must_use]
    pub fn loaded_mut(&mut self) -> Option<Option<&mut S::Target>> {
        self.0.value_mut().map(Owned::get_mut)
    }

    /// Takes the target out; the association is not loaded afterwards. Put back with `into()`, it is what it was: the
    /// target, or what a filter left of it.
    pub fn take(&mut self) -> Option<Taken<Option<S::Target>>> {
        self.1 = None;
        self.0.take(Owned::into_inner)
    }

    /// Puts another target, or none, in place of the loaded one, which it gives back. The state stays. If nothing was
    /// loaded, nothing changes and it gives `None`. Nothing is written to the database.
    pub fn replace(&mut self, target: Option<S::Target>) -> Option<Taken<Option<S::Target>>> {
        let state = self.state();
        let before = self.take()?;
        (self.0, self.1) = (Cell::new(owned(target), state), None);
        Some(before)
    }

    /// A target, or none, as if it had been loaded through a filter: not known to be what the association has.
    #[must_use]
    pub fn partial(target: Option<S::Target>) -> Self {
        HasOne(Cell::Partial(owned(target)), None)
    }

    state_methods!();
}

fn owned<T: TargetRow>(target: Option<T>) -> Target<T> {
    target.map_or(Owned::NONE, Owned::new)
}

impl<S: ToOne> Clone for HasOne<S> {
    fn clone(&self) -> Self {
        HasOne(self.0.clone(), self.1)
    }
}

impl<S: ToOne> Default for HasOne<S> {
    fn default() -> Self {
        HasOne(Cell::NotLoaded, None)
    }
}

impl<S: ToOne<Target: PartialEq>> PartialEq for HasOne<S> {
    fn eq(&self, other: &Self) -> bool {
        same_state(&self.0, &other.0, |one, other| same_target(one.traits(), one.get(), other.get()))
    }
}

/// A target as if it had been loaded: for tests of code that reads associations.
impl<S: ToOne> From<Option<S::Target>> for HasOne<S> {
    fn from(target: Option<S::Target>) -> Self {
        HasOne(Cell::Loaded(owned(target)), None)
    }
}

/// A target that was taken out, in the state it was in.
impl<S: ToOne> From<Taken<Option<S::Target>>> for HasOne<S> {
    fn from(target: Taken<Option<S::Target>>) -> Self {
        HasOne(target.into_cell(owned), None)
    }
}

/// Shows the state: `NotLoaded`, `Loaded(None)`, `Loaded(Some(…))`, `Partial(…)`.
impl<S: ToOne<Target: fmt::Debug>> fmt::Debug for HasOne<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        nesting::show(&self.0.view(|target| ShownTarget(target.traits(), target.get())), f)
    }
}

/// A loaded target serialises as itself or nothing; leave fields that are not loaded out with
/// `#[serde(skip_serializing_if = "HasOne::is_not_loaded")]`. An error beyond 512 levels of rows that hold rows.
#[cfg(feature = "serde")]
impl<S: ToOne<Target: serde::Serialize>> serde::Serialize for HasOne<S> {
    fn serialize<R: serde::Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
        // The target itself: the compiler counts a reference to it as a level more.
        match self.loaded().flatten() {
            Some(target) => nesting::serialize(serializer, |serializer| serializer.serialize_some(target)),
            None => serializer.serialize_none(),
        }
    }
}

impl<S: ToOne> AssociationField for HasOne<S> {
    const SHARED: bool = false;

    fn load_state(&self) -> LoadState {
        self.state()
    }

    fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(target) = self.loaded().flatten() {
            each(target);
        }
    }

    fn visit_mut<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut dyn Any)) {
        if let Some(target) = self.loaded_mut().flatten() {
            each(target);
        }
    }

    fn loaded_for(&self) -> Option<KeyMark> {
        self.1
    }

    fn set_loaded_for(&mut self, key: KeyMark) {
        self.1 = Some(key);
    }

    fn fill(fetched: Fetched<'_>, put: &mut dyn FnMut(usize, Self)) {
        let Fetched { children, links, skip, state, .. } = fetched;
        let exclusive = matches!(&children, Children::Owned(rows) if links.is_exclusive(rows.len()));
        let mut take = taker::<S::Target>(children, exclusive);
        for (at, mut own) in links.by_owner() {
            if !skip(at) {
                put(at, HasOne(Cell::new(owned(own.next().and_then(&mut take)), state), None));
            }
        }
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
            let rows = rows.downcast_ref::<Vec<Arc<T>>>();
            Box::new(move |row| rows?.get(row).map(|row| T::clone(row)))
        }
    }
}
