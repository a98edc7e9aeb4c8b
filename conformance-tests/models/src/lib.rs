//! The models of the suite, by fixture.

#[doc(hidden)]
pub mod archive;
#[doc(hidden)]
pub mod atlas;
#[doc(hidden)]
pub mod blog;
#[doc(hidden)]
pub mod callbacks;
#[doc(hidden)]
pub mod circles;
#[doc(hidden)]
pub mod clinic;
#[doc(hidden)]
pub mod counted;
#[doc(hidden)]
pub mod dependents;
#[doc(hidden)]
pub mod diary;
#[doc(hidden)]
pub mod firms;
#[doc(hidden)]
pub mod followers;
#[doc(hidden)]
pub mod forum;
#[doc(hidden)]
pub mod graphs;
#[doc(hidden)]
pub mod guild;
#[doc(hidden)]
pub mod join_rows;
#[doc(hidden)]
pub mod keys;
#[doc(hidden)]
pub mod kinds;
#[doc(hidden)]
pub mod league;
#[doc(hidden)]
pub mod library;
#[doc(hidden)]
pub mod magazine;
#[doc(hidden)]
pub mod mail;
#[doc(hidden)]
pub mod nested;
#[doc(hidden)]
pub mod newsroom;
#[doc(hidden)]
pub mod options;
#[doc(hidden)]
pub mod orchestra;
#[doc(hidden)]
pub mod parcels;
#[doc(hidden)]
pub mod pictures;
#[doc(hidden)]
pub mod pirates;
#[doc(hidden)]
pub mod quizzes;
#[doc(hidden)]
pub mod registry;
#[doc(hidden)]
pub mod removals;
#[doc(hidden)]
pub mod sheets;
#[doc(hidden)]
pub mod shop;
#[doc(hidden)]
pub mod stored;
#[doc(hidden)]
pub mod studio;
#[doc(hidden)]
pub mod tenancy;
#[doc(hidden)]
pub mod ways;
#[doc(hidden)]
pub mod workshop;
