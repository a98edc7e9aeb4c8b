//! What a query of groups may read: what has one value in each. Anything else is refused before any SQL.

use assoc_core::{Error, ErrorKind, GroupedUse, JoinedColumn, Result};
use assoc_repo::prelude::*;
use conformance_harness::{Context, Level, cases};
use conformance_models::blog::{self, Author, Comment, Post};
use conformance_models::magazine::{self, Article};
use conformance_models::options::Note;

cases! { "grouped", Level::Read;
    rows_of_groups, columns_beside_aggregates, orders, conditions, through_an_owner, one_value_each, orders_of_declarations, orders_of_distinct_values,
}

fn require(cx: &mut Context, error: &Error, column: &str, asked: GroupedUse) -> Result<()> {
    let found = matches!(
        error.kind(),
        ErrorKind::NotGrouped { column: found, asked: how, .. } if found == column && *how == asked
    );
    cx.require(found, "names the column and what is asked of it")
}

async fn rows_of_groups(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let by_author = || Query::<Post>::group_by(Post::AUTHOR_ID);
    let many = || Query::<Post>::having(Post::ID.count().gt(1));
    let error = cx.fails("rows", repo.all(by_author())).await?;
    require(cx, &error, "id", GroupedUse::Row)?;
    cx.fails("one row", repo.one(by_author())).await?;
    cx.fails("by a condition", repo.get_by(Post::ID.gt(0), by_author())).await?;
    cx.fails("by a key", repo.get(1, many())).await?;
    cx.fails("with a preload", repo.all(by_author().preload(Post::COMMENTS))).await?;
    cx.fails("of one group of all", repo.all(many())).await?;
    cx.fails("each once", repo.all(by_author().distinct())).await?;
    cx.fails("each once, counted", repo.count(by_author().distinct())).await?;
    cx.fails("each once, any", repo.exists(by_author().distinct())).await?;
    cx.fails("a page", repo.offset_page(by_author(), 1, 2)).await?;
    cx.fails("explained", async { by_author().explain(&repo) }).await?;
    cx.fails("a joined row's key is none of it", repo.all(Query::join(Post::AUTHOR).group_by(author_key()))).await?;
    // How many groups there are does not depend on their columns.
    let count = cx.step("counted", repo.count(by_author())).await?;
    let any = cx.step("any", repo.exists(by_author().having(Post::ID.count().gt(2)))).await?;
    cx.require((count, any) == (3, false), "three groups, none of three posts")
}

fn author_key() -> JoinedColumn<Post, i64> {
    Post::AUTHOR.joined(Author::ID)
}

async fn columns_beside_aggregates(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let error = cx.fails("without groups", repo.pluck((Post::TITLE, Post::ID.count()), Query::new())).await?;
    require(cx, &error, "title", GroupedUse::Value)?;
    cx.fails("and the key", repo.pluck((Post::ID.max(), Post::ID), Query::new())).await?;
    let by_author = || Query::group_by(Post::AUTHOR_ID);
    cx.fails("of other groups", repo.pluck((Post::AUTHOR_ID, Post::TITLE), by_author())).await?;
    cx.fails("without an aggregate", repo.pluck(Post::TITLE, by_author())).await?;
    cx.fails("beside `having`", repo.pluck(Post::TITLE, Query::having(Post::ID.count().gt(1)))).await?;
    let title = || Author::POSTS.joined(Post::TITLE);
    let names = || Query::join(Author::POSTS).group_by(Author::NAME);
    let error = cx.fails("of a joined row", repo.pluck((Author::NAME, title()), names())).await?;
    require(cx, &error, "posts.title", GroupedUse::Value)?;
    // Equal keys of two tables are two columns, as for PostgreSQL.
    let joined = || Query::join(Post::AUTHOR).group_by(author_key());
    cx.fails("a key that leads to the group", repo.pluck((Post::AUTHOR_ID, Post::ID.count()), joined())).await?;
    cx.fails("not joined", repo.pluck((Author::NAME, title()), Query::group_by(Author::NAME))).await?;
    let first = Query::order_by(Post::TITLE.asc()).limit(2);
    let error = cx.fails("of the first rows", repo.pluck(Post::ID.max(), first)).await?;
    cx.require(matches!(error.kind(), ErrorKind::InvalidQuery { .. }), "no first of one row")
}

