//! The core of `assoc`: what an association *is*, without any database and without any runtime.
//!
//! * **Models and reflection** — [`Model`], [`ModelDef`], [`AssociationDef`]: constants that the derives write and
//!   everything else reads. [`Column`] and [`Association`] are their typed faces.
//! * **Load states** — [`HasMany`], [`HasOne`], [`BelongsTo`]: fields that are not loaded, loaded or partly loaded.
//! * **Values and statements** — [`Value`], [`ColumnType`], [`Statement`], and [`sql`], which is the only way from
//!   data to text.
//! * **Planning** — [`planner`]: from a tree of requested associations to the fewest statements, without I/O.
//! * **Backends** — [`driver`] and [`dialect`]: the traits a database crate implements. A new backend needs nothing
//!   but this crate.
//!
//! Applications use `assoc-repo`, whose prelude re-exports what they need of this crate.

mod aggregate;
mod association;
mod column;
mod column_type;
pub mod dialect;
pub mod driver;
mod error;
mod expr;
mod filter_hook;
mod holder;
pub mod joins;
mod key;
mod model;
mod origin;
pub mod planner;
mod row_traits;
pub mod rows;
pub mod schema;
pub mod sql;
mod statement;
pub mod value;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use aggregate::{Aggregate, Selectable};
pub use association::{
    Association, AssociationDef, BelongsToKind, ByOwner, Cardinality, Children, Finder, FinderKind, ForeignKey,
    ForeignKeyFor, HasAndBelongsToManyKind, HasManyKind, HasOneKind, HasVariant, Hop, Inverse, JoinTableRows, Joined,
    JoinedColumn, Kind, Links, LoadState, Macro, Missing, OfType, Options, PickSource, PickTypedSource, Polymorphic,
    PolymorphicBelongsToKind, Positions, RawSql, Route, SharedRow, Slot, ThroughKind, UnknownType, Variant, VariantDef,
    VariantPreload,
};
pub use column::{Column, ColumnList, ColumnOf, Filter, IntoSort, MaybeNull, Sort, TextColumn, escape_like};
pub use column_type::{ColumnType, IntoColumn, SqlType};
pub use dialect::{Capabilities, Dialect};
pub use driver::{BoxFuture, Connection, Driver, RowSink};
pub use error::{
    AssociationNotLoaded, DriverError, DriverErrorKind, Error, ErrorKind, FieldError, Mismatch, NotLoadedReason, Result,
};
pub use expr::{AggregateFunction, ChosenRows, ColumnRef, Comparison, Direction, Expr, Operand, OrderTerm};
pub use filter_hook::{FilterHook, RowFilters, filtered};
pub use holder::{
    BelongsTo, FieldSlot, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, JoinRow, Taken, TargetRow, ToOne,
    WithJoinRows, WithJoinRowsMut,
};
pub use key::{Key, KeySet, KeyTuple, RowKeys};
pub use model::{ColumnDef, ColumnDefault, Discriminator, Model, ModelDef, TableRef};
pub use origin::{HasRowOrigin, RowOrigin};
pub use statement::{Bind, BindList, Statement};
pub use value::Value;
