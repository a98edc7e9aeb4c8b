//! has_one: the first row by primary key, or none.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Author, Comment, Gravatar, Post};

cases! { "preload_has_one", Level::Kind;
    present_and_absent,
    the_first_of_several,
    c38_children_of_the_winners_only,
    inverse_from_memory,
    equals_the_reader,
    filtered_is_partial,
}

async fn present_and_absent(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let authors = cx.step("authors preload gravatar", repo.all_by_key(Query::preload(Author::GRAVATAR))).await?;
    cx.show("authors", &authors);
    cx.require(authors[1].gravatar.loaded() == Some(None), "loaded and absent")?;
    cx.require(authors[1].gravatar()?.is_none(), "which reads as None")
}

async fn the_first_of_several(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let posts = cx.step("posts preload first_comment", repo.all_by_key(Query::preload(Post::FIRST_COMMENT))).await?;
    cx.show("posts", posts);
    let latest = Query::preload(Post::FIRST_COMMENT.order_by(Comment::ID.desc()));
    let posts = cx.step("in another order", repo.all_by_key(latest)).await?;
    cx.show("posts", posts);
    Ok(())
}

async fn c38_children_of_the_winners_only(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Post::FIRST_COMMENT.order_by(Comment::ID.desc()).with(Comment::AUTHOR));
    let posts = cx.step("posts preload last comment: author", repo.all_by_key(query)).await?;
    cx.show("posts", posts);
    Ok(())
}

async fn inverse_from_memory(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Author::GRAVATAR.with(Gravatar::AUTHOR));
    let authors = cx.step("authors preload gravatar: author", repo.all_by_key(query)).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn equals_the_reader(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    for post in repo.all_by_key(Query::preload(Post::FIRST_COMMENT)).await? {
        let title = format!("reader of post {}", post.id);
        let first = cx.step(&title, repo.get_association(&post, Post::FIRST_COMMENT, Query::new())).await?;
        cx.require(post.first_comment()? == first.as_ref(), "preload and reader agree")?;
    }
    Ok(())
}

async fn filtered_is_partial(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::preload(Post::FIRST_COMMENT.filter(Comment::APPROVED.eq(false)));
    let posts = cx.step("posts preload an unapproved comment", repo.all_by_key(query)).await?;
    cx.show("posts", &posts);
    cx.require(posts.iter().all(|post| post.first_comment.is_partial()), "a filtered association is partial")
}
