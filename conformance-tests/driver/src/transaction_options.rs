//! Transactions with options: run again, isolated, for reading only; and what runs after them.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use assoc_core::{DriverErrorKind, Result};
use assoc_repo::prelude::*;
use assoc_repo::{IsolationLevel, RetryPolicy, TransactionOptions};
use conformance_harness::{CommitFault, Context, Level, cases};
use conformance_models::blog::{self, Author};
use conformance_written_models::registry::{self, Account};

cases! { "transaction_options", Level::Transaction;
    retried_after_a_statement,
    retried_after_commit,
    not_retried,
    ambiguous_commits,
    deadlocks_are_retried,
    isolation_levels,
    read_only,
    nested_options,
    hooks,
    hooks_of_savepoints,
    hooks_of_dropped_transactions,
    hooks_that_fail,
    hooks_and_retries,
}

fn retrying(attempts: u32) -> TransactionOptions {
    TransactionOptions::new().retry(RetryPolicy::new(attempts).base_delay(Duration::from_micros(10)))
}

fn author(name: &str) -> assoc_repo::Changeset<Author> {
    Author::build().set(Author::NAME, name)
}

async fn names(cx: &mut Context) -> Result<()> {
    cx.rows("authors", "SELECT name FROM authors ORDER BY name").await
}

async fn retried_after_a_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let runs = AtomicUsize::new(0);
    let work = async |tx: &Repo| {
        runs.fetch_add(1, Ordering::Relaxed);
        tx.insert(author("Ann")).await?;
        tx.insert(author("Bob")).await
    };
    cx.recorder().fail_after_with(1, DriverErrorKind::Retryable);
    cx.step("the second statement fails once", repo.transaction_with(retrying(3), work)).await?;
    cx.note("runs", runs.swap(0, Ordering::Relaxed));
    names(cx).await?;
    // The program's error type, made from a deadlock.
    let own = async |tx: &Repo| {
        let first = runs.fetch_add(1, Ordering::Relaxed) == 0;
        if first {
            cx.recorder().fail_after_with(0, DriverErrorKind::Retryable);
        }
        tx.insert(author("Cyd")).await.map_err(|_| Error::other("my own"))
    };
    repo.transaction_with(retrying(3), own).await?;
    cx.note("runs", runs.load(Ordering::Relaxed));
    names(cx).await
}

async fn retried_after_commit(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let runs = AtomicUsize::new(0);
    let work = async |tx: &Repo| {
        runs.fetch_add(1, Ordering::Relaxed);
        tx.insert(author("Ann")).await
    };
    cx.recorder().fail_commit_with(CommitFault::Undone(DriverErrorKind::Retryable));
    cx.step("COMMIT fails once", repo.transaction_with(retrying(2), work)).await?;
    cx.note("runs", runs.load(Ordering::Relaxed));
    names(cx).await
}

async fn not_retried(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let runs = AtomicUsize::new(0);
    let counted = |tx: &Repo| {
        runs.fetch_add(1, Ordering::Relaxed);
        tx.clone()
    };
    let work = async |tx: &Repo| counted(tx).insert(author("Ann")).await;
    cx.recorder().fail_after_with(0, DriverErrorKind::Retryable);
    cx.fails("once without a policy", repo.transaction_with(TransactionOptions::new(), work)).await?;
    cx.recorder().fail_after_with(0, DriverErrorKind::Retryable);
    cx.fails("a policy of one attempt", repo.transaction_with(retrying(1), work)).await?;
    cx.recorder().fail_after_with(0, DriverErrorKind::ConnectionLost);
    cx.fails("another class", repo.transaction_with(retrying(9), work)).await?;
    let refusing = async |tx: &Repo| {
        counted(tx).insert(author("Ann")).await?;
        Err::<(), _>(Error::other("refused"))
    };
    cx.fails("the closure's own error", repo.transaction_with(retrying(9), refusing)).await?;
    let failing = async |tx: &Repo| {
        cx.recorder().fail_after_with(0, DriverErrorKind::Retryable);
        counted(tx).insert(author("Ann")).await
    };
    let error = repo.transaction_with(retrying(4), failing).await.map(drop).err();
    cx.require(error.is_some_and(|error| error.is_retryable()), "the last attempt's error")?;
    cx.note("runs", runs.load(Ordering::Relaxed));
    names(cx).await
}

