//! `get`, `one`, `all` and the rest of the reading surface.

use assoc_core::Result;
use assoc_repo::prelude::*;

use super::{Level, cases};
use crate::context::Context;
use crate::key_order::KeyOrder;
use crate::models::blog::{self, Author, Comment, Post};

cases! { "queries", Level::Read;
    get,
    get_by_and_one,
    all_in_order,
    limit_and_offset,
    select_some_columns,
    building_changes_nothing,
    raw,
    raw_columns_have_their_names,
    get_association_with_a_query,
    pluck,
    pluck_of_a_page,
    count_and_exists,
    preloads_leave_the_query_alone,
    paths,
}

async fn get(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ann = cx.step("F179: get", repo.get::<Author>(1, Query::preload(Author::POSTS))).await?;
    cx.show("author", ann);
    let none = cx.step("get of nothing", repo.get::<Author>(99, Query::preload(Author::POSTS))).await?;
    cx.require(none.is_none(), "None")?;
    let within =
        cx.step("get within a condition", repo.get::<Author>(1, Query::filter(Author::NAME.eq("Bob")))).await?;
    cx.require(within.is_none(), "the condition holds as well")?;
    let error = cx.fails("get_or_fail", repo.get_or_fail::<Author>(99, Query::new())).await?;
    cx.require(error.is_not_found(), "not found")
}

async fn get_by_and_one(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let bob = cx.step("get_by", repo.get_by(Author::NAME.eq("Bob"), Query::preload(Author::POSTS))).await?;
    cx.show("author", bob);
    let first = cx.step("get_by takes the first", repo.get_by(Post::PUBLISHED.eq(true), Query::new())).await?;
    cx.require(first.is_some_and(|post| post.id == 1), "by primary key")?;
    let one = cx.step("one", repo.one(Query::filter(Author::NAME.eq("Cyd")))).await?;
    cx.require(one.is_some(), "the only one")?;
    let none = cx.step("one of none", repo.one(Query::filter(Author::NAME.eq("Dan")))).await?;
    cx.require(none.is_none(), "None")?;
    let error = cx.fails("one of several", repo.one(Query::<Author>::new())).await?;
    cx.require(matches!(error.kind(), ErrorKind::NotUnique { .. }), "not unique")
}

async fn all_in_order(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // Equal values are in the order of the primary key, whatever the direction of the rest.
    let posts = cx.step("by published, descending", repo.all(Query::order_by(Post::PUBLISHED.desc()))).await?;
    cx.show("ids", posts.iter().map(|post| post.id));
    let comments =
        cx.step("two terms", repo.all(Query::order_by(Comment::POST_ID.desc()).order_by(Comment::BODY.asc()))).await?;
    cx.show("ids", comments.iter().map(|comment| comment.id));
    Ok(())
}

async fn limit_and_offset(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    for (title, query) in [
        ("limit", Query::limit(2)),
        ("limit and offset", Query::<Post>::new().limit(2).offset(1)),
        ("offset alone", Query::offset(3)),
        ("limit 0", Query::limit(0)),
        ("past the end", Query::<Post>::new().limit(5).offset(50).preload(Post::COMMENTS)),
    ] {
        let posts = cx.step(title, repo.all(query)).await?;
        cx.show("ids", posts.iter().map(|post| post.id));
    }
    Ok(())
}

async fn select_some_columns(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let columns = (Author::ID, Author::NAME);
    let authors = cx
        .step("the others are None", repo.all_by_key(Query::select(columns).filter(Author::MENTOR_ID.is_not_null())))
        .await?;
    cx.show("authors", authors);
    cx.fails("D3: a key that a preload goes by", repo.all_by_key(Query::select(columns).preload(Author::MENTOR)))
        .await?;
    cx.fails("a field without an empty value", repo.all_by_key(Query::select(Author::ID))).await?;
    Ok(())
}

async fn building_changes_nothing(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let base = Query::filter(Post::PUBLISHED.eq(true));
    let _narrower = base.clone().filter(Post::ID.gt(100)).limit(1).preload(Post::COMMENTS);
    let posts = cx.step("the base query is as it was", repo.all_by_key(base)).await?;
    cx.show("ids", posts.iter().map(|post| post.id));
    Ok(())
}

