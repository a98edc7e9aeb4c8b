//! Columns of joined associations: `User::POSTS.joined(Post::TITLE.eq("Ada"))` is a condition on users, for queries that
//! join their posts.

use std::fmt;
use std::marker::PhantomData;

use crate::column_type::ColumnType;
use crate::metadata::association::AssociationDef;
use crate::metadata::expr::{AggregateFunction, ColumnRef, Direction, Expr, Operand, OrderTerm};
use crate::typed::aggregate::{Aggregate, Selectable, Summable};
use crate::typed::association::Association;
use crate::typed::column::{Column, ColumnOf, Filter, MaybeNull, Sort};
use crate::typed::sealed;

impl<O, T, H> Association<O, T, H> {
    /// Something about the target as something about the owner, for a query that joins this association (by `join`,
    /// `left_join`, `eager_load` or `includes`): a condition, an order, a column or an aggregate. Nested for associations
    /// further away: `User::POSTS.joined(Post::COMMENTS.joined(Comment::APPROVED.eq(true)))`.
    ///
    /// A query that does not join it fails with [`ErrorKind::NotJoined`](crate::ErrorKind::NotJoined), before any SQL.
    ///
    /// ```ignore
    /// Query::join(User::POSTS).filter(User::POSTS.joined(Post::TITLE.eq("Ada"))).order_by(User::POSTS.joined(Post::ID.desc()))
    /// ```
    #[must_use]
    pub fn joined<X: Joined<T>>(self, what: X) -> X::Of<O> {
        what.joined_by(self.def())
    }
}

/// What can be said of a joined association's target: a [`Filter`], a [`Sort`], a [`Column`], an [`Aggregate`].
pub trait Joined<T>: sealed::Joined {
    /// The same, said of the owner.
    type Of<O>;

    /// Says it of an owner.
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
        let OrderTerm { operand, direction } = self.into_term();
        Sort::new(operand.joined(association.name), direction)
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

/// A column of an association that a query of model `M` joins, of type `V`: `User::POSTS.joined(Post::TITLE)`. For
/// `repo.pluck`, orders, groups and comparisons with other columns.
///
/// Read from an outer join it may be `NULL` where `V` is no `Option`: use [`optional`](Self::optional).
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

    /// Sorts by this column, smallest first.
    #[must_use]
    pub fn asc(self) -> Sort<M> {
        Sort::new(Operand::Column(self.column), Direction::Asc)
    }

    /// Sorts by this column, largest first.
    #[must_use]
    pub fn desc(self) -> Sort<M> {
        Sort::new(Operand::Column(self.column), Direction::Desc)
    }

    /// The number of joined rows in which the column is not `NULL`.
    #[must_use]
    pub fn count(self) -> Aggregate<M, i64> {
        self.aggregate(AggregateFunction::Count, false)
    }

    /// The number of different values, `NULL` not counted.
    #[must_use]
    pub fn count_distinct(self) -> Aggregate<M, i64> {
        self.aggregate(AggregateFunction::Count, true)
    }
}

impl<M, V: MaybeNull> JoinedColumn<M, V> {
    /// The same column, read as an `Option`: an outer join leaves it empty for owners without a row.
    #[must_use]
    pub fn optional(self) -> JoinedColumn<M, V::Nullable> {
        JoinedColumn::new(self.column)
    }

    /// The smallest value, or `None` over no rows.
    #[must_use]
    pub fn min(self) -> Aggregate<M, V::Nullable> {
        self.aggregate(AggregateFunction::Min, false)
    }

    /// The largest value, or `None` over no rows.
    #[must_use]
    pub fn max(self) -> Aggregate<M, V::Nullable> {
        self.aggregate(AggregateFunction::Max, false)
    }
}

impl<M, V: Summable> JoinedColumn<M, V> {
    /// The sum, or `None` over no rows: of a wider type than the column ([`Summable`]).
    #[must_use]
    pub fn sum(self) -> Aggregate<M, V::Sum> {
        self.aggregate(AggregateFunction::Sum, false)
    }

    /// The mean, or `None` over no rows: a float, of decimals a decimal.
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
