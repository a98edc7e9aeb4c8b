//! Conditions and orders as data. Column tokens build them, and a [`SqlWriter`](crate::sql::SqlWriter) turns them into
//! text and binds.

mod operand;

use std::borrow::Cow;

pub use operand::{AggregateFunction, ColumnRef, Operand};

use crate::metadata::association::AssociationDef;
use crate::metadata::filter_hook::RowFilters;
use crate::metadata::model::{ColumnDef, ModelDef};
use crate::value::Value;

/// A comparison operator.
///
/// ```
/// assert_eq!(assoc_core::metadata::Comparison::Ne.sql(), "<>");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Eq,
    /// `<>`
    Ne,
    /// `<`
    Lt,
    /// `<=`
    Le,
    /// `>`
    Gt,
    /// `>=`
    Ge,
}

impl Comparison {
    /// Its sign in SQL.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Comparison::Eq => "=",
            Comparison::Ne => "<>",
            Comparison::Lt => "<",
            Comparison::Le => "<=",
            Comparison::Gt => ">",
            Comparison::Ge => ">=",
        }
    }
}

/// A condition.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// # use assoc_core::Filter;
#[doc = include_str!("../../docs/expr.txt")]
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Expr {
    /// All of them hold. An empty list is true.
    All(Vec<Expr>),
    /// At least one of them holds. An empty list is false.
    Any(Vec<Expr>),
    /// The condition does not hold.
    Not(Box<Expr>),
    /// The comparison of two operands by `op`. Equality with `NULL` is written `IS NULL`.
    Compare {
        /// Left side.
        left: Operand,
        /// Operator.
        op: Comparison,
        /// Right side.
        right: Operand,
    },
    /// The operand is one of the values. An empty list is false, a `NULL` in it matches `NULL`.
    In {
        /// The operand to find among the values.
        operand: Operand,
        /// The values.
        values: Vec<Value<'static>>,
    },
    /// The operand lies between two values, both included.
    Between {
        /// The operand to compare.
        operand: Operand,
        /// The lower end.
        low: Value<'static>,
        /// The upper end.
        high: Value<'static>,
    },
    /// The operand matches a `LIKE` pattern, in which `\` escapes `%`, `_` and itself.
    Like {
        /// The operand to match.
        operand: Operand,
        /// The pattern.
        pattern: Value<'static>,
    },
    /// The operand is `NULL`.
    IsNull(Operand),
    /// An association has a row that satisfies a condition.
    Related {
        /// The association, of the model the condition is about.
        association: &'static AssociationDef,
        /// The condition on its target.
        filter: Box<Expr>,
        /// The only type to consider, for a polymorphic association.
        only_type: Option<&'static str>,
        /// The repo's filters. They hold for all rows that the condition considers, also where the association limits
        /// them.
        filters: Option<RowFilters>,
    },
    /// A joined association's row satisfies a condition.
    Joined {
        /// The association, of the model the condition is about; the query joins it.
        association: &'static AssociationDef,
        /// The condition on its target.
        filter: Box<Expr>,
    },
    /// The row is within the limit of an association, among the rows with the same key.
    Limited(Box<LimitedRows>),
    /// A column of the query's model contains a type tag. The comparison is exact and ignores collations.
    Tagged {
        /// The column's name in the database.
        column: &'static str,
        /// The tag.
        tag: &'static str,
    },
    /// Hand-written SQL, with binds for its `?`.
    Raw {
        /// The text; each `?` outside quotes is a bind.
        sql: Cow<'static, str>,
        /// Its binds.
        binds: Vec<Value<'static>>,
    },
    /// Stands for a condition that was nested deeper than [`Expr::MAX_DEPTH`]. No statement can contain it.
    TooDeep,
}

/// The first rows in an order among the rows with the same key: the row of a `has_one`, or the rows within the limit of
/// an association.
#[derive(Debug, Clone, PartialEq)]
pub struct LimitedRows {
    /// The association.
    pub association: &'static AssociationDef,
    /// The model of the rows.
    pub model: &'static ModelDef,
    /// The columns that hold the key.
    pub key: &'static [usize],
    /// The condition on the rows to take the first from.
    pub among: Expr,
    /// Their order.
    pub order: Vec<OrderTerm>,
    /// The largest number of rows per key.
    pub limit: Option<u64>,
    /// The number of rows per key to skip first.
    pub offset: u64,
}

