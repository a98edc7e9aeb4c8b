//! Pages by a cursor and by a number, and where orders put `NULL`.

use assoc_core::Result;
use assoc_repo::prelude::*;
use assoc_repo::{Cursor, Sort};
use conformance_harness::{Context, KeyOrder, Level, cases};
use conformance_models::blog::{self, Author, Comment, Post};
use conformance_models::keys::Shelf;

cases! { "pages", Level::Read;
    nulls_have_a_place,
    by_a_cursor,
    forwards_and_backwards,
    with_preloads,
    over_joins,
    of_composite_keys,
    of_a_collection,
    of_no_rows,
    by_a_number,
    cursors_of_other_orders,
    refused,
    by_hand_written_sql,
}

async fn authors(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::fixture(&repo).await?;
    let author = |name, mentor: Option<i64>| Author::build().set(Author::NAME, name).set(Author::MENTOR_ID, mentor);
    repo.insert_all([author("Dan", None), author("Eve", Some(1)), author("Fay", None), author("Gil", Some(2))]).await?;
    Ok(())
}

fn names(authors: &[Author]) -> String {
    authors.iter().map(|author| &*author.name).collect::<Vec<_>>().join(" ")
}

// Four orders of a column that may be NULL, each with NULL in a place that all databases agree on.
fn placed() -> [(&'static str, Sort<Author>); 4] {
    let column = Author::MENTOR_ID;
    [
        ("ascending, NULL first", column.asc().nulls_first()),
        ("ascending, NULL last", column.asc().nulls_last()),
        ("descending, NULL first", column.desc().nulls_first()),
        ("descending, NULL last", column.desc().nulls_last()),
    ]
}

async fn nulls_have_a_place(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    let repo = cx.repo();
    for (title, sort) in placed() {
        let rows = cx.step(title, repo.all(Query::order_by(sort.clone()))).await?;
        cx.note("authors", names(&rows));
        let reversed = Query::order_by((sort.reversed(), Author::ID.desc()));
        let mut rows_backwards = cx.step("reversed", repo.all(reversed)).await?;
        rows_backwards.reverse();
        cx.require(rows == rows_backwards, "the reversed order is the order from its end")?;
    }
    // In the rows of each owner, within a limit and without.
    let by_author = |post: &Post| post.comments.get().map(|all| all.iter().map(|one| one.id).collect::<Vec<_>>());
    let unlimited = Post::COMMENTS.order_by(Comment::AUTHOR_ID.asc().nulls_last());
    let posts = cx.step("a preload", repo.all_by_key(Query::<Post>::preload(unlimited))).await?;
    let limited = Post::COMMENTS.order_by(Comment::AUTHOR_ID.desc().nulls_first()).limit(2);
    let limited = cx.step("a preload with a limit", repo.all_by_key(Query::<Post>::preload(limited))).await?;
    for (title, posts) in [("all", &posts), ("two each", &limited)] {
        cx.note(title, posts.iter().map(|post| format!("{:?}", by_author(post).ok())).collect::<Vec<_>>().join(" "));
    }
    let groups: Vec<Option<i64>> = cx
        .step(
            "groups",
            repo.pluck(
                Author::MENTOR_ID,
                Query::group_by(Author::MENTOR_ID).order_by(Author::MENTOR_ID.desc().nulls_first()),
            ),
        )
        .await?;
    cx.require(groups == [None, Some(2), Some(1)], "groups are in the order")?;
    let distinct = Query::new().distinct().order_by(Author::MENTOR_ID.asc().nulls_last());
    let distinct: Vec<Option<i64>> = cx.step("distinct values", repo.pluck(Author::MENTOR_ID, distinct)).await?;
    cx.require(distinct == [Some(1), Some(2), None], "distinct values are in the order")
}

async fn by_a_cursor(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    let repo = cx.repo();
    let query = || Query::order_by((Author::MENTOR_ID.desc().nulls_last(), Author::NAME.asc()));
    let mut page = cx.step("the first page", repo.page(query(), Page::first(3))).await?;
    cx.note("authors", names(&page.rows));
    while let Some(next) = page.next() {
        page = cx.step("the next", repo.page(query(), Page::after(next, 3))).await?;
        cx.note("authors", names(&page.rows));
    }
    while let Some(previous) = page.previous() {
        page = cx.step("the previous", repo.page(query(), Page::before(previous, 3))).await?;
        cx.note("authors", names(&page.rows));
    }
    page = cx.step("the last page", repo.page(query(), Page::last(3))).await?;
    cx.note("authors", names(&page.rows));
    Ok(())
}

// Pages of several sizes are the whole, in both directions, and lead back to where they came from.
async fn is_whole<M: Model + PartialEq>(cx: &mut Context, title: &str, query: Select<M>) -> Result<()> {
    let repo = cx.repo();
    let all = repo.all(query.clone()).await?;
    for size in [1, 2, 3, 100] {
        let mut forwards = Vec::new();
        let mut page = repo.page(query.clone(), Page::first(size)).await?;
        loop {
            let next = page.next();
            cx.require(next.is_some() == page.has_next, "a cursor leads to the next page")?;
            forwards.append(&mut page.rows);
            cx.require(forwards.len() <= all.len(), &format!("{title}: pages of {size} are no more than the whole"))?;
            let Some(next) = next else { break };
            page = repo.page(query.clone(), Page::after(&next, size)).await?;
            cx.require(!page.rows.is_empty() && page.has_previous, "there was a next page")?;
        }
        cx.require(forwards == all, &format!("{title}: pages of {size} are the whole"))?;
        let mut backwards = Vec::new();
        let mut page = repo.page(query.clone(), Page::last(size)).await?;
        loop {
            let previous = page.previous();
            page.rows.append(&mut backwards);
            backwards = page.rows;
            cx.require(backwards.len() <= all.len(), &format!("{title}: {size} backwards are no more than the whole"))?;
            let Some(previous) = previous else { break };
            page = repo.page(query.clone(), Page::before(&previous, size)).await?;
            cx.require(!page.rows.is_empty() && page.has_next, "there was a previous page")?;
        }
        cx.require(backwards == all, &format!("{title}: pages of {size} backwards are the whole"))?;
    }
    Ok(())
}

async fn forwards_and_backwards(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    is_whole(cx, "by the key", Query::<Author>::order_by(Author::ID.asc())).await?;
    is_whole(cx, "by the key, descending", Query::<Author>::order_by(Author::ID.desc())).await?;
    is_whole(cx, "with NULL where the database puts it", Query::order_by(Author::MENTOR_ID.asc())).await?;
    for (title, sort) in placed() {
        is_whole(cx, title, Query::order_by(sort.clone())).await?;
        is_whole(cx, title, Query::order_by((sort.clone(), Author::NAME.desc()))).await?;
        is_whole(cx, title, Query::filter(Author::ID.gt(2)).order_by((sort, Author::ID.desc()))).await?;
    }
    Ok(())
}

async fn with_preloads(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    let repo = cx.repo();
    let query = || Query::preload(Author::POSTS).order_by(Author::NAME.desc());
    let page = cx.step("backwards, with preloads of the page's rows", repo.page(query(), Page::last(2))).await?;
    cx.note("authors", names(&page.rows));
    let joined = || Query::eager_load(Author::POSTS).order_by(Author::NAME.asc());
    let page = cx.step("loaded by a join", repo.page(joined(), Page::first(2))).await?;
    cx.note("authors", names(&page.rows));
    cx.require(
        page.rows[0].posts.get().is_ok_and(|posts| posts.len() == 2) && page.has_next,
        "Ann has two posts, and there is a next page",
    )?;
    is_whole(cx, "with preloads", query()).await?;
    is_whole(cx, "loaded by a join", joined()).await
}

async fn over_joins(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    let repo = cx.repo();
    let by_author = || {
        let name = Post::AUTHOR.joined(Author::NAME).desc().nulls_first();
        Query::<Post>::new().left_join(Post::AUTHOR).order_by((name, Post::TITLE.asc()))
    };
    let page = cx.step("by a column of a joined single target", repo.page(by_author(), Page::first(2))).await?;
    cx.require(page.rows[0].id == 4, "the post without an author is the first")?;
    is_whole(cx, "by a column of a joined single target", by_author()).await?;
    is_whole(cx, "distinct", by_author().distinct()).await?;
    let repeated = || Query::<Author>::new().join(Author::POSTS).order_by(Author::NAME.desc());
    let page = cx.step("a join that repeats rows", repo.page(repeated(), Page::first(2))).await?;
    cx.note("authors", names(&page.rows));
    is_whole(cx, "a join that repeats rows", repeated()).await?;
    let outer = Query::<Author>::new().left_join(Author::POSTS).order_by(Author::MENTOR_ID.asc());
    is_whole(cx, "an outer join that repeats rows", outer).await
}

async fn of_composite_keys(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    repo.create_table::<Shelf>().await?;
    let shelf = |room: i64, code: &str, label: &str| {
        Shelf::build().set(Shelf::ROOM, room).set(Shelf::CODE, code).set(Shelf::LABEL, label)
    };
    let places = [(1, "a", "x"), (1, "b", "y"), (2, "a", "x"), (2, "c", "x"), (3, "a", "y")];
    repo.insert_all(places.map(|(room, code, label)| shelf(room, code, label))).await?;
    let by_label = || Query::<Shelf>::order_by(Shelf::LABEL.desc());
    let page = cx.step("the key is added", repo.page(by_label(), Page::first(2))).await?;
    let next = page.next().unwrap_or_else(|| Cursor::from(""));
    cx.step("after a row of it", repo.page(by_label(), Page::after(next, 2))).await?;
    is_whole(cx, "the key is added", by_label()).await?;
    is_whole(cx, "a part of the key is there", Query::<Shelf>::order_by(Shelf::CODE.desc())).await
}

async fn of_a_collection(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    let repo = cx.repo();
    let ann = repo.get_or_fail::<Author>(1, Query::new()).await?;
    let posts = repo.association(&ann, Author::POSTS);
    let page = cx.step("the members", posts.page(Page::first(1))).await?;
    cx.require(page.rows.len() == 1 && page.has_next, "one of two posts")?;
    let page = cx.step("by a number", posts.offset_page(2, 1)).await?;
    cx.require(page.total == 2 && page.rows[0].id == 2, "the other one")?;
    is_whole(cx, "the query of a handle", posts.query()?.order_by(Post::TITLE.desc())).await
}

async fn of_no_rows(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    let repo = cx.repo();
    let none = repo.page(Query::<Author>::filter(Author::ID.gt(100)), Page::first(2)).await?;
    cx.require(none.rows.is_empty() && none.start().is_none() && none.next().is_none(), "no rows, no cursor")?;
    let last = repo.page(Query::<Author>::new(), Page::last(2)).await?;
    cx.require(!last.has_next && last.next().is_none(), "there is nothing after the last")?;
    let Some(end) = last.end() else { return cx.require(false, "a page with rows has an end") };
    let empty = cx.step("after the last row", repo.page(Query::<Author>::new(), Page::after(&end, 2))).await?;
    cx.require(
        empty.rows.is_empty() && empty.end().as_ref() == Some(&end),
        "new rows will come after the same cursor",
    )?;
    let Some(back) = empty.previous() else { return cx.require(false, "an empty page leads back") };
    let back =
        cx.step("back over the row of the cursor", repo.page(Query::<Author>::new(), Page::before(back, 2))).await?;
    cx.require(back.rows == last.rows && !back.rows.is_empty(), "the last page again")?;
    repo.insert(Author::build().set(Author::NAME, "Hal")).await?;
    let new = repo.page(Query::<Author>::new(), Page::after(end, 2)).await?;
    cx.require(names(&new.rows) == "Hal", "the new row")
}

async fn by_a_number(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    let repo = cx.repo();
    let query = || Query::preload(Author::POSTS).order_by(Author::NAME.desc());
    for number in [1, 3, 4, u64::MAX] {
        let page = cx.step(&format!("page {number} of three rows"), repo.offset_page(query(), number, 3)).await?;
        cx.note("page", format!("{} of {}: {}", page.number, page.pages(), names(&page.rows)));
        cx.require(page.total == 7 && page.has_next() == (number < 3), "seven authors are three pages")?;
    }
    cx.fails("page 0", repo.offset_page(query(), 0, 3)).await?;
    cx.fails("of no rows", repo.offset_page(query(), 1, 0)).await?;
    cx.fails("with a limit", repo.offset_page(query().limit(3), 1, 3)).await?;
    Ok(())
}

async fn cursors_of_other_orders(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    let repo = cx.repo();
    let by = |sort: Sort<Author>| Query::order_by(sort);
    let page = repo.page(by(Author::NAME.asc().nulls_first()), Page::first(2)).await?;
    let cursor = page.next().unwrap_or_else(|| Cursor::from(""));
    for (title, sort) in [
        ("another column", Author::MENTOR_ID.asc()),
        ("another direction", Author::NAME.desc()),
        ("the place of NULL", Author::NAME.asc().nulls_last()),
    ] {
        let refused = repo.page(by(sort), Page::after(&cursor, 2)).await;
        cx.require(refused.as_ref().is_err_and(Error::is_invalid_cursor), title)?;
        cx.fails(title, async { refused }).await?;
    }
    let other_model = repo.page(Query::<Comment>::new(), Page::after(&cursor, 2));
    cx.fails("another model", other_model).await?;
    for (title, text) in [("no text", ""), ("any text", "2"), ("cut off", &cursor.as_str()[..8])] {
        cx.fails(title, repo.page(by(Author::NAME.asc().nulls_first()), Page::after(text, 2))).await?;
    }
    let others =
        repo.page(by(Author::NAME.asc().nulls_first()).filter(Author::ID.gt(3)), Page::after(&cursor, 2)).await?;
    cx.require(names(&others.rows) == "Dan Eve", "other conditions are the same order")
}

async fn refused(cx: &mut Context) -> Result<()> {
    let repo = cx.repo();
    blog::tables(&repo).await?;
    let joined = Author::POSTS.joined(Post::ID.asc());
    for (title, query, size) in [
        ("no rows", Query::<Author>::new(), 0),
        ("a limit", Query::<Author>::limit(5), 2),
        ("an offset", Query::<Author>::offset(5), 2),
        ("groups", Query::group_by(Author::NAME), 2),
        ("distinct values", Query::select(Author::NAME).distinct(), 2),
        ("hand-written SQL", Query::order_by(Sort::raw("LENGTH(name)", [])), 2),
        ("a collection that is loaded", Query::eager_load(Author::POSTS).order_by(joined), 2),
        ("a lock", Query::<Author>::new().for_update(), 2),
    ] {
        cx.fails(title, repo.page(query, Page::first(size))).await?;
    }
    Ok(())
}

async fn by_hand_written_sql(cx: &mut Context) -> Result<()> {
    authors(cx).await?;
    let repo = cx.repo();
    let eve_first = || Sort::<Author>::raw("CASE WHEN name = ? THEN 0 ELSE 1 END", ["Eve".into()]);
    let rows = cx.step("with a bind", repo.all(Query::order_by((eve_first(), Author::NAME.desc())))).await?;
    cx.note("authors", names(&rows));
    let rows = cx.step("reversed", repo.all(Query::order_by(eve_first().reversed()).limit(2))).await?;
    cx.note("authors", names(&rows));
    let of_each = Post::COMMENTS.order_by(Sort::raw("0 - id", [])).limit(1);
    let posts = cx.step("the first of each owner", repo.all_by_key(Query::<Post>::preload(of_each))).await?;
    let last: Vec<i64> = posts.iter().filter_map(|post| Some(post.comments.get().ok()?.first()?.id)).collect();
    cx.require(last == [2, 5, 6], "the last comments")?;
    cx.fails("with a direction", repo.all(Query::<Author>::order_by(Sort::raw("name DESC", [])))).await?;
    cx.fails("distinct", repo.all(Query::<Author>::distinct().order_by(eve_first()))).await?;
    let by_join = Query::<Post>::eager_load(Post::COMMENTS.order_by(Sort::raw("0 - id", [])));
    cx.fails("of rows that a join loads", repo.all(by_join)).await?;
    Ok(())
}
