//! Futures that are dropped at each of their suspensions, while a transaction and its savepoints are open: what is kept
//! is whole, what goes on can go on, and the pool is as before.

// Helpers fail a test by panicking.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use assoc_core::Result;
use assoc_repo::Repo;
use assoc_repo::prelude::*;
use assoc_sqlite::{Execution, Sqlite};
use backends::{MariaDb, PostgreSql};
use conformance_tests::{Backend, Recorded, Recorder};

// Only one of them is of use here.
#[allow(dead_code)]
mod backends;

#[derive(Model, Debug, Clone)]
struct Note {
    id: i64,
    text: String,
}

fn note(text: &str) -> assoc_repo::Changeset<Note> {
    Note::build().set(Note::TEXT, text)
}

/// How many rows are inserted at once: several statements of them. Where inserted rows are not returned, each is a statement.
fn batch(repo: &Repo) -> usize {
    if repo.dialect().capabilities().insert_returning { 1_500 } else { 20 }
}

/// Runs a future up to its n-th suspension and drops it there, before or after what it waits for has come. `None` if it
/// came to its end before.
async fn dropped_at<F: Future>(suspension: usize, awoken: bool, future: F) -> Option<F::Output> {
    let mut future: Pin<Box<F>> = Box::pin(future);
    let mut left = suspension;
    let output = poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await;
    if output.is_none() && awoken {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    output
}

/// What is done, and dropped, while a transaction is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// BEGIN of the transaction itself, and its COMMIT.
    Begin,
    Commit,
    /// SAVEPOINT, a statement in it, its end.
    Nest,
    WriteInside,
    CommitInner,
    RollbackInner,
    /// The statement that first has to undo an inner transaction that was dropped.
    StatementAfterDrop,
    NestAfterDrop,
    CommitAfterDrop,
    /// A call that has a savepoint of its own.
    InsertAll,
    /// A whole inner transaction by closure.
    Closure,
}

const STEPS: [Step; 11] = [
    Step::Begin,
    Step::Commit,
    Step::Nest,
    Step::WriteInside,
    Step::CommitInner,
    Step::RollbackInner,
    Step::StatementAfterDrop,
    Step::NestAfterDrop,
    Step::CommitAfterDrop,
    Step::InsertAll,
    Step::Closure,
];

/// Whether dropping a future may cost the whole transaction: it was at a write that the driver had to interrupt, or the
/// driver gives up a connection whose answer nobody waited for.
fn may_cost_everything(step: Step, gives_up: bool) -> bool {
    gives_up
        || matches!(step, Step::Begin | Step::Commit | Step::CommitAfterDrop)
        || matches!(step, Step::WriteInside | Step::StatementAfterDrop | Step::InsertAll | Step::Closure)
}

