//! `select` on associations: some columns of their rows, and errors where a needed one is missing.

use assoc_core::Result;
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::magazine::{self, Article, Author, Remark, Topic};

cases! { "selections", Level::Read;
    declared,
    requested,
    through_others,
    joined_and_polymorphic,
    below_a_selection,
    needed_columns,
    nothing_stands_for_them,
    links_share_their_statement,
    readers_agree,
    by_a_join,
    one_table_read_twice,
    conditions_on_what_is_not_read,
    needed_columns_by_a_join,
    joined_rows_stand_for_no_others,
    of_the_query_itself,
}

fn in_order() -> assoc_repo::Select<Author> {
    Query::order_by(Author::ID.asc())
}

async fn declared(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let authors = cx.step("F110: titles", repo.all(in_order().preload(Author::TITLES))).await?;
    cx.require(authors.iter().all(|author| !author.titles.is_partial()), "the whole of the association")?;
    cx.show("authors", &authors);
    let mut authors = authors;
    cx.step("they are there", repo.preload(&mut authors, Author::TITLES)).await?;
    Ok(())
}

async fn requested(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let columns = (Article::ID, Article::AUTHOR_ID, Article::TITLE);
    let long = Author::ARTICLES.select(columns).filter(Article::PAGES.ge(2)).order_by(Article::PAGES.desc()).limit(2);
    let authors = cx.step("with what is not read in condition and order", repo.all(in_order().preload(long))).await?;
    cx.require(authors.iter().all(|author| author.articles.is_partial()), "partial")?;
    cx.show("authors", authors);
    let more = Author::TITLES.select((Article::ID, Article::AUTHOR_ID, Article::TITLE)).select(Article::PAGES);
    let authors = cx.step("other columns than declared", repo.all(in_order().preload(more))).await?;
    cx.require(authors.iter().all(|author| author.titles.is_partial()), "partial")?;
    cx.show("authors", authors);
    Ok(())
}

async fn through_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let names = Author::TOPICS.select((Topic::ID, Topic::NAME)).order_by(Topic::AREA.desc()).distinct();
    let authors = cx.step("names of topics", repo.all(in_order().preload(names))).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn joined_and_polymorphic(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let articles = cx
        .step(
            "a join table, and the other side of a polymorphic association",
            repo.all(Query::order_by(Article::ID.asc()).preload((
                Article::TOPICS.select((Topic::ID, Topic::NAME)),
                Article::REMARKS.select((Remark::ID, Remark::SUBJECT_ID, Remark::SUBJECT_TYPE)),
            ))),
        )
        .await?;
    cx.show("articles", articles);
    Ok(())
}

async fn below_a_selection(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let tree = Author::TITLES.with((Article::AUTHOR, Article::TOPICS.order_by(Topic::NAME.asc())));
    let authors = cx.step("author and topics of titles", repo.all(in_order().preload(tree))).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn needed_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let mut authors = repo.all(in_order()).await?;
    cx.fails("D3: the foreign key, declared", repo.all(in_order().preload(Author::LOOSE_TITLES))).await?;
    let reader = repo.get_association(&authors[0], Author::LOOSE_TITLES, Query::new());
    cx.fails("by the reader", reader).await?;
    let columns = (Article::ID, Article::TITLE);
    cx.fails("asked for", repo.preload(&mut authors, Author::ARTICLES.select(columns))).await?;
    let columns = (Article::AUTHOR_ID, Article::TITLE);
    cx.fails("the primary key", repo.preload(&mut authors, Author::ARTICLES.select(columns))).await?;
    let tree = Author::TOPICS.select(Topic::NAME);
    cx.fails("of rows behind others", repo.preload(&mut authors, tree)).await?;
    let columns = (Remark::ID, Remark::SUBJECT_ID);
    let mut articles = repo.all(Query::<Article>::new()).await?;
    cx.fails("the type", repo.preload(&mut articles, Article::REMARKS.select(columns))).await?;
    let columns = (Remark::ID, Remark::SUBJECT_ID, Remark::SUBJECT_TYPE);
    let remarks = repo.load_separately(&articles, Article::REMARKS.select(columns).with(Remark::SUBJECT)).await?;
    cx.note("with both, what is below loads", remarks.iter().map(Vec::len).sum::<usize>());
    let tree = Article::AUTHOR.select(Author::ID);
    cx.fails("a field without an empty value", repo.preload(&mut articles, tree)).await?;
    let columns = (Article::ID, Article::TITLE);
    let tree = Topic::ARTICLES.select(columns).with(Article::AUTHOR);
    let mut topics = repo.all(Query::<Topic>::new()).await?;
    cx.fails("the key of what is below", repo.preload(&mut topics, tree)).await?;
    Ok(())
}

