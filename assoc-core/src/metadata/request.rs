//! Requests as data: associations with their scopes, and the associations to load below them.

use std::collections::HashSet;

use super::aggregate_field::RequestedAggregate;
use super::association::AssociationDef;
use super::expr::{Expr, OrderTerm};
use super::loader::Loader;
use super::request_list::RequestList;

/// One requested association, as data. A tree of requests may have any depth: copying shares what lies below, and nothing
/// recurses into it.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::IntoPreload;
/// use assoc_core::metadata::{Request, Strategy};
///
/// assert!(!Request::new(User::POSTS.def()).is_to_be_settled());
/// // `includes`: a condition on the query decides between two kinds of statement.
/// let [request] = User::POSTS.with(Post::COMMENTS).into_requests().try_into().unwrap();
/// let mut request: Request = request.with_strategy(Strategy::Auto);
/// assert!(request.is_to_be_settled());
/// let below = request.take_children();
/// assert_eq!((below[0].association, below[0].strategy), (Post::COMMENTS.def(), Strategy::Auto));
/// assert!(request.children.is_empty());
/// ```
#[derive(Clone)]
pub struct Request {
    /// The association.
    pub association: &'static AssociationDef,
    /// The requested scope of its rows.
    pub scope: ScopeDef,
    /// What to load for its rows.
    pub children: RequestList,
    /// How many levels deep it is loaded below itself, with the same scope and the same children on each level: a number
    /// instead of as many copies. 1 for an association that is loaded once.
    pub levels: usize,
    /// By what kind of statement.
    pub strategy: Strategy,
    /// By what kind of statement everything below it is loaded, whatever the children say; `None` if they say it.
    pub strategy_below: Option<Strategy>,
    /// Where its rows come from instead of the database.
    pub loader: Option<Loader>,
    /// Whether a scope includes it, so that it is loaded whenever the rows are, without a request.
    pub included: bool,
    /// What is computed over its rows instead of loading them.
    pub aggregate: Option<RequestedAggregate>,
}

/// The kind of statement that loads an association.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Strategy {
    /// A separate statement, by key.
    #[default]
    Keyed,
    /// A separate statement, unless a condition or order of the query names the association.
    Auto,
    /// The statement of the query, which joins it.
    Joined,
}

impl Request {
    /// A request for the whole association, by a separate statement.
    #[must_use]
    pub fn new(association: &'static AssociationDef) -> Self {
        Request {
            association,
            scope: ScopeDef::default(),
            children: RequestList::new(),
            levels: 1,
            strategy: Strategy::Keyed,
            strategy_below: None,
            loader: None,
            included: false,
            aggregate: None,
        }
    }

    /// The same, as something that a scope brings. So is what lies below it.
    #[must_use]
    pub(crate) fn into_include(mut self) -> Self {
        self.included = true;
        self
    }

    /// The same request, and everything below it, with another kind of statement.
    #[must_use]
    pub fn with_strategy(self, strategy: Strategy) -> Self {
        Request { strategy, strategy_below: Some(strategy), ..self }
    }

    /// Takes what is loaded for its rows, each request with what holds for it from above, and with this one once more, one
    /// level less deep, if it is loaded below itself.
    #[must_use]
    pub fn take_children(&mut self) -> Vec<Request> {
        let again = (self.levels > 1).then(|| Request { levels: self.levels - 1, ..self.clone() });
        let mut children = std::mem::take(&mut self.children).into_vec();
        children.extend(again);
        for child in &mut children {
            child.included |= self.included;
            if let Some(strategy) = self.strategy_below {
                (child.strategy, child.strategy_below) = (strategy, Some(strategy));
            }
        }
        (self.levels, self.strategy_below) = (1, None);
        children
    }

    /// Adds the children of another request for the same association.
    pub(crate) fn merge_children(&mut self, mut other: Request) {
        let marks = self.included != other.included;
        let says_more =
            |request: &Request| request.levels > 1 || request.strategy_below.is_some() || (marks && request.included);
        if says_more(self) {
            self.children = self.take_children().into();
        }
        if says_more(&other) {
            other.children = other.take_children().into();
        }
        self.children.extend(std::mem::take(&mut other.children));
    }

