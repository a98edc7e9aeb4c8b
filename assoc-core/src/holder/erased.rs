//! The content of holders, behind trait objects, into which the compiler does not look.
//!
//! Models and holders refer to each other in cycles. The compiler walks through the fields of a model to find out
//! whether it is `Send` and what dropping it touches, and it instantiates every function that a function calls. With
//! plain fields (`Vec<Post>`, `Arc<User>`) both walks go from model to model through the whole program and end at the
//! compiler's recursion limit: twelve models in a row reach it.
//!
//! A trait object ends these walks at the first holder. Its declaration says that it is `Send` and `Sync`, and the
//! place that makes one proves it for one model. Dropping and copying use its vtable; comparing, showing and
//! serialising use functions from a table behind it ([`RowTraits`]). The vtables are made where fetched rows are
//! attached, one per model, and making one instantiates no other.

use std::any::Any;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use super::{TargetRow, nesting};
use crate::row_traits::RowTraits;

/// The content of a holder: a target, or a list of targets.
pub(super) trait Kept: Clone + Send + Sync + 'static {
    /// The traits of the contained rows.
    type Traits;

    const TRAITS: Self::Traits;
}

impl<T: TargetRow> Kept for T {
    type Traits = RowTraits<T>;

    const TRAITS: RowTraits<T> = T::ROW_TRAITS;
}

impl<T: TargetRow> Kept for Vec<T> {
    type Traits = RowTraits<T>;

    const TRAITS: RowTraits<T> = T::ROW_TRAITS;
}

/// A `V` behind a vtable, with the traits of its rows. The one implementor is `V` itself.
pub(super) trait Content<V, R>: Send + Sync {
    fn value(&self) -> &V;
    fn value_mut(&mut self) -> &mut V;
    fn into_value(self: Box<Self>) -> V;
    fn copied(&self) -> Box<dyn Content<V, R>>;
    fn traits(&self) -> R;
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
    fn into_shared_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

impl<V: Kept> Content<V, V::Traits> for V {
    fn value(&self) -> &V {
        self
    }

    fn value_mut(&mut self) -> &mut V {
        self
    }

    fn into_value(self: Box<Self>) -> V {
        *self
    }

    fn copied(&self) -> Box<dyn Content<V, V::Traits>> {
        Box::new(self.clone())
    }

    fn traits(&self) -> V::Traits {
        V::TRAITS
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn into_shared_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

/// A `V` that its holder owns, or none: an empty list needs no allocation.
pub(super) struct Owned<V, R>(Option<Box<dyn Content<V, R>>>);

// In a build without optimisation each closure is one more function for each model, so there are no adapters here.
#[allow(clippy::manual_map)]
impl<V, R> Owned<V, R> {
    pub(super) const NONE: Self = Owned(None);

    pub(super) fn get(&self) -> Option<&V> {
        match &self.0 {
            Some(content) => Some((**content).value()),
            None => None,
        }
    }

    pub(super) fn get_mut(&mut self) -> Option<&mut V> {
        match &mut self.0 {
            Some(content) => Some((**content).value_mut()),
            None => None,
        }
    }

    pub(super) fn into_inner(mut self) -> Option<V> {
        match self.0.take() {
            Some(content) => Some(content.into_value()),
            None => None,
        }
    }

    pub(super) fn traits(&self) -> Option<R> {
        match &self.0 {
            Some(content) => Some((**content).traits()),
            None => None,
        }
    }
}

impl<V: Kept> Owned<V, V::Traits> {
    pub(super) fn new(value: V) -> Self {
        Owned(Some(Box::new(value)))
    }

    /// The value; this makes a default one first if there is none.
    pub(super) fn get_or_default(&mut self) -> &mut V
    where
        V: Default,
    {
        (**self.0.get_or_insert_with(|| Box::new(V::default()))).value_mut()
    }
}

impl<V, R> Clone for Owned<V, R> {
    fn clone(&self) -> Self {
        let Some(content) = &self.0 else { return Owned(None) };
        let mut copy = Owned(None);
        nesting::run(&mut || copy = Owned(Some((**content).copied())));
        copy
    }
}

impl<V, R> Drop for Owned<V, R> {
    fn drop(&mut self) {
        if let Some(content) = self.0.take() {
            nesting::release(content, Content::into_any);
        }
    }
}

/// A row that several holders share, or none.
pub(super) struct Shared<T>(Option<Arc<dyn Content<T, RowTraits<T>>>>);

#[allow(clippy::manual_map)] // As above.
impl<T> Shared<T> {
    pub(super) fn get(&self) -> Option<&T> {
        match &self.0 {
            Some(content) => Some((**content).value()),
            None => None,
        }
    }

    pub(super) fn traits(&self) -> Option<RowTraits<T>> {
        match &self.0 {
            Some(content) => Some((**content).traits()),
            None => None,
        }
    }
}

#[allow(clippy::manual_map)] // As above.
impl<T: TargetRow> Shared<T> {
    pub(super) fn new(row: Option<Arc<T>>) -> Self {
        match row {
            Some(row) => Shared(Some(row)),
            None => Shared(None),
        }
    }

    /// The row, to change it. If other holders share it, this copies it first.
    pub(super) fn make_mut(&mut self) -> Option<&mut T> {
        let content = self.0.as_mut()?;
        if Arc::get_mut(content).is_none() {
            *content = Arc::new(T::clone((**content).value()));
        }
        Arc::get_mut(content).map(Content::value_mut)
    }

    /// The row as an `Arc` of its type.
    pub(super) fn typed(&self) -> Option<Arc<T>> {
        // Only a `T` implements `Content<T, _>`, so the downcast succeeds.
        self.untyped()?.downcast().ok()
    }

    /// The row as an `Arc` of any type.
    pub(super) fn untyped(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        match &self.0 {
            Some(content) => Some(Arc::clone(content).into_shared_any()),
            None => None,
        }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Shared(self.0.clone())
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        if let Some(content) = self.0.take() {
            nesting::release(content, |content| Box::new(content.into_shared_any()));
        }
    }
}

// Trait objects are not unwind safe by themselves. These are as safe as the plain values behind them, because their
// content changes through `&mut` alone.
impl<V, R> UnwindSafe for Owned<V, R> {}
impl<V, R> RefUnwindSafe for Owned<V, R> {}
impl<T> UnwindSafe for Shared<T> {}
impl<T> RefUnwindSafe for Shared<T> {}
