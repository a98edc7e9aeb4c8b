//! What statements have taught of a database, and what is the same for all connections to it.

#[cfg(feature = "postgres")]
use crate::postgres::types::Types;

/// What is known of one database.
#[derive(Debug, Default)]
pub struct Learnt {
    /// The types that it defines.
    #[cfg(feature = "postgres")]
    pub(crate) types: Types,
}
