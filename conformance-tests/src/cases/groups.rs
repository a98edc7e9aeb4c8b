//! `group_by` on associations: of an owner's rows the first of each group.

use assoc_core::Result;
use assoc_core::driver::Dialect;
use assoc_repo::prelude::*;

use super::collations::text_ignoring_case;
use super::{Level, cases};
use crate::context::Context;
use crate::models::magazine::{self, Article, Author, Topic};

cases! { "groups", Level::Read;
    first_of_each lacks windows,
    requested lacks windows,
    limited lacks windows,
    through_others lacks windows,
    by_a_join_table lacks windows,
    equal_for_the_database lacks windows,
    in_hand lacks windows,
    counts lacks windows,
    readers_agree lacks windows,
    refused,
}

fn windows(dialect: &dyn Dialect) -> Option<&'static str> {
    (!dialect.capabilities().window_functions).then_some("window functions")
}

fn in_order() -> assoc_repo::Select<Author> {
    Query::order_by(Author::ID.asc())
}

fn titles<'a>(articles: impl IntoIterator<Item = &'a Article>) -> Vec<String> {
    articles.into_iter().map(|article| article.title.clone()).collect()
}

fn names<'a>(topics: impl IntoIterator<Item = &'a Topic>) -> Vec<String> {
    topics.into_iter().map(|topic| topic.name.clone()).collect()
}

async fn first_of_each(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let authors =
        cx.step("F109: the longest of each section", repo.all(in_order().preload(Author::LONGEST_ARTICLES))).await?;
    cx.require(authors.iter().all(|author| !author.longest_articles.is_partial()), "the whole of the association")?;
    for author in &authors {
        cx.show(&author.name, titles(author.longest_articles()?));
    }
    Ok(())
}

async fn requested(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let tree = Author::ARTICLES.group_by(Article::SECTION).with(Article::TOPICS);
    let authors = cx.step("the first of each section, with topics", repo.all(in_order().preload(tree))).await?;
    cx.require(authors.iter().all(|author| author.articles.is_partial()), "partial")?;
    cx.show("authors", authors);
    let tree = Author::ARTICLES
        .filter(Article::SECTION.is_not_null())
        .group_by((Article::SECTION, Article::PAGES))
        .order_by(Article::TITLE.desc());
    for author in cx.step("of each section and length, last title first", repo.all(in_order().preload(tree))).await? {
        cx.show(&author.name, titles(author.articles()?));
    }
    let tree = Author::ARTICLES
        .select((Article::ID, Article::AUTHOR_ID, Article::TITLE))
        .group_by(Article::SECTION)
        .group_by(Article::PAGES);
    let authors = cx.step("columns that are not read", repo.all(in_order().preload(tree))).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn limited(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let tree = Author::ARTICLES.group_by(Article::SECTION).order_by(Article::TITLE.asc());
    for author in cx.step("two of them", repo.all(in_order().preload(tree.clone().limit(2)))).await? {
        cx.show(&author.name, titles(author.articles()?));
    }
    for author in cx.step("all but the first", repo.all(in_order().preload(tree.offset(1)))).await? {
        cx.show(&author.name, titles(author.articles()?));
    }
    Ok(())
}

async fn through_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let tree = Author::TOPICS.group_by(Topic::AREA);
    for author in cx.step("the first topic of each area", repo.all(in_order().preload(tree.clone()))).await? {
        cx.show(&author.name, names(author.topics()?.iter().map(|topic| &**topic)));
    }
    let tree = tree.order_by(Topic::NAME.desc()).limit(2);
    for author in cx.step("two, by name", repo.all(in_order().preload(tree))).await? {
        cx.show(&author.name, names(author.topics()?.iter().map(|topic| &**topic)));
    }
    for author in cx.step("topics of the longest", repo.all(in_order().preload(Author::LONGEST_TOPICS))).await? {
        cx.show(&author.name, names(author.longest_topics()?.iter().map(|topic| &**topic)));
    }
    Ok(())
}

async fn by_a_join_table(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let query = || Query::<Article>::order_by(Article::ID.asc());
    for article in cx.step("one topic of each area", repo.all(query().preload(Article::AREAS))).await? {
        cx.show(&article.title, names(article.areas()?.iter().map(|topic| &**topic)));
    }
    let tree = Author::ARTICLES.with((Article::TOPICS, Article::AREAS));
    let authors = cx.step("beside all of them", repo.all(in_order().preload(tree))).await?;
    for article in authors.iter().flat_map(|author| author.articles().unwrap_or_default()) {
        cx.note(&article.title, format!("{} of {}", article.areas()?.len(), article.topics()?.len()));
    }
    Ok(())
}

