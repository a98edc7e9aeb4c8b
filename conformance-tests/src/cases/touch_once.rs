//! Touches of a transaction: each row once, at one time (F159), also where savepoints are undone.

use std::time::{Duration, SystemTime};

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::counted::{self, Article, Comment, Writer};
use crate::models::followers::{self, Badge, Keeper};

cases! { "touch_once", Level::Write;
    in_a_transaction,
    savepoints,
    dropped_savepoints,
    other_writes,
    what_comes_back,
    filtered,
    has_one,
    by_hand,
}

fn at(repo: &Repo, second: u64) -> Repo {
    repo.with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

fn second(time: chrono::NaiveDateTime) -> i64 {
    time.and_utc().timestamp()
}

fn comment(article: i64) -> Changeset<Comment> {
    Comment::build().set(Comment::ARTICLE_ID, article).set(Comment::BODY, "fine")
}

async fn times(cx: &mut Context, tx: &Repo) -> Result<()> {
    for writer in tx.all_by_key(Query::<Writer>::new()).await? {
        cx.note("times", format!("writer {}: {}", writer.id, second(writer.updated_at)));
    }
    for article in tx.all_by_key(Query::<Article>::new()).await? {
        let discussed = article.discussed_at.map(second);
        cx.note("times", format!("article {}: {}, discussed {discussed:?}", article.id, second(article.updated_at)));
    }
    Ok(())
}

async fn in_a_transaction(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let tx = repo.begin().await?;
    let own = cx.step("the first write touches", at(&tx, 10).insert(comment(1))).await?;
    cx.step("the second only counts", at(&tx, 20).insert(comment(1))).await?;
    cx.step("a change only writes the row", at(&tx, 30).update(own.change().set(Comment::BODY, "x"))).await?;
    times(cx, &tx).await?;
    cx.step("another article of no writer", at(&tx, 40).update(own.change().set(Comment::ARTICLE_ID, 3))).await?;
    times(cx, &tx).await?;
    cx.step("destroyed", at(&tx, 50).destroy(&own)).await?;
    tx.commit().await?;
    times(cx, &repo).await?;
    cx.step("after the transaction", at(&repo, 60).insert(comment(1))).await?;
    times(cx, &repo).await
}

async fn savepoints(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let tx = repo.begin().await?;
    let inner = tx.begin().await?;
    at(&inner, 10).insert(comment(1)).await?;
    times(cx, &inner).await?;
    inner.rollback().await?;
    // The times are the old ones again, so the outer level touches for itself.
    cx.step("after a savepoint that was undone", at(&tx, 20).insert(comment(1))).await?;
    times(cx, &tx).await?;
    let inner = tx.begin().await?;
    cx.step("below what has touched", at(&inner, 30).insert(comment(1))).await?;
    at(&inner, 30).insert(comment(2)).await?;
    inner.rollback().await?;
    let inner = tx.begin().await?;
    at(&inner, 40).insert(comment(2)).await?;
    inner.commit().await?;
    cx.step("after a savepoint that was kept", at(&tx, 50).insert(comment(2))).await?;
    // A call that fails undoes what it has touched.
    let failed = at(&tx, 60).insert_all([comment(3), comment(99)]).await.is_err();
    cx.require(failed, "an article that is not there")?;
    cx.step("after a call that failed", at(&tx, 70).insert(comment(3))).await?;
    tx.commit().await?;
    times(cx, &repo).await
}

async fn dropped_savepoints(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let tx = repo.begin().await?;
    let inner = tx.begin().await?;
    at(&inner, 10).insert(comment(1)).await?;
    drop(inner);
    cx.step("after one that was dropped", at(&tx, 20).insert(comment(1))).await?;
    tx.commit().await?;
    times(cx, &repo).await
}

// What else writes the row has the last word, and the next touch is one again.
async fn other_writes(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let tx = repo.begin().await?;
    at(&tx, 10).insert(comment(1)).await?;
    let article = tx.get_or_fail::<Article>(1, Query::new()).await?;
    at(&tx, 20).update(article.change().set(Article::TITLE, "x")).await?;
    cx.step("after an update", at(&tx, 30).insert(comment(1))).await?;
    times(cx, &tx).await?;
    let old = chrono::DateTime::from_timestamp(2, 0).map(|time| time.naive_utc());
    tx.update_all(Query::filter(Article::ID.eq(1)), [Article::DISCUSSED_AT.to(old)]).await?;
    cx.step("after update_all", at(&tx, 40).insert(comment(1))).await?;
    times(cx, &tx).await?;
    tx.execute_raw("UPDATE articles SET discussed_at = NULL", []).await?;
    cx.step("after raw SQL", at(&tx, 50).insert(comment(1))).await?;
    times(cx, &tx).await?;
    // A row of the same key is another row.
    tx.delete_all(Query::<Comment>::new()).await?;
    let article = tx.get_or_fail::<Article>(1, Query::new()).await?;
    tx.delete(&article).await?;
    let again = Article::build().set(Article::ID, 1).set(Article::TITLE, "again");
    at(&tx, 60).insert(again).await?;
    cx.step("of a row that came back", at(&tx, 70).insert(comment(1))).await?;
    tx.commit().await?;
    times(cx, &repo).await
}

async fn what_comes_back(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let stale = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let tx = repo.begin().await?;
    let draft = || Comment::build().set(Comment::BODY, "x").associate(Comment::ARTICLE, stale.change());
    at(&tx, 10).insert(draft()).await?;
    let again = cx.step("given as it was before", at(&tx, 20).insert(draft())).await?;
    let stored = tx.get_or_fail::<Article>(1, Query::new()).await?;
    let held = again.article()?;
    cx.require(held.updated_at == stored.updated_at && held.discussed_at == stored.discussed_at, "as it is stored")?;
    tx.commit().await?;
    times(cx, &repo).await
}

// What one handle does not see it does not touch, and another does.
async fn filtered(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let own = at(&repo, 2).insert(comment(1)).await?;
    let tx = repo.begin().await?;
    let blind = tx.filtered(|model| (model.name == "Article").then(|| Expr::equals("id", Value::from(2))));
    cx.step("hidden", at(&blind, 10).update(own.change().set(Comment::BODY, "x"))).await?;
    times(cx, &tx).await?;
    let own = tx.get_or_fail::<Comment>(own.id, Query::new()).await?;
    cx.step("seen", at(&tx, 20).update(own.change().set(Comment::BODY, "y"))).await?;
    let quiet = at(&tx, 30).no_touching();
    quiet.insert(comment(2)).await?;
    cx.step("after one that does not touch", at(&tx, 40).insert(comment(2))).await?;
    tx.commit().await?;
    times(cx, &repo).await
}

async fn has_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    followers::tables(&repo).await?;
    let early = at(&repo, 1);
    let draft = Keeper::build().set(Keeper::NAME, "Ada").set_one(Keeper::BADGE, Badge::build().set(Badge::TEXT, "A"));
    let keeper = early.insert(draft).await?;
    let tx = repo.begin().await?;
    let keeper = cx.step("first", at(&tx, 10).update(keeper.change().set(Keeper::NAME, "B"))).await?;
    let keeper = cx.step("second", at(&tx, 20).update(keeper.change().set(Keeper::NAME, "C"))).await?;
    // A row that comes to belong to it is another one.
    let new = Badge::build().set(Badge::TEXT, "new").set(Badge::KEEPER_ID, keeper.id);
    at(&tx, 30).no_touching().insert(new).await?;
    cx.step("third", at(&tx, 40).update(keeper.change().set(Keeper::NAME, "D"))).await?;
    tx.commit().await?;
    for badge in repo.all_by_key(Query::<Badge>::new()).await? {
        cx.note("badge", format!("{}: {}, {:?}", badge.text, second(badge.updated_at), badge.seen_at.map(second)));
    }
    Ok(())
}

// A touch that is asked for is one.
async fn by_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let tx = repo.begin().await?;
    let mut article = tx.get_or_fail::<Article>(1, Query::new()).await?;
    cx.step("first", at(&tx, 10).touch(&mut article)).await?;
    cx.step("second", at(&tx, 20).touch(&mut article)).await?;
    cx.require(article == tx.get_or_fail::<Article>(1, Query::new()).await?, "the struct follows")?;
    cx.step("a comment", at(&tx, 30).insert(comment(1))).await?;
    tx.commit().await?;
    times(cx, &repo).await
}
