//! `HasManyThrough<T>` and `HasAndBelongsToMany<T>`: any number of targets, shared by all owners that have them. 30,000
//! links to 200 tags contain 200 tags. `HasAndBelongsToMany<T, J>` has the rows of the join table beside them.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::cell::{Cell, same_state, state_methods};
use super::erased::{Kept, Owned};
use super::field_accessor::{AssociationField, Fetched, shared_rows};
use super::join_rows::{JoinRow, JoinRowList};
use super::rows::{ByPosition, ShownRows, same_rows};
use super::{Taken, TargetRow, nesting};
use crate::error::NotLoadedReason;
use crate::key::KeyMark;
use crate::metadata::association::{LoadState, SharedRow, share_row};
use crate::metadata::model::Model;
use crate::row_traits::RowTraits;

#[cfg(feature = "serde")]
use super::rows::SerializedRows;

mod with_join_rows;

/// The targets of a `has_many through` association.
///
/// ```
/// # use assoc_core::Model;
/// # use assoc_macros::Model;
/// use assoc_core::HasManyThrough;
///
/// #[derive(Model, Debug, Clone)]
/// struct Tag {
///     id: i64,
/// }
///
/// let nothing_asked: HasManyThrough<Tag> = HasManyThrough::default();
/// assert!(nothing_asked.get().is_err());
/// ```
pub struct HasManyThrough<T, J = ()>(
    Cell<List<T, J>>,
    // The owner's key by which these were loaded, which neither owner nor targets show. No part of the value.
    Option<KeyMark>,
);

/// The targets of a `has_and_belongs_to_many` association. With a second parameter, the model of the join table, each
/// target has its join row beside it.
///
/// ```
/// use assoc_core::HasAndBelongsToMany;
/// # use assoc_core::Model;
/// # use assoc_macros::Model;
///
/// #[derive(Model, Debug, Clone)]
/// struct Post {
///     id: i64,
///     #[has_and_belongs_to_many]
///     tags: HasAndBelongsToMany<Tag, PostTag>,
/// }
///
/// #[derive(Model, Debug, Clone)]
/// struct Tag {
///     id: i64,
///     name: String,
/// }
///
/// #[derive(Model, Debug, Clone)]
/// #[model(table = "posts_tags")]
/// struct PostTag {
///     post_id: i64,
///     tag_id: i64,
///     position: i64,
/// }
///
/// fn show(post: &Post) -> Result<(), assoc_core::AssociationNotLoaded> {
///     for (tag, link) in post.tags_with_join_rows()? {
///         println!("{}. {}", link.position, tag.name);
///     }
///     Ok(())
/// }
/// ```
pub type HasAndBelongsToMany<T, J = ()> = HasManyThrough<T, J>;

/// The targets; `None` if there are no targets, and no join rows to remember.
type List<T, J> = Owned<Targets<T, J>, (RowTraits<T>, RowTraits<J>)>;

/// The targets, and beside each of them its join row if the association has a join model.
pub(super) struct Targets<T, J> {
    pub(super) rows: Vec<Arc<T>>,
    pub(super) join_rows: JoinRowList<J>,
}

impl<T, J> Targets<T, J> {
    fn join_rows(&self) -> &[J] {
        self.join_rows.as_deref().map_or(&[], |rows| rows)
    }
}

impl<T, J> Default for Targets<T, J> {
    fn default() -> Self {
        Targets { rows: Vec::new(), join_rows: None }
    }
}

// Cloning shared rows only counts references, whatever `T` is.
impl<T, J: Clone> Clone for Targets<T, J> {
    fn clone(&self) -> Self {
        Targets { rows: self.rows.clone(), join_rows: self.join_rows.clone() }
    }
}

impl<T: TargetRow, J: JoinRow> Kept for Targets<T, J> {
    type Traits = (RowTraits<T>, RowTraits<J>);

    const TRAITS: Self::Traits = (T::ROW_TRAITS, J::ROW_TRAITS);
}

