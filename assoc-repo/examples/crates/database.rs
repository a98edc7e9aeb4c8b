//! Which database to use.

use std::env;
use std::ffi::OsStr;
use std::fs::{File, TryLockError};
use std::path::Path;

use assoc_mysql::MySql;
use assoc_postgres::Postgres;
use assoc_repo::Transaction;
use assoc_repo::prelude::*;
use assoc_sqlite::{Execution, Sqlite};

use crate::failure::Failure;
use crate::progress::Progress;

/// A database that no other run of this program touches as long as this value lives. A run makes the tables anew, fills
/// them and reads them in several transactions, so two at once would report a mixture.
pub(crate) struct Database {
    pub(crate) repo: Repo,
    _turn: Turn,
}

// Ends when it is dropped, also with the process.
enum Turn {
    // A database in memory is this run's alone.
    Alone,
    LockFile { _locked: File },
    // A lock on the server, which belongs to the connection that this transaction holds.
    ServerLock { _holder: Transaction },
}

/// Connects to a file, a URL, the URL in an environment variable, or a file beside this program, and waits until no other
/// run uses it.
pub(crate) async fn connect(wanted: Option<&OsStr>, progress: &Progress) -> Result<Database, Failure> {
    let Some(wanted) = wanted else {
        // Somewhere below `target`, which is the user's own and survives until `cargo clean`.
        let program =
            env::current_exe().map_err(|error| Failure::run(format_args!("no place for a database: {error}")))?;
        return open_file(&program.with_file_name("crates.sqlite"), progress);
    };
    let Some(text) = wanted.to_str() else { return open_file(Path::new(wanted), progress) };
    match text.split_once(':') {
        Some(("env", name)) => {
            let url =
                env::var(name).map_err(|error| Failure::run(format_args!("environment variable `{name}`: {error}")))?;
            match url.split_once(':') {
                Some((scheme, _)) => open_url(scheme, &url, progress).await,
                None => Err(Failure::run(format_args!("environment variable `{name}` holds no database URL"))),
            }
        }
        // A single letter is a drive: `C:\crates.sqlite`.
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            open_url(scheme, text, progress).await
        }
        _ => open_file(Path::new(text), progress),
    }
}

/// Everything below here is the same for any database: a new one is a line here.
async fn open_url(scheme: &str, url: &str, progress: &Progress) -> Result<Database, Failure> {
    match scheme {
        "sqlite" => {
            let repo = Repo::new(Sqlite::from_url(url)?);
            let turn = match file_of(url) {
                Some(path) => wait_for_file(path, progress)?,
                None => Turn::Alone,
            };
            Ok(Database { repo, _turn: turn })
        }
        "mysql" | "mariadb" => {
            let repo = Repo::new(MySql::connect(url).await?);
            let holder = repo.begin().await?;
            holder.execute_raw("DO GET_LOCK(CONCAT(DATABASE(), '.crates'), 600)", []).await?;
            Ok(Database { repo, _turn: Turn::ServerLock { _holder: holder } })
        }
        "postgres" | "postgresql" => {
            let repo = Repo::new(Postgres::connect(url).await?);
            let holder = repo.begin().await?;
            holder.execute_raw("SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.crates'))", []).await?;
            Ok(Database { repo, _turn: Turn::ServerLock { _holder: holder } })
        }
        // By its scheme only: the rest may hold a password.
        _ => Err(Failure::run(format_args!(
            "no driver for `{scheme}:` URLs in this program; it knows `sqlite:`, `mysql:` and `postgres:`"
        ))),
    }
}

fn open_file(path: &Path, progress: &Progress) -> Result<Database, Failure> {
    // This program does one thing after the other, so there is no other task that a slow statement could hold up.
    let repo = Repo::new(Sqlite::builder(path).execution(Execution::Inline).open()?);
    Ok(Database { repo, _turn: wait_for_file(path, progress)? })
}

/// The file that a SQLite URL names, if it names one.
fn file_of(url: &str) -> Option<&Path> {
    let rest = url.strip_prefix("sqlite:")?;
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let in_memory = path == ":memory:" || parameters.contains("mode=memory");
    (!in_memory).then(|| Path::new(path.strip_prefix("//").unwrap_or(path)))
}

/// Takes the lock on a file beside the database. (That file itself is for SQLite to lock.)
fn wait_for_file(path: &Path, progress: &Progress) -> Result<Turn, Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let locked = File::options().create(true).append(true).open(&name).and_then(|file| {
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.say("waiting for another run to end");
                file.lock()?;
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(file)
    });
    let locked = locked.map_err(|error| Failure::run(format_args!("cannot lock `{}`: {error}", name.display())))?;
    Ok(Turn::LockFile { _locked: locked })
}
