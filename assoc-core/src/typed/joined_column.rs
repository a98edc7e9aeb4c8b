//! Columns of joined associations: `User::POSTS.joined(Post::TITLE.eq("Ada"))` is a condition on users, for queries that
//! join their posts.

use std::fmt;
use std::marker::PhantomData;

use crate::column_type::{ColumnType, IntoColumn};
use crate::metadata::association::AssociationDef;
use crate::metadata::expr::{AggregateFunction, ColumnRef, Comparison, Direction, Expr, Operand};
use crate::typed::aggregate::{Aggregate, Selectable, Summable};
use crate::typed::association::Association;
use crate::typed::column::{Column, ColumnOf, MaybeNull, TextColumn, bind};
use crate::typed::comparisons::words_of_a_value;
use crate::typed::filter::Filter;
use crate::typed::sealed;
use crate::typed::sort::Sort;
use crate::value::Value;

impl<O, T, H> Association<O, T, H> {
    /// Says something about the target of this association in a query that joins it (by `join`, `left_join`,
    /// `eager_load` or `includes`): a condition, an order, a column or an aggregate. Calls nest for associations
    /// further away: `User::POSTS.joined(Post::COMMENTS.joined(Comment::APPROVED.eq(true)))`.
    ///
    /// A query that does not join the association fails with [`ErrorKind::NotJoined`](crate::ErrorKind::NotJoined),
    /// before any SQL.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// // For `Query::join(User::POSTS).filter(…).order_by(…)`:
    /// let filter = User::POSTS.joined(Post::TITLE.eq("Looms"));
    /// let order = User::POSTS.joined(Post::ID.desc());
    /// # let _ = (filter, order);
    /// ```
    #[must_use]
    pub fn joined<X: Joined<T>>(self, what: X) -> X::Of<O> {
        what.joined_by(self.def())
    }
}

/// What a query can say about a joined association's target: a [`Filter`], a [`Sort`], a [`Column`] or an
/// [`Aggregate`].
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::{Filter, Joined};
///
/// let of_users: Filter<User> = Post::TITLE.eq("A").joined_by(User::POSTS.def());
/// assert_eq!(of_users, User::POSTS.joined(Post::TITLE.eq("A")));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` says nothing of `{T}`, which the joined association leads to",
    label = "no column, condition or order of `{T}`",
    note = "name columns of the association's target: `User::POSTS.joined(Post::TITLE.eq(\"On looms\"))`, and of an association \
            further away `User::POSTS.joined(Post::COMMENTS.joined(Comment::APPROVED.eq(true)))`"
)]
pub trait Joined<T>: sealed::Joined {
    /// The same thing, as part of a query of the owner.
    type Of<O>;

    /// Turns it into a part of a query of the owner.
    fn joined_by<O>(self, association: &'static AssociationDef) -> Self::Of<O>;
}

impl<T> Joined<T> for Filter<T> {
    type Of<O> = Filter<O>;

    fn joined_by<O>(self, association: &'static AssociationDef) -> Filter<O> {
        Filter::new(Expr::joined(association, self.into_expr()))
    }
}

impl<T> Joined<T> for Sort<T> {
    type Of<O> = Sort<O>;

    fn joined_by<O>(self, association: &'static AssociationDef) -> Sort<O> {
        self.map_operand(|operand| operand.joined(association.name))
    }
}

impl<T, Out> Joined<T> for Aggregate<T, Out> {
    type Of<O> = Aggregate<O, Out>;

    fn joined_by<O>(self, association: &'static AssociationDef) -> Aggregate<O, Out> {
        Aggregate::new(self.into_operand().joined(association.name))
    }
}

impl<T, V: ColumnType> Joined<T> for Column<T, V> {
    type Of<O> = JoinedColumn<O, V>;

    fn joined_by<O>(self, association: &'static AssociationDef) -> JoinedColumn<O, V> {
        JoinedColumn::new(self.column_ref().joined(association.name))
    }
}

impl<T, V> Joined<T> for JoinedColumn<T, V> {
    type Of<O> = JoinedColumn<O, V>;

