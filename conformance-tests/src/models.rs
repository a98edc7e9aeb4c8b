//! The models of the suite, by fixture.

pub(crate) mod archive;
pub(crate) mod atlas;
pub(crate) mod blog;
pub(crate) mod clinic;
pub(crate) mod dependents;
pub(crate) mod forum;
pub(crate) mod graphs;
pub(crate) mod guild;
pub(crate) mod join_rows;
pub(crate) mod keys;
pub(crate) mod kinds;
pub(crate) mod league;
pub(crate) mod library;
pub(crate) mod magazine;
pub(crate) mod mail;
pub(crate) mod nested;
pub(crate) mod options;
pub(crate) mod parcels;
pub(crate) mod pictures;
pub(crate) mod registry;
pub(crate) mod sheets;
pub(crate) mod shop;
pub(crate) mod stored;
pub(crate) mod tenancy;
pub(crate) mod ways;
