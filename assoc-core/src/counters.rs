//! Counters and times that follow rows: what a row that is inserted, changed or gone does to the rows it belongs to. Pure: no
//! I/O, no database.
//!
//! [`Children`] says of a model to which rows its rows belong, and [`ParentChanges`] collects what follows from many of them: for
//! each row that something belongs to one entry, with the sum of what is added to its counters and the times that move. So
//! each is written once, and by one statement for the rows of one model ([`ParentGroup::statement`]).
//!
//! # Why they cannot deadlock each other
//!
//! All transactions write such rows in one order: models that touch others come before those they touch, then by table, then
//! by key. Sums are relative (`c = c + 2`), so that nothing has to be read first. They are written before new rows that refer
//! to them: for a foreign key InnoDB locks the row that is referred to for reading, and two transactions that both hold such
//! a lock would each wait for the other's before they write. Rows that exist and change are locked before those they belong to.

mod changes;
mod children;
mod collection;
mod explain;
mod new_parents;

pub use changes::{ParentChanges, ParentGroup, ParentRow};
pub use children::Children;
pub use collection::CountedCollection;
pub(crate) use explain::{following, lines, reading};
pub(crate) use new_parents::NewParents;
pub use new_parents::{Timing, Timings};
