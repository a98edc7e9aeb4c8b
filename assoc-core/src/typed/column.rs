//! Column tokens: `User::NAME`, a constant that knows its model and its Rust type.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::column_type::{ColumnType, IntoColumn, each_plain_type};
use crate::metadata::expr::{AggregateFunction, ColumnRef, Comparison, Direction, Expr, Nulls, Operand, OrderTerm};
use crate::typed::aggregate::{Aggregate, Summable};
use crate::typed::comparisons::words_of_a_value;
use crate::typed::joined_column::JoinedColumn;
use crate::typed::sealed;
use crate::value::Value;

mod list;

pub use list::ColumnList;

/// A column of model `M` whose field has type `V`. `#[derive(Model)]` makes one constant per field, in upper case.
///
/// ```ignore
/// Query::filter(User::AGE.ge(18).and(User::NAME.like("A%"))).order_by(User::NAME.asc())
/// ```
pub struct Column<M, V> {
    name: &'static str,
    index: usize,
    model: PhantomData<fn() -> (M, V)>,
}

impl<M, V> Clone for Column<M, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<M, V> Copy for Column<M, V> {}

/// Two tokens are equal if they name the same column: by a column of the same model, whose type is part of the token's.
impl<M, V> PartialEq for Column<M, V> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.name == other.name
    }
}

impl<M, V> Eq for Column<M, V> {}

impl<M, V> Hash for Column<M, V> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.index, self.name).hash(state);
    }
}

impl<M, V> fmt::Debug for Column<M, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Column").field(&self.name).finish()
    }
}

impl<M, V> Column<M, V> {
    /// Makes the token of the column at `index` of the model's columns, with its name in the database.
    #[must_use]
    pub const fn new(index: usize, name: &'static str) -> Self {
        Column { name, index, model: PhantomData }
    }

    /// The name of the column in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The position of the column among the model's columns.
    #[must_use]
    pub const fn index(self) -> usize {
        self.index
    }
}

impl<M, V: ColumnType> Column<M, V> {
    pub(crate) fn column_ref(self) -> ColumnRef {
        ColumnRef::of_type(self.name, V::SQL_TYPE)
    }

    pub(crate) fn operand(self) -> Operand {
        Operand::Column(self.column_ref())
    }

    fn aggregate<Out>(self, function: AggregateFunction, distinct: bool) -> Aggregate<M, Out> {
        Aggregate::new(Operand::Aggregate { function, column: Some(self.column_ref()), distinct })
    }

    /// The number of rows in which the column is not `NULL`.
    #[must_use]
    pub fn count(self) -> Aggregate<M, i64> {
        self.aggregate(AggregateFunction::Count, false)
    }

    /// The number of different values. `NULL` is not counted.
    #[must_use]
    pub fn count_distinct(self) -> Aggregate<M, i64> {
        self.aggregate(AggregateFunction::Count, true)
    }
}

/// What a query of model `M` can compare with a column: a column of the model ([`Column`]) or of a joined association
/// ([`JoinedColumn`](crate::JoinedColumn)), and in `having` an [`Aggregate`].
pub trait ColumnOf<M>: sealed::ColumnOf {
    /// The column as data, for the planner.
    fn into_operand(self) -> Operand;
}

impl<M, V: ColumnType> ColumnOf<M> for Column<M, V> {
    fn into_operand(self) -> Operand {
        self.operand()
    }
}

impl<M, Out: ColumnType> ColumnOf<M> for Aggregate<M, Out> {
    fn into_operand(self) -> Operand {
        Aggregate::into_operand(self)
    }
}