/// One run; whether the future came to its end before it could be dropped.
async fn run(repo: &Repo, step: Step, suspension: usize, awoken: bool, gives_up: bool) -> bool {
    let told = format!("{step:?} dropped at {suspension}, awoken: {awoken}");
    repo.execute_raw("DELETE FROM notes", []).await.unwrap();
    let mut done = false;
    if step == Step::Begin {
        if let Some(tx) = dropped_at(suspension, awoken, repo.begin()).await {
            (done, _) = (true, tx.unwrap().rollback().await.unwrap());
        }
    } else {
        let tx = repo.begin().await.unwrap();
        tx.insert(note("outer")).await.unwrap();
        let outer: Repo = (*tx).clone();
        // Dropped with rows of its own, at the times that have one.
        let abandoned = async || {
            let inner = outer.begin().await.unwrap();
            inner.insert(note("dropped")).await.unwrap();
            drop(inner);
        };
        let twice = async |inner: &Repo| {
            inner.insert(note("inner")).await?;
            inner.insert(note("inner")).await
        };
        match step {
            Step::Begin | Step::Commit => {}
            Step::Nest => {
                if let Some(inner) = dropped_at(suspension, awoken, outer.begin()).await {
                    let inner = inner.unwrap();
                    twice(&inner).await.unwrap();
                    inner.commit().await.unwrap();
                    done = true;
                }
            }
            Step::WriteInside => {
                let inner = outer.begin().await.unwrap();
                let first = dropped_at(suspension, awoken, inner.insert(note("inner"))).await;
                if first.is_some() {
                    inner.insert(note("inner")).await.unwrap();
                    inner.commit().await.unwrap();
                    done = true;
                }
            }
            Step::CommitInner | Step::RollbackInner => {
                let inner = outer.begin().await.unwrap();
                twice(&inner).await.unwrap();
                let ended = if step == Step::CommitInner {
                    dropped_at(suspension, awoken, inner.commit()).await
                } else {
                    dropped_at(suspension, awoken, inner.rollback()).await
                };
                done = ended.is_some_and(|ended| ended.map(|()| true).unwrap());
            }
            Step::StatementAfterDrop => {
                abandoned().await;
                done = dropped_at(suspension, awoken, outer.insert(note("statement"))).await.is_some();
            }
            Step::NestAfterDrop => {
                abandoned().await;
                if let Some(inner) = dropped_at(suspension, awoken, outer.begin()).await {
                    let inner = inner.unwrap();
                    twice(&inner).await.unwrap();
                    inner.commit().await.unwrap();
                    done = true;
                }
            }
            Step::CommitAfterDrop => abandoned().await,
            Step::InsertAll => {
                let rows = (0..batch(repo)).map(|_| note("batch"));
                done = dropped_at(suspension, awoken, outer.insert_all(rows)).await.is_some();
            }
            Step::Closure => {
                done = dropped_at(suspension, awoken, outer.transaction(twice)).await.is_some();
            }
        }
        let committed = if matches!(step, Step::Commit | Step::CommitAfterDrop) {
            let ended = dropped_at(suspension, awoken, tx.commit()).await;
            done = ended.is_some();
            // Whether a COMMIT that was dropped took effect is unknown.
            ended.map(|ended| ended.unwrap())
        } else {
            // It goes on as if nothing had been, with levels of the same depth as those that were dropped.
            let after: Result<()> = async {
                outer.insert(note("after")).await?;
                outer.transaction(async |inner| inner.insert(note("nested after")).await).await?;
                let undone = outer
                    .transaction(async |inner| {
                        inner.insert(note("undone")).await?;
                        Err::<(), _>(Error::other("undo"))
                    })
                    .await;
                assert!(undone.is_err(), "{told}");
                Ok(())
            }
            .await;
            let ended = tx.commit().await;
            match (after, ended) {
                (Ok(()), Ok(())) => Some(()),
                (after, Ok(())) => panic!("{told}: {after:?}, and then committed"),
                (after, Err(error)) => {
                    assert!(may_cost_everything(step, gives_up) && !done, "{told}: {after:?}, {error}");
                    assert!(!error.to_string().contains("nested"), "{told}: the reason is another: {error}");
                    assert_eq!(repo.count(Query::<Note>::new()).await.unwrap(), 0, "{told}");
                    return done;
                }
            }
        };
        let rows: Vec<(String,)> = repo.pluck((Note::TEXT,), Query::new()).await.unwrap();
        let count = |text: &str| rows.iter().filter(|(row,)| row == text).count();
        assert_eq!((count("dropped"), count("undone")), (0, 0), "{told}: {rows:?}");
        assert!([0, 2].contains(&count("inner")), "{told}: {rows:?}");
        assert!([0, batch(repo)].contains(&count("batch")), "{told}: {} of a batch", count("batch"));
        if committed.is_none() {
            assert!(rows.is_empty() || count("outer") == 1, "{told}: {rows:?}");
        } else {
            assert_eq!(count("outer"), 1, "{told}: {rows:?}");
            if !matches!(step, Step::Commit | Step::CommitAfterDrop) {
                assert_eq!((count("after"), count("nested after")), (1, 1), "{told}: {rows:?}");
            }
        }
    }
    // Every connection is back, and is outside a transaction.
    repo.transaction(async |tx| tx.insert(note("whole")).await).await.unwrap();
    assert!(repo.exists(Query::filter(Note::TEXT.eq("whole"))).await.unwrap(), "{told}");
    done
}