async fn ambiguous_commits(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let work = async |tx: &Repo| tx.insert(author("Ann")).await;
    let ambiguous =
        |error: &Error| error.driver().is_some_and(|error| error.kind() == DriverErrorKind::AmbiguousCommit);
    cx.recorder().fail_commit_with(CommitFault::AmbiguousDone);
    let error = cx.fails("never run again blindly", repo.transaction_with(retrying(9), work)).await?;
    cx.require(ambiguous(&error), "the caller has to find out")?;
    names(cx).await?;
    let verify = async |repo: &Repo, author: &Author| repo.exists(Query::filter(Author::ID.eq(author.id))).await;
    cx.recorder().fail_commit_with(CommitFault::AmbiguousDone);
    let done = cx.step("it took effect", repo.transaction_verified(retrying(9), work, verify)).await?;
    cx.require(done.name == "Ann", "what the closure returned")?;
    names(cx).await?;
    // A later row may get the number that an undone one had.
    let named = async |tx: &Repo| tx.insert(author("Bob")).await;
    let verify = async |repo: &Repo, _: &Author| repo.exists(Query::filter(Author::NAME.eq("Bob"))).await;
    cx.recorder().fail_commit_with(CommitFault::AmbiguousUndone);
    cx.step("it did not, and is run again", repo.transaction_verified(retrying(9), named, verify)).await?;
    names(cx).await?;
    let named = async |tx: &Repo| tx.insert(author("Cyd")).await;
    let verify = async |repo: &Repo, _: &Author| repo.exists(Query::filter(Author::NAME.eq("Cyd"))).await;
    cx.recorder().fail_commit_with(CommitFault::AmbiguousUndone);
    let error = cx
        .fails("it did not, without a policy", repo.transaction_verified(TransactionOptions::new(), named, verify))
        .await?;
    cx.require(ambiguous(&error), "the error of COMMIT")?;
    names(cx).await
}

