//! Every condition a query can hold.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::models::blog::{self, Author, Comment, Post};
use crate::models::pictures::{self, Article, Employee, Picture, Product, Tag};

cases! { "filters", Level::Read;
    comparisons,
    null,
    lists,
    between_and_like,
    connectives,
    columns,
    data_is_never_sql,
    rows_of_associations,
}

async fn authors(cx: &mut Context, title: &str, filter: Filter<Author>) -> Result<()> {
    let repo = cx.repo();
    let found = cx.step(title, repo.all(Query::filter(filter).order_by(Author::ID.asc()))).await?;
    cx.note("names", found.iter().map(|author| author.name.as_str()).collect::<Vec<_>>().join(" "));
    Ok(())
}

async fn comparisons(cx: &mut Context) -> Result<()> {
    blog::fixture(&cx.repo()).await?;
    authors(cx, "eq", Author::ID.eq(2)).await?;
    authors(cx, "ne", Author::ID.ne(2)).await?;
    authors(cx, "lt", Author::ID.lt(2)).await?;
    authors(cx, "le", Author::ID.le(2)).await?;
    authors(cx, "gt", Author::ID.gt(2)).await?;
    authors(cx, "ge", Author::ID.ge(2)).await
}

async fn null(cx: &mut Context) -> Result<()> {
    blog::fixture(&cx.repo()).await?;
    authors(cx, "is_null", Author::MENTOR_ID.is_null()).await?;
    authors(cx, "is_not_null", Author::MENTOR_ID.is_not_null()).await?;
    authors(cx, "eq None", Author::MENTOR_ID.eq(None)).await?;
    authors(cx, "ne None", Author::MENTOR_ID.ne(None)).await?;
    authors(cx, "ne of a NULL is not true", Author::MENTOR_ID.ne(1)).await?;
    authors(cx, "lt None is never true", Author::MENTOR_ID.lt(None)).await
}

async fn lists(cx: &mut Context) -> Result<()> {
    blog::fixture(&cx.repo()).await?;
    authors(cx, "in", Author::ID.is_in([1, 3, 3])).await?;
    authors(cx, "in one", Author::ID.is_in([2])).await?;
    authors(cx, "in nothing is false", Author::ID.is_in(Vec::<i64>::new())).await?;
    authors(cx, "in with None", Author::MENTOR_ID.is_in([None, Some(2)])).await?;
    authors(cx, "in None alone", Author::MENTOR_ID.is_in([None])).await?;
    authors(cx, "not in", Author::ID.not_in([1, 3])).await?;
    authors(cx, "not in nothing is true", Author::ID.not_in(Vec::<i64>::new())).await?;
    authors(cx, "not in, text", Author::NAME.not_in(["Ann", "Bob"])).await?;
    authors(cx, "not in with None", Author::MENTOR_ID.not_in([None, Some(2)])).await?;
    authors(cx, "a long list", Author::ID.is_in(2..5_000)).await
}

async fn between_and_like(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    repo.insert_all(
        ["100%", "100 percent", "a_b", "aXb", "back\\slash"].map(|name| Author::build().set(Author::NAME, name)),
    )
    .await?;
    authors(cx, "between", Author::ID.between(2, 3)).await?;
    authors(cx, "between text", Author::NAME.between("Bi", "C")).await?;
    authors(cx, "like", Author::NAME.like("%n%")).await?;
    authors(cx, "not like", Author::NAME.not_like("%b%")).await?;
    authors(cx, "like any character", Author::NAME.like("a_b")).await?;
    authors(cx, "like, escaped underscore", Author::NAME.like(escape_like("a_b"))).await?;
    authors(cx, "like, escaped percent", Author::NAME.like(format!("%{}", escape_like("0%")))).await?;
    authors(cx, "like, escaped backslash", Author::NAME.like(escape_like("back\\slash"))).await
}

