//! Which database to use.

use std::path::Path;

use assoc_mysql::MySql;
use assoc_postgres::Postgres;
use assoc_repo::prelude::*;
use assoc_sqlite::{Execution, Sqlite};

use crate::failure::Failure;
use crate::place::Place;
use crate::progress::Progress;
use crate::turn::{Turn, file_of};

/// Connects, and waits until no other run uses the database. No other run does as long as the turn lives.
pub(crate) async fn connect(place: &Place, progress: &Progress) -> Result<(Repo, Turn), Failure> {
    match place {
        Place::Temporary { path, .. } | Place::File(path) => open_file(path, progress),
        Place::Url { scheme, url } => open_url(scheme, url, progress).await,
    }
}

/// Everything below here is the same for any database: a new one is a line here.
async fn open_url(scheme: &str, url: &str, progress: &Progress) -> Result<(Repo, Turn), Failure> {
    match scheme {
        "sqlite" => {
            let turn = match file_of(url) {
                Some(path) => Turn::wait_for_file(path, progress)?,
                None => Turn::Alone,
            };
            Ok((Repo::new(Sqlite::from_url(url)?), turn))
        }
        "mysql" | "mariadb" => {
            let repo = Repo::new(MySql::connect(url).await?);
            let turn = Turn::wait_on_mysql(&repo).await?;
            Ok((repo, turn))
        }
        "postgres" | "postgresql" => {
            let repo = Repo::new(Postgres::connect(url).await?);
            let turn = Turn::wait_on_postgres(&repo).await?;
            Ok((repo, turn))
        }
        // By its scheme only: the rest may hold a password.
        _ => Err(Failure::run(format_args!(
            "no driver for `{scheme}:` URLs in this program; it knows `sqlite:`, `mysql:` and `postgres:`"
        ))),
    }
}

fn open_file(path: &Path, progress: &Progress) -> Result<(Repo, Turn), Failure> {
    // This program does one thing after the other, so there is no other task that a slow statement could hold up.
    let repo = Repo::new(Sqlite::builder(path).execution(Execution::Inline).open()?);
    Ok((repo, Turn::wait_for_file(path, progress)?))
}
