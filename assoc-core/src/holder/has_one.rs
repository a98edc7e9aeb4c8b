//! `HasOne<T>` and `HasOne<Option<T>>`: a single target that belongs to its owner. It lies behind a pointer, so that
//! models may refer to each other.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::cell::{Cell, same_state, state_methods};
use super::erased::Owned;
use super::field_accessor::{AssociationField, Fetched};
use super::rows::{ShownTarget, same_target};
use super::{Taken, TargetRow, ToOne, nesting};
use crate::error::{HiddenBy, NotLoadedReason};
use crate::key::KeyMark;
use crate::metadata::association::{Children, LoadState};
use crate::row_traits::RowTraits;

/// The target of a `has_one` association: `HasOne<Address>` if there must be one, `HasOne<Option<Address>>` if not.
pub struct HasOne<S: ToOne>(
    Cell<Target<S::Target>>,
    // The owner's key by which a target behind others was loaded. No part of the value.
    Option<KeyMark>,
);

/// A target, or none.
type Target<T> = Owned<T, RowTraits<T>>;

impl<S: ToOne> HasOne<S> {
    /// The target: `&T`, or `Option<&T>` for an optional one.
    ///
    /// # Errors
    /// The association is not loaded, or it is loaded without the target that must exist.
    ///
    /// ```
    /// # use assoc_core::{HasOne, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Account { id: i64 }
    /// let account = HasOne::<Account>::from(Some(Account { id: 1 }));
    /// assert_eq!(account.get().unwrap().id, 1);
    /// assert!(HasOne::<Option<Account>>::from(None).get().unwrap().is_none());
    /// assert!(HasOne::<Account>::default().get().is_err()); // not loaded
    /// ```
    pub fn get(&self) -> Result<S::Read<'_>, NotLoadedReason> {
        S::read(self.loaded().ok_or(NotLoadedReason::NotRequested)?).map_err(|_| self.0.absence())
    }

    /// The target as far as it is loaded: `None` if the association is not loaded, `Some(None)` if it is loaded without
    /// a target.
    ///
    /// ```
    /// # use assoc_core::{HasOne, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Account { id: i64 }
    /// assert!(HasOne::<Option<Account>>::default().loaded().is_none());
    /// assert!(HasOne::<Option<Account>>::from(None).loaded().is_some_and(|account| account.is_none()));
    /// ```
    #[must_use]
    pub fn loaded(&self) -> Option<Option<&S::Target>> {
        self.0.value().map(Owned::get)
    }

    /// The target, to change it in memory.
    ///
    /// ```
    /// # use assoc_core::{HasOne, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Account { id: i64 }
    /// let mut account = HasOne::<Account>::from(Some(Account { id: 1 }));
    /// account.loaded_mut().flatten().unwrap().id = 2;
    /// assert_eq!(account.get().unwrap().id, 2);
    /// ```
    #[must_use]
    pub fn loaded_mut(&mut self) -> Option<Option<&mut S::Target>> {
        self.0.value_mut().map(Owned::get_mut)
    }

    /// Takes the target out and leaves the association not loaded. `into()` makes a holder of it again, in the state
    /// that it had.
    ///
    /// ```
    /// # use assoc_core::{HasOne, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Account { id: i64 }
    /// let mut account = HasOne::<Account>::from(Some(Account { id: 1 }));
    /// let taken = account.take().unwrap();
    /// assert!(!account.is_loaded());
    /// account = taken.into();
    /// assert!(account.is_loaded());
    /// ```
    pub fn take(&mut self) -> Option<Taken<Option<S::Target>>> {
        self.1 = None;
        self.0.take(Owned::into_inner)
    }

    /// Puts another target, or none, in place of the loaded one and returns the loaded one. The state stays. If the
    /// association is not loaded, this changes nothing and returns `None`. It writes nothing to the database.
    ///
    /// ```
    /// # use assoc_core::{HasOne, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Account { id: i64 }
    /// let mut account = HasOne::<Account>::from(Some(Account { id: 1 }));
    /// let before = account.replace(Some(Account { id: 2 })).unwrap().into_inner();
    /// assert_eq!((before.unwrap().id, account.get().unwrap().id), (1, 2));
    /// ```
    pub fn replace(&mut self, target: Option<S::Target>) -> Option<Taken<Option<S::Target>>> {
        let state = self.state();
        let before = self.take()?;
        (self.0, self.1) = (Cell::new(owned(target), state), None);
        Some(before)
    }

    /// A partly loaded association, as after a filter: the target may not be the one the association has.
    ///
    /// ```
    /// # use assoc_core::{HasOne, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Account { id: i64 }
    /// assert!(HasOne::<Option<Account>>::partial(None).is_partial());
    /// ```
    #[must_use]
    pub fn partial(target: Option<S::Target>) -> Self {
        HasOne(Cell::Partial(owned(target)), None)
    }

    state_methods!();
}