async fn equal_for_the_database(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let text = text_ignoring_case(cx)?;
    repo.execute_raw("DROP TABLE articles", []).await?;
    repo.execute_raw("DROP TABLE topics", []).await?;
    repo.execute_raw(
        &format!(
            "CREATE TABLE articles (id INTEGER NOT NULL PRIMARY KEY, author_id INTEGER, section {text}, \
             title VARCHAR(40) NOT NULL, body VARCHAR(40), pages INTEGER)"
        ),
        [],
    )
    .await?;
    repo.execute_raw(
        &format!("CREATE TABLE topics (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, area {text})"),
        [],
    )
    .await?;
    let article = |id: i64, section: &str, title: &str| {
        let article = Article::build().set(Article::ID, id).set(Article::AUTHOR_ID, 1).set(Article::TITLE, title);
        article.set(Article::SECTION, Some(section.to_owned()))
    };
    repo.insert_all([article(1, "news", "a"), article(3, "News", "b"), article(4, "old news", "c")]).await?;
    let topic = |id: i64, name: &str, area: &str| {
        Topic::build().set(Topic::ID, id).set(Topic::NAME, name).set(Topic::AREA, Some(area.to_owned()))
    };
    repo.insert_all([topic(2, "d", "NATURE"), topic(1, "e", "nature"), topic(3, "f", "people")]).await?;
    let authors = repo.all(Query::filter(Author::ID.eq(1))).await?;
    let found = cx
        .step("by their own key", repo.load_separately(&authors, Author::ARTICLES.group_by(Article::SECTION)))
        .await?;
    cx.show("articles", titles(&found[0]));
    let counts = cx.step("counted", repo.count_for(&authors, Author::ARTICLES.group_by(Article::SECTION))).await?;
    cx.note("counts", format!("{counts:?}"));
    let found = cx.step("through others", repo.load_separately(&authors, Author::TOPICS.group_by(Topic::AREA))).await?;
    cx.show("topics", names(&found[0]));
    Ok(())
}

async fn in_hand(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let mut authors = repo.all(in_order()).await?;
    let both = (Author::LONGEST_ARTICLES.with(Article::AREAS), Author::LONGEST_TOPICS);
    cx.step("on structs in hand", repo.preload(&mut authors, both)).await?;
    cx.show("authors", &authors);
    let both = (Author::LONGEST_ARTICLES.with(Article::AREAS), Author::LONGEST_TOPICS);
    cx.step("all is there", repo.preload(&mut authors, both)).await?;
    let other = Author::LONGEST_ARTICLES.order_by(Article::TITLE.asc());
    cx.step("in another order others are the first", repo.preload(&mut authors, other)).await?;
    cx.require(authors.iter().all(|author| author.longest_articles.is_partial()), "partial")?;
    cx.show("titles", authors.iter().map(|author| titles(author.longest_articles().unwrap_or_default())));
    Ok(())
}

async fn counts(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let authors = repo.all(in_order()).await?;
    let counts = cx.step("sections", repo.count_for(&authors, Author::LONGEST_ARTICLES)).await?;
    cx.note("counts", format!("{counts:?}"));
    let tree = Author::ARTICLES.group_by((Article::SECTION, Article::PAGES)).filter(Article::PAGES.is_not_null());
    let counts = cx.step("sections and lengths", repo.count_for(&authors, tree)).await?;
    cx.note("counts", format!("{counts:?}"));
    let counts = cx.step("limited", repo.count_for(&authors, Author::LONGEST_ARTICLES.limit(2))).await?;
    cx.note("counts", format!("{counts:?}"));
    let counts =
        cx.step("areas, through others", repo.count_for(&authors, Author::TOPICS.group_by(Topic::AREA))).await?;
    cx.note("counts", format!("{counts:?}"));
    Ok(())
}

async fn readers_agree(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    for author in repo.all(in_order().preload((Author::LONGEST_ARTICLES, Author::LONGEST_TOPICS))).await? {
        let read = repo.get_association(&author, Author::LONGEST_ARTICLES, Query::new()).await?;
        cx.require(author.longest_articles()? == read, "articles")?;
        let read = repo.get_association(&author, Author::LONGEST_TOPICS, Query::new()).await?;
        cx.require(author.longest_topics()?.iter().map(|topic| &**topic).eq(&read), "topics")?;
    }
    for article in repo.all(Query::preload(Article::AREAS)).await? {
        let read = repo.get_association(&article, Article::AREAS, Query::new()).await?;
        cx.require(article.areas()?.iter().map(|topic| &**topic).eq(&read), "areas")?;
    }
    Ok(())
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let mut articles = repo.all(Query::<Article>::new()).await?;
    let tree = Article::AUTHOR.group_by(Author::NAME);
    cx.fails("a single target", repo.preload(&mut articles, tree.clone())).await?;
    cx.fails("counted", repo.count_for(&articles, tree)).await?;
    let any = Query::filter(Author::LONGEST_ARTICLES.any(Article::TITLE.eq("wind")));
    cx.fails("a condition on rows of groups", repo.all(any)).await?;
    let any = Query::filter(Author::LONGEST_ARTICLES.missing());
    let idle = cx.step("whether there is one", repo.pluck(Author::NAME, any)).await?;
    cx.show("without", idle);
    let authors = repo.all(in_order()).await?;
    let twice = repo.load_separately(&authors, Author::AREAS_OF_ARTICLES.group_by(Topic::NAME));
    cx.fails("groups of groups", twice).await?;
    let twice = (Author::ARTICLES, Author::ARTICLES.group_by(Article::SECTION));
    cx.fails("two ways at once", repo.all(in_order().preload(twice))).await?;
    cx.fails("by a join", repo.all(in_order().eager_load(Author::LONGEST_ARTICLES))).await?;
    cx.fails("on the way", repo.all(in_order().eager_load(Author::AREAS_OF_ARTICLES))).await?;
    Ok(())
}
