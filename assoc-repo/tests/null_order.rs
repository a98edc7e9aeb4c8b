//! Pages by key on a database that sorts `NULL` as the largest value, as PostgreSQL does: SQLite, told to.
#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use assoc_core::Result;
use assoc_core::dialect::{ColumnRole, NullOrder};
use assoc_core::driver::{
    Access, BoxFuture, Capabilities, Connection, Dialect, Driver, ExecResult, RowSink, Statement, TransactionMode,
};
use assoc_core::metadata::ColumnDef;
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

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
    fn new() -> Self {
        let sqlite = Sqlite::memory().unwrap();
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

impl Driver for NullsLast {
    fn dialect(&self) -> &dyn Dialect {
        self
    }

    fn acquire(&self, access: Access) -> BoxFuture<'_, Result<Box<dyn Connection>>> {
        Box::pin(async move {
            let inner = self.sqlite.acquire(access).await?;
            Ok(Box::new(Sorting { inner, statement: None }) as Box<dyn Connection>)
        })
    }
}

struct Sorting {
    inner: Box<dyn Connection>,
    statement: Option<Statement>,
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

impl Connection for Sorting {
    fn query<'a>(&'a mut self, statement: &'a Statement, sink: &'a mut dyn RowSink) -> BoxFuture<'a, Result<()>> {
        let statement = self.statement.insert(sorted(statement));
        self.inner.query(statement, sink)
    }

    fn execute<'a>(&'a mut self, statement: &'a Statement) -> BoxFuture<'a, Result<ExecResult>> {
        self.inner.execute(statement)
    }

    fn begin(&mut self, mode: TransactionMode) -> BoxFuture<'_, Result<()>> {
        self.inner.begin(mode)
    }

    fn commit(&mut self) -> BoxFuture<'_, Result<()>> {
        self.inner.commit()
    }

    fn rollback(&mut self) -> BoxFuture<'_, Result<()>> {
        self.inner.rollback()
    }

    fn savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.inner.savepoint(depth)
    }

    fn release_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.inner.release_savepoint(depth)
    }

    fn rollback_to_savepoint(&mut self, depth: u32) -> BoxFuture<'_, Result<()>> {
        self.inner.rollback_to_savepoint(depth)
    }
}

#[test]
fn pages_are_the_whole_where_null_is_the_largest() {
    pollster::block_on(async {
        let repo = Repo::new(NullsLast::new());
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
