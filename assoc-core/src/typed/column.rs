//! Column tokens: `User::NAME`, a constant that knows its model and its Rust type.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use crate::column_type::{ColumnType, IntoColumn, each_plain_type};
use crate::metadata::expr::{AggregateFunction, ColumnRef, Comparison, Direction, Expr, Operand};
use crate::typed::aggregate::{Aggregate, Summable};
use crate::typed::comparisons::words_of_a_value;
use crate::typed::filter::Filter;
use crate::typed::joined_column::JoinedColumn;
use crate::typed::sealed;
use crate::typed::sort::Sort;
use crate::value::Value;

mod list;

pub use list::ColumnList;

/// A column of model `M` whose field has type `V`. `#[derive(Model)]` makes one constant per field, in upper case.
///
/// ```
#[doc = include_str!("../../docs/users.txt")]
/// let adults = User::AGE.ge(18).and(User::NAME.like("A%")); // for `Query::filter`
/// let by_name = User::NAME.asc(); // for `Query::order_by`
/// # let _ = (adults, by_name);
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
    #[doc(hidden)]
    #[must_use]
    pub const fn new(index: usize, name: &'static str) -> Self {
        Column { name, index, model: PhantomData }
    }

    /// The name of the column in the database.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// assert_eq!(Post::USER_ID.name(), "user_id");
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// The position of the column among the model's columns.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// assert_eq!((User::ID.index(), User::NAME.index()), (0, 1));
    /// ```
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
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let known = User::AGE.count(); // COUNT(age)
    /// # let _ = known;
    /// ```
    #[must_use]
    pub fn count(self) -> Aggregate<M, i64> {
        self.aggregate(AggregateFunction::Count, false)
    }

    /// The number of different values. `NULL` is not counted.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let authors = Post::USER_ID.count_distinct(); // COUNT(DISTINCT user_id)
    /// # let _ = authors;
    /// ```
    #[must_use]
    pub fn count_distinct(self) -> Aggregate<M, i64> {
        self.aggregate(AggregateFunction::Count, true)
    }
}

/// What a query of model `M` can compare with a column: a column of the model ([`Column`]) or of a joined association
/// ([`JoinedColumn`](crate::JoinedColumn)), and in `having` an [`Aggregate`].
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::ColumnOf;
///
/// let operands = [Post::ID.into_operand(), User::POSTS.joined(Post::ID).into_operand()];
/// assert_eq!(operands.map(|operand| operand.shown().into_owned()), ["id", "posts.id"]);
/// ```
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
            ///
            /// ```
            #[doc = include_str!("../../docs/blog.txt")]
            /// assert_eq!(sql(Post::ID.eq_column(Post::USER_ID)), "id = user_id");
            /// ```
            eq_column Eq,
            /// Different from another column of the row.
            ///
            /// ```
            #[doc = include_str!("../../docs/blog.txt")]
            /// assert_eq!(sql(Post::ID.ne_column(Post::USER_ID)), "id <> user_id");
            /// ```
            ne_column Ne,
            /// Less than another column of the row.
            ///
            /// ```
            #[doc = include_str!("../../docs/blog.txt")]
            /// assert_eq!(sql(Post::ID.lt_column(Post::USER_ID)), "id < user_id");
            /// ```
            lt_column Lt,
            /// At most another column of the row.
            ///
            /// ```
            #[doc = include_str!("../../docs/blog.txt")]
            /// assert_eq!(sql(Post::ID.le_column(Post::USER_ID)), "id <= user_id");
            /// ```
            le_column Le,
            /// Greater than another column of the row.
            ///
            /// ```
            #[doc = include_str!("../../docs/blog.txt")]
            /// assert_eq!(sql(Post::ID.gt_column(Post::USER_ID)), "id > user_id");
            /// ```
            gt_column Gt,
            /// At least another column of the row.
            ///
            /// ```
            #[doc = include_str!("../../docs/blog.txt")]
            /// assert_eq!(sql(Post::ID.ge_column(Post::USER_ID)), "id >= user_id");
            /// ```
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
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let youngest: assoc_core::Aggregate<User, Option<i32>> = User::AGE.min();
    /// # let _ = youngest;
    /// ```
    #[must_use]
    pub fn min(self) -> Aggregate<M, V::Nullable>
    where
        V: MaybeNull,
    {
        self.aggregate(AggregateFunction::Min, false)
    }

    /// The largest value, or `None` if there are no rows.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let oldest: assoc_core::Aggregate<User, Option<i32>> = User::AGE.max();
    /// # let _ = oldest;
    /// ```
    #[must_use]
    pub fn max(self) -> Aggregate<M, V::Nullable>
    where
        V: MaybeNull,
    {
        self.aggregate(AggregateFunction::Max, false)
    }

    /// The sum, or `None` if there are no rows. Its type is wider than the column's ([`Summable`]). Reading a sum that
    /// does not fit even so is an error.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let stars = Post::STARS.sum(); // SUM(stars)
    /// # let _ = stars;
    /// ```
    #[must_use]
    pub fn sum(self) -> Aggregate<M, V::Sum>
    where
        V: Summable,
    {
        self.aggregate(AggregateFunction::Sum, false)
    }

    /// The mean, or `None` if there are no rows: a decimal for decimals, a float for all other numbers.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let mean = Post::STARS.avg(); // AVG(stars)
    /// # let _ = mean;
    /// ```
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