/// The condition that always holds.
impl Default for Expr {
    fn default() -> Self {
        Expr::always()
    }
}

impl Expr {
    /// How deep conditions can be nested: `a AND (b OR (c AND …))`. A list of any length is one level.
    ///
    /// All code that walks over a condition (to copy, print, compare, drop or write it) recurses on the stack, one
    /// level per level. A deeper condition is therefore never built: it becomes [`Expr::TooDeep`], which is an error
    /// before any SQL.
    pub const MAX_DEPTH: usize = 128;

    // The number of levels. A condition that is too deep already counts as more than the maximum.
    fn depth(&self) -> usize {
        let deepest = |parts: &[Expr]| parts.iter().map(Expr::depth).max().unwrap_or(0);
        let below = match self {
            Expr::All(parts) | Expr::Any(parts) => deepest(parts),
            Expr::Not(inner) => inner.depth(),
            Expr::Related { filter, .. } | Expr::Joined { filter, .. } => filter.depth(),
            Expr::Limited(limited) => limited.among.depth(),
            Expr::TooDeep => Expr::MAX_DEPTH,
            _ => 0,
        };
        1 + below
    }

    // Whether this condition can become a part of another.
    fn fits_below(&self) -> bool {
        self.depth() < Expr::MAX_DEPTH
    }

    /// A condition that all of several conditions hold.
    #[must_use]
    pub fn all_of(parts: Vec<Expr>) -> Expr {
        if parts.iter().all(Expr::fits_below) { Expr::All(parts) } else { Expr::TooDeep }
    }

    /// A condition that at least one of several conditions holds.
    #[must_use]
    pub fn any_of(parts: Vec<Expr>) -> Expr {
        if parts.iter().all(Expr::fits_below) { Expr::Any(parts) } else { Expr::TooDeep }
    }

    /// A condition on the targets of an association.
    #[must_use]
    pub(crate) fn related(association: &'static AssociationDef, filter: Expr) -> Expr {
        if !filter.fits_below() {
            return Expr::TooDeep;
        }
        Expr::Related { association, filter: Box::new(filter), only_type: None, filters: None }
    }

    /// A condition on the row of a joined association.
    #[must_use]
    pub(crate) fn joined(association: &'static AssociationDef, filter: Expr) -> Expr {
        if filter.fits_below() { Expr::Joined { association, filter: Box::new(filter) } } else { Expr::TooDeep }
    }

    /// The condition that always holds.
    #[must_use]
    pub const fn always() -> Expr {
        Expr::All(Vec::new())
    }

    /// A condition that a column of the query's model equals a value.
    #[must_use]
    pub fn equals(column: &'static str, value: Value<'static>) -> Expr {
        let left = Operand::Column(ColumnRef::own(column));
        Expr::Compare { left, op: Comparison::Eq, right: Operand::Value(value) }
    }

    /// A condition that a column of the query's model, with a known definition, equals a value.
    #[must_use]
    pub fn column_equals(column: &ColumnDef, value: Value<'static>) -> Expr {
        let left = Operand::Column(column.column_ref());
        Expr::Compare { left, op: Comparison::Eq, right: Operand::Value(value) }
    }

