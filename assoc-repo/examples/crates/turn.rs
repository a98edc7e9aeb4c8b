//! One run at a time on a database: a run makes the tables anew, fills them and reads them in several transactions, so two at once
//! would report a mixture.

use std::fs::{File, TryLockError};
use std::path::Path;

use assoc_repo::Transaction;
use assoc_repo::prelude::*;

use crate::failure::Failure;
use crate::progress::Progress;

/// The right to a database. It ends when it is dropped, also with the process.
pub(crate) enum Turn {
    /// A database in memory is this run's alone.
    Alone,
    LockFile {
        _locked: File,
    },
    /// A lock on the server, which belongs to the connection that this transaction holds.
    ServerLock {
        _holder: Transaction,
    },
}

/// What the server answers to one that asks for a lock.
#[derive(Model, Debug, Clone)]
struct Lock {
    granted: Option<i64>,
}

impl Turn {
    pub(crate) async fn wait_on_mysql(repo: &Repo) -> Result<Turn> {
        let holder = repo.begin().await?;
        let lock = "SELECT GET_LOCK(CONCAT(DATABASE(), '.crates'), 600) AS granted";
        // 0 after that many seconds, and NULL where something went wrong.
        match holder.query_raw::<Lock>(lock, []).await?.as_slice() {
            [Lock { granted: Some(1) }] => Ok(Turn::ServerLock { _holder: holder }),
            _ => Err(Error::other("another run has used the database for ten minutes")),
        }
    }

    pub(crate) async fn wait_on_postgres(repo: &Repo) -> Result<Turn> {
        let holder = repo.begin().await?;
        holder.execute_raw("SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.crates'))", []).await?;
        Ok(Turn::ServerLock { _holder: holder })
    }

    /// Takes the lock on a file beside the database. (That file itself is for SQLite to lock.)
    pub(crate) fn wait_for_file(path: &Path, progress: &Progress) -> Result<Turn, Failure> {
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
}

/// The file that a SQLite URL names, if it names one.
pub(crate) fn file_of(url: &str) -> Option<&Path> {
    let rest = url.strip_prefix("sqlite:")?;
    let (path, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let in_memory = path == ":memory:" || parameters.contains("mode=memory");
    (!in_memory).then(|| Path::new(path.strip_prefix("//").unwrap_or(path)))
}
