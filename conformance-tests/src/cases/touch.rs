//! Touch (F121, F159): times of the rows that a written row belongs to.

use std::time::{Duration, SystemTime};

use assoc_core::Result;
use assoc_core::metadata::Expr;
use assoc_repo::Changeset;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::counted::{self, Article, Branch, Comment, Mark, Writer};

cases! { "touch", Level::Write;
    f159_inserted_changed_destroyed,
    moves_touch_both,
    named_columns_and_grandparents,
    once_for_many_rows,
    what_the_save_sets_itself,
    polymorphic,
    rings_of_rows,
    no_touching,
    as_a_call,
    fractions_of_a_second,
    hidden_parents,
}

fn at(repo: &Repo, second: u64) -> Repo {
    repo.with_clock(move || SystemTime::UNIX_EPOCH + Duration::from_secs(second))
}

fn comment(article: i64) -> Changeset<Comment> {
    Comment::build().set(Comment::ARTICLE_ID, article).set(Comment::BODY, "fine")
}

/// When rows were touched, in seconds.
async fn times(cx: &mut Context, label: &str) -> Result<()> {
    let repo = cx.repo();
    let second = |time: chrono::NaiveDateTime| time.and_utc().timestamp();
    for writer in repo.all_by_key(Query::<Writer>::new()).await? {
        cx.note(label, format!("writer {}: {}, version {}", writer.id, second(writer.updated_at), writer.version));
    }
    for article in repo.all_by_key(Query::<Article>::new()).await? {
        let discussed = article.discussed_at.map(second);
        cx.note(label, format!("article {}: {}, discussed {discussed:?}", article.id, second(article.updated_at)));
    }
    Ok(())
}

async fn f159_inserted_changed_destroyed(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let own = cx.step("inserted", at(&repo, 10).insert(comment(1))).await?;
    times(cx, "times").await?;
    let later = at(&repo, 20);
    let same = later.update(own.change().set(Comment::BODY, "fine"));
    let own = cx.step("nothing is written", same).await?;
    times(cx, "times").await?;
    let own = cx.step("changed", at(&repo, 30).update(own.change().set(Comment::BODY, "x"))).await?;
    times(cx, "times").await?;
    cx.step("destroyed", at(&repo, 40).destroy(&own)).await?;
    times(cx, "times").await
}

async fn moves_touch_both(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let own = at(&repo, 10).insert(comment(1)).await?;
    cx.step("moved", at(&repo, 20).update(own.change().set(Comment::ARTICLE_ID, 2))).await?;
    times(cx, "times").await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    cx.step("a parent with its own", at(&repo, 30).update(article.change().set(Article::WRITER_ID, 2))).await?;
    times(cx, "times").await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    cx.step("to none", at(&repo, 40).update(article.change().dissociate(Article::WRITER))).await?;
    times(cx, "times").await
}

async fn named_columns_and_grandparents(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    cx.step("of an article without writer", at(&repo, 10).insert(comment(3))).await?;
    times(cx, "times").await?;
    cx.step("of all", at(&repo, 20).insert_all([1, 2, 3].map(comment))).await?;
    times(cx, "times").await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let graph =
        article.change().push(Article::COMMENTS, ["a", "b"].map(|body| Comment::build().set(Comment::BODY, body)));
    let saved = cx.step("a graph", at(&repo, 30).update(graph)).await?;
    let seconds = |time: chrono::NaiveDateTime| time.and_utc().timestamp();
    cx.require(seconds(saved.updated_at) == 30 && saved.discussed_at.map(seconds) == Some(30), "in what comes back")?;
    times(cx, "times").await
}

async fn once_for_many_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let many = (0..30).map(|row| comment(1 + row % 3));
    let many = cx.step("30 comments", at(&repo, 10).insert_all(many)).await?;
    times(cx, "times").await?;
    cx.step("all of them go", at(&repo, 20).destroy_rows(&many)).await?;
    times(cx, "times").await
}

async fn what_the_save_sets_itself(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let said = || Comment::build().set(Comment::BODY, "x");
    let given = chrono::DateTime::from_timestamp(5, 0).map(|time| time.naive_utc());
    let graph = article.change().set(Article::DISCUSSED_AT, given).push(Article::COMMENTS, said());
    let saved = cx.step("a time that is given", at(&repo, 10).update(graph)).await?;
    cx.require(saved.discussed_at == given, "stays")?;
    times(cx, "times").await?;
    // A row that is inserted with what touches it is inserted with its times.
    let new = Article::build().set(Article::TITLE, "new").set(Article::WRITER_ID, 2).push(Article::COMMENTS, said());
    let saved = cx.step("a new one", at(&repo, 20).insert(new)).await?;
    cx.require(saved.discussed_at == Some(saved.updated_at), "touched")?;
    times(cx, "times").await
}

