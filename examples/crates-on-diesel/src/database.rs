//! Which database to use, by a pool of Diesel's.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use assoc_diesel::diesel::r2d2::{ConnectionManager, Pool, R2D2Connection};
use assoc_diesel::diesel::sqlite::SqliteConnection;
use assoc_diesel::{Client, Pooled};
use assoc_repo::prelude::*;

use crate::failure::Failure;
use crate::progress::Progress;
use crate::turn::{Turn, file_of};

/// A database that no other run of this program touches as long as this value lives.
pub(crate) struct Database {
    pub(crate) repo: Repo,
    _turn: Turn,
}

/// Connects to a file, a URL, the URL in an environment variable, or a file beside this program, and waits until no other
/// run uses it.
pub(crate) async fn connect(wanted: Option<&OsStr>, progress: &Progress) -> Result<Database, Failure> {
    let Some(wanted) = wanted else {
        let program =
            env::current_exe().map_err(|error| Failure::run(format_args!("no place for a database: {error}")))?;
        return open_file(&program.with_file_name("crates.sqlite"), progress);
    };
    let Some(text) = wanted.to_str() else { return open_file(Path::new(wanted), progress) };
    let named;
    let url = match text.strip_prefix("env:") {
        Some(name) => {
            named =
                env::var(name).map_err(|error| Failure::run(format_args!("environment variable `{name}`: {error}")))?;
            &named
        }
        None => text,
    };
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => match file_of(url) {
            Some(path) => open_file(path, progress),
            None => {
                let manager = ConnectionManager::<SqliteConnection>::new(":memory:");
                // Each connection has a database in memory of its own.
                let pool = Pool::builder().max_size(1).build(manager);
                Ok(Database { repo: Repo::new(pooled(pool)?), _turn: Turn::Alone })
            }
        },
        #[cfg(feature = "mysql")]
        Some("mysql" | "mariadb") => {
            // Diesel knows the one scheme only.
            let url = url.replacen("mariadb:", "mysql:", 1);
            let manager = ConnectionManager::<assoc_diesel::diesel::mysql::MysqlConnection>::new(url);
            let pool = Pool::builder().max_size(4).min_idle(Some(1));
            let pool = pool.connection_customizer(Box::new(assoc_diesel::MysqlSession)).build(manager);
            let repo = Repo::new(pooled(pool)?);
            Ok(Database { _turn: Turn::wait_on_mysql(&repo).await?, repo })
        }
        #[cfg(feature = "postgres")]
        Some("postgres" | "postgresql") => {
            let manager = ConnectionManager::<assoc_diesel::diesel::pg::PgConnection>::new(url);
            let pool = Pool::builder().max_size(4).min_idle(Some(1)).build(manager);
            let repo = Repo::new(pooled(pool)?);
            Ok(Database { _turn: Turn::wait_on_postgres(&repo).await?, repo })
        }
        Some(scheme) if scheme.len() > 1 && url.contains("://") => {
            // By its scheme only: the rest may hold a password.
            Err(Failure::run(format_args!(
                "this program was built without a driver for `{scheme}:` URLs; build it with `--features mysql,postgres`"
            )))
        }
        _ => open_file(Path::new(url), progress),
    }
}

fn open_file(path: &Path, progress: &Progress) -> Result<Database, Failure> {
    let turn = Turn::wait_for_file(path, progress)?;
    // Diesel takes the name as text.
    let Some(name) = path.to_str() else {
        return Err(Failure::run(format_args!("`{}` is no name that Diesel takes", path.display())));
    };
    let pool = Pool::builder().max_size(2).min_idle(Some(1)).build(ConnectionManager::<SqliteConnection>::new(name));
    Ok(Database { repo: Repo::new(pooled(pool)?), _turn: turn })
}

fn pooled<C: Client + R2D2Connection + 'static, E: std::fmt::Display>(
    pool: Result<Pool<ConnectionManager<C>>, E>,
) -> Result<Pooled<C>, Failure> {
    let pool = pool.map_err(|error| Failure::run(format_args!("cannot connect: {error}")))?;
    Ok(Pooled::new(pool)?)
}