macro_rules! column_comparisons {
    ($type:ident: $($(#[$doc:meta])* $name:ident $op:ident),+) => {
        impl<M, V: ColumnType> $type<M, V> {
            $($(#[$doc])*
            #[must_use]
            pub fn $name(self, other: impl ColumnOf<M>) -> Filter<M> {
                let (left, right) = (self.into_operand(), other.into_operand());
                Filter::new(Expr::Compare { left, op: Comparison::$op, right })
            })+
        }
    };
    ($type:ident) => {
        column_comparisons! { $type:
            /// Equal to another column of the row, or of a group to an aggregate. Never true where one of them is `NULL`.
            eq_column Eq,
            /// Different from another column of the row.
            ne_column Ne,
            /// Less than another column of the row.
            lt_column Lt,
            /// At most another column of the row.
            le_column Le,
            /// Greater than another column of the row.
            gt_column Gt,
            /// At least another column of the row.
            ge_column Ge
        }
    };
}

column_comparisons!(Column);
column_comparisons!(JoinedColumn);
column_comparisons!(Aggregate);
words_of_a_value!(Column, "this column");

impl<M, V: ColumnType> Column<M, V> {
    /// The smallest value, or `None` if there are no rows.
    #[must_use]
    pub fn min(self) -> Aggregate<M, V::Nullable>
    where
        V: MaybeNull,
    {
        self.aggregate(AggregateFunction::Min, false)
    }

    /// The largest value, or `None` if there are no rows.
    #[must_use]
    pub fn max(self) -> Aggregate<M, V::Nullable>
    where
        V: MaybeNull,
    {
        self.aggregate(AggregateFunction::Max, false)
    }

    /// The sum, or `None` if there are no rows. Its type is wider than the column's ([`Summable`]). Reading a sum that
    /// does not fit even so is an error.
    #[must_use]
    pub fn sum(self) -> Aggregate<M, V::Sum>
    where
        V: Summable,
    {
        self.aggregate(AggregateFunction::Sum, false)
    }

    /// The mean, or `None` if there are no rows: a decimal for decimals, a float for all other numbers.
    #[must_use]
    pub fn avg(self) -> Aggregate<M, V::Mean>
    where
        V: Summable,
    {
        self.aggregate(AggregateFunction::Avg, false)
    }
}

/// The type of a text column, which has `like` and `not_like`: `String`, and `Option` of a text column.
///
/// Implement it for a newtype whose field is text, to have these methods on its columns:
///
/// ```
/// use assoc_core::TextColumn;
/// # use assoc_macros::ColumnType;
///
/// #[derive(ColumnType, Debug, Clone)]
/// struct Slug(String);
///
/// impl TextColumn for Slug {}
/// ```
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` is no text",
    label = "not text",
    note = "`like`, `length` and rules about text are for columns of `String` and `Option<String>`; implement `TextColumn` for a \
            newtype of text. Numbers have a `range`, bytes a `length`, lists of members a count: \
            `rules.members(User::POSTS, 1..)`"
)]
pub trait TextColumn: ColumnType {}
impl TextColumn for String {}
impl<T: TextColumn> TextColumn for Option<T> {}

/// Escapes `%`, `_` and `\`, so that text from outside the program matches itself within a `LIKE` pattern.
///
/// ```
/// assert_eq!(assoc_core::escape_like("100%_\\"), "100\\%\\_\\\\");
/// ```
#[must_use]
pub fn escape_like(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// The type of a column's value where there may be none: `Option<i64>` for both `i64` and `Option<i64>`.
pub trait MaybeNull: ColumnType {
    /// The `Option` type.
    type Nullable: ColumnType;
}

macro_rules! maybe_null {
    ($($(#[$gate:meta])* $type:ty),* $(,)?) => {$(
        $(#[$gate])*
        impl MaybeNull for $type { type Nullable = Option<$type>; }
    )*};
}

impl<T: MaybeNull<Nullable = Option<T>>> MaybeNull for Option<T> {
    type Nullable = Option<T>;
}

each_plain_type!(maybe_null);
maybe_null! { #[cfg(feature = "serde_json")] ::serde_json::Value }

#[cfg(feature = "serde_json")]
impl<T> MaybeNull for crate::column_type::Json<T>
where
    crate::column_type::Json<T>: ColumnType,
{
    type Nullable = Option<crate::column_type::Json<T>>;
}

pub(crate) fn bind<V: ColumnType>(value: impl IntoColumn<V>) -> Value<'static> {
    value.into_column().to_value().into_owned()
}

/// A condition on rows of model `M`.
pub struct Filter<M> {
    expr: Expr,
    model: PhantomData<fn() -> M>,
}

impl<M> fmt::Debug for Filter<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.expr).finish()
    }
}

impl<M> Clone for Filter<M> {
    fn clone(&self) -> Self {
        Filter::new(self.expr.clone())
    }
}

/// Two conditions are equal if their data forms are: `a.and(b)` is not `b.and(a)`.
impl<M> PartialEq for Filter<M> {
    fn eq(&self, other: &Self) -> bool {
        self.expr == other.expr
    }
}

impl<M> Filter<M> {
    /// A condition from its data form, [`Expr`].
    #[must_use]
    pub const fn new(expr: Expr) -> Self {
        Filter { expr, model: PhantomData }
    }

    /// A condition as hand-written SQL. Each `?` outside quotes takes the next bind; values never enter the text.
    ///
    /// ```ignore
    /// Filter::raw("length(name) > ?", [Value::Int(3)])
    /// ```
    pub fn raw(
        sql: impl Into<std::borrow::Cow<'static, str>>,
        binds: impl IntoIterator<Item = Value<'static>>,
    ) -> Self {
        Filter::new(Expr::Raw { sql: sql.into(), binds: binds.into_iter().collect() })
    }

    /// A condition that all of several conditions hold. Without any it matches every row.
    #[must_use]
    pub fn all_of(filters: impl IntoIterator<Item = Filter<M>>) -> Self {
        Filter::new(Expr::all_of(filters.into_iter().map(|filter| filter.expr).collect()))
    }

    /// A condition that at least one of several conditions holds. Without any it matches no row.
    #[must_use]
    pub fn any_of(filters: impl IntoIterator<Item = Filter<M>>) -> Self {
        Filter::new(Expr::any_of(filters.into_iter().map(|filter| filter.expr).collect()))
    }

    /// A condition that both hold.
    #[must_use]
    pub fn and(self, other: Filter<M>) -> Self {
        Filter::new(self.expr.and(other.expr))
    }

    /// A condition that at least one of the two holds.
    #[must_use]
    pub fn or(self, other: Filter<M>) -> Self {
        Filter::new(self.expr.or(other.expr))
    }

    /// The opposite condition. As always in SQL, the opposite of `NULL` is `NULL`.
    #[must_use]
    #[allow(clippy::should_implement_trait)] // `!filter` works as well, through `Not`.
    pub fn not(self) -> Self {
        Filter::new(self.expr.negated())
    }

    /// The condition as data, for the planner.
    #[must_use]
    pub fn into_expr(self) -> Expr {
        self.expr
    }
}

impl<M> std::ops::Not for Filter<M> {
    type Output = Filter<M>;

    fn not(self) -> Self {
        Filter::not(self)
    }
}

impl<M> std::ops::BitAnd for Filter<M> {
    type Output = Filter<M>;

    fn bitand(self, other: Self) -> Self {
        self.and(other)
    }
}

impl<M> std::ops::BitOr for Filter<M> {
    type Output = Filter<M>;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

/// One term of an order over rows of model `M`.
pub struct Sort<M> {
    term: OrderTerm,
    model: PhantomData<fn() -> M>,
}

impl<M> fmt::Debug for Sort<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sort").field(&self.term).finish()
    }
}

impl<M> Clone for Sort<M> {
    fn clone(&self) -> Self {
        Sort { term: self.term.clone(), model: PhantomData }
    }
}

impl<M> PartialEq for Sort<M> {
    fn eq(&self, other: &Self) -> bool {
        self.term == other.term
    }
}

impl<M> Sort<M> {
    pub(crate) fn new(operand: Operand, direction: Direction) -> Self {
        Sort { term: OrderTerm::new(operand, direction), model: PhantomData }
    }

    pub(crate) fn map_operand<N>(self, map: impl FnOnce(Operand) -> Operand) -> Sort<N> {
        let OrderTerm { operand, direction, nulls } = self.term;
        Sort { term: OrderTerm { operand: map(operand), direction, nulls }, model: PhantomData }
    }

    /// An order by hand-written SQL, smallest first: an expression without a direction, which
    /// [`reversed`](Self::reversed) and [`nulls_last`](Self::nulls_last) say. Each `?` outside quotes takes the next bind;
    /// values never enter the text. A statement may give the table another name, so the text names columns without it.
    ///
    /// ```ignore
    /// Query::order_by((Sort::raw("CASE WHEN name = ? THEN 0 ELSE 1 END", ["Ada".into()]), User::NAME.asc()))
    /// ```
    pub fn raw(
        sql: impl Into<std::borrow::Cow<'static, str>>,
        binds: impl IntoIterator<Item = Value<'static>>,
    ) -> Self {
        Sort::new(Operand::Raw { sql: sql.into(), binds: binds.into_iter().collect() }, Direction::Asc)
    }

    /// `NULL` comes before all values, on every database. Without this or [`nulls_last`](Self::nulls_last), SQLite, MySQL and
    /// MariaDB take `NULL` as the smallest value, and PostgreSQL as the largest.
    ///
    /// ```ignore
    /// Query::order_by(Task::DUE.asc().nulls_first())
    /// ```
    #[must_use]
    pub fn nulls_first(mut self) -> Self {
        self.term.nulls = Nulls::First;
        self
    }

    /// `NULL` comes after all values, on every database: [`nulls_first`](Self::nulls_first) says where it comes otherwise.
    ///
    /// An index on the column gives this order without sorting where `NULL` is last anyway, which is in descending orders on
    /// SQLite, MySQL and MariaDB, and in ascending ones on PostgreSQL.
    ///
    /// ```ignore
    /// Query::order_by(Task::DUE.asc().nulls_last())
    /// ```
    #[must_use]
    pub fn nulls_last(mut self) -> Self {
        self.term.nulls = Nulls::Last;
        self
    }

    /// The opposite order: what came first comes last, `NULL` included.
    #[must_use]
    pub fn reversed(self) -> Self {
        Sort { term: self.term.reversed(), model: PhantomData }
    }

    /// The term as data, for the planner.
    #[must_use]
    pub fn into_term(self) -> OrderTerm {
        self.term
    }
}

/// One or several terms of an order: `User::NAME.asc()`, or a tuple, array or `Vec` of these.
///
/// A program can implement it for another type, such as an order that a client chooses. The terms are data:
///
/// ```
/// use assoc_core::metadata::{ColumnRef, Direction, Operand, OrderTerm};
/// use assoc_core::IntoSort;
///
/// struct Newest;
///
/// impl<M> IntoSort<M> for Newest {
///     fn into_terms(self) -> Vec<OrderTerm> {
///         let operand = Operand::Column(ColumnRef::own("created_at"));
///         vec![OrderTerm::new(operand, Direction::Desc)]
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no order of `{M}`",
    label = "no column of `{M}` with the way in which rows are sorted by it",
    note = "write `User::NAME.asc()` or `User::NAME.desc()`, or several of them in a tuple",
    note = "a column of a joined association is `Post::USER.joined(User::NAME).asc()`; hand-written SQL is `Sort::raw(\"…\", [])`"
)]
pub trait IntoSort<M> {
    /// The terms as data, most significant first.
    fn into_terms(self) -> Vec<OrderTerm>;
}

impl<M> IntoSort<M> for Sort<M> {
    fn into_terms(self) -> Vec<OrderTerm> {
        vec![self.term]
    }
}

impl<M, const N: usize> IntoSort<M> for [Sort<M>; N] {
    fn into_terms(self) -> Vec<OrderTerm> {
        self.into_iter().map(Sort::into_term).collect()
    }
}

macro_rules! several {
    ($($name:ident $index:tt),+) => {
        impl<M, $($name: IntoSort<M>),+> IntoSort<M> for ($($name,)+) {
            fn into_terms(self) -> Vec<OrderTerm> {
                let mut terms = Vec::new();
                $(terms.extend(self.$index.into_terms());)+
                terms
            }
        }
    };
}

several!(A 0, B 1);
several!(A 0, B 1, C 2);
several!(A 0, B 1, C 2, D 3);

impl<M> IntoSort<M> for Vec<Sort<M>> {
    fn into_terms(self) -> Vec<OrderTerm> {
        self.into_iter().map(Sort::into_term).collect()
    }
}
