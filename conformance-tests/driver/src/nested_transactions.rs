//! Savepoints as levels of a transaction: which handle may be used when, and what becomes of their rows.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use assoc_core::{ErrorKind, Result};
use assoc_repo::prelude::*;
use assoc_repo::{Changeset, Transaction};
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Post};

cases! { "nested_transactions", Level::Transaction;
    a_handle_of_an_ended_level_refuses,
    the_outer_handle_waits_its_turn,
    one_fails_beside_another,
    both_succeed_beside_each_other,
    tasks_beside_each_other,
    a_stale_handle_harms_no_other_level,
    what_was_ended_without_its_inner_level,
    deep,
    many_one_after_the_other,
}

fn author(name: &str) -> Changeset<Author> {
    Author::build().set(Author::NAME, name)
}

async fn names(cx: &mut Context) -> Result<()> {
    cx.rows("authors", "SELECT name FROM authors ORDER BY id").await
}

fn is_refused<T>(result: &Result<T>) -> bool {
    matches!(result, Err(error) if matches!(error.kind(), ErrorKind::Transaction(_)))
}

// Whatever is done with the handle is refused, and nothing is sent.
async fn is_over(cx: &mut Context, title: &str, handle: &Repo) -> Result<()> {
    cx.fails(&format!("{title}: insert"), handle.insert(author("late"))).await?;
    cx.fails(&format!("{title}: read"), handle.all(Query::<Author>::new())).await?;
    let refused = [
        is_refused(&handle.insert_all((0..2_000).map(|_| author("late"))).await),
        is_refused(&handle.count(Query::<Post>::new()).await),
        is_refused(&handle.all(Query::<Author>::preload(Author::POSTS)).await),
        is_refused(&handle.execute_raw("DELETE FROM authors", []).await),
        is_refused(&handle.begin().await),
        is_refused(&handle.transaction(async |tx| tx.insert(author("late")).await).await),
    ];
    cx.require(refused == [true; 6], "all of it is refused")
}

async fn a_handle_of_an_ended_level_refuses(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    for depth in 0..4 {
        for end in ["commit", "rollback", "drop"] {
            let tx = repo.begin().await?;
            let mut levels: Vec<Transaction> = Vec::new();
            for _ in 0..depth {
                let inner = levels.last().map_or(&*tx, |outer| outer).begin().await?;
                levels.push(inner);
            }
            let innermost = levels.pop();
            let handle: Repo = innermost.as_ref().map_or(&*tx, |level| level).clone();
            handle.insert(author(&format!("{depth} {end}"))).await?;
            let (ended, tx) = match innermost {
                Some(innermost) => (innermost, Some(tx)),
                None => (tx, None),
            };
            match end {
                "commit" => ended.commit().await?,
                "rollback" => ended.rollback().await?,
                _ => drop(ended),
            }
            is_over(cx, &format!("{depth} {end}"), &handle).await?;
            // The levels around it go on.
            while let Some(level) = levels.pop() {
                level.insert(author(&format!("{depth} {end}, around"))).await?;
                level.commit().await?;
            }
            if let Some(tx) = tx {
                tx.commit().await?;
                is_over(cx, &format!("{depth} {end}, all over"), &handle).await?;
            }
        }
    }
    names(cx).await
}

async fn the_outer_handle_waits_its_turn(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    let outer: Repo = (*tx).clone();
    outer.insert(author("before")).await?;
    let inner = outer.begin().await?;
    inner.insert(author("inner")).await?;
    is_over(cx, "while an inner level is open", &outer).await?;
    let innermost = inner.begin().await?;
    is_over(cx, "while two are", &outer).await?;
    is_over(cx, "the middle one", &inner).await?;
    innermost.insert(author("innermost")).await?;
    innermost.commit().await?;
    inner.insert(author("inner again")).await?;
    inner.rollback().await?;
    cx.step("afterwards", outer.insert(author("after"))).await?;
    tx.commit().await?;
    names(cx).await
}

