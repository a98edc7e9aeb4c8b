//! Scopes as they are written: what a function named by `scope = "…"` receives and returns.

use std::fmt;
use std::marker::PhantomData;

use super::column::{Filter, IntoSort};
use super::preload::IntoPreload;
use crate::metadata::request::{Request, Shape};

/// Builds the scope of an association or model: what a function named by `scope = "…"` receives and returns.
///
/// ```ignore
/// fn latest(posts: Scope<Post>) -> Scope<Post> {
///     posts.filter(Post::PUBLISHED.eq(true)).order_by(Post::ID.desc()).limit(3)
/// }
/// ```
pub struct Scope<T> {
    pub(crate) shape: Shape,
    target: PhantomData<fn() -> T>,
}

impl<T> Clone for Scope<T> {
    fn clone(&self) -> Self {
        Scope { shape: self.shape.clone(), target: PhantomData }
    }
}

impl<T> PartialEq for Scope<T> {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape
    }
}

impl<T> fmt::Debug for Scope<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shape, f)
    }
}

impl<T> Default for Scope<T> {
    fn default() -> Self {
        Scope::new()
    }
}

impl<T> Scope<T> {
    /// Everything.
    #[must_use]
    pub fn new() -> Self {
        Scope { shape: Shape::default(), target: PhantomData }
    }

    /// Only rows that satisfy a condition.
    #[must_use]
    pub fn filter(mut self, filter: Filter<T>) -> Self {
        self.shape.filter = self.shape.filter.and(filter.into_expr());
        self
    }

    /// In an order; several calls add less significant terms.
    #[must_use]
    pub fn order_by(mut self, sort: impl IntoSort<T>) -> Self {
        self.shape.order.extend(sort.into_terms());
        self
    }

    /// At most so many rows an owner.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.shape.limit = Some(limit);
        self
    }

    /// Leaves out so many rows an owner at the beginning.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.shape.offset = Some(offset);
        self
    }

    /// Each row once an owner, for associations that may lead to it several times.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.shape.distinct = true;
        self
    }

    /// Loads an association below the rows whenever they are loaded (F111).
    #[must_use]
    pub fn preload(mut self, preload: impl IntoPreload<T>) -> Self {
        self.shape.includes.extend(preload.into_requests().into_iter().map(Request::into_include));
        self
    }

    /// Leaves out the target model's default scope.
    #[must_use]
    pub fn unscoped(mut self) -> Self {
        self.shape.unscoped = true;
        self
    }

    /// The data form.
    #[must_use]
    pub fn into_shape(self) -> Shape {
        self.shape
    }
}
