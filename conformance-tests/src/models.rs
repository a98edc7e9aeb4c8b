//! The models of the suite, by fixture.

pub(crate) mod blog;
pub(crate) mod keys;
pub(crate) mod kinds;