async fn nothing_stands_for_them(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let tree = Topic::ARTICLES.select((Article::ID, Article::TITLE)).with(Article::REMARKS.with(Remark::SUBJECT));
    let topics = repo.all(Query::preload(tree).order_by(Topic::ID.asc())).await?;
    let bodies = |article: &Article| {
        let below = article.remarks().unwrap_or_default().iter().map(|remark| match remark.subject() {
            Ok(Some(magazine::Subject::Article(article))) => article.body.clone(),
            _ => None,
        });
        (article.body.clone(), below.collect::<Vec<_>>())
    };
    let all: Vec<_> = topics.iter().flat_map(|topic| topic.articles().unwrap_or_default().iter()).collect();
    cx.show("rows of some columns stand for no others", all.iter().map(|article| bodies(article)));
    let query = Query::select((Article::ID, Article::TITLE, Article::AUTHOR_ID)).order_by(Article::ID.asc());
    let query = query.preload(Article::AUTHOR.with(Author::ARTICLES.with(Article::REMARKS.with(Remark::SUBJECT))));
    let articles = cx.step("nor do those of the query itself", repo.all(query)).await?;
    let below = articles.iter().filter_map(|article| article.author().ok().flatten());
    let below: Vec<_> = below.flat_map(|author| author.articles().unwrap_or_default()).collect();
    cx.show("articles", below.iter().map(|article| bodies(article)));
    Ok(())
}