    fn joined_by<O>(self, association: &'static AssociationDef) -> JoinedColumn<O, V> {
        JoinedColumn::new(self.column.joined(association.name))
    }
}

/// A column of type `V` of an association that a query of model `M` joins: `User::POSTS.joined(Post::TITLE)`. It is for
/// `repo.pluck`, orders, groups and comparisons: `.joined(Post::TITLE).eq("Ada")` says the same as
/// `.joined(Post::TITLE.eq("Ada"))`.
///
/// An outer join may read `NULL` for it where `V` is not an `Option`: use [`optional`](Self::optional) there.
pub struct JoinedColumn<M, V> {
    column: ColumnRef,
    types: PhantomData<fn() -> (M, V)>,
}

impl<M, V> Clone for JoinedColumn<M, V> {
    fn clone(&self) -> Self {
        JoinedColumn::new(self.column.clone())
    }
}

impl<M, V> PartialEq for JoinedColumn<M, V> {
    fn eq(&self, other: &Self) -> bool {
        self.column == other.column
    }
}

impl<M, V> fmt::Debug for JoinedColumn<M, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JoinedColumn").field(&self.column).finish()
    }
}

impl<M, V> JoinedColumn<M, V> {
    const fn new(column: ColumnRef) -> Self {
        JoinedColumn { column, types: PhantomData }
    }

    fn aggregate<Out>(self, function: AggregateFunction, distinct: bool) -> Aggregate<M, Out> {
        Aggregate::new(Operand::Aggregate { function, column: Some(self.column), distinct })
    }

    /// The number of joined rows in which the column is not `NULL`.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let posts = User::POSTS.joined(Post::ID).count(); // COUNT(posts.id)
    /// # let _ = posts;
    /// ```
    #[must_use]
    pub fn count(self) -> Aggregate<M, i64> {
        self.aggregate(AggregateFunction::Count, false)
    }

    /// The number of different values. `NULL` is not counted.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let titles = User::POSTS.joined(Post::TITLE).count_distinct();
    /// # let _ = titles;
    /// ```
    #[must_use]
    pub fn count_distinct(self) -> Aggregate<M, i64> {
        self.aggregate(AggregateFunction::Count, true)
    }
}

words_of_a_value!(JoinedColumn, "this column");

impl<M, V: MaybeNull> JoinedColumn<M, V> {
    /// The same column, read as an `Option`, because an outer join leaves it empty for owners without a joined row.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let title = User::POSTS.joined(Post::TITLE).optional(); // `Option<String>`
    /// # let _ = title;
    /// ```
    #[must_use]
    pub fn optional(self) -> JoinedColumn<M, V::Nullable> {
        JoinedColumn::new(self.column)
    }

    /// The smallest value, or `None` if there are no rows.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let worst = User::POSTS.joined(Post::STARS).min(); // MIN(posts.stars)
    /// # let _ = worst;
    /// ```
    #[must_use]
    pub fn min(self) -> Aggregate<M, V::Nullable> {
        self.aggregate(AggregateFunction::Min, false)
    }

    /// The largest value, or `None` if there are no rows.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let best = User::POSTS.joined(Post::STARS).max(); // MAX(posts.stars)
    /// # let _ = best;
    /// ```
    #[must_use]
    pub fn max(self) -> Aggregate<M, V::Nullable> {
        self.aggregate(AggregateFunction::Max, false)
    }
}

impl<M, V: Summable> JoinedColumn<M, V> {
    /// The sum, or `None` if there are no rows. Its type is wider than the column's ([`Summable`]).
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let stars = User::POSTS.joined(Post::STARS).sum(); // SUM(posts.stars)
    /// # let _ = stars;
    /// ```
    #[must_use]
    pub fn sum(self) -> Aggregate<M, V::Sum> {
        self.aggregate(AggregateFunction::Sum, false)
    }

    /// The mean, or `None` if there are no rows: a decimal for decimals, a float for all other numbers.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let mean = User::POSTS.joined(Post::STARS).avg(); // AVG(posts.stars)
    /// # let _ = mean;
    /// ```
    #[must_use]
    pub fn avg(self) -> Aggregate<M, V::Mean> {
        self.aggregate(AggregateFunction::Avg, false)
    }
}

impl<M, V: ColumnType> ColumnOf<M> for JoinedColumn<M, V> {
    fn into_operand(self) -> Operand {
        Operand::Column(self.column)
    }
}

impl<M, V: ColumnType> Selectable<M> for JoinedColumn<M, V> {
    type Out = V;

    fn into_selected(self) -> Operand {
        Operand::Column(self.column)
    }
}
