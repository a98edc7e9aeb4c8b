//! What the derives write and everything else reads: models, associations, the scopes that belong to them, and rows as
//! the planner sees them.
//!
//! Declarations refer to each other in a circle: an association has a scope, a scope holds conditions and preloads, and
//! both name associations. That one circle lives in this module, and nothing below it is needed by it: see the order of
//! layers in `docs/design/house.md`.

pub(crate) mod aggregate_field;
pub(crate) mod aggregates;
pub(crate) mod association;
pub(crate) mod callbacks;
pub(crate) mod expr;
pub(crate) mod filter_hook;
pub(crate) mod loader;
pub(crate) mod model;
pub(crate) mod origin;
pub(crate) mod request;
pub(crate) mod request_list;
pub mod rows;
pub mod rules;
pub(crate) mod visibility;

pub use aggregate_field::{AggregateFieldDef, AggregateSlot, AggregateValues, RequestedAggregate};
pub use association::kinds::*;
pub use association::{
    AssociationBehavior, AssociationDef, AssociationKind, Cardinality, Chain, ChainHop, ChainParts, CounterCache,
    CustomSql, DefaultScope, Dependent, ForeignKey, HasVariant, Inverse, JoinRecord, KeyJoin, KeySide, LinkSql,
    Linkage, Options, Parent, Route, Touch, UnknownType, VariantDef,
};
pub use callbacks::{CallbackPoint, HasCallbacks, MemberCallbacks, ModelCallbacks};
pub use expr::{AggregateFunction, ColumnRef, Comparison, Direction, Expr, LimitedRows, Nulls, Operand, OrderTerm};
pub use model::{ColumnDef, ColumnDefault, Discriminator, FilledBy, ModelDef, TableRef};
pub use origin::HasRowOrigin;
pub use request::{Request, ScopeDef, Strategy};
