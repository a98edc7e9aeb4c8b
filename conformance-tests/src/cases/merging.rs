//! The planner treats the whole tree as one request: the reference table's counts.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Author, Comment, Post};

cases! { "merging", Level::Kind;
    c2_siblings,
    c3_one_tree,
    c4_three_levels,
    c5_two_branches_share_everything,
    c27_second_level,
    opposite_nesting_does_not_deadlock,
    same_request_twice,
    branches_get_what_they_asked_for,
    explain_shows_the_plan,
    other_keys_and_conditions,
}

async fn c2_siblings(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let posts = cx
        .step("posts includes author, comments", repo.all_by_key(Query::preload(Post::AUTHOR).preload(Post::COMMENTS)))
        .await?;
    cx.show("posts", posts);
    Ok(())
}

async fn c3_one_tree(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Post::AUTHOR).preload(Post::COMMENTS.with(Comment::AUTHOR));
    let posts = cx.step("posts: author, comments: author", repo.all_by_key(query)).await?;
    cx.show("posts", posts);
    Ok(())
}

async fn c4_three_levels(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Post::COMMENTS.with(Comment::AUTHOR.with(Author::GRAVATAR)));
    let posts = cx.step("posts: comments: author: gravatar", repo.all_by_key(query)).await?;
    cx.show("posts", posts);
    Ok(())
}

async fn c5_two_branches_share_everything(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let author = || (Author::MENTOR, Author::GRAVATAR);
    let query =
        Query::preload(Post::AUTHOR.with(author())).preload(Post::COMMENTS.with(Comment::AUTHOR.with(author())));
    let posts =
        cx.step("author: [mentor, gravatar], comments: author: [mentor, gravatar]", repo.all_by_key(query)).await?;
    cx.show("posts", posts);
    Ok(())
}

async fn c27_second_level(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Author::POSTS.with(Post::COMMENTS))
        .preload(Author::ARTICLES.filter(Post::PUBLISHED.eq(true)).with(Post::COMMENTS));
    let authors = cx.step("posts: comments, published: comments", repo.all_by_key(query)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn opposite_nesting_does_not_deadlock(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // comments → authors on one branch, authors → comments on the other: only one of the two can be merged.
    let query = Query::preload(Post::COMMENTS.with(Comment::AUTHOR))
        .preload(Post::AUTHOR.with(Author::COMMENTS.with(Comment::POST)));
    let posts = cx.step("comments: author, author: comments: post", repo.all_by_key(query)).await?;
    cx.show("posts", posts);
    Ok(())
}

async fn same_request_twice(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Post::AUTHOR)
        .preload(Post::AUTHOR.with(Author::GRAVATAR))
        .preload(Post::AUTHOR.with(Author::MENTOR));
    let posts = cx.step("one association three times", repo.all_by_key(query)).await?;
    cx.show("posts", posts);
    let contradictory = Query::preload(Post::COMMENTS).preload(Post::COMMENTS.filter(Comment::APPROVED.eq(true)));
    let error = cx.fails("in two different ways", repo.all_by_key(contradictory)).await?;
    cx.require(matches!(error.kind(), ErrorKind::ConflictingPreload { .. }), "a typed error, before any SQL")
}

async fn branches_get_what_they_asked_for(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // Both branches look authors up in one statement, and only one of them requests gravatars.
    let query = Query::preload(Post::AUTHOR).preload(Post::COMMENTS.with(Comment::AUTHOR.with(Author::GRAVATAR)));
    let posts = cx.step("author, comments: author: gravatar", repo.all_by_key(query)).await?;
    let author = posts[2].author()?;
    cx.require(author.is_some_and(|author| author.gravatar().is_err()), "not asked for on this branch")?;
    let commenter = posts[2].comments()?[0].author()?;
    cx.require(commenter.is_some_and(|author| author.gravatar().is_ok()), "asked for on the other")?;
    cx.show("posts", posts);
    Ok(())
}

async fn explain_shows_the_plan(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    let query = Query::filter(Post::PUBLISHED.eq(true))
        .preload(Post::AUTHOR)
        .preload(Post::COMMENTS.with((Comment::AUTHOR.with(Author::GRAVATAR), Comment::POST)));
    let text = query.explain(&repo)?;
    // The tree is the same everywhere; the statements below it are this dialect's own.
    cx.note("plan", text.split("\n\n").next().unwrap_or_default());
    cx.require(text.lines().filter(|line| line.starts_with('[')).count() == 5, "one line a statement")
}

// The same table by another key, or with another condition, is another look-up; the same one is shared by all levels.
async fn other_keys_and_conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let tree = (Author::COMMENTS, Author::POSTS.with(Post::COMMENTS));
    let query = || Query::<Author>::order_by(Author::ID.asc());
    let authors = cx.step("comments by author and by post", repo.all(query().preload(tree))).await?;
    for author in &authors {
        let of_posts =
            author.posts()?.iter().map(|post| post.comments().map(<[_]>::len)).collect::<Result<Vec<_>, _>>()?;
        cx.note(&author.name, format!("{} own, {of_posts:?} below posts", author.comments()?.len()));
    }
    let approved = Post::COMMENTS.filter(Comment::APPROVED.eq(true));
    let tree = (Author::POSTS.with(Post::COMMENTS), Author::ARTICLES.with(approved));
    let authors = cx.step("all and approved ones of the same posts", repo.all(query().preload(tree))).await?;
    for author in &authors {
        let count =
            |posts: &[Post]| posts.iter().map(|post| post.comments.loaded().map_or(0, <[_]>::len)).sum::<usize>();
        cx.note(&author.name, format!("{} of {}", count(author.articles()?), count(author.posts()?)));
    }
    Ok(())
}
