//! A statement of the core as a query of Diesel's: a text that is written already, and binds whose types are known at run
//! time.
//!
//! `diesel::sql_query` was the alternative. It tells Diesel to prepare each text anew, and boxes each bind.

use std::borrow::Cow;

use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::result::QueryResult;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Binary, Double, HasSqlType, Nullable, Text, Untyped};

/// A bind as Diesel's backends take it.
#[derive(Debug)]
pub(crate) enum Bound<'s> {
    Null,
    Integer(i64),
    Real(f64),
    Text(Cow<'s, str>),
    Blob(&'s [u8]),
}

/// Whether Diesel keeps the prepared statement for the next run of the same text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prepared {
    Kept,
    Once,
}

pub(crate) struct DynamicQuery<'s> {
    pub(crate) sql: &'s str,
    pub(crate) binds: Vec<Bound<'s>>,
    pub(crate) prepared: Prepared,
}

impl QueryId for DynamicQuery<'_> {
    type QueryId = ();
    // Diesel finds the prepared statement by the text then.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for DynamicQuery<'_> {
    type SqlType = Untyped;
}

impl<DB> QueryFragment<DB> for DynamicQuery<'_>
where
    DB: Backend + HasSqlType<BigInt> + HasSqlType<Double> + HasSqlType<Text> + HasSqlType<Binary>,
    i64: ToSql<BigInt, DB>,
    f64: ToSql<Double, DB>,
    str: ToSql<Text, DB>,
    [u8]: ToSql<Binary, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
{
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.prepared == Prepared::Once {
            pass.unsafe_to_cache_prepared();
        }
        pass.push_sql(self.sql);
        for bind in &self.binds {
            match bind {
                Bound::Null => pass.push_bind_param_value_only::<Nullable<BigInt>, Option<i64>>(&None)?,
                Bound::Integer(number) => pass.push_bind_param_value_only::<BigInt, i64>(number)?,
                Bound::Real(number) => pass.push_bind_param_value_only::<Double, f64>(number)?,
                Bound::Text(text) => pass.push_bind_param_value_only::<Text, str>(text)?,
                Bound::Blob(bytes) => pass.push_bind_param_value_only::<Binary, [u8]>(bytes)?,
            }
        }
        Ok(())
    }
}
