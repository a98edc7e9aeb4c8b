//! Aggregates over a query.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::models::blog::{self, Comment, Post};

cases! { "aggregates", Level::Read; all_five, over_nothing, over_a_part }

async fn all_five(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let count =
        cx.step("count of a column skips NULL", repo.aggregate(Comment::AUTHOR_ID.count(), Query::new())).await?;
    let rows = cx.step("count of rows", repo.aggregate(Aggregate::<Comment, i64>::count_all(), Query::new())).await?;
    let distinct = cx.step("count distinct", repo.aggregate(Comment::AUTHOR_ID.count_distinct(), Query::new())).await?;
    let sum = cx.step("sum", repo.aggregate(Comment::POST_ID.sum(), Query::new())).await?;
    let avg = cx.step("avg", repo.aggregate(Comment::POST_ID.avg(), Query::new())).await?;
    let min = cx.step("min of text", repo.aggregate(Comment::BODY.min(), Query::new())).await?;
    let max = cx.step("max", repo.aggregate(Comment::AUTHOR_ID.max(), Query::new())).await?;
    cx.note("count, rows, distinct", format!("{count} {rows} {distinct}"));
    cx.note("sum, avg", format!("{sum:?} {avg:?}"));
    cx.note("min, max", format!("{min:?} {max:?}"));
    Ok(())
}

async fn over_nothing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let none = || Query::filter(Post::ID.gt(100));
    let count = cx.step("count", repo.aggregate(Post::ID.count(), none())).await?;
    let sum = cx.step("sum", repo.aggregate(Post::ID.sum(), none())).await?;
    let avg = cx.step("avg", repo.aggregate(Post::ID.avg(), none())).await?;
    let max = cx.step("max", repo.aggregate(Post::TITLE.max(), none())).await?;
    cx.note("count, sum, avg, max", format!("{count} {sum:?} {avg:?} {max:?}"));
    Ok(())
}

async fn over_a_part(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let filtered =
        cx.step("filtered", repo.aggregate(Comment::ID.sum(), Query::filter(Comment::POST_ID.eq(3)))).await?;
    let first = cx
        .step("the first three", repo.aggregate(Comment::ID.sum(), Query::order_by(Comment::ID.asc()).limit(3)))
        .await?;
    let last = cx
        .step("the last two", repo.aggregate(Comment::ID.sum(), Query::order_by(Comment::ID.desc()).limit(2)))
        .await?;
    cx.note("sums", format!("{filtered:?} {first:?} {last:?}"));
    Ok(())
}
