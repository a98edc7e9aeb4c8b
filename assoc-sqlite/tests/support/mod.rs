//! What the tests share.
#![allow(dead_code)]

use assoc_core::driver::{Access, Bind, Connection, Driver, Statement};
use assoc_core::{Error, Result, Value};
use assoc_sqlite::{Sqlite, SqliteBuilder};

/// A database file that goes away with the value.
pub(crate) struct Scratch {
    pub(crate) directory: tempfile::TempDir,
}

impl Scratch {
    pub(crate) fn new() -> Scratch {
        Scratch { directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> std::path::PathBuf {
        self.directory.path().join("test.db")
    }

    pub(crate) fn builder(&self) -> SqliteBuilder {
        Sqlite::builder(self.path())
    }
}

pub(crate) fn statement(sql: &str, binds: impl IntoIterator<Item = Value<'static>>) -> Statement {
    Statement::new(sql, binds.into_iter().map(Bind::Value).collect())
}

pub(crate) async fn rows(connection: &mut dyn Connection, statement: &Statement) -> Result<Vec<Vec<Value<'static>>>> {
    let mut rows = Vec::new();
    let mut sink = |values: &mut [Value<'_>]| {
        rows.push(values.iter_mut().map(|value| std::mem::take(value).into_owned()).collect());
        Ok(())
    };
    connection.query(statement, &mut sink).await?;
    Ok(rows)
}

pub(crate) async fn ints(connection: &mut dyn Connection, statement: &Statement) -> Result<Vec<i64>> {
    let rows = rows(connection, statement).await?;
    Ok(rows.into_iter().map(|row| if let Value::Int(number) = row[0] { number } else { i64::MIN }).collect())
}

pub(crate) async fn scalar(sqlite: &Sqlite, sql: &str) -> Value<'static> {
    let mut connection = sqlite.acquire(Access::Read).await.unwrap();
    rows(&mut *connection, &Statement::plain(sql)).await.unwrap().remove(0).remove(0)
}

pub(crate) fn kind(error: &Error) -> assoc_core::DriverErrorKind {
    error.driver().unwrap_or_else(|| panic!("{error:?}")).kind()
}