    /// A condition that a row has, in its columns, the values of one of several keys: an `IN` if all are of one column.
    #[must_use]
    pub fn has_one_of(model: &ModelDef, keys: &[Vec<(usize, Value<'static>)>]) -> Expr {
        let single = |key: &Vec<(usize, Value<'static>)>| match &key[..] {
            [(column, value)] => Some((*column, value.clone())),
            _ => None,
        };
        if let Some(all) = keys.iter().map(single).collect::<Option<Vec<_>>>()
            && let Some((column, _)) = all.first()
        {
            let operand = Operand::Column(model.columns[*column].column_ref());
            return Expr::In { operand, values: all.into_iter().map(|(_, value)| value).collect() };
        }
        let equal = |key: &Vec<(usize, Value<'static>)>| {
            let parts = key.iter().map(|(column, value)| Expr::column_equals(&model.columns[*column], value.clone()));
            Expr::all_of(parts.collect())
        };
        Expr::any_of(keys.iter().map(equal).collect())
    }

    /// A condition that a column of the query's model contains a type tag.
    #[must_use]
    pub const fn tagged(column: &ColumnDef, tag: &'static str) -> Expr {
        Expr::Tagged { column: column.name, tag }
    }

    /// Whether this is the condition that always holds.
    #[must_use]
    pub fn is_always(&self) -> bool {
        matches!(self, Expr::All(all) if all.is_empty())
    }

    /// A condition that both hold.
    #[must_use]
    pub fn and(self, other: Expr) -> Expr {
        match (self, other) {
            (this, other) if other.is_always() => this,
            (this, other) if this.is_always() => other,
            (Expr::All(mut all), Expr::All(more)) => {
                all.extend(more);
                Expr::All(all)
            }
            // The parts of the list were checked when they were added to it.
            (Expr::All(mut all), other) if other.fits_below() => {
                all.push(other);
                Expr::All(all)
            }
            (this, Expr::All(all)) => match before_list(this, all, Expr::All, all_list) {
                Ok(list) => Expr::All(list),
                Err(parts) => Expr::all_of(parts),
            },
            (this, other) => Expr::all_of(vec![this, other]),
        }
    }

    /// A condition that at least one of the two holds.
    #[must_use]
    pub fn or(self, other: Expr) -> Expr {
        match (self, other) {
            (Expr::Any(mut any), other) if other.fits_below() => {
                any.push(other);
                Expr::Any(any)
            }
            (this, Expr::Any(any)) => match before_list(this, any, Expr::Any, any_list) {
                Ok(list) => Expr::Any(list),
                Err(parts) => Expr::any_of(parts),
            },
            (this, other) => Expr::any_of(vec![this, other]),
        }
    }

    /// Calls `each` with the association path of every column that the condition names in the statement's joins.
    /// Columns inside subqueries are not among them.
    pub fn visit_paths(&self, prefix: &[&'static str], each: &mut dyn FnMut(&[&'static str])) {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| part.visit_paths(prefix, each)),
            Expr::Not(inner) => inner.visit_paths(prefix, each),
            Expr::Compare { left, right, .. } => {
                left.visit_path(prefix, each);
                right.visit_path(prefix, each);
            }
            Expr::In { operand, .. }
            | Expr::Between { operand, .. }
            | Expr::Like { operand, .. }
            | Expr::IsNull(operand) => operand.visit_path(prefix, each),
            Expr::Joined { association, filter } => {
                let path = [prefix, &[association.name]].concat();
                each(&path);
                filter.visit_paths(&path, each);
            }
            // The subquery refers to its owner's key.
            Expr::Related { .. } | Expr::Limited(_) => each(prefix),
            Expr::Tagged { .. } => each(prefix),
            Expr::Raw { .. } | Expr::TooDeep => {}
        }
    }

    /// Whether a part of the condition is hand-written SQL, which may name anything.
    #[must_use]
    pub fn has_raw(&self) -> bool {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().any(Expr::has_raw),
            Expr::Not(inner) => inner.has_raw(),
            Expr::Joined { filter, .. } | Expr::Related { filter, .. } => filter.has_raw(),
            Expr::Limited(limited) => limited.among.has_raw(),
            Expr::Raw { .. } => true,
            _ => false,
        }
    }

    /// An aggregate where there is none: in a condition on single rows. A condition on groups (`having`) may hold
    /// aggregates, but not in what it says of the rows of an association.
    #[must_use]
    pub fn misplaced_aggregate(&self, of_groups: bool) -> Option<&Operand> {
        let aggregate = |operand: &&Operand| !of_groups && operand.is_aggregate();
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().find_map(|part| part.misplaced_aggregate(of_groups)),
            Expr::Not(inner) => inner.misplaced_aggregate(of_groups),
            Expr::Joined { filter, .. } => filter.misplaced_aggregate(of_groups),
            Expr::Related { filter, .. } => filter.misplaced_aggregate(false),
            Expr::Limited(limited) => limited.among.misplaced_aggregate(false),
            Expr::Compare { left, right, .. } => [left, right].into_iter().find(aggregate),
            Expr::In { operand, .. }
            | Expr::Between { operand, .. }
            | Expr::Like { operand, .. }
            | Expr::IsNull(operand) => Some(operand).filter(aggregate),
            Expr::Tagged { .. } | Expr::Raw { .. } | Expr::TooDeep => None,
        }
    }

    /// The opposite condition.
    #[must_use]
    pub fn negated(self) -> Expr {
        match self {
            Expr::Not(inner) => *inner,
            other if other.fits_below() => Expr::Not(Box::new(other)),
            _ => Expr::TooDeep,
        }
    }
}

