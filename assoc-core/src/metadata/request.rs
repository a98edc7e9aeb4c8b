//! What was asked for, as data: associations with their scopes and what to load below them.

use super::association::AssociationDef;
use super::expr::{Expr, OrderTerm};
use super::loader::Loader;

/// One requested association, as data.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The association.
    pub association: &'static AssociationDef,
    /// Which of its rows, in which order.
    pub scope: ScopeDef,
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
    Auto,
    /// The query's own, which joins it.
    Joined,
}

impl Request {
    /// The whole of an association, by a statement of its own.
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

    /// Whether it is left to choose by what kind of statement it is loaded, or something below it is.
    #[must_use]
    pub fn is_to_be_settled(&self) -> bool {
        self.strategy == Strategy::Auto || self.children.iter().any(Request::is_to_be_settled)
    }

    /// Settles what is left to choose: an association is joined if a path the query refers to leads through it, and
    /// otherwise loaded by key.
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

/// Which rows of an association to load, and how many an owner: what a scope declares and a preload may add.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ScopeDef {
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
