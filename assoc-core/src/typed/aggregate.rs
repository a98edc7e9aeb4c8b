//! Aggregates, and what a query can select in place of a whole row.

use std::fmt;
use std::marker::PhantomData;

use crate::column_type::{ColumnType, IntoColumn};
use crate::metadata::expr::{AggregateFunction, Comparison, Direction, Expr, Operand};
use crate::typed::column::{Column, TextColumn, bind};
use crate::typed::comparisons::words_of_a_value;
use crate::typed::filter::Filter;
use crate::typed::sealed;
use crate::typed::sort::Sort;
use crate::value::Value;

mod summable;

pub use summable::Summable;

/// An aggregate over rows of model `M`, read as `Out`: what `repo.aggregate` computes, and in a query with `group_by` what
/// `repo.pluck` reads, `having` compares and `order_by` sorts by. A condition on single rows (`filter`) cannot hold one.
///
/// ```
#[doc = include_str!("../../docs/users.txt")]
/// // For `Query::group_by(Post::USER_ID).having(…).order_by(…)`:
/// let several = Post::ID.count().ge(2).and(Post::STARS.avg().is_not_null());
/// let most_first = Post::ID.count().desc();
/// # let _ = (several, most_first);
/// ```
pub struct Aggregate<M, Out> {
    operand: Operand,
    model: PhantomData<fn() -> (M, Out)>,
}

impl<M, Out> Aggregate<M, Out> {
    pub(crate) fn new(operand: Operand) -> Self {
        Aggregate { operand, model: PhantomData }
    }

    /// The aggregate as data, for the planner.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// assert_eq!(Post::ID.max().into_operand().shown(), "MAX(id)");
    /// ```
    #[must_use]
    pub fn into_operand(self) -> Operand {
        self.operand
    }
}

impl<M> Aggregate<M, i64> {
    /// The number of rows.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// # use assoc_core::Aggregate;
    /// let rows = Aggregate::<Post, i64>::count_all(); // COUNT(*)
    /// assert_ne!(rows, Post::TITLE.count()); // COUNT(title)
    /// ```
    #[must_use]
    pub fn count_all() -> Aggregate<M, i64> {
        let operand = Operand::Aggregate { function: AggregateFunction::Count, column: None, distinct: false };
        Aggregate { operand, model: PhantomData }
    }
}

impl<M, Out> Clone for Aggregate<M, Out> {
    fn clone(&self) -> Self {
        Aggregate { operand: self.operand.clone(), model: PhantomData }
    }
}

impl<M, Out> PartialEq for Aggregate<M, Out> {
    fn eq(&self, other: &Self) -> bool {
        self.operand == other.operand
    }
}

impl<M, Out> fmt::Debug for Aggregate<M, Out> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Aggregate").field(&self.operand).finish()
    }
}

words_of_a_value!(Aggregate, "this aggregate: for queries with `group_by`");

/// What a query can select in place of a whole row: a column or an aggregate.
///
/// ```
#[doc = include_str!("../../docs/blog.txt")]
/// use assoc_core::Selectable;
///
/// let selected = [Post::USER_ID.into_selected(), Post::ID.count().into_selected()];
/// assert_eq!(selected.map(|operand| operand.shown().into_owned()), ["user_id", "COUNT(id)"]);
/// ```
pub trait Selectable<M>: sealed::Selectable {
    /// The Rust type of its value.
    type Out: ColumnType;

    /// The column or aggregate as data, for the planner.
    fn into_selected(self) -> Operand;
}

impl<M, V: ColumnType> Selectable<M> for Column<M, V> {
    type Out = V;

    fn into_selected(self) -> Operand {
        self.operand()
    }
}

impl<M, Out: ColumnType> Selectable<M> for Aggregate<M, Out> {
    type Out = Out;

    fn into_selected(self) -> Operand {
        self.operand
    }
}
