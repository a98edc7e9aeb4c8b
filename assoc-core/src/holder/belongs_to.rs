//! `BelongsTo<T>` and `BelongsTo<Option<T>>`: a single target, shared by all owners that refer to it. 10,000 posts of
//! 1,000 users hold 1,000 users.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::ToOne;
use super::cell::{Cell, state_methods};
use crate::error::NotLoadedReason;
use crate::metadata::association::{Children, Links, LoadState, SharedRow, Slot, share_row};
use crate::metadata::model::Model;
use crate::metadata::rows::Owners;

/// The target of a `belongs_to` association: `BelongsTo<User>` if there must be one, `BelongsTo<Option<User>>` if not.
pub struct BelongsTo<S: ToOne>(Cell<Option<Arc<S::Target>>>);

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
        self.0.value().map(Option::as_deref)
    }

    /// The shared target itself.
    #[must_use]
    pub fn shared(&self) -> Option<&Arc<S::Target>> {
        self.0.value()?.as_ref()
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
        self.0 == other.0
    }
}

/// A target as if it had been loaded: for tests of code that reads associations.
impl<S: ToOne> From<Option<S::Target>> for BelongsTo<S> {
    fn from(target: Option<S::Target>) -> Self {
        BelongsTo(Cell::Loaded(target.map(Arc::new)))
    }
}

/// Shows the state: `NotLoaded`, `Loaded(None)`, `Loaded(Some(…))`, `Partial(…)`.
impl<S: ToOne<Target: fmt::Debug>> fmt::Debug for BelongsTo<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// A loaded target serialises as itself or nothing; leave fields that are not loaded out with
/// `#[serde(skip_serializing_if = "BelongsTo::is_not_loaded")]`.
#[cfg(feature = "serde")]
impl<S: ToOne<Target: serde::Serialize>> serde::Serialize for BelongsTo<S> {
    fn serialize<R: serde::Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
        self.loaded().flatten().serialize(serializer)
    }
}

/// The [`Slot`] of a `BelongsTo` field.
pub struct BelongsToSlot<O, S: ToOne> {
    field: fn(&O) -> &BelongsTo<S>,
    field_mut: fn(&mut O) -> &mut BelongsTo<S>,
}

impl<O, S: ToOne> BelongsToSlot<O, S> {
    /// The slot of the field these two functions lead to.
    #[must_use]
    pub const fn new(field: fn(&O) -> &BelongsTo<S>, field_mut: fn(&mut O) -> &mut BelongsTo<S>) -> Self {
        BelongsToSlot { field, field_mut }
    }
}

impl<O: Model, S: ToOne> Slot for BelongsToSlot<O, S> {
    fn state(&self, owner: &dyn Any) -> LoadState {
        owner.downcast_ref::<O>().map_or(LoadState::NotLoaded, |owner| (self.field)(owner).state())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn visit<'a>(&self, owner: &'a dyn Any, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(target) = owner.downcast_ref::<O>().and_then(|owner| (self.field)(owner).loaded()).flatten() {
            each(target);
        }
    }

    fn visit_mut<'a>(&self, owner: &'a mut dyn Any, each: &mut dyn FnMut(&'a mut dyn Any)) {
        let Some(owner) = owner.downcast_mut::<O>() else { return };
        if let Cell::Loaded(Some(target)) | Cell::Partial(Some(target)) = &mut (self.field_mut)(owner).0 {
            let target: &mut S::Target = Arc::make_mut(target);
            each(target);
        }
    }

    fn share(&self, owner: &mut dyn Any, pick: &mut dyn FnMut(SharedRow) -> Option<SharedRow>) {
        let Some(owner) = owner.downcast_mut::<O>() else { return };
        if let Cell::Loaded(Some(target)) | Cell::Partial(Some(target)) = &mut (self.field_mut)(owner).0 {
            share_row(target, pick);
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
        let shared;
        let rows: &[Arc<S::Target>] = match children {
            Children::Shared(rows) => rows.downcast_ref::<Vec<Arc<S::Target>>>().map_or(&[], |rows| rows),
            Children::Owned(rows) => {
                let Ok(rows) = rows.into_shared().downcast::<Vec<Arc<S::Target>>>() else { return };
                shared = rows;
                &shared
            }
            Children::Lent(rows) => {
                let rows = rows.as_any().downcast_ref::<Vec<S::Target>>().map_or(&[][..], |rows| rows);
                shared = Box::new(rows.iter().cloned().map(Arc::new).collect());
                &shared
            }
        };
        let mut put = |at: usize, row: Option<usize>| {
            if skip(at) {
                return;
            }
            let target = row.and_then(|row| rows.get(row)).map(Arc::clone);
            if let Some(owner) = owners.owner(at).and_then(|owner| owner.downcast_mut::<O>()) {
                (self.field_mut)(owner).0 = Cell::new(target, state);
            }
        };
        match links {
            Links::One(ones) => ones.iter().enumerate().for_each(|(at, row)| put(at, row.map(|row| row as usize))),
            links => links.each(|at, own| put(at, own.next())),
        }
    }
}
