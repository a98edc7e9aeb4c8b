//! The suite as a backend's author runs it: one program, a line a case, a report card. On SQLite in memory; where
//! `CONFORMANCE_SERVER` is `mysql` or `postgres`, on the server of `ASSOC_MYSQL_URL` or `ASSOC_POSTGRES_URL`, and where it is `diesel`,
//! `diesel-postgres` or `diesel-mysql`, on a pool of Diesel's, for `cargo xtask report-cards`.

use assoc_core::Result;
use assoc_core::driver::BoxFuture;
use assoc_sqlite::Sqlite;
use conformance_tests::{Backend, Database};

// Only some of it is of use here.
#[allow(dead_code)]
mod backends;

struct SqliteInMemory;

impl Backend for SqliteInMemory {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn version(&self) -> String {
        format!("SQLite {}", assoc_sqlite::rusqlite::version())
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async { Ok(Database::new(Sqlite::memory()?).with_native_sql(backends::sqlite_sql())) })
    }
}

fn main() -> std::process::ExitCode {
    match std::env::var("CONFORMANCE_SERVER").as_deref() {
        Ok("diesel") => conformance_tests::run(backends::DieselPool),
        Ok("diesel-mysql") => conformance_tests::run(backends::DieselMariaDbPool),
        Ok("diesel-postgres") => conformance_tests::run(backends::DieselPostgresPool),
        Ok("postgres") => conformance_tests::run(backends::PostgreSql),
        Ok("mysql") => conformance_tests::run(backends::MariaDb),
        Ok("sqlite") | Err(_) => conformance_tests::run(SqliteInMemory),
        Ok(other) => {
            eprintln!("CONFORMANCE_SERVER is `{other}`, which is no driver of the suite's");
            std::process::ExitCode::FAILURE
        }
    }
}
