//! What was asked for: associations with their shapes and what to load below them.

use std::fmt;
use std::marker::PhantomData;

use super::Loader;
use crate::association::{Association, AssociationDef};
use crate::column::{Filter, IntoSort};
use crate::error::{ErrorKind, Result};
use crate::expr::{Expr, OrderTerm};

/// One requested association, as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The association.
    pub association: &'static AssociationDef,
    /// Which of its rows, in which order.
    pub shape: Shape,
    /// What to load for its rows.
    pub children: Vec<Request>,
    /// By what kind of statement.
    pub strategy: Strategy,
    /// Where its rows come from instead of the database.
    pub loader: Option<Loader>,
    /// Whether nobody asked for it: a scope brings it whenever its rows are loaded.
    pub included: bool,
}

/// By what kind of statement an association is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// One of its own, by key.
    #[default]
    Keyed,
    /// One of its own, unless the query's conditions or orders reach into the association.
    Chosen,
    /// The query's own, which joins it.
    Joined,
}

impl Request {
    /// The whole of an association, by a statement of its own.
    #[must_use]
    pub fn new(association: &'static AssociationDef) -> Self {
        Request {
            association,
            shape: Shape::default(),
            children: Vec::new(),
            strategy: Strategy::Keyed,
            loader: None,
            included: false,
        }
    }

    /// The same, as something that a scope brings.
    #[must_use]
    pub(crate) fn into_include(mut self) -> Self {
        self.included = true;
        self.children = self.children.into_iter().map(Request::into_include).collect();
        self
    }

    /// The same, and everything below it, by another kind of statement.
    #[must_use]
    pub fn with_strategy(self, strategy: Strategy) -> Self {
        let children = self.children.into_iter().map(|child| child.with_strategy(strategy)).collect();
        Request { strategy, children, ..self }
    }

    /// Settles what is left to choose: an association is joined if a path the query refers to leads through it, and
    /// otherwise loaded by key.
    #[must_use]
    pub fn settled(self, above: &[&'static str], referred_to: &[Vec<&'static str>]) -> Self {
        let path = [above, &[self.association.name]].concat();
        let strategy = match self.strategy {
            Strategy::Chosen if referred_to.iter().any(|other| other.starts_with(&path)) => Strategy::Joined,
            Strategy::Chosen => Strategy::Keyed,
            settled => settled,
        };
        let children = self.children.into_iter().map(|child| child.settled(&path, referred_to)).collect();
        Request { strategy, children, ..self }
    }
}

/// Which rows of an association to load, and how many an owner: what a scope declares and a preload may add.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Shape {
    /// A condition on the target's rows.
    pub filter: Expr,
    /// An order; the primary key decides between equals.
    pub order: Vec<OrderTerm>,
    /// At most so many rows an owner.
    pub limit: Option<u64>,
    /// Leaves out so many rows an owner at the beginning.
    pub offset: Option<u64>,
    /// Each row once an owner.
    pub distinct: bool,
    /// Of an owner's rows one for each combination of values of these columns, as indexes.
    pub group: Vec<usize>,
    /// The columns to read instead of all, as indexes; the fields of the others are empty.
    pub select: Option<Vec<usize>>,
    /// What is loaded below the rows whenever they are.
    pub includes: Vec<Request>,
    /// Leaves out the limit and offset that the association declares.
    pub unlimited: bool,
    /// Leaves out the target model's default scope.
    pub unscoped: bool,
}

impl Default for Shape {
    fn default() -> Self {
        Shape {
            filter: Expr::always(),
            order: Vec::new(),
            limit: None,
            offset: None,
            distinct: false,
            group: Vec::new(),
            select: None,
            includes: Vec::new(),
            unlimited: false,
            unscoped: false,
        }
    }
}

impl Shape {
    /// Whether, asked for in a preload, this gives the association as it is declared: nothing left out, nothing added.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.filter.is_always()
            && self.limit.is_none()
            && self.offset.is_none()
            && !self.distinct
            && self.group.is_empty()
            && self.select.is_none()
            && !self.unlimited
            && !self.unscoped
    }

    /// This shape with another, more particular one on top: conditions add up; the more particular order, limit, offset,
    /// group and selection of columns win.
    #[must_use]
    pub fn with(mut self, more: Shape) -> Shape {
        if more.unlimited {
            (self.limit, self.offset) = (None, None);
        }
        Shape {
            filter: self.filter.and(more.filter),
            order: if more.order.is_empty() { self.order } else { more.order },
            limit: more.limit.or(self.limit),
            offset: more.offset.or(self.offset),
            distinct: self.distinct || more.distinct,
            group: if more.group.is_empty() { self.group } else { more.group },
            select: more.select.or(self.select),
            includes: {
                self.includes.extend(more.includes);
                self.includes
            },
            unlimited: self.unlimited || more.unlimited,
            unscoped: self.unscoped || more.unscoped,
        }
    }
}

/// A preload of an association of model `O` to `T`: `User::POSTS`, `User::POSTS.with(Post::COMMENTS)`.
pub struct Preload<O, T> {
    pub(super) request: Request,
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

impl<O, T, H> From<Association<O, T, H>> for Preload<O, T> {
    fn from(association: Association<O, T, H>) -> Self {
        association.preload()
    }
}

impl<O, T> Preload<O, T> {
    /// The data form.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

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