async fn raw(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let sql = "SELECT id, name, mentor_id FROM authors WHERE id > ? AND name <> '?' ORDER BY id";
    let authors = cx.step("models from SQL", repo.query_raw::<Author>(sql, [Value::Int(1)])).await?;
    cx.show("authors", authors);
    cx.fails("too few binds", repo.query_raw::<Author>(sql, [])).await?;
    cx.fails("other columns", repo.query_raw::<Author>("SELECT id, name FROM authors", [])).await?;
    let filter = Filter::raw("name IN (?, ?)", [Value::Text("Ann".into()), Value::Text("Cyd".into())]);
    let authors = cx.step("a raw condition", repo.all(Query::filter(filter).filter(Author::ID.gt(1)))).await?;
    cx.show("authors", authors);
    Ok(())
}

async fn raw_columns_have_their_names(cx: &mut Context) -> Result<()> {
    #[derive(Model, Debug, Clone, PartialEq)]
    #[model(table = "pairs")]
    struct Pair {
        id: i64,
        second: String,
        first: String,
        #[has_many(finder_sql = as_they_are)]
        all: HasMany<Pair>,
    }

    fn as_they_are(_: &Pair) -> RawSql {
        RawSql::new("SELECT * FROM pairs", [])
    }

    let repo = cx.repo();
    repo.execute_raw("CREATE TABLE pairs (id INTEGER PRIMARY KEY, first VARCHAR(9), second VARCHAR(9))", []).await?;
    let all = "SELECT * FROM pairs";
    let error = cx.fails("another order, no rows", repo.query_raw::<Pair>(all, [])).await?;
    cx.note("error", error);
    repo.execute_raw("INSERT INTO pairs (id, first, second) VALUES (1, 'a', 'b')", []).await?;
    cx.fails("another order", repo.query_raw::<Pair>(all, [])).await?;
    cx.fails("a column too many", repo.query_raw::<Pair>("SELECT id, second, first, id FROM pairs", [])).await?;
    cx.fails("another column", repo.query_raw::<Pair>("SELECT id, second, id FROM pairs", [])).await?;
    cx.fails("another name", repo.query_raw::<Pair>("SELECT id, second, first AS third FROM pairs", [])).await?;
    let pairs = cx.step("the names", repo.query_raw::<Pair>("SELECT p.ID, p.second, p.first FROM pairs p", [])).await?;
    cx.require(pairs.iter().all(|pair| pair.first == "a" && pair.second == "b"), "each column in its place")?;
    let named = "SELECT id, first AS second, UPPER(second) AS first FROM pairs";
    let pairs = cx.step("aliases", repo.query_raw::<Pair>(named, [])).await?;
    cx.note("pair", format!("{} {}", pairs[0].second, pairs[0].first));
    let pairs = cx.step("expressions", repo.query_raw::<Pair>("SELECT id, 'x', UPPER(first) FROM pairs", [])).await?;
    cx.note("pair", format!("{} {}", pairs[0].second, pairs[0].first));
    let swapped = "SELECT id, UPPER(first) AS first, UPPER(second) AS second FROM pairs";
    cx.fails("expressions by wrong names", repo.query_raw::<Pair>(swapped, [])).await?;
    let pair = repo.get_or_fail::<Pair>(1, Query::new()).await?;
    cx.fails("`finder_sql`", repo.get_association(&pair, Pair::ALL, Query::new())).await?;
    let mut pair = pair;
    cx.fails("preloaded", repo.preload(&mut pair, Pair::ALL)).await.map(drop)
}

async fn get_association_with_a_query(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let query = Query::filter(Post::PUBLISHED.eq(true)).preload(Post::COMMENTS);
    let posts = cx.step("published posts with comments", repo.get_association(&ann, Author::POSTS, query)).await?;
    cx.show("posts", posts);
    let mentor = cx.step("a NULL key asks nothing", repo.get_association(&ann, Author::MENTOR, Query::new())).await?;
    cx.require(mentor.is_none(), "None")?;
    let gravatar = cx.step("has_one", repo.get_association(&ann, Author::GRAVATAR, Query::new())).await?;
    cx.show("gravatar", gravatar);
    let nothing = cx.step("limit 0 is none", repo.get_association(&ann, Author::GRAVATAR, Query::limit(0))).await?;
    cx.require(nothing.is_none(), "as in a preload")?;
    cx.require(ann.posts.loaded().is_none(), "the owner is not changed")
}