/// How many futures were dropped.
async fn all(repo: &Repo, gives_up: bool) -> usize {
    repo.create_table::<Note>().await.unwrap();
    let mut dropped = 0;
    for step in STEPS {
        for awoken in [false, true] {
            for suspension in 0.. {
                let limit =
                    tokio::time::timeout(Duration::from_secs(30), run(repo, step, suspension, awoken, gives_up));
                if limit.await.unwrap_or_else(|_| panic!("{step:?} dropped at {suspension} never ends")) {
                    break;
                }
                dropped += 1;
                assert!(suspension < 500, "{step:?} never ends");
            }
        }
    }
    dropped
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

#[test]
fn on_sqlite() {
    let mut offloaded = 0;
    for execution in [Execution::Offload, Execution::Auto, Execution::Inline, Execution::BlockInPlace] {
        for runtime in [current_thread(), multi_thread()] {
            // The ways that have no suspension of their own need not be tried twice.
            for memory in [false, true].into_iter().filter(|memory| !memory || execution == Execution::Offload) {
                let folder = tempfile::tempdir().unwrap();
                let path = if memory { ":memory:".into() } else { folder.path().join("notes.db") };
                let repo = Repo::new(Sqlite::builder(path).execution(execution).open().unwrap());
                let dropped = runtime.block_on(all(&repo, false));
                if execution == Execution::Offload {
                    offloaded += dropped;
                }
            }
        }
    }
    assert!(offloaded > 100, "only {offloaded} futures were dropped");
}

#[derive(Model, Debug, Clone)]
struct Folder {
    id: i64,
    #[has_many]
    pages: HasMany<Page>,
}

#[derive(Model, Debug, Clone)]
struct Page {
    id: i64,
    folder_id: i64,
    #[has_many]
    lines: HasMany<Line>,
}

#[derive(Model, Debug, Clone)]
struct Line {
    id: i64,
    page_id: i64,
}

/// A snapshot's end may fail as well, after everything was read.
#[test]
fn a_snapshot_whose_end_fails_leaves_structs_as_they_were() {
    current_thread().block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = Sqlite::open(folder.path().join("folders.db")).unwrap();
        let recorder = Recorder::default();
        let repo = Repo::new(Recorded::new(Arc::new(sqlite), recorder.clone()));
        repo.create_table::<Folder>().await.unwrap();
        repo.create_table::<Page>().await.unwrap();
        repo.create_table::<Line>().await.unwrap();
        let mut folders = repo.insert_all((0..3).map(|_| Folder::build())).await.unwrap();
        let pages = repo.insert_all(folders.iter().map(|folder| Page::build().set(Page::FOLDER_ID, folder.id)));
        let pages = pages.await.unwrap();
        repo.insert_all(pages.iter().map(|page| Line::build().set(Line::PAGE_ID, page.id))).await.unwrap();
        let before = format!("{folders:?}");
        for round in ["preload", "reload", "together"] {
            recorder.fail_commit();
            let tree = Folder::PAGES.with(Page::LINES);
            let failed = match round {
                "preload" => repo.preload(&mut folders, tree).await,
                "reload" => repo.reload(&mut folders, tree).await,
                _ => repo.together().preload(&mut folders, tree).run().await,
            };
            assert!(failed.is_err(), "{round}");
            assert_eq!(format!("{folders:?}"), before, "{round}");
        }
        repo.preload(&mut folders, Folder::PAGES.with(Page::LINES)).await.unwrap();
        assert_eq!(folders[2].pages().unwrap()[0].lines().unwrap().len(), 1);
    });
}

mod mariadb {
    use super::*;

    #[test]
    fn the_same() {
        // What goes on in the background has a thread of its own in one of them.
        for runtime in [multi_thread(), current_thread()] {
            let dropped = runtime.block_on(async {
                let database = MariaDb.fresh().await.unwrap();
                let repo = Repo::from_driver(Arc::clone(database.driver()));
                all(&repo, true).await
            });
            assert!(dropped > 15, "only {dropped} futures were dropped");
        }
    }
}

mod postgres {
    use super::*;

    #[test]
    fn the_same() {
        // What goes on in the background has a thread of its own in one of them.
        for runtime in [multi_thread(), current_thread()] {
            let dropped = runtime.block_on(async {
                let database = PostgreSql.fresh().await.unwrap();
                let repo = Repo::from_driver(Arc::clone(database.driver()));
                all(&repo, true).await
            });
            assert!(dropped > 15, "only {dropped} futures were dropped");
        }
    }
}
