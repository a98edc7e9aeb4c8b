//! refinery over the driver of SQLite. refinery's own client is a version of rusqlite, which a program links once.

use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;
use async_trait::async_trait;
use refinery::Migration;
use refinery_core::AsyncMigrate;
use refinery_core::traits::r#async::{AsyncQuery, AsyncTransaction};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A migration that has run, in refinery's own table.
#[derive(Model, Debug, Clone)]
#[model(table = "refinery_schema_history", primary_key = "version", auto_increment = false)]
struct Applied {
    version: i32,
    name: String,
    applied_on: String,
    checksum: String,
}

/// A database on which refinery runs migrations.
pub(crate) struct Migrated<'a> {
    sqlite: &'a Sqlite,
    repo: Repo,
}

impl<'a> Migrated<'a> {
    pub(crate) fn new(sqlite: &'a Sqlite) -> Self {
        Migrated { sqlite, repo: Repo::new(sqlite.clone()) }
    }
}

#[async_trait]
impl AsyncTransaction for Migrated<'_> {
    type Error = Error;

    async fn execute<'s, T: Iterator<Item = &'s str> + Send>(&mut self, queries: T) -> Result<usize> {
        let scripts: Vec<&str> = queries.collect();
        self.sqlite.execute_batch(&format!("BEGIN IMMEDIATE;\n{};\nCOMMIT;", scripts.join(";\n"))).await?;
        Ok(scripts.len())
    }
}

#[async_trait]
impl AsyncQuery<Vec<Migration>> for Migrated<'_> {
    async fn query(&mut self, query: &str) -> Result<Vec<Migration>> {
        let applied = self.repo.query_raw::<Applied>(query, []).await?;
        applied.into_iter().map(migration).collect()
    }
}

fn migration(applied: Applied) -> Result<Migration> {
    let applied_on = OffsetDateTime::parse(&applied.applied_on, &Rfc3339).map_err(Error::other)?;
    let checksum = applied.checksum.parse().map_err(Error::other)?;
    Ok(Migration::applied(applied.version, applied.name, applied_on, checksum))
}

impl AsyncMigrate for Migrated<'_> {}