async fn pluck(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let names = cx.step("one column", repo.pluck(Author::NAME, Query::order_by(Author::NAME.desc()))).await?;
    cx.show("names", names);
    let pairs =
        cx.step("a tuple", repo.pluck((Author::ID, Author::MENTOR_ID), Query::order_by(Author::ID.asc()))).await?;
    cx.show("pairs", pairs);
    let distinct =
        cx.step("distinct", repo.pluck(Post::PUBLISHED, Query::distinct().order_by(Post::PUBLISHED.asc()))).await?;
    cx.show("published", distinct);
    let query = Query::group_by(Comment::POST_ID).having(Comment::ID.count().gt(1)).order_by(Comment::POST_ID.asc());
    let counts = cx
        .step(
            "grouped",
            repo.pluck((Comment::POST_ID, Comment::ID.count(), Comment::AUTHOR_ID.count_distinct()), query),
        )
        .await?;
    cx.show("comments by post", counts);
    let unclear = Query::distinct().order_by((Post::TITLE.asc(), Post::ID.asc()));
    cx.fails("distinct values in an order of something else", repo.pluck(Post::AUTHOR_ID, unclear)).await?;
    let grouped = Query::group_by(Comment::POST_ID);
    cx.fails("an aggregate of groups is not one value", repo.aggregate(Comment::ID.max(), grouped)).await?;
    cx.fails("no preloads", repo.pluck(Post::ID, Query::preload(Post::AUTHOR))).await?;
    Ok(())
}

async fn pluck_of_a_page(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    // Five comments are approved. The key decides which of them are on the page, for every kind of read.
    let page = || Query::order_by(Comment::APPROVED.desc()).limit(3).offset(1);
    let ids = cx.step("values of a page", repo.pluck(Comment::ID, page())).await?;
    let rows: Vec<i64> = repo.all(page()).await?.iter().map(|comment: &Comment| comment.id).collect();
    cx.require(ids == rows, "the rows of the page")?;
    cx.note("ids", format!("{ids:?}"));
    Ok(())
}

async fn count_and_exists(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    for (title, query) in [
        ("all", Query::new()),
        ("filtered", Query::filter(Post::PUBLISHED.eq(true))),
        ("limited", Query::limit(3)),
        ("past the end", Query::offset(10)),
        ("with preloads", Query::preload(Post::COMMENTS)),
        ("none", Query::filter(Post::ID.gt(100))),
    ] {
        let count = cx.step(&format!("count {title}"), repo.count(query.clone())).await?;
        let exists = cx.step(&format!("exists {title}"), repo.exists(query)).await?;
        cx.note("count", count);
        cx.require(exists == (count > 0), "count and exists agree")?;
    }
    Ok(())
}

// Owners are those that the query chooses, in its order, and have everything that is theirs.
async fn preloads_leave_the_query_alone(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    for (title, query) in [
        ("a limit", Query::order_by(Author::ID.asc()).limit(1)),
        ("an offset", Query::order_by(Author::ID.asc()).limit(1).offset(1)),
        ("an order", Query::order_by(Author::NAME.desc())),
        ("a condition", Query::filter(Author::NAME.ne("Ann")).order_by(Author::ID.asc())),
        (
            "a condition on what is loaded",
            Query::filter(Author::POSTS.any(Post::PUBLISHED.eq(false))).order_by(Author::ID.asc()),
        ),
    ] {
        let bare = repo.all(query.clone()).await?;
        let authors = cx.step(title, repo.all(query.preload(Author::POSTS.with(Post::COMMENTS)))).await?;
        cx.require(authors.iter().map(Author::bare).eq(bare), "the same owners in the same order")?;
        for author in &authors {
            let read = repo.get_association(author, Author::POSTS, Query::preload(Post::COMMENTS)).await?;
            cx.require(author.posts()? == read, "all of theirs")?;
            cx.note(&author.name, read.len());
        }
    }
    Ok(())
}

async fn paths(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let query = Query::<Author>::preload_path("posts.comments")?.preload_path("gravatar")?;
    let authors = cx.step("two of them", repo.all(query.order_by(Author::ID.asc()))).await?;
    cx.require(authors.iter().all(|author| author.posts.is_loaded() && author.gravatar.is_loaded()), "both")?;
    // Unknown names are found out before anything runs, and whether there would be rows to load them for.
    for path in ["postz", "mentor.postz", "posts.comments.autor", ""] {
        let unknown = Query::<Author>::preload_path(path).map(|query| repo.all(query.filter(Author::ID.gt(99))));
        let unknown = unknown.map(|_| ());
        cx.fails(&format!("`{path}`"), async { unknown }).await?;
    }
    Ok(())
}