async fn orders(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let by_author = || Query::group_by(Post::AUTHOR_ID);
    let error = cx.fails("an own column", repo.pluck(Post::AUTHOR_ID, by_author().order_by(Post::TITLE.asc()))).await?;
    require(cx, &error, "title", GroupedUse::Order)?;
    let sorted = by_author().order_by((Post::AUTHOR_ID.desc(), Post::ID.desc())).limit(2);
    cx.fails("the second of two", repo.pluck(Post::AUTHOR_ID, sorted)).await?;
    let by_name = || Post::AUTHOR.joined(Author::NAME.asc());
    cx.fails("a joined one", repo.pluck(Post::AUTHOR_ID, by_author().join(Post::AUTHOR).order_by(by_name()))).await?;
    let rows = Query::join(Post::AUTHOR).group_by(Post::ID).order_by(by_name());
    cx.fails("rows by a joined one", repo.all(rows)).await.map(drop)
}

async fn conditions(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let having = |filter| Query::left_join(Post::AUTHOR).group_by(Post::AUTHOR_ID).having(filter);
    let error = cx.fails("an own column", repo.pluck(Post::AUTHOR_ID, having(Post::TITLE.eq("P2")))).await?;
    require(cx, &error, "title", GroupedUse::Condition)?;
    let count = || Post::ID.count();
    for (title, filter) in [
        ("or an aggregate", count().gt(1).or(Post::PUBLISHED.eq(true))),
        ("not", Post::TITLE.like("P%").not()),
        ("beside an aggregate", count().eq_column(Post::ID)),
        ("a joined row", Post::AUTHOR.joined(Author::NAME.is_not_null())),
        ("an association, by the key", Post::COMMENTS.any(Comment::APPROVED.eq(true))),
        ("a joined row's association", Post::AUTHOR.joined(Author::POSTS.any(Post::PUBLISHED.eq(true)))),
    ] {
        cx.fails(title, repo.pluck(Post::AUTHOR_ID, having(filter.clone()))).await?;
        let error = cx.fails("counted", repo.count(having(filter))).await?;
        cx.require(matches!(error.kind(), ErrorKind::NotGrouped { asked: GroupedUse::Condition, .. }), "of its kind")?;
    }
    let single = Query::<Post>::having(Post::TITLE.eq("P2"));
    cx.fails("of all rows", repo.exists(single)).await.map(drop)
}

async fn through_an_owner(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let posts = || repo.association(&ann, Author::POSTS);
    let grouped = || Ok::<_, Error>(posts().query()?.group_by(Post::PUBLISHED));
    cx.fails("a handle's rows", repo.all(grouped()?)).await?;
    cx.fails("a handle's columns", repo.pluck((Post::PUBLISHED, Post::TITLE), grouped()?)).await?;
    cx.fails("a column beside an aggregate", posts().pluck((Post::TITLE, Post::ID.count()))).await?;
    cx.fails("a reader", repo.get_association(&ann, Author::POSTS, Query::group_by(Post::TITLE))).await?;
    let mut counts = cx.step("groups", repo.pluck((Post::PUBLISHED, Post::ID.count()), grouped()?)).await?;
    counts.sort_unstable();
    cx.require(counts == [(false, 1), (true, 1)], "one post each")?;
    let counts = cx.step("aggregates", posts().pluck((Post::ID.count(), Post::TITLE.max()))).await?;
    cx.note("counts", format!("{counts:?}"));
    let most = grouped()?.order_by(Post::TITLE.max().desc());
    let sorted = cx.step("sorted", repo.pluck(Post::PUBLISHED, most)).await?;
    cx.require(sorted == [false, true], "by their last titles")?;
    let rows = cx.step("rows", repo.get_association(&ann, Author::POSTS, Query::group_by(Post::ID))).await?;
    cx.show("rows", rows);
    Ok(())
}