/// Polls two futures in turn, as `join!` does.
async fn both<A: Future, B: Future>(one: A, other: B) -> (A::Output, B::Output) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut of_one, mut of_other) = (None, None);
    poll_fn(move |cx| {
        if of_one.is_none()
            && let Poll::Ready(output) = one.as_mut().poll(cx)
        {
            of_one = Some(output);
        }
        if of_other.is_none()
            && let Poll::Ready(output) = other.as_mut().poll(cx)
        {
            of_other = Some(output);
        }
        match (of_one.take(), of_other.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (of_one, of_other) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

async fn yield_often() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

async fn one_fails_beside_another(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    let failing = tx.transaction(async |inner| {
        inner.insert(author("undone")).await?;
        yield_often().await;
        Err::<(), _>(Error::other("no"))
    });
    let beside = async {
        tokio::task::yield_now().await;
        tx.transaction(async |inner| inner.insert(author("beside")).await).await
    };
    let (failed, beside) = both(failing, beside).await;
    cx.require(failed.is_err_and(|error| error.to_string() == "no"), "the first has its own error")?;
    cx.require(is_refused(&beside), "the second does not run inside it")?;
    tx.insert(author("kept")).await?;
    tx.commit().await?;
    names(cx).await
}

async fn both_succeed_beside_each_other(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    let work = |name: &'static str, pause: bool| {
        let tx: Repo = (*tx).clone();
        async move {
            if pause {
                tokio::task::yield_now().await;
            }
            tx.transaction(async |inner| {
                inner.insert(author(name)).await?;
                yield_often().await;
                inner.insert(author(name)).await
            })
            .await
        }
    };
    let (one, other) = both(work("one", false), work("other", true)).await;
    cx.require(one.is_ok() && is_refused(&other), "one after the other, or not at all")?;
    tx.commit().await?;
    names(cx).await
}

async fn tasks_beside_each_other(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    for round in 0..10 {
        let tx = repo.begin().await?;
        let tasks: Vec<_> = (0..4)
            .map(|task| {
                let tx: Repo = (*tx).clone();
                tokio::spawn(async move {
                    tx.transaction(async |inner| {
                        let name = format!("{round} {task}");
                        inner.insert(author(&name)).await?;
                        tokio::task::yield_now().await;
                        inner.insert(author(&name)).await?;
                        if task == 0 { Err(Error::other("no")) } else { Ok(()) }
                    })
                    .await
                })
            })
            .collect();
        let (mut kept, mut results) = (0, Vec::new());
        for task in tasks {
            results.push(task.await.map_err(Error::other)?);
        }
        for (task, done) in results.into_iter().enumerate() {
            cx.require(done.is_ok() || task == 0 || is_refused(&done), "it ran alone, or was refused")?;
            let rows = tx.count(Query::filter(Author::NAME.eq(format!("{round} {task}")))).await?;
            cx.require(rows == if done.is_ok() { 2 } else { 0 }, "all of its rows or none")?;
            kept += rows;
        }
        tx.commit().await?;
        let prefix = format!("{round} %");
        cx.require(repo.count(Query::filter(Author::NAME.like(prefix))).await? == kept, "and so it is committed")?;
    }
    Ok(())
}

async fn a_stale_handle_harms_no_other_level(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    let first = tx.begin().await?;
    let second = first.begin().await?;
    second.insert(author("undone")).await?;
    drop(first);
    is_over(cx, "inside a dropped level", &second).await?;
    let third = tx.begin().await?;
    let fourth = third.begin().await?;
    fourth.insert(author("kept")).await?;
    // As deep as the second was.
    drop(second);
    fourth.insert(author("kept too")).await?;
    fourth.commit().await?;
    third.commit().await?;
    let stale = tx.begin().await?;
    let kept: Repo = (*stale).clone();
    stale.commit().await?;
    let fifth = tx.begin().await?;
    fifth.insert(author("fifth")).await?;
    is_over(cx, "beside one that is as deep", &kept).await?;
    fifth.commit().await?;
    tx.commit().await?;
    names(cx).await
}

async fn what_was_ended_without_its_inner_level(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    tx.insert(author("kept")).await?;
    let outer = tx.begin().await?;
    outer.insert(author("undone")).await?;
    let inner = outer.begin().await?;
    inner.insert(author("undone too")).await?;
    cx.fails("commit with an inner level open", outer.commit()).await?;
    is_over(cx, "the inner level", &inner).await?;
    let outer = tx.begin().await?;
    let inner = outer.begin().await?;
    inner.insert(author("undone as well")).await?;
    cx.fails("rollback with an inner level open", outer.rollback()).await?;
    cx.fails("commit of the inner level", inner.commit()).await?;
    tx.insert(author("kept too")).await?;
    tx.commit().await?;
    names(cx).await
}

async fn deep(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let tx = repo.begin().await?;
    let mut levels = vec![tx];
    for depth in 0..50 {
        let inner = match levels.last() {
            Some(outer) => outer.begin().await?,
            None => return Err(Error::other("no level")),
        };
        inner.insert(author(&format!("{depth}"))).await?;
        levels.push(inner);
    }
    // Every tenth is undone, and so is everything inside it that was committed.
    while let Some(level) = levels.pop() {
        if levels.len() % 10 == 9 { level.rollback().await? } else { level.commit().await? }
    }
    cx.note("authors", repo.count(Query::<Author>::new()).await?);
    names(cx).await
}

async fn many_one_after_the_other(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    repo.transaction(async |tx| {
        for round in 0..300 {
            let inner = tx.begin().await?;
            inner.insert(author("x")).await?;
            match round % 3 {
                0 => inner.commit().await?,
                1 => inner.rollback().await?,
                _ => drop(inner),
            }
        }
        Ok::<_, Error>(())
    })
    .await?;
    cx.note("authors", repo.count(Query::<Author>::new()).await?);
    Ok(())
}
