//! `SELECT` statements as data: what is read, from which tables, under which conditions, in which order.
//!
//! The planner makes them, the [`sql`](crate::sql) layer writes their text, and the executor reads what comes back. They
//! hold no SQL: they compare, clone and print.

mod groups;
mod joined;
mod keyed;
mod keyed_aggregate;
mod root;
mod row_lock;

pub use groups::keep_order_of_groups;
pub use joined::{JoinedSelect, LoadedEdge, LoadedTable, QueryOrder, Rank};
pub use keyed::{KeyedSelect, Matching, PerOwner, RowOrder};
pub use keyed_aggregate::KeyedAggregate;
pub use root::RootSelect;
pub use row_lock::{LockStrength, RowLock, WhenLocked};
