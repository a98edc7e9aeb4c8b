//! Pages by key on a database that sorts `NULL` as the largest value, as PostgreSQL does: SQLite, told to.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;
use std::sync::Arc;

use assoc_core::Result;
use assoc_core::dialect::{ColumnRole, NullOrder};
use assoc_core::driver::{BoxFuture, Capabilities, Connection, Dialect, Driver, RowSink, Statement};
use assoc_core::metadata::ColumnDef;
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;
use conformance_tests::{Interceptor, Wrapped};

#[derive(Model, Debug, Clone, PartialEq)]
struct Rated {
    id: i64,
    rank: Option<i64>,
    name: Option<String>,
}

#[derive(Debug)]
struct NullsLast {
    sqlite: Sqlite,
    capabilities: Capabilities,
}

impl NullsLast {
    fn new(sqlite: Sqlite) -> Self {
        let mut capabilities = sqlite.dialect().capabilities().clone();
        capabilities.null_order = NullOrder::Largest;
        NullsLast { sqlite, capabilities }
    }
}

impl Dialect for NullsLast {
    fn name(&self) -> &'static str {
        "SQLite with NULLS LAST"
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn quote(&self, identifier: &str, sql: &mut String) {
        self.sqlite.dialect().quote(identifier, sql);
    }

    fn column_type(&self, column: &ColumnDef, role: ColumnRole) -> Cow<'static, str> {
        self.sqlite.dialect().column_type(column, role)
    }

    fn auto_increment(&self) -> &'static str {
        self.sqlite.dialect().auto_increment()
    }
}

// Says in each term of the order where its NULL comes.
fn sorted(statement: &Statement) -> Statement {
    let Some((query, order)) = statement.sql().split_once(" ORDER BY ") else { return statement.clone() };
    let (order, limit) = order.split_once(" LIMIT ").map_or((order, None), |(order, limit)| (order, Some(limit)));
    let terms = order
        .split(", ")
        .map(|term| format!("{term} NULLS {}", if term.ends_with(" DESC") { "FIRST" } else { "LAST" }));
    let limit = limit.map(|limit| format!(" LIMIT {limit}")).unwrap_or_default();
    let sql = format!("{query} ORDER BY {}{limit}", terms.collect::<Vec<_>>().join(", "));
    Statement::new(sql, statement.binds().to_vec())
}

impl Interceptor for NullsLast {
    fn dialect<'d>(&'d self, _: &'d dyn Dialect) -> &'d dyn Dialect {
        self
    }

    fn query<'a>(
        &'a self,
        inner: &'a mut dyn Connection,
        statement: &'a Statement,
        sink: &'a mut dyn RowSink,
    ) -> BoxFuture<'a, Result<()>> {
        let statement = sorted(statement);
        Box::pin(async move { inner.query(&statement, sink).await })
    }
}

#[test]
fn pages_are_the_whole_where_null_is_the_largest() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime
        .block_on(async {
            let sqlite = Sqlite::memory()?;
            let repo = Repo::new(Wrapped::new(Arc::new(sqlite.clone()), NullsLast::new(sqlite)));
            repo.create_table::<Rated>().await?;
            for at in 0..12_i64 {
                let rank = (at % 2 == 0).then_some(at % 5);
                let name = (at % 3 != 0).then(|| format!("n{}", at % 4));
                repo.insert(Rated::build().set(Rated::RANK, rank).set(Rated::NAME, name)).await?;
            }
            let orders = [
                Query::order_by(Rated::RANK.asc()),
                Query::order_by(Rated::RANK.desc()),
                Query::order_by((Rated::RANK.asc(), Rated::NAME.desc())),
                Query::order_by((Rated::NAME.desc(), Rated::RANK.asc())),
            ];
            for query in orders {
                let all: Vec<Rated> = repo.all(query.clone()).await?;
                assert_eq!(all.len(), 12);
                for size in 1..=5 {
                    let mut batches = repo.in_batches(query.clone(), size)?;
                    let mut paged = Vec::new();
                    while let Some(page) = batches.next().await? {
                        paged.extend(page);
                    }
                    assert_eq!(paged, all, "{size}");
                }
            }
            // The values' order is the database's: NULL comes last.
            let last = repo.all(Query::order_by(Rated::RANK.asc())).await?.pop();
            assert_eq!(last.and_then(|last| last.rank), None);
            Ok::<(), Error>(())
        })
        .unwrap();
}
