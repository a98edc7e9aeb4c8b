//! The imports of a program: `use assoc_repo::prelude::*;`.

pub use crate::{
    ColumnType, Model, ModelExt, Page, Permit, Polymorphic, Query, Repo, Select, Transaction, build, permit,
};
pub use assoc_core::{
    Aggregate, Aggregated, Association, AssociationNotLoaded, BelongsTo, Column, ColumnType as _, Error, ErrorKind,
    Filter, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, Model, RawSql, Result, RowOrigin, Value, escape_like,
};
pub use assoc_core::{Preload, Rules, Scope};
