//! The suite as a backend's author runs it: one program, a line a case, a report card.

use assoc_core::Result;
use assoc_core::driver::BoxFuture;
use assoc_sqlite::Sqlite;
use conformance_tests::{Backend, Database};

struct SqliteInMemory;

impl Backend for SqliteInMemory {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn version(&self) -> String {
        format!("SQLite {}", assoc_sqlite::rusqlite::version())
    }

    fn fresh(&self) -> BoxFuture<'_, Result<Database>> {
        Box::pin(async { Ok(Database::new(Sqlite::memory()?)) })
    }
}

fn main() -> std::process::ExitCode {
    conformance_tests::run(SqliteInMemory)
}
