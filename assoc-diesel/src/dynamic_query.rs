//! A statement of the core as a query of Diesel's: a text that is written already, and binds whose types are known at run
//! time.
//!
//! `diesel::sql_query` was the alternative. It tells Diesel to prepare each text anew, and boxes each bind.

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::sql_types::Untyped;

/// A bind as a backend of Diesel's takes it.
pub(crate) trait Bound<DB: Backend> {
    fn push<'b>(&'b self, pass: &mut AstPass<'_, 'b, DB>) -> QueryResult<()>;
}

/// Whether Diesel keeps the prepared statement for the next run of the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prepared {
    Kept,
    Once,
}

pub(crate) struct DynamicQuery<'s, B> {
    pub(crate) sql: &'s str,
    pub(crate) binds: Vec<B>,
    pub(crate) prepared: Prepared,
}

impl<'s, B> DynamicQuery<'s, B> {
    /// A statement of ours, without binds.
    pub(crate) fn plain(sql: &'s str) -> Self {
        DynamicQuery { sql, binds: Vec::new(), prepared: Prepared::Kept }
    }
}

impl<B> QueryId for DynamicQuery<'_, B> {
    type QueryId = ();
    // Diesel finds the prepared statement by the text then.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<B> Query for DynamicQuery<'_, B> {
    type SqlType = Untyped;
}

impl<DB: Backend, B: Bound<DB>> QueryFragment<DB> for DynamicQuery<'_, B> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.prepared == Prepared::Once {
            pass.unsafe_to_cache_prepared();
        }
        pass.push_sql(self.sql);
        self.binds.iter().try_for_each(|bind| bind.push(&mut pass))
    }
}