impl<T, J> HasManyThrough<T, J> {
    /// The rows, if the association is loaded, wholly or in part.
    ///
    /// # Errors
    /// The association is not loaded. The derived accessor (`user.groups()`) adds the names to this error.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Group { id: i64 }
    /// let groups = HasManyThrough::from(vec![Group { id: 1 }]);
    /// assert_eq!(groups.get().unwrap()[0].id, 1);
    /// assert!(HasManyThrough::<Group>::default().get().is_err()); // not loaded
    /// ```
    pub fn get(&self) -> Result<&[Arc<T>], NotLoadedReason> {
        self.loaded().ok_or(NotLoadedReason::NotRequested)
    }

    /// The rows if the association is loaded, wholly or in part; `None` if it is not loaded.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Group { id: i64 }
    /// assert!(HasManyThrough::from(vec![Group { id: 1 }]).loaded().is_some());
    /// assert!(HasManyThrough::<Group>::default().loaded().is_none());
    /// ```
    #[must_use]
    pub fn loaded(&self) -> Option<&[Arc<T>]> {
        self.0.value().map(|list| list.get().map_or(&[][..], |targets| &targets.rows))
    }

    /// Takes the rows out and leaves the association not loaded. `into()` makes a holder of them again, in the state
    /// that it had. This drops the join rows: [`take_with_join_rows`](Self::take_with_join_rows) keeps them.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Group { id: i64 }
    /// let mut groups = HasManyThrough::from(vec![Group { id: 1 }]);
    /// assert_eq!(groups.take().unwrap().len(), 1);
    /// assert!(!groups.is_loaded());
    /// ```
    pub fn take(&mut self) -> Option<Taken<Vec<Arc<T>>>> {
        self.1 = None;
        self.0.take(|list| list.into_inner().unwrap_or_default().rows)
    }

    state_methods!();
}

impl<T: TargetRow> HasManyThrough<T> {
    /// The rows, to change, add and remove them in memory; `None` if the association is not loaded. The state stays: a
    /// partly loaded association is still partly loaded. This writes nothing to the database.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Group { id: i64 }
    /// let mut groups = HasManyThrough::from(vec![Group { id: 1 }]);
    /// groups.loaded_mut().unwrap().push(Arc::new(Group { id: 2 }));
    /// assert_eq!(groups.get().unwrap().len(), 2);
    /// ```
    #[must_use]
    pub fn loaded_mut(&mut self) -> Option<&mut Vec<Arc<T>>> {
        self.0.value_mut().map(|list| &mut list.get_or_default().rows)
    }

    /// A wholly loaded association whose rows other owners share.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Group { id: i64 }
    /// let group = Arc::new(Group { id: 1 });
    /// let (ada, bob) = (HasManyThrough::from_shared(vec![group.clone()]), HasManyThrough::from_shared(vec![group]));
    /// assert!(Arc::ptr_eq(&ada.get().unwrap()[0], &bob.get().unwrap()[0]));
    /// ```
    #[must_use]
    pub fn from_shared(rows: Vec<Arc<T>>) -> Self {
        HasManyThrough(Cell::Loaded(list(rows)), None)
    }

    /// A partly loaded association, as after a filter or a limit: rows may be missing.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use assoc_core::{HasManyThrough, Model};
    /// # #[derive(assoc_macros::Model, Debug, Clone)]
    /// # struct Group { id: i64 }
    /// assert!(HasManyThrough::partial(vec![Group { id: 1 }]).is_partial());
    /// ```
    #[must_use]
    pub fn partial(rows: Vec<T>) -> Self {
        HasManyThrough(Cell::Partial(list(rows.into_iter().map(Arc::new).collect())), None)
    }
}

fn list<T: TargetRow>(rows: Vec<Arc<T>>) -> List<T, ()> {
    if rows.is_empty() { Owned::NONE } else { Owned::new(Targets { rows, join_rows: None }) }
}

