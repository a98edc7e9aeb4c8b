//! `BelongsTo<T>` and `BelongsTo<Option<T>>`: a single target, shared by all owners that refer to it. 10,000 posts of
//! 1,000 users contain 1,000 users.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::cell::{Cell, same_state, state_methods};
use super::erased::Shared;
use super::field_accessor::{AssociationField, Fetched, shared_rows};
use super::rows::{ShownTarget, same_target};
use super::{Taken, ToOne, nesting};
use crate::error::{HiddenBy, NotLoadedReason};
use crate::metadata::association::{LoadState, SharedRow};

/// The target of a `belongs_to` association: `BelongsTo<User>` if there must be one, `BelongsTo<Option<User>>` if not.
pub struct BelongsTo<S: ToOne>(Cell<Shared<S::Target>>);

impl<S: ToOne> BelongsTo<S> {
    /// The target: `&T`, or `Option<&T>` for an optional one.
    ///
    /// # Errors
    /// The association is not loaded, or it is loaded without the target that must exist.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{BelongsTo, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct User { id: i64 }
    /// let user = BelongsTo::<User>::from(Some(User { id: 1 }));
    /// assert_eq!(user.get().unwrap().id, 1);
    /// let editor = BelongsTo::<Option<User>>::from(None);
    /// assert!(editor.get().unwrap().is_none());
    /// assert!(BelongsTo::<User>::default().get().is_err()); // not loaded
    /// ```
    pub fn get(&self) -> Result<S::Read<'_>, NotLoadedReason> {
        S::read(self.loaded().ok_or(NotLoadedReason::NotRequested)?).map_err(|_| self.0.absence())
    }

    /// The target as far as it is loaded: `None` if the association is not loaded, `Some(None)` if it is loaded without
    /// a target.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{BelongsTo, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct User { id: i64 }
    /// assert!(BelongsTo::<Option<User>>::default().loaded().is_none());
    /// assert!(BelongsTo::<Option<User>>::from(None).loaded().is_some_and(|user| user.is_none()));
    /// ```
    #[must_use]
    pub fn loaded(&self) -> Option<Option<&S::Target>> {
        self.0.value().map(Shared::get)
    }

    /// The target, to change it in memory. If other owners share it, this copies it first, and theirs stays unchanged.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{BelongsTo, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct User { id: i64 }
    /// let mut user = BelongsTo::<User>::from(Some(User { id: 1 }));
    /// let same = user.clone(); // shares the row
    /// user.loaded_mut().flatten().unwrap().id = 2;
    /// assert_eq!((user.get().unwrap().id, same.get().unwrap().id), (2, 1));
    /// ```
    #[must_use]
    pub fn loaded_mut(&mut self) -> Option<Option<&mut S::Target>> {
        self.0.value_mut().map(Shared::make_mut)
    }

    /// The shared target as another `Arc`, without a copy of the row.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{BelongsTo, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct User { id: i64 }
    /// let user = BelongsTo::<User>::from(Some(User { id: 1 }));
    /// assert!(Arc::ptr_eq(&user.shared().unwrap(), &user.clone().shared().unwrap()));
    /// ```
    #[must_use]
    pub fn shared(&self) -> Option<Arc<S::Target>> {
        self.0.value()?.typed()
    }

    /// Takes the target out and leaves the association not loaded. `into()` makes a holder of it again, in the state
    /// that it had.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{BelongsTo, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct User { id: i64 }
    /// let mut user = BelongsTo::<User>::from(Some(User { id: 1 }));
    /// let taken = user.take().unwrap();
    /// assert!(!user.is_loaded());
    /// user = taken.into();
    /// assert!(user.is_loaded());
    /// ```
    pub fn take(&mut self) -> Option<Taken<Option<Arc<S::Target>>>> {
        self.0.take(|target| target.typed())
    }

    /// Puts another target, or none, in place of the loaded one and returns the loaded one. The state stays. If the
    /// association is not loaded, this changes nothing and returns `None`. It changes neither the foreign key nor the
    /// database.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{BelongsTo, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct User { id: i64 }
    /// let mut user = BelongsTo::<User>::from(Some(User { id: 1 }));
    /// let before = user.replace(Some(Arc::new(User { id: 2 }))).unwrap().into_inner();
    /// assert_eq!((before.unwrap().id, user.get().unwrap().id), (1, 2));
    /// ```
    pub fn replace(&mut self, target: Option<Arc<S::Target>>) -> Option<Taken<Option<Arc<S::Target>>>> {
        let state = self.state();
        let before = self.take()?;
        self.0 = Cell::new(Shared::new(target), state);
        Some(before)
    }

    /// A loaded association whose target other owners share.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{BelongsTo, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct User { id: i64 }
    /// let ada = Arc::new(User { id: 1 });
    /// let (first, second) = (BelongsTo::<User>::from_shared(Some(ada.clone())), BelongsTo::<User>::from_shared(Some(ada)));
    /// assert!(Arc::ptr_eq(&first.shared().unwrap(), &second.shared().unwrap()));
    /// ```
    #[must_use]
    pub fn from_shared(target: Option<Arc<S::Target>>) -> Self {
        BelongsTo(Cell::Loaded(Shared::new(target)))
    }

    /// A partly loaded association, as after a filter: the target may not be the one the association has.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{BelongsTo, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct User { id: i64 }
    /// assert!(BelongsTo::<Option<User>>::partial(None).is_partial());
    /// ```
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

/// A loaded association: for tests of code that reads associations.
impl<S: ToOne> From<Option<S::Target>> for BelongsTo<S> {
    fn from(target: Option<S::Target>) -> Self {
        BelongsTo::from_shared(target.map(Arc::new))
    }
}

/// The association as it was before `take`, in the same state.
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

/// A loaded target serialises as itself or as nothing. Leave out fields that are not loaded with
/// `#[serde(skip_serializing_if = "BelongsTo::is_not_loaded")]`. Serialising fails beyond 512 levels of nested rows.
#[cfg(feature = "serde")]
impl<S: ToOne<Target: serde::Serialize>> serde::Serialize for BelongsTo<S> {
    fn serialize<R: serde::Serializer>(&self, serializer: R) -> Result<R::Ok, R::Error> {
        // The target itself, because the compiler counts a reference to it as one more level of nesting.
        match self.loaded().flatten() {
            Some(target) => nesting::serialize(serializer, |serializer| serializer.serialize_some(target)),
            None => serializer.serialize_none(),
        }
    }
}

/// A target that was serialised, or none, as a [partly loaded](LoadState::Partial) association: nothing says that it is still
/// the one.
#[cfg(feature = "serde")]
impl<'de, S: ToOne<Target: serde::Deserialize<'de>>> serde::Deserialize<'de> for BelongsTo<S> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let target = nesting::deserialize(deserializer, <Option<S::Target> as serde::Deserialize>::deserialize)?;
        Ok(BelongsTo::partial(target))
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

    fn may_be_hidden(&mut self, by: HiddenBy) {
        self.0.may_be_hidden(by, |target| Shared::get(target).is_none());
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