    /// Loads the rows in an order instead of the association's; several calls add less significant terms. Where the
    /// order decides which rows there are (of a `has_one`, or of an association that declares a limit or offset), the
    /// association is [partial](crate::LoadState::Partial) then.
    #[must_use]
    pub fn order_by(mut self, sort: impl IntoSort<T>) -> Self {
        self.request.shape.order.extend(sort.into_terms());
        self
    }

    /// Loads at most so many rows *for each owner*: the first by the order, then by primary key. The association is
    /// [partial](crate::LoadState::Partial) then.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.request.shape.limit = Some(limit);
        self
    }

    /// Leaves out so many rows of each owner at the beginning.
    #[must_use]
    pub fn offset(mut self, offset: u64) -> Self {
        self.request.shape.offset = Some(offset);
        self
    }

    /// Leaves out the limit and offset that the association declares.
    #[must_use]
    pub fn unlimited(mut self) -> Self {
        self.request.shape.unlimited = true;
        self
    }

    /// Loads each row once an owner, also where the association leads to it several times.
    #[must_use]
    pub fn distinct(mut self) -> Self {
        self.request.shape.distinct = true;
        self
    }

    /// Leaves out the target model's default scope.
    #[must_use]
    pub fn unscoped(mut self) -> Self {
        self.request.shape.unscoped = true;
        self
    }
}

impl<O> Preload<O, O> {
    /// Loads the same below itself, so many levels deep in all: a tree, one statement a level, ending at the first
    /// empty one.
    #[must_use]
    pub fn recursive(self, levels: usize) -> Self {
        let level = self.clone();
        (1..levels).fold(self, |below, _| level.clone().with(below))
    }
}

impl<O, H> Association<O, O, H> {
    /// Loads the same association below itself: [`Preload::recursive`].
    #[must_use]
    pub fn recursive(self, levels: usize) -> Preload<O, O> {
        self.preload().recursive(levels)
    }
}

impl<O, T, H> Association<O, T, H> {
    /// This association, as the beginning of a preload tree.
    #[must_use]
    pub fn preload(self) -> Preload<O, T> {
        Preload { request: Request::new(self.def()), types: PhantomData }
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

    /// Loads the first rows of each owner: [`Preload::limit`].
    #[must_use]
    pub fn limit(self, limit: u64) -> Preload<O, T> {
        self.preload().limit(limit)
    }

    /// Leaves out the first rows of each owner: [`Preload::offset`].
    #[must_use]
    pub fn offset(self, offset: u64) -> Preload<O, T> {
        self.preload().offset(offset)
    }

    /// Leaves out the limit the association declares: [`Preload::unlimited`].
    #[must_use]
    pub fn unlimited(self) -> Preload<O, T> {
        self.preload().unlimited()
    }

    /// Loads each row once an owner: [`Preload::distinct`].
    #[must_use]
    pub fn distinct(self) -> Preload<O, T> {
        self.preload().distinct()
    }

    /// Leaves out the target model's default scope: [`Preload::unscoped`].
    #[must_use]
    pub fn unscoped(self) -> Preload<O, T> {
        self.preload().unscoped()
    }
}

/// Whatever can be preloaded for rows of model `O`: an association, a tree below one, or a tuple of up to twelve such.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be preloaded for `{O}`",
    label = "neither an association of `{O}` nor a tuple of at most twelve",
    note = "preloads are association tokens of the model they are asked for: `Query::preload(User::POSTS.with(Post::COMMENTS))`",
    note = "a tuple holds at most twelve preloads: for more, put tuples into the tuple or call `preload` once more"
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

/// Nothing.
impl<O> IntoPreload<O> for () {
    fn into_requests(self) -> Vec<Request> {
        Vec::new()
    }
}

impl<O, P: IntoPreload<O>> IntoPreload<O> for Option<P> {
    fn into_requests(self) -> Vec<Request> {
        self.map_or_else(Vec::new, IntoPreload::into_requests)
    }
}

impl<O, P: IntoPreload<O>> IntoPreload<O> for Vec<P> {
    fn into_requests(self) -> Vec<Request> {
        self.into_iter().flat_map(IntoPreload::into_requests).collect()
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
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10);
several!(A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11);

// Requests of one association become one, at every level.
pub(super) fn merge(requests: Vec<Request>) -> Result<Vec<Request>> {
    let mut merged: Vec<Request> = Vec::with_capacity(requests.len());
    for request in requests {
        match merged.iter_mut().find(|known| known.association == request.association) {
            None => merged.push(request),
            Some(known) => {
                let what = if known.loader != request.loader {
                    "functions to load it with"
                } else if known.shape.filter != request.shape.filter {
                    "filters"
                } else if known.shape.order != request.shape.order {
                    "orders"
                } else if known.shape.select != request.shape.select {
                    "columns"
                } else if known.shape.group != request.shape.group {
                    "groups"
                } else if known.shape != request.shape {
                    "limits"
                } else {
                    known.strategy = known.strategy.max(request.strategy);
                    known.children.extend(request.children);
                    known.included &= request.included;
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
