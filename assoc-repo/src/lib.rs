//! The repository: the calls of a program.
//!
//! A [`Repo`] is one concrete type for any database, inside and outside a transaction. Only its calls run statements;
//! accessors of models never do.
//!
//! ```
//! use assoc_repo::prelude::*;
//! use assoc_sqlite::Sqlite;
//!
//! #[derive(Model, Debug, Clone)]
//! pub struct User {
//!     pub id: i64,
//!     pub name: String,
//!     #[has_many]
//!     pub posts: HasMany<Post>,
//! }
//!
//! #[derive(Model, Debug, Clone)]
//! pub struct Post {
//!     pub id: i64,
//!     pub user_id: i64,
//!     pub title: String,
//!     #[belongs_to]
//!     pub user: BelongsTo<User>,
//! }
//!
//! # pollster::block_on(async {
//! let repo = Repo::new(Sqlite::memory()?);
//! repo.create_table::<User>().await?;
//! repo.create_table::<Post>().await?;
//! let ada = repo.insert(User::build().set(User::NAME, "Ada")).await?;
//! repo.insert(Post::build().set(Post::USER_ID, ada.id).set(Post::TITLE, "On engines")).await?;
//!
//! let user = repo.get::<User>(1, Query::preload(User::POSTS)).await?.expect("user 1");
//! assert_eq!(user.posts()?[0].title, "On engines");
//! assert!(user.posts()?[0].user().is_err()); // not requested, so not loaded
//! # Ok::<(), Error>(()) }).unwrap();
//! ```
//!
//! [`Repo::new`] takes any driver. [`Repo::connect`] takes a URL and selects one of the drivers that the features
//! `sqlite`, `mysql` and `postgres` of this crate add to the program.
//!
//! The [`guide`] is the book of the library, with a chapter of recipes.
//!
//! Where to look: [`Repo`] and [`Select`] read; [`ModelExt::build`] and [`ModelExt::change`] begin writes;
//! [`Repo::association`] is a handle of one association of one owner; [`Repo::destroy`] does what `dependent` says;
//! [`Repo::reset_counters`] repairs counters; [`Repo::transaction`] groups all of them; [`Repo::explain`] shows the statements of a query.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | adds |
//! |---|---|
//! | `sqlite`, `mysql`, `postgres` | the driver that [`Repo::connect`] takes for such URLs |
//! | `chrono`, `jiff`, `time` | column types of dates and times |
//! | `uuid`, `rust_decimal` | columns and keys of `Uuid`, columns of `Decimal` |
//! | `serde_json` | columns of `serde_json::Value`, and `Json<T>` for types of the program |
//! | `serde` | models that are written and read as they are loaded: `#[model(serde)]` |
//! | `regex`, `email`, `url` | [rules](Rules) of these formats |
// Crates that are documented before this one link to it all the same.
#![doc(html_root_url = "https://docs.rs/assoc-repo/latest")]

// The documentation of a type lists its methods in the order of these modules: in the order in which a program needs them.
mod read;

mod write;

mod query;

mod query_joins;

mod include;

mod preload_existing;

mod association_handle;

mod transaction;

mod destroy;

mod pages;

mod batches;

mod load_separately;

mod bulk;

mod upsert;

mod repo;

mod connect;

mod changeset;

mod permit;

mod callbacks;
mod carried;
mod clock;
mod collection;
mod columns;
mod counters;
mod get_association;
mod keyset;
mod levels;
mod log;
mod multi;
mod multi_db;
mod one_row;
mod preload;
mod primary_key_of;
mod row_guard;
mod save;
mod session;
mod singular;
mod touch;
mod touched_rows;
mod typed_future;

// For rustdoc only, so that it costs programs nothing. The examples run as tests of the workspace's `docs`.
#[cfg(all(doc, not(doctest)))]
pub mod guide;
pub mod prelude;

pub use assoc_core as core;

/// What the derives' output refers to.
#[doc(hidden)]
pub mod __private {
    pub use crate::callbacks::{
        AddFunction, CallbackContext, Callbacks, Change, MemberCallback, MemberFunction, MemberFunctions,
        ModelFunctions, callback_future, change_as, row_as,
    };
    pub use assoc_core::__private::*;
    pub use assoc_core::change::{Row, RowChange};
    pub use assoc_core::driver::BoxFuture;
}

#[cfg(feature = "serde_json")]
pub use assoc_core::Json;
pub use assoc_core::driver::IsolationLevel;
pub use assoc_core::planner::Plan;
pub use assoc_core::{
    Addable, Aggregate, AggregateField, AggregatePreload, Aggregated, Assignment, Association, AssociationNotLoaded,
    BelongsTo, Column, CursorProblem, DecodeError, DriverErrorKind, Error, ErrorKind, FieldError, Filter, FinalRow,
    GroupedUse, HasAndBelongsToMany, HasMany, HasManyThrough, HasOne, HiddenBy, IncludeProblem, Input, IntoInput,
    IntoPreload, InvalidInclude, JoinedColumn, Limits, LoadState, NotLoadedReason, Preload, RawSql, RestrictRule,
    Restricted, Result, RowOrigin, RuleError, Rules, Scope, Sort, SqlType, Taken, Value, WithJoinRows, WithJoinRowsMut,
    escape_like,
};
#[doc = include_str!("../docs/column_type.md")]
#[doc(inline)]
pub use assoc_macros::RepoColumnType as ColumnType;
#[doc = include_str!("../docs/model.md")]
#[doc(inline)]
pub use assoc_macros::RepoModel as Model;
#[doc = include_str!("../docs/polymorphic.md")]
#[doc(inline)]
pub use assoc_macros::RepoPolymorphic as Polymorphic;
#[doc = include_str!("../docs/callbacks.md")]
#[doc(inline)]
pub use assoc_macros::callbacks;
pub use association_handle::{HandleOf, OwnerMut, OwnerRef, ToManyAssociation, ToOneAssociation};
pub use batches::{Batches, RowStream};
pub use callbacks::{CallbackContext, Callbacks, Cause, Change, ColumnChange, RowAction};
#[doc(hidden)]
pub use changeset::__build;
pub use changeset::{
    Changeset, Clearable, IntoChangeset, IntoMembers, IntoTarget, ModelExt, SharedDraft, WritableMany, WritableOne,
};
pub use collection::{Collection, DestroyLater, IntoKey, IntoRow, IntoRows, MembersWithKey};
pub use columns::{Columns, Selected};
pub use counters::{CountedMany, Counters};
pub use destroy::{DestroyReport, DestroyedModel};
pub use get_association::ReadAssociation;
pub use include::{Include, Included, Wanted, WantedPlace};
pub use multi::{Multi, Step, StepKind, StepResults};
pub use one_row::OneRow;
pub use pages::{Cursor, KeysetPage, OffsetPage, Page};
pub use permit::{NestedIn, Permit};
pub use preload_existing::{PreloadTarget, Together};
pub use primary_key_of::PrimaryKeyOf;
pub use query::{Query, Select};
pub use repo::Repo;
pub use singular::{SingleModel, Singular, WritableTarget};
pub use transaction::{RetryPolicy, Transaction, TransactionOptions};
pub use upsert::{OnConflict, on_conflict};
