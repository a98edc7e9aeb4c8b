//! The [`FieldAccess`] of a field of any holder type. It contains what holders have in common; a holder only says how
//! fetched rows become its value.

use std::any::Any;
use std::sync::Arc;

use crate::error::HiddenBy;
use crate::key::KeyMark;
use crate::metadata::association::{Children, FieldAccess, JoinTableRows, Links, LoadState, SharedRow};
use crate::metadata::model::Model;
use crate::metadata::rows::Owners;

/// A holder: the type of the field that contains an association.
pub trait AssociationField: Default + 'static {
    /// Whether owners share rows by `Arc`.
    const SHARED: bool;

    /// Whether rows of a join table lie beside the targets.
    const KEEPS_JOIN_ROWS: bool = false;

    /// How much of the association is in memory.
    fn load_state(&self) -> LoadState;

    /// Calls `each` with each row in memory.
    fn visit<'a>(&'a self, each: &mut dyn FnMut(&'a dyn Any));

    /// Calls `each` with each row in memory, to change it. A row that other holders share is copied first.
    fn visit_mut<'a>(&'a mut self, each: &mut dyn FnMut(&'a mut dyn Any));

    /// Calls `each` with the row of the join table beside each row in memory.
    fn visit_join_rows<'a>(&'a self, each: &mut dyn FnMut(&'a dyn Any)) {
        let _ = each;
    }

    /// Offers each shared row in memory to `pick`, and stores the row that `pick` returns, if it has the same type.
    fn share(&mut self, pick: &mut dyn FnMut(SharedRow) -> Option<SharedRow>) {
        let _ = pick;
    }

    /// The key of the owner by which the rows in memory were loaded, where the holder remembers it.
    fn loaded_for(&self) -> Option<KeyMark> {
        None
    }

    /// Remembers the key of the owner by which the rows in memory were loaded.
    fn set_loaded_for(&mut self, key: KeyMark) {
        let _ = key;
    }

    /// Notes that the row of an association to one may be hidden, if there is none.
    fn may_be_hidden(&mut self, by: HiddenBy) {
        let _ = by;
    }

    /// Makes a value for each owner that is not skipped, and passes it to `put` with the owner's position.
    fn fill(fetched: Fetched<'_>, put: &mut dyn FnMut(usize, Self));
}

/// Fetched rows, with the links that assign them to owners.
pub struct Fetched<'r> {
    pub(super) children: Children<'r>,
    /// The rows of the join table that the links came from, for holders with a join model.
    pub(super) join_rows: Option<JoinTableRows<'r>>,
    pub(super) links: &'r Links,
    pub(super) skip: &'r dyn Fn(usize) -> bool,
    /// The state of the holders after they are filled.
    pub(super) state: LoadState,
}

/// Access to a field of type `H` in model `O`.
pub struct FieldAccessor<O, H> {
    field: fn(&O) -> &H,
    field_mut: fn(&mut O) -> &mut H,
}

impl<O, H> FieldAccessor<O, H> {
    /// Access to the field that these two functions return.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(field: fn(&O) -> &H, field_mut: fn(&mut O) -> &mut H) -> Self {
        FieldAccessor { field, field_mut }
    }
}

// Each association instantiates these methods, and in a build without optimisation each closure is one more function,
// so there are no adapters here.
#[allow(clippy::manual_map)]
impl<O: Model, H: AssociationField> FieldAccessor<O, H> {
    fn of<'a>(&self, owner: &'a dyn Any) -> Option<&'a H> {
        match owner.downcast_ref::<O>() {
            Some(owner) => Some((self.field)(owner)),
            None => None,
        }
    }

    fn of_mut<'a>(&self, owner: &'a mut dyn Any) -> Option<&'a mut H> {
        match owner.downcast_mut::<O>() {
            Some(owner) => Some((self.field_mut)(owner)),
            None => None,
        }
    }

    fn fill(&self, owners: &mut dyn Owners, fetched: Fetched<'_>) {
        H::fill(fetched, &mut |at, value| {
            if let Some(owner) = owners.owner(at)
                && let Some(field) = self.of_mut(owner)
            {
                *field = value;
            }
        });
    }
}

impl<O: Model, H: AssociationField> FieldAccess for FieldAccessor<O, H> {
    fn state(&self, owner: &dyn Any) -> LoadState {
        match self.of(owner) {
            Some(field) => field.load_state(),
            None => LoadState::NotLoaded,
        }
    }

    fn is_shared(&self) -> bool {
        H::SHARED
    }

    fn visit<'a>(&self, owner: &'a dyn Any, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(field) = self.of(owner) {
            field.visit(each);
        }
    }

    fn visit_mut<'a>(&self, owner: &'a mut dyn Any, each: &mut dyn FnMut(&'a mut dyn Any)) {
        if let Some(field) = self.of_mut(owner) {
            field.visit_mut(each);
        }
    }

    fn share(&self, owner: &mut dyn Any, pick: &mut dyn FnMut(SharedRow) -> Option<SharedRow>) {
        if let Some(field) = self.of_mut(owner) {
            field.share(pick);
        }
    }

    fn loaded_for(&self, owner: &dyn Any) -> Option<KeyMark> {
        match self.of(owner) {
            Some(field) => field.loaded_for(),
            None => None,
        }
    }

    fn set_loaded_for(&self, owner: &mut dyn Any, key: KeyMark) {
        if let Some(field) = self.of_mut(owner) {
            field.set_loaded_for(key);
        }
    }

    fn may_be_hidden(&self, owner: &mut dyn Any, by: HiddenBy) {
        if let Some(field) = self.of_mut(owner) {
            field.may_be_hidden(by);
        }
    }

    fn clear(&self, owner: &mut dyn Any) {
        if let Some(field) = self.of_mut(owner) {
            *field = H::default();
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
        self.fill(owners, Fetched { children, join_rows: None, links, skip, state });
    }

    fn keeps_join_rows(&self) -> bool {
        H::KEEPS_JOIN_ROWS
    }

    fn visit_join_rows<'a>(&self, owner: &'a dyn Any, each: &mut dyn FnMut(&'a dyn Any)) {
        if let Some(field) = self.of(owner) {
            field.visit_join_rows(each);
        }
    }

    fn attach_with_join_rows(
        &self,
        owners: &mut dyn Owners,
        children: Children<'_>,
        join_rows: JoinTableRows<'_>,
        links: &Links,
        skip: &dyn Fn(usize) -> bool,
        state: LoadState,
    ) {
        self.fill(owners, Fetched { children, join_rows: Some(join_rows), links, skip, state });
    }
}

/// Fetched rows as shared rows: the existing `Arc`s, or each row in a new `Arc`.
pub(super) fn shared_rows<T: Clone + Send + Sync + 'static>(children: Children<'_>, with: &mut dyn FnMut(&[Arc<T>])) {
    match children {
        Children::Shared(rows) => with(rows.downcast_ref::<Vec<Arc<T>>>().map_or(&[], |rows| rows)),
        Children::Owned(rows) => {
            if let Ok(rows) = rows.into_shared().downcast::<Vec<Arc<T>>>() {
                with(&rows);
            }
        }
        Children::Lent(rows) => {
            let mut shared = Vec::new();
            if let Some(rows) = rows.as_any().downcast_ref::<Vec<T>>() {
                for row in rows {
                    shared.push(Arc::new(row.clone()));
                }
            }
            with(&shared);
        }
    }
}