async fn one_value_each(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // Authors by their posts: the key decides about every column of a row.
    let posts = || Author::POSTS.joined(Post::ID.count());
    let busy = Query::join(Author::POSTS).group_by(Author::ID).having(posts().gt(1)).preload(Author::GRAVATAR);
    let authors = cx.step("rows", repo.all(busy)).await?;
    cx.show("authors", authors);
    let sorted = Query::group_by(Author::ID).having(Author::NAME.ne("Bob")).order_by(Author::NAME.desc());
    let authors = cx.step("sorted and kept by other columns", repo.all(sorted)).await?;
    cx.show("authors", authors);
    let of_posts = Query::group_by(Author::ID).having(Author::POSTS.any(Post::PUBLISHED.eq(true)));
    let names =
        cx.step("kept by an association", repo.pluck(Author::NAME, of_posts.order_by(Author::ID.asc()))).await?;
    cx.note("names", names.join(" "));
    let joined = || Query::left_join(Post::AUTHOR).group_by(author_key());
    let name = || Post::AUTHOR.joined(Author::NAME);
    let sorted = joined().order_by(name().desc().nulls_last());
    let counts = cx.step("a joined row's key", repo.pluck((name().optional(), Post::ID.count()), sorted)).await?;
    cx.note("counts", format!("{counts:?}"));
    let one = cx.step("one row in any order", repo.pluck(Post::ID.count(), Query::order_by(Post::TITLE.asc()))).await?;
    cx.require(one == [4], "all posts")?;
    let page = cx.step("a page", repo.offset_page(Query::<Author>::group_by(Author::ID), 1, 2)).await?;
    cx.require((page.rows.len(), page.total) == (2, 3), "of rows")
}

async fn orders_of_declarations(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Note>().await?;
    let note = |customer: i64, hidden| Note::build().set(Note::CUSTOMER_ID, customer).set(Note::HIDDEN, hidden);
    repo.insert_all([note(1, false), note(2, false), note(1, false), note(3, true)]).await?;
    // The default scope sorts notes by their keys, of which groups have several.
    let sorted = Query::group_by(Note::CUSTOMER_ID).order_by(Note::CUSTOMER_ID.asc());
    let counts = cx.step("an order of its own", repo.pluck((Note::CUSTOMER_ID, Note::ID.count()), sorted)).await?;
    cx.note("counts", format!("{counts:?}"));
    let grouped = Query::group_by(Note::CUSTOMER_ID);
    let mut customers = cx.step("none", repo.pluck(Note::CUSTOMER_ID, grouped)).await?;
    customers.sort_unstable();
    cx.require(customers == [1, 2], "in the database's order")?;
    let keys = cx.step("by the key", repo.pluck(Note::ID, Query::group_by((Note::CUSTOMER_ID, Note::ID)))).await?;
    cx.require(keys == [3, 2, 1], "as the scope says")?;
    let count = cx.step("all are one", repo.pluck(Note::ID.count(), Query::new())).await?;
    cx.require(count == [3], "those that are not hidden")
}

async fn orders_of_distinct_values(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    magazine::fixture(&repo).await?;
    let titles = || Query::select((Article::ID, Article::TITLE, Article::AUTHOR_ID)).distinct();
    // A row with its key is one row, whatever it is sorted by.
    let sorted = || titles().order_by((Article::SECTION.asc().nulls_first(), Article::ID.desc()));
    let rows = cx.step("by a column that is not selected", repo.all(sorted())).await?;
    cx.note("articles", rows.iter().map(|article| article.id.to_string()).collect::<Vec<_>>().join(" "));
    let first = cx.step("the first two", repo.all(sorted().limit(2))).await?;
    cx.require(first[..] == rows[..2], "of these")?;
    let count = cx.step("counted", repo.count(sorted().limit(2))).await?;
    cx.require(count == 2, "as many")?;
    cx.step("any", repo.exists(sorted())).await.map(drop)
}
