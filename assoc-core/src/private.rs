//! What the derives' output refers to. Not for anyone else: it changes without notice.

pub use crate::association::{
    Association, AssociationDef, BelongsToKind, ForeignKeyFor, HasAndBelongsToManyKind, HasManyKind, HasOneKind,
    Inverse, Missing, Options, PickSource, Polymorphic, PolymorphicBelongsToKind, ThroughKind, Variant, VariantDef,
};
pub use crate::column::{Column, MaybeNull};
pub use crate::column_type::{ColumnType, SqlType};
pub use crate::error::{AssociationNotLoaded, Error, ErrorKind, Mismatch, NotLoadedReason, Result};
pub use crate::holder::{
    BelongsTo, BelongsToSlot, HasAndBelongsToMany, HasMany, HasManySlot, HasManyThrough, HasManyThroughSlot, HasOne,
    HasOneSlot, TargetRow, ToOne,
};
pub use crate::key::Key;
pub use crate::model::{ColumnDef, ColumnDefault, Discriminator, Model, ModelDef, TableRef};
pub use crate::planner::{Scope, Shape};
pub use crate::rows::{Rows, RowsOf};
pub use crate::value::Value;
pub use std::any::Any;
pub use std::boxed::Box;
pub use std::clone::Clone;
pub use std::default::Default;
pub use std::option::Option;
pub use std::result::Result as StdResult;
pub use std::sync::Arc;
pub use std::vec::Vec;

/// Reads one column of a row.
#[inline]
pub fn read<V: ColumnType>(value: &mut Value<'_>, model: &'static str, column: &'static str) -> Result<V> {
    match V::from_value(value) {
        Ok(value) => Ok(value),
        Err(mismatch) => Err(mismatch.at(model, column)),
    }
}

/// Says which column a value was for that does not fit.
#[inline]
pub fn column_of<V>(value: StdResult<V, Mismatch>, model: &'static str, column: &'static str) -> Result<V> {
    match value {
        Ok(value) => Ok(value),
        Err(mismatch) => Err(mismatch.at(model, column)),
    }
}

/// The error of a row of the wrong width.
#[cold]
#[must_use]
pub fn row_width(model: &'static str, expected: usize, found: usize) -> Error {
    ErrorKind::RowWidth { model, expected, found }.into()
}

/// Requires, at compile time, that a foreign key column fits the column it refers to.
pub const fn check_foreign_key<O, T, F: ForeignKeyFor<K>, K>(_foreign_key: Column<O, F>, _key: Column<T, K>) {}

/// Requires, at compile time, that a single foreign key column fits the target's primary key.
pub const fn check_reference<O, T: Model, F: ForeignKeyFor<T::Key>>(_foreign_key: Column<O, F>) {}

/// Requires, at compile time, that two foreign key columns fit the target's primary key.
pub const fn check_reference_2<O, T: Model, F, G>(_: Column<O, F>, _: Column<O, G>)
where
    (F, G): CompositeForeignKeyFor<T::Key>,
{
}

/// Requires, at compile time, that three foreign key columns fit the target's primary key.
pub const fn check_reference_3<O, T: Model, F, G, H>(_: Column<O, F>, _: Column<O, G>, _: Column<O, H>)
where
    (F, G, H): CompositeForeignKeyFor<T::Key>,
{
}

/// Requires, at compile time, that four foreign key columns fit the target's primary key.
pub const fn check_reference_4<O, T: Model, F, G, H, I>(
    _: Column<O, F>,
    _: Column<O, G>,
    _: Column<O, H>,
    _: Column<O, I>,
) where
    (F, G, H, I): CompositeForeignKeyFor<T::Key>,
{
}

/// Foreign key columns of these types can refer to a composite key of type `K`, column by column.
#[diagnostic::on_unimplemented(
    message = "foreign key columns of types `{Self}` cannot refer to a primary key of type `{K}`",
    label = "as many columns as the key has, each of its type or an `Option` of it"
)]
pub trait CompositeForeignKeyFor<K> {}

impl<F: ForeignKeyFor<K>, G: ForeignKeyFor<L>, K, L> CompositeForeignKeyFor<(K, L)> for (F, G) {}

impl<F: ForeignKeyFor<K>, G: ForeignKeyFor<L>, H: ForeignKeyFor<M>, K, L, M> CompositeForeignKeyFor<(K, L, M)>
    for (F, G, H)
{
}

impl<F, G, H, I, K, L, M, N> CompositeForeignKeyFor<(K, L, M, N)> for (F, G, H, I)
where
    F: ForeignKeyFor<K>,
    G: ForeignKeyFor<L>,
    H: ForeignKeyFor<M>,
    I: ForeignKeyFor<N>,
{
}

/// The default of a primary key column: the database counts integers up.
#[must_use]
pub const fn key_default<V: ColumnType>() -> ColumnDefault {
    if V::SQL_TYPE.is_integer() { ColumnDefault::AutoIncrement } else { ColumnDefault::None }
}

/// Requires, at compile time, that an association leads on to a model: the source of a through association.
pub const fn check_source<T, P: PickSource<T>>(_source: &P) {}

/// Requires, at compile time, that the columns of two keys have the same types, as `ForeignKeyFor` does for columns.
pub const fn check_key_types<F: ForeignKeyFor<K>, K>() {}

/// Wraps the rows of a model into a polymorphic enum and an `Arc` each.
#[must_use]
pub fn share_variant<M: Model, E: Polymorphic>(rows: Box<dyn Rows>, wrap: fn(M) -> E) -> Box<dyn Any> {
    let rows = rows.into_any().downcast::<Vec<M>>().map(|rows| *rows).unwrap_or_default();
    Box::new(rows.into_iter().map(|row| Arc::new(wrap(row))).collect::<Vec<Arc<E>>>())
}
