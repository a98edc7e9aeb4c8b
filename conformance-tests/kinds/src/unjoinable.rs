//! Associations that no join can load: errors before any SQL that name model, association and `preload`, and `includes`,
//! which chooses that by itself where nothing asks for a join.

use assoc_core::{ErrorKind, Model, Result};
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Comment, Post};
use conformance_models::forum::{self, Member};
use conformance_models::magazine::{self, Article, Topic};
use conformance_models::options::{self, Customer, Order};
use conformance_models::pictures::{self, Employee, Picture};

cases! { "unjoinable", Level::Kind;
    groups,
    conditions_on_groups,
    finders,
    scopes_by_owner,
    functions,
    polymorphic,
}

/// The same association requested by every kind of query that needs a join.
async fn refused<M: Model>(
    cx: &mut Context,
    named: (&str, &str),
    queries: impl IntoIterator<Item = (&str, assoc_repo::Select<M>)>,
) -> Result<()> {
    let repo = cx.repo();
    for (title, query) in queries {
        let error = cx.fails(title, repo.all(query.clone())).await?;
        let ErrorKind::CannotJoin { model, association, .. } = error.kind() else { return Err(error) };
        cx.require((*model, *association) == named && error.to_string().contains("`preload`"), "what and what else")?;
        // Whatever else is read of it.
        let error = cx.fails("counted", repo.count(query)).await?;
        cx.require(matches!(error.kind(), ErrorKind::CannotJoin { .. }), "the same error")?;
    }
    Ok(())
}

async fn groups(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let long = || magazine::Author::LONGEST_ARTICLES.joined(Article::PAGES.ge(2));
    let asked = || magazine::Author::ARTICLES.group_by(Article::SECTION);
    let queries = [
        ("loaded", Query::eager_load(magazine::Author::LONGEST_ARTICLES)),
        ("joined", Query::join(magazine::Author::LONGEST_ARTICLES)),
        ("joined outside", Query::left_join(magazine::Author::LONGEST_ARTICLES).filter(long())),
        ("included, with a condition", Query::includes(magazine::Author::LONGEST_ARTICLES).filter(long())),
    ];
    refused(cx, ("Author", "longest_articles"), queries).await?;
    let queries = [
        ("on the way", Query::eager_load(magazine::Author::LONGEST_TOPICS)),
        ("on a way that is joined", Query::join(magazine::Author::LONGEST_TOPICS)),
    ];
    refused(cx, ("Author", "longest_topics"), queries).await?;
    refused(cx, ("Author", "articles"), [("asked for", Query::eager_load(asked()))]).await?;
    refused(
        cx,
        ("Author", "topics"),
        [("through others", Query::eager_load(magazine::Author::TOPICS.group_by(Topic::AREA)))],
    )
    .await?;
    let queries = [
        ("of a join table", Query::eager_load(Article::AREAS)),
        ("of a join table that is joined", Query::join(Article::AREAS)),
    ];
    refused(cx, ("Article", "areas"), queries).await?;
    if !repo.dialect().capabilities().window_functions {
        return Ok(());
    }
    let tree = || (magazine::Author::LONGEST_ARTICLES.with(Article::AREAS), magazine::Author::LONGEST_TOPICS, asked());
    let query = || Query::order_by(magazine::Author::ID.asc());
    let included = repo.all(query().includes(tree())).await?;
    cx.require(included == repo.all(query().preload(tree())).await?, "`includes` preloads them")?;
    let titled = magazine::Author::ARTICLES.joined(Article::TITLE.ne("wind"));
    let tree = || magazine::Author::ARTICLES.with(Article::AREAS);
    let authors = repo.all(query().includes(tree()).filter(titled)).await?;
    let below = authors[0].articles()?;
    cx.require(
        authors[0].articles.is_partial() && below.iter().all(|article| article.areas().is_ok()),
        "also below a join",
    )
}

async fn conditions_on_groups(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let long = Article::PAGES.ge(2);
    for (title, filter) in [
        ("some", magazine::Author::LONGEST_ARTICLES.any(long.clone())),
        ("none", magazine::Author::LONGEST_ARTICLES.none(long)),
        ("on the way", magazine::Author::LONGEST_TOPICS.any(Topic::NAME.eq("sea"))),
        ("inside another", magazine::Author::ARTICLES.any(Article::AREAS.any(Topic::NAME.eq("sea")))),
    ] {
        let error = cx.fails(title, repo.all(Query::filter(filter))).await?;
        cx.require(
            error.to_string().contains("`group_by`") && error.to_string().contains("`preload`"),
            "what and what else",
        )?;
    }
    let groups = magazine::Author::LONGEST_ARTICLES.joined(Article::PAGES.ge(2));
    let error = cx.fails("a column of what is not joined", repo.all(Query::filter(groups))).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotJoined { model: "Author", .. }), "not joined")?;
    let some = magazine::Author::LONGEST_ARTICLES.associated();
    let names = repo.pluck(magazine::Author::NAME, Query::filter(some).order_by(magazine::Author::ID.asc()));
    let names = cx.step("whether there is any row groups do not change", names).await?;
    cx.show("names", names);
    Ok(())
}