async fn connectives(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let (first, named) = (Author::ID.eq(1), Author::NAME.eq("Cyd"));
    authors(cx, "or", first.clone().or(named.clone())).await?;
    authors(cx, "and", first.clone() & named.clone()).await?;
    authors(cx, "not", !(first.clone() | named.clone())).await?;
    authors(cx, "precedence", Author::ID.ge(2).and(first.clone().or(named.clone()))).await?;
    authors(cx, "all of none", Filter::all([])).await?;
    authors(cx, "any of none", Filter::any([])).await?;
    authors(cx, "any", Filter::any([first.clone(), named.clone()])).await?;
    let query = Query::filter(Author::ID.eq(2)).or_filter(named).order_by(Author::ID.asc());
    let found = cx.step("or_filter", repo.all(query)).await?;
    cx.note("found", found.len());
    let found = cx.step("or_filter alone", repo.all(Query::or_filter(first))).await?;
    cx.note("found", found.len());
    Ok(())
}

async fn columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let found =
        cx.step("column to column", repo.all(Query::filter(Comment::AUTHOR_ID.eq_column(Comment::POST_ID)))).await?;
    cx.show("ids", found.iter().map(|comment| comment.id));
    let found = cx
        .step("greater than a column", repo.all(Query::filter(Comment::AUTHOR_ID.gt_column(Comment::POST_ID))))
        .await?;
    cx.show("ids", found.iter().map(|comment| comment.id));
    Ok(())
}

async fn data_is_never_sql(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let hostile = "'); DROP TABLE posts; --";
    repo.insert(Post::build().set(Post::TITLE, hostile).set(Post::PUBLISHED, false)).await?;
    let found = cx.step("quotes are text", repo.all(Query::filter(Post::TITLE.eq(hostile)))).await?;
    cx.require(found.len() == 1 && found[0].title == hostile, "found as it is")?;
    let found = cx.step("in a list", repo.count(Query::filter(Post::TITLE.is_in([hostile, "?", "$1", ":x"])))).await?;
    cx.note("found", found);
    Ok(())
}

async fn rows_of_associations(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let [ann, bob, cyd] = &repo.all(Query::<Author>::order_by(Author::ID.asc())).await?[..] else {
        return cx.require(false, "three authors");
    };
    let post = repo.get_or_fail::<Post>(3, Query::new()).await?;
    let by = async |cx: &mut Context, title: &str, filter: Filter<Post>| {
        let found = cx.step(title, repo.all(Query::filter(filter).order_by(Post::ID.asc()))).await?;
        cx.note("posts", found.iter().map(|post| post.id.to_string()).collect::<Vec<_>>().join(" "));
        Result::<()>::Ok(())
    };
    by(cx, "posts of an author", Post::AUTHOR.is(ann)).await?;
    by(cx, "of one of two", Post::AUTHOR.is_any_of(&[bob.clone(), cyd.clone()])).await?;
    by(cx, "of none of no authors", Post::AUTHOR.is_any_of::<Author>(&[])).await?;
    by(cx, "not of an author", Post::AUTHOR.is(ann).not()).await?;
    authors(cx, "the author of a post", Author::POSTS.is(&post)).await?;
    authors(cx, "students of a mentor", Author::MENTOR.is(ann)).await?;
    pictures::fixture(&repo).await?;
    let employee = repo.get_or_fail::<Employee>(2, Query::new()).await?;
    let product = repo.get_or_fail::<Product>(1, Query::new()).await?;
    for (title, filter) in [
        ("pictures of an employee", Picture::IMAGEABLE.is(&employee)),
        ("of a product", Picture::IMAGEABLE.is(&product)),
    ] {
        let found = cx.step(title, repo.all(Query::filter(filter).order_by(Picture::ID.asc()))).await?;
        cx.show("pictures", found);
    }
    let tag = repo.get_or_fail::<Tag>(1, Query::new()).await?;
    let tagged =
        cx.step("through others", repo.all(Query::filter(Article::TAGS.is(&tag)).order_by(Article::ID.asc()))).await?;
    cx.show("articles", tagged);
    Ok(())
}
