//! `HasManyThrough<T>` and `HasAndBelongsToMany<T>`: any number of targets, shared by all owners that have them. 30,000
//! links to 200 tags hold 200 tags. `HasAndBelongsToMany<T, J>` has the join table's rows beside them.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use super::cell::{Cell, state_methods};
use super::join_rows::{JoinRow, JoinRowList, WithJoinRows};
use crate::error::NotLoadedReason;
use crate::metadata::association::{Children, JoinTableRows, Links, LoadState, SharedRow, Slot, share_row};
use crate::metadata::model::Model;
use crate::metadata::rows::Owners;

/// The targets of a `has_many through` association.
///
/// ```
/// use assoc_core::HasManyThrough;
///
/// let nothing_asked: HasManyThrough<i32> = HasManyThrough::default();
/// assert!(nothing_asked.get().is_err());
/// ```
pub struct HasManyThrough<T, J = ()>(Cell<Targets<T, J>>);

/// The targets of a `has_and_belongs_to_many` association. With a second parameter, a model of the join table, each has
/// its join row beside it.
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

/// The targets, and what is held beside them: a row each, or nothing at all.
#[derive(PartialEq)]
struct Targets<T, J> {
    rows: Vec<Arc<T>>,
    join_rows: JoinRowList<J>,
}

impl<T, J> HasManyThrough<T, J> {
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
        self.0.value().map(|targets| &targets.rows[..])
    }

    /// Takes the rows out; the association is not loaded afterwards.
    #[must_use]
    pub fn take(&mut self) -> Option<Vec<Arc<T>>> {
        self.0.take().map(|targets| targets.rows)
    }

    state_methods!();
}

impl<T, J: Model> HasManyThrough<T, J> {
    /// The targets, each with the row of the join table that led to it.
    ///
    /// # Errors
    /// When nothing asked for them. The derived accessor (`post.tags_with_join_rows()`) adds the names to this error.
    pub fn get_with_join_rows(&self) -> Result<WithJoinRows<'_, T, J>, NotLoadedReason> {
        self.loaded_with_join_rows().ok_or(NotLoadedReason::NotRequested)
    }

    /// The same, or `None` if nothing asked for them.
    #[must_use]
    pub fn loaded_with_join_rows(&self) -> Option<WithJoinRows<'_, T, J>> {
        self.0.value().map(|targets| WithJoinRows::new(&targets.rows, targets.join_rows()))
    }

    /// The rows of the join table if they were loaded, in the order of the targets.
    #[must_use]
    pub fn join_rows(&self) -> Option<&[J]> {
        self.0.value().map(Targets::join_rows)
    }

    /// Takes targets and rows of the join table out; the association is not loaded afterwards.
    #[must_use]
    pub fn take_with_join_rows(&mut self) -> Option<Vec<(Arc<T>, J)>> {
        let targets = self.0.take()?;
        Some(targets.rows.into_iter().zip(*targets.join_rows.unwrap_or_default()).collect())
    }
}

impl<T, J> Targets<T, J> {
    fn join_rows(&self) -> &[J] {
        self.join_rows.as_deref().map_or(&[], |rows| rows)
    }
}

// Shared rows are cloned by counting, whatever `T` is.
impl<T, J: Clone> Clone for Targets<T, J> {
    fn clone(&self) -> Self {
        Targets { rows: self.rows.clone(), join_rows: self.join_rows.clone() }
    }
}

impl<T, J: Clone> Clone for HasManyThrough<T, J> {
    fn clone(&self) -> Self {
        HasManyThrough(self.0.clone())
    }
}

impl<T, J> Default for HasManyThrough<T, J> {
    fn default() -> Self {
        HasManyThrough(Cell::NotLoaded)
    }
}

impl<T: PartialEq, J: PartialEq> PartialEq for HasManyThrough<T, J> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

/// Rows as if they had been loaded: for tests of code that reads associations.
impl<T> From<Vec<T>> for HasManyThrough<T> {
    fn from(rows: Vec<T>) -> Self {
        HasManyThrough(Cell::Loaded(Targets { rows: rows.into_iter().map(Arc::new).collect(), join_rows: None }))
    }
}

/// Targets with their join rows as if they had been loaded: for tests of code that reads associations.
impl<T, J: Model> From<Vec<(T, J)>> for HasManyThrough<T, J> {
    fn from(pairs: Vec<(T, J)>) -> Self {
        let pairs = pairs.into_iter().map(|(target, join_row)| (Arc::new(target), join_row));
        let (rows, join_rows): (_, Vec<J>) = pairs.unzip();
        HasManyThrough(Cell::Loaded(Targets { rows, join_rows: Some(Box::new(join_rows)) }))
    }
}

