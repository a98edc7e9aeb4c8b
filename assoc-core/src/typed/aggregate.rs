//! Aggregates, and what a query can select in place of a whole row.

use std::fmt;
use std::marker::PhantomData;

use crate::column_type::{ColumnType, IntoColumn};
use crate::metadata::expr::{AggregateFunction, Comparison, Expr, Operand};
use crate::typed::column::{Column, Filter, bind};
use crate::typed::sealed;

mod summable;

pub use summable::Summable;

/// An aggregate over rows of model `M`, read as `Out`. It costs no statement of its query: `select` and `having` name
/// it.
pub struct Aggregate<M, Out> {
    operand: Operand,
    model: PhantomData<fn() -> (M, Out)>,
}

impl<M, Out> Aggregate<M, Out> {
    pub(crate) fn new(operand: Operand) -> Self {
        Aggregate { operand, model: PhantomData }
    }

    /// The number of rows.
    #[must_use]
    pub fn count_all() -> Aggregate<M, i64> {
        let operand = Operand::Aggregate { function: AggregateFunction::Count, column: None, distinct: false };
        Aggregate { operand, model: PhantomData }
    }

    /// The aggregate as data, for the planner.
    #[must_use]
    pub fn into_operand(self) -> Operand {
        self.operand
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

impl<M, Out: ColumnType> Aggregate<M, Out> {
    /// A condition for `having`: the aggregate compares with a value by `op`.
    #[must_use]
    pub fn compare(self, op: Comparison, value: impl IntoColumn<Out>) -> Filter<M> {
        Filter::new(Expr::Compare { left: self.operand, op, right: Operand::Value(bind(value)) })
    }

    /// A condition for `having`: the aggregate is greater than a value.
    #[must_use]
    pub fn gt(self, value: impl IntoColumn<Out>) -> Filter<M> {
        self.compare(Comparison::Gt, value)
    }

    /// A condition for `having`: the aggregate is at least a value.
    #[must_use]
    pub fn ge(self, value: impl IntoColumn<Out>) -> Filter<M> {
        self.compare(Comparison::Ge, value)
    }

    /// A condition for `having`: the aggregate is less than a value.
    #[must_use]
    pub fn lt(self, value: impl IntoColumn<Out>) -> Filter<M> {
        self.compare(Comparison::Lt, value)
    }

    /// A condition for `having`: the aggregate equals a value.
    #[must_use]
    pub fn eq(self, value: impl IntoColumn<Out>) -> Filter<M> {
        self.compare(Comparison::Eq, value)
    }
}

/// What a query can select in place of a whole row: a column or an aggregate.
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
