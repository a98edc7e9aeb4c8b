//! Pages by key.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::models::blog::{self, Author, Post};

cases! { "batches", Level::Read;
    by_primary_key,
    by_an_order_with_null,
    with_preloads,
    limit_is_the_total,
    rows_may_come_and_go,
    stream,
    refused,
}

async fn pages(cx: &mut Context, title: &str, query: Select<Author>, size: u64) -> Result<Vec<Author>> {
    let mut batches = cx.repo().in_batches(query, size)?;
    let mut all = Vec::new();
    loop {
        let Some(page) = cx.step(title, batches.next()).await? else { return Ok(all) };
        cx.note("page", page.iter().map(|author| author.id.to_string()).collect::<Vec<_>>().join(" "));
        all.extend(page);
    }
}

async fn by_primary_key(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    pages(cx, "pages of two", Query::new(), 2).await?;
    pages(cx, "a full last page asks once more", Query::new(), 3).await?;
    pages(cx, "no rows", Query::filter(Author::ID.gt(100)), 2).await?;
    Ok(())
}

async fn by_an_order_with_null(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let author = |name, mentor: Option<i64>| Author::build().set(Author::NAME, name).set(Author::MENTOR_ID, mentor);
    repo.insert_all([author("Dan", None), author("Eve", Some(1)), author("Fay", None), author("Gil", Some(2))]).await?;
    for (title, sort) in [("ascending", Author::MENTOR_ID.asc()), ("descending", Author::MENTOR_ID.desc())] {
        for size in [1, 2, 3, 7] {
            let query = Query::order_by(sort.clone()).order_by(Author::NAME.desc());
            let paged = pages(cx, &format!("{title} by {size}"), query.clone(), size).await?;
            cx.require(paged == repo.all(query).await?, "the pages are the whole")?;
        }
    }
    Ok(())
}

async fn with_preloads(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = || Query::preload(Author::POSTS.with(Post::COMMENTS));
    let paged = pages(cx, "posts and comments a page", query(), 2).await?;
    cx.require(paged == repo.all(query()).await?, "the same as in one piece")
}

async fn limit_is_the_total(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    pages(cx, "limit 2, pages of 1", Query::limit(2), 1).await?;
    pages(cx, "offset 1, pages of 1", Query::offset(1), 1).await?;
    Ok(())
}

async fn rows_may_come_and_go(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut batches = repo.in_batches(Query::<Author>::new(), 1)?;
    let first = cx.step("first", batches.next()).await?.unwrap_or_default();
    repo.delete(&first[0]).await?;
    let second = cx.step("deleting what was read moves nothing", batches.next()).await?.unwrap_or_default();
    cx.show("second", second.iter().map(|author| author.id));
    Ok(())
}

async fn stream(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::many(&repo, 2_500, 1, 0).await?;
    let mut rows = repo.stream(Query::<Author>::preload(Author::POSTS))?;
    let mut seen = 0;
    cx.step("2,500 rows", async {
        while let Some(author) = rows.next().await? {
            seen += 1;
            author.posts()?;
        }
        Ok(())
    })
    .await?;
    cx.note("rows", seen);
    Ok(())
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    for (title, query, size) in [
        ("size 0", Query::<Author>::new(), 0),
        ("distinct", Query::distinct(), 10),
        ("grouped", Query::group_by(Author::NAME), 10),
    ] {
        let refused = repo.in_batches(query, size).map(|_| ());
        cx.fails(title, async { refused }).await?;
    }
    Ok(())
}
