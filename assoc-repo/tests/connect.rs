//! `Repo::connect`: which driver a URL picks, with and without the features.

// Helpers of tests fail as tests do.
#![allow(clippy::expect_used, clippy::panic)]

use assoc_repo::{ErrorKind, Repo};

async fn refused(url: &str) -> (String, String) {
    let error = Repo::connect(url).await.expect_err("no such driver");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    match error.kind() {
        ErrorKind::NoDriver { scheme, remedy } => (scheme.clone(), (*remedy).to_owned()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn unknown_databases() {
    assert_eq!(refused("oracle://ada:secret@localhost/blog").await.0, "oracle");
    assert_eq!(refused("secret@host:3306").await.0, "");
    assert_eq!(refused("blog.db").await.0, "");
    let (_, remedy) = refused("").await;
    assert_eq!(
        remedy,
        "`Repo::connect` knows `sqlite:`, `mysql:`, `mariadb:` and `postgres:`; pass any other driver to `Repo::new`"
    );
}

#[cfg(not(feature = "sqlite"))]
#[tokio::test]
async fn sqlite_is_not_enabled() {
    let error = Repo::connect("sqlite::memory:").await.unwrap_err();
    assert_eq!(error.to_string(), "no driver for `sqlite:` URLs: enable the feature `sqlite` of assoc-repo");
}

#[cfg(not(feature = "mysql"))]
#[tokio::test]
async fn mysql_is_not_enabled() {
    for scheme in ["mysql", "mariadb"] {
        let error = Repo::connect(&format!("{scheme}://ada:secret@localhost/blog")).await.unwrap_err();
        let expected = format!("no driver for `{scheme}:` URLs: enable the feature `mysql` of assoc-repo");
        assert_eq!(error.to_string(), expected);
    }
}

#[cfg(not(feature = "postgres"))]
#[tokio::test]
async fn postgres_is_not_enabled() {
    for scheme in ["postgres", "postgresql"] {
        let error = Repo::connect(&format!("{scheme}://ada:secret@localhost/blog")).await.unwrap_err();
        let expected = format!("no driver for `{scheme}:` URLs: enable the feature `postgres` of assoc-repo");
        assert_eq!(error.to_string(), expected);
    }
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("blog.db");
    for url in ["sqlite::memory:".to_owned(), format!("sqlite:{}", file.display())] {
        assert_eq!(Repo::connect(&url).await.unwrap().dialect().name(), "SQLite");
    }
    assert!(file.is_file());
    let error = Repo::connect("sqlite:/nowhere/blog.db").await.unwrap_err();
    assert!(error.to_string().contains("/nowhere/blog.db"), "{error}");
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn mysql_without_a_server() {
    // Nobody listens on port 1.
    for url in ["mysql://ada:secret@127.0.0.1:1/blog", "mariadb://ada:secret@127.0.0.1:1/blog", "mysql://ada:secret@"] {
        let error = Repo::connect(url).await.unwrap_err();
        assert!(error.driver().is_some(), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[cfg(feature = "mysql")]
mod mariadb {
    use super::*;

    #[tokio::test]
    async fn by_url() {
        let url = std::env::var("ASSOC_MYSQL_URL").unwrap_or_default();
        assert!(
            !url.is_empty(),
            "ASSOC_MYSQL_URL is not set: run this with `cargo xtask test`, or `cargo xtask db mysql -- …`"
        );
        let (scheme, rest) = url.split_once(':').unwrap();
        assert!(scheme == "mysql" || scheme == "mariadb");
        for scheme in ["mysql", "mariadb"] {
            let repo = Repo::connect(&format!("{scheme}:{rest}")).await.unwrap();
            assert!(["MySQL", "MariaDB"].contains(&repo.dialect().name()));
        }
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_without_a_server() {
    // Nothing listens on port 1.
    for url in
        ["postgres://ada:secret@127.0.0.1:1/blog", "postgresql://ada:secret@127.0.0.1:1/blog", "postgres://ada:secret@"]
    {
        let error = Repo::connect(url).await.unwrap_err();
        assert!(error.driver().is_some(), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::*;

    #[tokio::test]
    async fn by_url() {
        let url = std::env::var("ASSOC_POSTGRES_URL").unwrap_or_default();
        assert!(
            !url.is_empty(),
            "ASSOC_POSTGRES_URL is not set: run this with `cargo xtask test`, or `cargo xtask db postgres -- …`"
        );
        let (_, rest) = url.split_once(':').unwrap();
        for scheme in ["postgres", "postgresql"] {
            let repo = Repo::connect(&format!("{scheme}:{rest}")).await.unwrap();
            assert_eq!(repo.dialect().name(), "PostgreSQL");
        }
    }
}
