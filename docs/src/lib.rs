//! The README and the guide, compiled: their examples run as documentation tests of this crate.
//!
//! They are not part of `assoc-repo`, because a published crate holds no file outside its own folder.

#[cfg(doctest)]
mod chapters;
pub mod sql;