async fn links_share_their_statement(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let tree = (Author::TOPICS_OF_TITLES, Author::TITLES);
    let authors = cx.step("titles are the way to their topics too", repo.all(in_order().preload(tree))).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn readers_agree(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let tree = (Author::TITLES, Author::TOPICS.select((Topic::ID, Topic::NAME)));
    for author in repo.all(in_order().preload(tree)).await? {
        let read = repo.get_association(&author, Author::TITLES, Query::new()).await?;
        cx.require(author.titles()? == read, "titles")?;
        let read = repo.get_association(&author, Author::TOPICS, Query::select((Topic::ID, Topic::NAME))).await?;
        cx.require(author.topics()?.iter().map(|topic| &**topic).eq(&read), "topics")?;
        let query = Query::select((Article::ID, Article::TITLE, Article::AUTHOR_ID));
        let read = repo.get_association(&author, Author::ARTICLES, query.order_by(Article::TITLE.asc())).await?;
        cx.require(author.titles()? == read, "the same by hand")?;
    }
    Ok(())
}

async fn by_a_join(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let authors = cx.step("F110: titles", repo.all(in_order().eager_load(Author::TITLES))).await?;
    cx.require(authors.iter().all(|author| !author.titles.is_partial()), "the whole of the association")?;
    cx.require(authors == repo.all(in_order().preload(Author::TITLES)).await?, "as by preload")?;
    for author in &authors {
        let read = repo.get_association(author, Author::TITLES, Query::new()).await?;
        cx.require(author.titles()? == read, "as by the reader")?;
    }
    cx.show("authors", authors);
    let columns = (Article::ID, Article::AUTHOR_ID, Article::TITLE);
    let long =
        || Author::ARTICLES.select(columns).filter(Article::PAGES.ge(2)).order_by(Article::PAGES.desc()).limit(2);
    let authors = cx.step("in an order by what is not read", repo.all(in_order().eager_load(long()))).await?;
    cx.require(authors.iter().all(|author| author.articles.is_partial()), "partial")?;
    cx.require(authors == repo.all(in_order().preload(long())).await?, "as by preload")?;
    cx.show("authors", authors);
    let names = || Author::TOPICS.select((Topic::ID, Topic::NAME)).order_by(Topic::AREA.desc()).distinct();
    let tree = || (names(), Author::TITLES.with(Article::TOPICS.select((Topic::ID, Topic::NAME))));
    let authors = cx.step("through others, and below them", repo.all(in_order().eager_load(tree()))).await?;
    cx.require(authors.iter().all(|author| author.topics.is_partial()), "partial")?;
    cx.require(authors == repo.all(in_order().preload(tree())).await?, "as by preload")?;
    cx.show("authors", authors);
    let columns = (Remark::ID, Remark::SUBJECT_ID, Remark::SUBJECT_TYPE);
    let query = || Query::order_by(Article::ID.asc());
    let tree = || Article::REMARKS.select(columns).with(Remark::SUBJECT);
    let mixed = query().eager_load(Article::REMARKS.select(columns)).preload(tree());
    let articles = cx.step("a type, and what goes by it by key", repo.all(mixed)).await?;
    cx.require(articles == repo.all(query().preload(tree())).await?, "as by preload")?;
    cx.show("articles", articles);
    Ok(())
}

async fn one_table_read_twice(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let sections = Author::LOOSE_TITLES.select((Article::ID, Article::AUTHOR_ID, Article::TITLE, Article::SECTION));
    let tree = || (Author::TITLES, sections.clone(), Author::TOPICS_OF_TITLES);
    let authors = cx.step("each has its own columns of one join", repo.all(in_order().eager_load(tree()))).await?;
    cx.require(authors == repo.all(in_order().preload(tree())).await?, "as by preload")?;
    cx.show("authors", authors);
    let tree = || {
        (
            Author::ARTICLES,
            Author::TITLES,
            Author::LOOSE_TITLES.select((Article::ID, Article::AUTHOR_ID, Article::TITLE)),
        )
    };
    let authors = cx.step("or all of them", repo.all(in_order().eager_load(tree()))).await?;
    cx.require(authors == repo.all(in_order().preload(tree())).await?, "as by preload")?;
    cx.require(authors[0].articles()?[0].body.is_some() && authors[0].titles()?[0].body.is_none(), "each its own")?;
    Ok(())
}

async fn conditions_on_what_is_not_read(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let news = Author::TITLES.joined(Article::SECTION.eq("news"));
    let by_pages = Author::TITLES.joined(Article::PAGES.desc());
    let query = Query::includes(Author::TITLES).filter(news).order_by(by_pages).limit(1);
    let authors = cx.step("a condition and an order of the query", repo.all(query)).await?;
    cx.require(authors.iter().all(|author| author.titles.is_partial()), "partial")?;
    cx.show("authors", authors);
    Ok(())
}

async fn needed_columns_by_a_join(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    cx.fails("D3: the foreign key", repo.all(in_order().eager_load(Author::LOOSE_TITLES))).await?;
    let tree = Author::ARTICLES.select((Article::AUTHOR_ID, Article::TITLE));
    cx.fails("the primary key", repo.all(in_order().eager_load(tree))).await?;
    cx.fails("of rows behind others", repo.all(in_order().eager_load(Author::TOPICS.select(Topic::NAME)))).await?;
    let tree = Article::REMARKS.select((Remark::ID, Remark::SUBJECT_ID));
    cx.fails("the type", repo.all(Query::eager_load(tree))).await?;
    cx.fails("a field without an empty value", repo.all(Query::eager_load(Article::AUTHOR.select(Author::ID)))).await?;
    let tree = || Topic::ARTICLES.select((Article::ID, Article::TITLE)).with(Article::AUTHOR);
    cx.fails("the key of what is below, joined", repo.all(Query::eager_load(tree()))).await?;
    let tree = Query::eager_load(Topic::ARTICLES.select((Article::ID, Article::TITLE))).preload(tree());
    cx.fails("or by key", repo.all(tree)).await?;
    Ok(())
}

async fn joined_rows_stand_for_no_others(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let columns = || Topic::ARTICLES.select((Article::ID, Article::TITLE));
    let tree = columns().with(Article::REMARKS.with(Remark::SUBJECT));
    let query = Query::eager_load(columns()).preload(tree).order_by(Topic::ID.asc());
    let topics = cx.step("what is below has whole rows", repo.all(query)).await?;
    let articles: Vec<_> = topics.iter().flat_map(|topic| topic.articles().unwrap_or_default().iter()).collect();
    let subjects = articles.iter().flat_map(|article| article.remarks().unwrap_or_default()).filter_map(|remark| {
        match remark.subject() {
            Ok(Some(magazine::Subject::Article(article))) => Some(article),
            _ => None,
        }
    });
    let bodies: Vec<_> = subjects.map(|article| &article.body).collect();
    cx.require(!bodies.is_empty() && bodies.iter().all(|body| body.is_some()), "whole")?;
    cx.require(articles.iter().all(|article| article.body.is_none()), "some columns")
}

async fn of_the_query_itself(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let query = || Query::select((Article::TITLE, Article::ID)).order_by(Article::PAGES.desc()).limit(4);
    let tree = || (Article::TOPICS, Article::REMARKS);
    let articles = cx.step("some columns of the query's own rows", repo.all(query().eager_load(tree()))).await?;
    cx.require(articles == repo.all(query().preload(tree())).await?, "as by preload")?;
    cx.show("articles", articles);
    let articles = cx.step("counted", repo.count(query().eager_load(tree()))).await?;
    let pages = cx.step("an aggregate of another column", repo.aggregate(Article::PAGES.sum(), query())).await?;
    let named = || Query::select((Article::AUTHOR_ID, Article::TITLE, Article::ID)).distinct();
    let rows = cx.step("distinct rows", repo.count(named().limit(5))).await?;
    let found = cx.step("any", repo.exists(named())).await?;
    cx.note("counts, pages", format!("{articles} {pages:?} {rows} {found}"));
    cx.fails("of distinct rows what they have", repo.aggregate(Article::PAGES.sum(), named())).await?;
    cx.fails("the key of what is loaded", repo.all(query().eager_load(Article::AUTHOR))).await?;
    Ok(())
}
