//! Where the database is: what the command line names, or a file beside this program.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;

use crate::failure::Failure;

/// A file of SQLite, or a URL with its scheme.
pub(crate) enum Place {
    File(PathBuf),
    Url { scheme: String, url: String },
}

impl Place {
    /// A file, a URL, the URL in an environment variable, or a file beside this program.
    pub(crate) fn of(wanted: Option<&OsStr>) -> Result<Place, Failure> {
        let Some(wanted) = wanted else {
            // Somewhere below `target`, which is the user's own and survives until `cargo clean`.
            let program =
                env::current_exe().map_err(|error| Failure::run(format_args!("no place for a database: {error}")))?;
            return Ok(Place::File(program.with_file_name("crates.sqlite")));
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
}