fn list_with_join_rows<T: TargetRow, J: Model>(pairs: impl IntoIterator<Item = (Arc<T>, J)>) -> List<T, J> {
    let (rows, join_rows): (_, Vec<J>) = pairs.into_iter().unzip();
    Owned::new(Targets { rows, join_rows: Some(Box::new(join_rows)) })
}

impl<T, J> Clone for HasManyThrough<T, J> {
    fn clone(&self) -> Self {
        HasManyThrough(self.0.clone(), self.1)
    }
}

impl<T, J> Default for HasManyThrough<T, J> {
    fn default() -> Self {
        HasManyThrough(Cell::NotLoaded, None)
    }
}

impl<T, J> ByPosition<T> for List<T, J> {
    fn at(&self, position: usize) -> Option<&T> {
        match self.get() {
            Some(targets) => match targets.rows.get(position) {
                Some(row) => Some(row),
                None => None,
            },
            None => None,
        }
    }
}

/// The join rows of a list, by position.
struct JoinRowsOf<'a, T, J>(&'a List<T, J>);

impl<T, J> ByPosition<J> for JoinRowsOf<'_, T, J> {
    fn at(&self, position: usize) -> Option<&J> {
        match self.0.get() {
            Some(targets) => targets.join_rows().get(position),
            None => None,
        }
    }
}

impl<T: PartialEq, J: PartialEq> PartialEq for HasManyThrough<T, J> {
    fn eq(&self, other: &Self) -> bool {
        same_state(&self.0, &other.0, |one, other| {
            let (traits, join_traits) = one.traits().unzip();
            same_rows(traits, one, other) && same_rows(join_traits, &JoinRowsOf(one), &JoinRowsOf(other))
        })
    }
}

/// A wholly loaded association: for tests of code that reads associations.
impl<T: TargetRow> From<Vec<T>> for HasManyThrough<T> {
    fn from(rows: Vec<T>) -> Self {
        HasManyThrough::from_shared(rows.into_iter().map(Arc::new).collect())
    }
}

/// The association as it was before `take`, in the same state.
impl<T: TargetRow> From<Taken<Vec<Arc<T>>>> for HasManyThrough<T> {
    fn from(rows: Taken<Vec<Arc<T>>>) -> Self {
        HasManyThrough(rows.into_cell(list), None)
    }
}

/// A wholly loaded association with its join rows: for tests of code that reads associations.
impl<T: TargetRow, J: Model> From<Vec<(T, J)>> for HasManyThrough<T, J> {
    fn from(pairs: Vec<(T, J)>) -> Self {
        let pairs = pairs.into_iter().map(|(target, join_row)| (Arc::new(target), join_row));
        HasManyThrough(Cell::Loaded(list_with_join_rows(pairs)), None)
    }
}

/// The association as it was before `take_with_join_rows`, in the same state.
impl<T: TargetRow, J: Model> From<Taken<Vec<(Arc<T>, J)>>> for HasManyThrough<T, J> {
    fn from(pairs: Taken<Vec<(Arc<T>, J)>>) -> Self {
        HasManyThrough(pairs.into_cell(list_with_join_rows), None)
    }
}

/// Shows the state: `NotLoaded`, `Loaded([…])`, `Partial([…])`. Join rows follow the targets: `Loaded([…], […])`.
impl<T: fmt::Debug, J: fmt::Debug> fmt::Debug for HasManyThrough<T, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        nesting::show(&Shown(&self.0), f)
    }
}

struct Shown<'a, T, J>(&'a Cell<List<T, J>>);

impl<T, J> fmt::Debug for Shown<'_, T, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(list) = self.0.value() else { return f.write_str("NotLoaded") };
        let (traits, join_traits) = list.traits().unzip();
        let mut shown = f.debug_tuple(self.0.name());
        shown.field(&ShownRows(traits, list));
        if list.get().is_some_and(|targets| targets.join_rows.is_some()) {
            shown.field(&ShownRows(join_traits, &JoinRowsOf(list)));
        }
        shown.finish()
    }
}

