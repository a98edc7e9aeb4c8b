//! The SQL of databases, without their clients.
//!
//! A backend is a client and a [`Dialect`](assoc_core::dialect::Dialect). Several clients reach the same database, so the
//! dialects are here, where each of them can use them without compiling another client. Clients differ in one thing that
//! SQL depends on: what they can bind. So the form of a set of keys is an option ([`sqlite::KeyLists`], [`postgres::KeyLists`]).
//!
//! What a database says of a violated constraint is its own as well, whatever client passes it on: [`sqlite::violation`],
//! [`mysql::ServerError`], [`postgres::errors`].
// Crates that are documented before this one link to it all the same.
#![doc(html_root_url = "https://docs.rs/assoc-dialects/latest")]

mod json;
pub mod mysql;
pub mod postgres;
pub mod sqlite;
mod verb;

pub use verb::{Verb, mentions};
