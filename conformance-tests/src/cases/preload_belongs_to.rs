//! belongs_to: one look-up of distinct keys, targets shared.

use std::sync::Arc;

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Author, Comment, Post};

cases! { "preload_belongs_to", Level::Kind;
    c1_distinct_keys_without_null,
    c23_mentors_are_in_memory,
    targets_are_shared,
    dangling_reference,
    dangling_reference_on_the_way,
    null_key_asks_nothing,
    required_target_that_is_missing,
    equals_the_reader,
}

async fn c1_distinct_keys_without_null(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let posts = cx.step("posts preload author", repo.all_by_key(Query::preload(Post::AUTHOR))).await?;
    cx.show("posts", posts);
    Ok(())
}

async fn c23_mentors_are_in_memory(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let all = Query::preload(Author::MENTOR.with(Author::MENTOR));
    let authors = cx.step("all authors preload mentor: mentor", repo.all_by_key(all.clone())).await?;
    cx.show("authors", authors);
    let last = all.filter(Author::NAME.eq("Cyd"));
    let authors = cx.step("one author preload mentor: mentor", repo.all_by_key(last)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn targets_are_shared(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let comments = cx.step("comments preload author", repo.all_by_key(Query::preload(Comment::AUTHOR))).await?;
    let shared = comments[0].author.shared().zip(comments[2].author.shared());
    cx.require(shared.is_some_and(|(a, b)| Arc::ptr_eq(&a, &b)), "comments of one author hold one author")?;
    cx.require(comments[5].author.loaded() == Some(None), "a NULL key is loaded and absent")
}

async fn dangling_reference(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    repo.insert(
        Comment::build()
            .set(Comment::POST_ID, 77)
            .set(Comment::AUTHOR_ID, 99)
            .set(Comment::BODY, "?")
            .set(Comment::APPROVED, true),
    )
    .await?;
    let comments = cx.step("comment of nobody", repo.all(Query::preload((Comment::AUTHOR, Comment::POST)))).await?;
    cx.require(comments[0].author()?.is_none(), "an optional target that is not there is None")?;
    let error = comments[0].post().map(|_| ()).map_err(Error::from);
    cx.note("required target", error.err().map(|error| error.to_string()).unwrap_or_default());
    cx.require(comments[0].post.loaded() == Some(None), "it is loaded all the same")
}

async fn null_key_asks_nothing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let orphans = Query::filter(Post::AUTHOR_ID.is_null()).preload(Post::AUTHOR);
    let posts = cx.step("C31: all foreign keys NULL", repo.all(orphans)).await?;
    cx.show("posts", posts);
    let none = Query::filter(Post::ID.gt(100)).preload(Post::AUTHOR.with(Author::POSTS));
    let posts = cx.step("C31: no owners", repo.all(none)).await?;
    cx.require(posts.is_empty(), "no owners")
}

async fn required_target_that_is_missing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let comments = repo.all(Query::<Comment>::new()).await?;
    let error = comments[0].post().map(|_| ()).map_err(Error::from).err();
    cx.note("not asked for", error.map(|error| error.to_string()).unwrap_or_default());
    cx.require(comments[0].post.loaded().is_none(), "not loaded")
}

async fn equals_the_reader(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let posts = cx.step("preload", repo.all_by_key(Query::preload(Post::AUTHOR))).await?;
    for post in &posts {
        let title = format!("reader of post {}", post.id);
        let author = cx.step(&title, repo.get_association(post, Post::AUTHOR, Query::new())).await?;
        cx.require(post.author()? == author.as_ref(), "preload and reader agree")?;
    }
    Ok(())
}

async fn dangling_reference_on_the_way(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let lost = Comment::build().set(Comment::POST_ID, 77).set(Comment::BODY, "lost").set(Comment::APPROVED, true);
    repo.insert(lost).await?;
    let query = Query::filter(Comment::POST_ID.ge(4)).order_by(Comment::ID.asc());
    let tree = Comment::POST.with(Post::AUTHOR.with(Author::GRAVATAR));
    let comments = cx.step("below a post that is gone, and one of nobody", repo.all(query.preload(tree))).await?;
    cx.require(comments[0].post()?.author()?.is_none(), "nobody's")?;
    cx.require(comments[1].post.loaded() == Some(None), "loaded, and not there")
}
