//! `Multi`: named steps that run together.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Multi, RetryPolicy, Step, TransactionOptions};

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Author, Post};

cases! { "steps", Level::Transaction;
    later_steps_see_earlier_results,
    a_step_that_fails,
    checked_before_anything_runs,
    every_statement_may_fail,
    in_transactions_that_are_retried,
    results_of_other_steps,
}

const STATE: &str = "SELECT id, name FROM authors ORDER BY id";
const POSTS: &str = "SELECT author_id, title FROM posts ORDER BY id";

fn author(name: &str) -> assoc_repo::Changeset<Author> {
    Author::build().set(Author::NAME, name)
}

fn register() -> (Multi, Step<Author>, Step<Post>, Step<u64>) {
    let mut multi = Multi::new();
    let user = multi.insert("author", author("Dan"));
    let post = multi.insert_with("post", move |done| {
        let post = Post::build().associate(Post::AUTHOR, done.get(user)?);
        Ok(post.set(Post::TITLE, "Dan's").set(Post::PUBLISHED, false))
    });
    multi.update_with("publish", move |done| Ok(done.get(post)?.change().set(Post::PUBLISHED, true)));
    multi.insert_all("more", ["Eve", "Flo"].map(author));
    multi.update_all("rename", Query::filter(Author::NAME.eq("Bob")), [Author::NAME.to("Rob")]);
    multi.delete_all("drop", Query::filter(Post::TITLE.eq("P4")));
    let count = multi.run("count", move |tx, done| {
        Box::pin(async move { tx.count(Query::filter(Post::AUTHOR_ID.eq(done.get(user)?.id))).await })
    });
    (multi, user, post, count)
}

async fn later_steps_see_earlier_results(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let (mut multi, user, post, count) = register();
    let ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    multi.update("mentor", ann.change().set(Author::NAME, "Anna"));
    let gone = repo.get_or_fail::<Author>(3, Query::new()).await?;
    multi.delete("delete", &gone);
    cx.show("plan", multi.to_string().lines());
    let mut done = cx.step("run", repo.run(&multi)).await?;
    cx.require(done.get(post)?.author_id == Some(done.get(user)?.id), "the key came from the first step")?;
    cx.require(*done.get(count)? == 1, "counted")?;
    let taken = done.take(user)?;
    cx.require(taken.name == "Dan" && done.get(user).is_err() && done.take(user).is_err(), "taken out once")?;
    cx.rows("authors", STATE).await?;
    let published = repo.count(Query::filter(Post::ID.eq(done.get(post)?.id).and(Post::PUBLISHED.eq(true)))).await?;
    cx.require(published == 1, "a later step has changed what an earlier one inserted")?;
    cx.rows("posts", POSTS).await
}

async fn a_step_that_fails(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let (mut multi, ..) = register();
    multi.insert("again", author("x").set(Author::ID, 1));
    multi.run("never", |_, _| Box::pin(async { Err::<(), _>(Error::other("it ran")) }));
    let error = repo.run(&multi).await.err();
    let named = error.is_some_and(|error| {
        matches!(error.kind(), ErrorKind::Step { step, .. } if step == "again") && error.is_unique_violation()
    });
    cx.require(named, "the step, and what went wrong")?;
    cx.rows("authors", STATE).await?;
    cx.rows("posts", POSTS).await
}

async fn checked_before_anything_runs(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let (mut multi, ..) = register();
    multi.insert("bad", Author::build());
    cx.fails("a changeset", repo.run(&multi)).await?;
    let (mut multi, ..) = register();
    multi.insert_all("more bad", [author("x"), Author::build()]);
    cx.fails("of several", repo.run(&multi)).await?;
    let (mut multi, ..) = register();
    multi.delete_all("author", Query::<Post>::new());
    cx.fails("a name twice", repo.run(&multi)).await?;
    cx.rows("authors", STATE).await
}

// Whatever statement fails, all is as it was before.
async fn every_statement_may_fail(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let before = (repo.all_by_key(Query::<Author>::new()).await?, repo.all_by_key(Query::<Post>::new()).await?);
    let (multi, ..) = register();
    let mut failed = 0;
    loop {
        cx.recorder().fail_after(failed);
        let result = repo.run(&multi).await;
        let failed_now = !cx.recorder().fail_no_more();
        cx.require(result.is_err() == failed_now, "it fails if a statement does")?;
        if !failed_now {
            break;
        }
        failed += 1;
        let after = (repo.all_by_key(Query::<Author>::new()).await?, repo.all_by_key(Query::<Post>::new()).await?);
        cx.require(before == after, "as before")?;
    }
    cx.require(failed >= 7, "each step was the one that failed")?;
    cx.recorder().fail_commit();
    let (multi, ..) = register();
    cx.require(repo.run(&multi).await.is_err(), "COMMIT failed")?;
    cx.note("authors", repo.count(Query::<Author>::new()).await?);
    Ok(())
}

async fn in_transactions_that_are_retried(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let (multi, user, ..) = register();
    cx.recorder().fail_after_with(3, assoc_core::DriverErrorKind::Retryable);
    let options = TransactionOptions::new().retry(RetryPolicy::new(2).base_delay(std::time::Duration::ZERO));
    let done = repo.transaction_with(options, async |tx| tx.run(&multi).await).await?;
    cx.note("author", &done.get(user)?.name);
    let refused = repo
        .transaction(async |tx| {
            tx.run(&multi).await?;
            Err::<(), _>(Error::other("no"))
        })
        .await;
    cx.require(refused.is_err(), "it is part of the transaction around it")?;
    cx.rows("authors", "SELECT name FROM authors ORDER BY name").await
}

async fn results_of_other_steps(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let (multi, ..) = register();
    let (other, theirs, ..) = register();
    let done = repo.run(&multi).await?;
    cx.require(done.get(theirs).is_err(), "a step of another list")?;
    let empty = repo.run(&Multi::new()).await?;
    cx.require(empty.get(theirs).is_err() && other.steps().count() == 7, "no steps")
}