// Each task moves points between two accounts, in both orders.
async fn deadlocks_are_retried(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    registry::fixture(&repo).await?;
    let tasks: Vec<_> = (0..8_i64)
        .map(|task| {
            let repo = repo.clone();
            tokio::spawn(async move {
                for round in 0..10 {
                    let (from, to) = if (task + round) % 2 == 0 { (1, 2) } else { (2, 1) };
                    let moved = repo
                        .transaction_with(retrying(200), async |tx| {
                            tx.update_all(Query::filter(Account::ID.eq(from)), [Account::VISITS.subtract(1)]).await?;
                            tokio::task::yield_now().await;
                            tx.update_all(Query::filter(Account::ID.eq(to)), [Account::VISITS.add(1)]).await
                        })
                        .await?;
                    assert_eq!(moved, 1);
                }
                Ok::<_, Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await.map_err(Error::other)??;
    }
    cx.rows("as before", "SELECT id, visits FROM accounts WHERE id <= 2 ORDER BY id").await
}

async fn isolation_levels(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let levels = [
        IsolationLevel::ReadUncommitted,
        IsolationLevel::ReadCommitted,
        IsolationLevel::RepeatableRead,
        IsolationLevel::Serializable,
    ];
    for level in levels {
        let options = TransactionOptions::new().isolation(level);
        let work = async |tx: &Repo| tx.insert(author(&format!("{level:?}"))).await;
        cx.step(&format!("{level:?}"), repo.transaction_with(options, work)).await?;
        let reading = async |tx: &Repo| tx.count(Query::<Author>::new()).await;
        let count = cx.step("reading", repo.transaction_with(options.read_only(), reading)).await?;
        cx.note("rows", count);
    }
    names(cx).await
}

async fn read_only(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let tx = repo.begin_with(TransactionOptions::new().read_only()).await?;
    let authors = cx.step("reads", tx.all(Query::preload(Author::POSTS).order_by(Author::ID.asc()))).await?;
    cx.note("rows", authors.len());
    let error = cx.fails("insert", tx.insert(author("x"))).await?;
    cx.require(matches!(error.kind(), ErrorKind::Transaction(_)), "before any SQL")?;
    cx.fails("update", tx.update(authors[0].change().set(Author::NAME, "x"))).await?;
    cx.fails("delete", tx.delete(&authors[0])).await?;
    cx.fails("update_all", tx.update_all(Query::new(), [Author::NAME.to("x")])).await?;
    cx.fails("delete_all", tx.delete_all(Query::<Author>::new())).await?;
    cx.fails("SQL", tx.execute_raw("DELETE FROM authors", [])).await?;
    cx.fails("in a savepoint", tx.transaction(async |inner| inner.insert(author("x")).await)).await?;
    let raw = cx.step("SQL that reads", tx.query_raw::<Author>("SELECT id, name, mentor_id FROM authors", [])).await?;
    cx.note("rows", raw.len());
    tx.commit().await?;
    names(cx).await
}

async fn nested_options(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    let work = async |inner: &Repo| inner.insert(author("x")).await;
    cx.fails("retry", tx.transaction_with(retrying(2), work)).await?;
    cx.fails("read only", tx.transaction_with(TransactionOptions::new().read_only(), work)).await?;
    let isolated = TransactionOptions::new().isolation(IsolationLevel::Serializable);
    cx.fails("isolation", tx.transaction_with(isolated, work)).await?;
    cx.step("none", tx.transaction_with(TransactionOptions::new(), work)).await?;
    tx.commit().await?;
    names(cx).await
}

/// What has run, in order.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<&'static str>>>);

impl Log {
    fn after_commit(&self, tx: &Repo, what: &'static str) -> Result<()> {
        let log = self.clone();
        tx.after_commit(move || async move {
            log.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
            Ok(())
        })
    }

    fn after_rollback(&self, tx: &Repo, what: &'static str) -> Result<()> {
        let log = self.clone();
        tx.after_rollback(move || async move {
            log.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
            Ok(())
        })
    }

    fn take(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).join(", ")
    }
}

async fn hooks(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let log = Log::default();
    repo.transaction(async |tx| {
        log.after_commit(tx, "first")?;
        log.after_rollback(tx, "never")?;
        tx.insert(author("Ann")).await?;
        log.after_commit(tx, "second")
    })
    .await?;
    cx.note("committed", log.take());
    let refused = repo
        .transaction(async |tx| {
            log.after_commit(tx, "never")?;
            log.after_rollback(tx, "undone")?;
            tx.insert(author("Bob")).await?;
            Err::<(), _>(Error::other("no"))
        })
        .await;
    cx.require(refused.is_err(), "refused")?;
    cx.note("rolled back", log.take());
    let tx = repo.begin().await?;
    log.after_commit(&tx, "never")?;
    log.after_rollback(&tx, "dropped")?;
    drop(tx);
    cx.require(log.take().is_empty(), "nothing can be waited for")?;
    repo.transaction(async |tx| tx.insert(author("Cyd")).await).await?;
    cx.note("dropped", log.take());
    // The connection is free again: a hook may use the repo.
    let inner = repo.clone();
    let tx = repo.begin().await?;
    tx.after_commit(move || async move { inner.insert(author("Dan")).await.map(drop) })?;
    tx.commit().await?;
    cx.recorder().fail_commit();
    let failed = repo
        .transaction(async |tx| {
            log.after_commit(tx, "never")?;
            log.after_rollback(tx, "a failed COMMIT")
        })
        .await;
    cx.require(failed.is_err(), "COMMIT failed")?;
    cx.note("a failed COMMIT", log.take());
    let error = log.after_commit(&repo, "never").err();
    cx.require(error.is_some_and(|error| matches!(error.kind(), ErrorKind::Transaction(_))), "only in a transaction")?;
    names(cx).await
}

// Of a transaction that is dropped the hooks run before whatever comes next: once, and as part of no call.
async fn hooks_of_dropped_transactions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let log = Log::default();
    let reached = AtomicBool::new(false);
    let work = repo.transaction(async |tx| {
        log.after_commit(tx, "never")?;
        log.after_rollback(tx, "outer")?;
        tx.insert(author("Ann")).await?;
        let undone = tx.begin().await?;
        log.after_rollback(&undone, "undone")?;
        undone.rollback().await?;
        let inner = tx.begin().await?;
        log.after_rollback(&inner, "inner")?;
        inner.insert(author("Bob")).await?;
        reached.store(true, Ordering::Relaxed);
        std::future::pending::<()>().await;
        Ok::<_, Error>(())
    });
    let mut work = Box::pin(work);
    let waits = std::future::poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Pending if reached.load(Ordering::Relaxed) => Poll::Ready(true),
        Poll::Pending => Poll::Pending,
        Poll::Ready(_) => Poll::Ready(false),
    });
    cx.require(waits.await, "it waits in the savepoint")?;
    drop(work);
    cx.require(log.take().is_empty(), "nothing can be waited for")?;
    cx.step("the next call", repo.count(Query::<Author>::new())).await?;
    cx.note("a dropped future", log.take());
    repo.count(Query::<Author>::new()).await?;
    cx.require(log.take().is_empty(), "once")?;
    // A panic.
    let work = repo.transaction(async |tx| {
        log.after_rollback(tx, "a panic")?;
        tx.insert(author("Cyd")).await?;
        if tx.in_transaction() {
            std::panic::resume_unwind(Box::new("an application's own"));
        }
        Ok::<_, Error>(())
    });
    let mut work = Box::pin(work);
    let panicked = std::future::poll_fn(|context| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(_)) => Poll::Ready(false),
            Err(_) => Poll::Ready(true),
        }
    });
    cx.require(panicked.await, "it panics")?;
    drop(work);
    repo.run_left_hooks().await;
    cx.note("a panic", log.take());
    // Hooks that use the repo, fail, and panic: each runs, and none is the business of the call that runs them.
    let tx = repo.begin().await?;
    tx.insert(author("Dan")).await?;
    for _ in 0..3 {
        let outside = repo.clone();
        tx.after_rollback(move || async move { outside.insert(author("told")).await.map(drop) })?;
    }
    tx.after_rollback(|| async { Err(Error::other("fails")) })?;
    tx.after_rollback(|| async { std::panic::resume_unwind(Box::new("panics")) })?;
    log.after_rollback(&tx, "after one that panics")?;
    drop(tx);
    let counted = repo.statement_budget(1, repo.count(Query::<Author>::new())).await??;
    cx.note("rows that the hooks inserted", counted);
    cx.note("others", log.take());
    names(cx).await?;
    // Hooks after COMMIT, of a call that is dropped while the first runs.
    let tx = repo.begin().await?;
    let begun = Arc::new(AtomicBool::new(false));
    let first = Arc::clone(&begun);
    tx.after_commit(move || async move {
        first.store(true, Ordering::Relaxed);
        std::future::pending::<Result<()>>().await
    })?;
    log.after_commit(&tx, "the second")?;
    let mut commit = Box::pin(tx.commit());
    std::future::poll_fn(|context| match commit.as_mut().poll(context) {
        Poll::Pending if !begun.load(Ordering::Relaxed) => Poll::Pending,
        _ => Poll::Ready(()),
    })
    .await;
    drop(commit);
    repo.run_left_hooks().await;
    cx.note("after COMMIT", log.take());
    Ok(())
}

