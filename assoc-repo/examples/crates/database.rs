//! Which database to use.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use assoc_mysql::MySql;
use assoc_postgres::Postgres;
use assoc_repo::prelude::*;
use assoc_sqlite::{Execution, Sqlite};

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
            let turn = match file_of(url) {
                Some(path) => Turn::wait_for_file(path, progress)?,
                None => Turn::Alone,
            };
            Ok(Database { repo: Repo::new(Sqlite::from_url(url)?), _turn: turn })
        }
        "mysql" | "mariadb" => {
            let repo = Repo::new(MySql::connect(url).await?);
            Ok(Database { _turn: Turn::wait_on_mysql(&repo).await?, repo })
        }
        "postgres" | "postgresql" => {
            let repo = Repo::new(Postgres::connect(url).await?);
            Ok(Database { _turn: Turn::wait_on_postgres(&repo).await?, repo })
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
    Ok(Database { repo, _turn: Turn::wait_for_file(path, progress)? })
}
