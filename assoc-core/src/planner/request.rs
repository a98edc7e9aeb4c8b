//! What was asked for: associations with their shapes and what to load below them.

use std::fmt;
use std::marker::PhantomData;

use crate::association::{Association, AssociationDef};
use crate::column::{Filter, IntoSort};
use crate::error::{ErrorKind, Result};
use crate::expr::{Expr, OrderTerm};

/// One requested association, as data.
#[derive(Debug, Clone)]
pub struct Request {
    /// The association.
    pub association: &'static AssociationDef,
    /// Which of its rows, in which order.
    pub shape: Shape,
    /// What to load for its rows.
    pub children: Vec<Request>,
}

/// Which rows of an association to load.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Shape {
    /// A condition on the target's rows.
    pub filter: Expr,
    /// An order; the primary key decides between equals.
    pub order: Vec<OrderTerm>,
}

impl Default for Shape {
    fn default() -> Self {
        Shape { filter: Expr::always(), order: Vec::new() }
    }
}

impl Shape {
    /// Whether every row of the association is loaded.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.filter.is_always()
    }
}

/// A preload of an association of model `O` to `T`: `User::POSTS`, `User::POSTS.with(Post::COMMENTS)`.
pub struct Preload<O, T> {
    request: Request,
    types: PhantomData<fn() -> (O, T)>,
}

impl<O, T> Clone for Preload<O, T> {
    fn clone(&self) -> Self {
        Preload { request: self.request.clone(), types: PhantomData }
    }
}

impl<O, T> fmt::Debug for Preload<O, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.request, f)
    }
}

impl<O, T> Preload<O, T> {
    /// Loads an association of the targets as well. May be called several times, and nested to any depth.
    #[must_use]
    pub fn with(mut self, child: impl IntoPreload<T>) -> Self {
        self.request.children.extend(child.into_requests());
        self
    }

    /// Loads only the rows that satisfy a condition. The association is [partial](crate::LoadState::Partial) then.
    #[must_use]
    pub fn filter(mut self, filter: Filter<T>) -> Self {
        self.request.shape.filter = self.request.shape.filter.and(filter.into_expr());
        self
    }

    /// Loads the rows in an order; several calls add less significant terms.
    #[must_use]
    pub fn order_by(mut self, sort: impl IntoSort<T>) -> Self {
        self.request.shape.order.extend(sort.into_terms());
        self
    }
}

impl<O, T, H> Association<O, T, H> {
    /// This association, as the beginning of a preload tree.
    #[must_use]
    pub fn preload(self) -> Preload<O, T> {
        let request = Request { association: self.def(), shape: Shape::default(), children: Vec::new() };
        Preload { request, types: PhantomData }
    }

    /// Loads an association of the targets as well: `User::POSTS.with(Post::COMMENTS)`.
    #[must_use]
    pub fn with(self, child: impl IntoPreload<T>) -> Preload<O, T> {
        self.preload().with(child)
    }

    /// Loads only the rows that satisfy a condition: [`Preload::filter`].
    #[must_use]
    pub fn filter(self, filter: Filter<T>) -> Preload<O, T> {
        self.preload().filter(filter)
    }

    /// Loads the rows in an order: [`Preload::order_by`].
    #[must_use]
    pub fn order_by(self, sort: impl IntoSort<T>) -> Preload<O, T> {
        self.preload().order_by(sort)
    }
}

/// Whatever can be preloaded for rows of model `O`: an association, a tree below one, or a tuple of such.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be preloaded for `{O}`",
    label = "not an association of `{O}`",
    note = "preloads are association tokens of the model they are asked for: `Query::preload(User::POSTS.with(Post::COMMENTS))`"
)]
pub trait IntoPreload<O> {
    /// The requests, as data.
    fn into_requests(self) -> Vec<Request>;
}

impl<O, T, H> IntoPreload<O> for Association<O, T, H> {
    fn into_requests(self) -> Vec<Request> {
        vec![self.preload().request]
    }
}

impl<O, T> IntoPreload<O> for Preload<O, T> {
    fn into_requests(self) -> Vec<Request> {
        vec![self.request]
    }
}

macro_rules! several {
    ($($name:ident $index:tt),+) => {
        impl<O, $($name: IntoPreload<O>),+> IntoPreload<O> for ($($name,)+) {
            fn into_requests(self) -> Vec<Request> {
                let mut all = Vec::new();
                $(all.extend(self.$index.into_requests());)+
                all
            }
        }
    };
}

several!(A 0, B 1);
several!(A 0, B 1, C 2);
several!(A 0, B 1, C 2, D 3);
several!(A 0, B 1, C 2, D 3, E 4);
several!(A 0, B 1, C 2, D 3, E 4, F 5);

// Requests of one association become one, at every level.
pub(super) fn merge(requests: Vec<Request>) -> Result<Vec<Request>> {
    let mut merged: Vec<Request> = Vec::with_capacity(requests.len());
    for request in requests {
        match merged.iter_mut().find(|known| known.association == request.association) {
            None => merged.push(request),
            Some(known) => {
                let what = if known.shape.filter != request.shape.filter {
                    "filters"
                } else if known.shape != request.shape {
                    "orders"
                } else {
                    known.children.extend(request.children);
                    continue;
                };
                let association = request.association;
                return Err(ErrorKind::ConflictingPreload {
                    model: (association.owner)().name,
                    association: association.name,
                    what,
                }
                .into());
            }
        }
    }
    for request in &mut merged {
        request.children = merge(std::mem::take(&mut request.children))?;
    }
    Ok(merged)
}
