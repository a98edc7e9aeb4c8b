//! Diesel over its own connection, and assoc over pools of them.

use assoc_diesel::{MysqlSession, Pooled};
use assoc_repo::Repo;
use diesel::r2d2::{ConnectionManager, Pool};

use crate::ours::{Application, Ours};

crate::by_diesel::on_connection!(MysqlConnection);

pub(super) fn open(url: &str) -> Outcome<OnConnection> {
    Ok(OnConnection(MysqlConnection::establish(url)?))
}

/// assoc over pools, without a runtime.
pub(super) fn pooled(reading: &str, writing: &str) -> Outcome<Ours> {
    let repo = |url: &str| -> Outcome<Repo> {
        let manager = ConnectionManager::<MysqlConnection>::new(url);
        let pool = Pool::builder().max_size(1).connection_customizer(Box::new(MysqlSession)).build(manager)?;
        Ok(Repo::new(Pooled::new(pool)?))
    };
    let (reading, writing) = (repo(reading)?, Some(repo(writing)?));
    Ok(Ours { name: "assoc-diesel", application: Application::Plain, reading, writing })
}
