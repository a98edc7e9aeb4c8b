//! A repo by URL, and the migrations of each database, run by refinery.

use std::error::Error;

use assoc_repo::Repo;
use assoc_sqlite::Sqlite;

mod over_sqlite;

mod sqlite {
    refinery::embed_migrations!("migrations/sqlite");
}

mod mysql {
    refinery::embed_migrations!("migrations/mysql");
}

mod postgres {
    refinery::embed_migrations!("migrations/postgres");
}

/// Brings the database of a URL up to date, and opens it: `sqlite:…`, `mysql://…`, `mariadb://…` or `postgres://…`.
///
/// # Errors
/// When the database cannot be reached, or a migration fails.
pub async fn open(url: &str) -> Result<Repo, Box<dyn Error>> {
    match url.split(':').next() {
        Some("sqlite") => {
            // A database in memory is gone with its driver, so the migrations run over that one.
            let sqlite = Sqlite::from_url(url)?;
            sqlite::migrations::runner().run_async(&mut over_sqlite::Migrated::new(&sqlite)).await?;
            return Ok(Repo::new(sqlite));
        }
        Some("mysql" | "mariadb") => {
            let mut pool = mysql_async::Pool::from_url(url.replacen("mariadb:", "mysql:", 1))?;
            mysql::migrations::runner().run_async(&mut pool).await?;
            pool.disconnect().await?;
        }
        Some("postgres" | "postgresql") => {
            let (mut client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
            let running = tokio::spawn(connection);
            postgres::migrations::runner().run_async(&mut client).await?;
            drop(client);
            running.await??;
        }
        _ => {}
    }
    // A URL that no driver knows is an error of this call, which names the ones that are known.
    Ok(Repo::connect(url).await?)
}
