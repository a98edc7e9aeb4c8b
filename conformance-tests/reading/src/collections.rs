//! What one asks of a collection without loading it: how many, whether any, the first, whether a row is in it.

use std::slice;

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Post};
use conformance_models::clinic::{self, Patient, Physician};
use conformance_models::pictures::{self, Article, Category, Product};

cases! { "collections", Level::Read;
    how_many,
    whether_any,
    first_and_last,
    keys,
    finding,
    whether_it_is_there,
    counts_are_what_loading_gives,
}

async fn how_many(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let count = cx.step("not loaded", repo.count_for(slice::from_ref(&ann), Author::POSTS)).await?;
    cx.note("posts", count[0]);
    let published = Author::POSTS.filter(Post::PUBLISHED.eq(true));
    let count = cx.step("with a condition", repo.count_for(slice::from_ref(&ann), published)).await?;
    cx.note("posts", count[0]);
    let count = cx.step("one at most", repo.count_for(slice::from_ref(&ann), Author::POSTS.limit(1))).await?;
    cx.note("posts", count[0]);
    cx.require(!ann.posts.is_loaded(), "counting loads nothing")?;
    repo.preload(&mut ann, Author::POSTS).await?;
    let count = cx.step("loaded", async { Ok(ann.posts()?.len()) }).await?;
    cx.note("posts", count);
    Ok(())
}

async fn whether_any(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    for author in repo.all(Query::<Author>::order_by(Author::ID.asc())).await? {
        let posts = || Query::filter(Post::AUTHOR.is(&author));
        let title = |what: &str| format!("{what} of {}", author.name);
        let any = cx.step(&title("any"), repo.exists(posts())).await?;
        // At most two are looked at.
        let one_or_many = cx.step(&title("one or many"), repo.count(posts().limit(2))).await?;
        cx.note("any, how many", format!("{any} {one_or_many}"));
    }
    let physician = repo.all(Query::<Author>::filter(Author::POSTS.missing())).await?;
    cx.note("without", physician.len());
    Ok(())
}

async fn first_and_last(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let mut ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    for (title, query) in [
        ("the first", Query::limit(1)),
        ("the last", Query::order_by(Post::ID.desc()).limit(1)),
        ("the first two", Query::limit(2)),
        ("the second", Query::<Post>::limit(1).offset(1)),
    ] {
        let posts = cx.step(title, repo.get_association(&ann, Author::POSTS, query)).await?;
        cx.note("posts", format!("{:?}", posts.iter().map(|post| post.id).collect::<Vec<_>>()));
    }
    cx.require(!ann.posts.is_loaded(), "and nothing is loaded")?;
    repo.preload(&mut ann, Author::POSTS).await?;
    let ends = async { Ok((ann.posts()?.first().map(|post| post.id), ann.posts()?.last().map(|post| post.id))) };
    let ends = cx.step("of what is loaded", ends).await?;
    cx.note("ends", format!("{ends:?}"));
    Ok(())
}

async fn keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let query = Query::filter(Post::AUTHOR.is(&ann)).order_by(Post::ID.asc());
    let ids = cx.step("of posts", repo.pluck(Post::ID, query)).await?;
    cx.note("ids", format!("{ids:?}"));
    clinic::fixture(&repo).await?;
    let physician = repo.get_or_fail::<Physician>(1, Query::new()).await?;
    let query = Query::filter(Patient::PHYSICIANS.is(&physician)).order_by(Patient::ID.asc());
    let ids = cx.step("through others", repo.pluck(Patient::ID, query)).await?;
    cx.note("ids", format!("{ids:?}"));
    Ok(())
}

async fn finding(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let own = cx.step("one of Ann's", repo.get_association(&ann, Author::POSTS, Query::filter(Post::ID.eq(2)))).await?;
    cx.note("found", own.len());
    let query = Query::filter(Post::ID.is_in([3, 1]));
    let found = cx.step("another's is not in it", repo.get_association(&ann, Author::POSTS, query)).await?;
    cx.note("found", format!("{:?}", found.iter().map(|post| post.id).collect::<Vec<_>>()));
    pictures::fixture(&repo).await?;
    let article = repo.get_or_fail::<Article>(3, Query::new()).await?;
    for id in [1, 2] {
        let query = Query::filter(Category::ID.eq(id));
        let title = format!("category {id}, by a join table");
        let found = cx.step(&title, repo.get_association(&article, Article::CATEGORIES, query)).await?;
        cx.note("found", found.len());
    }
    Ok(())
}

async fn whether_it_is_there(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let posts = repo.all(Query::<Post>::order_by(Post::ID.asc())).await?;
    for post in &posts[1..3] {
        let title = format!("post {} by Ann", post.id);
        let is_there = Query::filter(Author::ID.eq(1).and(Author::POSTS.is(post)));
        let is_there = cx.step(&title, repo.exists(is_there)).await?;
        cx.note("is there", is_there);
    }
    pictures::fixture(&repo).await?;
    for category in repo.all(Query::<Category>::order_by(Category::ID.asc())).await? {
        let title = format!("article 3 in {}", category.name);
        let is_there = Query::filter(Article::ID.eq(3).and(Article::CATEGORIES.is(&category)));
        let is_there = cx.step(&title, repo.exists(is_there)).await?;
        cx.note("is there", is_there);
    }
    Ok(())
}

// Counting and loading never differ, whatever the association goes through and however often it meets a row.
async fn counts_are_what_loading_gives(cx: &mut Context) -> Result<()> {
    macro_rules! agree {
        ($repo:ident: $($owner:ident $token:ident)+) => {$(
            let owners = $repo.all(Query::<$owner>::order_by($owner::ID.asc())).await?;
            let loaded: Vec<u64> =
                $repo.load_separately(&owners, $owner::$token).await?.iter().map(|own| own.len() as u64).collect();
            let counted = $repo.count_for(&owners, $owner::$token).await?;
            cx.require(counted == loaded, stringify!($token))?;
            cx.note(stringify!($owner $token), format!("{counted:?}"));
        )+};
    }
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    agree!(repo: Author POSTS Author STUDENTS Author GRAVATAR Author MENTOR Post FIRST_COMMENT);
    clinic::fixture(&repo).await?;
    agree!(repo: Physician PATIENTS Physician KNOWN_PATIENTS Physician FIRST_PATIENTS Physician COLLEAGUES);
    pictures::fixture(&repo).await?;
    agree!(repo: Article CATEGORIES Article LAST_CATEGORY Article TAGS Article TAGGINGS Product PICTURES);
    Ok(())
}
