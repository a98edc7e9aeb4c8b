//! Which types the traits of this layer are for: no others can implement them.
//!
//! These traits name what a method takes or what the derives check, and their methods return data forms, which change
//! from version to version. A program has no reason to implement one for another type. Traits that a program may
//! implement are open, and their documentation says when: [`IntoPreload`](crate::IntoPreload),
//! [`IntoSort`](crate::IntoSort), [`ColumnList`](crate::ColumnList), [`IntoColumn`](crate::IntoColumn), [`ColumnType`](crate::ColumnType),
//! [`TextColumn`](crate::TextColumn), [`Summable`](crate::Summable).

use crate::column_type::ColumnType;
use crate::typed::aggregate::Aggregate;
use crate::typed::association::Association;
use crate::typed::column::Column;
use crate::typed::filter::Filter;
use crate::typed::joined_column::JoinedColumn;
use crate::typed::sort::Sort;
use crate::typed::source::Missing;

pub trait ColumnOf {}
impl<M, V: ColumnType> ColumnOf for Column<M, V> {}
impl<M, V: ColumnType> ColumnOf for JoinedColumn<M, V> {}
impl<M, Out: ColumnType> ColumnOf for Aggregate<M, Out> {}

pub trait Selectable {}
impl<M, V: ColumnType> Selectable for Column<M, V> {}
impl<M, V: ColumnType> Selectable for JoinedColumn<M, V> {}
impl<M, Out: ColumnType> Selectable for Aggregate<M, Out> {}

pub trait Joined {}
impl<T> Joined for Filter<T> {}
impl<T> Joined for Sort<T> {}
impl<T, Out> Joined for Aggregate<T, Out> {}
impl<T, V: ColumnType> Joined for Column<T, V> {}
impl<T, V> Joined for JoinedColumn<T, V> {}

pub trait ForeignKeyFor<K> {}
impl<K> ForeignKeyFor<K> for K {}
impl<K> ForeignKeyFor<K> for Option<K> {}
impl<K> ForeignKeyFor<Option<K>> for K {}

// Wider than `PickSource` and `PickTypedSource`, so that the compiler's message about a wrong source is theirs.
pub trait PickSource {}
impl<J, T, H, P> PickSource for (Association<J, T, H>, P) {}
impl<P> PickSource for (Missing, P) {}
impl<J, V, P> PickSource for (Column<J, V>, P) {}
