//! Assignments of a bulk update: `User::NAME.to("x")`, `User::AGE.add(1)`.

use std::fmt;
use std::marker::PhantomData;

use crate::column_type::{ColumnType, IntoColumn};
use crate::typed::column::{Column, bind};
use crate::value::Value;

/// What a bulk update makes of a column, without the model's type.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnAssignment {
    /// The column's place among the model's columns.
    pub column: usize,
    /// What it holds afterwards.
    pub value: AssignedValue,
}

/// What a column holds after a bulk update.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AssignedValue {
    /// This value.
    Value(Value<'static>),
    /// What it held, and this value more.
    Plus(Value<'static>),
    /// What it held, and this value less.
    Minus(Value<'static>),
}

/// One assignment of a bulk update of model `M`. Made by [`Column::to`], [`Column::add`] and [`Column::subtract`].
pub struct Assignment<M> {
    assignment: ColumnAssignment,
    model: PhantomData<fn() -> M>,
}

impl<M> Assignment<M> {
    fn new<V>(column: Column<M, V>, value: AssignedValue) -> Self {
        Assignment { assignment: ColumnAssignment { column: column.index(), value }, model: PhantomData }
    }

    /// The data form.
    ///
    /// ```
    #[doc = include_str!("../../docs/blog.txt")]
    /// use assoc_core::execution::AssignedValue;
    ///
    /// let assignment = Team::USERS_COUNT.add(1).into_assignment();
    /// assert_eq!(assignment.column, Team::USERS_COUNT.index());
    /// assert!(matches!(assignment.value, AssignedValue::Plus(value) if value == 1_i64.into()));
    /// ```
    #[must_use]
    pub fn into_assignment(self) -> ColumnAssignment {
        self.assignment
    }
}

impl<M> Clone for Assignment<M> {
    fn clone(&self) -> Self {
        Assignment { assignment: self.assignment.clone(), model: PhantomData }
    }
}

impl<M> fmt::Debug for Assignment<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.assignment, f)
    }
}

/// The type of a column that a bulk update can add to: an integer, a float or a decimal, and `Option` of those.
///
/// Open: implement it for a newtype around one of these, whose `Step` is the newtype or the number itself.
#[diagnostic::on_unimplemented(
    message = "a bulk update cannot add to a column of `{Self}`",
    label = "neither an integer, a float nor a decimal",
    note = "`add` and `subtract` are for integers, floats and decimals, and `Option` of those; `to` sets any column"
)]
pub trait Addable: ColumnType {
    /// The type of what is added: the column's type without `Option`.
    type Step: ColumnType;
}

macro_rules! addable {
    ($($(#[$gate:meta])* $type:ty),+ $(,)?) => {$(
        $(#[$gate])*
        impl Addable for $type { type Step = $type; }
        $(#[$gate])*
        impl Addable for Option<$type> { type Step = $type; }
    )+};
}

addable! {
    i8, i16, i32, i64, u8, u16, u32, u64, f32, f64,
    #[cfg(feature = "rust_decimal")] ::rust_decimal::Decimal,
}

impl<M, V: ColumnType> Column<M, V> {
    /// In a bulk update, sets the column to a value: `User::NAME.to("x")`.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let rename = User::NAME.to("Ada"); // SET name = ?
    /// # let _ = rename;
    /// ```
    #[must_use]
    pub fn to(self, value: impl IntoColumn<V>) -> Assignment<M> {
        Assignment::new(self, AssignedValue::Value(bind(value)))
    }

    /// In a bulk update, adds to what each row holds: `User::AGE.add(1)`. `NULL` stays `NULL`. Decimals are added exactly.
    /// A sum that the column's type does not hold is an error, and nothing is written.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let birthday = User::AGE.add(1); // SET age = age + ?
    /// # let _ = birthday;
    /// ```
    #[must_use]
    #[allow(clippy::should_implement_trait)] // An assignment, not a sum.
    pub fn add(self, by: impl IntoColumn<V::Step>) -> Assignment<M>
    where
        V: Addable,
    {
        Assignment::new(self, AssignedValue::Plus(bind(by)))
    }

    /// In a bulk update, subtracts from what each row holds, as [`add`](Self::add) adds.
    ///
    /// ```
    #[doc = include_str!("../../docs/users.txt")]
    /// let one_less = Post::STARS.subtract(1); // SET stars = stars - ?
    /// # let _ = one_less;
    /// ```
    #[must_use]
    pub fn subtract(self, by: impl IntoColumn<V::Step>) -> Assignment<M>
    where
        V: Addable,
    {
        Assignment::new(self, AssignedValue::Minus(bind(by)))
    }
}
