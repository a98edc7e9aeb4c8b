//! has_and_belongs_to_many: a join table without model.

use std::sync::Arc;

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::pictures::{self, Article, Category, Person};

cases! { "join_tables", Level::Kind;
    c13_both_ways,
    c14_self_join,
    with_a_key_of_its_own,
    targets_are_shared,
    ordered_and_limited,
    reader,
    conditions,
}

async fn c13_both_ways(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    // One link stands twice, one leads nowhere.
    let articles = cx.step("articles preload categories", repo.all_by_key(Query::preload(Article::CATEGORIES))).await?;
    cx.show("articles", articles);
    let categories =
        cx.step("categories preload articles", repo.all_by_key(Query::preload(Category::ARTICLES))).await?;
    cx.show("categories", categories);
    Ok(())
}

async fn c14_self_join(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let some = Query::filter(Person::ID.eq(1)).preload(Person::FRIENDS.with(Person::FRIENDS));
    let people = cx.step("friends of friends of one", repo.all_by_key(some)).await?;
    cx.show("people", people);
    let all = cx.step("of all: everyone is in memory", repo.all_by_key(Query::preload(Person::FRIENDS))).await?;
    cx.show("people", all);
    Ok(())
}

async fn targets_are_shared(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let articles = repo.all_by_key(Query::preload(Article::CATEGORIES)).await?;
    let (first, third) = (articles[0].categories()?, articles[2].categories()?);
    cx.require(Arc::ptr_eq(&first[0], &third[0]), "k1 is one instance")
}

async fn ordered_and_limited(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    let articles = cx.step("the last by name", repo.all_by_key(Query::preload(Article::LAST_CATEGORY))).await?;
    cx.show("articles", articles);
    let query = Query::preload(Article::CATEGORIES.distinct().order_by(Category::NAME.desc()));
    let articles = cx.step("each once, by name", repo.all_by_key(query)).await?;
    cx.show("articles", articles);
    Ok(())
}

async fn reader(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    for article in repo.all(Query::preload((Article::CATEGORIES, Article::LAST_CATEGORY))).await? {
        let read = repo.get_association(&article, Article::CATEGORIES, Query::new()).await?;
        cx.require(article.categories()?.iter().map(|row| &**row).eq(&read), "categories")?;
        let read = repo.get_association(&article, Article::LAST_CATEGORY, Query::new()).await?;
        cx.require(article.last_category()?.iter().map(|row| &**row).eq(&read), "last category")?;
    }
    Ok(())
}

async fn conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    pictures::fixture(&repo).await?;
    for (title, filter) in [
        ("in k1", Article::CATEGORIES.any(Category::NAME.eq("k1"))),
        ("in none: a link to nowhere is no category", Article::CATEGORIES.missing()),
    ] {
        let found = cx.step(title, repo.all(Query::filter(filter).order_by(Article::ID.asc()))).await?;
        cx.note("articles", found.iter().map(|article| article.title.as_str()).collect::<Vec<_>>().join(" "));
    }
    Ok(())
}

async fn with_a_key_of_its_own(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Person>().await?;
    repo.execute_raw(
        "CREATE TABLE friendships (id BIGINT NOT NULL PRIMARY KEY, this_person_id BIGINT NOT NULL, \
         other_person_id BIGINT NOT NULL)",
        [],
    )
    .await?;
    repo.insert_all(["Ann", "Bob"].map(|name| Person::build().set(Person::NAME, name))).await?;
    repo.execute_raw("INSERT INTO friendships VALUES (7, 1, 2), (8, 2, 1), (9, 2, 2)", []).await?;
    let people = Query::preload(Person::FRIENDS).order_by(Person::ID.asc());
    let people = cx.step("F26: nobody asks for it", repo.all(people)).await?;
    cx.show("people", people);
    Ok(())
}
