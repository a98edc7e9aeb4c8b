//! Which database to use, by a pool of Diesel's.

use std::path::Path;

use assoc_diesel::diesel::r2d2::{ConnectionManager, Pool, R2D2Connection};
use assoc_diesel::diesel::sqlite::SqliteConnection;
use assoc_diesel::{Client, Pooled};
use assoc_repo::prelude::*;

use crate::failure::Failure;
use crate::place::Place;
use crate::progress::Progress;
use crate::turn::{Turn, file_of};

/// Connects, and waits until no other run uses the database. No other run does as long as the turn lives.
pub(crate) async fn connect(place: &Place, progress: &Progress) -> Result<(Repo, Turn), Failure> {
    let (scheme, url) = match place {
        Place::Temporary { path, .. } | Place::File(path) => return open_file(path, progress),
        Place::Url { scheme, url } => (scheme, url),
    };
    match scheme.as_str() {
        "sqlite" => match file_of(url) {
            Some(path) => open_file(path, progress),
            None => {
                let manager = ConnectionManager::<SqliteConnection>::new(":memory:");
                // Each connection has a database in memory of its own.
                let pool = Pool::builder().max_size(1).build(manager);
                Ok((Repo::new(pooled(pool)?), Turn::Alone))
            }
        },
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => {
            // Diesel knows the one scheme only.
            let url = url.replacen("mariadb:", "mysql:", 1);
            let manager = ConnectionManager::<assoc_diesel::diesel::mysql::MysqlConnection>::new(url);
            let pool = Pool::builder().max_size(4).min_idle(Some(1));
            let pool = pool.connection_customizer(Box::new(assoc_diesel::MysqlSession)).build(manager);
            let repo = Repo::new(pooled(pool)?);
            let turn = Turn::wait_on_mysql(&repo).await?;
            Ok((repo, turn))
        }
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => {
            let manager = ConnectionManager::<assoc_diesel::diesel::pg::PgConnection>::new(url);
            let pool = Pool::builder().max_size(4).min_idle(Some(1)).build(manager);
            let repo = Repo::new(pooled(pool)?);
            let turn = Turn::wait_on_postgres(&repo).await?;
            Ok((repo, turn))
        }
        // By its scheme only: the rest may hold a password.
        scheme => Err(Failure::run(format_args!(
            "this program was built without a driver for `{scheme}:` URLs; build it with `--features mysql,postgres`"
        ))),
    }
}

fn open_file(path: &Path, progress: &Progress) -> Result<(Repo, Turn), Failure> {
    let turn = Turn::wait_for_file(path, progress)?;
    // Diesel takes the name as text.
    let Some(name) = path.to_str() else {
        return Err(Failure::run(format_args!("`{}` is no name that Diesel takes", path.display())));
    };
    let pool = Pool::builder().max_size(2).min_idle(Some(1)).build(ConnectionManager::<SqliteConnection>::new(name));
    Ok((Repo::new(pooled(pool)?), turn))
}

fn pooled<C: Client + R2D2Connection + 'static, E: std::fmt::Display>(
    pool: Result<Pool<ConnectionManager<C>>, E>,
) -> Result<Pooled<C>, Failure> {
    let pool = pool.map_err(|error| Failure::run(format_args!("cannot connect: {error}")))?;
    Ok(Pooled::new(pool)?)
}
