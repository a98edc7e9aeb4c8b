//! The typed faces of models and associations: constants such as `User::NAME` and `User::POSTS`, and what applications
//! build from them. Each becomes data of [`metadata`](crate::metadata) before the planner sees it.

// The documentation of a column begins with what most programs need of it.
mod comparisons;

pub(crate) mod aggregate;
pub(crate) mod aggregate_field;
pub(crate) mod assignment;
pub(crate) mod association;
pub(crate) mod column;
pub(crate) mod conditions;
pub(crate) mod filter;
pub(crate) mod inverse_key;
pub(crate) mod joined_column;
pub(crate) mod load_with;
pub(crate) mod preload;
pub(crate) mod refinements;
pub(crate) mod rules;
pub(crate) mod scope;
mod sealed;
pub(crate) mod sort;
pub(crate) mod source;
pub(crate) mod through;
pub(crate) mod variant;
