//! `BelongsTo<T>` and `BelongsTo<Option<T>>`: a single target, shared by all owners that refer to it. 10,000 posts of
//! 1,000 users hold 1,000 users.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::cell::{Cell, same_state, state_methods};
use super::erased::Shared;
use super::field_accessor::{AssociationField, Fetched, shared_rows};
use super::rows::{ShownTarget, same_target};
use super::{Taken, ToOne, nesting};
use crate::error::NotLoadedReason;
use crate::metadata::association::{LoadState, SharedRow};

/// The target of a `belongs_to` association: `BelongsTo<User>` if there must be one, `BelongsTo<Option<User>>` if not.
pub struct BelongsTo<S: ToOne>(Cell<Shared<S::Target>>);

impl<S: ToOne> BelongsTo<S> {
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
        self.0.value().map(Shared::get)
    }

    /// The target, to change it in memory. It is copied first if other owners share it; theirs stays as it is.
    #[must_use]
    pub fn loaded_mut(&mut self) -> Option<Option<&mut S::Target>> {
        self.0.value_mut().map(Shared::make_mut)
    }

    /// The shared target itself, counted once more.
    #[must_use]
    pub fn shared(&self) -> Option<Arc<S::Target>> {
        self.0.value()?.typed()
    }

    /// Takes the target out; the association is not loaded afterwards. Put back with `into()`, it is what it was: the
    /// target, or what a filter left of it.
    pub fn take(&mut self) -> Option<Taken<Option<Arc<S::Target>>>> {
        self.0.take(|target| target.typed())
    }

    /// Puts another target, or none, in place of the loaded one, which it gives back. The state stays. If nothing was
    /// loaded, nothing changes and it gives `None`. Neither the foreign key nor the database is touched.
    pub fn replace(&mut self, target: Option<Arc<S::Target>>) -> Option<Taken<Option<Arc<S::Target>>>> {
        let state = self.state();
        let before = self.take()?;
        self.0 = Cell::new(Shared::new(target), state);
        Some(before)
    }

    /// A target that others share, as if it had been loaded.
    #[must_use]
    pub fn from_shared(target: Option<Arc<S::Target>>) -> Self {
        BelongsTo(Cell::Loaded(Shared::new(target)))
    }

    /// A target, or none, as if it had been loaded through a filter: not known to be what the association has.
    #[must_use]
    pub fn partial(target: Option<S::Target>) -> Self {
        BelongsTo(Cell::Partial(Shared::new(target.map(Arc::new))))
    }

    state_methods!();
}

impl<S: ToOne> Clone for BelongsTo<S> {
    fn clone(&self) -> Self {
        BelongsTo(self.0.clone())
    }
}

impl<S: ToOne> Default for BelongsTo<S> {
    fn default() -> Self {
        BelongsTo(Cell::NotLoaded)
    }
}

impl<S: ToOne<Target: PartialEq>> PartialEq for BelongsTo<S> {
    fn eq(&self, other: &Self) -> bool {
        same_state(&self.0, &other.0, |one, other| same_target(one.traits(), one.get(), other.get()))
    }
}

/// A target as if it had been loaded: for tests of code that reads associations.
impl<S: ToOne> From<Option<S::Target>> for BelongsTo<S> {
    fn from(target: Option<S::Target>) -> Self {
        BelongsTo::from_shared(target.map(Arc::new))
    }
}

/// A target that was taken out, in the state it was in.
impl<S: ToOne> From<Taken<Option<Arc<S::Target>>>> for BelongsTo<S> {
    fn from(target: Taken<Option<Arc<S::Target>>>) -> Self {
        BelongsTo(target.into_cell(Shared::new))
    }
}

/// Shows the state: `NotLoaded`, `Loaded(None)`, `Loaded(Some(…))`, `Partial(…)`.
impl<S: ToOne<Target: fmt::Debug>> fmt::Debug for BelongsTo<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        nesting::show(&self.0.view(|target| ShownTarget(target.traits(), target.get())), f)
    }
}

/// A loaded target serialises as itself or nothing; leave fields that are not loaded out with
/// `#[serde(skip_serializing_if = "BelongsTo::is_not_loaded")]`. An error beyond 512 levels of rows that hold rows.
#[cfg(feature = "serde")]
impl<S: ToOne<Target: serde::Serialize>> serde::Serialize for BelongsTo<S> {
    fn serialize<R: serde::Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
        // The target itself: the compiler counts a reference to it as a level more.
        match self.loaded().flatten() {
            Some(target) => nesting::serialize(serializer, |serializer| serializer.serialize_some(target)),
            None => serializer.serialize_none(),
        }
    }
}

impl<S: ToOne> AssociationField for BelongsTo<S> {
    const SHARED: bool = true;

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

    fn share(&mut self, pick: &mut dyn FnMut(SharedRow) -> Option<SharedRow>) {
        if let Some(target) = self.0.value_mut()
            && let Some(other) = target.untyped().and_then(pick).and_then(|other| other.downcast().ok())
        {
            *target = Shared::new(Some(other));
        }
    }

    fn fill(fetched: Fetched<'_>, put: &mut dyn FnMut(usize, Self)) {
        let Fetched { children, links, skip, state, .. } = fetched;
        shared_rows(children, &mut |rows: &[Arc<S::Target>]| {
            let mut put = |at: usize, row: Option<usize>| {
                if !skip(at) {
                    let target = row.and_then(|row| rows.get(row)).map(Arc::clone);
                    put(at, BelongsTo(Cell::new(Shared::new(target), state)));
                }
            };
            for (at, mut own) in links.by_owner() {
                put(at, own.next());
            }
        });
    }
}
