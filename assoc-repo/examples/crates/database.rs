//! Which database to use.

use std::env;
use std::ffi::OsStr;
use std::path::Path;

use assoc_mysql::MySql;
use assoc_repo::prelude::*;
use assoc_sqlite::{Execution, Sqlite};

use crate::failure::Failure;

/// Connects to a file, a URL, the URL in an environment variable, or a file beside this program.
pub(crate) async fn connect(wanted: Option<&OsStr>) -> Result<Repo, Failure> {
    let Some(wanted) = wanted else {
        // Somewhere below `target`, which is the user's own and survives until `cargo clean`.
        let program =
            env::current_exe().map_err(|error| Failure::run(format_args!("no place for a database: {error}")))?;
        return open_file(&program.with_file_name("crates.sqlite"));
    };
    let Some(text) = wanted.to_str() else { return open_file(Path::new(wanted)) };
    match text.split_once(':') {
        Some(("env", name)) => {
            let url =
                env::var(name).map_err(|error| Failure::run(format_args!("environment variable `{name}`: {error}")))?;
            match url.split_once(':') {
                Some((scheme, _)) => open_url(scheme, &url).await,
                None => Err(Failure::run(format_args!("environment variable `{name}` holds no database URL"))),
            }
        }
        // A single letter is a drive: `C:\crates.sqlite`.
        Some((scheme, _)) if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            open_url(scheme, text).await
        }
        _ => open_file(Path::new(text)),
    }
}

/// Everything below here is the same for any database: a new one is a line here.
async fn open_url(scheme: &str, url: &str) -> Result<Repo, Failure> {
    match scheme {
        "sqlite" => Ok(Repo::new(Sqlite::from_url(url)?)),
        "mysql" | "mariadb" => Ok(Repo::new(MySql::connect(url).await?)),
        // By its scheme only: the rest may hold a password.
        _ => Err(Failure::run(format_args!(
            "no driver for `{scheme}:` URLs in this program; it knows `sqlite:` and `mysql:`"
        ))),
    }
}

fn open_file(path: &Path) -> Result<Repo, Failure> {
    // This program does one thing after the other, so there is no other task that a slow statement could hold up.
    Ok(Repo::new(Sqlite::builder(path).execution(Execution::Inline).open()?))
}
