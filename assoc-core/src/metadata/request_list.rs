//! The requests below a request: a list that is shared where it is copied, in a tree of any depth.
//!
//! What a client asks for by name may be a path of 100,000 segments, and the requests of a path lie in each other. So
//! nothing here recurses: dropping and comparing keep a list of what is still to do, copying shares the list, and printing
//! ends below [`PRINTED_LEVELS`].

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::ptr;
use std::sync::Arc;

use super::request::{Request, ScopeDef};

/// What to load below the rows of an association. Reads like a slice; a copy shares the requests until one of the two
/// changes.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::execution::RequestList;
/// use assoc_core::metadata::Request;
///
/// let mut below = RequestList::new();
/// below.push(Request::new(Post::COMMENTS.def()));
/// let copy = below.clone();
/// below.push(Request::new(Post::TAGS.def()));
/// assert_eq!((copy.len(), below.into_vec().len()), (1, 2));
/// ```
#[derive(Clone, Default)]
pub struct RequestList(Option<Arc<Vec<Request>>>);

impl RequestList {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        RequestList(None)
    }

    /// Adds a request.
    pub fn push(&mut self, request: Request) {
        Arc::make_mut(self.0.get_or_insert_default()).push(request);
    }

    /// The requests by themselves.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Request> {
        self.0.take().map_or_else(Vec::new, Arc::unwrap_or_clone)
    }

    // The requests, if no other list shares them.
    fn take_own(&mut self) -> Vec<Request> {
        self.0.take().and_then(Arc::into_inner).unwrap_or_default()
    }
}

impl Drop for RequestList {
    fn drop(&mut self) {
        if self.0.is_none() {
            return;
        }
        let mut waiting = self.take_own();
        while let Some(mut request) = waiting.pop() {
            waiting.append(&mut request.children.take_own());
            waiting.append(&mut request.scope.includes.take_own());
        }
    }
}

impl Deref for RequestList {
    type Target = [Request];

    fn deref(&self) -> &[Request] {
        self.0.as_deref().map_or(&[], Vec::as_slice)
    }
}

impl From<Vec<Request>> for RequestList {
    fn from(requests: Vec<Request>) -> Self {
        RequestList((!requests.is_empty()).then(|| Arc::new(requests)))
    }
}

impl FromIterator<Request> for RequestList {
    fn from_iter<I: IntoIterator<Item = Request>>(requests: I) -> Self {
        requests.into_iter().collect::<Vec<_>>().into()
    }
}

impl Extend<Request> for RequestList {
    fn extend<I: IntoIterator<Item = Request>>(&mut self, requests: I) {
        let mut requests = requests.into_iter().peekable();
        if requests.peek().is_some() {
            Arc::make_mut(self.0.get_or_insert_default()).extend(requests);
        }
    }
}

impl IntoIterator for RequestList {
    type Item = Request;
    type IntoIter = std::vec::IntoIter<Request>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_vec().into_iter()
    }
}

impl<'r> IntoIterator for &'r RequestList {
    type Item = &'r Request;
    type IntoIter = std::slice::Iter<'r, Request>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl PartialEq for RequestList {
    fn eq(&self, other: &Self) -> bool {
        let mut comparison = Comparison::default();
        comparison.add(self, other) && comparison.finish()
    }
}

impl PartialEq for Request {
    fn eq(&self, other: &Self) -> bool {
        Comparison { pairs: vec![(self, other)], known: HashSet::new() }.finish()
    }
}

/// Two trees of requests that are compared, pair by pair.
#[derive(Default)]
struct Comparison<'r> {
    pairs: Vec<(&'r Request, &'r Request)>,
    // Lists that are compared already: several requests may share one.
    known: HashSet<(*const Request, *const Request)>,
}

impl<'r> Comparison<'r> {
    // Adds the pairs of two lists; `false` if they cannot be equal.
    fn add(&mut self, one: &'r [Request], other: &'r [Request]) -> bool {
        if one.len() != other.len() {
            return false;
        }
        if !one.is_empty() && !ptr::eq(one, other) && self.known.insert((one.as_ptr(), other.as_ptr())) {
            self.pairs.extend(one.iter().zip(other));
        }
        true
    }

    fn finish(mut self) -> bool {
        while let Some((one, other)) = self.pairs.pop() {
            let same = one.is_same_alone(other)
                && self.add(&one.children, &other.children)
                && self.add(&one.scope.includes, &other.scope.includes);
            if !same {
                return false;
            }
        }
        true
    }
}

/// Levels of a tree that are printed.
const PRINTED_LEVELS: usize = 32;

/// Requests of a tree that are printed.
const PRINTED_REQUESTS: usize = 1_000;

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printed = Cell::new(0);
        Printed { what: self, level: 0, printed: &printed }.fmt(f)
    }
}

impl fmt::Debug for RequestList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printed = Cell::new(0);
        Printed { what: &self[..], level: 0, printed: &printed }.fmt(f)
    }
}

impl fmt::Debug for ScopeDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let printed = Cell::new(0);
        Printed { what: self, level: 0, printed: &printed }.fmt(f)
    }
}

/// A part of a tree of requests on some level of it, and how many requests are printed so far.
struct Printed<'r, T: ?Sized> {
    what: &'r T,
    level: usize,
    printed: &'r Cell<usize>,
}

impl<'r, T: ?Sized> Printed<'r, T> {
    fn part<U: ?Sized>(&self, what: &'r U) -> Printed<'r, U> {
        Printed { what, level: self.level, printed: self.printed }
    }
}

impl fmt::Debug for Printed<'_, Request> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { association, scope, children, levels, strategy, strategy_below, loader, included, aggregate } =
            self.what;
        self.printed.set(self.printed.get() + 1);
        let mut out = f.debug_struct("Request");
        out.field("association", association)
            .field("scope", &self.part(scope))
            .field("children", &self.part(&children[..]));
        if *levels != 1 {
            out.field("levels", levels);
        }
        out.field("strategy", strategy);
        if strategy_below.is_some() {
            out.field("strategy_below", strategy_below);
        }
        if let Some(aggregate) = aggregate {
            out.field("aggregate", aggregate);
        }
        out.field("loader", loader).field("included", included).finish()
    }
}

impl fmt::Debug for Printed<'_, [Request]> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = f.debug_list();
        let level = self.level + 1;
        for request in self.what {
            if level > PRINTED_LEVELS || self.printed.get() >= PRINTED_REQUESTS {
                return out.finish_non_exhaustive();
            }
            out.entry(&Printed { what: request, level, printed: self.printed });
        }
        out.finish()
    }
}

impl fmt::Debug for Printed<'_, ScopeDef> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = self.what;
        f.debug_struct("ScopeDef")
            .field("filter", &scope.filter)
            .field("order", &scope.order)
            .field("limit", &scope.limit)
            .field("offset", &scope.offset)
            .field("distinct", &scope.distinct)
            .field("group", &scope.group)
            .field("select", &scope.select)
            .field("includes", &self.part(&scope.includes[..]))
            .field("unlimited", &scope.unlimited)
            .field("unscoped", &scope.unscoped)
            .finish()
    }
}
