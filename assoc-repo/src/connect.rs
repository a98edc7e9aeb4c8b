//! A repo by URL: picks the driver.

use assoc_core::{ErrorKind, Result};

use crate::Repo;

impl Repo {
    /// A repo over the database of a URL, with the driver's default options. The scheme of the URL selects the driver,
    /// which must be part of the program:
    ///
    /// | URL | feature of `assoc-repo` | driver |
    /// |---|---|---|
    /// | `sqlite:blog.db`, `sqlite::memory:` | `sqlite` | `assoc-sqlite` |
    /// | `mysql://user:password@host/blog`, `mariadb://…` | `mysql` | `assoc-mysql` |
    /// | `postgres://user:password@host/blog`, `postgresql://…` | `postgres` | `assoc-postgres` |
    ///
    /// ```toml
    /// assoc-repo = { version = "0.1", features = ["sqlite", "postgres"] }
    /// ```
    ///
    /// For other options, and for another driver, make the driver and pass it to [`Repo::new`].
    ///
    /// # Errors
    /// [`ErrorKind::NoDriver`] when no driver knows the URL, naming the feature that is missing; otherwise what the
    /// driver says. No message repeats a password.
    ///
    #[cfg_attr(feature = "sqlite", doc = "```")]
    #[cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
    /// use assoc_repo::prelude::*;
    ///
    /// # pollster::block_on(async {
    /// let repo = Repo::connect("sqlite::memory:").await?; // or std::env::var("DATABASE_URL")
    /// assert_eq!(repo.dialect().name(), "SQLite");
    /// # Ok::<(), Error>(()) }).unwrap();
    /// ```
    pub async fn connect(url: &str) -> Result<Repo> {
        let scheme = scheme(url);
        match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => Ok(Repo::new(assoc_sqlite::Sqlite::from_url(url)?)),
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => Ok(Repo::new(assoc_mysql::MySql::connect(url).await?)),
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Ok(Repo::new(assoc_postgres::Postgres::connect(url).await?)),
            _ => Err(ErrorKind::NoDriver { scheme: scheme.to_owned(), remedy: remedy(scheme) }.into()),
        }
    }
}

/// What stands before the colon, if that can be a scheme; anything else may be private.
fn scheme(url: &str) -> &str {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    match url.split_once(':') {
        Some((scheme, _)) if scheme.bytes().all(allowed) => scheme,
        _ => "",
    }
}

fn remedy(scheme: &str) -> &'static str {
    match scheme {
        "sqlite" => "enable the feature `sqlite` of assoc-repo",
        "mysql" | "mariadb" => "enable the feature `mysql` of assoc-repo",
        "postgres" | "postgresql" => "enable the feature `postgres` of assoc-repo",
        _ => {
            "`Repo::connect` knows `sqlite:`, `mysql:`, `mariadb:` and `postgres:`; pass any other driver to `Repo::new`"
        }
    }
}