async fn polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    let article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    let mark = cx.step("a writer's", at(&repo, 10).insert(Mark::build().associate(Mark::MARKABLE, &writer))).await?;
    times(cx, "times").await?;
    cx.step("the article's", at(&repo, 20).update(mark.change().associate(Mark::MARKABLE, &article))).await?;
    times(cx, "times").await
}

// Parents that are each other's are touched once.
async fn rings_of_rows(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Branch>().await?;
    let early = at(&repo, 1);
    let keyed = |id: i64, parent: Option<i64>| Branch::build().set(Branch::ID, id).set(Branch::PARENT_ID, parent);
    early.insert_all([keyed(1, None), keyed(2, Some(1)), keyed(3, Some(2))]).await?;
    early.update_all(Query::filter(Branch::ID.eq(1)), [Branch::PARENT_ID.to(3)]).await?;
    cx.step("below a ring", at(&repo, 10).insert(keyed(4, Some(2)))).await?;
    for branch in repo.all_by_key(Query::<Branch>::new()).await? {
        cx.note("branch", format!("{}: {}", branch.id, branch.updated_at.and_utc().timestamp()));
    }
    Ok(())
}

async fn no_touching(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let quiet = at(&repo, 10).no_touching();
    let own = cx.step("inserted", quiet.insert(comment(1))).await?;
    cx.step("changed", quiet.update(own.change().set(Comment::BODY, "x"))).await?;
    cx.step("destroyed", quiet.destroy(&own)).await?;
    times(cx, "times").await?;
    let count = repo.get_or_fail::<Article>(1, Query::new()).await?.comments_count;
    cx.require(count == Some(0), "counters follow")?;
    let mut writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    cx.step("as a call", quiet.touch(&mut writer)).await?;
    let renamed = quiet.update(writer.change().set(Writer::NAME, "Ada Lovelace")).await?;
    cx.require(renamed.updated_at.and_utc().timestamp() == 10, "its own time moves")?;
    let within = quiet.transaction(async |tx| tx.insert(comment(1)).await);
    cx.step("in a transaction", within).await?;
    times(cx, "times").await
}

async fn as_a_call(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let mut article = repo.get_or_fail::<Article>(1, Query::new()).await?;
    cx.step("a row", at(&repo, 10).touch(&mut article)).await?;
    times(cx, "times").await?;
    cx.require(article.discussed_at.is_none(), "not what is not named")?;
    cx.step("a column", at(&repo, 20).touch_columns(&mut article, Article::DISCUSSED_AT)).await?;
    cx.require(article == repo.get_or_fail::<Article>(1, Query::new()).await?, "the struct follows")?;
    times(cx, "times").await?;
    cx.fails("no time", repo.touch_columns(&mut article, Article::TITLE)).await?;
    let mut comment = repo.insert(comment(1)).await?;
    cx.fails("without times", repo.touch(&mut comment)).await?;
    repo.destroy(&article).await?;
    let error = cx.fails("gone", repo.touch(&mut article)).await?;
    cx.require(error.is_not_found(), "not found")?;
    let mut writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    let hidden = repo.filtered(|_| Some(Expr::equals("id", Value::from(2))));
    let error = cx.fails("hidden", hidden.touch(&mut writer)).await?;
    cx.require(error.is_not_found(), "not found")
}

async fn fractions_of_a_second(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let exact = repo.with_clock(|| SystemTime::UNIX_EPOCH + Duration::from_micros(10_000_001));
    let mut writer = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    exact.touch(&mut writer).await?;
    cx.require(writer == repo.get_or_fail::<Writer>(1, Query::new()).await?, "as it is stored")?;
    let saved = exact.update(writer.change().push(Writer::MARKS, Mark::build())).await?;
    let bare = repo.get_or_fail::<Writer>(1, Query::new()).await?;
    cx.require(saved.updated_at == bare.updated_at && saved.marks_count == 1, "as it is stored")
}

// A filtered repo touches what it sees.
async fn hidden_parents(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    counted::fixture(&at(&repo, 1)).await?;
    let own = at(&repo, 10).insert_all([1, 2].map(comment)).await?;
    let first = at(&repo, 20).filtered(|model| (model.name == "Article").then(|| Expr::equals("id", Value::from(1))));
    for own in &own {
        cx.step("changed", first.update(own.change().set(Comment::BODY, "x"))).await?;
    }
    times(cx, "times").await
}