async fn hooks_of_savepoints(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let log = Log::default();
    repo.transaction(async |tx| {
        log.after_commit(tx, "outer")?;
        tx.transaction(async |kept| {
            log.after_commit(kept, "kept")?;
            let undone = kept
                .transaction(async |undone| {
                    log.after_commit(undone, "never")?;
                    log.after_rollback(undone, "undone")?;
                    undone
                        .transaction(async |below| {
                            log.after_commit(below, "never")?;
                            log.after_rollback(below, "below undone")
                        })
                        .await?;
                    Err::<(), _>(Error::other("no"))
                })
                .await;
            assert!(undone.is_err());
            Ok::<_, Error>(())
        })
        .await?;
        let dropped = tx.begin().await?;
        log.after_commit(&dropped, "never")?;
        log.after_rollback(&dropped, "dropped")?;
        drop(dropped);
        tx.insert(author("Ann")).await
    })
    .await?;
    cx.note("ran", log.take());
    names(cx).await
}

async fn hooks_that_fail(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let log = Log::default();
    let work = async |tx: &Repo| {
        tx.insert(author("Ann")).await?;
        tx.after_commit(|| async { Err(Error::other("the first")) })?;
        log.after_commit(tx, "runs all the same")?;
        tx.after_commit(|| async { Err(Error::other("the second")) })
    };
    let error = cx.fails("after COMMIT", repo.transaction_with(retrying(5), work)).await?;
    let told = matches!(error.kind(), ErrorKind::AfterTransaction { committed: true, failed: 2, source }
        if source.to_string() == "the first");
    cx.require(told, "how many, and the first")?;
    cx.note("ran", log.take());
    names(cx).await
}

async fn hooks_and_retries(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let log = Log::default();
    let work = async |tx: &Repo| {
        log.after_commit(tx, "committed")?;
        log.after_rollback(tx, "rolled back")?;
        tx.insert(author("Ann")).await
    };
    cx.recorder().fail_after_with(0, DriverErrorKind::Retryable);
    repo.transaction_with(retrying(3), work).await?;
    cx.note("ran", log.take());
    cx.recorder().fail_commit_with(CommitFault::AmbiguousUndone);
    let lost = repo.transaction_with(retrying(3), work).await;
    cx.require(lost.is_err(), "nobody knows")?;
    cx.note("nobody knows", log.take());
    Ok(())
}