/// Shows the state: `NotLoaded`, `Loaded([…])`, `Partial([…])`. Join rows stand after the targets: `Loaded([…], […])`.
impl<T: fmt::Debug, J: fmt::Debug> fmt::Debug for HasManyThrough<T, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, targets) = match &self.0 {
            Cell::NotLoaded => return f.write_str("NotLoaded"),
            Cell::Loaded(targets) => ("Loaded", targets),
            Cell::Partial(targets) => ("Partial", targets),
        };
        let mut shown = f.debug_tuple(name);
        shown.field(&targets.rows);
        if let Some(join_rows) = &targets.join_rows {
            shown.field(join_rows);
        }
        shown.finish()
    }
}

/// Loaded targets serialise as a sequence, what is not loaded as nothing: leave such fields out with
/// `#[serde(skip_serializing_if = "HasManyThrough::is_not_loaded")]`. Join rows are left out: they are keys and notes
/// of the database's own; write what of them is to be seen with a function named by `serialize_with`.
#[cfg(feature = "serde")]
impl<T: serde::Serialize, J> serde::Serialize for HasManyThrough<T, J> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.loaded() {
            Some(rows) => serializer.collect_seq(rows.iter().map(|row| &**row)),
            None => serializer.serialize_none(),
        }
    }
}

/// The [`Slot`] of a `HasManyThrough` or `HasAndBelongsToMany` field.
pub struct HasManyThroughSlot<O, T, J = ()> {
    field: fn(&O) -> &HasManyThrough<T, J>,
    field_mut: fn(&mut O) -> &mut HasManyThrough<T, J>,
}

impl<O, T, J> HasManyThroughSlot<O, T, J> {
    /// The slot of the field these two functions lead to.
    #[must_use]
    pub const fn new(
        field: fn(&O) -> &HasManyThrough<T, J>,
        field_mut: fn(&mut O) -> &mut HasManyThrough<T, J>,
    ) -> Self {
        HasManyThroughSlot { field, field_mut }
    }
}

impl<O: Model, T: Model, J: JoinRow> HasManyThroughSlot<O, T, J> {
    fn put(
        &self,
        owners: &mut dyn Owners,
        children: Children<'_>,
        table_rows: Option<JoinTableRows<'_>>,
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
        let mut start = 0;
        links.each(|at, own| {
            // What an owner does not take counts all the same: join rows lie in the order of all links.
            let first = start;
            if skip(at) {
                start += own.count();
                return;
            }
            let rows = own.inspect(|_| start += 1).filter_map(|row| rows.get(row)).map(Arc::clone).collect();
            let own = table_rows.and_then(|table| table.positions.get(first..start).zip(Some(table.rows)));
            let join_rows = own.and_then(|(own, rows)| J::copied(rows, own)).map(Box::new);
            // Without their join rows, targets are not what was asked for: the association stays as it was.
            if (J::ABSENT || join_rows.is_some())
                && let Some(owner) = owners.owner(at).and_then(|owner| owner.downcast_mut::<O>())
            {
                (self.field_mut)(owner).0 = Cell::new(Targets { rows, join_rows }, state);
            }
        });
    }
}

impl<O: Model, T: Model, J: JoinRow> Slot for HasManyThroughSlot<O, T, J> {
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
        if let Cell::Loaded(targets) | Cell::Partial(targets) = &mut (self.field_mut)(owner).0 {
            for row in &mut targets.rows {
                let row: &mut T = Arc::make_mut(row);
                each(row);
            }
        }
    }

    fn share(&self, owner: &mut dyn Any, pick: &mut dyn FnMut(SharedRow) -> Option<SharedRow>) {
        let Some(owner) = owner.downcast_mut::<O>() else { return };
        if let Cell::Loaded(targets) | Cell::Partial(targets) = &mut (self.field_mut)(owner).0 {
            targets.rows.iter_mut().for_each(|row| share_row(row, pick));
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
        self.put(owners, children, None, links, skip, state);
    }

    fn attach_with_join_rows(
        &self,
        owners: &mut dyn Owners,
        children: Children<'_>,
        table_rows: JoinTableRows<'_>,
        links: &Links,
        skip: &dyn Fn(usize) -> bool,
        state: LoadState,
    ) {
        self.put(owners, children, Some(table_rows), links, skip, state);
    }
}
