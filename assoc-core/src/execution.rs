//! What an executor needs beside plans and statements: links between owners and rows, keys, access to fields, filters.
//!
//! `assoc-repo` is such an executor. Applications and backends need none of these.

pub use crate::holder::FieldAccessor;
pub use crate::key::{KeyMark, KeyTuple, RowKeys};
pub use crate::metadata::association::{
    ByOwner, Children, DependentRows, FieldAccess, JoinTableRows, LinkTargets, Links, Positions, SharedRow,
};
pub use crate::metadata::filter_hook::{FilterHook, RowFilters, filtered};
pub use crate::metadata::model::FilledBy;
pub use crate::metadata::request_list::RequestList;
pub use crate::metadata::rows;
pub use crate::metadata::visibility::Visibility;
pub use crate::typed::assignment::{AssignedValue, ColumnAssignment};
