//! The core of `assoc`: what an association *is*, without any database and without any runtime.
//!
//! * **Models and reflection** — [`Model`], and [`metadata`]: constants that the derives write and everything else
//!   reads. [`Column`] and [`Association`] are their typed faces.
//! * **Load states** — [`HasMany`], [`HasOne`], [`BelongsTo`]: fields that are not loaded, loaded or partly loaded.
//! * **Values and statements** — [`Value`], [`ColumnType`], [`select`], which holds statements as data, and [`sql`],
//!   which is the only way from data to text.
//! * **Planning** — [`planner`]: from a tree of requested associations to the fewest statements, without I/O.
//! * **Writing** — [`change`]: the rows to write, as data; [`save`]: the statements that write them, and the assignment
//!   of returned rows to written ones. [`counters`]: what follows in the rows they belong to. [`destroy`]: the rows that go with a row, and the order in which they go.
//! * **Backends** — [`driver`]: the traits a database crate implements, with all types of their methods. A new backend
//!   needs nothing but this crate. [`execution`] has what only an executor such as `assoc-repo` needs.
//!
//! Programs use `assoc-repo`, whose prelude re-exports the parts of this crate that they need.
// Crates that are documented before this one link to it all the same.
#![doc(html_root_url = "https://docs.rs/assoc-core/latest")]

pub mod change;
mod column_type;
pub mod counters;
pub mod destroy;
pub mod dialect;
pub mod driver;
mod error;
pub mod execution;
mod holder;
pub mod joins;
mod key;
pub mod metadata;
pub mod planner;
mod row_sink;
mod row_traits;
pub mod save;
pub mod schema;
pub mod select;
#[cfg(feature = "serde")]
#[doc(hidden)]
pub mod serial;
pub mod sql;
mod statement;
mod typed;
pub mod value;

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;

pub use change::{Input, IntoInput, Limits};
#[cfg(feature = "serde_json")]
pub use column_type::Json;
pub use column_type::{ColumnType, IntoColumn, SqlType};
pub use error::{
    AssociationNotLoaded, CursorProblem, DecodeError, DriverError, DriverErrorKind, Error, ErrorKind, FieldError,
    GroupedUse, HiddenBy, IncludeProblem, InvalidInclude, NotLoadedReason, RestrictRule, Restricted, Result,
};
pub use holder::{
    Aggregated, BelongsTo, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, JoinRow, Taken, TargetRow, ToOne,
    WithJoinRows, WithJoinRowsMut,
};
pub use key::Key;
pub use metadata::association::{LoadState, Polymorphic, RawSql};
pub use metadata::loader::Loader;
pub use metadata::model::Model;
pub use metadata::origin::RowOrigin;
pub use metadata::rules::RuleError;
pub use typed::aggregate::{Aggregate, Selectable, Summable};
pub use typed::aggregate_field::{AggregateField, AggregatePreload};
pub use typed::assignment::{Addable, Assignment};
pub use typed::association::{Association, ForeignKeyFor};
pub use typed::column::{Column, ColumnList, ColumnOf, MaybeNull, TextColumn, escape_like};
pub use typed::conditions::OfType;
pub use typed::filter::Filter;
pub use typed::joined_column::{Joined, JoinedColumn};
pub use typed::preload::{IntoPreload, Preload};
#[cfg(feature = "regex")]
pub use typed::rules::IntoPattern;
pub use typed::rules::{BoolColumn, FinalRow, HasLength, IntegerColumn, OrderedColumn, RuleColumns, Rules};
pub use typed::scope::Scope;
pub use typed::sort::{IntoSort, Sort};
pub use typed::through::Through;
pub use typed::variant::{Variant, VariantPreload};
pub use value::Value;