    /// Whether the kind of statement is still open, for this association or for one below it.
    #[must_use]
    pub fn is_to_be_settled(&self) -> bool {
        let mut waiting = vec![self];
        // Several requests may share what lies below them.
        let mut known = HashSet::new();
        while let Some(request) = waiting.pop() {
            if request.strategy == Strategy::Auto || request.strategy_below == Some(Strategy::Auto) {
                return true;
            }
            if !request.children.is_empty() && known.insert(request.children.as_ptr()) {
                waiting.extend(&request.children);
            }
        }
        false
    }

    // Whether two requests are equal but for what lies below them.
    pub(super) fn is_same_alone(&self, other: &Request) -> bool {
        self.association == other.association
            && self.scope.is_same_alone(&other.scope)
            && self.levels == other.levels
            && self.strategy == other.strategy
            && self.strategy_below == other.strategy_below
            && self.loader == other.loader
            && self.included == other.included
            && self.aggregate == other.aggregate
    }
}

/// Which rows of an association to load, and how many an owner: what a scope declares and a preload may add.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::Scope;
/// use assoc_core::metadata::ScopeDef;
///
/// let declared = Scope::<Post>::new().filter(Post::TITLE.ne("")).limit(10).into_def();
/// let requested = Scope::<Post>::new().filter(Post::ID.gt(7)).limit(3).into_def();
/// // Conditions add up, and the more specific limit counts.
/// let both = declared.with(requested);
/// assert_eq!((both.filter.clone(), both.limit), ((Post::TITLE.ne("") & Post::ID.gt(7)).into_expr(), Some(3)));
/// assert!(!both.is_whole() && ScopeDef::default().is_whole());
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ScopeDef {
    /// A condition on the target's rows.
    pub filter: Expr,
    /// The order; the primary key decides between equal rows.
    pub order: Vec<OrderTerm>,
    /// Limits the rows per owner.
    pub limit: Option<u64>,
    /// Skips the first rows of each owner.
    pub offset: Option<u64>,
    /// Loads each row once per owner.
    pub distinct: bool,
    /// Keeps one row per owner for each combination of values of these columns, as indexes.
    pub group: Vec<usize>,
    /// The columns to read instead of all, as indexes; the fields of the others are empty.
    pub select: Option<Vec<usize>>,
    /// What is loaded below the rows whenever they are.
    pub includes: RequestList,
    /// Leaves out the limit and offset that the association declares.
    pub unlimited: bool,
    /// Leaves out the target model's default scope.
    pub unscoped: bool,
}

impl Default for ScopeDef {
    fn default() -> Self {
        ScopeDef {
            filter: Expr::always(),
            order: Vec::new(),
            limit: None,
            offset: None,
            distinct: false,
            group: Vec::new(),
            select: None,
            includes: RequestList::new(),
            unlimited: false,
            unscoped: false,
        }
    }
}

impl PartialEq for ScopeDef {
    fn eq(&self, other: &Self) -> bool {
        self.is_same_alone(other) && self.includes == other.includes
    }
}

impl ScopeDef {
    /// Whether the scope chooses among the rows that satisfy its conditions: by a limit, an offset or groups.
    pub(crate) fn chooses(&self) -> bool {
        self.limit.is_some() || self.offset.is_some() || !self.group.is_empty()
    }

    // Whether two scopes are equal but for what they include.
    fn is_same_alone(&self, other: &ScopeDef) -> bool {
        self.filter == other.filter
            && self.order == other.order
            && self.limit == other.limit
            && self.offset == other.offset
            && self.distinct == other.distinct
            && self.group == other.group
            && self.select == other.select
            && self.unlimited == other.unlimited
            && self.unscoped == other.unscoped
    }

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

    /// This scope with a more specific one on top. Conditions add up; the order, limit, offset, group and selection of
    /// columns of the more specific scope take precedence.
    #[must_use]
    pub fn with(mut self, more: ScopeDef) -> ScopeDef {
        if more.unlimited {
            (self.limit, self.offset) = (None, None);
        }
        ScopeDef {
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
