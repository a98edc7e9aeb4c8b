//! The models that cases of reading have, by fixture.

#[doc(hidden)]
pub mod archive;
#[doc(hidden)]
pub mod atlas;
#[doc(hidden)]
pub mod blog;
#[doc(hidden)]
pub mod clinic;
#[doc(hidden)]
pub mod dependents;
#[doc(hidden)]
pub mod folders;
#[doc(hidden)]
pub mod forum;
#[doc(hidden)]
pub mod join_rows;
#[doc(hidden)]
pub mod keys;
#[doc(hidden)]
pub mod kinds;
#[doc(hidden)]
pub mod library;
#[doc(hidden)]
pub mod magazine;
#[doc(hidden)]
pub mod mail;
#[doc(hidden)]
pub mod nested;
#[doc(hidden)]
pub mod options;
#[doc(hidden)]
pub mod parcels;
#[doc(hidden)]
pub mod pictures;
#[doc(hidden)]
pub mod shop;
#[doc(hidden)]
pub mod tallies;
#[doc(hidden)]
pub mod ways;
#[doc(hidden)]
pub mod workshop;
