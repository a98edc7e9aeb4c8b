//! Requests as data: associations with their scopes, and the associations to load below them.

use super::association::AssociationDef;
use super::expr::{Expr, OrderTerm};
use super::loader::Loader;

/// One requested association, as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The association.
    pub association: &'static AssociationDef,
    /// The requested scope of its rows.
    pub scope: ScopeDef,
    /// The associations to load for its rows.
    pub children: Vec<Request>,
    /// The kind of statement that loads it.
    pub strategy: Strategy,
    /// The function that returns its rows in place of the database.
    pub loader: Option<Loader>,
    /// Whether a scope includes it, so that it is loaded whenever the rows are, without a request.
    pub included: bool,
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
            children: Vec::new(),
            strategy: Strategy::Keyed,
            loader: None,
            included: false,
        }
    }

    /// The same request, as an include of a scope.
    #[must_use]
    pub(crate) fn into_include(mut self) -> Self {
        self.included = true;
        self.children = self.children.into_iter().map(Request::into_include).collect();
        self
    }

    /// The same request, and everything below it, with another kind of statement.
    #[must_use]
    pub fn with_strategy(self, strategy: Strategy) -> Self {
        let children = self.children.into_iter().map(|child| child.with_strategy(strategy)).collect();
        Request { strategy, children, ..self }
    }

    /// Whether the kind of statement is still open, for this association or for one below it.
    #[must_use]
    pub fn is_to_be_settled(&self) -> bool {
        self.strategy == Strategy::Auto || self.children.iter().any(Request::is_to_be_settled)
    }

    /// Decides the open strategies: an association is joined if a path that the query names contains it, and otherwise
    /// loaded by key.
    #[must_use]
    pub fn settled(self, above: &[&'static str], referred_to: &[Vec<&'static str>]) -> Self {
        let path = [above, &[self.association.name]].concat();
        let strategy = match self.strategy {
            Strategy::Auto if referred_to.iter().any(|other| other.starts_with(&path)) => Strategy::Joined,
            Strategy::Auto => Strategy::Keyed,
            settled => settled,
        };
        let children = self.children.into_iter().map(|child| child.settled(&path, referred_to)).collect();
        Request { strategy, children, ..self }
    }
}

/// Which rows of an association to load, and how many per owner: a scope declares it, and a preload may add to it.
#[derive(Debug, Clone, PartialEq)]
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
    /// The associations that are loaded whenever the rows are.
    pub includes: Vec<Request>,
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
            includes: Vec::new(),
            unlimited: false,
            unscoped: false,
        }
    }
}

impl ScopeDef {
    /// Whether a request with this scope gives the association as it is declared, with no row left out.
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
