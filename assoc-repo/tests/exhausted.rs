//! The repo used inside its own transaction, when the pool has nothing left to give.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::Duration;

use assoc_repo::DriverErrorKind;
use assoc_repo::prelude::*;
use assoc_sqlite::Sqlite;

#[derive(Model, Debug, Clone)]
#[model(table = "exhausted_notes")]
struct Note {
    id: i64,
    text: String,
}

const LIMIT: Duration = Duration::from_millis(100);

fn note(text: &str) -> assoc_repo::Changeset<Note> {
    Note::build().set(Note::TEXT, text)
}

fn says_why(error: &Error, held: usize) {
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::PoolTimeout, "{error}");
    let message = error.to_string();
    assert!(message.contains("within 100ms"), "{message}");
    assert!(message.contains(&format!("open transactions of this repo hold {held}")), "{message}");
    assert!(message.contains("has to use its handle (`tx`)"), "{message}");
}

/// Holds every connection that can write in a transaction, and uses the repo inside one of them.
async fn scenario(repo: &Repo, connections: usize) {
    repo.create_table::<Note>().await.unwrap();
    let mut held = Vec::new();
    for _ in 1..connections {
        held.push(repo.begin().await.unwrap());
    }
    let kept = repo
        .transaction(async |tx| {
            tx.insert(note("before")).await?;
            says_why(&repo.insert(note("outside")).await.unwrap_err(), connections);
            says_why(&repo.begin().await.unwrap_err(), connections);
            let nested = tx.transaction(async |_| repo.execute_raw("DELETE FROM exhausted_notes", []).await).await;
            says_why(&nested.unwrap_err(), connections);
            // The transaction itself is unharmed.
            tx.insert(note("after")).await
        })
        .await
        .unwrap();
    assert_eq!(kept.text, "after");
    drop(held);
    assert_eq!(repo.count(Query::<Note>::new()).await.unwrap(), 2);
    // What no transaction holds is not blamed on one.
    let connections: Vec<_> = {
        let mut all = Vec::new();
        while let Ok(connection) = repo.driver().acquire(assoc_repo::core::driver::Access::Write).await {
            all.push(connection);
        }
        all
    };
    let error = repo.insert(note("late")).await.unwrap_err();
    assert_eq!(error.driver().unwrap().kind(), DriverErrorKind::PoolTimeout);
    assert!(!error.to_string().contains("transaction"), "{error}");
    drop(connections);
}

#[tokio::test]
async fn of_a_database_in_memory() {
    let repo = Repo::new(Sqlite::builder(":memory:").acquire_timeout(LIMIT).open().unwrap());
    scenario(&repo, 1).await;
}

#[tokio::test]
async fn of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::new(Sqlite::builder(folder.path().join("notes.db")).acquire_timeout(LIMIT).open().unwrap());
    scenario(&repo, 1).await;
    // Reading has connections of its own.
    repo.transaction(async |tx| {
        tx.insert(note("inside")).await?;
        assert_eq!(repo.count(Query::<Note>::new()).await?, 2);
        Ok::<_, Error>(())
    })
    .await
    .unwrap();
}

#[test]
fn without_a_runtime() {
    let repo = Repo::new(Sqlite::builder(":memory:").acquire_timeout(LIMIT).open().unwrap());
    pollster::block_on(scenario(&repo, 1));
}

mod mariadb {
    use super::*;

    #[tokio::test]
    async fn of_three_connections() {
        let url = std::env::var("ASSOC_MYSQL_URL").unwrap_or_default();
        assert!(!url.is_empty(), "ASSOC_MYSQL_URL is not set: run this with `cargo xtask test`");
        let driver = assoc_mysql::MySql::builder(&url).unwrap().max_connections(3).acquire_timeout(LIMIT);
        let repo = Repo::new(driver.connect().await.unwrap());
        repo.drop_table::<Note>().await.unwrap();
        scenario(&repo, 3).await;
        repo.drop_table::<Note>().await.unwrap();
    }
}

mod postgres {
    use super::*;

    #[tokio::test]
    async fn of_three_connections() {
        let url = std::env::var("ASSOC_POSTGRES_URL").unwrap_or_default();
        assert!(!url.is_empty(), "ASSOC_POSTGRES_URL is not set: run this with `cargo xtask test`");
        let driver = assoc_postgres::Postgres::builder(&url).unwrap().max_connections(3).acquire_timeout(LIMIT);
        let repo = Repo::new(driver.connect().await.unwrap());
        repo.drop_table::<Note>().await.unwrap();
        scenario(&repo, 3).await;
        repo.drop_table::<Note>().await.unwrap();
    }
}
