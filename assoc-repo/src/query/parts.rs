//! What a query says beside its model.

use std::ops::{Deref, DerefMut};

use assoc_core::RowOrigin;
use assoc_core::joins::{JoinChain, JoinKind, RawJoin};
use assoc_core::metadata::{Expr, ModelDef, Operand, OrderTerm, Request};
use assoc_core::select::RootSelect;

/// The parts of a query.
#[derive(Debug, Clone)]
pub(crate) struct QueryParts {
    pub(crate) spec: RootSelect,
    /// The condition that every row satisfies, also if `or_filter` adds others: of a query that a handle began.
    pub(crate) within: Expr,
    /// What an association says of its order, without the keys that decide between equal rows.
    pub(crate) said_order: Vec<OrderTerm>,
    /// The association's order with these keys: of a query that a handle began, to which others may be added.
    pub(crate) own_order: Vec<OrderTerm>,
    pub(crate) preloads: Vec<Request>,
    pub(crate) joins: Vec<(JoinKind, Request)>,
    pub(crate) raw_joins: Vec<RawJoin>,
    /// The join chain from the owner of an association to these rows. It includes the model's default scope.
    pub(crate) join_chain: Option<JoinChain>,
    pub(crate) selected: Option<Vec<Operand>>,
    pub(crate) unscoped: bool,
    pub(crate) most_statements: Option<usize>,
    /// The mark that its rows get.
    pub(crate) origin: RowOrigin,
}

impl QueryParts {
    /// Those of a query of all rows.
    pub(crate) const fn new(model: &'static ModelDef) -> Self {
        QueryParts {
            spec: RootSelect::new(model),
            within: Expr::always(),
            said_order: Vec::new(),
            own_order: Vec::new(),
            preloads: Vec::new(),
            joins: Vec::new(),
            raw_joins: Vec::new(),
            join_chain: None,
            selected: None,
            unscoped: false,
            most_statements: None,
            origin: RowOrigin::free(),
        }
    }

    // Whether they choose no rows, load nothing with them, do not mark them and set no limit to statements. A single row needs no
    // order.
    fn say_nothing(&self) -> bool {
        let QueryParts { spec, within, preloads, joins, raw_joins, selected, origin, most_statements, .. } = self;
        preloads.is_empty()
            && joins.is_empty()
            && raw_joins.is_empty()
            && selected.is_none()
            && !origin.is_read_only()
            && most_statements.is_none()
            && spec.filter.is_always()
            && within.is_always()
            && spec.lock.is_none()
            && spec.limit.is_none()
            && spec.offset.is_none()
            && !spec.distinct
            && spec.group.is_empty()
            && spec.having.is_always()
    }
}

/// The parts, which are a constant until something is said. Each method of a query takes and returns it, so it is two pointers. With
/// `Query::new()` a `get` allocates, moves and frees nothing for it.
#[derive(Debug, Clone)]
pub(crate) struct SharedParts {
    /// Those of all rows of the model.
    plain: &'static QueryParts,
    own: Option<Box<QueryParts>>,
}

impl SharedParts {
    pub(crate) const fn new(plain: &'static QueryParts) -> Self {
        SharedParts { plain, own: None }
    }

    /// Whether they name only the model, and its rows in any order.
    pub(crate) fn say_nothing(&self) -> bool {
        self.own.as_ref().is_none_or(|own| own.say_nothing())
    }

    pub(crate) fn into_parts(self) -> QueryParts {
        self.own.map_or_else(|| QueryParts::new(self.plain.spec.model), |parts| *parts)
    }
}

impl Deref for SharedParts {
    type Target = QueryParts;

    fn deref(&self) -> &QueryParts {
        self.own.as_deref().unwrap_or(self.plain)
    }
}

impl DerefMut for SharedParts {
    fn deref_mut(&mut self) -> &mut QueryParts {
        self.own.get_or_insert_with(|| Box::new(QueryParts::new(self.plain.spec.model)))
    }
}
