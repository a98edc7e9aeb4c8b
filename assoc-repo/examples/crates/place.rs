//! Where the database is: what the command line names, or a file that is gone when the program ends.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;

use tempfile::TempDir;

use crate::failure::Failure;

pub(crate) enum Place {
    /// A file of SQLite, removed with its folder when this value is dropped.
    Temporary {
        folder: TempDir,
        path: PathBuf,
    },
    /// A file of SQLite.
    File(PathBuf),
    Url {
        scheme: String,
        url: String,
    },
}

impl Place {
    /// A file, a URL, the URL in an environment variable, or a temporary file.
    pub(crate) fn of(wanted: Option<&OsStr>) -> Result<Place, Failure> {
        let Some(wanted) = wanted else {
            let folder = tempfile::Builder::new().prefix("crates-").tempdir();
            let folder = folder.map_err(|error| Failure::run(format_args!("no place for a database: {error}")))?;
            let path = folder.path().join("crates.sqlite");
            return Ok(Place::Temporary { folder, path });
        };
        let url = |scheme: &str, url: &str| Place::Url { scheme: scheme.to_owned(), url: url.to_owned() };
        match wanted.to_str().and_then(|text| Some((text, text.split_once(':')?))) {
            Some((_, ("env", name))) => {
                let named = env::var(name)
                    .map_err(|error| Failure::run(format_args!("environment variable `{name}`: {error}")))?;
                match named.split_once(':') {
                    Some((scheme, _)) => Ok(url(scheme, &named)),
                    None => Err(Failure::run(format_args!("environment variable `{name}` holds no database URL"))),
                }
            }
            // A single letter is a drive: `C:\crates.sqlite`.
            Some((text, (scheme, _)))
                if scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) =>
            {
                Ok(url(scheme, text))
            }
            _ => Ok(Place::File(wanted.into())),
        }
    }

    /// What the report says of it in the end. A temporary database that is to be kept stays from now on.
    pub(crate) fn told(&mut self, keep: bool) -> String {
        match self {
            Place::Temporary { folder, path } if keep => {
                folder.disable_cleanup(true);
                path.display().to_string()
            }
            Place::Temporary { .. } => "a temporary file (--keep keeps it)".to_owned(),
            Place::File(path) => path.display().to_string(),
            // By its scheme only: the rest may hold a password.
            Place::Url { scheme, .. } => format!("that of the {scheme} URL"),
        }
    }
}