/// Loaded targets serialise as a sequence, and an association that is not loaded as nothing. Leave out such fields with
/// `#[serde(skip_serializing_if = "HasManyThrough::is_not_loaded")]`. Serialising fails beyond 512 levels of nested
/// rows. Join rows do not serialise, because they are mostly keys: name a function by `serialize_with` to write their
/// other columns.
#[cfg(feature = "serde")]
impl<T: serde::Serialize, J> serde::Serialize for HasManyThrough<T, J> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.loaded() {
            Some(rows) => {
                nesting::serialize(serializer, |serializer| SerializedRows(rows, |row| &**row).serialize(serializer))
            }
            None => serializer.serialize_none(),
        }
    }
}

/// Rows that were serialised, as a [partly loaded](LoadState::Partial) association: nothing says that they are all, or still
/// there. Nothing at all is an association that is not loaded.
#[cfg(feature = "serde")]
impl<'de, T: TargetRow + serde::Deserialize<'de>> serde::Deserialize<'de> for HasManyThrough<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let rows = nesting::deserialize(deserializer, <Option<Vec<T>> as serde::Deserialize>::deserialize)?;
        Ok(rows.map_or_else(HasManyThrough::default, HasManyThrough::partial))
    }
}

impl<T: TargetRow, J: JoinRow> AssociationField for HasManyThrough<T, J> {
    const SHARED: bool = true;
    const KEEPS_JOIN_ROWS: bool = !J::ABSENT;

    fn load_state(&self) -> LoadState {
        self.state()
    }

    fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(Some(targets)) = self.0.value().map(Owned::get) {
            for row in &targets.rows {
                each(&**row);
            }
        }
    }

    fn visit_join_rows<'a>(&'a self, each: &mut dyn FnMut(&'a dyn Any)) {
        let rows = self.0.value().and_then(Owned::get).map_or(&[][..], Targets::join_rows);
        for row in rows {
            each(row);
        }
    }

    fn visit_mut<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut dyn Any)) {
        if let Some(targets) = self.0.value_mut().and_then(Owned::get_mut) {
            for row in &mut targets.rows {
                let row: &mut T = Arc::make_mut(row);
                each(row);
            }
        }
    }

    fn share(&mut self, pick: &mut dyn FnMut(SharedRow) -> Option<SharedRow>) {
        if let Some(targets) = self.0.value_mut().and_then(Owned::get_mut) {
            for row in &mut targets.rows {
                share_row(row, pick);
            }
        }
    }

    fn loaded_for(&self) -> Option<KeyMark> {
        self.1
    }

    fn set_loaded_for(&mut self, key: KeyMark) {
        self.1 = Some(key);
    }

    fn fill(fetched: Fetched<'_>, put: &mut dyn FnMut(usize, Self)) {
        let Fetched { children, join_rows: table_rows, links, skip, state } = fetched;
        shared_rows(children, &mut |rows: &[Arc<T>]| {
            let mut start = 0;
            for (at, own) in links.by_owner() {
                // Links that an owner skips count as well, because join rows lie in the order of all links.
                let first = start;
                if skip(at) {
                    start += own.len();
                    continue;
                }
                let mut targets = Vec::with_capacity(own.len());
                for row in own {
                    start += 1;
                    if let Some(row) = rows.get(row) {
                        targets.push(Arc::clone(row));
                    }
                }
                let own = table_rows.and_then(|table| table.positions.get(first..start).zip(Some(table.rows)));
                let join_rows = own.and_then(|(own, rows)| J::copied(rows, own)).map(Box::new);
                // An association with a join model needs its join rows: without them its holder stays unchanged.
                if !J::ABSENT && join_rows.is_none() {
                    continue;
                }
                let nothing = targets.is_empty() && J::ABSENT;
                let list = if nothing { Owned::NONE } else { Owned::new(Targets { rows: targets, join_rows }) };
                put(at, HasManyThrough(Cell::new(list, state), None));
            }
        });
    }
}