async fn finders(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    forum::fixture(&repo).await?;
    let scored = Member::POPULAR.joined(forum::Message::SCORE.gt(1));
    let queries = [
        ("loaded", Query::eager_load(Member::POPULAR)),
        ("joined", Query::join(Member::POPULAR)),
        ("included, with a condition", Query::includes(Member::POPULAR).filter(scored)),
    ];
    refused(cx, ("Member", "popular"), queries).await?;
    refused(cx, ("Member", "shared_mentions"), [("of a join table", Query::eager_load(Member::SHARED_MENTIONS))])
        .await?;
    let query = || Query::order_by(Member::ID.asc());
    let tree = || (Member::POPULAR, Member::SHARED_MENTIONS);
    let included = repo.all(query().includes(tree())).await?;
    cx.require(included == repo.all(query().preload(tree())).await?, "`includes` preloads them")
}

async fn scopes_by_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    options::fixture(&repo).await?;
    let large = Customer::VIP_ORDERS.joined(Order::TOTAL.ge(1));
    let queries = [
        ("loaded", Query::eager_load(Customer::VIP_ORDERS)),
        ("joined", Query::join(Customer::VIP_ORDERS)),
        ("included, with a condition", Query::includes(Customer::VIP_ORDERS).filter(large)),
        ("below another", Query::eager_load(Customer::ORDERS.with(Order::CUSTOMER.with(Customer::VIP_ORDERS)))),
    ];
    refused(cx, ("Customer", "vip_orders"), queries).await?;
    let query = || Query::order_by(Customer::ID.asc());
    let included = repo.all(query().includes((Customer::VIP_ORDERS, Customer::ORDERS))).await?;
    let preloaded = repo.all(query().preload((Customer::VIP_ORDERS, Customer::ORDERS))).await?;
    cx.require(included == preloaded, "`includes` preloads them")?;
    let confirmed = Customer::ORDERS.joined(Order::CONFIRMED.eq(true));
    let tree = Customer::ORDERS.with(Order::CUSTOMER.with(Customer::VIP_ORDERS));
    for customer in repo.all(query().includes(tree).filter(confirmed)).await? {
        let Some(owner) = customer.orders()?[0].customer()? else { return cx.require(false, "an owner") };
        cx.require(owner.vip_orders()?.iter().all(|order| order.total >= owner.vip_from), "also below a join")?;
    }
    Ok(())
}

async fn functions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let nobody = |_: Vec<i64>| async { Ok::<_, assoc_core::Error>(Vec::<Comment>::new()) };
    let published = Author::POSTS.joined(Post::COMMENTS.joined(Comment::APPROVED.eq(true)));
    let tree = || Author::POSTS.with(Post::COMMENTS.load_with(nobody));
    let queries = [
        ("loaded", Query::eager_load(tree())),
        ("included, with a condition", Query::includes(tree()).filter(published)),
    ];
    refused(cx, ("Post", "comments"), queries).await?;
    let titled = Author::POSTS.joined(Post::TITLE.eq("Ann"));
    let authors = cx.step("included below a join", repo.all(Query::includes(tree()).filter(titled))).await?;
    cx.require(authors[0].posts()?[0].comments()?.is_empty(), "what the function gives")
}

async fn polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let queries = [("loaded", Query::eager_load(Picture::IMAGEABLE)), ("joined", Query::join(Picture::IMAGEABLE))];
    refused(cx, ("Picture", "imageable"), queries).await?;
    let below = Employee::PICTURES.with(Picture::IMAGEABLE);
    refused(cx, ("Picture", "imageable"), [("below another", Query::eager_load(below))]).await?;
    let query = || Query::order_by(Picture::ID.asc());
    let included = repo.all(query().includes(Picture::IMAGEABLE)).await?;
    cx.require(included == repo.all(query().preload(Picture::IMAGEABLE)).await?, "`includes` preloads it")
}
