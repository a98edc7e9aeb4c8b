//! A database a case, which is removed when the case has passed.

use std::sync::atomic::{AtomicU32, Ordering};

use mysql_async::prelude::Queryable;
use tempfile::TempDir;
use url::Url;

/// Where the cases run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Sqlite,
    MariaDb,
    PostgreSql,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Sqlite => "sqlite",
            Kind::MariaDb => "mariadb",
            Kind::PostgreSql => "postgres",
        }
    }

    /// The variable that holds the URL of the server.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Kind::Sqlite => "",
            Kind::MariaDb => "ASSOC_MYSQL_URL",
            Kind::PostgreSql => "ASSOC_POSTGRES_URL",
        }
    }

    /// The URL of the server; SQLite needs none.
    pub(crate) fn server(self) -> Option<String> {
        if self == Kind::Sqlite {
            return Some(String::new());
        }
        std::env::var(self.variable()).ok().filter(|url| !url.is_empty())
    }
}

/// A database of its own for one case: a file, a database, or a schema.
pub(crate) struct Temporary {
    kind: Kind,
    server: String,
    name: String,
    url: String,
    folder: Option<TempDir>,
}

impl Temporary {
    pub(crate) async fn create(kind: Kind, server: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("assoc_shop_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut temporary = Temporary { kind, server: server.to_owned(), name, url: String::new(), folder: None };
        let name = &temporary.name;
        match kind {
            Kind::Sqlite => {
                let folder = tempfile::tempdir().expect("a folder");
                temporary.url = format!("sqlite:{}", folder.path().join("shop.db").display());
                temporary.folder = Some(folder);
            }
            Kind::MariaDb => {
                temporary.administer(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).await;
                let mut url = Url::parse(server).expect("a URL");
                url.set_path(name);
                temporary.url = url.into();
            }
            Kind::PostgreSql => {
                temporary.administer(&format!("CREATE SCHEMA {name}")).await;
                let mark = if server.contains('?') { '&' } else { '?' };
                temporary.url = format!("{server}{mark}options=-c%20search_path%3D{name}");
            }
        }
        temporary
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) async fn remove(self) {
        match self.kind {
            Kind::Sqlite => drop(self.folder),
            Kind::MariaDb => self.administer(&format!("DROP DATABASE {}", self.name)).await,
            Kind::PostgreSql => self.administer(&format!("DROP SCHEMA {} CASCADE", self.name)).await,
        }
    }

    async fn administer(&self, statement: &str) {
        if self.kind == Kind::MariaDb {
            let mut connection = mysql_async::Conn::from_url(&self.server).await.expect("a connection");
            connection.query_drop(statement).await.expect("the right to do so");
            connection.disconnect().await.expect("an orderly end");
        } else {
            let (client, connection) =
                tokio_postgres::connect(&self.server, tokio_postgres::NoTls).await.expect("a connection");
            let running = tokio::spawn(connection);
            client.batch_execute(statement).await.expect("the right to do so");
            drop(client);
            running.await.expect("no panic").expect("an orderly end");
        }
    }
}