// A list that is built from its end (`a.or(b.or(c.or(…)))`) would get one level deeper with each term. From this number
// of terms or levels on it becomes one flat list.
const LONG: usize = 32;

type List = Vec<Expr>;

fn all_list(expr: Expr) -> Result<List, Expr> {
    if let Expr::All(parts) = expr { Ok(parts) } else { Err(expr) }
}

fn any_list(expr: Expr) -> Result<List, Expr> {
    if let Expr::Any(parts) = expr { Ok(parts) } else { Err(expr) }
}

// One list of a condition and the list after it, if that list is long; otherwise the two parts of a new list.
fn before_list(
    first: Expr,
    mut list: List,
    wrap: fn(List) -> Expr,
    unwrap: fn(Expr) -> Result<List, Expr>,
) -> Result<List, List> {
    if !first.fits_below() {
        return Err(vec![first]);
    }
    if list.len() >= LONG {
        // The order of terms has no meaning in SQL, and appending costs no move.
        list.push(first);
        return Ok(list);
    }
    let mut levels = 0;
    let mut next = list.last();
    while let Some(Expr::All(parts) | Expr::Any(parts)) = next {
        levels += 1;
        next = parts.last();
    }
    if levels < LONG {
        return Err(vec![first, wrap(list)]);
    }
    let mut flat = vec![first];
    while let Some(last) = list.pop() {
        flat.append(&mut list);
        match unwrap(last) {
            Ok(parts) => list = parts,
            Err(other) => flat.push(other),
        }
    }
    Ok(flat)
}

/// The direction of an order.
///
/// ```
/// assert_eq!(assoc_core::metadata::Direction::Asc.reversed(), assoc_core::metadata::Direction::Desc);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Ascending.
    Asc,
    /// Descending.
    Desc,
}

impl Direction {
    /// The opposite direction.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Direction::Asc => Direction::Desc,
            Direction::Desc => Direction::Asc,
        }
    }
}

/// Where a term of an order puts `NULL`.
///
/// ```
/// use assoc_core::metadata::Nulls;
///
/// assert_eq!([Nulls::First.reversed(), Nulls::AsDatabase.reversed()], [Nulls::Last, Nulls::AsDatabase]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Nulls {
    /// Where the database puts it without being told.
    #[default]
    AsDatabase,
    /// Before all values.
    First,
    /// After all values.
    Last,
}

impl Nulls {
    /// The place in the opposite order.
    #[must_use]
    pub const fn reversed(self) -> Self {
        match self {
            Nulls::AsDatabase => Nulls::AsDatabase,
            Nulls::First => Nulls::Last,
            Nulls::Last => Nulls::First,
        }
    }
}

/// One term of an order.
///
/// ```
/// use assoc_core::metadata::{ColumnRef, Direction, Nulls, Operand, OrderTerm};
///
/// let by_title = OrderTerm::new(Operand::Column(ColumnRef::own("title")), Direction::Asc);
/// // The last page is the first one of the opposite order.
/// let backwards = OrderTerm { nulls: Nulls::Last, ..by_title.clone() }.reversed();
/// assert_eq!((backwards.direction, backwards.nulls), (Direction::Asc.reversed(), Nulls::Last.reversed()));
/// assert_eq!(by_title.clone().reversed().reversed(), by_title);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OrderTerm {
    /// The operand to sort by.
    pub operand: Operand,
    /// The direction.
    pub direction: Direction,
    /// Where `NULL` comes.
    pub nulls: Nulls,
}

impl OrderTerm {
    /// A term that sorts in a direction, with `NULL` where the database puts it.
    #[must_use]
    pub const fn new(operand: Operand, direction: Direction) -> Self {
        OrderTerm { operand, direction, nulls: Nulls::AsDatabase }
    }

    /// The term of the opposite order: what came first comes last, `NULL` included.
    #[must_use]
    pub fn reversed(self) -> Self {
        OrderTerm { operand: self.operand, direction: self.direction.reversed(), nulls: self.nulls.reversed() }
    }
}