fn owned<T: TargetRow>(target: Option<T>) -> Target<T> {
    match target {
        Some(target) => Owned::new(target),
        None => Owned::NONE,
    }
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

/// A loaded association: for tests of code that reads associations.
impl<S: ToOne> From<Option<S::Target>> for HasOne<S> {
    fn from(target: Option<S::Target>) -> Self {
        HasOne(Cell::Loaded(owned(target)), None)
    }
}

/// The association as it was before `take`, in the same state.
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

/// A loaded target serialises as itself or as nothing. Leave out fields that are not loaded with
/// `#[serde(skip_serializing_if = "HasOne::is_not_loaded")]`. Serialising fails beyond 512 levels of nested rows.
#[cfg(feature = "serde")]
impl<S: ToOne<Target: serde::Serialize>> serde::Serialize for HasOne<S> {
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
impl<'de, S: ToOne<Target: serde::Deserialize<'de>>> serde::Deserialize<'de> for HasOne<S> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let target = nesting::deserialize(deserializer, <Option<S::Target> as serde::Deserialize>::deserialize)?;
        Ok(HasOne::partial(target))
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

    fn may_be_hidden(&mut self, by: HiddenBy) {
        self.0.may_be_hidden(by, |target| Owned::get(target).is_none());
    }

    fn fill(fetched: Fetched<'_>, put: &mut dyn FnMut(usize, Self)) {
        let Fetched { children, links, skip, state, .. } = fetched;
        let exclusive = matches!(&children, Children::Owned(rows) if links.is_exclusive(rows.len()));
        let mut rows = Taker::<S::Target>::new(children, exclusive);
        for (at, mut own) in links.by_owner() {
            if !skip(at) {
                let target = match own.next() {
                    Some(row) => rows.take(row),
                    None => None,
                };
                put(at, HasOne(Cell::new(owned(target), state), None));
            }
        }
    }
}

/// Rows that are taken by their positions.
enum Taker<'r, T> {
    /// Each is taken once.
    Moved(Vec<Option<T>>),
    Kept(Vec<T>),
    Lent(&'r [T]),
    Shared(&'r [Arc<T>]),
    /// The rows are of another model.
    Nothing,
}

// In a build without optimisation each closure is three functions for each model, so there are none here.
#[allow(clippy::manual_map)]
impl<'r, T: Clone + 'static> Taker<'r, T> {
    fn new(children: Children<'r>, exclusive: bool) -> Self {
        match children {
            Children::Owned(rows) => match rows.into_any().downcast::<Vec<T>>() {
                Ok(rows) if exclusive => {
                    let mut slots = Vec::with_capacity(rows.len());
                    for row in *rows {
                        slots.push(Some(row));
                    }
                    Taker::Moved(slots)
                }
                Ok(rows) => Taker::Kept(*rows),
                Err(_) => Taker::Nothing,
            },
            Children::Lent(rows) => match rows.as_any().downcast_ref::<Vec<T>>() {
                Some(rows) => Taker::Lent(rows),
                None => Taker::Nothing,
            },
            Children::Shared(rows) => match rows.downcast_ref::<Vec<Arc<T>>>() {
                Some(rows) => Taker::Shared(rows),
                None => Taker::Nothing,
            },
        }
    }

    fn take(&mut self, position: usize) -> Option<T> {
        let row: &T = match self {
            Taker::Moved(slots) => return slots.get_mut(position)?.take(),
            Taker::Kept(rows) => rows.get(position)?,
            Taker::Lent(rows) => rows.get(position)?,
            Taker::Shared(rows) => rows.get(position)?,
            Taker::Nothing => return None,
        };
        Some(row.clone())
    }
}
