//! Diesel over its own connection, and assoc over a pool of them.

use std::path::Path;

use assoc_diesel::Pooled;
use assoc_repo::Repo;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};

use crate::ours::{Application, Loading, Ours};

use super::SETTINGS;

crate::by_diesel::on_connection!(SqliteConnection);

pub(super) fn open(path: &Path) -> Outcome<OnConnection> {
    let mut connection = SqliteConnection::establish(&path.display().to_string())?;
    connection.batch_execute(SETTINGS)?;
    Ok(OnConnection(connection))
}

#[derive(Debug)]
struct Settings;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Settings {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        connection.batch_execute(SETTINGS).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// assoc over pools, without a runtime.
pub(super) fn pooled(reading: &Path, writing: &Path) -> Outcome<Ours> {
    let repo = |path: &Path| -> Outcome<Repo> {
        let manager = ConnectionManager::<SqliteConnection>::new(path.display().to_string());
        // As the guide has it: a file cannot be lost.
        let pool = Pool::builder().max_size(1).test_on_check_out(false);
        let pool = pool.connection_customizer(Box::new(Settings)).build(manager)?;
        Ok(Repo::new(Pooled::new(pool)?))
    };
    let (reading, writing) = (repo(reading)?, Some(repo(writing)?));
    Ok(Ours { name: "assoc-diesel", loading: Loading::Preload, application: Application::Plain, reading, writing })
}
